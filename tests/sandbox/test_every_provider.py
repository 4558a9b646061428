"""All providers that are installed, on one stage: each takes a message and tells of it; one story over all, twice."""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from heliograph.sandbox import Pace
from heliograph.stage import SITE, Stage, set_stage
from sandbox.conftest import Caller

PHONE = "+12025550110"
BY_HTTP = ("google-rbm", "whatsapp-cloud", "twilio")
IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|wamid\.[\w=+/-]+|\b[SM]M[0-9a-f]{32}|\b[0-9a-f]{32}\b")

STORY = """
seed = 3
[[rule]]
do = "error"
times = 2
[[rule]]
do = "double_receipts"
share = 0.5
[[act]]
on = { kind = "callback", detail = "delivered", every = true }
do = "say"
with = { text = "Thanks" }
"""


class Everyone:
    """Sends by each provider as its own documentation says, without any adapter."""

    def __init__(self, stage: Stage, http: aiohttp.ClientSession, hook: str) -> None:
        self.stage = stage
        self.http = http
        self.hook = hook
        self.by = {played.role.provider: played for played in stage.cast if played.role.site == SITE}
        self.url = stage.sandbox.url

    async def begin(self) -> None:
        key_file = json.loads(Path(self.by["google-rbm"].variables["ACME_RBM_KEY_FILE"]).read_text())
        self.google = Caller(self.http, self.stage.sandbox, key_file)
        await self.google.log_in()

    async def send(self, provider: str, number: str, message: str) -> int:
        known = self.by[provider].known
        match provider:
            case "google-rbm":
                status, _ = await self.google.create(number, message)
                return status
            case "whatsapp-cloud":
                values = [{"type": "text", "text": text} for text in ("Chicago", "7:35 pm", "C35")]
                body = {
                    "messaging_product": "whatsapp",
                    "to": number,
                    "type": "template",
                    "template": {
                        "name": "flight_delay",
                        "language": {"code": "en_US"},
                        "components": [{"type": "body", "parameters": values}],
                    },
                    "biz_opaque_callback_data": message,
                }
                headers = {"authorization": f"Bearer {known.credentials['access_token']}"}
                address = f"{self.url}/v23.0/{known.id}/messages"
                async with self.http.post(address, json=body, headers=headers) as answer:
                    return answer.status
            case _:
                account, token = known.credentials["account_sid"], known.credentials["auth_token"]
                form = {"To": number, "From": known.id, "Body": "Late", "StatusCallback": f"{self.hook}/{message}"}
                address = f"{self.url}/2010-04-01/Accounts/{account}/Messages.json"
                headers = {"authorization": f"Basic {b64encode(f'{account}:{token}'.encode()).decode()}"}
                async with self.http.post(address, data=form, headers=headers) as answer:
                    return answer.status

    async def own(self, method: str, path: str, body: str | None = None) -> Any:
        async with self.http.request(method, f"{self.url}/sandbox/{path}", data=body) as answer:
            return await answer.json()


@pytest.fixture
async def everyone(tmp_path: Path) -> AsyncIterator[Everyone]:
    async def take(request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_post("/{tail:.*}", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook = "http://{}:{}".format(*runner.addresses[0][:2])
    pace = Pace(delivered=0.02, read=0.03)
    stage = await set_stage(tmp_path, host="127.0.0.1", port=0, webhook=lambda role: f"{hook}/in", pace=pace)
    async with aiohttp.ClientSession() as http:
        one = Everyone(stage, http, hook)
        await one.begin()
        yield one
    await stage.sandbox.stop()
    await runner.cleanup()


async def test_each_takes_a_message_shows_it_and_tells_of_it(everyone: Everyone) -> None:
    installed = [name for name in BY_HTTP if name in everyone.by]
    for provider in installed:
        assert await everyone.send(provider, PHONE, f"to-{provider}") in (200, 201), provider
    assert await everyone.own("GET", "idle?timeout=10") == {"idle": True}
    phone = await everyone.own("GET", f"handsets/{PHONE}")
    assert [bubble["provider"] for bubble in phone["messages"]] == installed
    assert all(bubble["content"]["type"] for bubble in phone["messages"])
    log = (await everyone.own("GET", "log"))["entries"]
    told = {line["sender"] for line in log if line["kind"] == "callback" and line["detail"] == "delivered"}
    assert told == {everyone.by[provider].known.id for provider in installed}


def normal(entries: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    names: dict[str, str] = {}

    def plain(text: str) -> str:
        return IDS.sub(lambda found: names.setdefault(found[0], f"id{len(names)}"), text)

    return [
        tuple(plain(str(line.get(field, ""))) for field in ("kind", "number", "sender", "message", "detail"))
        for line in entries
    ]


async def test_one_story_over_all_of_them_gives_the_same_log_twice(everyone: Everyone) -> None:
    logs = []
    for _ in range(2):
        since = (await everyone.own("GET", "log"))["next"]
        await everyone.own("POST", "scenario", STORY)
        for n in range(12):
            provider = BY_HTTP[n % 3]
            if provider in everyone.by:
                await everyone.send(provider, f"+1202555011{n % 2}", f"m{n}")
                # At rest before the next call: how quick a caller is, is no part of the story.
                assert await everyone.own("GET", "idle?timeout=10") == {"idle": True}
        logs.append(normal((await everyone.own("GET", f"log?since={since}"))["entries"]))
    assert logs[0] == logs[1]
    assert {"misbehaviour", "taken", "delivered", "callback", "said"} <= {line[0] for line in logs[0]}


async def test_a_line_of_its_own_is_open(everyone: Everyone) -> None:
    for provider, line in everyone.stage.sandbox.world.lines.items():
        _, writer = await asyncio.open_connection("127.0.0.1", line.port)
        writer.close()
        await writer.wait_closed()
        assert provider in everyone.by
