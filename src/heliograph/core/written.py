"""A suggestion as a line of text, for channels that cannot show it (core.fit)."""

from __future__ import annotations

import re

from heliograph.core.content import CalendarEvent, Dial, OpenUrl, Suggestion, ViewLocation


def line_of(suggestion: Suggestion) -> str:
    """A suggestion as a line, in the author's words and plain characters (a dash would double the price of an SMS);
    empty where a line cannot do what it does."""
    match suggestion:
        case OpenUrl(text=text, url=url):
            return f"{text}: {url}"
        case Dial(text=text, phone=phone):
            return f"{text}: {phone}"
        case ViewLocation(text=text):
            place = suggestion.label or suggestion.query
            if suggestion.latitude is not None and suggestion.longitude is not None:
                coordinates = f"{suggestion.latitude:.6g}, {suggestion.longitude:.6g}"
                place = f"{place} ({coordinates})" if place else coordinates
            said = ", ".join(part for part in (place, suggestion.fallback_url) if part)
            return f"{text}: {said}" if said else ""
        case CalendarEvent(text=text, title=title):
            return f"{text}: {title}, {_time(suggestion.start)} - {_time(suggestion.end)}"
        case _:
            return ""


def _time(moment: str) -> str:
    """2026-11-25T18:30:00Z as 2026-11-25 18:30 UTC; what is no such time stays as it is."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(?::\d\d(?:\.\d+)?)?([Zz]|[+-]\d\d:\d\d)?", moment)
    if not found:
        return moment
    zone = "UTC" if found[3] in ("Z", "z") else found[3] or ""
    return f"{found[1]} {found[2]} {zone}".rstrip()
