"""What becomes of a message that a provider took: delivered, waiting, read, withdrawn, expired; who is told when."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from heliograph.core.twin import Arrival, Delivered, Expired, Read
from heliograph.sandbox.handset import Bubble, Handset

if TYPE_CHECKING:
    from heliograph.sandbox.world import World

Receipts = tuple[type[Delivered | Read], ...]


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How quick phones and people are, seconds. `receipts` False: phones get their messages and nobody is told, for
    loads that would drown in callbacks."""

    receipts: bool = True
    delivered: float = 0.15
    read: float = 1.0


PACE = Pace()
HELD = 30 * 86_400_000  # ms that Google holds a message without an expiry for a phone that is away; then it is deleted


class Delivery:
    def __init__(self, world: World, pace: Pace) -> None:
        self._world = world
        self.pace = pace

    def take(self, arrival: Arrival) -> None:
        """The message goes to the phone, or waits for it."""
        world = self._world
        handset = world.handset(arrival.number)
        known = world.ledger.entry(arrival.sender, arrival.id)
        known.resource = arrival.resource
        world.ledger.totals["taken"] += 1
        bubble = Bubble(
            id=arrival.id,
            channel=world.twins[arrival.provider].CHANNEL,
            provider=arrival.provider,
            sender=arrival.sender,
            direction="in",
            at=world.now(),
            state="waiting",
            resource=arrival.resource,
            expires=arrival.expires,
        )
        world.note("taken", number=arrival.number, sender=arrival.sender, message=arrival.id)
        if handset.online and handset.has_rcs:
            self._deliver(handset, bubble)
            return
        handset.wait(bubble)
        if arrival.expires is not None:
            world.timers.at(arrival.expires, partial(self._expire, handset, bubble))
        else:
            world.timers.at(world.now() + HELD, partial(self._give_up, handset, bubble))
        world.feed.changed(arrival.number)

    def withdraw(self, sender: str, number: str, message: str) -> bool:
        """Revokes a message that has not reached its phone; False = it has, or there is none."""
        handset = self._world.handsets.get(number)
        bubble = handset.waiting.get(message) if handset else None
        if handset is None or bubble is None or bubble.sender != sender:
            return False
        bubble.state = "gone"
        del handset.waiting[message]
        self._world.note("revoked", number=number, sender=sender, message=message)
        self._world.feed.changed(number)
        return True

    def deliver_waiting(self, handset: Handset) -> None:
        """Delivers what waited for a phone that can be reached again, oldest first."""
        if handset.online and handset.has_rcs:
            waiting, handset.waiting = handset.waiting, {}
            for bubble in waiting.values():
                self._deliver(handset, bubble)

    def read(self, handset: Handset, bubble: Bubble, times: int = 1) -> None:
        """The person sees a message; only the first time counts."""
        if bubble.state == "delivered":
            bubble.state = "read"
            self._receipts(handset.number, bubble, (Read,) * times)
            self._world.feed.changed(handset.number)

    def _deliver(self, handset: Handset, bubble: Bubble) -> None:
        world = self._world
        bubble.state = "delivered"
        bubble.at = world.now()
        handset.messages.append(bubble)
        world.ledger.entry(bubble.sender, bubble.id).deliveries += 1
        world.ledger.totals["deliveries"] += 1
        world.note("delivered", number=handset.number, sender=bubble.sender, message=bubble.id)
        world.feed.changed(handset.number)
        if self.pace.receipts:
            self._plan_receipts(handset, bubble)

    def _plan_receipts(self, handset: Handset, bubble: Bubble) -> None:
        world = self._world
        rule = world.behaviour.on_receipts(handset.number, bubble.sender, bubble.id)
        do = rule.do if rule else ""
        late = rule.seconds if rule and do == "late_receipts" else 0.0
        times = 2 if do == "double_receipts" else 1
        looks = handset.reads and not handset.muted
        first = world.now() + round((self.pace.delivered + late) * 1_000)
        second = first + round(self.pace.read * 1_000)
        if do == "lose_receipts":
            bubble.untold = True
            world.note("receipts_lost", number=handset.number, sender=bubble.sender, message=bubble.id)
        if do == "reorder_receipts" and looks:
            # Both at once and the wrong way round; the person has looked by then.
            world.timers.at(second, partial(self._reorder, handset, bubble))
            return
        world.timers.at(first, partial(self._receipts, handset.number, bubble, (Delivered,) * times))
        if looks:
            world.timers.at(second, partial(self._look, handset, bubble, times))

    def _look(self, handset: Handset, bubble: Bubble, times: int) -> None:
        if handset.reads and not handset.muted:
            self.read(handset, bubble, times)

    def _reorder(self, handset: Handset, bubble: Bubble) -> None:
        self.read(handset, bubble)
        self._receipts(handset.number, bubble, (Delivered,))

    def _receipts(self, number: str, bubble: Bubble, kinds: Receipts) -> None:
        """Tells the sender. A receipt told twice is one event with one id."""
        world = self._world
        if bubble.untold or not self.pace.receipts:
            return
        ids = {kind: world.new_id() for kind in set(kinds)}
        for kind in kinds:
            world.tell(bubble, kind(number=number, event=ids[kind], at=world.now(), message=bubble.id))

    def _give_up(self, handset: Handset, bubble: Bubble) -> None:
        """Nobody is told."""
        if bubble.state == "waiting":
            self.withdraw(bubble.sender, handset.number, bubble.id)

    def _expire(self, handset: Handset, bubble: Bubble) -> None:
        if bubble.state != "waiting":
            return
        world, number = self._world, handset.number
        rule = world.behaviour.on_receipts(number, bubble.sender, bubble.id)
        revoked = rule is None or rule.do != "revoke_fails"
        if revoked:
            bubble.state = "gone"
            handset.waiting.pop(bubble.id, None)
        world.note("expired", number=number, sender=bubble.sender, message=bubble.id, detail="" if revoked else "kept")
        world.feed.changed(number)
        if self.pace.receipts and not (rule and rule.do == "lose_receipts"):
            event = Expired(number=number, event=world.new_id(), at=world.now(), message=bubble.id, revoked=revoked)
            world.tell(bubble, event)
