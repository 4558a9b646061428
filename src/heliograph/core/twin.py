"""The contract between the sandbox and a provider's twin: the provider's side of the wire, played for tests and demos.

A twin is a module beside its provider's adapter (`channels/rcs/google_rbm_twin.py`), written from the provider's
documentation alone. It holds no state: all it knows lies in the `World`, which the sandbox hands to every function.

    a request comes in        answer(call, world)               -> what the provider would answer
    something happens         tell(happening, sender, world)    -> the callback that the provider would post, or None
    a phone shows a message   content(resource, world)          -> the message in neutral terms

A provider that is spoken to over a line of its own instead of HTTP (an SMS centre) has `listen` besides: then what
happens is told over the line that it gives back, and `tell` is not asked.

A message goes `received` (counted, whatever becomes of it) → `misbehaviour` (may stop it) → `take` (it has an id and is
on its way) → Sent → Delivered → Read, or Expired or Failed. Our own attempt's id, where the wire carries it, is
`Arrival.ours`: counts, rules with `per_message` and the control API know a message by it, callbacks by the provider's.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from typing import Literal, Protocol

import msgspec

from heliograph.core.content import Content, Suggestion
from heliograph.core.ports import Answer, Call

# Which call of a provider a misbehaviour is about: a token, the question who can be reached, a message, taking it back,
# an event of ours (typing, read), a file, reading a message back, opening a line.
# Of a desk: opening a conversation, a turn in it, closing it.
Verb = Literal[
    "token", "capabilities", "create", "revoke", "event", "files", "ask", "bind", "desk_open", "desk_say", "desk_close"
]


class TwinAnswer(Answer, frozen=True, kw_only=True):
    """An answer and how it is given: after `delay` seconds; `end` "drop" closes the connection without a byte, "hang"
    keeps it open and never answers."""

    delay: float = 0.0
    end: Literal["answer", "drop", "hang"] = "answer"


class Misbehaviour(msgspec.Struct, frozen=True, kw_only=True):
    """What goes wrong with one call. `do`:

    slow (answer after `seconds`; the message is taken at once) · throttle (too fast; again after `seconds`) ·
    refuse (it is the caller's fault) · error (it is the provider's fault) · unreachable (the number cannot be reached
    on this channel) · silent (taken, never answered) · drop (taken, connection closed) · drop_before (connection
    closed, not taken). A twin never sees `garble` and `garble_before` (answered with nonsense): the sandbox does that.

    `status`: the HTTP status for it, of the rule or the usual one (429, 403, 500, 404). `code`: the provider's own code
    where the rule gives one ("131056", "21610", "0x58"); empty = the one that the twin finds usual.
    """

    do: str
    seconds: float
    status: int
    code: str = ""


class KnownSender(msgspec.Struct, kw_only=True):
    """An identity that the provider knows (an RBM agent, a phone number id, a Twilio number, a system_id).

    `credentials` are the provider's own, by its own words: WhatsApp access_token, app_secret, verify_token; Twilio
    account_sid, auth_token; SMPP system_id, password. `secret` signs callbacks where that is all there is (Google:
    clientToken). `address` is what a phone shows and writes to (a number, a short code), where that is not the id.

    Google's: `testers` maps the numbers that were invited to PENDING or ACCEPTED; a sender that is not `launched`
    reaches only those who accepted, and answers `refusal` (404, older: 403) for all others.
    """

    id: str
    provider: str
    name: str
    webhook: str = ""
    secret: str = ""
    credentials: dict[str, str] = {}
    address: str = ""
    launched: bool = True
    refusal: int = 404
    verified: bool = False
    testers: dict[str, str] = {}


class KnownDesk(msgspec.Struct, kw_only=True):
    """An account at the desk that the sandbox knows. `id`: the account's. `webhook`: our callback. `credentials` by the
    desk's own words. `skills`: queue's name → the desk's id of it."""

    id: str
    desk: str
    name: str = ""
    webhook: str = ""
    credentials: dict[str, str] = {}
    skills: dict[str, str] = {}


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A message that the provider took.

    `id` is the provider's (for Google the caller's own), `ours` the caller's where the wire carries one besides.
    `resource`: what `content` reads (the request's body, or the success body); it comes back with every happening about
    the message. `answer`: the success body where that is another. `expires` (ms): when it is withdrawn if it has not
    reached the phone by then. `fails`: it never reaches the phone, and that is told as Failed with this code (a number
    that WhatsApp does not know, a landline). `source`: as whom it came where a sender has several addresses.

    `parts`: how many parts the message has. `group` and `part` (from 1) where they come one by one, each a message of
    its own: the phone shows them as one, once it has them all.
    """

    id: str
    sender: str
    provider: str
    number: str
    resource: bytes
    answer: bytes = b""
    ours: str = ""
    expires: int | None = None
    fails: str = ""
    source: str = ""
    parts: int = 1
    part: int = 0
    group: str = ""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A message as the provider still knows it, for who reads it back. `at`: when it came to this state (ms)."""

    id: str
    ours: str
    number: str
    resource: bytes
    answer: bytes
    state: Literal["taken", "sent", "delivered", "read", "failed", "expired", "revoked"]
    code: str
    taken: int
    at: int


# ── What happens, and is told ───────────────────────────────────────────────────────────────────────────────────────


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider tells the sender about a phone. `event` is the provider's own id of it, `at` its time (ms), `to`
    the sender's address that the phone knows (`Arrival.source`), empty where it has but one."""

    number: str
    event: str
    at: int
    to: str = ""


class About(Happening, frozen=True, kw_only=True):
    """About one message of the sender: its id and what `Arrival.resource` held."""

    message: str
    resource: bytes = b""


class Sent(About, frozen=True, kw_only=True):
    """On its way from the provider (WhatsApp's one tick). Comes first; most providers tell nobody."""


class Delivered(About, frozen=True, kw_only=True):
    pass


class Read(About, frozen=True, kw_only=True):
    """A person looked. Told for every channel: the twin of one without it answers None."""


class Expired(About, frozen=True, kw_only=True):
    """Not delivered in time. `revoked` False: the provider could not withdraw it either, so it may still arrive."""

    revoked: bool = True


class Failed(About, frozen=True, kw_only=True):
    """Taken, and then not delivered. `code` is the provider's (WhatsApp "131026", Twilio "30003", SMPP "UNDELIV" or
    "REJECTD/011"); empty = the one that the twin finds usual. Whether that is `undelivered`, `failed` or another word
    follows from the code."""

    code: str = ""


class Typing(Happening, frozen=True, kw_only=True):
    pass


class Said(Happening, frozen=True, kw_only=True):
    """`in_reply_to`: the id of the message that the person quotes."""

    text: str
    in_reply_to: str = ""


class Tapped(About, frozen=True, kw_only=True):
    suggestion: Suggestion


class Located(Happening, frozen=True, kw_only=True):
    """Degrees. `label`: the place's name, where the phone knows one."""

    latitude: float
    longitude: float
    label: str = ""


class Filed(Happening, frozen=True, kw_only=True):
    """The phone sent a file. `size` in bytes, 0 = not known. `medium`: its bytes, kept in the world; the twin then
    tells an address of its own, as its provider's look, and serves them there. Without it `url` is all there is."""

    url: str
    content_type: str
    name: str
    size: int = 0
    medium: str = ""


class Subscribed(Happening, frozen=True, kw_only=True):
    """The phone's menu item: `wanted` False = unsubscribe."""

    wanted: bool


# ── What a phone shows ──────────────────────────────────────────────────────────────────────────────────────────────


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A content with what only some channels have. `footer`: small print under it; `menu`: the label of the button
    behind which the suggestions are listed."""

    content: Content
    footer: str = ""
    menu: str = ""


class Medium(msgspec.Struct, frozen=True, kw_only=True):
    """A file that the provider keeps: bytes that were uploaded, or the address it was told to fetch."""

    content_type: str = ""
    data: bytes = b""
    url: str = ""


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider posts: which answers count as taken, and how long it repeats. `tries` 0 = no limit but time."""

    any_2xx: bool = False
    tries: int = 0
    kept_for: int = 7 * 86_400_000  # ms


# ── The world and the twin ──────────────────────────────────────────────────────────────────────────────────────────


class Reach(Protocol):
    """What a twin may know of a phone. A landline or a number that is none has nothing at all."""

    @property
    def has_rcs(self) -> bool: ...
    @property
    def has_wa(self) -> bool: ...
    @property
    def has_sms(self) -> bool: ...
    @property
    def online(self) -> bool: ...


class World(Protocol):
    """What the sandbox offers a twin."""

    def now(self) -> int: ...  # ms
    def new_id(self) -> str: ...  # a UUID
    async def sleep(self, seconds: float) -> None: ...
    def sample(self, of: Sequence[str], share: float) -> list[str]: ...

    # who may call
    def account_keys(self, email: str) -> tuple[str, ...]: ...  # public keys, PEM
    def grant(self, token: str, scopes: str, until: int) -> None: ...
    def granted(self, token: str) -> tuple[str, int] | None: ...  # (scopes, until)
    def sender(self, provider: str, sender_id: str) -> KnownSender | None: ...
    def known(self, provider: str) -> list[KnownSender]: ...  # all of one provider, to find one by its credentials
    def desks(self, desk: str) -> list[KnownDesk]: ...  # accounts at a desk of this kind
    # what a desk tells by itself (an echo of a recipient's words): posted to our callback, in order, until it is taken
    def desk_tells(self, desk: KnownDesk, calls: Sequence[Call], conversation: str = "") -> None: ...

    # phones
    def reach(self, number: str) -> Reach: ...
    # when the person last wrote or tapped (ms): inside a window of that, free content may go
    def last_said(self, number: str, provider: str, sender: str) -> int | None: ...
    # a provider that keeps opt-outs itself sets and asks them here
    def opted_out(self, number: str, provider: str, sender: str) -> bool: ...
    def opt_out(self, number: str, provider: str, sender: str, stopped: bool) -> None: ...
    # the phone shows for so long, or until the next message, that the sender writes
    def writes(self, number: str, provider: str, sender: str, seconds: float) -> None: ...
    # the phone shows what the person sent (`event` of Said, Tapped, Located, Filed) as read by the sender, with
    # `earlier` all before it too; the phone's number, empty where no such message is known
    def saw(self, provider: str, sender: str, event: str, *, earlier: bool = False) -> str: ...

    # messages; `message` is `ours` where the wire carries it, else the provider's id
    def misbehaviour(
        self, verb: Verb, number: str, sender: str, message: str = "", *, provider: str = ""
    ) -> Misbehaviour | None: ...
    def received(self, sender: str, message: str) -> None: ...  # counts a create, whatever becomes of it
    def earlier(self, sender: str, message: str) -> bytes | None: ...  # its answer; b"" = the id of an event
    def spend_id(self, sender: str, event: str) -> None: ...
    def take(self, arrival: Arrival) -> None: ...
    def withdraw(self, sender: str, number: str, message: str) -> bool: ...
    def kept(self, sender: str, message: str) -> Kept | None: ...  # by the provider's id

    # documents and files; `address`: where the server under test reaches the sandbox ("http://127.0.0.1:8090")
    def address(self) -> str: ...
    def keep(self, medium: Medium) -> str: ...
    def medium(self, medium_id: str) -> Medium | None: ...
    # what a provider keeps by name (message templates …): 10,000 at most, the oldest go first; a reset leaves it
    def shelf(self, provider: str) -> MutableMapping[str, bytes]: ...

    def note(self, kind: str, *, number: str = "", sender: str = "", message: str = "", detail: str = "") -> None: ...


class Line(Protocol):
    """A running line of a twin that has one (an SMS centre's TCP port)."""

    @property
    def port(self) -> int: ...

    def told(self, happening: Happening, sender: KnownSender, taken: Callable[[], None]) -> None:
        """Tells it, or holds it until somebody is there to be told; nothing happens for what this provider does not
        tell. `taken` is called when the other side acknowledged."""

    def cut(self) -> None: ...  # breaks every connection without a word
    def clear(self) -> None: ...  # forgets what waits to be told
    async def stop(self) -> None: ...


class Twin(Protocol):
    """A twin's module. `PREFIXES` are the paths that it answers (the longest that fits decides), `body_limit(path)` the
    bytes that it reads.

    It may also have, and the sandbox looks for them by name:

        POSTING: Posting                                          how it posts, where that is not Google's way
        SENDS: frozenset[str]                                     what a phone can send besides words and taps, of
                                                                  "file" and "location"; without it both
        def credentials(secret: Callable[[int], str]) -> dict     makes a new sender's; secret(n) = n hex digits
        def answered(body, happening, sender, world) -> None      what the server said to a callback (TwiML)
        async def listen(world, host, port) -> Line               a line of its own; port 0 takes a free one
    """

    NAME: str
    CHANNEL: str
    PREFIXES: tuple[str, ...]

    def body_limit(self, path: str) -> int: ...
    def answer(self, call: Call, world: World) -> TwinAnswer: ...
    def tell(self, happening: Happening, sender: KnownSender, world: World) -> Call | None: ...
    # how a webhook is checked and the body that must come back; None = this provider does not check
    def challenge(self, sender: KnownSender, secret: str) -> tuple[Call, bytes] | None: ...
    def content(self, resource: bytes, world: World) -> Content | Shown: ...
    def keyword(self, number: str, wanted: bool) -> str: ...  # what the menu item says in the user's name; "" = nothing
