"""Phones as JSON for the pages and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from heliograph.core.content import Content, Text
from heliograph.core.twin import Shown, Twin
from heliograph.sandbox.handset import Bubble, Handset, summary
from heliograph.sandbox.world import World

EVERYTHING = frozenset({"file", "location"})


def overview(world: World) -> dict[str, Any]:
    """All phones, the one that changed last first."""
    return {"handsets": [_row(handset, world) for handset in reversed(world.handsets.values())]}


def phone(handset: Handset, world: World) -> dict[str, Any]:
    return {
        **_switches(handset),
        "unread": handset.unread,
        "stopped": sorted(handset.stopped),
        "written_by": [key for key, until in handset.written_by.items() if until > world.now()],
        "sends": {name: sorted(sends(twin)) for name, twin in world.twins.items()},
        "messages": [_bubble(bubble, world) for bubble in _whole(handset.messages, world)],
    }


def sends(twin: Twin) -> frozenset[str]:
    """What a phone can send to a provider's senders besides words and taps."""
    found: frozenset[str] = getattr(twin, "SENDS", EVERYTHING)
    return found


def shown_of(bubble: Bubble, world: World) -> Shown | None:
    """What a bubble shows; read from the provider's own form when it is first asked for."""
    if bubble.shown is None and bubble.direction == "in":
        content = world.twins[bubble.provider].content(bubble.resource, world)
        bubble.shown = content if isinstance(content, Shown) else Shown(content=content)
    return bubble.shown


def content_of(bubble: Bubble, world: World) -> Content | None:
    shown = shown_of(bubble, world)
    return shown.content if shown else None


def _whole(bubbles: Iterable[Bubble], world: World) -> Iterator[Bubble]:
    """The messages as a phone shows them: parts that came one by one are one message, where the last one came; until
    all are there, none is shown."""
    groups: dict[tuple[str, str, str], dict[int, Bubble]] = {}
    for bubble in bubbles:
        if not bubble.group or bubble.direction == "out":
            yield bubble
            continue
        parts = groups.setdefault((bubble.provider, bubble.sender, bubble.group), {})
        parts[bubble.part] = bubble
        if len(parts) >= bubble.parts:
            yield _joined([parts[part] for part in sorted(parts)], bubble, world)
            parts.clear()  # the reference may be used again for another message


def _joined(parts: list[Bubble], last: Bubble, world: World) -> Bubble:
    text = "".join(summary(content_of(part, world), "") for part in parts)
    states = {part.state for part in parts}
    return msgspec.structs.replace(
        parts[0],
        at=last.at,
        state="delivered" if "delivered" in states else last.state,
        shown=Shown(content=Text(text=text)),
    )


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
        "has_wa": handset.has_wa,
        "has_sms": handset.has_sms,
        "online": handset.online,
        "signal": handset.signal,
        "reads": handset.reads,
        "muted": handset.muted,
        "waiting": len(handset.waiting),
    }


def _bubble(bubble: Bubble, world: World) -> dict[str, Any]:
    sender = world.sender(bubble.provider, bubble.sender)
    seen = shown_of(bubble, world)
    shown: dict[str, Any] = {
        "id": bubble.id,
        "ours": bubble.ours,
        "channel": bubble.channel,
        "provider": bubble.provider,
        "sender": {
            "id": bubble.sender,
            "name": sender.name if sender else bubble.sender,
            "address": bubble.source or (sender.address if sender else "") or bubble.sender,
        },
        "direction": bubble.direction,
        "at": bubble.at,
        "state": bubble.state,
        "content": msgspec.to_builtins(seen.content) if seen else None,
        "footer": seen.footer if seen else "",
        "menu": seen.menu if seen else "",
        "parts": bubble.parts,
        "tapped": bubble.tapped,
        "quotes": bubble.quotes,
    }
    if bubble.direction == "out":
        shown["text"] = bubble.text
    return shown
