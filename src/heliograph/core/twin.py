"""The contract between the sandbox and a provider's twin: the provider's side of the wire, played for tests and demos.

A twin is a module beside its provider's adapter (`channels/rcs/google_rbm_twin.py`), written from the provider's
documentation alone. It holds no state: all it knows lies in the `World`, which the sandbox hands to every function.

    a request comes in        answer(call, world)        -> what the provider would answer
    something happens         tell(happening, sender)    -> the callbacks that the provider would post
    a phone shows a message   content(resource, world)   -> the message in neutral terms
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from heliograph.core.content import Content, Suggestion
from heliograph.core.ports import Answer, Call

# Which call of a provider's API a misbehaviour is about.
Verb = Literal["token", "capabilities", "create", "revoke", "event", "files"]


class TwinAnswer(Answer, frozen=True, kw_only=True):
    """An answer and how it is given: after `delay` seconds; `end` "drop" closes the connection without a byte, "hang"
    keeps it open and never answers."""

    delay: float = 0.0
    end: Literal["answer", "drop", "hang"] = "answer"


class Misbehaviour(msgspec.Struct, frozen=True, kw_only=True):
    """What goes wrong with one call. `do`:

    slow (answer after `seconds`; the message is taken at once) · throttle (429, Retry-After `seconds`) ·
    refuse (403, or the 4xx in `status`) · error (500, or the 5xx in `status`) · no_rcs (cannot be reached) ·
    silent (taken, never answered) · drop (taken, connection closed) · drop_before (connection closed, not taken)
    """

    do: str
    seconds: float
    status: int


class KnownSender(msgspec.Struct, kw_only=True):
    """An identity that the provider knows (Google: an RBM agent). `secret` signs callbacks (Google: clientToken).

    `testers` maps the numbers that were invited to PENDING or ACCEPTED; a sender that is not `launched` reaches only
    those who accepted, and answers `refusal` (404, older: 403) for all others.
    """

    id: str
    provider: str
    name: str
    webhook: str = ""
    secret: str = ""
    launched: bool = True
    refusal: int = 404
    verified: bool = False
    testers: dict[str, str] = {}


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A message that the provider took. `resource` is its success body, given again for a repeated `id`. `expires`
    (ms): when it is withdrawn if it has not reached the phone by then."""

    id: str
    sender: str
    provider: str
    number: str
    resource: bytes
    expires: int | None = None


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider tells the sender about a phone. `event` is the provider's own id of it, `at` its time (ms)."""

    number: str
    event: str
    at: int


class Delivered(Happening, frozen=True, kw_only=True):
    message: str


class Read(Happening, frozen=True, kw_only=True):
    message: str


class Expired(Happening, frozen=True, kw_only=True):
    """Not delivered in time. `revoked` False: the provider could not withdraw it either, so it may still arrive."""

    message: str
    revoked: bool = True


class Typing(Happening, frozen=True, kw_only=True):
    pass


class Said(Happening, frozen=True, kw_only=True):
    text: str


class Tapped(Happening, frozen=True, kw_only=True):
    message: str
    suggestion: Suggestion


class Located(Happening, frozen=True, kw_only=True):
    """Degrees."""

    latitude: float
    longitude: float


class Filed(Happening, frozen=True, kw_only=True):
    """The phone sent a file. `size` in bytes, 0 = not known."""

    url: str
    content_type: str
    name: str
    size: int = 0


class Subscribed(Happening, frozen=True, kw_only=True):
    """The phone's menu item: `wanted` False = unsubscribe."""

    wanted: bool


class Reach(Protocol):
    """What a twin may know of a phone."""

    @property
    def has_rcs(self) -> bool: ...
    @property
    def online(self) -> bool: ...


class Medium(msgspec.Struct, frozen=True, kw_only=True):
    """A file that the provider keeps: bytes that were uploaded, or the address it was told to fetch."""

    content_type: str = ""
    data: bytes = b""
    url: str = ""


class World(Protocol):
    """What the sandbox offers a twin."""

    def now(self) -> int: ...
    def new_id(self) -> str: ...
    def sample(self, of: Sequence[str], share: float) -> list[str]: ...

    # who may call
    def account_keys(self, email: str) -> tuple[str, ...]: ...  # public keys, PEM
    def grant(self, token: str, scopes: str, until: int) -> None: ...
    def granted(self, token: str) -> tuple[str, int] | None: ...  # (scopes, until)
    def sender(self, provider: str, sender_id: str) -> KnownSender | None: ...

    # phones
    def reach(self, number: str) -> Reach: ...
    def misbehaviour(self, verb: Verb, number: str, sender: str, message: str = "") -> Misbehaviour | None: ...
    def received(self, sender: str, message: str) -> None: ...  # counts a create, whatever becomes of it
    def earlier(self, sender: str, message: str) -> bytes | None: ...  # its resource; b"" = the id of an event
    def spend_id(self, sender: str, event: str) -> None: ...
    def take(self, arrival: Arrival) -> None: ...
    def withdraw(self, sender: str, number: str, message: str) -> bool: ...

    # files
    def keep(self, medium: Medium) -> str: ...
    def medium(self, medium_id: str) -> Medium | None: ...

    def note(self, kind: str, *, number: str = "", sender: str = "", message: str = "", detail: str = "") -> None: ...


class Twin(Protocol):
    """A twin's module. `PREFIXES` are the paths that it answers, `body_limit(path)` the bytes that it reads."""

    NAME: str
    CHANNEL: str
    PREFIXES: tuple[str, ...]

    def body_limit(self, path: str) -> int: ...
    def answer(self, call: Call, world: World) -> TwinAnswer: ...
    def tell(self, happening: Happening, sender: KnownSender, world: World) -> Call: ...
    def challenge(self, sender: KnownSender, secret: str) -> tuple[Call, bytes]: ...  # and the body that must come back
    def content(self, resource: bytes, world: World) -> Content: ...
    def keyword(self, number: str, wanted: bool) -> str: ...  # what the menu item says in the user's name; "" = nothing
