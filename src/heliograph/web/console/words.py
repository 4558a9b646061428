"""What pages say of states, channels, reasons and times. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from heliograph.core.reason import words as reason_words


class State(msgspec.Struct, frozen=True):
    """How a state looks: one colour (a class of style.css) and one glyph everywhere."""

    word: str
    glyph: str
    kind: str


STATES = {
    "accepted": State("accepted", "○", "way"),
    "sending": State("sending", "◌", "way"),
    "intended": State("intended", "○", "way"),
    "sent": State("sent", "→", "way"),
    "delivered": State("delivered", "✓", "good"),
    "read": State("read", "✓✓", "good"),
    "scheduled": State("scheduled", "◷", "held"),
    "in_doubt": State("in doubt", "?", "doubt"),
    "failed": State("failed", "✕", "bad"),
    "refused": State("refused", "⊘", "bad"),
    "expired": State("expired", "⌛︎", "over"),
    "cancelled": State("cancelled", "–", "over"),
    "revoked": State("revoked", "↶", "over"),
}
CHANNELS = {"rcs": "RCS", "wa": "WA", "sms": "SMS"}


def state(word: str) -> State:
    return STATES.get(word) or State(word.replace("_", " "), "·", "way")


def channel(name: str) -> str:
    """The short label."""
    return CHANNELS.get(name, name)


def reason(code: str) -> str:
    """A sentence for one of our codes; the code itself where there is none."""
    return reason_words(code)


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def iso(ms: int) -> str:
    return _moment(ms).strftime("%Y-%m-%dT%H:%M:%SZ")


def exact(ms: int) -> str:
    return _moment(ms).strftime("%Y-%m-%d %H:%M:%S UTC")


def day(ms: int) -> str:
    return _moment(ms).strftime("%Y-%m-%d")


def ago(ms: int, now: int) -> str:
    """How long ago (or until then), in the largest unit that says it: `12 s ago`, `in 3 min`."""
    seconds = abs(now - ms) // 1000
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            said = f"{seconds // size} {unit}"
            break
    else:
        said = f"{seconds} s"
    return f"in {said}" if ms > now else f"{said} ago"


def spaced(e164: str) -> str:
    """A number in groups, as people read it."""
    import phonenumbers

    try:
        found = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
