-- What providers told.

-- name: heard_put(site, sender, event, at, body)
-- No row comes back for an event that was heard before.
INSERT INTO heard (site, sender, event, at, body) VALUES (:site, :sender, :event, :at, :body)
ON CONFLICT DO NOTHING RETURNING 1;

-- name: heard_purge(before, many)
DELETE FROM heard WHERE (site, sender, event) IN (
    SELECT site, sender, event FROM heard WHERE at <= :before ORDER BY at LIMIT :many
) RETURNING 1;

-- name: early_old(before, many)
DELETE FROM early WHERE (site, sender, reference, event) IN (
    SELECT site, sender, reference, event FROM early WHERE at <= :before ORDER BY at LIMIT :many
) RETURNING site, sender, reference;

-- name: inbound_put(site, recipient, at, event, sender, channel, alert, rule, body)!
INSERT INTO inbound (site, recipient, at, event, sender, channel, alert, rule, body)
VALUES (:site, :recipient, :at, :event, :sender, :channel, :alert, :rule, :body) ON CONFLICT DO NOTHING;

-- name: inbound_of(site, recipient, many)
SELECT body FROM inbound WHERE site = :site AND recipient = :recipient ORDER BY at DESC, event DESC LIMIT :many;
