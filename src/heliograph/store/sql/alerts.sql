-- Alerts, their attempts and their timelines. Bodies are JSON as bytes; what is searched or changed has a column.

-- name: alert_put(site, id, created, recipient, template, language, state, reason, channel, external, send_at, claims, info, body, decision)!
-- Written once: an acceptance that is repeated with the same id changes nothing.
INSERT INTO alerts (site, id, created, recipient, template, language, state, reason, channel, external, send_at,
                    claims, info, body, decision)
VALUES (:site, :id, :created, :recipient, :template, :language, :state, :reason, :channel, :external, :send_at,
        :claims, :info, :body, :decision)
ON CONFLICT DO NOTHING;

-- name: alert_move(site, id, state, reason, channel, send_at)!
UPDATE alerts SET state = :state, reason = :reason, channel = :channel, send_at = :send_at
WHERE site = :site AND id = :id;

-- name: alert_decide(site, id, decision)!
UPDATE alerts SET decision = :decision WHERE site = :site AND id = :id;

-- name: alert_read(id)
SELECT state, reason, send_at, info, body, decision FROM alerts WHERE id = :id;

-- name: alert_claims(site, id)
SELECT claims FROM alerts WHERE site = :site AND id = :id;

-- name: attempt_put(site, alert, number, id, channel, sender, state, reason, tries, known_as, revoke_asked, raw, body)!
INSERT INTO attempts (site, alert, number, id, channel, sender, state, reason, tries, known_as, revoke_asked, raw, body)
VALUES (:site, :alert, :number, :id, :channel, :sender, :state, :reason, :tries, :known_as, :revoke_asked, :raw, :body)
ON CONFLICT DO NOTHING;

-- name: attempt_move(id, state, reason, tries, known_as, revoke_asked, raw)!
UPDATE attempts SET state = :state, reason = :reason, tries = :tries, known_as = :known_as,
                    revoke_asked = :revoke_asked, raw = :raw
WHERE id = :id;

-- name: attempt_place(id)
-- Where an attempt belongs.
SELECT site, alert FROM attempts WHERE id = :id;

-- name: attempt_read(id)
SELECT state, reason, tries, known_as, revoke_asked, raw, body FROM attempts WHERE id = :id;

-- name: attempts_of(site, alert)
SELECT state, reason, tries, known_as, revoke_asked, raw, body FROM attempts
WHERE site = :site AND alert = :alert ORDER BY number;

-- name: timeline_open(site, alert, entries)!
INSERT INTO timeline (site, alert, page, entries) VALUES (:site, :alert, 1, :entries) ON CONFLICT DO NOTHING;

-- name: timeline_add(site, alert, entries)!
INSERT INTO timeline (site, alert, page, entries)
SELECT CAST(:site AS TEXT), CAST(:alert AS TEXT), COALESCE(MAX(page), 0) + 1, :entries
FROM timeline WHERE site = :site AND alert = :alert;

-- name: timeline_of(site, alert)
SELECT entries FROM timeline WHERE site = :site AND alert = :alert ORDER BY page;

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
