-- name: alert_lock(site, id)
-- Whoever changes an alert or one of its attempts locks the alert first.
SELECT state, reason, channel, send_at, pages, claims, attempts FROM alerts WHERE site = :site AND id = :id FOR UPDATE;

-- name: alert_taken(site, id, channel, attempts)
-- An alert that has one page is as its acceptance wrote it.
UPDATE alerts SET state = 'sent', reason = '', channel = :channel, send_at = NULL, pages = 2, attempts = :attempts
WHERE site = :site AND id = :id AND pages = 1 AND state = 'sending'
RETURNING 1;
