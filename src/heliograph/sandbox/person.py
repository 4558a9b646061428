"""What the person with a phone does: says, taps, reads, types, sends a place or a file, unsubscribes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from heliograph.core.content import File, Media, Reply
from heliograph.core.twin import (
    Filed,
    Happening,
    KnownSender,
    Located,
    Medium,
    Said,
    Shown,
    Subscribed,
    Tapped,
    Typing,
)
from heliograph.sandbox.deeds import Place, Reading, Saying, Sending, Tapping, ToSender
from heliograph.sandbox.handset import Bubble, Handset, Switches, key_of, suggestion
from heliograph.sandbox.phone_json import content_of, sends
from heliograph.sandbox.world import World
from heliograph.sandbox.wrong import NotPossible

FILE_BYTES = 16 * 1024 * 1024


def switch(world: World, handset: Handset, switches: Switches) -> None:
    for name, value in msgspec.structs.asdict(switches).items():
        if value is not None:
            setattr(handset, name, value)
    world.note("switched", number=handset.number, detail=msgspec.json.encode(switches).decode())
    world.delivery.deliver_waiting(handset)
    world.feed.changed(handset.number)


def say(world: World, handset: Handset, saying: Saying) -> None:
    if not saying.text or len(saying.text) > 3_072:
        raise NotPossible(f"text has {len(saying.text)} characters; a message has 1 to 3,072.")
    quoted = handset.find(saying.in_reply_to) if saying.in_reply_to else None
    if saying.in_reply_to and quoted is None:
        raise NotPossible(f"Message {saying.in_reply_to[:80]} is not on this phone; only what came can be quoted.")
    if quoted is not None:
        sender = _known(world, quoted.provider, quoted.sender)
    else:
        sender = _sender(world, handset, saying.sender)
    quotes = quoted.id if quoted else ""
    said = Said(**_event(world, handset, sender), text=saying.text, in_reply_to=quotes)
    _out(world, handset, sender, said, text=saying.text, quotes=quotes)


def tap(world: World, handset: Handset, tapping: Tapping) -> None:
    bubble = handset.find(tapping.message) if tapping.message else handset.newest_in()
    content = content_of(bubble, world) if bubble else None
    if bubble is None or content is None:
        raise NotPossible(
            f"Message {tapping.message[:80]} is not on this phone."
            if tapping.message
            else "No message came to this phone yet."
        )
    key = tapping.suggestion or key_of(content, tapping.text)
    tapped = suggestion(content, key)
    if tapped is None:
        raise NotPossible(
            f"Message {bubble.id} has no suggestion {(tapping.suggestion or tapping.text)[:25]!r}. Name it by its "
            "text, or as card:index, e.g. 0:1, or -:0 for a chip under the message."
        )
    sender = _known(world, bubble.provider, bubble.sender)
    world.delivery.read(handset, bubble)
    bubble.tapped.append(key)
    happening = Tapped(
        **{**_event(world, handset, sender), "to": bubble.source},
        message=bubble.id,
        resource=bubble.resource,
        suggestion=tapped,
    )
    if isinstance(tapped, Reply):
        _out(world, handset, sender, happening, text=tapped.text, quotes=bubble.id)
    else:
        _quiet(world, handset, sender, happening, tapped.text)


def read(world: World, handset: Handset, reading: Reading) -> None:
    if not reading.message:
        for bubble in list(handset.messages):
            world.delivery.read(handset, bubble)
        return
    found = handset.find(reading.message)
    if found is None:
        raise NotPossible(f"Message {reading.message[:80]} is not on this phone.")
    for bubble in list(handset.messages):  # its parts, where they came one by one
        if bubble is found or (found.group and (bubble.sender, bubble.group) == (found.sender, found.group)):
            world.delivery.read(handset, bubble)


def typing(world: World, handset: Handset, to: ToSender) -> None:
    sender = _sender(world, handset, to.sender)
    _quiet(world, handset, sender, Typing(**_event(world, handset, sender)), "")


def location(world: World, handset: Handset, place: Place) -> None:
    if not (-90 <= place.latitude <= 90 and -180 <= place.longitude <= 180):
        raise NotPossible(f"{place.latitude}, {place.longitude} is not a place on Earth.")
    sender = _sender(world, handset, place.sender)
    _carries(world, sender, "location")
    located = Located(
        **_event(world, handset, sender), latitude=place.latitude, longitude=place.longitude, label=place.label
    )
    words = f"{f'{place.label},' if place.label else 'Location'} {place.latitude:g}, {place.longitude:g}"
    _out(world, handset, sender, located, text=words)


def file(world: World, handset: Handset, sending: Sending) -> None:
    if bool(sending.url) == bool(sending.data) or not sending.content_type:
        raise NotPossible("A file needs content_type, and either url or data.")
    if len(sending.data) > FILE_BYTES:
        raise NotPossible(f"The file has {len(sending.data):,} bytes; a phone sends {FILE_BYTES:,} at most.")
    sender = _sender(world, handset, sending.sender)
    _carries(world, sender, "file")
    medium = world.keep(Medium(content_type=sending.content_type, data=sending.data)) if sending.data else ""
    url = f"/media/{medium}" if medium else sending.url
    filed = Filed(
        **_event(world, handset, sender),
        url=f"{world.address()}{url}" if medium else url,
        content_type=sending.content_type,
        name=sending.name,
        size=len(sending.data),
        medium=medium,
    )
    bubble = _out(world, handset, sender, filed, text=sending.name or sending.url)
    bubble.shown = Shown(content=File(media=Media(url=url, description=sending.name)))
    world.feed.changed(handset.number)


def subscribe(world: World, handset: Handset, to: ToSender, *, wanted: bool) -> None:
    """The phone's menu item: the provider sends the keyword in the user's name and an event."""
    sender = _sender(world, handset, to.sender)
    word = world.twins[sender.provider].keyword(handset.number, wanted)
    if word:
        _out(world, handset, sender, Said(**_event(world, handset, sender), text=word), text=word)
    event = Subscribed(**_event(world, handset, sender), wanted=wanted)
    _quiet(world, handset, sender, event, "subscribe" if wanted else "unsubscribe")


def _unsubscribe(world: World, handset: Handset, to: ToSender) -> None:
    subscribe(world, handset, to, wanted=False)


def _subscribe(world: World, handset: Handset, to: ToSender) -> None:
    subscribe(world, handset, to, wanted=True)


def accept(world: World, handset: Handset, to: ToSender) -> None:
    """Accepts the invitation to test a sender that is not launched."""
    invited = [known for known in world.senders.values() if handset.number in known.testers]
    for known in invited:
        if to.sender in ("", known.id):
            known.testers[handset.number] = "ACCEPTED"
            world.note("tester", number=handset.number, sender=known.id, detail="ACCEPTED")
            return
    raise NotPossible(
        "Nobody invited this phone to test; the provider's API does (Google: POST /v1/phones/<number>/testers)."
    )


def _event(world: World, handset: Handset, sender: KnownSender) -> dict[str, Any]:
    """What every happening says. The person writes to the address under which the sender wrote last."""
    newest = handset.newest(sender.provider, sender.id)
    return {
        "number": handset.number,
        "event": world.new_id(),
        "at": world.now(),
        "to": newest.source if newest else "",
    }


def _sender(world: World, handset: Handset, wanted: str) -> KnownSender:
    """Whom the person writes to: the one named (id, or provider/id), else the newest in this phone, else the only one
    there is."""
    newest = handset.newest()
    if not wanted and newest is not None:
        return _known(world, newest.provider, newest.sender)
    matching = [known for known in world.senders.values() if wanted in ("", known.id, f"{known.provider}/{known.id}")]
    if len(matching) == 1:
        return matching[0]
    if len(matching) > 1 and wanted:
        raise NotPossible(f"{len(matching)} senders are called {wanted[:80]!r}; name it as provider/{wanted[:80]}.")
    if wanted:
        raise NotPossible(f"Sender {wanted[:80]!r} is not registered here; POST /sandbox/senders registers it.")
    raise NotPossible(
        f"{len(matching)} senders are registered and none wrote to this phone yet: name one as sender."
        if matching
        else "No sender is registered yet; POST /sandbox/senders registers one."
    )


def _carries(world: World, sender: KnownSender, what: str) -> None:
    if what not in sends(world.twins[sender.provider]):
        raise NotPossible(f"A phone cannot send a {what} to {sender.provider}; its provider carries none.")


def _known(world: World, provider: str, sender_id: str) -> KnownSender:
    sender = world.sender(provider, sender_id)
    if sender is None:
        raise NotPossible(f"Sender {sender_id!r} is no longer registered; POST /sandbox/senders registers it.")
    return sender


def _out(
    world: World, handset: Handset, sender: KnownSender, happening: Happening, *, text: str, quotes: str = ""
) -> Bubble:
    bubble = Bubble(
        id=happening.event,
        channel=world.twins[sender.provider].CHANNEL,
        provider=sender.provider,
        sender=sender.id,
        direction="out",
        at=world.now(),
        state="sending" if sender.webhook or sender.provider in world.lines else "sent",
        source=happening.to,
        text=text,
        quotes=quotes,
    )
    handset.messages.append(bubble)
    world.courtesies.sent(handset, bubble)
    handset.said[f"{sender.provider}/{sender.id}"] = world.now()
    world.note(
        "said", number=handset.number, sender=sender.id, message=bubble.id, detail=type(happening).__name__.lower()
    )
    world.feed.changed(handset.number)
    world.tell(bubble, happening)
    return bubble


def _quiet(world: World, handset: Handset, sender: KnownSender, happening: Happening, detail: str) -> None:
    """Something that leaves no bubble on the phone."""
    bubble = Bubble(
        id=happening.event,
        channel=world.twins[sender.provider].CHANNEL,
        provider=sender.provider,
        sender=sender.id,
        direction="out",
        at=world.now(),
        state="sent",
    )
    world.note("did", number=handset.number, sender=sender.id, detail=detail or type(happening).__name__.lower())
    world.feed.changed(handset.number)
    world.tell(bubble, happening)


# What a person can do, by the control API's word: the shape of the body, and who does it.
ACTIONS: dict[str, tuple[type[msgspec.Struct], Callable[[World, Handset, Any], None]]] = {
    "say": (Saying, say),
    "tap": (Tapping, tap),
    "read": (Reading, read),
    "typing": (ToSender, typing),
    "location": (Place, location),
    "file": (Sending, file),
    "unsubscribe": (ToSender, _unsubscribe),
    "subscribe": (ToSender, _subscribe),
    "accept": (ToSender, accept),
}
