-- Things that may be used once: nonces, the identity of a call, idempotency keys.

-- name: claim_take(site, scope, key, owner, value, until, now, released)
-- Gives a row back where the claim is ours. A released or expired one is taken over; `former` is the owner of a
-- released one. `grants` 1: it became ours in this statement; more: it was ours already.
INSERT INTO claims (site, scope, key, owner, value, until, released, former, grants)
VALUES (:site, :scope, :key, :owner, :value, :until, :released, '', 1)
ON CONFLICT (site, scope, key) DO UPDATE SET
    former = CASE WHEN claims.owner = excluded.owner THEN claims.former
                  WHEN claims.released = 1 THEN claims.owner ELSE '' END,
    grants = CASE WHEN claims.owner = excluded.owner THEN claims.grants + 1 ELSE 1 END,
    owner = excluded.owner, value = excluded.value, until = excluded.until,
    released = excluded.released
WHERE claims.owner = excluded.owner OR claims.released = 1 OR claims.until <= :now
RETURNING former, grants;

-- name: claim_nonce(site, scope, key, owner, value, until, now)
-- The same for a nonce. One whose time is at or before the newest purged one is never granted: it may be one of those,
-- and the clock may have gone back.
INSERT INTO claims (site, scope, key, owner, value, until, released, former, grants)
SELECT CAST(:site AS TEXT), CAST(:scope AS TEXT), CAST(:key AS TEXT), CAST(:owner AS TEXT), CAST(:value AS TEXT),
       CAST(:until AS BIGINT), 0, '', 1
WHERE NOT EXISTS (SELECT 1 FROM floors WHERE site = :site AND until >= CAST(:until AS BIGINT))
ON CONFLICT (site, scope, key) DO UPDATE SET
    grants = claims.grants + 1, owner = excluded.owner, value = excluded.value, until = excluded.until
WHERE claims.owner = excluded.owner OR claims.until <= :now
RETURNING former, grants;

-- name: claim_read(site, scope, key)
SELECT owner, value FROM claims WHERE site = :site AND scope = :scope AND key = :key;

-- name: claim_undo(site, scope, key, owner)!
DELETE FROM claims WHERE site = :site AND scope = :scope AND key = :key AND owner = :owner;

-- name: claim_restore(site, scope, key, owner)!
-- Gives a claim that was taken over back to its former, released owner.
UPDATE claims SET owner = former, former = '', released = 1
WHERE site = :site AND scope = :scope AND key = :key AND owner = :owner;

-- name: claim_keep(site, scope, key, owner, until)!
UPDATE claims SET until = :until WHERE site = :site AND scope = :scope AND key = :key AND owner = :owner;

-- name: claim_release(site, scope, key, owner)!
UPDATE claims SET released = 1 WHERE site = :site AND scope = :scope AND key = :key AND owner = :owner;

-- name: claims_purge(now, many)
DELETE FROM claims WHERE (site, scope, key) IN (
    SELECT site, scope, key FROM claims WHERE until <= :now ORDER BY until LIMIT :many
) RETURNING site, scope, until;

-- name: floor_raise(site, until)!
INSERT INTO floors (site, until) VALUES (:site, :until)
ON CONFLICT (site) DO UPDATE SET until = excluded.until WHERE floors.until < excluded.until;
