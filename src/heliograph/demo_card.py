"""The first scenes of the demo's story: the documented answer, the card on the handset, the record."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

from heliograph.rehearsal import Scene

PATIENCE = 10.0  # seconds until the handset shows the card and the record says delivered
TITLE = "Tap to Select Desired Action"
REPLIES = [("See Menu of Functions", "postback_data_Menu"), ("Learn More", "postback_data_LearnMore")]
SAYS = ("7:35 pm", "Kansas City", "C35")
States = Callable[[], Awaitable[list[str]]]


async def scenes(status: int | None, answer: Any, *, number: str, sandbox_url: str, states: States) -> list[Scene]:
    """What became of the documented call. `states`: of the alerts in the record."""
    fault = _answer(status, answer, number)
    loop = asyncio.get_running_loop()
    end = loop.time() + (0 if fault else PATIENCE)
    while True:
        handset, record = await _handset(sandbox_url, number), _record(await states())
        if not (handset or record) or loop.time() >= end:
            break
        await asyncio.sleep(0.1)
    return [
        Scene(name="answer", says="the documented answer, field for field", fault=fault),
        Scene(name="handset", says="the card is on the phone", fault=handset),
        Scene(name="record", says="the record says that it was delivered", fault=record),
    ]


def _answer(status: int | None, answer: Any, number: str) -> str:
    card = _dig(answer, "response", "contentMessage", "richCard", "standaloneCard")
    body = _dig(card, "cardContent")
    replies = [(_dig(s, "reply", "text"), _dig(s, "reply", "postbackData")) for s in _dig(body, "suggestions") or []]
    if status != 200 or _dig(answer, "success") is not True:
        return f"status {status}, success {_dig(answer, 'success')!r}; 200 and true are right"
    right = (
        str(_dig(answer, "response", "name")).startswith(f"phones/{number}/agentMessages/")
        and (_dig(card, "cardOrientation"), _dig(card, "thumbnailImageAlignment")) == ("VERTICAL", "RIGHT")
        and (_dig(body, "title"), _dig(body, "media", "height")) == (TITLE, "TALL")
        and str(_dig(body, "media", "fileName")).startswith("files/")
        and replies == REPLIES
    )
    return "" if right else "response is not the documented card"


async def _handset(sandbox_url: str, number: str) -> str:
    phone = await asyncio.to_thread(_get, f"{sandbox_url}/sandbox/handsets/{quote(number, safe='')}")
    messages = phone.get("messages", [])
    if len(messages) != 1:
        return f"{len(messages)} messages; one is right"
    card = _dig(messages[0], "content", "card")
    replies = [(_dig(s, "text"), _dig(s, "postback")) for s in _dig(card, "suggestions") or []]
    says = all(word in str(_dig(card, "description")) for word in SAYS)
    return (
        "" if says and _dig(card, "title") == TITLE and replies == REPLIES else "the card is not the one that was sent"
    )


def _record(states: list[str]) -> str:
    if states in (["delivered"], ["read"]):
        return ""
    return f"the record says {', '.join(states) or 'nothing'}; one alert, delivered, is right"


def _get(url: str) -> dict[str, Any]:
    with urlopen(url, timeout=5) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def _dig(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
