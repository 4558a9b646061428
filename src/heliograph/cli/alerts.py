"""`heliograph alerts`: find alerts, and read the record of one. Phone numbers are masked unless `--full` is given."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import App

from heliograph.cli import given, say
from heliograph.errors import SetupError

if TYPE_CHECKING:
    from heliograph.core.ports import AlertRow, Record
    from heliograph.settings import Settings

app = App(name="alerts", help="Find alerts, and read the record of one.", help_format="plaintext")


@app.command(name="list")
def list_(
    *,
    site: str = "",
    state: str = "",
    recipient: str = "",
    external: str = "",
    before: str = "",
    limit: int = 50,
    full: Annotated[bool, given.Switch] = False,
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """List alerts, the newest first.

    Parameters
    ----------
    site
        This site's alerts only.
    state
        Alerts in this state: accepted, scheduled, sending, sent, delivered, read, failed, expired, cancelled, refused.
    recipient
        Alerts to this number, as in +17703101414.
    external
        Alerts with this externalAlertId.
    before
        Alerts older than the one with this id: the last of the page before.
    limit
        How many at most (1 to 1000).
    full
        Show phone numbers whole.
    """
    from heliograph.core.states import AlertState
    from heliograph.settings import close

    states = [one.value for one in AlertState]
    if state and state not in states:
        raise say.NotUnderstood(f"--state {state} is none.{close(state, states)} There is: {', '.join(states)}.")
    if not 1 <= limit <= 1000:
        raise say.NotUnderstood(f"--limit is {limit}; 1 to 1000 is needed.")
    settings = given.settings(config, flags)
    asked = {"site": site, "state": state, "recipient": recipient, "external": external, "before": before}
    rows = asyncio.run(_list(settings, {**asked, "limit": limit}))
    if not full:
        rows = [msgspec.structs.replace(row, recipient=mask(row.recipient)) for row in rows]
    if json:
        say.data(rows)
        return
    now = given.now()
    say.table(
        ("=alert", "taken", "=to", "template", "channel", "state"),
        [
            (
                row.id,
                say.ago(row.created, now),
                row.recipient,
                row.template,
                row.channel or "–",
                _state(row),
            )
            for row in rows
        ],
        empty="No alerts here yet. `heliograph send` or POST /api/proactiveAlert makes one.",
    )
    if len(rows) == limit:
        say.line(f"Older ones: add --before {rows[-1].id}")


def _state(row: AlertRow) -> Any:
    state = say.state(row.state)
    if row.reason:
        state.append(f"\n  {row.reason.replace('_', ' ')}", style="dim")
    return state


async def _list(settings: Settings, asked: dict[str, Any]) -> list[AlertRow]:
    async with given.store(settings) as store:
        return await store.alerts(**asked)


@app.command
def show(
    alert: str,
    /,
    *,
    full: Annotated[bool, given.Switch] = False,
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Tell the record of one alert: who, what, when, the message, the decision, the timeline, the provider's words.

    Parameters
    ----------
    alert
        Its id: the answer's header Heliograph-Alert, or a row of `alerts list`.
    full
        Show phone numbers whole.
    """
    record = asyncio.run(_record(given.settings(config, flags), alert))
    if record is None:
        raise SetupError(f"There is no alert {alert}. `heliograph alerts list` shows the newest.", code="unknown_alert")
    if not full:
        record = hidden(record)
    if json:
        say.data(plain(record))
        return
    from heliograph.cli.story import story

    say.show(story(record, given.now()))


async def _record(settings: Settings, alert: str) -> Record | None:
    async with given.store(settings) as store:
        return await store.record(alert)


def mask(number: str) -> str:
    from heliograph.core import phone

    return phone.mask(number)


def hidden(record: Record) -> Record:
    """The record with the recipient's number masked wherever it stands, in answers and references too."""
    number = record.alert.recipient
    if not number:
        return record
    masked = mask(number)
    pairs = [
        (number.encode(), masked.encode()),
        (b"%2B" + number[1:].encode(), masked.encode()),
        (number[1:].encode(), masked[1:].encode()),
    ]

    def blot(raw: bytes) -> bytes:
        for found, instead in pairs:
            raw = raw.replace(found, instead)
        return raw

    # The caller's own JSON and the providers' bodies are blotted as bytes: reading them as JSON could change a number.
    bare = msgspec.structs.replace(
        record,
        alert=msgspec.structs.replace(record.alert, alert_info=msgspec.Raw(b"null")),
        attempts=tuple(msgspec.structs.replace(one, raw=b"") for one in record.attempts),
        decision=b"",
    )
    bare = msgspec.json.decode(blot(msgspec.json.encode(bare)), type=type(record))
    info = msgspec.Raw(blot(bytes(record.alert.alert_info)))
    raws = zip(bare.attempts, record.attempts, strict=True)
    return msgspec.structs.replace(
        bare,
        alert=msgspec.structs.replace(bare.alert, alert_info=info),
        attempts=tuple(msgspec.structs.replace(one, raw=blot(whole.raw)) for one, whole in raws),
        decision=blot(record.decision),
    )


def plain(record: Record) -> dict[str, Any]:
    """The record for `--json`: the providers' bodies, the decision and alertInfo as JSON, as they were kept."""
    alert = record.alert
    return {
        "alert": msgspec.structs.replace(alert, alert_info=_body(bytes(alert.alert_info))),
        "attempts": [{**msgspec.structs.asdict(one), "raw": _body(one.raw)} for one in record.attempts],
        "entries": record.entries,
        "decision": _body(record.decision),
    }


def _body(raw: bytes) -> msgspec.Raw:
    """The bytes themselves where they are JSON, `null` for none, else a string of them."""
    try:
        msgspec.json.decode(raw or b"null", type=msgspec.Raw)
    except msgspec.DecodeError:
        return msgspec.Raw(msgspec.json.encode(raw.decode(errors="replace")))
    return msgspec.Raw(raw or b"null")
