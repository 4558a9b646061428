"""An explanation as a person wants to read it: what would happen, what is in the way, who was considered, each message
as its recipient would see it, with its size and its price."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from heliograph.cli import say
from heliograph.cli.bubble import bubble
from heliograph.cli.story import decision_lines
from heliograph.core.content import Content

_WOULD = {
    "send": ("✓ it would be sent", "green"),
    "hold": ("◷ it would be held", "yellow"),
    "refuse": ("✗ it would be refused", "red"),
}


def explained(said: Mapping[str, Any]) -> RenderableType:
    return Group(*_parts(said))


def _parts(said: Mapping[str, Any]) -> Iterator[RenderableType]:
    words, colour = _WOULD[said["would"]]
    if said["would"] == "hold":
        words += f" until {said['hold_until']}"
    yield Text(words, style=f"bold {colour}")
    yield Text(
        say.clean(
            f"{said['template']}, version {said['template_version']}, in {said['language']}, to {said['recipient']}; "
            f"nothing is sent after {said['expires']}"
        )
    )
    for note in said.get("notes", []):
        yield Text(say.clean(f"note: {note}"), style="dim")
    if said["obstacles"]:
        yield _title("In the way")
        for one in said["obstacles"]:
            until = f" (until {one['until']})" if one.get("until") else ""
            yield Text(say.clean(f"✗ {one['code']}: {one['detail']}{until}"))
    # What it comes to stands in the first line, how a message was made to fit under the message.
    considered = [{**line, "rules": []} for line in said["decision"].get("considered", [])]
    told = {**said["decision"], "considered": considered, "stop": None, "hold": None}
    yield from decision_lines(msgspec.json.encode(told))
    if steps := said["decision"].get("steps"):
        yield Text(say.clean(f"It would be tried on {', then on '.join(_step(one) for one in steps)}."))
    for message in said["messages"]:
        yield from _message(message, said["currency"])


def _step(step: Mapping[str, Any]) -> str:
    """`rcs by acme-rcs (until delivered, 120 s at most)`."""
    need, within = step.get("need", "sent"), step.get("within")
    until = f" (until {need}{f', {within} s at most' if within else ''})" if need != "sent" or within else ""
    return f"{step['channel']} by {step['sender']}{until}"


def _message(message: Mapping[str, Any], currency: str) -> Iterator[RenderableType]:
    yield _title(say.clean(f"On {message['channel']}, by {message['sender']}"))
    yield Padding(bubble(msgspec.convert(message["content"], Content)), (0, 0, 0, 2))
    size = "1 message"
    if message["encoding"]:
        size = f"{message['parts']} part{'' if message['parts'] == 1 else 's'}"
        size += f", {message['encoding']}, {message['units']} characters of it"
    if message["forced_by"]:
        size += f", forced by {message['forced_by']!r}"
    price = f", about {message['cost']} {currency}" if message["cost"] is not None else ", no price is known"
    yield Text(say.clean(f"  {size}{price}"))
    for rule in message["rules"]:
        yield Text(say.clean(f"  made to fit: {rule}"), style="dim")
    for fault in message["faults"]:
        yield Text(say.clean(f"  ✗ {fault}"), style="red")


def _title(text: str) -> Text:
    return Text(f"\n{text}", style="bold")
