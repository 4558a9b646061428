-- What the brand is told. Of a subject one event leaves at a time; its due row (kind webhook, lane 3) stands for them
-- all.

-- name: outbox_number(site, subject, born)
-- The number of a subject's next event. The row is locked until the commit: numbers are committed in their order.
INSERT INTO outbox_heads (site, subject, number, born) VALUES (:site, :subject, 1, :born)
ON CONFLICT (site, subject) DO UPDATE SET number = outbox_heads.number + 1
RETURNING number;

-- name: outbox_put(site, subject, number, type, at, body)!
INSERT INTO outbox (site, subject, number, type, at, since, state, tries, why, until, body)
VALUES (:site, :subject, :number, :type, :at, :at, 'waiting', 0, '', 0, :body);

-- name: outbox_due(site, subject, at)!
-- Where the subject has a row it stays as it is dated: an earlier event may wait for its next try. Whoever is working
-- on it is told that there is more.
INSERT INTO due (site, kind, ref, at, lease, wake, tries, node, again, lane)
VALUES (:site, 'webhook', :subject, :at, 0, :at, 0, '', 1, 3)
ON CONFLICT (site, kind, ref) DO UPDATE SET again = 1;

-- name: outbox_due_at_once(site, subject, now)!
INSERT INTO due (site, kind, ref, at, lease, wake, tries, node, again, lane)
VALUES (:site, 'webhook', :subject, :now, 0, :now, 0, '', 1, 3)
ON CONFLICT (site, kind, ref) DO UPDATE SET
    again = 1, at = excluded.at, wake = CASE WHEN due.lease > excluded.at THEN due.lease ELSE excluded.at END;

-- name: outbox_due_later(site, subject, at)!
UPDATE due SET at = :at, wake = :at, lease = 0, node = '', again = 0
WHERE site = :site AND kind = 'webhook' AND ref = :subject;

-- name: outbox_due_all(site, now)!
UPDATE due SET at = :now, wake = CASE WHEN lease > :now THEN lease ELSE :now END
WHERE site = :site AND kind = 'webhook';

-- name: outbox_next(site, subject)
SELECT subject, number, type, at, since, state, tries, why, until, body FROM outbox
WHERE site = :site AND subject = :subject AND state = 'waiting' ORDER BY site, subject, number LIMIT 1;

-- name: outbox_tried(site, subject, number, why)!
UPDATE outbox SET tries = tries + 1, why = :why
WHERE site = :site AND subject = :subject AND number = :number AND state = 'waiting';

-- name: outbox_ended(site, subject, number, state, why, until)!
UPDATE outbox SET state = :state, why = :why, until = :until
WHERE site = :site AND subject = :subject AND number = :number AND state = 'waiting';

-- name: outbox_again(site, subject, number, now)
UPDATE outbox SET state = 'waiting', since = :now, tries = 0, why = '', until = 0
WHERE site = :site AND subject = :subject AND number = :number RETURNING 1;

-- name: outbox_of(site, subject, many)
SELECT subject, number, type, at, since, state, tries, why, until, body FROM outbox
WHERE site = :site AND subject = :subject ORDER BY site, subject, number LIMIT :many;

-- name: outbox_waiting(site, many)
SELECT subject, number, type, at, since, state, tries, why, until, body FROM outbox
WHERE site = :site AND state = 'waiting' ORDER BY site, since LIMIT :many;

-- name: outbox_failed(site, since, many)
SELECT subject, number, type, at, since, state, tries, why, until, body FROM outbox
WHERE site = :site AND state = 'failed' AND at >= :since ORDER BY site DESC, at DESC LIMIT :many;

-- name: outbox_waiting_counted(site, many)
SELECT COUNT(*), MIN(since) FROM (
    SELECT since FROM outbox WHERE site = :site AND state = 'waiting' ORDER BY site, since LIMIT :many
) AS recent;

-- name: outbox_failed_counted(site, many)
SELECT COUNT(*) FROM (SELECT 1 FROM outbox WHERE site = :site AND state = 'failed' LIMIT :many) AS recent;

-- name: outbox_purge(now, many)
DELETE FROM outbox WHERE (site, subject, number) IN (
    SELECT site, subject, number FROM outbox WHERE until > 0 AND until <= :now ORDER BY until LIMIT :many
) RETURNING 1;

-- name: outbox_heads_purge(before, many)
DELETE FROM outbox_heads WHERE (site, subject) IN (
    SELECT site, subject FROM outbox_heads WHERE born <= :before ORDER BY born LIMIT :many
) RETURNING 1;

-- name: alert_spoken_of(site, alert)
-- The newest conversation that speaks of an alert.
SELECT conversation FROM conversation_alerts WHERE site = :site AND alert = :alert
ORDER BY site DESC, alert DESC, conversation DESC LIMIT 1;

-- name: erase_outbox(site, subject)!
DELETE FROM outbox WHERE site = :site AND subject = :subject;

-- name: erase_outbox_head(site, subject)!
DELETE FROM outbox_heads WHERE site = :site AND subject = :subject;
