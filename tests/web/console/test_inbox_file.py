"""Files of recipients in the inbox: through this server, harmless, and to nobody who may not see the conversation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from heliograph.core.event import Attached
from heliograph.core.ports import Fetched
from heliograph.errors import Fate, SendError
from web.conftest import Caller, change_site
from web.console.conftest import Browser
from web.console.desk import Phone, place

At = Callable[[str], Awaitable[Browser]]
PICTURE = Attached(reference="27", content_type="image/jpeg", name='bag"<é>.jpg')
PAPER = Attached(reference="28", content_type="text/html", name="ticket.html")


@pytest.fixture
async def phone(people: Caller, example: dict[str, Any]) -> Phone:
    await change_site(people, skills=("service", "sales"))
    made = Phone(people)
    await made.gets(example)
    return made


def keeps(caller: Caller, **files: Fetched | SendError) -> list[str]:
    """The provider has these files, by reference; what it was asked for."""
    asked: list[str] = []

    async def fetch(attached: Attached, deadline: float) -> Fetched:
        asked.append(attached.reference)
        got = files[f"of_{attached.reference}"]
        if isinstance(got, SendError):
            raise got
        return got

    caller.line.fetch = fetch  # type: ignore[attr-defined]
    return asked


async def test_a_picture_is_shown_and_anything_else_only_saved(phone: Phone, at: At) -> None:
    there = await phone.says("My bag", kind="file", attached=(PICTURE, PAPER))
    html = Fetched(content_type="text/html", data=b"<script>alert(1)</script>")
    asked = keeps(phone.caller, of_27=Fetched(content_type="image/jpeg", data=b"JPEG"), of_28=html)
    bob = await at("bob")
    await bob.get(place(there))
    assert asked == [], "nothing is fetched before somebody looks"
    assert f'<img src="{place(there)}/files/1/0"' in bob.page
    assert f'href="{place(there)}/files/1/1"' in bob.page
    assert f'<img src="{place(there)}/files/1/1"' not in bob.page
    said = await bob.get(f"{place(there)}/files/1/0")
    assert (said.status, said.body, said.headers["content-type"]) == (200, b"JPEG", "image/jpeg")
    assert said.headers["content-disposition"] == "inline; filename*=UTF-8''bag%22%3C%C3%A9%3E.jpg"
    said = await bob.get(f"{place(there)}/files/1/1")
    assert (said.status, said.body, said.headers["content-type"]) == (200, html.data, "application/octet-stream")
    assert said.headers["content-disposition"] == "attachment; filename*=UTF-8''ticket.html"
    for name, value in (("x-content-type-options", "nosniff"), ("cache-control", "private, max-age=3600")):
        assert said.headers[name] == value
    assert "sandbox" in said.headers["content-security-policy"]
    assert asked == ["27", "28"]


@pytest.mark.parametrize(
    ("code", "fate", "status"),
    [("file_gone", Fate.PERMANENT, 404), ("credentials_refused", Fate.CONFIG, 404), ("file_away", Fate.RETRY, 502)],
)
async def test_a_file_that_does_not_come_says_why(phone: Phone, at: At, code: str, fate: Fate, status: int) -> None:
    there = await phone.says("", kind="file", attached=(PICTURE,))
    keeps(phone.caller, of_27=SendError("It is not there any more.", code=code, fate=fate))
    bob = await at("bob")
    said = await bob.get(f"{place(there)}/files/1/0")
    assert said.status == status
    assert "It is not there any more." in bob.page


async def test_what_is_no_file_of_a_conversation_that_one_sees_is_not_there(phone: Phone, at: At) -> None:
    there = await phone.says("", kind="file", attached=(PICTURE,))
    asked = keeps(phone.caller)
    bob = await at("bob")
    for path in ("1/1", "2/0", "0/0", "1/-1", "1/x", "99999/0"):
        assert (await bob.get(f"{place(there)}/files/{path}")).status == 404, path
    assert (await (await at("vic")).get(f"{place(there)}/files/1/0")).status == 403
    assert (await (await at("amy")).get(f"/console/inbox/999/{there.id}/files/1/0")).status == 404
    del phone.caller.line.fetch  # type: ignore[attr-defined]
    assert (await bob.get(f"{place(there)}/files/1/0")).status == 404
    assert "has no files" in bob.page
    assert asked == []


async def test_a_name_that_turns_the_writing_around_shows_its_true_end(phone: Phone, at: At) -> None:
    trick = Attached(reference="27", content_type="application/pdf", name="ticket\u202efdp.exe")
    endless = Attached(reference="28", content_type="application/pdf", name="x" * 70_000 + ".exe")
    there = await phone.says("", kind="file", attached=(trick, endless))
    got = Fetched(content_type="application/pdf", data=b"MZ")
    keeps(phone.caller, of_27=got, of_28=got)
    bob = await at("bob")
    await bob.get(place(there))
    assert "<bdi>ticketfdp.exe</bdi>" in bob.page and "\u202e" not in bob.page
    assert "x" * 200 not in bob.page and "xxx.exe</bdi>" in bob.page
    said = await bob.get(f"{place(there)}/files/1/0")
    assert said.headers["content-disposition"] == "attachment; filename*=UTF-8''ticketfdp.exe"
    said = await bob.get(f"{place(there)}/files/1/1")
    assert len(said.headers["content-disposition"]) < 200 and said.headers["content-disposition"].endswith("xxx.exe")
