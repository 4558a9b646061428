"""Files that are handed to Google once and referred to by name: by address, or uploaded."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import msgspec

from heliograph.channels.rcs.google_rbm_twin_answers import Refused, decoded, given, stopped
from heliograph.core.ports import Call
from heliograph.core.twin import KnownSender, Medium, TwinAnswer, World

FILE_BYTES = 100 * 1_048_576
FILE_TYPES = re.compile(
    r"image/(jpeg|jpg|gif|png)|video/(h263|m4v|mp4|mpeg|mpeg4|webm)|audio/[a-z0-9.+-]+|application/(ogg|pdf)"
)


class _FileByUrl(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    file_url: str = ""
    thumbnail_url: str = ""
    content_description: str = ""


_FILE_BY_URL = msgspec.json.Decoder(_FileByUrl)


def file_by_url(agent: KnownSender, body: bytes, world: World) -> TwinAnswer:
    """The address is kept, not fetched: the sandbox reaches no other host."""
    asked = decoded(_FILE_BY_URL, body)
    if not urlsplit(asked.file_url).netloc:
        raise Refused(400, "file_url must be an absolute URL.")
    return _kept(agent, Medium(url=asked.file_url), world)


def upload(agent: KnownSender, call: Call, world: World) -> TwinAnswer:
    content_type = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not FILE_TYPES.fullmatch(content_type):
        raise Refused(400, f"Content-Type {content_type[:60]!r} is not supported.")
    if not 0 < len(call.body) <= FILE_BYTES:
        raise Refused(400, f"The file has {len(call.body)} bytes; 1 byte to 100 MiB are allowed.")
    return _kept(agent, Medium(content_type=content_type, data=call.body), world)


def user_file(name: str, world: World) -> TwinAnswer:
    """A file that a user sent. Whoever has its address may have it."""
    medium = world.medium(name)
    if medium is None or not medium.data:
        raise Refused(404, "Requested entity was not found.")
    return TwinAnswer(body=medium.data, headers={"content-type": medium.content_type})


def _kept(agent: KnownSender, medium: Medium, world: World) -> TwinAnswer:
    rule = world.misbehaviour("files", "", agent.id, provider=agent.provider)
    delay = stopped(rule)
    name = f"files/{world.keep(medium)}"
    world.note("file", sender=agent.id, detail=name)
    return given(msgspec.json.encode({"name": name}), rule, delay)
