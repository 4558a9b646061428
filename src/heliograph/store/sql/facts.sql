-- What a decision needs to know of a recipient, and the media of messages.

-- name: capability_read(site, sender, recipient)
SELECT body FROM capabilities WHERE site = :site AND sender = :sender AND recipient = :recipient;

-- name: capability_put(site, sender, recipient, asked, body)!
INSERT INTO capabilities (site, sender, recipient, asked, body) VALUES (:site, :sender, :recipient, :asked, :body)
ON CONFLICT (site, sender, recipient) DO UPDATE SET asked = excluded.asked, body = excluded.body
WHERE capabilities.asked <= excluded.asked;

-- name: capabilities_purge(before, many)
DELETE FROM capabilities WHERE (site, sender, recipient) IN (
    SELECT site, sender, recipient FROM capabilities WHERE asked <= :before ORDER BY asked LIMIT :many
) RETURNING 1;

-- name: medium_put(site, digest, content_type, data)
INSERT INTO media (site, digest, content_type, data) VALUES (:site, :digest, :content_type, :data)
ON CONFLICT DO NOTHING RETURNING 1;

-- name: medium_read(site, digest)
SELECT content_type, data FROM media WHERE site = :site AND digest = :digest;

-- name: upload_read(site, sender, digest, now)
SELECT reference FROM uploads WHERE site = :site AND sender = :sender AND digest = :digest AND expires > :now;

-- name: upload_put(site, sender, digest, reference, expires)!
INSERT INTO uploads (site, sender, digest, reference, expires) VALUES (:site, :sender, :digest, :reference, :expires)
ON CONFLICT (site, sender, digest) DO UPDATE SET reference = excluded.reference, expires = excluded.expires;

-- name: ready()!
-- Writes and changes nothing: the database takes a write, or says why not.
UPDATE counters SET value = value WHERE name = 'ready';
