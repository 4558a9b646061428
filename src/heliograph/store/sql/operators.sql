-- What operators see and write.

-- name: opt_outs_of(site, recipient, hidden)
-- `hidden`: what the recipient's no stands under once he is erased.
SELECT scope FROM opt_outs WHERE site = :site AND recipient IN (:recipient, :hidden) AND wanted = 0;

-- name: opt_outs_said(site, recipient, hidden)
SELECT scope, at FROM opt_outs WHERE site = :site AND recipient IN (:recipient, :hidden) AND wanted = 0;

-- name: opt_out_put(site, recipient, scope, wanted, at, how, by_whom)!
INSERT INTO opt_outs (site, recipient, scope, wanted, at, since, how, by_whom)
VALUES (:site, :recipient, :scope, :wanted, :at, :at, :how, :by_whom)
ON CONFLICT (site, recipient, scope) DO UPDATE SET
    wanted = excluded.wanted, at = excluded.at, since = excluded.since, how = excluded.how, by_whom = excluded.by_whom
WHERE opt_outs.at <= excluded.at;

-- name: opt_out_again(site, recipient, scope, at)!
-- Said once more: the first one stays the proof, the last one decides.
UPDATE opt_outs SET at = :at WHERE site = :site AND recipient = :recipient AND scope = :scope AND at < :at;

-- name: opt_outs_list(site, recipient, hidden, scope, erased, from_recipient, from_scope, many)
-- In the order of the key, from the one after (from_recipient, from_scope) on.
SELECT recipient, scope, since, how, by_whom FROM opt_outs
WHERE site = :site AND (recipient, scope) > (:from_recipient, :from_scope) AND wanted = 0
  AND (:recipient = '' OR recipient IN (:recipient, :hidden)) AND (:erased = 0 OR recipient LIKE 'erased:%')
  AND (:scope = '' OR scope = :scope)
ORDER BY site, recipient, scope LIMIT :many;

-- name: doubt_put(site, attempt, alert, sender, since)!
INSERT INTO doubts (site, attempt, alert, sender, since) VALUES (:site, :attempt, :alert, :sender, :since)
ON CONFLICT DO NOTHING;

-- name: doubt_drop(site, attempt)!
DELETE FROM doubts WHERE site = :site AND attempt = :attempt;

-- name: doubts_purge(before)
DELETE FROM doubts WHERE since < :before RETURNING 1;

-- name: doubts_counted(many)
SELECT site, sender, COUNT(*) FROM (SELECT site, sender FROM doubts LIMIT :many) AS recent GROUP BY site, sender;

-- name: list_doubts(site, before, test, many)
SELECT id, site, created, recipient, template, language, state, reason, channel, external, test FROM alerts
WHERE site = :site AND id IN (SELECT alert FROM doubts WHERE site = :site) AND id < :before AND test >= :test
ORDER BY id DESC LIMIT :many;

-- name: due_leased(site, kind, ref, now)
SELECT 1 FROM due WHERE site = :site AND kind = :kind AND ref = :ref AND lease > :now;

-- name: unmatched_counted(before, many)
SELECT site, sender, COUNT(*) FROM (SELECT site, sender FROM early WHERE at <= :before LIMIT :many) AS recent
GROUP BY site, sender;

-- name: unmatched(before, many)
SELECT site, sender, channel, reference, at, body FROM early WHERE at <= :before ORDER BY at DESC LIMIT :many;

-- name: report_put(site, sender, node, at, body)!
INSERT INTO sender_reports (site, sender, node, at, body) VALUES (:site, :sender, :node, :at, :body)
ON CONFLICT (site, sender, node) DO UPDATE SET at = excluded.at, body = excluded.body;

-- name: reports_since(since)
SELECT body FROM sender_reports WHERE at >= :since ORDER BY site, sender, node;

-- name: reports_purge(before)
DELETE FROM sender_reports WHERE at < :before RETURNING 1;
