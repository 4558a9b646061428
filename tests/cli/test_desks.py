"""A site's desk as the command line sees it: what the doctor says of one, and where it is called back."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import EXAMPLE

CHATWOOT = """
[desk]
kind = "chatwoot"

[desk.settings]
account_id = 1
inbox_id = 7
api_access_token = "t0ken"
webhook_secret = "${CHATWOOT_SECRET:-}"
"""


@pytest.fixture
def with_desk(heliograph: Callable[..., Any], tmp_path: Path) -> Callable[[str], Any]:
    """Applies the example with these lines at its end."""

    def apply(lines: str) -> Any:
        place = tmp_path / "site"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(EXAMPLE, place)
        with open(place / "site.toml", "a") as file:
            file.write(lines)
        return heliograph("apply", place)

    return apply


def finding(heliograph: Callable[..., Any], *words: str) -> tuple[str, str]:
    told = heliograph("doctor", "--json", *words).data["findings"]
    return next((one["state"], one["found"]) for one in told if one["check"] == "desk of 25508804")


def test_the_doctor_says_what_an_agents_desk_lacks(heliograph, with_desk, monkeypatch):
    public = ("--public-url", "https://alerts.acme.example")
    assert with_desk(CHATWOOT).code == 0
    state, found = finding(heliograph)
    assert state == "warning" and "no word of an agent is believed" in found and "public address is not set" in found
    monkeypatch.setenv("CHATWOOT_SECRET", "s3cret")
    assert with_desk(CHATWOOT).code == 0
    assert finding(heliograph, *public) == ("ok", "chatwoot")
    assert "public address" in finding(heliograph)[1]
    assert "s3cret" not in heliograph("doctor").out


def test_the_console_needs_no_look(heliograph, with_desk):
    assert with_desk("").code == 0
    assert not any("desk" in one["check"] for one in heliograph("doctor", "--json").data["findings"])


def test_the_doctor_goes_on_where_secrets_stay_shut(heliograph, with_desk, tmp_path):
    assert with_desk(CHATWOOT).code == 0
    (tmp_path / "a.db.secret-key").unlink()
    assert finding(heliograph)[0] == "warning"
    assert "stay shut" in finding(heliograph)[1]


def test_a_desk_is_listed_with_the_address_of_its_callbacks(heliograph, with_desk):
    assert with_desk(CHATWOOT).code == 0
    (told,) = heliograph("desks", "--json", "--public-url", "https://alerts.acme.example").data
    assert told == {
        "site": "25508804",
        "desk": "chatwoot",
        "callbacks": "https://alerts.acme.example/callbacks/desk/chatwoot/25508804",
        "waiting": 0,
        "why": "",
    }


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (CHATWOOT.replace("inbox_id = 7", "inbox_id = 0"), "inbox_id"),
        (CHATWOOT.replace("inbox_id = 7\n", ""), "inbox_id"),
        (CHATWOOT.replace("chatwoot", "chatwot"), "chatwoot"),
        ('\n[desk]\nkind = "webhook"\n[desk.settings]\nurl = "desk.example"\nsecret = "x"\n', "https://"),
        (
            '\n[desk]\nkind = "webhook"\n[desk.settings]\nurl = "https://desk.example"\nsecret = "x"\n',
            "secret: A secret is",
        ),
        ("\n[desk]\n[desk.settings]\n", "A desk needs kind."),
        ('\n[desk]\nkind = "console"\n[desk.settings]\nurl = "x"\n', "It has nothing to set."),
    ],
)
def test_a_desk_that_is_set_wrong_is_not_applied(heliograph, with_desk, lines, words):
    refused = with_desk(lines)
    assert refused.code != 0
    assert words in refused.err + refused.out


def test_a_site_that_is_not_there_is_told(heliograph, with_desk):
    assert with_desk("").code == 0
    for words in (("desks", "--site", "9"), ("conversations", "list", "9"), ("conversations", "show", "9", "x")):
        said = heliograph(*words)
        assert said.code == 2 and "There is no site 9. There is: 25508804." in said.err
    assert "No open conversations here." in heliograph("conversations", "list", "25508804").out
