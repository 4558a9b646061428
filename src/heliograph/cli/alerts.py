"""`heliograph alerts`: find alerts, read the record of one, settle what is in doubt. Phone numbers are masked unless
`--full` is given."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from cyclopts import App

from heliograph.cli import given, say
from heliograph.errors import SetupError

if TYPE_CHECKING:
    from heliograph.core.alert import Attempt
    from heliograph.core.conversation import Conversation
    from heliograph.core.ports import AlertRow, Record
    from heliograph.flow.settle import As
    from heliograph.settings import Settings

DOUBT = "in_doubt"
app = App(name="alerts", help="Find alerts, read the record of one, settle what is in doubt.", help_format="plaintext")


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
        Alerts in this state: accepted, scheduled, sending, sent, delivered, read, failed, expired, cancelled, refused;
        or in_doubt: those with an attempt whose answer was lost.
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

    states = [*(one.value for one in AlertState), DOUBT]
    if state and state not in states:
        raise say.NotUnderstood(f"--state {state} is not a state.{close(state, states)} There is: {', '.join(states)}.")
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
        ("=alert", "age", "=to", "template", "channel", "state"),
        [
            (
                row.id,
                say.ago(row.created, now).removesuffix(" ago"),
                row.recipient,
                row.template,
                row.channel or "–",
                _state(row, state),
            )
            for row in rows
        ],
        empty="No alerts here yet. `heliograph send` or POST /api/proactiveAlert makes one.",
    )
    if len(rows) == limit:
        say.line(f"Older ones: add --before {rows[-1].id}")


def _state(row: AlertRow, asked: str) -> Any:
    state = say.state(DOUBT if asked == DOUBT else row.state)
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
    record, spoken = asyncio.run(_record(given.settings(config, flags), alert))
    if record is None:
        raise SetupError(f"There is no alert {alert}. `heliograph alerts list` shows the newest.", code="unknown_alert")
    if not full:
        from heliograph.core.hide import hidden

        record = hidden(record)
    if json:
        say.data({**plain(record), "conversations": [one.id for one in spoken]})
        return
    from heliograph.cli.story import story

    say.show(story(record, given.now()))
    for one in spoken:
        say.line(f"It was answered: heliograph conversations show {one.site} {one.id}")


@app.command
def settle(
    alert: str,
    what: Literal["sent", "failed", "resend"],
    /,
    *,
    why: str = "",
    by: given.By = "",
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Settle the attempt of an alert that is in doubt: the provider never said whether it took the message.

    What follows a running server does within a second or two: after `failed` the next channel or the end, after
    `resend` a new message by the usual decision. It stands in the alert's timeline with your name.

    Parameters
    ----------
    alert
        Its id: a row of `alerts list --state in_doubt`.
    what
        sent: it was. failed: it was not. resend: send it again; if the first was sent, that is a second message.
    why
        How you know, for the record.
    """
    name = given.operator(by)
    attempt = asyncio.run(_settle(given.settings(config, flags), alert, what, name, why))
    if json:
        say.data({"alert": alert, "attempt": attempt.id, "settled": what, "by": name})
        return
    follows = {
        "sent": "Its receipts are still heard.",
        "failed": "A running server goes on with the next channel, or ends the alert.",
        "resend": "A running server sends it again.",
    }
    say.line(f"Attempt {attempt.number} ({attempt.channel} by {attempt.sender}) is settled as {what} by {name}.")
    say.line(f"{follows[what]} `heliograph alerts show {alert}` tells.")


async def _settle(settings: Settings, alert: str, what: As, by: str, why: str) -> Attempt:
    from heliograph.flow import settle as settling

    async with given.store(settings) as store:
        return await settling.settle(alert, what, store, by=by, why=why, now=given.now())


async def _record(settings: Settings, alert: str) -> tuple[Record | None, list[Conversation]]:
    """The record, and the conversations that its replies opened or joined."""
    async with given.store(settings) as store:
        record = await store.record(alert)
        return record, await store.conversations_about(record.alert.site, alert) if record else []


def mask(number: str) -> str:
    from heliograph.core import phone

    return phone.mask(number)


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
