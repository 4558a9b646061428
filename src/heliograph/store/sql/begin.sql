-- What a further attempt rests on.

-- name: inbound_from(site, recipient, since, sender)
-- The newest words of a recipient to a sender.
SELECT at, body FROM inbound WHERE site = :site AND recipient = :recipient AND at >= :since AND sender = :sender
ORDER BY at DESC LIMIT 20;
