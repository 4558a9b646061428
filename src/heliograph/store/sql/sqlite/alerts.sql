-- name: alert_lock(site, id)
-- The writer is alone: nothing to lock.
SELECT state, reason, channel, send_at, pages, claims, attempts FROM alerts WHERE id = :id AND site = :site;
