-- name: alert_lock(site, id)
-- Whoever changes an alert or one of its attempts locks the alert first.
SELECT state, reason, channel, send_at, pages, claims FROM alerts WHERE site = :site AND id = :id FOR UPDATE;

-- name: alert_lock_with(site, id, attempt)
SELECT a.state, a.reason, a.channel, a.send_at, a.pages, a.claims, t.sender, t.state, t.reason, t.tries, t.revoke_asked
FROM alerts a JOIN attempts t ON t.site = a.site AND t.alert = a.id
WHERE a.site = :site AND a.id = :id AND t.id = :attempt
FOR UPDATE;
