-- What goes with a recipient, and the secrets that the installation makes for itself.

-- name: secret_read(name)
SELECT value FROM secrets WHERE name = :name;

-- name: secret_new(name, value)!
INSERT INTO secrets (name, value) VALUES (:name, :value) ON CONFLICT DO NOTHING;

-- name: secret_replace(name, former, value)
UPDATE secrets SET value = :value WHERE name = :name AND value = :former RETURNING 1;

-- name: opt_outs_take(site, recipient)
DELETE FROM opt_outs WHERE site = :site AND recipient = :recipient RETURNING scope, wanted, at, since, how, by_whom;

-- name: opt_out_hide(site, recipient, scope, at, since, how, by_whom)!
INSERT INTO opt_outs (site, recipient, scope, wanted, at, since, how, by_whom)
VALUES (:site, :recipient, :scope, 0, :at, :since, :how, :by_whom)
ON CONFLICT (site, recipient, scope) DO UPDATE SET
    wanted = 0, at = excluded.at, since = excluded.since, how = excluded.how, by_whom = excluded.by_whom
WHERE opt_outs.at <= excluded.at;

-- name: erase_alerts(site, recipient, many)
SELECT id FROM alerts WHERE site = :site AND recipient = :recipient ORDER BY created, id LIMIT :many;

-- name: erase_alert(site, id)!
DELETE FROM alerts WHERE id = :id AND site = :site;

-- name: erase_journal(site, alert)!
DELETE FROM journal WHERE site = :site AND alert = :alert;

-- name: erase_reference(site, sender, reference)!
DELETE FROM attempt_references WHERE site = :site AND sender = :sender AND reference = :reference;

-- name: erase_mentions(site, alert)!
DELETE FROM conversation_alerts WHERE site = :site AND alert = :alert;

-- name: erase_conversations(site, recipient, many)
SELECT id FROM conversations WHERE site = :site AND recipient = :recipient ORDER BY id LIMIT :many;

-- name: erase_conversation(site, id)!
DELETE FROM conversations WHERE site = :site AND id = :id;

-- name: erase_turns(site, conversation)!
DELETE FROM turns WHERE site = :site AND conversation = :conversation;

-- name: erase_inbound(site, recipient, many)
DELETE FROM inbound WHERE (site, recipient, at, event) IN (
    SELECT site, recipient, at, event FROM inbound WHERE site = :site AND recipient = :recipient
    ORDER BY at, event LIMIT :many
) RETURNING 1;

-- name: capability_sender_after(site, sender)
-- The next sender in the key: a table of millions has a handful of them, and no index by recipient is kept for this.
SELECT sender FROM capabilities WHERE site = :site AND sender > :sender ORDER BY sender LIMIT 1;

-- name: erase_capability(site, sender, recipient)
DELETE FROM capabilities WHERE site = :site AND sender = :sender AND recipient = :recipient RETURNING 1;

-- name: erase_person(site, recipient)!
DELETE FROM people WHERE site = :site AND recipient = :recipient;

-- name: erase_keywords(site, recipient)!
-- Which notices he was given of late (store/keywords.py).
DELETE FROM claims WHERE site = :site AND scope IN ('notice:confirmation', 'notice:resumed', 'notice:help')
  AND key = :recipient;

-- name: early_after(site, sender, reference, event, many)
SELECT sender, reference, event, body FROM early
WHERE site = :site AND (sender, reference, event) > (:sender, :reference, :event)
ORDER BY sender, reference, event LIMIT :many;

-- name: erase_early(site, sender, reference, event)!
DELETE FROM early WHERE site = :site AND sender = :sender AND reference = :reference AND event = :event;

-- name: erasable(site, recipient, many)
SELECT
    (SELECT COUNT(*) FROM (SELECT 1 FROM alerts WHERE site = :site AND recipient = :recipient LIMIT :many) AS recent),
    (SELECT COUNT(*) FROM (SELECT 1 FROM conversations WHERE site = :site AND recipient = :recipient LIMIT :many) AS recent),
    (SELECT COUNT(*) FROM (SELECT 1 FROM inbound WHERE site = :site AND recipient = :recipient LIMIT :many) AS recent),
    (SELECT COUNT(*) FROM opt_outs WHERE site = :site AND recipient = :recipient AND wanted = 0);
