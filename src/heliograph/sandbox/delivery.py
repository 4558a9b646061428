"""What becomes of a message that a provider took: delivered, waiting, read, withdrawn, expired; who is told when."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from heliograph.core.twin import About, Arrival, Delivered, Expired, Failed, Read, Sent
from heliograph.sandbox.handset import Bubble, Handset
from heliograph.sandbox.ledger import State

if TYPE_CHECKING:
    from heliograph.sandbox.world import World

Kind = type[Sent | Delivered | Read | Failed]

# What a receipt makes of a message in its provider's books.
_STATES: dict[type[About], State] = {Sent: "sent", Delivered: "delivered", Read: "read", Failed: "failed"}


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How quick phones and people are, seconds; a message is told as sent half-way to its delivery. `receipts` False:
    phones get their messages and nobody is told, for loads that would drown in callbacks."""

    receipts: bool = True
    delivered: float = 0.15
    read: float = 1.0


PACE = Pace()
HELD = 30 * 86_400  # seconds that a message without an expiry is held for a phone that is away; then it is deleted


class Delivery:
    def __init__(self, world: World, pace: Pace) -> None:
        self._world = world
        self.pace = pace

    def take(self, arrival: Arrival) -> None:
        """The message goes to the phone, or waits for it, or comes to nothing."""
        world = self._world
        handset = world.handset(arrival.number)
        world.ledger.took(arrival, world.now())
        bubble = Bubble(
            id=arrival.id,
            ours=arrival.ours,
            channel=world.twins[arrival.provider].CHANNEL,
            provider=arrival.provider,
            sender=arrival.sender,
            source=arrival.source,
            direction="in",
            at=world.now(),
            state="waiting",
            resource=arrival.resource,
            expires=arrival.expires,
            parts=arrival.parts,
            part=arrival.part,
            group=arrival.group,
        )
        world.note("taken", number=arrival.number, sender=arrival.sender, message=bubble.counted)
        self._judge(handset, bubble)
        do = bubble.rule.do if bubble.rule else ""
        if arrival.fails or do in ("fail_receipt", "vanish"):
            bubble.state = "gone"
            world.note("not_delivered", number=arrival.number, sender=arrival.sender, message=bubble.counted)
            if do != "vanish":
                self._tell_in(
                    self.pace.delivered,
                    handset,
                    bubble,
                    Failed,
                    arrival.fails or (bubble.rule.code if bubble.rule else ""),
                )
        elif handset.reached(bubble.channel):
            self._deliver(handset, bubble)
        else:
            self._wait(handset, bubble)

    def withdraw(self, sender: str, number: str, message: str) -> bool:
        """Revokes a message that has not reached its phone; False = it has, or there is none."""
        handset = self._world.handsets.get(number)
        bubble = handset.waiting.get(message) if handset else None
        if handset is None or bubble is None or bubble.sender != sender:
            return False
        bubble.state = "gone"
        del handset.waiting[message]
        self._world.ledger.mark(sender, message, "revoked", self._world.now())
        self._world.note("revoked", number=number, sender=sender, message=bubble.counted)
        self._world.feed.changed(number)
        return True

    def deliver_waiting(self, handset: Handset) -> None:
        """Delivers what waited for a phone that can be reached again, oldest first."""
        for bubble in list(handset.waiting.values()):
            if handset.reached(bubble.channel):
                del handset.waiting[bubble.id]
                self._deliver(handset, bubble)

    def read(self, handset: Handset, bubble: Bubble, times: int = 1) -> None:
        """The person sees a message; only the first time counts."""
        if bubble.state == "delivered":
            bubble.state = "read"
            self._tell(handset, bubble, Read, times=times)
            self._world.feed.changed(handset.number)

    def _judge(self, handset: Handset, bubble: Bubble) -> None:
        """Finds the rule about its receipts; later once more, among the rules that are new since."""
        world = self._world
        if bubble.rule is None:
            after = bubble.rules_seen if bubble.judged else -1
            bubble.rule = world.receipts_rule(handset.number, bubble, after)
            bubble.judged, bubble.rules_seen = True, world.behaviour.count

    def _wait(self, handset: Handset, bubble: Bubble) -> None:
        world = self._world
        handset.wait(bubble)
        if bubble.expires is not None:
            world.timers.at(bubble.expires, partial(self._expire, handset, bubble), patient=True)
        else:
            world.timers.after(HELD, partial(self._give_up, handset, bubble), patient=True)
        world.feed.changed(handset.number)
        do = bubble.rule.do if bubble.rule else ""
        if self.pace.receipts and do != "lose_receipts":
            late = bubble.rule.seconds if bubble.rule and do == "late_receipts" else 0.0
            self._tell_in(late + self.pace.delivered / 2, handset, bubble, Sent)
            bubble.sent = True

    def _deliver(self, handset: Handset, bubble: Bubble) -> None:
        world = self._world
        bubble.state = "delivered"
        bubble.at = world.now()
        handset.messages.append(bubble)
        world.courtesies.wrote(handset, bubble.provider, bubble.sender)
        world.ledger.entry(bubble.sender, bubble.counted).deliveries += 1
        world.ledger.totals["deliveries"] += 1
        world.note("delivered", number=handset.number, sender=bubble.sender, message=bubble.counted)
        world.feed.changed(handset.number)
        if self.pace.receipts:
            self._plan_receipts(handset, bubble)

    def _plan_receipts(self, handset: Handset, bubble: Bubble) -> None:
        world = self._world
        self._judge(handset, bubble)
        rule = bubble.rule
        do = rule.do if rule else ""
        late = rule.seconds if rule and do == "late_receipts" else 0.0
        times = 2 if do == "double_receipts" else 1
        looks = handset.reads and not handset.muted
        first = late + self.pace.delivered
        if do == "lose_receipts":
            bubble.untold = True
            world.note("receipts_lost", number=handset.number, sender=bubble.sender, message=bubble.counted)
        if do == "reorder_receipts":
            # All at once and the wrong way round; if the person looks, then by then.
            wait = first + (self.pace.read if looks else 0)
            world.timers.after(wait, partial(self._reorder, handset, bubble, looks))
            return
        if not bubble.sent:
            self._tell_in(late + self.pace.delivered / 2, handset, bubble, Sent, times=times)
        self._tell_in(first, handset, bubble, Delivered, times=times)
        if looks:
            world.timers.after(first + self.pace.read, partial(self._look, handset, bubble, times))

    def _look(self, handset: Handset, bubble: Bubble, times: int) -> None:
        if handset.reads and not handset.muted:
            self.read(handset, bubble, times)

    def _reorder(self, handset: Handset, bubble: Bubble, looks: bool) -> None:
        if looks:
            self.read(handset, bubble)
        self._tell(handset, bubble, Delivered)
        if not bubble.sent:
            self._tell(handset, bubble, Sent)

    def _tell_in(
        self, seconds: float, handset: Handset, bubble: Bubble, kind: Kind, code: str = "", times: int = 1
    ) -> None:
        self._world.timers.after(seconds, partial(self._tell, handset, bubble, kind, code, times))

    def _tell(self, handset: Handset, bubble: Bubble, kind: Kind, code: str = "", times: int = 1) -> None:
        """Tells the sender. A receipt told twice is one event with one id."""
        world, number = self._world, handset.number
        world.ledger.mark(bubble.sender, bubble.id, _STATES[kind], world.now(), code)
        if bubble.untold or not self.pace.receipts:
            return
        more = {"code": code} if kind is Failed else {}
        happening = kind(
            number=number,
            event=world.new_id(),
            at=world.now(),
            to=bubble.source,
            message=bubble.id,
            resource=bubble.resource,
            **more,
        )
        for _ in range(times):
            world.tell(bubble, happening)

    def _give_up(self, handset: Handset, bubble: Bubble) -> None:
        """Nobody is told."""
        if bubble.state == "waiting":
            self.withdraw(bubble.sender, handset.number, bubble.id)

    def _expire(self, handset: Handset, bubble: Bubble) -> None:
        if bubble.state != "waiting":
            return
        world, number = self._world, handset.number
        self._judge(handset, bubble)
        do = bubble.rule.do if bubble.rule else ""
        revoked = do != "revoke_fails"
        if revoked:
            bubble.state = "gone"
            handset.waiting.pop(bubble.id, None)
            world.ledger.mark(bubble.sender, bubble.id, "expired", world.now())
        world.note(
            "expired",
            number=number,
            sender=bubble.sender,
            message=bubble.counted,
            detail="" if revoked else "kept",
        )
        world.feed.changed(number)
        if self.pace.receipts and do != "lose_receipts":
            event = Expired(
                number=number,
                event=world.new_id(),
                at=world.now(),
                to=bubble.source,
                message=bubble.id,
                resource=bubble.resource,
                revoked=revoked,
            )
            world.tell(bubble, event)
