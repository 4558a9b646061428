"""An SMS centre for the sandbox: SMPP 3.4 as the specification has it, over a line of its own.

Not from our adapter: from the specification; the two share a table of numbers. This file joins the centre
(smpp_twin_centre.py) to the sandbox's world: who may bind, what goes wrong, which phone a text goes to.

A sender's credentials hold its `password`, and may say how its centre is: `ids` (same | hex-decimal | decimal-hex),
`receipts` (text | tlv | both), `window` (submits without an answer), `per_second`, `binds` (at most).
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from heliograph.channels.sms import smpp_numbers as n
from heliograph.channels.sms import smpp_twin_text as texts
from heliograph.channels.sms import smpp_twin_wire as wire
from heliograph.channels.sms.smpp_twin_accounts import Account, Options, Ruling
from heliograph.channels.sms.smpp_twin_centre import Centre, Taken
from heliograph.channels.sms.smpp_twin_time import validity
from heliograph.core.content import Text
from heliograph.core.ports import Call
from heliograph.core.twin import (
    Arrival,
    Delivered,
    Expired,
    Failed,
    Happening,
    KnownSender,
    Misbehaviour,
    Said,
    Shown,
    TwinAnswer,
    World,
)

NAME = "smpp"
CHANNEL = "sms"
PREFIXES: tuple[str, ...] = ()  # it speaks no HTTP
SENDS: frozenset[str] = frozenset()  # an SMS is words alone

# What goes wrong where a rule names no status of its own.
USUAL = {
    "throttle": n.RTHROTTLED,
    "refuse": 0x66,  # RX_R_APPN: rejected, whoever it is for
    "error": n.RSYSERR,
    "unreachable": n.RINVDSTADR,
}
USUAL_BIND = {**USUAL, "refuse": n.RBINDFAIL}
NO_SUCH_PHONE = "UNDELIV/001"

# How a message stands in the world's books → the centre's word for it.
_STATS = {"delivered": "DELIVRD", "read": "DELIVRD", "failed": "UNDELIV", "expired": "EXPIRED", "revoked": "DELETED"}


class _Resource(msgspec.Struct, frozen=True):
    """What is kept of a part: the words on the phone."""

    text: str
    data_coding: int


def body_limit(path: str) -> int:
    return 0


def answer(call: Call, world: World) -> TwinAnswer:
    return TwinAnswer(status=404)


def tell(happening: Happening, sender: KnownSender, world: World) -> Call | None:
    return None


def challenge(sender: KnownSender, secret: str) -> tuple[Call, bytes] | None:
    return None


def credentials(secret: Callable[[int], str]) -> dict[str, str]:
    return {"password": secret(8)}


def content(resource: bytes, world: World) -> Shown:
    return Shown(content=Text(text=msgspec.json.decode(resource, type=_Resource).text))


def keyword(number: str, wanted: bool) -> str:
    return "START" if wanted else "STOP"


async def listen(world: World, host: str, port: int) -> SmsCentre:
    """Raises OSError where the address cannot be taken."""
    line = SmsCentre(world)
    await line.centre.start(host, port)
    return line


class SmsCentre:
    """The running line (core.twin.Line)."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.centre = Centre(
            self._account,
            judge=self._judge,
            took=self._took,
            withdraw=lambda taken: world.withdraw(taken.system_id, taken.number, str(taken.id)),
            stat=self._stat,
            admits=self._admits,
            now=world.now,
            first_id=world.now(),  # no id of an earlier run comes again
        )

    @property
    def port(self) -> int:
        return self.centre.port

    def told(self, happening: Happening, sender: KnownSender, taken: Callable[[], None]) -> None:
        match happening:
            case Said(text=text):
                to = happening.to or sender.address or sender.id
                self.centre.say(sender.id, happening.number, to, text, done=taken)
            case Delivered(message=message):
                self._receipt(message, "DELIVRD", "000", taken)
            case Expired(message=message):
                self._receipt(message, "EXPIRED", "000", taken)
            case Failed(message=message, code=code):
                stat, _, err = (code or NO_SUCH_PHONE).partition("/")
                self._receipt(message, stat, err or "000", taken)
            case _:
                pass  # a centre tells nothing else

    def cut(self) -> None:
        self.centre.drop()

    def clear(self) -> None:
        self.centre.clear()

    async def stop(self) -> None:
        await self.centre.stop()

    # ── what the centre asks ────────────────────────────────────────────────────────────────────────────────────

    def _account(self, system_id: str) -> Account | None:
        sender = self._world.sender(NAME, system_id)
        if sender is None:
            return None
        known = {name: value for name, value in sender.credentials.items() if name in Options.__struct_fields__}
        return Account(sender.credentials.get("password", ""), msgspec.convert(known, Options, strict=False))

    def _admits(self, system_id: str) -> Ruling:
        return _ruling(self._world.misbehaviour("bind", "", system_id, provider=NAME), USUAL_BIND)

    def _judge(self, submit: wire.Submit, system_id: str, id: int) -> Ruling:
        number = "+" + submit.destination.removeprefix("+")
        self._world.received(system_id, str(id))
        rule = self._world.misbehaviour("create", number, system_id, _same_again(submit, id), provider=NAME)
        return _ruling(rule, USUAL)

    def _took(self, taken: Taken) -> None:
        world, submit = self._world, taken.submit
        spot, octets = texts.spot(submit.esm_class, submit.octets, submit.optional)
        resource = _Resource(texts.read(octets, submit.data_coding), submit.data_coding)
        world.take(
            Arrival(
                id=str(taken.id),
                sender=taken.system_id,
                provider=NAME,
                number=taken.number,
                resource=msgspec.json.encode(resource),
                expires=validity(submit.validity, world.now()),
                fails="" if world.reach(taken.number).has_sms else NO_SUCH_PHONE,
                source=submit.source,
                parts=spot.total if spot else texts.parts(resource.text, submit.data_coding),
                part=spot.number if spot else 0,
                group=f"{submit.source}/{spot.reference}/{spot.total}" if spot else "",
            )
        )

    def _stat(self, taken: Taken) -> str:
        kept = self._world.kept(taken.system_id, str(taken.id))
        return _STATS.get(kept.state, "ENROUTE") if kept else taken.stat

    def _receipt(self, message: str, stat: str, err: str, done: Callable[[], None]) -> None:
        taken = self.centre.taken.get(int(message))
        if taken is not None:
            self.centre.receipt(taken, stat, err=err, done=done)


def _same_again(submit: wire.Submit, id: int) -> str:
    """What a repeat of the same part has in common with it: the caller's user_message_reference and the part's place;
    without one each submit is a message of its own."""
    reference = submit.optional.get(n.TLV_USER_MESSAGE_REFERENCE)
    if reference is None:
        return str(id)
    spot, _ = texts.spot(submit.esm_class, submit.octets, submit.optional)
    return f"reference {int.from_bytes(reference)} part {spot.number if spot else 1}"


def _ruling(rule: Misbehaviour | None, usual: dict[str, int]) -> Ruling:
    match rule.do if rule else "":
        case "slow":
            return Ruling(delay=rule.seconds if rule else 0.0)
        case "silent":
            return Ruling(end="hang")
        case "drop":
            return Ruling(end="drop")
        case "drop_before":
            return Ruling(end="drop", taken=False)
        case do if rule and do in usual:
            return Ruling(status=status(rule.code) or usual[do])
    return Ruling()


def status(code: str) -> int:
    """A rule's code as a command_status: "0x58", "88" or "ESME_RTHROTTLED"; 0 = none of them."""
    named = {name: number for number, name in n.STATUS.items()}
    if code in named:
        return named[code]
    try:
        return int(code, 0)
    except ValueError:
        return 0
