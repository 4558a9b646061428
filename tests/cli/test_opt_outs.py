"""`heliograph opt-outs`: one at a time and by file, safe to repeat, wrong rows told by their line, no number shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SITE = "25508804"
ONE, TWO = "+12025550100", "+12025550101"


def test_add_list_remove(applied) -> None:
    assert "has opted out of everything" in applied("opt-outs", "add", ONE, "--by", "ann").out
    assert "already" in applied("opt-outs", "add", ONE, "--by", "bob").out
    (row,) = applied("opt-outs", "list", "--json").data
    assert (row["site"], row["scope"], row["how"], row["by"]) == (SITE, "all", "cli", "ann")
    assert row["recipient"] == "+1••••••0100" and row["at"].endswith("Z")
    assert applied("opt-outs", "list", "--full", "--json").data[0]["recipient"] == ONE
    assert applied("opt-outs", "remove", ONE).code == 0
    assert applied("opt-outs", "list", "--json").data == []


def test_what_is_still_in_force_is_told(applied) -> None:
    applied("opt-outs", "add", ONE)
    told = applied("opt-outs", "remove", ONE, "--scope", "wa").out
    assert "has no opt-out of wa" in told and "Still in force: all." in told
    told = applied("opt-outs", "remove", ONE).out
    assert "any more" in told and "in force" not in told


@pytest.mark.parametrize(
    ("scope", "kept"), [("WhatsApp", "wa"), ("rcs", "rcs"), ("skill:service", "skill:service"), ("All", "all")]
)
def test_scopes(applied, scope: str, kept: str) -> None:
    assert applied("opt-outs", "add", ONE, "--scope", scope, "--json").data["scope"] == kept


def test_lists_are_filtered(applied) -> None:
    applied("opt-outs", "add", ONE, "--scope", "wa")
    applied("opt-outs", "add", TWO)
    assert len(applied("opt-outs", "list", "--recipient", "+1 (202) 555-0100", "--json").data) == 1
    assert [row["scope"] for row in applied("opt-outs", "list", "--scope", "whatsapp", "--json").data] == ["wa"]
    assert applied("opt-outs", "list", "--recipient", "12").code == 2
    assert applied("opt-outs", "list", "--scope", "fax").code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((ONE, "--scope", "fax"), "The scope 'fax' is none; write all, a channel"),
        ((ONE, "--scope", "skill:sales"), "The site has no skill 'sales'; it has service"),
        (("2025550100",), "write it with a plus"),
        ((ONE, "--site", "1"), "There is no site 1"),
    ],
)
def test_what_is_wrong_is_told_without_the_number(applied, words, said: str) -> None:
    ran = applied("opt-outs", "add", *words)
    assert ran.code == 2 and said in ran.err.replace("\n", " ")
    assert "2025550100" not in ran.err


def csv(tmp_path: Path, text: str, at: int = 1_700_000_000) -> Path:
    path = tmp_path / "list.csv"
    path.write_text(text)
    os.utime(path, (at, at))
    return path


def test_the_same_file_again_changes_nothing_and_undoes_no_later_word(applied, tmp_path: Path) -> None:
    path = csv(tmp_path, f"recipient,scope\n{ONE},all\n{TWO},wa\n")
    first = applied("opt-outs", "import", path, "--json").data
    assert (first["rows"], first["changed"], first["faults"]) == (2, 2, [])
    again = applied("opt-outs", "import", path, "--json").data
    assert (again["changed"], again["unchanged"]) == (0, 2)
    applied("opt-outs", "remove", ONE)
    third = applied("opt-outs", "import", path, "--json").data
    assert (third["changed"], third["unchanged"], third["newer"]) == (0, 1, 1)
    assert "the recipient said otherwise later" in applied("opt-outs", "import", path).out


def test_wrong_rows_are_told_by_line_and_stop_no_other(applied, tmp_path: Path) -> None:
    path = csv(tmp_path, f'Scope;Recipient\n"all";{ONE}\n\nall;12\nfax;{TWO}\nall;{TWO}\n')
    ran = applied("opt-outs", "import", path, "--json")
    assert ran.code == 1
    assert [fault["line"] for fault in ran.data["faults"]] == [4, 5]
    assert ran.data["changed"] == 2
    shown = applied("opt-outs", "import", path)
    assert shown.code == 1 and "line 4: " in shown.out and "0 written, 2 were there already, 2 wrong" in shown.out


def test_a_plain_list_of_numbers(applied, tmp_path: Path) -> None:
    done = applied("opt-outs", "import", csv(tmp_path, f"{ONE}\n{TWO}\n"), "--json").data
    assert (done["rows"], done["changed"]) == (2, 2)


def test_a_dry_run_writes_nothing(applied, tmp_path: Path) -> None:
    ran = applied("opt-outs", "import", csv(tmp_path, f"recipient\n{ONE}\nx\n"), "--dry-run")
    assert ran.code == 1 and "Nothing was written" in ran.out
    assert applied("opt-outs", "list", "--json").data == []


def test_times(applied, tmp_path: Path) -> None:
    path = csv(tmp_path, f"recipient,at\n{ONE},2025-03-01T10:00:00+02:00\n{TWO},2199-01-01\n")
    ran = applied("opt-outs", "import", path, "--json")
    assert "future" in ran.data["faults"][0]["sentence"]
    assert applied("opt-outs", "list", "--json").data[0]["at"] == "2025-03-01T08:00:00Z"


def test_an_export_is_an_import_and_keeps_the_proof(applied, tmp_path: Path, monkeypatch) -> None:
    applied("opt-outs", "add", ONE, "--by", "ann")
    applied("opt-outs", "add", TWO, "--scope", "sms", "--by", "bob")
    out = tmp_path / "out.csv"
    assert applied("opt-outs", "export", out, "--json").data["rows"] == 2
    assert out.stat().st_mode & 0o777 == 0o600
    assert applied("opt-outs", "export", out).code == 1  # overwrites nothing
    before = applied("opt-outs", "list", "--json").data
    monkeypatch.setenv("HELIOGRAPH_DATABASE_URL", f"sqlite:///{tmp_path}/b.db")
    applied("apply", Path(__file__).parents[2] / "examples" / "acme-air")
    assert applied("opt-outs", "import", out, "--json").data["changed"] == 2
    assert applied("opt-outs", "list", "--json").data == before
    assert applied("opt-outs", "export").out == out.read_text()


def test_many_rows_are_written_in_bites(applied, tmp_path: Path) -> None:
    rows = "".join(f"+1202{n:07}\n" for n in range(2_000_000, 2_001_750))
    done = applied("opt-outs", "import", csv(tmp_path, "recipient\n" + rows), "--json").data
    assert (done["rows"], done["changed"]) == (1750, 1750)
    assert applied("opt-outs", "export").out.count("\n") == 1751


def test_a_spreadsheet_runs_nothing_of_an_export(applied, tmp_path: Path) -> None:
    applied("opt-outs", "import", csv(tmp_path, f'recipient,by\n{ONE},"=HYPERLINK(1)"\n'))
    [line] = applied("opt-outs", "export").out.splitlines()[1:]
    assert line.startswith(f"25508804,{ONE},all,") and line.endswith(",'=HYPERLINK(1)")


@pytest.mark.parametrize(("text", "code"), [("name,phone\nx,1\n", "no_recipient_column"), ("", "no_recipient_column")])
def test_files_that_are_none(applied, tmp_path: Path, text: str, code: str) -> None:
    ran = applied("opt-outs", "import", csv(tmp_path, text), "--json")
    assert ran.code == 1 and code in ran.err


def test_a_file_that_is_not_there(applied) -> None:
    ran = applied("opt-outs", "import", "nowhere.csv")
    assert ran.code == 1 and "nowhere.csv cannot be read" in ran.err
