"""Messages that Twilio keeps under a name (Content API), and what a phone shows of any message.

Source: twilio.com/docs/content/content-api-resources; kinds other than twilio/text and twilio/media are kept and shown
by their body alone.
"""

from __future__ import annotations

import re

import msgspec

from heliograph.channels.sms.twilio_twin_answers import Refused, given
from heliograph.channels.sms.twilio_twin_wire import read_order, rfc2822
from heliograph.core import content as core
from heliograph.core.twin import TwinAnswer, World

SHELF = "twilio/content"
VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


class _Kind(msgspec.Struct):
    body: str = ""
    media: list[str] = []


class _Content(msgspec.Struct, omit_defaults=True):
    language: str
    types: dict[str, _Kind]
    friendly_name: str | None = None
    variables: dict[str, str] = {}


def create_content(body: bytes, account: str, world: World) -> TwinAnswer:
    try:
        asked = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        content = msgspec.json.decode(body, type=_Content)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Refused(20001, f"Invalid Content: {fault}") from fault
    if not content.types:
        raise Refused(20001, "Invalid Content: types is empty")
    sid = "HX" + world.new_id().replace("-", "")
    world.shelf(SHELF)[sid] = body
    return given(_shown(sid, account, asked, world), status=201)


def fetch_content(sid: str, path: str, world: World) -> TwinAnswer:
    body = world.shelf(SHELF).get(sid)
    if body is None:
        raise Refused.not_found(path)
    return given(_shown(sid, "", msgspec.json.decode(body, type=dict[str, msgspec.Raw]), world))


def _shown(sid: str, account: str, asked: dict[str, msgspec.Raw], world: World) -> bytes:
    now = rfc2822(world.now())
    return msgspec.json.encode(
        {**asked, "sid": sid, "account_sid": account or None, "date_created": now, "date_updated": now}
    )


def filled(sid: str, variables: str, world: World) -> tuple[str, tuple[str, ...]]:
    """The body and the media of a Content. `variables` is a JSON object of texts, as one string; those that it leaves
    out have the Content's own samples."""
    try:
        told = msgspec.json.decode(variables, type=dict[str, str]) if variables else {}
    except msgspec.DecodeError:
        raise Refused(21656) from None
    body = world.shelf(SHELF).get(sid)
    if body is None:
        raise Refused(21655)
    content = msgspec.json.decode(body, type=_Content)
    kind, told = next(iter(content.types.values())), {**content.variables, **told}
    return _filled(kind.body, told), tuple(_filled(url, told) for url in kind.media)


def content(resource: bytes, world: World) -> core.Content:
    """What the phone shows: a text, a picture, or both as one."""
    order = read_order(resource)
    if not order.media:
        return core.Text(text=order.body)
    picture = core.Media(url=order.media[0])
    return (
        core.Card(card=core.CardBody(description=order.body, media=picture)) if order.body else core.File(media=picture)
    )


def _filled(text: str, told: dict[str, str]) -> str:
    return VARIABLE.sub(lambda found: told.get(found[1], found[0]), text)
