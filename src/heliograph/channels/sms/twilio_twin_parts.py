"""How many segments a text has, as Twilio counts them: the twin's own count, so that ours is held against another.

Source: twilio.com/docs/glossary/what-sms-character-limit and …/what-is-gsm-7-character-encoding.
"""

from __future__ import annotations

ONE = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
TWO = frozenset("\f^{}\\[~]|€")  # they take two places


def segments(text: str) -> int:
    """Segments, at least one."""
    if all(char in ONE or char in TWO for char in text):
        widths, alone, joined = [2 if char in TWO else 1 for char in text], 160, 153
    else:
        widths, alone, joined = [2 if ord(char) > 0xFFFF else 1 for char in text], 70, 67
    if sum(widths) <= alone:
        return 1
    count, filled = 1, 0
    for width in widths:
        if filled + width > joined:
            count, filled = count + 1, 0
        filled += width
    return count
