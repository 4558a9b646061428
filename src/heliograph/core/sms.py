"""How a text becomes SMS: its alphabet (GSM 03.38 or UCS-2), how many parts it takes, and what would make it cheaper.

The alphabets are those of 3GPP TS 23.038 §6.2.1 (default alphabet and its extension table), the lengths those of
TS 23.040: one part holds 140 octets, a part of several 134, since 6 go for the header that joins them.
"""

from __future__ import annotations

import re
import unicodedata

from heliograph.core.channel import Size

GSM7 = "GSM-7"
UCS2 = "UCS-2"

# Septets, or UTF-16 units, in one part alone and in each part of several.
ALONE = {GSM7: 160, UCS2: 70}
JOINED = {GSM7: 153, UCS2: 67}

# The default alphabet in the order of its codes, 0x00 to 0x7F. 0x1B announces a character of the extension table.
_DEFAULT = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
_ESCAPE = 0x1B
# Two septets each.
_EXTENSION = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
_CODES = {
    **{char: bytes((code,)) for code, char in enumerate(_DEFAULT) if code != _ESCAPE},
    **{char: bytes((_ESCAPE, code)) for char, code in _EXTENSION.items()},
}
ALPHABET = "".join(_CODES)  # all that GSM-7 can write; those of EXTENDED count twice
EXTENDED = "".join(_EXTENSION)
_FOREIGN = re.compile(f"[^{re.escape(''.join(_CODES))}]")
_EXTENDED = re.compile(f"[{re.escape(''.join(_EXTENSION))}]")

# What writing programs put in the place of a plain character, and the plain one. Letters are not here: to take an
# accent away is the author's decision.
_PLAIN = {
    **dict.fromkeys("‘’‚‛′´`ʼ", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("•‣▪·", "*"),
    # no-break, thin, figure and their kin; a tab
    **dict.fromkeys("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\t", " "),
    **dict.fromkeys("\u200b\u2060\ufeff\u00ad", ""),  # zero-width space and joiner, byte order mark, soft hyphen
    **dict.fromkeys("\u2028\u2029", "\n"),
    "…": "...",
    "‹": "<",
    "›": ">",
}


def measure(text: str) -> Size:
    """How much `text` is as SMS. `units`: septets, or UTF-16 units; an empty text is one part."""
    encoding, units, forced_by = _measured(text)
    parts = 1 if units <= ALONE[encoding] else len(_cut(text, encoding))
    return Size(parts=parts, encoding=encoding, units=units, forced_by=forced_by)


def split(text: str) -> list[str]:
    """The parts of `text`, in order; joined they are the text. No pair of septets or of UTF-16 units is cut in two.

    All parts have the encoding of the whole (`measure`), also one that by itself would need less."""
    encoding, units, _ = _measured(text)
    return [text] if units <= ALONE[encoding] else _cut(text, encoding)


def encoded(text: str) -> tuple[str, list[bytes]]:
    """The encoding of `text`, and the bytes of each part: one septet a byte (unpacked), or UTF-16, high byte first."""
    encoding, units, _ = _measured(text)
    encode = encode_gsm7 if encoding == GSM7 else encode_ucs2
    parts = [text] if units <= ALONE[encoding] else _cut(text, encoding)
    return encoding, [encode(part) for part in parts]


def encode_gsm7(text: str) -> bytes:
    """The septets of `text`, one in each byte. Raises ValueError with the first character that has none."""
    found = _FOREIGN.search(text)
    if found:
        raise ValueError(f"{said(found[0])} is not in the GSM alphabet.")
    return b"".join([_CODES[char] for char in text])


def decode_gsm7(septets: bytes) -> str:
    """The text of unpacked septets. An unknown pair is a space, as the standard asks (TS 23.038 §6.2.1.1, note 3)."""
    found: list[str] = []
    escaped = False
    for code in septets:
        if escaped:
            found.append(_EXTENDED_CHARS.get(code, " "))
            escaped = False
        elif code == _ESCAPE:
            escaped = True
        else:
            found.append(_DEFAULT[code & 0x7F])
    return "".join(found)


_EXTENDED_CHARS = {code: char for char, code in _EXTENSION.items()}


def encode_ucs2(text: str) -> bytes:
    """UTF-16, high byte first. Phones show a surrogate pair as one character although UCS-2 has none."""
    return text.encode("utf-16-be", "surrogatepass")


def plain(text: str) -> str:
    """`text` with typographic characters as plain ones and accents joined to their letters: what a phone shows is
    nearly the same, and it may cost less."""
    return "".join([char if char in _CODES else _PLAIN.get(char, char) for char in unicodedata.normalize("NFC", text)])


def cheaper(text: str) -> str | None:
    """`plain(text)` where it takes fewer parts; None where it does not."""
    other = plain(text)
    return other if other != text and measure(other).parts < measure(text).parts else None


def said(char: str) -> str:
    """A character for people: `’ (U+2019, RIGHT SINGLE QUOTATION MARK)`."""
    shown = f"{char} " if char.isprintable() and not char.isspace() else ""
    return f"{shown}(U+{ord(char):04X}, {unicodedata.name(char, 'without a name')})"


def _measured(text: str) -> tuple[str, int, str]:
    """Encoding, units, and the first character that the GSM alphabet lacks."""
    found = _FOREIGN.search(text)
    if found is None:
        return GSM7, len(text) + len(_EXTENDED.findall(text)), ""
    return UCS2, len(encode_ucs2(text)) // 2, found[0]


def _cut(text: str, encoding: str) -> list[str]:
    most = JOINED[encoding]
    parts: list[str] = []
    start = room = 0
    for at, char in enumerate(text):
        width = 2 if (char in _EXTENSION if encoding == GSM7 else ord(char) > 0xFFFF) else 1
        if room + width > most:
            parts.append(text[start:at])
            start, room = at, 0
        room += width
    parts.append(text[start:])
    return parts
