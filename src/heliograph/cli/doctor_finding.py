"""One thing that `heliograph doctor` looked at."""

from __future__ import annotations

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`state`: ok | warning | failed. `step`: what to do, empty where it is ok."""

    state: str
    check: str
    found: str
    step: str = ""
