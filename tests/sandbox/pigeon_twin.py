"""A small provider of the tests' own: pigeons that give messages ids of their own and post to an address per message.

It has what Google lacks: provider-made ids beside the sender's, an answer that is not what `content` reads, `sent` and
`failed`, credentials, no proof of a webhook, and a limited number of tries.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from heliograph.core.content import Text
from heliograph.core.ports import Call
from heliograph.core.twin import (
    About,
    Arrival,
    Failed,
    Happening,
    KnownSender,
    Posting,
    Said,
    Shown,
    Tapped,
    TwinAnswer,
    World,
)

NAME = "pigeon"
CHANNEL = "sms"
PREFIXES = ("/pigeons/",)
POSTING = Posting(any_2xx=True, tries=2)


class Sending(msgspec.Struct, frozen=True):
    """What is posted to /pigeons/<sender>."""

    to: str
    text: str
    ours: str = ""
    post_to: str = ""
    part: int = 0
    parts: int = 1
    group: str = ""


def body_limit(path: str) -> int:
    return 10_000


def credentials(secret: Callable[[int], str]) -> dict[str, str]:
    return {"seed": secret(16)}


def answer(call: Call, world: World) -> TwinAnswer:
    sender = world.sender(NAME, call.url.rpartition("/")[2])
    if sender is None or call.headers.get("authorization") != f"Seed {sender.credentials['seed']}":
        return TwinAnswer(status=401)
    sending = msgspec.json.decode(call.body, type=Sending)
    message = f"P{world.new_id()}"
    world.received(sender.id, sending.ours or message)
    rule = world.misbehaviour("create", sending.to, sender.id, sending.ours or message, provider=NAME)
    if rule is not None and rule.do in ("refuse", "error", "throttle", "unreachable"):
        return TwinAnswer(status=rule.status, body=rule.code.encode())
    if world.opted_out(sending.to, NAME, sender.id):
        return TwinAnswer(status=410)
    answered = msgspec.json.encode({"id": message})
    world.take(
        Arrival(
            id=message,
            ours=sending.ours,
            sender=sender.id,
            provider=NAME,
            number=sending.to,
            resource=call.body,
            answer=answered,
            fails="" if world.reach(sending.to).has_sms else "no-roof",
            source="loft-2",
            part=sending.part,
            parts=sending.parts,
            group=sending.group,
        )
    )
    return TwinAnswer(status=201, body=answered)


def tell(happening: Happening, sender: KnownSender, world: World) -> Call | None:
    kind = type(happening).__name__.lower()
    said: dict[str, str] = {"kind": kind, "number": happening.number, "to": happening.to}
    url = sender.webhook
    match happening:
        case Said(text=text, in_reply_to=quoted):
            said |= {"text": text, "quotes": quoted}
        case About(message=message, resource=resource):
            said["message"] = message
            if not isinstance(happening, Tapped):
                url = msgspec.json.decode(resource, type=Sending).post_to
        case _:
            return None
    if isinstance(happening, Failed):
        said["code"] = happening.code or "hawk"
    return Call(method="POST", url=url, headers={}, body=msgspec.json.encode(said)) if url else None


def answered(body: bytes, happening: Happening, sender: KnownSender, world: World) -> None:
    if body:
        world.note("answered", number=happening.number, sender=sender.id, detail=body.decode())


def challenge(sender: KnownSender, secret: str) -> None:
    return None


def content(resource: bytes, world: World) -> Shown:
    return Shown(content=Text(text=msgspec.json.decode(resource, type=Sending).text), footer="by pigeon")


def keyword(number: str, wanted: bool) -> str:
    return "COO" if wanted else "SHOO"
