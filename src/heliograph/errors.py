"""Every error heliograph raises on purpose.

    HeliographError            a sentence, a code, a fate, a blame
    ├── CallRefused            the caller's call cannot be taken as it is
    │   ├── FieldFaults        one or more fields are wrong; all of them are named at once
    │   └── AlertRefused       the fields are right, a rule forbids it (opted out, cannot be reached)
    ├── SendError              a provider or a desk did not take a message, or did not say so
    ├── DeskGone               a desk has closed a conversation meanwhile
    ├── StoreAway              the database cannot be reached; nothing was written
    ├── SetupError             a setting, a file or an installation is wrong
    └── PlugError              a channel or desk folder does not export what it must

A **fate** says what is to be done next, a **blame** who can mend it. Callers read these two and never the
class of an exception.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class Fate(StrEnum):
    """What happens next to an attempt that met this error."""

    RETRY = "retry"  # the same attempt again, later: nothing was accepted
    NEXT_CHANNEL = "next_channel"  # this recipient cannot be reached here; another channel may
    PERMANENT = "permanent"  # this message will never be taken
    CONFIG = "config"  # our credentials or set-up at the provider; the sender is at fault, not the alert
    UNKNOWN = "unknown"  # the message may or may not have been taken: in doubt


class Blame(StrEnum):
    """Who can mend it."""

    CALLER = "caller"
    RECIPIENT = "recipient"
    PROVIDER = "provider"
    US = "us"


class HeliographError(Exception):
    """The base: `sentence` (what happened, to what, what to do next) and `code` (one snake_case word)."""

    fate = Fate.PERMANENT
    blame = Blame.US

    def __init__(self, sentence: str, *, code: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code


class CallRefused(HeliographError):
    """A call that cannot be taken. Nothing was stored and nothing was sent."""

    blame = Blame.CALLER


class FieldFaults(CallRefused):
    """Fields of a call that are wrong. `fields` maps a neutral field name to a sentence."""

    def __init__(self, fields: dict[str, str], *, code: str = "invalid_fields") -> None:
        super().__init__(" ".join(fields.values()), code=code)
        self.fields = fields


class AlertRefused(CallRefused):
    """A call whose fields are right and that a rule forbids; the refused alert is stored under `alert`."""

    def __init__(self, sentence: str, *, code: str, alert: str) -> None:
        super().__init__(sentence, code=code)
        self.alert = alert


class SendError(HeliographError):
    """A provider did not take a message, or did not say whether it did.

    `detail` is the provider's own words without personal data, `raw` its own error body as it came (bytes, may be
    empty), `retry_after` seconds it asked us to wait, `exchange` the note of the HTTP exchange (see
    core.ports.Exchange).
    """

    def __init__(
        self,
        sentence: str,
        *,
        code: str,
        fate: Fate,
        blame: Blame = Blame.PROVIDER,
        raw: bytes = b"",
        retry_after: float | None = None,
        exchange: Any = None,
    ) -> None:
        super().__init__(sentence, code=code)
        self.fate = fate
        self.blame = blame
        self.raw = raw
        self.retry_after = retry_after
        self.exchange = exchange


class DeskGone(HeliographError):
    """The desk has closed that conversation meanwhile, or knows it no more: nothing was taken, and its turns need a new
    one. `exchange`: the note of the HTTP exchange."""

    blame = Blame.PROVIDER

    def __init__(self, sentence: str, *, code: str = "desk_gone", exchange: Any = None) -> None:
        super().__init__(sentence, code=code)
        self.exchange = exchange


class StoreAway(HeliographError):
    """The database cannot be reached or does not answer. Nothing of the verb was written."""

    fate = Fate.RETRY


class SetupError(HeliographError):
    """A setting, a file or the installation is wrong; the sentence names it and the next step."""


class PlugError(SetupError):
    """A folder in channels/ or desks/ does not export what plugs.py asks of it."""
