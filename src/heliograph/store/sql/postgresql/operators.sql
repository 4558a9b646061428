-- name: opt_out_lock(site, recipient, scope)
-- Locked, so that nobody says otherwise between this look and what is written for it.
SELECT wanted, at FROM opt_outs WHERE site = :site AND recipient = :recipient AND scope = :scope FOR UPDATE;
