"""The record of one alert, told from top to bottom: who, what, when, state; message; decision; timeline; exchange."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from heliograph.cli import say
from heliograph.cli.bubble import bubble
from heliograph.core.alert import Alert, Attempt
from heliograph.core.event import Entry
from heliograph.core.ports import Exchange, Record

_WHY = {
    "chosen": "chosen", "no_sender": "the site has no sender for it", "no_content": "the template has nothing for it",
    "content_does_not_fit": "the message does not fit", "opted_out": "the recipient opted out",
    "not_for_test": "a test key, and it is no sandbox sender",
    "sender_paused": "its sender is paused", "cannot_reach": "the recipient cannot be reached on it",
    "outside_window": "the recipient's window is closed", "passed": "it was left before", "tried": "it just failed",
}  # fmt: skip


def story(record: Record, now: int) -> RenderableType:
    """`record` with its phone numbers as they are; hide them before (alerts.py)."""
    return Group(*_parts(record, now))


def _parts(record: Record, now: int) -> Iterator[RenderableType]:
    alert = record.alert
    yield _head(alert, now)
    for attempt in record.attempts[-1:]:
        yield _title("The message")
        yield Padding(bubble(attempt.content), (0, 0, 0, 2))
    yield from decision_lines(record.decision)
    if record.attempts:
        yield _title("Attempts")
        yield _attempts(record.attempts)
    yield _title("What happened")
    yield _timeline(record.entries, record.attempts)
    exchanges = list(_exchanges(record))
    if exchanges:
        yield _title("What the provider said")
        yield from exchanges


def _title(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def _grid(*, head: bool = False) -> Table:
    if head:
        return Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    return grid


def _head(alert: Alert, now: int) -> RenderableType:
    name = " ".join(part for part in (alert.first_name, alert.last_name) if part)
    state = say.state(alert.state)
    if alert.reason:
        state.append(f" ({alert.reason})", style="dim")
    customer = alert.external_customer_id
    if alert.external_customer_id_descriptor:
        customer = f"{customer} ({alert.external_customer_id_descriptor})".strip()
    version = f"{alert.template}, version {alert.template_version}"
    if alert.version_tag:
        version += f' (the call said "{alert.version_tag}")'
    language = alert.language
    if alert.language_asked and alert.language_asked != alert.language:
        language += f' (the call said "{alert.language_asked}")'
    rows: dict[str, str | Text] = {
        "Alert": alert.id,
        "State": state,
        "To": f"{name} {alert.recipient}".strip(),
        "Site": f"{alert.site}, skill {alert.skill}" if alert.skill else alert.site,
        "Taken": f"{say.when(alert.created)} UTC ({say.ago(alert.created, now)})",
        "Sent at": f"{say.when(alert.send_at)} UTC" if alert.send_at else "",
        "Ends": f"{say.when(alert.expires)} UTC",
        "Template": version,
        "Language": language,
        "Customer": customer,
        "External id": alert.external_alert_id,
        "Repeats": alert.former or "",
        "Alert info": bytes(alert.alert_info).decode(errors="replace"),
        "Notes": "; ".join((*alert.notes, *(f"unknown field {name}" for name in alert.unknown))),
    }
    grid = _grid()
    for label, value in rows.items():
        if value:
            grid.add_row(label, value if isinstance(value, Text) else Text(say.clean(value)))
    return grid


def decision_lines(raw: bytes) -> Iterator[RenderableType]:
    """A decision record (JSON) as a table; nothing where there is none."""
    decision = _object(raw)
    considered = decision.get("considered") or []
    if not considered:
        return
    yield _title("The decision")
    table = _grid(head=True)
    for column in ("channel", "sender", "reach", "asked", "outcome"):
        table.add_column(column, overflow="fold")
    first = next((line for line in considered if line["chosen"]), None)
    for line in considered:
        age = line.get("age")
        table.add_row(
            Text(line["channel"]), Text(line["sender"] or "–"), Text(line.get("reach") or "not asked"),
            Text("–" if age is None else f"{age} s before"), Text(say.clean(_outcome(line, line is first))),
        )  # fmt: skip
    yield table
    # Senders of one channel mostly carry the same: each rule is told once.
    yield from (
        Text(said)
        for said in dict.fromkeys(
            say.clean(f"Made to fit {line['channel']}: {' '.join(line['rules'])}")
            for line in considered
            if line["chosen"] and line.get("rules")
        )
    )
    for step in decision.get("steps") or []:
        if step.get("within"):
            yield Text(f"{step['channel']} has {step['within']} s to be {step['need']}.")
    if decision.get("stop"):
        yield Text(f"It ended there: {decision['stop']}.")
    if decision.get("hold"):
        yield Text(f"It was held until {say.when(decision['hold'])} UTC ({decision.get('hold_reason')}).")


def _outcome(line: Mapping[str, Any], first: bool) -> str:
    if line["chosen"]:
        return "✓ chosen" if first else "· next, if that is left"
    more = ", ".join(
        word for word in line.get("detail") or () if word != line["why"]
    )  # a reason is often the why again
    return f"✗ {_WHY.get(line['why'], line['why'])}{f': {more}' if more else ''}"


def _attempts(attempts: tuple[Attempt, ...]) -> RenderableType:
    table = _grid(head=True)
    for column in ("", "channel", "sender", "state", "tries", "provider's name for it"):
        table.add_column(column, overflow="fold")
    for one in attempts:
        state = say.state(one.state)
        if one.reason:
            state.append(f" ({one.reason})", style="dim")
        names = Text(say.clean(", ".join(one.references)) or "–")
        table.add_row(str(one.number), Text(one.channel), Text(one.sender), state, str(one.tries), names)
    return table


def _timeline(entries: tuple[Entry, ...], attempts: tuple[Attempt, ...]) -> RenderableType:
    numbers = {attempt.id: attempt.number for attempt in attempts}
    several = len(attempts) > 1
    table = _grid(head=True)
    for column in ("time (UTC)", "what", "by", "detail"):
        table.add_column(column, overflow="fold")
    for entry in entries:
        facts = _object(bytes(entry.detail))
        # What the line's own word says need not be said again; a late receipt is called "receipt" and says its state.
        for told_elsewhere in ("exchanges", "raw", "event", *(() if entry.kind == "receipt" else ("state",))):
            facts.pop(told_elsewhere, None)
        if isinstance(facts.get("at"), int):
            facts["at"] = f"{say.when(facts['at'])} by the provider's clock"
        if isinstance(facts.get("until"), int):
            facts["until"] = f"{say.when(facts['until'])} UTC"
        if isinstance(facts.get("considered"), list):
            lines = [f"{line['channel']}: {_WHY.get(line['why'], line['why'])}" for line in facts.pop("considered")]
            facts["looked at"] = "; ".join(lines)
        what = say.state(entry.kind)
        if several and entry.attempt in numbers:
            what.append(f" #{numbers[entry.attempt]}", style="dim")
        milliseconds = f".{entry.at % 1000:03}"
        table.add_row(Text(say.when(entry.at) + milliseconds), what, Text(entry.by), Text(say.clean(_words(facts))))
    return table


def _exchanges(record: Record) -> Iterator[RenderableType]:
    """The redacted notes of HTTP exchanges that the timeline keeps, and what the provider told in callbacks."""
    taken = {attempt.id: attempt.raw.decode(errors="replace") for attempt in record.attempts if attempt.references}
    for entry in record.entries:
        facts = _object(bytes(entry.detail))
        if facts.get("raw"):
            told = facts["raw"] if isinstance(facts["raw"], str) else msgspec.json.encode(facts["raw"]).decode()
            yield Text(f"callback: {entry.kind}")
            yield Padding(Text(say.clean(_pretty(told)), style="dim"), (0, 0, 0, 2))
        for one in facts.get("exchanges", []):
            exchange = msgspec.convert(one, Exchange)
            took = f"{exchange.milliseconds:.0f} ms"
            came = f"{exchange.status} in {took}" if exchange.status else f"no answer after {took}: {exchange.failure}"
            where = exchange.url.replace("?", "\n  ?", 1)  # whole addresses seldom fit in 100 columns
            yield Text(say.clean(f"{exchange.method} {where}\n  {came}"))
            said = exchange.response or taken.get(entry.attempt, "")
            if said:
                yield Padding(Text(say.clean(_pretty(said)), style="dim"), (0, 0, 0, 2))


def _pretty(text: str) -> str:
    try:
        return msgspec.json.format(text.encode(), indent=2).decode()
    except msgspec.DecodeError:
        return text  # no JSON, or cut at 4 KiB


def _words(facts: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {value if isinstance(value, str) else msgspec.json.encode(value).decode()}"
        for name, value in facts.items()
    )


def _object(raw: bytes) -> dict[str, Any]:
    """A JSON object; empty for nothing at all."""
    found = msgspec.json.decode(raw) if raw else {}
    return found if isinstance(found, dict) else {}
