-- Whether the name was free is read from the count of changed rows.

-- name: user_new(name, body)!
INSERT INTO users (name, body) VALUES (:name, :body) ON CONFLICT DO NOTHING;

-- name: user_lock(name)
-- The writer is alone: nothing to lock.
SELECT body FROM users WHERE name = :name;
