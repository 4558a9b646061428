-- name: due_claim(now, lease, node, many, lane)
UPDATE due SET lease = :lease, wake = :lease, node = :node, again = 0
WHERE (site, kind, ref) IN (SELECT site, kind, ref FROM due WHERE lane = :lane AND wake <= :now ORDER BY wake LIMIT :many)
RETURNING site, kind, ref, at, lease, tries;
