-- Users of the console, their sessions, their tries to log in, and the audit log.

-- name: users()
SELECT body FROM users ORDER BY name;

-- name: user_read(name)
SELECT body FROM users WHERE name = :name;

-- name: user_put(name, body)!
UPDATE users SET body = :body WHERE name = :name;

-- name: session_new(digest, name, created, seen, until)!
INSERT INTO sessions (digest, name, created, seen, until) VALUES (:digest, :name, :created, :seen, :until);

-- name: session_read(digest, now)
SELECT s.name, s.created, s.seen, s.until, u.body FROM sessions s JOIN users u ON u.name = s.name
WHERE s.digest = :digest AND s.until > :now;

-- name: session_touch(digest, seen, until)!
UPDATE sessions SET seen = :seen, until = :until WHERE digest = :digest AND seen < :seen;

-- name: session_end(digest)
DELETE FROM sessions WHERE digest = :digest RETURNING 1;

-- name: sessions_end(name, but)
DELETE FROM sessions WHERE name = :name AND digest <> :but RETURNING 1;

-- name: sessions_purge(now, many)
DELETE FROM sessions WHERE digest IN (
    SELECT digest FROM sessions WHERE until <= :now ORDER BY until LIMIT :many
) RETURNING 1;

-- name: login_count(key, now, before)
-- A try within the window that is there, or the first one of a new window.
INSERT INTO logins (key, start, tries) VALUES (:key, :now, 1)
ON CONFLICT (key) DO UPDATE SET
    tries = CASE WHEN logins.start <= :before THEN 1 ELSE logins.tries + 1 END,
    start = CASE WHEN logins.start <= :before THEN excluded.start ELSE logins.start END
RETURNING start, tries;

-- name: login_forget(key)!
DELETE FROM logins WHERE key = :key;

-- name: login_less(key)!
UPDATE logins SET tries = tries - 1 WHERE key = :key AND tries > 0;

-- name: logins_purge(before, many)
DELETE FROM logins WHERE key IN (
    SELECT key FROM logins WHERE start <= :before ORDER BY start LIMIT :many
) RETURNING 1;

-- name: audit_put(id, who, what, body)!
INSERT INTO audit (id, who, what, body) VALUES (:id, :who, :what, :body);

-- name: audit_log(what, before, many)
SELECT body FROM audit WHERE id < :before AND (:what = '' OR what = :what) ORDER BY id DESC LIMIT :many;

-- name: audit_of(who, what, before, many)
SELECT body FROM audit WHERE who = :who AND id < :before AND (:what = '' OR what = :what)
ORDER BY who DESC, id DESC LIMIT :many;
