-- name: alert_lock(site, id)
-- The writer is alone: nothing to lock.
SELECT state, reason, channel, send_at, pages, claims FROM alerts WHERE id = :id AND site = :site;

-- name: alert_lock_with(site, id, attempt)
SELECT a.state, a.reason, a.channel, a.send_at, a.pages, a.claims, t.sender, t.state, t.reason, t.tries, t.revoke_asked
FROM attempts t JOIN alerts a ON a.id = t.alert
WHERE t.id = :attempt AND a.id = :id AND a.site = :site;
