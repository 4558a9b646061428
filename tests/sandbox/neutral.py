"""A provider of the tests' own, for any channel: its messages are in neutral terms, as JSON of core.twin.Shown."""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph.core.ports import Call
from heliograph.core.twin import Happening, KnownSender, Shown, TwinAnswer, World


class Neutral:
    def __init__(self, name: str, channel: str) -> None:
        self.NAME = name
        self.CHANNEL = channel
        self.PREFIXES: tuple[str, ...] = ()
        self.SENDS = frozenset({"file", "location"}) if channel == "wa" else frozenset[str]()

    def body_limit(self, path: str) -> int:
        return 0

    def answer(self, call: Call, world: World) -> TwinAnswer:
        return TwinAnswer(status=404)

    def tell(self, happening: Happening, sender: KnownSender, world: World) -> Call | None:
        return None

    def challenge(self, sender: KnownSender, secret: str) -> None:
        return None

    def content(self, resource: bytes, world: World) -> Shown:
        return msgspec.json.decode(resource, type=Shown)

    def keyword(self, number: str, wanted: bool) -> str:
        return "START" if wanted else "STOP"


def resource(content: dict[str, Any], **more: str) -> bytes:
    return msgspec.json.encode({"content": content, **more})
