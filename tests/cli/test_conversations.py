"""`heliograph conversations` and `heliograph desks`: what was said, whose it is, what waits; numbers are masked."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

import heliograph.store
from heliograph.core.conversation import By, Turn
from heliograph.core.desk import SiteDesk
from heliograph.core.event import Inbound
from heliograph.core.ports import DeskTaken, Due
from heliograph.core.site import Site

NUMBER = "+12025550123"
DOWN = "The desk does not answer."


async def _kept(url: str, desk: str) -> str:
    store = await heliograph.store.open(url, migrate=True)
    now = time.time_ns() // 1_000_000
    try:
        await store.put_site(Site(id="1", default_skill="service"))
        if desk:
            await store.put_desk(SiteDesk(site="1", desk=desk))
        said = Inbound(event="e", recipient=NUMBER, kind="text", text="Where is\x1b[31m my bag?")
        (place,) = await store.hear("1", "rcs", "acme", (said,), now)
        if desk:
            waits = DeskTaken(site="1", conversation=place.conversation, handed=0, reference="", trouble=DOWN)
            await store.handed(waits, now)
            await store.push_due(Due(site="1", kind="desk", ref=place.conversation, at=now, tries=1))
        else:
            turn = Turn(conversation=place.conversation, site="1", number=0, at=now, by=By.AGENT, text="We look.")
            await store.say(turn, agent="ann", now=now)
        return place.conversation
    finally:
        await store.close()


@pytest.fixture
def kept(heliograph: Any, tmp_path: Path) -> Any:
    return lambda desk="": asyncio.run(_kept(f"sqlite:///{tmp_path}/a.db", desk))


def test_what_was_said_is_listed_and_told(heliograph, kept):
    id = kept()
    listed = heliograph("conversations", "list", "1")
    assert listed.code == 0 and id in listed.out and "ann" in listed.out and NUMBER not in listed.out
    assert heliograph("conversations", "list", "1", "--full", "--json").data[0]["recipient"] == NUMBER
    assert heliograph("conversations", "list", "1", "--state", "closed").out.startswith("No closed conversations")
    told = heliograph("conversations", "show", "1", id)
    assert "Where is" in told.out and "We look." in told.out and "intended" in told.out and "\x1b[31m" not in told.out
    assert NUMBER not in told.out and len(heliograph("conversations", "show", "1", id, "--json").data["turns"]) == 3
    nobody = heliograph("conversations", "show", "1", "no such")
    assert nobody.code == 1 and "heliograph conversations list 1" in nobody.err


def test_what_waits_for_a_desk_is_seen(heliograph, kept):
    id = kept("webhook")
    (row,) = heliograph("desks", "--json").data
    assert (row["site"], row["desk"], row["waiting"], row["why"]) == ("1", "webhook", 1, DOWN)
    assert row["callbacks"].endswith("/callbacks/desk/webhook/1") and DOWN in heliograph("desks").out
    assert DOWN in heliograph("conversations", "show", "1", id).err + heliograph("conversations", "show", "1", id).out
    found = heliograph("doctor", "--json").data["findings"]
    assert any(one["check"] == "desk of 1" and "1 conversations wait" in one["found"] for one in found)
