"""`heliograph conversations`: what recipients answered. Phone numbers are masked unless `--full` is given."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from cyclopts import App

from heliograph.cli import given, say
from heliograph.cli.alerts import mask
from heliograph.errors import SetupError

if TYPE_CHECKING:
    from heliograph.core.conversation import Conversation, Turn
    from heliograph.core.ports import Inbox
    from heliograph.settings import Settings

SHOWN = 200  # newest turns
app = App(
    name="conversations", help="What recipients answered, and what was answered to them.", help_format="plaintext"
)


@app.command(name="list")
def list_(
    site: str,
    /,
    *,
    state: Literal["open", "closed"] = "open",
    skill: str = "",
    recipient: str = "",
    limit: int = 50,
    full: Annotated[bool, given.Switch] = False,
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """List a site's conversations, the last touched first.

    Parameters
    ----------
    site
        The site's id.
    state
        open or closed.
    skill
        Of this skill only.
    recipient
        With this number, as in +17703101414.
    limit
        How many at most (1 to 1000).
    full
        Show phone numbers whole.
    """
    from heliograph.core.conversation import State
    from heliograph.core.ports import Inbox

    if not 1 <= limit <= 1000:
        raise say.NotUnderstood(f"--limit is {limit}; 1 to 1000 is needed.")
    wanted = Inbox(site=site, state=State(state), skills=(skill,) if skill else (), recipient=recipient, limit=limit)
    rows = asyncio.run(_list(given.settings(config, flags), wanted))
    if not full:
        rows = [msgspec.structs.replace(row, recipient=mask(row.recipient)) for row in rows]
    if json:
        say.data(rows)
        return
    now = given.now()
    say.table(
        ("=conversation", "touched", "=with", "skill", "agent", ">turns", "desk"),
        [
            (
                row.id,
                say.ago(row.touched, now),
                row.recipient,
                row.skill or "–",
                row.agent or "–",
                str(row.turns),
                f"{row.desk or '–'}{': waits' if row.trouble else ''}",
            )
            for row in rows
        ],
        empty=f"No {state} conversations here. The first reply to an alert opens one.",
    )


@app.command
def show(
    site: str,
    conversation: str,
    /,
    *,
    full: Annotated[bool, given.Switch] = False,
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Tell one conversation turn by turn.

    Parameters
    ----------
    site
        The site's id.
    conversation
        Its id, from `heliograph conversations list`.
    full
        Show the phone number whole.
    """
    there, turns = asyncio.run(_show(given.settings(config, flags), site, conversation))
    if not full:
        there = msgspec.structs.replace(there, recipient=mask(there.recipient))
    if json:
        say.data({"conversation": there, "turns": turns})
        return
    whose = f", {there.agent}'s" if there.agent else ""
    say.line(f"{there.recipient} · {there.skill or 'no skill'} · {there.state.value}{whose} · desk {there.desk or '–'}")
    if there.trouble:
        say.note(f"Its desk has not taken the last turns: {there.trouble}")
    say.table(
        (">turn", "when", "who", "what"),
        [(str(turn.number), say.when(turn.at), turn.author or turn.by.value, _said(turn)) for turn in turns],
        empty="It has no turns.",
    )


def _said(turn: Turn) -> str:
    words = say.clean(turn.text)
    if turn.leaves:
        return f"{words}\n  {turn.state}{f', {turn.reason}' if turn.reason else ''}"
    return words if turn.kind == "text" else f"[{turn.kind}] {words}"


async def _list(settings: Settings, wanted: Inbox) -> list[Conversation]:
    async with given.store(settings) as store:
        given.site_known(wanted.site, (await store.changes(0)).sites)
        return await store.conversations(wanted)


async def _show(settings: Settings, site: str, id: str) -> tuple[Conversation, list[Turn]]:
    async with given.store(settings) as store:
        there = await store.conversation(site, id)
        if there is None:
            given.site_known(site, (await store.changes(0)).sites)
            raise SetupError(
                f"The site {site} has no conversation {id}. `heliograph conversations list {site}` shows what it has.",
                code="unknown_conversation",
            )
        return there, await store.turns(site, id, newest=True, limit=SHOWN)
