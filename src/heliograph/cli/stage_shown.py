"""How `heliograph sandbox` tells who plays: a table and variables for people, one line of JSON for programs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Any

from heliograph.cast import CAST, DESKS, DeskRole, Role
from heliograph.cli import say
from heliograph.stage import Played, PlayedDesk, Stage, Webhook

_OF_ONE = re.compile(r"([a-z][a-z0-9-]*)=(.*)")


def webhooks(told: Sequence[str], base_url: str) -> Webhook:
    """Where each sender's events go: by --webhook, else to the server at `base_url`. Raises NotUnderstood."""
    everyone, of_one = "", {}
    for one in told:
        match = _OF_ONE.fullmatch(one)
        if match is None:
            everyone = one
        elif match[1] not in {role.provider for role in (*CAST, *DESKS)}:
            raise say.NotUnderstood(f"--webhook {one}: {match[1]} is not a provider that the sandbox plays.")
        else:
            of_one[match[1]] = match[2]

    def webhook(role: Role | DeskRole) -> str:
        return of_one.get(role.provider, everyone or role.callback(base_url))

    return webhook


def as_json(stage: Stage) -> None:
    say.json_line(
        {
            "sandbox_url": stage.sandbox.url,
            "variables": stage.variables,
            "senders": [_document(stage, played) for played in stage.cast],
            "desks": [_desk_document(stage, played) for played in stage.desks],
        }
    )


def as_table(stage: Stage) -> None:
    say.line(f"The sandbox answers at {stage.sandbox.url}/ (handsets in the browser).")
    say.line()
    rows = [_row(stage, played) for played in stage.cast]
    say.table(("channel", "=provider", "=sender", "=answers at", "what it asks for"), rows, empty="Nobody plays.")
    say.line()
    for desk in stage.desks:
        say.line(f"{desk.role.desk}, account {desk.role.id}: {stage.sandbox.url}/desks/{desk.role.desk}/{desk.role.id}")
    if stage.desks:
        say.line()
    say.line(
        "Point your own code at it, or the example site (heliograph apply examples/acme-air). In another terminal:"
    )
    say.line(f"  . {shlex.quote(str(stage.variables_file))}")
    say.line("which says:")
    for one in stage.exports:
        say.line(f"  {one}")
    say.line("Ctrl-C stops it.")


def _row(stage: Stage, played: Played) -> tuple[str, ...]:
    asks = "a key file" if played.role.provider == "google-rbm" else ", ".join(played.role.credentials.values())
    return played.role.channel, played.role.provider, played.role.id, _where(stage, played), asks.replace("_", " ")


def _where(stage: Stage, played: Played) -> str:
    line = stage.sandbox.world.lines.get(played.role.provider)
    return f"{stage.sandbox.host}:{line.port}" if line else stage.sandbox.url


def _document(stage: Stage, played: Played) -> dict[str, Any]:
    """A sender for a program: all that it needs to speak to this provider, and where its events go."""
    world, role = stage.sandbox.world, played.role
    line = world.lines.get(role.provider)
    return {
        "channel": role.channel,
        "provider": role.provider,
        "sender": role.id,
        "address": role.address or role.id,
        "webhook": played.known.webhook,
        **({"host": stage.sandbox.host, "port": line.port} if line else {"base_url": stage.sandbox.url}),
        "credentials": played.known.credentials,
        "variables": played.variables,
    }


def _desk_document(stage: Stage, played: PlayedDesk) -> dict[str, Any]:
    """An account at a desk for a program, likewise."""
    return {
        "desk": played.role.desk,
        "id": played.role.id,
        "webhook": played.known.webhook,
        "base_url": stage.sandbox.url,
        "page": f"{stage.sandbox.url}/desks/{played.role.desk}/{played.role.id}",
        "skills": played.known.skills,
        "credentials": played.known.credentials,
        "variables": played.variables,
    }
