-- name: alert_lock(site, id)
-- Whoever changes an alert or one of its attempts locks the alert first.
SELECT state, reason, channel, send_at, claims FROM alerts WHERE site = :site AND id = :id FOR UPDATE;

-- name: alert_lock_with(site, id, attempt)
SELECT a.state, a.reason, a.channel, a.send_at, a.claims,
       t.sender, t.state, t.reason, t.tries, t.known_as, t.revoke_asked, t.raw
FROM alerts a JOIN attempts t ON t.id = :attempt
WHERE a.site = :site AND a.id = :id
FOR UPDATE;
