-- What is to be done, and when. `wake` = the later of `at` and `lease`.

-- name: due_new(site, kind, ref, at, lease, wake, tries, lane)!
-- Of an alert that is being accepted: nobody can have written it before.
INSERT INTO due (site, kind, ref, at, lease, wake, tries, node, again, lane)
VALUES (:site, :kind, :ref, :at, :lease, :wake, :tries, '', 0, :lane) ON CONFLICT DO NOTHING;

-- name: due_put(site, kind, ref, at, lease, wake, tries, lane)!
-- Re-dates a row. One that was asked for anew in the meantime (`again`) stays due when that was.
INSERT INTO due (site, kind, ref, at, lease, wake, tries, node, again, lane)
VALUES (:site, :kind, :ref, :at, :lease, :wake, :tries, '', 0, :lane)
ON CONFLICT (site, kind, ref) DO UPDATE SET
    at = CASE WHEN due.again = 1 THEN due.at ELSE excluded.at END,
    wake = CASE WHEN due.again = 1 THEN due.at ELSE excluded.wake END,
    lease = CASE WHEN due.again = 1 THEN 0 ELSE excluded.lease END,
    tries = excluded.tries, node = '', again = 0;

-- name: due_drop(site, kind, ref)!
DELETE FROM due WHERE site = :site AND kind = :kind AND ref = :ref;

-- name: due_hasten(site, kind, ref, now, lane)!
-- It is due now. Whoever holds the lease keeps it; when that one says it has finished, it is due once more.
INSERT INTO due (site, kind, ref, at, lease, wake, tries, node, again, lane)
VALUES (:site, :kind, :ref, :now, 0, :now, 0, '', 1, :lane)
ON CONFLICT (site, kind, ref) DO UPDATE SET
    at = excluded.at, again = 1,
    wake = CASE WHEN due.lease > excluded.at THEN due.lease ELSE excluded.at END;

-- name: due_finish(site, kind, ref)
DELETE FROM due WHERE site = :site AND kind = :kind AND ref = :ref AND again = 0 RETURNING 1;

-- name: due_again(site, kind, ref)!
UPDATE due SET again = 0, lease = 0, wake = at, node = '' WHERE site = :site AND kind = :kind AND ref = :ref;

-- name: due_next(lane)
SELECT MIN(wake) FROM due WHERE lane = :lane;

-- name: due_break()!
UPDATE due SET lease = 0, wake = at, node = '' WHERE lease > 0;
