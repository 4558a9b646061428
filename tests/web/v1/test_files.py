"""A file of a recipient by the native API: as its provider gives it, to keys that may read conversations."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.core.event import Attached, Inbound
from heliograph.core.ports import Fetched, Heard
from heliograph.core.site import Kind, Scope
from heliograph.errors import Fate, SendError
from heliograph.flow.receive import receive
from web.v1.test_keys import problem

WHO = "+12025550123"
BAG = Attached(reference="27", content_type="image/jpeg", name="bag.jpg")


@pytest.fixture
def sent(caller: Any, ask: Any) -> Any:
    """The recipient sends a file; where it is. `gives`: what the provider gives, or raises."""

    async def sends(gives: Fetched | SendError) -> str:
        means = caller.doors.means
        opened = next(iter(means.registry.all_senders()))
        said = Inbound(event=means.clock.new_id(), recipient=WHO, kind="file", attached=(BAG,))
        await receive(opened, Heard(events=(said,)), means)

        async def fetch(attached: Attached, deadline: float) -> Fetched:
            assert attached == BAG
            if isinstance(gives, SendError):
                raise gives
            return gives

        opened.provider.fetch = fetch
        (there,) = (await ask("GET", "/v1/conversations?recipient=%2B12025550123")).json["conversations"]
        return f"/v1/conversations/{there['id']}/turns/{there['turns']}/files/0"

    return sends


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("image/jpeg", "image/jpeg"),
        ("x/y\r\nset-cookie: a=b", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
async def test_it_comes_as_it_is_and_runs_nothing(ask: Any, sent: Any, told: str, shown: str) -> None:
    said = await ask("GET", await sent(Fetched(content_type=told, data=b"\xff\xd8\x00")))
    assert (said.status, said.body, said.headers["content-type"]) == (200, b"\xff\xd8\x00", shown)
    assert said.headers["content-disposition"] == "attachment"
    assert "sandbox" in said.headers["content-security-policy"]
    assert "set-cookie" not in said.headers


@pytest.mark.parametrize(("fate", "status"), [(Fate.PERMANENT, 404), (Fate.CONFIG, 404), (Fate.RETRY, 502)])
async def test_one_that_does_not_come_says_why(ask: Any, sent: Any, fate: Fate, status: int) -> None:
    path = await sent(SendError("Its provider says no.", code="file_gone", fate=fate))
    problem(await ask("GET", path), status, "file_gone")


async def test_who_may_not_read_the_conversation_gets_nothing(ask: Any, key_of: Any, sent: Any) -> None:
    path = await sent(Fetched(content_type="image/jpeg", data=b"x"))
    reads = await key_of(scopes=(Scope.CONVERSATIONS_READ,))
    assert (await ask("GET", path, bearer=reads)).status == 200
    problem(await ask("GET", path, bearer=await key_of()), 403, "scope_missing")
    for bearer in (await key_of("999", scopes=("admin",)), await key_of(scopes=("admin",), kind=Kind.TEST)):
        problem(await ask("GET", path, bearer=bearer), 404, "unknown_conversation")
    for other in (path[:-1] + "1", path[:-1] + "x", path.replace("/turns/1/", "/turns/2/")):
        problem(await ask("GET", other), 404, "no_file")
