"""SMS through an SMS centre: SMPP 3.4, a transceiver bind that stays open.

Facts that shape this file: a centre does not know our ids, so a repeat is a second message, and what is unanswered when
a line breaks is in doubt; a long text is several messages, each taken or refused by itself; receipts come on the same
line as everything else, and are acknowledged only when they are on disk.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import ssl
import zlib
from weakref import WeakValueDictionary

import msgspec

from heliograph.channels.pace import Pace
from heliograph.channels.sms import smpp_answers, smpp_pdu
from heliograph.channels.sms import smpp_numbers as n
from heliograph.channels.sms.smpp_check import check, measure
from heliograph.channels.sms.smpp_faults import fault
from heliograph.channels.sms.smpp_followed import Followed
from heliograph.channels.sms.smpp_hearing import Hearing
from heliograph.channels.sms.smpp_ids import Ids
from heliograph.channels.sms.smpp_line import Line
from heliograph.channels.sms.smpp_questions import Questions
from heliograph.channels.sms.smpp_sending import Sending, Verdict
from heliograph.channels.sms.smpp_settings import Settings
from heliograph.channels.sms.smpp_text import pieces
from heliograph.core.channel import Capability, Carries, Reach
from heliograph.core.content import Media, Text
from heliograph.core.event import Receipt
from heliograph.core.ports import Call, Heard, Message, Revoked, Taken, Uploaded, Ways
from heliograph.core.site import Sender
from heliograph.core.states import AttemptState
from heliograph.errors import Blame, CallRefused, Fate, SendError, SetupError

__all__ = [
    "CALLBACKS",
    "CARRIES",
    "LONGEST",
    "NAME",
    "SECRETS",
    "Settings",
    "Smpp",
    "check",
    "hosts",
    "lacks",
    "measure",
    "open",
]

NAME = "smpp"
SECRETS = frozenset({"password"})
CARRIES = Carries()

LONGEST = 1_600  # characters of an agent's answer: 11 parts of GSM-7, 24 of UCS-2. The wire would take 255 parts
CALLBACKS = False  # receipts and replies come down the line

GOOD_BYE = 2.0  # seconds to unbind in


# The open sender of each (way out, site, name): a new one under the name takes over from it.
_open: WeakValueDictionary[tuple[int, str, str], Smpp] = WeakValueDictionary()


def hosts(settings: Settings) -> tuple[str, ...]:
    """The centre, or the sandbox's."""
    return (settings.shown,)


def lacks(settings: Settings, public: bool) -> tuple[str, ...]:
    """A centre calls nobody, so that `public` says nothing."""
    return ("registered_delivery is 0: no receipt comes.",) if settings.registered_delivery == 0 else ()


def open(sender: Sender, settings: msgspec.Struct, ways: Ways) -> Smpp:
    """The sender, connecting behind our back. One that is open under its name gives way first, since an account has so
    many binds and no more. Raises SetupError for a `ca` that cannot be used."""
    if not isinstance(settings, Settings):
        settings = msgspec.convert(msgspec.to_builtins(settings), Settings)
    try:
        key = (id(ways.out), sender.site, sender.name)  # a house has one way out
        former = _open.get(key)
        made = Smpp(settings, ways, former if former is not None and former.is_open else None)
    except ssl.SSLError as broken:
        raise SetupError(
            f"Sender {sender.name}: `ca` holds no certificate in PEM form. Set ca_file in the site's file and apply it "
            "again.",
            code="no_certificate",
        ) from broken
    _open[key] = made
    return made


class Smpp:
    """One sender, opened (core.ports.Provider)."""

    repeats_are_ignored = False
    asks_capability = False
    asks_many = 0

    def __init__(self, settings: Settings, ways: Ways, former: Smpp | None) -> None:
        self.can_ask = settings.query
        self.can_revoke = settings.cancel
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._pace = Pace(settings.throughput)
        self._ids = Ids(settings.message_id_base)
        self._followed: Followed = former._followed if former is not None else Followed()
        self._hearing = Hearing(settings, ways.heard, self._ids, self._followed)
        self._line = Line(settings, ways.out, self._hearing)
        address = settings.address.removeprefix("+")
        self._source = smpp_pdu.source(settings.service_type, settings.ton, settings.npi, address)
        self._questions = Questions(settings, self._line)
        self._references = itertools.count(random.randrange(256))
        self._successor: Smpp | None = None
        self._closed: asyncio.Task[None] | None = None
        self._hearing.start()
        if former is None:
            self._line.start()
        else:
            former._give_way(self)

    async def capability(self, recipient: str, now: int, deadline: float) -> Capability:
        return Capability(reach=Reach.UNKNOWN, asked=now, reason="not_asked")

    async def send(self, message: Message, deadline: float) -> Taken:
        """Hands over every part, or says what is true instead. Raises SendError; a repeat is a second message unless
        its fate is `retry`."""
        if self._successor is not None:
            return await self._successor.send(message, deadline)
        started = self._loop.time()
        if message.expires <= message.now:
            raise _ours("expired", "The alert's time ended before it was sent.", Blame.CALLER)
        faults = check(message.content)
        if faults or not isinstance(message.content, Text):
            raise _ours("invalid_message", f"The message cannot be an SMS: {' '.join(faults)}", Blame.CALLER)
        if not message.recipient.removeprefix("+").isdigit():
            raise _ours("invalid_recipient", "The recipient is not a number.", Blame.CALLER)
        # Nothing is sent after the alert's end, however long the caller would wait.
        deadline = min(deadline, started + (message.expires - message.now) / 1000)
        reference = zlib.crc32(message.id.encode()) & 0xFFFF
        bodies = self._bodies(message, message.content.text, reference)
        await self._pace.take(len(bodies), deadline)
        sending = Sending(
            message.id,
            message.recipient,
            reference,
            bodies,
            deadline=deadline,
            over=self._loop.create_future(),
            took=self._took,
            later=self._later,
        )
        self._followed.begin(sending)
        timer = self._loop.call_at(deadline, self._late, sending)
        try:
            self._line.put(sending)
            await sending.over
        except asyncio.CancelledError:
            sending.end("closed")  # nobody waits any more: what is not written stays so, what was is followed
            raise
        finally:
            timer.cancel()
            if sending.verdict is not Verdict.UNKNOWN:
                self._followed.answered(sending)
        return self._outcome(sending, started)

    async def revoke(self, message_id: str, recipient: str, deadline: float) -> Revoked:
        """cancel_sm for every part. Raises SendError."""
        if self._successor is not None:
            return await self._successor.revoke(message_id, recipient, deadline)
        return await self._questions.cancel(message_id, recipient, deadline)

    async def ask(self, message_id: str, references: tuple[str, ...], deadline: float) -> Receipt | None:
        """query_sm for every part. Raises SendError."""
        if self._successor is not None:
            return await self._successor.ask(message_id, references, deadline)
        return await self._questions.query(message_id, references, deadline) if self.can_ask else None

    async def upload(self, media: Media, data: bytes, content_type: str, now: int, deadline: float) -> Uploaded:
        raise _ours("unsupported", "An SMS carries no files.", Blame.CALLER)

    def read(self, call: Call) -> Heard:
        raise CallRefused("An SMS centre speaks SMPP and posts no callbacks.", code="no_callbacks")

    @property
    def is_open(self) -> bool:
        """Its binds are kept up here and now, or about to be given up."""
        return self._loop is asyncio.get_running_loop() and (self._closed is None or not self._closed.done())

    def health(self) -> dict[str, object]:
        """How the line is: binds up, the window in use, what waits, the last error."""
        return self._line.health()

    def trouble(self) -> str:
        return self._line.trouble()

    async def close(self) -> None:
        """Unbinds and closes within two seconds; what was heard is written down first."""
        if self._closed is None:
            self._closed = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closed)

    async def _close(self) -> None:
        deadline = self._loop.time() + GOOD_BYE
        await self._line.close(deadline - GOOD_BYE / 2)
        await self._hearing.close(deadline)

    def _give_way(self, successor: Smpp) -> None:
        """What is under way here comes to its end; what is not written yet, and all that comes, is the successor's."""
        self._successor = successor
        successor._hearing.inherit(self._hearing)
        if self._closed is None:
            self._closed = asyncio.ensure_future(self._close())
        self._closed.add_done_callback(lambda _: successor._line.start())

    # ── one message ─────────────────────────────────────────────────────────────────────────────────────────────

    def _bodies(self, message: Message, text: str, reference: int) -> list[bytes]:
        settings = self._settings
        data_coding, parts = pieces(
            text, long=settings.long, latin1=settings.latin1, reference=next(self._references) & 0xFF
        )
        return [
            smpp_pdu.submit(
                self._source,
                self._destination(message.recipient),
                esm_class=part.esm_class,
                protocol_id=settings.protocol_id,
                priority=settings.priority,
                validity=smpp_pdu.validity(settings.validity, message.now, message.expires),
                registered=settings.registered_delivery,
                data_coding=data_coding,
                text=part.text,
                optional=part.optional
                + (smpp_pdu.tlv(n.TLV_USER_MESSAGE_REFERENCE, reference.to_bytes(2)) if settings.reference else b""),
            )
            for part in parts
        ]

    def _destination(self, recipient: str) -> bytes:
        settings = self._settings
        address = recipient if settings.recipient_plus else recipient.removeprefix("+")
        return bytes((settings.recipient_ton, settings.recipient_npi)) + address.encode("ascii") + b"\0"

    def _late(self, sending: Sending) -> None:
        sending.end("no_answer" if sending.flying else self._line.why(sending))

    def _outcome(self, sending: Sending, started: float) -> Taken:
        """Taken, or the error that is true. What was not written and not taken may be tried again."""
        milliseconds = (self._loop.time() - started) * 1000
        verdict = sending.verdict
        if verdict is Verdict.TAKEN:
            given = [one for one in sending.references if one]
            self._questions.took(sending)
            return Taken(
                references=self._ids.names(given),
                raw=msgspec.json.encode({"message_id": given[0] if len(given) == 1 else given}),
                exchange=self._line.exchange(status=0, milliseconds=milliseconds),
            )
        status = sending.status or sending.throttled
        note = self._line.exchange(status=status or None, milliseconds=milliseconds)
        if verdict is Verdict.NOT_TAKEN:
            if sending.status:
                return _raise(smpp_answers.refused(sending.status, exchange=note))
            if sending.why == "throttled":
                return _raise(fault("throttled", exchange=note, retry_after=max(0.1, self._line.pause_left())))
            return _raise(self._line.down() if sending.why == "down" else fault(sending.why, exchange=note))
        some = sending.taken and not sending.lost and not sending.flying
        word = "partly_taken" if some else "line_broke" if sending.why == "line_broke" else "no_answer"
        return _raise(fault(word, exchange=note))

    def _took(self, sending: Sending, number: int, message_id: str) -> None:
        """One part was taken. Those of several parts, and late ones, are followed here; else the store knows."""
        if message_id and (len(sending.parts) > 1 or sending.over.done()):
            self._followed.follow(sending, number, self._ids.names((message_id,)))

    def _later(self, sending: Sending) -> None:
        """An answer came after its caller was told that the message is in doubt: that settles it."""
        verdict = sending.verdict
        if verdict is Verdict.UNKNOWN:
            return
        self._followed.answered(sending)
        taken = verdict is Verdict.TAKEN
        status = sending.status or sending.throttled
        row = smpp_answers.ANSWERS.get(status, smpp_answers.OTHER)
        told = {"late_answer": smpp_answers.name(0 if taken else status), "message_id": sending.references}
        self._hearing.tell(
            Receipt(
                event=f"late-{sending.id}-{verdict}",
                state=AttemptState.SENT if taken else AttemptState.FAILED,
                attempt=sending.id,
                reference=sending.references[0],
                sender_of_event=sending.recipient,
                reason="" if taken else row.code,
                raw=msgspec.Raw(msgspec.json.encode(told)),
            )
        )


def _raise(error: SendError) -> Taken:
    raise error


def _ours(code: str, sentence: str, blame: Blame = Blame.US) -> SendError:
    return SendError(f"{sentence} Nothing was sent.", code=code, fate=Fate.PERMANENT, blame=blame)
