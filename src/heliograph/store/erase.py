"""Erasing a recipient: what is known of him goes, a bite at a time; his opt-outs stay under another name."""

from __future__ import annotations

from heliograph.core.alert import attempt_id
from heliograph.core.ports import Erased
from heliograph.core.webhook import opt_out_subject
from heliograph.store import claims, conversations, journal, receipts, standing
from heliograph.store.hidden import Hide
from heliograph.store.outside import short
from heliograph.store.verb import Verb

ALERTS = 50  # in one transaction, each with its journal: some 10 ms of the writer's time
ROWS = 500  # of short ones
MOST = 10_000  # that are counted before anything is erased
_OF_CONVERSATIONS = ("answer", "desk")

Place = tuple[str, str, str]


def hide(site: str, recipient: str, hide: Hide) -> Verb[int]:
    """His opt-outs in force are kept under the hashed name; how many. What he took back is forgotten with him."""
    hidden = hide(site, recipient)
    rows = yield "opt_outs_take", (site, recipient)
    kept = 0
    for scope, wanted, at, since, how, by in rows:
        yield from _told(site, opt_out_subject(site, recipient, scope))
        if not wanted:
            yield "opt_out_hide", (site, hidden, scope, at, since, how, by)
            kept += 1
    return kept


def bite(site: str, recipient: str) -> Verb[Erased]:
    """Some of what there is. Nothing left: an Erased that counts nothing."""
    alerts = yield "erase_alerts", (site, recipient, ALERTS)
    for (alert,) in alerts:
        yield from _alert(site, alert)
    spoken = yield "erase_conversations", (site, recipient, ALERTS)
    for (conversation,) in spoken:
        yield from _conversation(site, conversation)
    said = yield "erase_inbound", (site, recipient, ROWS)
    answers = 0
    sender = ""
    while rows := (yield "capability_sender_after", (site, sender)):
        sender = rows[0][0]
        answers += len((yield "erase_capability", (site, sender, recipient)))
    yield "erase_person", (site, recipient)
    yield "erase_keywords", (site, recipient)
    return Erased(alerts=len(alerts), conversations=len(spoken), replies=len(said), capabilities=answers)


def unmatched(site: str, recipient: str, after: Place) -> Verb[tuple[int, Place | None]]:
    """His receipts among ROWS of those without an attempt, and where to go on (None: that was the last)."""
    rows = yield "early_after", (site, *after, ROWS)
    gone = 0
    for sender, reference, event, body in rows:
        if receipts.waiting(body).sender_of_event == recipient:
            yield "erase_early", (site, sender, reference, event)
            yield "reference_drop", (site, sender, reference)
            gone += 1
    return gone, tuple(rows[-1][:3]) if len(rows) == ROWS else None


def counted(site: str, recipient: str) -> Verb[Erased]:
    """What would be erased, each counted to MOST; receipts without an attempt, which have to be searched for, are not
    counted."""
    alerts, spoken, replies, opt_outs = (yield "erasable", (site, recipient, MOST))[0]
    answers = 0
    sender = ""
    while rows := (yield "capability_sender_after", (site, sender)):
        sender = rows[0][0]
        answers += len((yield "capability_read", (site, sender, recipient)))
    return Erased(alerts=alerts, conversations=spoken, replies=replies, capabilities=answers, opt_outs=opt_outs)


def _alert(site: str, alert: str) -> Verb[None]:
    """The row, its journal, and all that names it or its attempts."""
    rows = yield "alert_lock", (site, alert)
    yield from claims.forget(site, alert, rows[0][5])
    pages = journal.Pages((yield "journal_of", (site, alert)))
    for one in standing.read(rows[0][-1]):
        attempt = attempt_id(alert, one.number)
        for reference in pages.attempt(attempt, one).references:
            yield "erase_reference", (site, one.sender, short(reference))
        for kind in ("attempt", "step"):
            yield "due_drop", (site, kind, attempt)
        yield "doubt_drop", (site, attempt)
    yield from _told(site, alert)
    yield "due_drop", (site, "alert", alert)
    yield "erase_mentions", (site, alert)
    yield "erase_journal", (site, alert)
    yield "erase_alert", (site, alert)


def _conversation(site: str, conversation: str) -> Verb[None]:
    """The row, its turns, and the providers' names for those that left (WhatsApp's holds the number)."""
    yield "conversation_lock", (site, conversation)  # first: whoever writes a turn has it, and would leave it behind
    yield from _told(site, conversation)
    after = 0
    while turns := (yield from conversations.turns(site, conversation, after, False, ROWS)):
        for turn in turns:
            for reference in turn.references:
                yield "erase_reference", (site, turn.sender, short(reference))
        after = turns[-1].number
    yield "erase_turns", (site, conversation)
    for kind in _OF_CONVERSATIONS:
        yield "due_drop", (site, kind, conversation)
    yield "erase_conversation", (site, conversation)


def _told(site: str, subject: str) -> Verb[None]:
    """What the brand was told of it, and what it has not taken yet: an event holds the number and the words."""
    yield "due_drop", (site, "webhook", subject)
    yield "erase_outbox", (site, subject)
    yield "erase_outbox_head", (site, subject)
