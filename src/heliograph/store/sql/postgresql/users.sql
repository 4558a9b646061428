-- Whether the name was free, and rows that are locked until the commit.

-- name: user_new(name, body)
INSERT INTO users (name, body) VALUES (:name, :body) ON CONFLICT DO NOTHING RETURNING 1;

-- name: user_lock(name)
SELECT body FROM users WHERE name = :name FOR UPDATE;
