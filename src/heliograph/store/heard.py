"""What providers tell: receipts, the recipient's words, opt-outs, and what nobody can read. Each event counts once."""

from __future__ import annotations

from hashlib import sha256
from uuid import uuid4

import msgspec

from heliograph.core import option, wish
from heliograph.core.alert import alert_of, number_of
from heliograph.core.content import Reply, suggestions_of
from heliograph.core.conversation import WISH
from heliograph.core.event import Entry, Inbound, OptOutHeard, ProviderEvent, Receipt, UnknownEvent
from heliograph.core.notice import Notice
from heliograph.core.obey import Obeyed
from heliograph.core.optout import OptOut
from heliograph.core.ports import Joined
from heliograph.core.site import Site
from heliograph.core.webhook import Tell
from heliograph.store import conversations, journal, keywords, receipts, turns
from heliograph.store.codec import encode
from heliograph.store.hidden import Hide
from heliograph.store.outside import short, sound
from heliograph.store.verb import Row, Verb

ANY = "*"  # no sender's name: an event that counts once whichever sender hears of it
OFFERS = 20  # newest attempts of a recipient that are searched for the suggestion that was tapped
_event = msgspec.json.Decoder(ProviderEvent).decode
_site = msgspec.json.Decoder(Site).decode


def hear(
    site: str,
    channel: str,
    sender: str,
    events: tuple[ProviderEvent, ...],
    now: int,
    hide: Hide,
    tell: Tell = None,
) -> Verb[list[Joined]]:
    """All events of one callback. One that is no good is kept as such and stops no neighbour."""
    events = tuple(map(sound, events))
    if len(events) > 1:
        yield from _lock(site, sender, events, now)
    joined: list[Joined] = []
    for event in events:
        joined.append((yield from _one(site, channel, sender, event, now, hide, tell)))
    return joined


def _lock(site: str, sender: str, events: tuple[ProviderEvent, ...], now: int) -> Verb[None]:
    """Lock the alerts that receipts speak of, then the recipients who write, then the conversations of turns that
    receipts speak of, each in one order for all callbacks, so that no two wait for each other."""
    alerts: set[str] = set()
    spoken: set[str] = set()
    for event in events:
        if isinstance(event, Receipt):
            alert, attempt = yield from receipts.find(site, sender, event.attempt, event.reference)
            alerts.add(alert)
            if alert == receipts.TURN:
                spoken.add(alert_of(attempt))
    for alert in sorted(alerts - {"", receipts.TURN}):
        yield "alert_lock", (site, alert)
    for recipient in sorted({short(event.recipient) for event in events if isinstance(event, Inbound | OptOutHeard)}):
        yield "person_lock", (site, recipient, now)
    for conversation in sorted(spoken):
        yield from conversations.lock(site, conversation)


def _one(site: str, channel: str, sender: str, event: ProviderEvent, now: int, hide: Hide, tell: Tell) -> Verb[Joined]:
    # An event without an id cannot be told from its repeat: it counts each time.
    name = short(event.event) or f"none:{uuid4().hex}"
    body = encode(event) if isinstance(event, UnknownEvent) else b""
    rows = yield "heard_put", (site, sender, name, now, body)
    if rows and isinstance(event, Inbound) and event.event:
        # What a person said may come to a second callback of the site too: a number's and its service's, or a webhook
        # that is forwarded. It is one message, whoever hears of it.
        rows = yield "heard_put", (site, ANY, _of_person(event), now, b"")
    if not rows:
        return Joined(duplicate=True)
    match event:
        case Receipt():
            return (yield from _receipt(site, channel, sender, event, name, now, hide, tell))
        case Inbound():
            return (yield from _inbound(site, channel, sender, event, name, now, hide, tell))
        case OptOutHeard():
            return (yield from _opt_out(site, channel, sender, event, now, hide, tell))
        case UnknownEvent():
            return Joined()


def _of_person(said: Inbound) -> str:
    """The person and the provider's id of the message in one key, which shows neither."""
    return sha256(f"{said.recipient}\0{said.event}".encode("utf-8", "surrogatepass")).hexdigest()


def _receipt(
    site: str, channel: str, sender: str, receipt: Receipt, name: str, now: int, hide: Hide, tell: Tell
) -> Verb[Joined]:
    alert, attempt = yield from receipts.find(site, sender, receipt.attempt, receipt.reference)
    if not attempt:
        alert, attempt = yield from receipts.wait(site, channel, sender, receipt, name, now)
    if not attempt:
        return Joined()
    state = yield from receipts.apply(site, alert, attempt, receipt, now, hide, channel, tell)
    if alert == receipts.TURN:
        return Joined(attempt=attempt, state=state, conversation=alert_of(attempt), turn=number_of(attempt))
    return Joined(alert=alert, attempt=attempt, state=state)


def _inbound(
    site: str, channel: str, sender: str, said: Inbound, name: str, now: int, hide: Hide, tell: Tell
) -> Verb[Joined]:
    typed = said
    alert, attempt, rule, chosen = yield from _answered(site, sender, said, now)
    detail: dict[str, str] = {"rule": rule}
    if chosen is not None:
        detail["said"] = said.text
        said = msgspec.structs.replace(said, kind="tap", text=chosen.text, postback=chosen.postback)
    recipient = short(said.recipient)
    yield "inbound_put", (site, recipient, now, name, sender, channel, alert, rule, encode(said))
    if said.kind == "typing":
        there = yield from _spoken_with(site, recipient, alert)
        return Joined(alert=alert, attempt=attempt, conversation=there)
    if alert:
        yield from _note(site, alert, attempt, "replied", said, now, **detail)
    reply = turns.Reply(
        site=(yield from _site_of(site)),
        recipient=recipient,
        channel=channel,
        sender=sender,
        said=said,
        alert=alert,
        rule=rule or "none",
        now=now,
        tell=tell,
    )
    answered = yield from turns.alert_in(site, alert)
    done = yield from keywords.heard(reply, typed, answered, chosen is not None, hide)
    if done is not None:
        return (yield from _obeyed(done, site, alert, attempt, said, now))
    if typed.kind in ("text", "file") and wish.is_one(typed.text, keywords.spoken(reply, answered)):
        reply = msgspec.structs.replace(reply, flags=(WISH,))
    conversation, turn = yield from turns.heard(reply, answered)
    return Joined(alert=alert, attempt=attempt, conversation=conversation.id, turn=turn.number)


def _obeyed(
    done: keywords.Done, site: str, alert: str, attempt: str, event: Inbound | OptOutHeard, now: int
) -> Verb[Joined]:
    obeyed = done.obeyed
    if alert:
        yield from _note(site, alert, attempt, obeyed.kind, event, now, scope=obeyed.scope)
    there, turn = done.conversation, done.turn
    return Joined(alert=alert, attempt=attempt, conversation=there.id if there else "", turn=turn.number if turn else 0)


def _spoken_with(site: str, recipient: str, alert: str) -> Verb[str]:
    """The open conversation in which somebody is typing: the one about this alert, else the newest."""
    there = yield from conversations.open_with(site, recipient)
    about = [one.id for one in there if alert in one.alerts] or [one.id for one in there]
    return about[0] if about else ""


def _answered(site: str, sender: str, said: Inbound, now: int) -> Verb[tuple[str, str, str, Reply | None]]:
    """The alert and the attempt that somebody answers, the rule that found them (quoted | offered | option | newest),
    and the option that the words choose, where they choose one (core.option)."""
    words = said.text if said.kind == "text" and not said.postback else ""
    quoted = ("", "")
    if said.in_reply_to:
        quoted = yield from receipts.find(site, sender, said.in_reply_to, said.in_reply_to)
        if quoted[0] == receipts.TURN:  # words of ours in the conversation: it is about that one's alert
            there = yield from conversations.read(site, alert_of(quoted[1]))
            return there.alerts[-1] if there and there.alerts else "", "", "quoted", None
        if quoted[1] and not words:
            return *quoted, "quoted", None
    rows = yield from _alerts_to(site, sender, said.recipient, now, OFFERS if said.postback or words else 1)
    for alert, body in rows if said.postback or words else ():
        attempt, content = journal.content_of(alert, body)
        if quoted[1] and attempt != quoted[1]:
            continue
        if said.postback and any(one.postback == said.postback for one in suggestions_of(content)):
            return alert, attempt, "offered", None
        chosen = option.chosen(content, words) if words else None
        if chosen is not None:
            return alert, attempt, "option", chosen
        if words and option.settles(content, words):
            break
    if quoted[1]:
        return *quoted, "quoted", None
    return (rows[0][0], journal.content_of(*rows[0])[0], "newest", None) if rows else ("", "", "", None)


def _alerts_to(site: str, sender: str, recipient: str, now: int, many: int) -> Verb[list[Row]]:
    """The newest alerts (id, its attempt's body) of a sender to a recipient, within the site's look-back."""
    look_back = (yield from _site_of(site)).look_back * 1000
    return (yield "alerts_to", (site, short(recipient), now - look_back, sender, many))


def _site_of(site: str) -> Verb[Site]:
    rows = yield "document_read", (site, "site", site)
    return _site(rows[0][0]) if rows and rows[0][0] else Site(id=site)


def _opt_out(
    site: str, channel: str, sender: str, heard: OptOutHeard, now: int, hide: Hide, tell: Tell
) -> Verb[Joined]:
    recipient = short(heard.recipient)
    at = now if heard.at is None else min(heard.at, now)  # a clock that is ahead must not outdo what is said later
    row = OptOut(site=site, recipient=recipient, scope=channel, at=at, how="provider", by=sender, wanted=heard.wanted)
    rows = yield from _alerts_to(site, sender, recipient, now, 1)
    alert, attempt = (rows[0][0], journal.content_of(*rows[0])[0]) if rows else ("", "")
    reply = turns.Reply(
        site=(yield from _site_of(site)),
        recipient=recipient,
        channel=channel,
        sender=sender,
        said=Inbound(event=heard.event, recipient=recipient, kind="other", at=heard.at),
        alert=alert,
        rule="newest" if alert else "none",
        now=now,
        tell=tell,
    )
    obeyed = Obeyed(
        kind="resumed" if heard.wanted else "opted_out",
        notice=Notice.RESUMED if heard.wanted else Notice.CONFIRMATION,
        scope=channel,
        rows=(row,),
    )
    answered = yield from turns.alert_in(site, alert)
    if alert:
        yield "alert_lock", (site, alert)  # before the recipient, as everywhere
    done = yield from keywords.told(reply, answered, obeyed, hide, confirmed=heard.confirmed)
    return (yield from _obeyed(done, site, alert, attempt, heard, now))


def _note(
    site: str, alert: str, attempt: str, kind: str, event: Inbound | OptOutHeard, now: int, **detail: object
) -> Verb[None]:
    said = msgspec.Raw(encode({**detail, "event": msgspec.Raw(encode(event))}))
    line = Entry(at=now, kind=kind, by="provider", attempt=attempt, detail=said)
    rows = yield "alert_lock", (site, alert)
    state, reason, channel, send_at, pages, _, attempts = rows[0]
    yield "alert_move", (site, alert, state, reason, channel, send_at, pages + 1, attempts)
    yield journal.page(site, alert, pages + 1, (line,))


def inbound(site: str, recipient: str, limit: int) -> Verb[list[ProviderEvent]]:
    """What a recipient said, newest first."""
    rows = yield "inbound_of", (site, recipient, limit)
    return [_event(row[0]) for row in rows]


def last_inbound(site: str, sender: str, recipient: str, since: int) -> Verb[int | None]:
    """When (ms) the recipient last wrote to this sender, by the provider's time where it gave one: a callback may come
    days late. None: not after `since`."""
    rows = yield "inbound_from", (site, short(recipient), since, sender)
    said = [(at, _event(body)) for at, body in rows]
    times = [
        at if event.at is None else min(at, event.at)
        for at, event in said
        if isinstance(event, Inbound) and event.kind != "typing"
    ]
    return max((at for at in times if at >= since), default=None)
