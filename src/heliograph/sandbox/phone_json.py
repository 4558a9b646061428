"""Phones as JSON for the pages and for programs."""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph.core.content import Content
from heliograph.sandbox.handset import Bubble, Handset, summary
from heliograph.sandbox.world import World


def overview(world: World) -> dict[str, Any]:
    """All phones, the one that changed last first."""
    return {"handsets": [_row(handset, world) for handset in reversed(world.handsets.values())]}


def phone(handset: Handset, world: World) -> dict[str, Any]:
    return {
        **_switches(handset),
        "unread": handset.unread,
        "messages": [_bubble(bubble, world) for bubble in handset.messages],
    }


def content_of(bubble: Bubble, world: World) -> Content | None:
    """What a bubble shows; read from the provider's own form when it is first asked for."""
    if bubble.content is None and bubble.direction == "in":
        bubble.content = world.twins[bubble.provider].content(bubble.resource, world)
    return bubble.content


def _row(handset: Handset, world: World) -> dict[str, Any]:
    last = handset.messages[-1] if handset.messages else None
    return {
        **_switches(handset),
        "unread": handset.unread,
        "last": {
            "text": summary(content_of(last, world), last.text),
            "at": last.at,
            "out": last.direction == "out",
        }
        if last
        else None,
    }


def _switches(handset: Handset) -> dict[str, Any]:
    return {
        "number": handset.number,
        "name": handset.name,
        "has_rcs": handset.has_rcs,
        "online": handset.online,
        "reads": handset.reads,
        "muted": handset.muted,
        "waiting": len(handset.waiting),
    }


def _bubble(bubble: Bubble, world: World) -> dict[str, Any]:
    sender = world.sender(bubble.provider, bubble.sender)
    shown: dict[str, Any] = {
        "id": bubble.id,
        "channel": bubble.channel,
        "sender": {"id": bubble.sender, "name": sender.name if sender else bubble.sender},
        "direction": bubble.direction,
        "at": bubble.at,
        "state": bubble.state,
        "content": msgspec.to_builtins(content_of(bubble, world)),
        "tapped": bubble.tapped,
    }
    if bubble.direction == "out":
        shown["text"] = bubble.text
    return shown
