"""The one JSON encoder of the store."""

from __future__ import annotations

import msgspec

encode = msgspec.json.Encoder().encode
