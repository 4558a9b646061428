"""`heliograph erase`: says what is there, asks, removes it; the no holds; the secret key may be rotated meanwhile."""

from __future__ import annotations

import io
from pathlib import Path

SITE = "25508804"
ONE, TWO = "+12025550100", "+12025550101"
FORMER, NEWER = "former-secret-key-of-the-test", "newer-secret-key-of-the-test"


def test_erased_people_stay_opted_out(applied, tmp_path):
    applied("opt-outs", "add", ONE, "--by", "ann")
    applied("opt-outs", "add", TWO)
    dry = applied("erase", ONE, "--dry-run", "--json").data
    assert dry == [
        {"site": SITE, "erased": False, "alerts": 0, "conversations": 0, "replies": 0, "capabilities": 0, "receipts": 0,
         "opt_outs": 1}
    ]  # fmt: skip
    assert applied("opt-outs", "list", "--erased", "--json").data == []
    assert "1 opt-out is kept as a keyed hash" in applied("erase", ONE, "--yes").out
    (row,) = applied("opt-outs", "list", "--erased", "--full", "--json").data
    assert row["recipient"].startswith("erased:") and row["by"] == "ann"
    (row,) = applied("opt-outs", "list", "--recipient", ONE, "--json").data
    assert row["recipient"].startswith("erased ") and ONE not in str(row)
    assert "already" in applied("opt-outs", "add", ONE).out
    assert len(applied("opt-outs", "list", "--json").data) == 2

    out = tmp_path / "all.csv"
    applied("opt-outs", "export", out)
    assert ONE not in out.read_text() and "erased:" in out.read_text()
    assert applied("opt-outs", "import", out, "--json").data == {
        "dry_run": False,
        "rows": 2,
        "changed": 0,
        "unchanged": 2,
        "newer": 0,
        "faults": [],
    }
    assert applied("opt-outs", "remove", ONE).code == 0
    assert applied("opt-outs", "list", "--erased", "--json").data == []
    assert applied("opt-outs", "import", out, "--json").data["newer"] == 1, "the file is older than the yes"


def test_it_asks_first(applied, monkeypatch):
    applied("opt-outs", "add", ONE)
    ran = applied("erase", ONE)
    assert ran.code == 1 and "--yes" in ran.err

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stdin", Terminal("no\n"))
    assert applied("erase", ONE).code == 1
    assert applied("opt-outs", "list", "--erased", "--json").data == []
    monkeypatch.setattr("sys.stdin", Terminal("yes\n"))
    assert applied("erase", ONE).code == 0
    assert len(applied("opt-outs", "list", "--erased", "--json").data) == 1


def test_somebody_nobody_knows_and_faults(applied):
    assert "Nothing is known of +1••••••0100." in applied("erase", ONE, "--yes").out
    assert applied("erase", "12", "--yes").code == 2
    assert applied("erase", ONE, "--site", "99", "--yes").code == 2


def test_a_rotated_secret_key_finds_them_again(applied, monkeypatch):
    """The secret key beside the database is the first one."""
    applied("opt-outs", "add", ONE)
    applied("erase", ONE, "--yes")
    former = Path("a.db.secret-key").read_text().strip()
    monkeypatch.setenv("HELIOGRAPH_SECRET_KEY", f"{NEWER},{former}")
    assert applied("keys", "reseal", "--json").data["resealed"] >= 1
    monkeypatch.setenv("HELIOGRAPH_SECRET_KEY", NEWER)
    assert "already" in applied("opt-outs", "add", ONE).out
    assert "opens all" in applied("doctor", "--json").out
    monkeypatch.setenv("HELIOGRAPH_SECRET_KEY", FORMER)
    ran = applied("opt-outs", "add", ONE)
    assert ran.code == 1 and "cannot be opened" in ran.err, "without the key nobody would be found"


def test_no_number_is_shown(applied):
    applied("opt-outs", "add", ONE)
    told = applied("erase", ONE, "--yes")
    assert "5550100" not in told.out + told.err
