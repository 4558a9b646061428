"""Calls that no sane caller makes: the answer is a problem with a code, or the thing itself, and never a 500."""

from __future__ import annotations

import json
import random
from typing import Any
from urllib.parse import quote

from heliograph.web.v1.alerts import FILTERS

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1e400, 2**70, "", " ", "\0", "\ud800", "x" * 600, "+", "+1", "+12025550123", "é" * 10, "@",
    "{}", "\u202e", [], [[]], {}, {"": 1}, {"a": {"b": []}}, {"Time": None}, {"Time": "\0"}, {"@": "x"}, "1.5", 1.5,
    "en", "english", "flightdelay",
)  # fmt: skip


async def test_odd_values_never_break_a_call(caller: Any, ask: Any, alert: Any) -> None:
    seeded = random.Random(7)
    more = "country_code channel template_version time_to_live external_alert_id alert_info external_customer_id"
    names = [*alert, *more.split(), "external_customer_id_descriptor", "first_name", "last_name", "odd", ""]
    seen: dict[int, int] = {}
    for number in range(600):
        body = {**alert, "external_alert_id": f"n{number}"}
        for name in seeded.sample(names, seeded.randint(1, 4)):
            if seeded.random() < 0.2:
                body.pop(name, None)
            else:
                body[name] = seeded.choice(ODD)
        path = seeded.choice(("/v1/alerts", "/v1/alerts/explain"))
        said = await ask("POST", path, json.dumps(body).encode())
        assert said.status in (200, 202, 400, 422), (number, said.body)
        if said.status >= 400:
            assert said.json["code"] and said.json["detail"]
        seen[said.status] = seen.get(said.status, 0) + 1
    assert seen[400] > 200 and seen.get(202, 0) + seen.get(200, 0) > 20
    await caller.doors.means.settle()


async def test_odd_bytes_never_break_a_call(ask: Any) -> None:
    seeded = random.Random(8)
    whole = json.dumps({"recipient": "+12025550123", "template": "flightdelay", "variables": {"Time": "é"}}).encode()
    for _ in range(300):
        spoilt = bytearray(whole)
        for _ in range(seeded.randint(1, 6)):
            at = seeded.randrange(len(spoilt))
            spoilt[at : at + seeded.randint(0, 3)] = bytes(seeded.randrange(256) for _ in range(seeded.randint(0, 3)))
        said = await ask("POST", "/v1/alerts", bytes(spoilt), Idempotency_Key=seeded.choice(("k", "é", " ", "x" * 300)))
        assert said.status in (202, 400, 422), said.body


async def test_odd_queries_and_headers_never_break_a_call(ask: Any) -> None:
    seeded = random.Random(9)
    for _ in range(300):
        pairs = [
            f"{seeded.choice((*FILTERS, 'x', ''))}={quote(str(seeded.choice(ODD)), errors='surrogatepass')}"
            for _ in range(seeded.randint(0, 4))
        ]
        said = await ask(
            "GET", "/v1/alerts?" + "&".join(pairs), Prefer=seeded.choice(("wait", "wait=", "wait=999999999"))
        )
        assert said.status in (200, 400), said.body
        said = await ask("GET", f"/v1/alerts/{quote(str(seeded.choice(ODD)), safe='', errors='surrogatepass')}")
        assert said.status == 404 or said.status == 200, said.body
