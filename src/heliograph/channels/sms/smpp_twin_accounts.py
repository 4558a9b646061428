"""Who may bind to the centre, what centres differ in, and how one submit or bind is treated."""

from __future__ import annotations

from typing import Literal

import msgspec


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What centres differ in. `ids`: how an id is written in the answer and in the receipt. `receipts`: where a receipt
    says what it says. `echo`: user_message_reference comes back. `window`: unanswered submits of one bind that are
    taken, the rest is throttled; `per_second`: the same by rate; 0 = no limit. `binds`: how many one account may have.
    `enquire`: seconds between the centre's own enquire_link, 0 = none. `again`: seconds until what was not taken is
    delivered again."""

    ids: Literal["same", "hex-decimal", "decimal-hex"] = "same"
    receipts: Literal["text", "tlv", "both"] = "both"
    echo: bool = True
    window: int = 0
    per_second: float = 0.0
    binds: int = 0
    enquire: float = 0.0
    again: float = 1.0


class Account(msgspec.Struct, frozen=True):
    """Who may bind, and how the centre treats that one."""

    password: str
    options: Options = Options()


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """How a submit is treated: `status` other than 0 refuses it; the answer comes after `delay` seconds; `end` "drop"
    closes the connection instead of an answer, "hang" says nothing. `taken` False: it was not taken in spite of an
    `end`. `first`: the stat of a receipt that comes before the answer."""

    status: int = 0
    delay: float = 0.0
    end: Literal["answer", "drop", "hang"] = "answer"
    taken: bool = True
    first: str = ""
