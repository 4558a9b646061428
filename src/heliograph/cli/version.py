"""`heliograph version`."""

from __future__ import annotations

import platform

from heliograph import __version__
from heliograph.cli import given, say


def version(*, json: given.Json = False) -> None:
    """Print the versions of heliograph and Python."""
    if json:
        say.data({"heliograph": __version__, "python": platform.python_version()})
    else:
        say.line(f"heliograph {__version__} (Python {platform.python_version()})")
