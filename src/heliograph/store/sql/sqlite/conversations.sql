-- name: conversation_lock(site, id)
-- The writer is alone: nothing to lock.
SELECT body FROM conversations WHERE site = :site AND id = :id;
