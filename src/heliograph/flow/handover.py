"""Hands one attempt to its provider: uploads, repeats by fate, and what is true at the end.

    taken     the provider said so
    failed    the provider said no, or could not be reached and nothing was written
    in_doubt  something was written and no word came back; it is never sent a second time blindly

An error's fate decides: `retry` waits (exponentially with jitter, and at least for Retry-After) and repeats, so does
`unknown` with the same message id where the provider ignores repeats, everything else ends the attempt.
"""

from __future__ import annotations

import random
from enum import StrEnum

import msgspec

from heliograph.core.alert import Attempt
from heliograph.core.ports import Exchange, Message, Taken
from heliograph.errors import Blame, Fate, SendError, StoreAway
from heliograph.flow import uploads
from heliograph.flow.means import Means
from heliograph.flow.registry import LEFT_SANDBOX, OpenSender

TRIES = 4  # hand-overs that failed before anything was accepted; throttled ones do not count
FIRST_WAIT = 0.25  # seconds, doubled each time, ± 50 %
KEPT = 8  # exchanges in the record; a provider that throttles for hours would fill it
LEAST_LEFT = 0.05  # seconds before the deadline in which no new try is begun
PATIENCE = 5.0  # seconds that a try is given at least, where a repeat is harmless; else it has all that is left


class Verdict(StrEnum):
    TAKEN = "taken"
    FAILED = "failed"
    NOT_SENT = "not_sent"  # the deadline ended before anything was handed over
    IN_DOUBT = "in_doubt"


class Handed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`error` is the last one met, also beside a success. `exchanges`: every exchange, oldest first."""

    verdict: Verdict
    tries: int
    taken: Taken | None = None
    error: SendError | None = None
    exchanges: tuple[Exchange, ...] = ()


async def hand_over(
    attempt: Attempt, opened: OpenSender, means: Means, *, deadline: float, in_doubt: bool = False
) -> Handed:
    """Tries until the provider says yes or no, or `deadline` (loop time) ends. `in_doubt`: an earlier hand-over of
    this attempt was left without an answer, so that "nothing was handed over" can no longer be said."""
    provider = opened.provider
    fault: SendError | None = None
    if attempt.test and not opened.sandbox:
        # The sender was given other addresses since the plan was made. It is no fault of that sender's.
        fault = SendError(LEFT_SANDBOX, code="not_for_test", fate=Fate.RETRY, blame=Blame.US)
    elif provider is None:
        fault = SendError(opened.fault, code="sender_not_usable", fate=Fate.CONFIG, blame=Blame.US)
    if provider is None or fault is not None:
        return Handed(verdict=Verdict.IN_DOUBT if in_doubt else Verdict.FAILED, tries=attempt.tries, error=fault)
    clock, tries, failures = means.clock, attempt.tries, 0
    exchanges: list[Exchange] = []
    error: SendError | None = None
    renewed = False

    while True:
        started = clock.loop_time()
        tries += 1
        uploading = True
        try:
            content = await uploads.named(attempt, opened, means, deadline)
            uploading = False
            if clock.now() >= attempt.expires or clock.loop_time() >= deadline:
                # The commit before it, or an upload, took all of its time; another node may have it by now.
                verdict = Verdict.IN_DOUBT if in_doubt else Verdict.NOT_SENT
                break
            taken = await provider.send(
                Message(
                    id=attempt.id,
                    recipient=attempt.recipient,
                    content=content,
                    expires=attempt.expires,
                    now=clock.now(),
                    traffic=attempt.traffic,
                    window=attempt.window_ends is not None and clock.now() < attempt.window_ends,
                ),
                _patience(started, deadline) if provider.repeats_are_ignored else deadline,
            )
        except StoreAway as away:
            # Of the message nothing was handed over; what is true of the attempt is said by its caller, who cannot
            # write it down now either.
            error = SendError(away.sentence, code=away.code, fate=Fate.RETRY, blame=Blame.US)
            uploading = True
        except SendError as met:
            error = met
            if met.exchange is not None:
                exchanges.append(met.exchange)
            means.meters.attempt(attempt.provider, met.fate.value, clock.loop_time() - started)
        else:
            means.meters.attempt(attempt.provider, "taken", clock.loop_time() - started)
            if taken.exchange is not None:
                exchanges.append(taken.exchange)
            return Handed(verdict=Verdict.TAKEN, tries=tries, taken=taken, error=error, exchanges=tuple(exchanges))

        if error.fate is Fate.PERMANENT and not renewed and await uploads.forget(attempt, opened, means):
            renewed = True  # the provider may have lost a file that we still name; nothing was taken
            continue
        told = not uploading and error.blame in (Blame.PROVIDER, Blame.RECIPIENT)
        verdict = _verdict(error, told=told, in_doubt=in_doubt)
        in_doubt = in_doubt or error.fate is Fate.UNKNOWN
        if error.fate not in (Fate.RETRY, Fate.UNKNOWN) or (in_doubt and not provider.repeats_are_ignored):
            break
        if error.retry_after is None:
            failures += 1
        if failures >= TRIES:
            break
        wait = max(_wait(failures), error.retry_after or 0.0)
        if clock.loop_time() + wait > deadline - LEAST_LEFT:
            # Throttled for longer than the caller waits is an answer; a network that ate the time is not.
            if not in_doubt and error.retry_after is None:
                verdict = Verdict.NOT_SENT
            break
        await clock.sleep(wait)
        if clock.now() >= attempt.expires:
            verdict = verdict if in_doubt else Verdict.NOT_SENT
            break
    return Handed(verdict=verdict, tries=tries, error=error, exchanges=tuple(exchanges[-KEPT:]))


def _verdict(error: SendError, *, told: bool, in_doubt: bool) -> Verdict:
    """What is true after `error` if no further try is made. A plain no of the provider's to the message (`told`) also
    settles an earlier doubt: one that ignores repeats would have said yes had it taken the first. Bad credentials, or
    an upload that failed, say nothing of it."""
    if error.fate is Fate.UNKNOWN or (in_doubt and not (told and error.fate in (Fate.PERMANENT, Fate.NEXT_CHANNEL))):
        return Verdict.IN_DOUBT
    return Verdict.FAILED


def _patience(started: float, deadline: float) -> float:
    """Half of what is left, so that a lost answer leaves time for a repeat."""
    return min(deadline, started + max(PATIENCE, (deadline - started) / 2))


def _wait(failures: int) -> float:
    return FIRST_WAIT * float(2 ** max(0, failures - 1)) * random.uniform(0.5, 1.5)
