"""The command line: `heliograph …`. One file per group of commands; heavy rooms are imported inside the commands.

Exit codes: 0 done · 1 it failed · 2 the command was not understood · 130 stopped by Ctrl-C. `heliograph send` has two
more (see cli/send.py). Errors go to standard error, with `--json` as one JSON object.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterator, Sequence

from cyclopts import App, CycloptsError, Parameter, UnusedCliTokensError

from heliograph.cli import (
    alerts,
    apply,
    audit,
    capabilities,
    conversations,
    db,
    demo,
    desks,
    doctor,
    erase,
    keys,
    opt_outs,
    receipts,
    say,
    send,
    senders,
    serve,
    settings,
    templates,
    users,
    version,
    webhooks,
)
from heliograph.errors import HeliographError

OK, FAILED, USAGE, STOPPED = 0, 1, 2, 130

# In the order of the help: what a newcomer needs first stands first.
COMMANDS: dict[str, App | Callable[..., object]] = {
    "demo": demo.demo,
    "serve": serve.serve,
    "sandbox": serve.sandbox,
    "send": send.send,
    "apply": apply.apply,
    "alerts": alerts.app,
    "conversations": conversations.app,
    "desks": desks.desks,
    "receipts": receipts.app,
    "opt-outs": opt_outs.app,
    "erase": erase.erase,
    "templates": templates.app,
    "keys": keys.app,
    "users": users.app,
    "audit": audit.audit,
    "senders": senders.app,
    "webhooks": webhooks.app,
    "capabilities": capabilities.capabilities,
    "settings": settings.settings,
    "db": db.app,
    "doctor": doctor.doctor,
    "version": version.version,
}


def build() -> App:
    """The whole command line."""
    app = App(
        name="heliograph",
        help="The open server for proactive alerts: one signed call reaches a person on the channel that works.",
        help_epilogue="Commands that read settings take every one by its name, as in --database-url sqlite:///a.db; "
        "`heliograph settings` lists them. --json prints for programs.",
        help_format="plaintext",
        version_flags=[],
        result_action="return_value",
        default_parameter=Parameter(show_default=_default),
    )
    for place, (name, command) in enumerate(COMMANDS.items()):
        if isinstance(command, App):
            command.sort_key = place
            app.command(command)
        else:
            app.command(command, name=name, sort_key=place)
    for one in _all(app):
        if one.default_command is not None:
            one.help = _flowing(one.default_command)
    return app


def _all(app: App) -> Iterator[App]:
    """Every command with something of its own to say, groups gone through."""
    for name in app:
        if not name.startswith("-"):
            yield app[name]
            yield from _all(app[name])


def _flowing(command: Callable[..., object]) -> str:
    """What a command's docstring says before its parameters, a paragraph a line: the terminal breaks lines itself."""
    said = (inspect.getdoc(command) or "").partition("\nParameters\n")[0]
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in said.strip().split("\n\n"))


def _default(value: object) -> str | None:
    """A default as the help shows it; an empty one says nothing."""
    return None if value in ("", (), None) else str(value)


def run(argv: Sequence[str] | None = None) -> int:
    """One command; its exit code. An expected error is three parts on standard error, never a traceback."""
    words = list(sys.argv[1:] if argv is None else argv)
    json = "--json" in words
    try:
        code = build()(words, exit_on_error=False, print_error=False)
    except UnusedCliTokensError as error:
        command = " ".join(error.command_chain or ())
        too_many = " ".join(error.unused_tokens or ())
        say.error(f"{too_many} is too much here. `heliograph {command} --help` shows how.", code="usage", json=json)
        return USAGE
    except CycloptsError as error:
        say.error(f"{error} `heliograph --help` shows how.", code="usage", json=json)
        return USAGE
    except say.NotUnderstood as error:
        say.error(error.sentence, code=error.code, json=json)
        return USAGE
    except HeliographError as error:
        say.error(error.sentence, code=error.code, json=json)
        return FAILED
    except KeyboardInterrupt:
        return STOPPED
    except BrokenPipeError:
        # The reader (head, less) went away. Python would complain once more when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    return code if isinstance(code, int) else OK


def main() -> None:
    sys.exit(run())
