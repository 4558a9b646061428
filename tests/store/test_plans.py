"""No statement of the store reads more as the data grows: SQLite's plans are searched for scans of whole tables."""

from __future__ import annotations

import re
import shutil
import sqlite3

from heliograph.store import statements

# Read whole on purpose: few rows (counters, sites, what is in doubt, a report for each sender and node), or once at a
# start (due_break).
WHOLE = {"due_break", "sites", "doubts_counted", "doubts_purge", "reports_since", "reports_purge", "users"}


def test_every_statement_walks_an_index(migrated, tmp_path):
    shutil.copy(migrated("sqlite"), tmp_path / "plans.db")
    file = sqlite3.connect(tmp_path / "plans.db")
    for name, text in statements.load("sqlite").items():
        count = len(set(re.findall(r"\?(\d+)", text)))
        plan = [row[3] for row in file.execute(f"EXPLAIN QUERY PLAN {text}", (0,) * count)]
        scans = [step for step in plan if step.startswith("SCAN") and "INDEX" not in step and "CONSTANT" not in step]
        scans = [
            step for step in scans if not step.startswith(("SCAN gone", "SCAN recent", "SCAN oldest", "SCAN (subquery"))
        ]
        sorts = [step for step in plan if "TEMP B-TREE FOR ORDER" in step]
        assert name in WHOLE or not scans, (name, plan)
        assert not sorts or name in {"alerts_to", "list_doubts"}, (name, plan)  # few rows are sorted
    file.close()
