-- Lists of alerts, newest first. Each walks one index from the cursor on (keyset), so that page 1,000 costs what page 1
-- costs; further filters are looked at on the way. `before` is an alert's id, 'z' (after every id) for the first page;
-- `test` 1: those of test keys alone.

-- name: list_site(site, before, test, many)
SELECT id, site, created, recipient, template, language, state, reason, channel, external, test FROM alerts
WHERE site = :site AND id < :before AND test >= :test ORDER BY site DESC, id DESC LIMIT :many;

-- name: list_ended(site, state, before, test, many)
SELECT id, site, created, recipient, template, language, state, reason, channel, external, test FROM alerts
WHERE site = :site AND state = :state AND id < :before AND test >= :test
  AND state IN ('scheduled', 'refused', 'failed', 'expired', 'cancelled')
ORDER BY site DESC, state DESC, id DESC LIMIT :many;

-- name: list_under_way(site, state, before, test, many)
-- States that an alert passes through, or that most alerts end in: found on a walk through all of them.
SELECT id, site, created, recipient, template, language, state, reason, channel, external, test FROM alerts
WHERE site = :site AND state = :state AND id < :before AND test >= :test ORDER BY site DESC, id DESC LIMIT :many;

-- name: list_external(site, external, state, recipient, before, test, many)
SELECT id, site, created, recipient, template, language, state, reason, channel, external, test FROM alerts
WHERE site = :site AND external = :external AND external <> '' AND id < :before AND test >= :test
  AND (:state = '' OR state = :state) AND (:recipient = '' OR recipient = :recipient)
ORDER BY site DESC, external DESC, id DESC LIMIT :many;

-- name: list_recipient(site, recipient, state, created, before, test, many)
SELECT id, site, created, recipient, template, language, state, reason, channel, external, test FROM alerts
WHERE site = :site AND recipient = :recipient AND (created, id) < (:created, :before) AND test >= :test
  AND (:state = '' OR state = :state)
ORDER BY site DESC, recipient DESC, created DESC, id DESC LIMIT :many;

-- name: alert_created(id)
SELECT created FROM alerts WHERE id = :id;

-- name: alerts_count(site, recipient, since, test, many)
-- A refused call reached nobody and counts for no cap. What test keys send counts for theirs alone.
SELECT COUNT(*) FROM (
    SELECT 1 FROM alerts WHERE site = :site AND recipient = :recipient AND created >= :since AND state <> 'refused'
      AND test = :test
    LIMIT :many
) AS recent;

-- name: alerts_to(site, recipient, since, sender, many)
-- The newest attempts that a sender made to a recipient.
SELECT a.id, j.attempt FROM alerts a JOIN journal j ON j.site = a.site AND j.alert = a.id
WHERE a.site = :site AND a.recipient = :recipient AND a.created >= :since AND j.sender = :sender
ORDER BY a.created DESC, a.id DESC, j.page DESC LIMIT :many;

-- name: begun_between(site, first, last, many)
-- Ids are in the order of time: those from `first` on, before `last`.
SELECT id FROM alerts WHERE site = :site AND id >= :first AND id < :last ORDER BY site, id LIMIT :many;
