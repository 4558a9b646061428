"""The structure of a JSON text without its values: keys as often as they are written, depth of nesting. Pure.

msgspec keeps the last of two equal keys in silence; these two functions see what it does not tell. They are linear in
the text and do not recurse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

_token = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\],]', re.DOTALL).finditer
_bracket = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\]]', re.DOTALL).finditer
_string = msgspec.json.Decoder(str).decode


def keys(text: bytes) -> Iterator[str]:
    """The keys of the outermost object of a valid JSON text, in order, repeated ones repeated."""
    level = 0
    key_next = False
    for match in _token(text):
        mark = text[match.start()]
        if mark == 0x22:  # "
            if key_next and level == 1:
                key_next = False
                yield _string(match[0])
        elif mark in b"{[":
            level += 1
            key_next = level == 1
        elif mark in b"}]":
            level -= 1
        elif level == 1:
            key_next = True


def depth(text: bytes, enough: int) -> int:
    """How deep the text is nested; counting stops at the first level beyond `enough`. The text need not be valid."""
    if text.count(b"{") + text.count(b"[") <= enough:
        return 0  # cannot be deeper; the usual case costs two counts
    level = deepest = 0
    for match in _bracket(text):
        mark = text[match.start()]
        if mark in b"{[":
            level += 1
            if level > deepest:
                deepest = level
                if deepest > enough:
                    break
        elif mark in b"}]":
            level -= 1
    return deepest
