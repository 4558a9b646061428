"""A conversation: what a recipient's reply opens, and the turns in it. Its rules: which one a reply joins, what may be
answered, and when.

Times are milliseconds since the epoch, UTC. A conversation's id ends in three zeros like an alert's; a turn that leaves
for the recipient has that id with its number there (core.alert.attempt_id), so whoever knows it knows its conversation.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from heliograph.core.content import Content
from heliograph.core.event import Attached, Place
from heliograph.core.states import AttemptState

CONSOLE = "console"  # the desk of a site that names none
MOST_TURNS = (
    4000  # in one conversation; the next one opens another, since a turn's number is three hex digits of its id
)
FULL = 4090  # turns after which nothing of ours can leave in it any more: 4,095 have an id
PREVIEW = 120  # characters of the last turn that a list shows
WISH = "opt_out_wish"  # flag: words that may mean "write no more", for the agent to judge
RESUME = "resumed"


class By(StrEnum):
    """Who speaks. `heliograph`: what it says itself (the confirmation of an opt-out), and what happened (claimed,
    transferred, closed)."""

    RECIPIENT = "recipient"
    AGENT = "agent"
    HELIOGRAPH = "heliograph"


class State(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class Closer(StrEnum):
    """`recipient`: by an opt-out. `agent`: in the console. `desk`: at the desk, which told us. `operator`: by API."""

    RECIPIENT = "recipient"
    AGENT = "agent"
    DESK = "desk"
    OPERATOR = "operator"
    HELIOGRAPH = "heliograph"


class Conversation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`alert`: the one whose answer opened it; `alerts`: all that its turns answered, the newest last, ten at most.
    `desk`: at which it is kept; empty for an exchange of keywords alone, which no agent sees as open. `reference`:
    the desk's own id, once it has it. `turns`: the number of the last turn; `handed`: up to which turn the desk has
    taken the recipient's words. `channel`, `sender`: of the recipient's last turn; answers go there. `heard`: when
    that was. `left`: up to which turn ours have left for the recipient, or came to an end. `doubt`: the turn of
    which nobody knows whether the desk took it, 0 where there is none. `told_closed`: the desk knows that it is
    closed. `waiting`: since when the recipient waits for an answer, None where the last word is ours. `agent`: the
    user who claimed it. `former`: the one before, with the same recipient and skill. `trouble`: why the desk has
    not taken the last turns yet, without personal data. `name`: first and last name as the newest alert gave them.
    `language`: of that alert."""

    id: str
    site: str
    recipient: str
    skill: str
    desk: str = CONSOLE
    alert: str = ""
    alerts: tuple[str, ...] = ()
    reference: str = ""
    state: State = State.OPEN
    closed_by: Closer | None = None
    opened: int
    closed: int | None = None
    touched: int
    turns: int = 0
    handed: int = 0
    left: int = 0
    doubt: int = 0
    told_closed: bool = False
    channel: str = ""
    sender: str = ""
    heard: int = 0
    waiting: int | None = None
    agent: str = ""
    former: str = ""
    flags: tuple[str, ...] = ()
    trouble: str = ""
    name: str = ""
    language: str = ""
    preview: str = ""
    test: bool = False


class Turn(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One utterance, or one thing that happened (`by` heliograph, kind opened | claimed | released | transferred |
    closed | reopened | opted_out | resumed; `text` then names the skill or the scope). What heliograph says itself is
    of kind confirmation: the answer to a keyword.

    `kind` of words: text | tap | location | file | template | other. `author`: the agent's name as the desk or console
    has it. `alert`, `rule`: of a recipient's turn, which alert it answers and how that was found (quoted | offered |
    option | newest | none). `state`, `reason`: of a turn that leaves; None where nothing leaves. `content`: what leaves
    where it is more than text. `event`: the provider's or the desk's own id of it. `seen`: how far the agent's side has
    read a recipient's turn.
    """

    conversation: str
    site: str
    number: int
    at: int
    by: By
    kind: str = "text"
    text: str = ""
    author: str = ""
    alert: str = ""
    rule: str = ""
    channel: str = ""
    sender: str = ""
    event: str = ""
    postback: str = ""
    attached: tuple[Attached, ...] = ()
    place: Place | None = None
    flags: tuple[str, ...] = ()
    id: str = ""
    content: Content | None = None
    traffic: str = "service_request"
    expires: int | None = None
    state: AttemptState | None = None
    reason: str = ""
    tries: int = 0
    references: tuple[str, ...] = ()

    @property
    def leaves(self) -> bool:
        return self.state is not None


def joined(
    open_ones: Iterable[Conversation], *, alert: str, skill: str, test: bool, one_per_recipient: bool
) -> Conversation | None:
    """The open conversation that a recipient's turn joins: the one in which this alert was spoken of already, else the
    one of the same skill, else (at a desk that allows one per person) any. None: it opens one."""
    fitting = [one for one in open_ones if one.state is State.OPEN and one.test is test and one.turns < MOST_TURNS]
    for one in fitting:
        if alert and alert in one.alerts:
            return one
    for one in fitting:
        if one.skill == skill or one_per_recipient:
            return one
    return None


def preview(turn: Turn) -> str:
    """The line that a list shows of a turn: of words, their beginning; of anything else, its kind in brackets."""
    words = " ".join(turn.text.split())
    if words:
        return words if len(words) <= PREVIEW else words[: PREVIEW - 1] + "…"
    return f"[{turn.kind}]"


def window_ends(heard: int, window: int) -> int | None:
    """Until when (ms) free words may be sent to a recipient who wrote at `heard`; None where the channel has no such
    window (core.channel.Carries.window, seconds)."""
    return heard + window * 1000 if window else None
