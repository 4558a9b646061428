-- The registry's documents, under one revision that counts for all of them.

-- name: revision_next()
-- Locks the counter until the commit: revisions are committed in their order, and no reader passes one by.
UPDATE counters SET value = value + 1 WHERE name = 'revision' RETURNING value;

-- name: revision()
SELECT value FROM counters WHERE name = 'revision';

-- name: document_read(site, kind, name)
SELECT body FROM documents WHERE site = :site AND kind = :kind AND name = :name;

-- name: document_put(site, kind, name, revision, body)!
INSERT INTO documents (site, kind, name, revision, body) VALUES (:site, :kind, :name, :revision, :body)
ON CONFLICT (site, kind, name) DO UPDATE SET revision = excluded.revision, body = excluded.body;

-- name: documents_since(since)
SELECT revision, kind, site, name, body FROM documents WHERE revision > :since ORDER BY revision;

-- name: sites()
SELECT site FROM documents WHERE kind = 'site';
