"""Secrets that the installation makes for itself, each once. Sealed by whoever writes them; the store reads none."""

from __future__ import annotations

from heliograph.store.verb import Verb


def read(name: str) -> Verb[str]:
    """The sealed value, empty where there is none."""
    rows = yield "secret_read", (name,)
    return str(rows[0][0]) if rows else ""


def make(name: str, value: str) -> Verb[str]:
    """The value that is there; `value` where there was none. Two nodes that make it at once keep one."""
    yield "secret_new", (name, value)
    return (yield from read(name))


def replace(name: str, former: str, value: str) -> Verb[bool]:
    """False: it is no longer `former`, nothing was written."""
    return bool((yield "secret_replace", (name, former, value)))
