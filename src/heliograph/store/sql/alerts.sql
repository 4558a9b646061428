-- Alerts with their attempts (short rows that are searched and changed) and the journal (what was said, appended).

-- name: alert_put(site, id, created, recipient, template, language, state, reason, channel, external, send_at, claims, attempts, test)!
-- Written once: an acceptance that is repeated with the same id changes nothing.
INSERT INTO alerts (site, id, created, recipient, template, language, state, reason, channel, external, send_at,
                    claims, pages, attempts, test)
VALUES (:site, :id, :created, :recipient, :template, :language, :state, :reason, :channel, :external, :send_at,
        :claims, 1, :attempts, :test)
ON CONFLICT DO NOTHING;

-- name: alert_move(site, id, state, reason, channel, send_at, pages, attempts)!
UPDATE alerts SET state = :state, reason = :reason, channel = :channel, send_at = :send_at, pages = :pages,
    attempts = :attempts
WHERE site = :site AND id = :id;

-- name: alert_read(id)
SELECT site, state, reason, send_at, attempts FROM alerts WHERE id = :id;

-- name: alert_claims(site, id)
SELECT claims FROM alerts WHERE site = :site AND id = :id;

-- name: journal_put(site, alert, page, entries, body, info, decision, attempt, sender, answered, raw, known_as)!
INSERT INTO journal (site, alert, page, entries, body, info, decision, attempt, sender, answered, raw, known_as)
VALUES (:site, :alert, :page, :entries, :body, :info, :decision, :attempt, :sender, :answered, :raw, :known_as)
ON CONFLICT DO NOTHING;

-- name: journal_of(site, alert)
SELECT entries, body, info, decision, attempt, answered, raw, known_as FROM journal
WHERE site = :site AND alert = :alert ORDER BY page;

-- name: reference_put(site, sender, reference, alert, attempt)
-- The provider's name for an attempt. `waiting` 1: receipts wait for it in `early`.
INSERT INTO attempt_references (site, sender, reference, alert, attempt, waiting)
VALUES (:site, :sender, :reference, :alert, :attempt, 0)
ON CONFLICT (site, sender, reference) DO UPDATE SET alert = excluded.alert, attempt = excluded.attempt
RETURNING waiting;

-- name: reference_read(site, sender, reference)
SELECT alert, attempt FROM attempt_references WHERE site = :site AND sender = :sender AND reference = :reference;

-- name: reference_hold(site, sender, reference)
-- Holds the place of a name that nobody knows yet. One row is all the lock that is needed: an outcome that writes the
-- same name at the same time comes before (then its attempt is given back) or after (then it finds `waiting`).
INSERT INTO attempt_references (site, sender, reference, alert, attempt, waiting)
VALUES (:site, :sender, :reference, '', '', 1)
ON CONFLICT (site, sender, reference) DO UPDATE SET waiting = 1
RETURNING alert, attempt;

-- name: reference_drop(site, sender, reference)!
DELETE FROM attempt_references WHERE site = :site AND sender = :sender AND reference = :reference AND attempt = '';

-- name: early_put(site, sender, reference, event, channel, at, body)!
INSERT INTO early (site, sender, reference, event, channel, at, body)
VALUES (:site, :sender, :reference, :event, :channel, :at, :body) ON CONFLICT DO NOTHING;

-- name: early_take(site, sender, reference)
DELETE FROM early WHERE site = :site AND sender = :sender AND reference = :reference RETURNING at, event, body;
