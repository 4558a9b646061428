-- Things that may be used once: the identity of a call, idempotency keys, and nonces (in a table of their own).

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
) RETURNING 1;

-- name: nonce_take(site, value, key, owner, until, now)
-- claim_take for a nonce, which nobody releases. One whose time is at or before the newest purged one is never granted:
-- it may be one of those, and the clock may have gone back.
INSERT INTO nonces (site, value, key, owner, until, grants)
SELECT CAST(:site AS TEXT), CAST(:value AS TEXT), CAST(:key AS TEXT), CAST(:owner AS TEXT), CAST(:until AS BIGINT), 1
WHERE NOT EXISTS (SELECT 1 FROM floors WHERE site = :site AND until >= CAST(:until AS BIGINT))
ON CONFLICT (site, value, key) DO UPDATE SET
    grants = nonces.grants + 1, owner = excluded.owner, until = excluded.until
WHERE nonces.owner = excluded.owner OR nonces.until <= :now
RETURNING '' AS former, grants;

-- name: nonce_read(site, value, key)
SELECT owner, value FROM nonces WHERE site = :site AND value = :value AND key = :key;

-- name: nonce_undo(site, value, key, owner)!
DELETE FROM nonces WHERE site = :site AND value = :value AND key = :key AND owner = :owner;

-- name: nonces_purge(now, many)
-- Of the oldest timestamps, those whose time is over: no index on `until` is needed.
DELETE FROM nonces WHERE (value, site, key) IN (
    SELECT value, site, key
    FROM (SELECT value, site, key, until FROM nonces WHERE value >= '' ORDER BY value LIMIT :many) AS oldest
    WHERE until <= :now
) RETURNING site, until;

-- name: floor_raise(site, until)!
INSERT INTO floors (site, until) VALUES (:site, :until)
ON CONFLICT (site) DO UPDATE SET until = excluded.until WHERE floors.until < excluded.until;

-- name: claim_forget(site, scope, key)!
-- Whoever has it: what was said by it is no longer so.
DELETE FROM claims WHERE site = :site AND scope = :scope AND key = :key;
