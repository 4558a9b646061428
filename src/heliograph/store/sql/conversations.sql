-- Conversations, their turns, and whom they are with. `body` holds all of it; the columns are those by which it is found.

-- name: person_lock(site, recipient, at)!
-- Whoever writes a turn of a recipient locks this row first: turns of one recipient have one order.
INSERT INTO people (site, recipient, at) VALUES (:site, :recipient, :at)
ON CONFLICT (site, recipient) DO UPDATE SET at = excluded.at;

-- name: conversation_put(site, id, recipient, skill, desk, reference, state, agent, touched, body)!
INSERT INTO conversations (site, id, recipient, skill, desk, reference, state, agent, touched, body)
VALUES (:site, :id, :recipient, :skill, :desk, :reference, :state, :agent, :touched, :body)
ON CONFLICT (site, id) DO UPDATE SET
    skill = excluded.skill, reference = excluded.reference, state = excluded.state, agent = excluded.agent,
    touched = excluded.touched, body = excluded.body;

-- name: conversation_read(site, id)
SELECT body FROM conversations WHERE site = :site AND id = :id;

-- name: conversations_with(site, recipient, state, many)
SELECT body FROM conversations WHERE site = :site AND recipient = :recipient AND state = :state
ORDER BY site DESC, recipient DESC, state DESC, id DESC LIMIT :many;

-- name: conversations_before(site, recipient, state, before, many)
SELECT body FROM conversations WHERE site = :site AND recipient = :recipient AND state = :state AND id < :before
ORDER BY site DESC, recipient DESC, state DESC, id DESC LIMIT :many;

-- name: conversation_referred(site, desk, reference, many)
SELECT body FROM conversations WHERE site = :site AND desk = :desk AND reference = :reference AND reference <> ''
ORDER BY id DESC LIMIT :many;

-- name: conversations_touched(since, many)
SELECT body FROM conversations WHERE touched >= :since ORDER BY touched LIMIT :many;

-- name: conversation_speaks(site, alert, conversation)!
INSERT INTO conversation_alerts (site, alert, conversation) VALUES (:site, :alert, :conversation)
ON CONFLICT DO NOTHING;

-- name: conversations_speaking(site, alert, many)
SELECT c.body FROM conversation_alerts s JOIN conversations c ON c.site = s.site AND c.id = s.conversation
WHERE s.site = :site AND s.alert = :alert ORDER BY s.conversation DESC LIMIT :many;

-- name: inbox_site(site, state, touched, before, many)
SELECT touched, id, body FROM conversations
WHERE site = :site AND state = :state AND (touched, id) < (:touched, :before)
ORDER BY site DESC, state DESC, touched DESC, id DESC LIMIT :many;

-- name: inbox_skill(site, state, skill, touched, before, many)
SELECT touched, id, body FROM conversations
WHERE site = :site AND state = :state AND skill = :skill AND (touched, id) < (:touched, :before)
ORDER BY site DESC, state DESC, skill DESC, touched DESC, id DESC LIMIT :many;

-- name: inbox_agent(site, state, agent, skill, touched, before, many)
SELECT touched, id, body FROM conversations
WHERE site = :site AND state = :state AND agent = :agent AND skill = :skill AND (touched, id) < (:touched, :before)
ORDER BY site DESC, state DESC, agent DESC, skill DESC, touched DESC, id DESC LIMIT :many;

-- name: skill_after(site, state, skill)
-- The next skill that has a conversation in this state: one step into the index for each.
SELECT MIN(skill) FROM conversations WHERE site = :site AND state = :state AND skill > :skill;

-- name: queue_open(site, skill, many)
SELECT COUNT(*) FROM (
    SELECT 1 FROM conversations WHERE site = :site AND state = 'open' AND skill = :skill LIMIT :many
) AS recent;

-- name: queue_unclaimed(site, skill, many)
SELECT COUNT(*) FROM (
    SELECT 1 FROM conversations WHERE site = :site AND state = 'open' AND agent = '' AND skill = :skill LIMIT :many
) AS recent;

-- name: turn_put(site, conversation, number, body)!
INSERT INTO turns (site, conversation, number, body) VALUES (:site, :conversation, :number, :body)
ON CONFLICT (site, conversation, number) DO UPDATE SET body = excluded.body;

-- name: turn_read(site, conversation, number)
SELECT body FROM turns WHERE site = :site AND conversation = :conversation AND number = :number;

-- name: turns_after(site, conversation, after, many)
SELECT body FROM turns WHERE site = :site AND conversation = :conversation AND number > :after
ORDER BY number LIMIT :many;

-- name: turns_newest(site, conversation, many)
SELECT body FROM turns WHERE site = :site AND conversation = :conversation ORDER BY number DESC LIMIT :many;

-- name: journal_first(site, alert)
SELECT body FROM journal WHERE site = :site AND alert = :alert AND page = 1;

-- name: desks_waiting(lane, many)
SELECT site, ref FROM due WHERE lane = :lane AND tries > 0 LIMIT :many;

-- name: desk_busy(site)
-- Whether something is being handed over to the site's desk.
SELECT 1 FROM due WHERE site = :site AND kind = 'desk' LIMIT 1;

-- name: desk_early_put(site, desk, reference, event, at, body)!
-- The row without an event is a lock: who writes down the desk's name and who hears of it come one after the other.
INSERT INTO desk_early (site, desk, reference, event, at, body)
VALUES (:site, :desk, :reference, :event, :at, :body)
ON CONFLICT (site, desk, reference, event) DO UPDATE SET at = excluded.at;

-- name: desk_early_take(site, desk, reference)
DELETE FROM desk_early WHERE site = :site AND desk = :desk AND reference = :reference RETURNING at, event, body;

-- name: desk_early_purge(before)
DELETE FROM desk_early WHERE at < :before RETURNING 1;
