-- name: alert_lock(site, id)
-- The writer is alone: nothing to lock.
SELECT state, reason, channel, send_at, pages, claims, attempts FROM alerts WHERE id = :id AND site = :site;

-- name: alert_taken(site, id, channel, attempts)!
-- An alert that has one page is as its acceptance wrote it.
UPDATE alerts SET state = 'sent', reason = '', channel = :channel, send_at = NULL, pages = 2, attempts = :attempts
WHERE site = :site AND id = :id AND pages = 1 AND state = 'sending';
