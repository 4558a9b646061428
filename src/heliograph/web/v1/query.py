"""The query of a list: its filters and the size of its page, each fault by the filter's name. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

from heliograph.settings import close
from heliograph.web.problem import shown

DIGITS = 9  # of a page's size; more are none


def filters(raw: bytes, names: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Those of `names` that are sent, and the faults. A recipient has its plus."""
    found: dict[str, str] = {}
    faults: dict[str, str] = {}
    for name, value in parse_qsl(raw.decode("latin-1"), keep_blank_values=True):
        if name not in names:
            label = shown(name.encode(), 40)
            faults[label] = f"There is no filter {label}.{close(name, names) or ' Leave it out.'}"
        elif name in found:
            faults[name] = f"{name} is sent twice. Send it once."
        elif value:
            found[name] = value
    if "recipient" in found:
        # A plus that is not encoded stands for a space in a query.
        found["recipient"] = "+" + found["recipient"].strip().removeprefix("+")
    return found, faults


def page_of(query: dict[str, str], usual: int, most: int, faults: dict[str, str]) -> int:
    """How many are asked for; `usual` where the query does not say, or says it wrongly."""
    asked = query.get("limit", str(usual))
    if asked.isascii() and asked.isdigit() and len(asked) <= DIGITS and 1 <= int(asked) <= most:
        return int(asked)
    faults["limit"] = f"limit must be 1 to {most}."
    return usual
