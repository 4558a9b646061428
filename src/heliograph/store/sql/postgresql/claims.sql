-- Claims that nobody has, which is most of them.

-- name: claim_new(site, scope, key, owner, value, until, released)
INSERT INTO claims (site, scope, key, owner, value, until, released, former, grants)
VALUES (:site, :scope, :key, :owner, :value, :until, :released, '', 1)
ON CONFLICT DO NOTHING RETURNING 1;

-- name: nonce_new(site, value, key, owner, until)
INSERT INTO nonces (site, value, key, owner, until, grants)
SELECT CAST(:site AS TEXT), CAST(:value AS TEXT), CAST(:key AS TEXT), CAST(:owner AS TEXT), CAST(:until AS BIGINT), 1
WHERE NOT EXISTS (SELECT 1 FROM floors WHERE site = :site AND until >= CAST(:until AS BIGINT))
ON CONFLICT DO NOTHING RETURNING 1;
