"""The story on a real SQLite file, with a provider that answers as it is told: the outside world, scripted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from heliograph.clock import SystemClock
from heliograph.core.alert import AlertRequest
from heliograph.core.channel import Capability, Carries, Reach, Size
from heliograph.core.content import Content, Text
from heliograph.core.event import Receipt
from heliograph.core.fallback import Fallback
from heliograph.core.ports import Answer, Call, Clock, Heard, Message, Revoked, Store, Taken, Uploaded
from heliograph.core.site import Sender, Site
from heliograph.core.template import Template, Variable
from heliograph.errors import Fate, SendError
from heliograph.flow.means import Limits, Means
from heliograph.flow.registry import OpenKey, OpenSender, Registry

SITE = "25508804"


def refusal(fate: Fate, code: str = "told", **more: Any) -> SendError:
    return SendError("The provider was told to refuse.", code=code, fate=fate, raw=b'{"error":{}}', **more)


class Scripted:
    """A provider of the outside world. `script` holds what each send meets: an error, seconds to hang, or None (taken).
    An empty script takes. Repeated ids are counted in `seen`, never delivered twice. `revokes` holds what each revoke
    meets: True (gone), False (not there) or an error; an empty one takes back. `knows`: what it says when it is asked
    what became of a message."""

    repeats_are_ignored = True
    can_ask = False
    can_revoke = True
    asks_capability = True
    asks_many = 0

    def __init__(self) -> None:
        self.script: list[SendError | float | None] = []
        self.reach = Capability(reach=Reach.YES, asked=0)
        self.questions = 0
        self.seen: list[str] = []
        self.delivered: dict[str, Message] = {}
        self.revokes: list[bool | SendError] = []
        self.revoked: list[str] = []
        self.knows: list[Receipt | SendError | None] = []

    async def capability(self, recipient: str, now: int, deadline: float) -> Capability:
        self.questions += 1
        return msgspec.structs.replace(self.reach, asked=now)

    async def send(self, message: Message, deadline: float) -> Taken:
        self.seen.append(message.id)
        step = self.script.pop(0) if self.script else None
        if isinstance(step, SendError):
            if step.fate is Fate.UNKNOWN:
                self.delivered[message.id] = message  # the worst case: it was taken and the answer lost
            raise step
        if step is not None:
            await asyncio.sleep(step)
        self.delivered[message.id] = message
        return Taken(references=(f"ref-{message.id}",), raw=b'{"name":"%s"}' % message.id.encode())

    async def revoke(self, message_id: str, recipient: str, deadline: float) -> Revoked:
        self.revoked.append(message_id)
        answer = self.revokes.pop(0) if self.revokes else True
        if isinstance(answer, SendError):
            raise answer
        return Revoked(gone=answer)

    async def ask(self, message_id: str, references: tuple[str, ...], deadline: float) -> Receipt | None:
        answer = self.knows.pop(0) if self.knows else None
        if isinstance(answer, SendError):
            raise answer
        return answer

    async def upload(self, media: Any, data: bytes, content_type: str, now: int, deadline: float) -> Uploaded:
        return Uploaded(reference="files/one", expires=now + 1_000_000)

    def read(self, call: Call) -> Heard:
        return Heard(events=(), answer=Answer())

    async def close(self) -> None:
        pass


class Plug:
    """The scripted provider's module."""

    NAME = "scripted"
    Settings = msgspec.defstruct("Settings", [])
    SECRETS: frozenset[str] = frozenset()
    CARRIES = Carries(cards=True, carousels=True, files=True)

    def __init__(self) -> None:
        self.faults: list[str] = []

    def open(self, sender: Sender, settings: msgspec.Struct, ways: Any) -> Any:
        raise AssertionError("opened by the fixture")

    def check(self, content: Content) -> list[str]:
        return self.faults

    def measure(self, content: Content) -> Size:
        return Size()


class Counted:
    """What the story counted, by name."""

    def __init__(self) -> None:
        self.lines: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *facts: self.lines.append((name, *facts))


class House:
    def __init__(self, store: Store, limits: Limits, clock: Clock | None = None) -> None:
        self.store = store
        self.clock = clock or SystemClock()
        self.plug = Plug()
        self.plugs: dict[str, Plug] = {}  # of a channel that has a plug of its own
        self.providers = {"rcs": Scripted(), "wa": Scripted(), "sms": Scripted()}
        self.said: list[dict[str, Any]] = []
        self.meters = Counted()
        self.limits = limits
        self.means = self.another_node()

    def another_node(self) -> Means:
        """A second process on the same store, or the same one after a crash: nothing in memory is kept."""
        return Means(
            store=self.store,
            clock=self.clock,
            registry=Registry(
                open_key=lambda key: OpenKey(key=key, consumer_secret="", token_secret=""),
                open_sender=lambda sender: OpenSender(
                    sender=sender,
                    plug=self.plugs.get(sender.channel, self.plug),
                    provider=self.providers.get(sender.name) or self.providers[sender.channel],
                ),
                closed=lambda provider: None,
            ),
            limits=self.limits,
            meters=self.meters,  # type: ignore[arg-type]
            log=lambda level, sentence, **facts: self.said.append({"level": level, "sentence": sentence, **facts}),
            channels=frozenset(self.providers),
            node="test",
        )

    async def set_up(self, *, channels: tuple[str, ...] = ("rcs",), says: Fallback | None = None, **site: Any) -> None:
        """`says`: what the template says of falling back."""
        wanted = {"id": SITE, "skills": ("service",), "channels": channels, **site}
        await self.store.put_site(msgspec.convert(wanted, Site))
        for channel in channels:
            await self.store.put_sender(Sender(site=SITE, name=f"a-{channel}", channel=channel, provider="scripted"))
        text = Text(text="Flight at @Time")
        await self.store.put_template(
            Template(
                site=SITE,
                name="delay",
                version="1",
                variables=(Variable(name="Time"),),
                languages={"en": {channel: text for channel in channels}},
                fallback=says or Fallback(),
            )
        )
        await self.means.registry.refresh(self.store)


def ask(**more: Any) -> AlertRequest:
    base: dict[str, Any] = {
        "site": SITE,
        "template": "delay",
        "language": "english",
        "country_code": "1",
        "phone": "7703101414",
        "skill": "service",
        "variables": {"Time": "7:35 pm"},
        "external_alert_id": "one",
        "key": "consumer",
    }
    return AlertRequest(**{**base, **more})
