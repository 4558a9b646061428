-- name: conversation_lock(site, id)
-- Whoever changes a conversation or one of its turns locks the conversation first.
SELECT body FROM conversations WHERE site = :site AND id = :id FOR UPDATE;
