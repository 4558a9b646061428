"""What one SMS can be, and how much it is."""

from __future__ import annotations

from heliograph.channels.sms.smpp_text import PARTS_MOST
from heliograph.core import sms
from heliograph.core.channel import Size
from heliograph.core.content import Content, Text


def check(content: Content) -> list[str]:
    """One sentence per fault; empty for what can be sent."""
    if not isinstance(content, Text):
        return ["an SMS is a text; cards, files and named messages are made into one before they are sent."]
    faults = []
    if not content.text:
        faults.append("text is empty; an SMS needs at least one character.")
    if content.suggestions:
        faults.append(f"the message has {len(content.suggestions)} suggestions; an SMS has none but those in its text.")
    parts = sms.measure(content.text).parts
    if parts > PARTS_MOST:
        faults.append(f"text takes {parts} parts, SMS allows {PARTS_MOST}.")
    return faults


def measure(content: Content) -> Size:
    return sms.measure(content.text) if isinstance(content, Text) else Size()
