-- name: alert_lock(site, id)
-- Whoever changes an alert or one of its attempts locks the alert first.
SELECT state, reason, channel, send_at, pages, claims, attempts FROM alerts WHERE site = :site AND id = :id FOR UPDATE;
