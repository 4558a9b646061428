"""alertInfo for people: every key that the brand sent, in its order, each value as it was written. Pure.

Numbers keep their digits (a double would change 1234567890123456789), a key that came twice is there twice, and what is
no JSON is shown as it came.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from heliograph.core import phone

FOLDED = 280  # characters above which a value is folded
DEEPEST = 40  # below that a value is shown as one text


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One value. `kind`: text | number | word (true, false, null) | object | array | raw. `text`: a leaf's words, of an
    object or array what it holds in words. `label`: how the key is spoken of; `twice`: the key stands there again."""

    key: str
    kind: str
    text: str = ""
    inner: tuple[Node, ...] = ()
    twice: bool = False

    @property
    def long(self) -> bool:
        return len(self.text) > FOLDED or self.text.count("\n") > 5

    @property
    def beginning(self) -> str:
        return " ".join(self.text[:FOLDED].split())


class _Digits(str):
    """A number as it was written."""


class _Pairs(list[tuple[str, Any]]):
    """An object, its keys in order, those that came twice too."""


def masked(found: tuple[Node, ...], number: str) -> tuple[Node, ...]:
    """The same with a recipient's number (E.164) masked wherever it stands, as in the record of an alert."""
    return tuple(
        msgspec.structs.replace(
            one, key=blotted(one.key, number), text=blotted(one.text, number), inner=masked(one.inner, number)
        )
        for one in found
    )


def blotted(text: str, number: str) -> str:
    return text.replace(number[1:], phone.mask(number)[1:]) if number else text


def nodes(raw: bytes) -> tuple[Node, ...]:
    """The values of an object one by one; anything else is one value without a key. Empty for nothing and for null."""
    text = raw.decode("utf-8", "replace").strip()
    if not text or text == "null":
        return ()
    try:
        found = json.loads(
            text, object_pairs_hook=_Pairs, parse_int=_Digits, parse_float=_Digits, parse_constant=_Digits
        )
    except (ValueError, RecursionError):
        return (Node(key="", kind="raw", text=_printable(text)),)
    if isinstance(found, _Pairs):
        return _of_object(found, 0)
    return (_node("", found, 0, False),)


def _of_object(pairs: _Pairs, depth: int) -> tuple[Node, ...]:
    seen: set[str] = set()
    made: list[Node] = []
    for key, value in pairs:
        made.append(_node(key, value, depth, key in seen))
        seen.add(key)
    return tuple(made)


def _node(key: str, value: Any, depth: int, twice: bool) -> Node:
    key = _printable(key)
    match value:
        case _Digits():
            return Node(key=key, kind="number", text=str(value), twice=twice)
        case str():
            return Node(key=key, kind="text", text=_printable(value), twice=twice)
        case None | bool():
            return Node(key=key, kind="word", text=json.dumps(value), twice=twice)
        case _ if depth >= DEEPEST:
            return Node(key=key, kind="raw", text="nested deeper than is shown; copy the whole", twice=twice)
        case _Pairs():
            inner = _of_object(value, depth + 1)
            return Node(key=key, kind="object", text=_counted(len(inner), "key"), inner=inner, twice=twice)
        case _:
            inner = tuple(_node(str(place), one, depth + 1, False) for place, one in enumerate(value, 1))
            return Node(key=key, kind="array", text=_counted(len(inner), "value"), inner=inner, twice=twice)


def _counted(many: int, what: str) -> str:
    return f"no {what}s" if not many else f"{many} {what}{'' if many == 1 else 's'}"


def _printable(text: str) -> str:
    """Half of a surrogate pair cannot be written in UTF-8; JSON may hold one."""
    return text.encode("utf-8", "replace").decode()
