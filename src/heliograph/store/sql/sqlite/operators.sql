-- name: opt_out_lock(site, recipient, scope)
-- The writer is alone: nothing to lock.
SELECT wanted, at FROM opt_outs WHERE site = :site AND recipient = :recipient AND scope = :scope;
