"""Media are uploaded once per sender; a name that the provider has lost is renewed once."""

from __future__ import annotations

import msgspec
import pytest

from flow.world import SITE, House, ask, refusal
from heliograph.clock import SystemClock
from heliograph.core.content import Card, CardBody, Media
from heliograph.core.ports import Uploaded
from heliograph.core.template import Template
from heliograph.errors import Fate
from heliograph.flow import send
from heliograph.flow.result import Result

DIGEST = "ab" * 32


@pytest.fixture
async def cards(house: House) -> House:
    await house.set_up()
    card = Card(card=CardBody(title="A card", media=Media(upload=DIGEST)))
    await house.store.put_template(Template(site=SITE, name="card", version="1", languages={"en": {"rcs": card}}))
    await house.store.put_media(SITE, DIGEST, "image/png", b"picture")
    await house.means.registry.refresh(house.store)
    uploads: list[bytes] = []

    async def upload(media: Media, data: bytes, content_type: str, now: int, deadline: float) -> Uploaded:
        uploads.append(data)
        return Uploaded(reference=f"files/{len(uploads)}", expires=now + 60_000)

    house.providers["rcs"].upload = upload  # type: ignore[method-assign]
    house.providers["rcs"].uploads = uploads  # type: ignore[attr-defined]
    return house


async def sent(house: House, external: str) -> Result:
    request = ask(template="card", variables={}, external_alert_id=external)
    return await send.send(request, (), house.means, request_id=SystemClock().new_id())


def reference(house: House) -> str | None:
    newest = list(house.providers["rcs"].delivered.values())[-1]
    assert isinstance(newest.content, Card) and newest.content.card.media
    return newest.content.card.media.reference


async def test_a_medium_is_uploaded_once_and_referred_to(cards: House) -> None:
    assert (await sent(cards, "one")).kind == (await sent(cards, "two")).kind == "taken"
    assert cards.providers["rcs"].uploads == [b"picture"]  # type: ignore[attr-defined]
    assert reference(cards) == "files/1"


async def test_another_node_uses_the_name_that_the_store_keeps(cards: House) -> None:
    await sent(cards, "one")
    cards.means.uploads.clear()
    await sent(cards, "two")
    assert len(cards.providers["rcs"].uploads) == 1  # type: ignore[attr-defined]


async def test_a_name_that_the_provider_lost_is_renewed_once(cards: House) -> None:
    await sent(cards, "one")
    cards.providers["rcs"].script = [refusal(Fate.PERMANENT, "unknown_file")]
    assert (await sent(cards, "two")).kind == "taken"
    assert reference(cards) == "files/2"
    cards.providers["rcs"].script = [refusal(Fate.PERMANENT, "bad_content")] * 3
    result = await sent(cards, "three")
    assert (result.kind, result.code) == ("failed", "bad_content")
    assert len(cards.providers["rcs"].script) == 1


async def test_a_medium_that_is_not_kept_is_a_failure_with_a_sentence(cards: House) -> None:
    other = Card(card=CardBody(title="B", media=Media(upload="cd" * 32)))
    await cards.store.put_template(
        msgspec.structs.replace(Template(site=SITE, name="card", version="2", languages={"en": {"rcs": other}}))
    )
    await cards.means.registry.refresh(cards.store)
    result = await sent(cards, "four")
    assert (result.kind, result.code) == ("failed", "media_missing")
