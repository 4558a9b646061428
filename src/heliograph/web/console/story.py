"""The record of an alert in the words of its page: the decision, the timeline, the provider's exchange. Pure."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from heliograph.core.event import Entry
from heliograph.core.ports import Exchange, Record
from heliograph.web.console.words import channel, exact

WHY = {
    "chosen": "chosen",
    "no_sender": "the site has no sender for it",
    "no_content": "the template has nothing for it",
    "content_does_not_fit": "the message does not fit",
    "opted_out": "the recipient opted out",
    "not_for_test": "a test key, and it is no sandbox sender",
    "sender_paused": "its sender is paused",
    "cannot_reach": "the recipient cannot be reached on it",
    "outside_window": "the recipient's window is closed",
    "passed": "it was left before",
    "tried": "it just failed",
}
MOST = 40_000  # characters of one exchange that a page shows


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One sender that was considered."""

    channel: str
    sender: str
    reach: str
    age: int | None
    chosen: bool
    outcome: str


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the timeline. `attempt`: its number, 0 where the line is of the alert. `detail`: names and values."""

    at: int
    kind: str
    by: str
    attempt: int
    detail: tuple[tuple[str, str], ...]


class Exchanged(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange with a provider, or what it told by itself."""

    title: str
    body: str


def pairs(raw: bytes) -> list[tuple[str, str]]:
    """The keys of a caller's own JSON object in its order, each with its value as it was written: a number keeps its
    digits. Anything but an object is one value without a key."""
    if not raw.strip() or raw.strip() == b"null":
        return []
    try:
        found = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [("", raw.decode("utf-8", "replace"))]
    return [(name, _value(bytes(value))) for name, value in found.items()]


def _value(raw: bytes) -> str:
    text = raw.decode("utf-8", "replace")
    if text.startswith('"'):
        return str(json.loads(text))
    return _pretty(text) if text[:1] in ("{", "[") else text


def decision(record: Record) -> tuple[list[Line], list[str]]:
    """The lines of the decision, and the sentences under them."""
    found = _object(record.decision)
    considered = found.get("considered") or []
    first = next((line for line in considered if line["chosen"]), None)
    lines = [
        Line(
            channel=line["channel"],
            sender=line["sender"],
            reach=line.get("reach") or "",
            age=line.get("age"),
            chosen=line["chosen"],
            outcome=_outcome(line, line is first),
        )
        for line in considered
    ]
    said = list(
        dict.fromkeys(
            f"Made to fit {channel(line['channel'])}: {' '.join(line['rules'])}"
            for line in considered
            if line["chosen"] and line.get("rules")
        )
    )
    said += [
        f"{channel(step['channel'])} has {step['within']} s to be {step['need']}."
        for step in found.get("steps") or []
        if step.get("within")
    ]
    if found.get("stop"):
        said.append(f"It ended there: {found['stop']}.")
    if found.get("hold"):
        said.append(f"It was held until {exact(found['hold'])} ({found.get('hold_reason')}).")
    return lines, said


def _outcome(line: Mapping[str, Any], first: bool) -> str:
    if line["chosen"]:
        return "chosen" if first else "next, if that is left"
    more = ", ".join(word for word in line.get("detail") or () if word != line["why"])
    return f"{WHY.get(line['why'], line['why'])}{f': {more}' if more else ''}"


def timeline(record: Record) -> list[Happened]:
    numbers = {attempt.id: attempt.number for attempt in record.attempts}
    return [
        Happened(
            at=entry.at,
            kind=entry.kind,
            by=entry.by,
            attempt=numbers.get(entry.attempt, 0),
            detail=tuple(_facts(entry)),
        )
        for entry in record.entries
    ]


def _facts(entry: Entry) -> Iterator[tuple[str, str]]:
    """What the line's own word says is not said again; exchanges stand below. A late receipt is called "receipt" and
    says its state."""
    elsewhere = ("exchanges", "raw", *(() if entry.kind == "receipt" else ("state",)))
    for name, value in _object(bytes(entry.detail)).items():
        if name in elsewhere:
            continue
        if name in ("at", "until") and isinstance(value, int):
            yield ("by the provider's clock" if name == "at" else name), exact(value)
        elif name == "considered" and isinstance(value, list):
            yield (
                "looked at",
                "; ".join(f"{channel(one['channel'])}: {WHY.get(one['why'], one['why'])}" for one in value),
            )
        else:
            yield name.replace("_", " "), value if isinstance(value, str) else _pretty(json.dumps(value))


def exchanges(record: Record) -> list[Exchanged]:
    """The redacted notes that the timeline keeps, and what the provider told in callbacks."""
    taken = {attempt.id: attempt.raw.decode(errors="replace") for attempt in record.attempts if attempt.references}
    found: list[Exchanged] = []
    for entry in record.entries:
        facts = _object(bytes(entry.detail))
        if facts.get("raw"):
            told = facts["raw"] if isinstance(facts["raw"], str) else json.dumps(facts["raw"])
            found.append(Exchanged(title=f"callback: {entry.kind}", body=_pretty(told)))
        for one in facts.get("exchanges", []):
            exchange = msgspec.convert(one, Exchange)
            took = f"{exchange.milliseconds:.0f} ms"
            came = f"{exchange.status} in {took}" if exchange.status else f"no answer after {took}: {exchange.failure}"
            body = exchange.response or taken.get(entry.attempt, "")
            found.append(Exchanged(title=f"{exchange.method} {exchange.url} → {came}", body=_pretty(body)))
    return found


def _pretty(text: str) -> str:
    with contextlib.suppress(msgspec.DecodeError, RecursionError):  # no JSON, or cut at 4 KiB: it is shown as it came
        text = msgspec.json.format(text.encode(), indent=2).decode()
    return text if len(text) <= MOST else f"{text[:MOST]}… ({len(text):,} characters)"


def _object(raw: bytes) -> dict[str, Any]:
    """A JSON object; empty for nothing at all."""
    found = msgspec.json.decode(raw) if raw else {}
    return found if isinstance(found, dict) else {}
