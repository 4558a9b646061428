-- Claims that nobody has, which is most of them. Whether they were free is read from the count of changed rows.

-- name: claim_new(site, scope, key, owner, value, until, released)!
INSERT INTO claims (site, scope, key, owner, value, until, released, former, grants)
VALUES (:site, :scope, :key, :owner, :value, :until, :released, '', 1)
ON CONFLICT DO NOTHING;

-- name: nonce_new(site, value, key, owner, until)!
INSERT INTO nonces (site, value, key, owner, until, grants)
SELECT :site, :value, :key, :owner, :until, 1
WHERE NOT EXISTS (SELECT 1 FROM floors WHERE site = :site AND until >= :until)
ON CONFLICT DO NOTHING;
