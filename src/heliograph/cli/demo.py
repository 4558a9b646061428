"""`heliograph demo`: everything at once, the documented example sent, its answer shown, and where to look."""

from __future__ import annotations

import asyncio
import json as lines
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from cyclopts import Parameter, validators
from rich.highlighter import JSONHighlighter
from rich.text import Text

from heliograph.cli import given, say
from heliograph.cli.send import PATH, post
from heliograph.cli.signing import Parts, sign

_Port = Annotated[int | None, Parameter(show_default=False, validator=validators.Number(gte=0, lte=65535))]


def demo(
    *,
    exit: Annotated[bool, given.Switch] = False,
    port: _Port = None,
    sandbox_port: _Port = None,
    data: Path = Path("heliograph-demo"),
    json: given.Json = False,
) -> int:
    """Start server and sandbox, apply examples/acme-air, send the documented example, and stay until Ctrl-C.

    Nothing leaves this machine: the sandbox is the provider, and the recipient's phone is a page in your browser.

    Exit code: 0 when it was stopped after the story was told, 130 by Ctrl-C before; see --exit for programs.

    Parameters
    ----------
    exit
        End when the story is told: exit code 0 if the answer, the handset and the record are right, else 1.
    port
        The server's port; 8080, or a free one where that is taken.
    sandbox_port
        The sandbox's port; 8090, or a free one where that is taken.
    data
        A folder for database, keys and log. It is emptied at each start.
    """
    import uvloop

    os.umask(0o077)  # keys and what a person was told lie in the folder: for its owner alone
    return uvloop.run(_demo(exit, port, sandbox_port, data, json))


async def _demo(end: bool, port: int | None, sandbox_port: int | None, data: Path, json: bool) -> int:
    from heliograph.demo import Demo, example, told
    from heliograph.running import until_stopped

    running = Demo(data, port=port, sandbox_port=sandbox_port)
    await running.start()
    try:
        body = (example() / "request.json").read_bytes()
        url = running.base_url + PATH
        if json:
            _tell(
                base_url=running.base_url,
                sandbox_url=running.sandbox_url,
                docs_url=f"{running.base_url}/docs",
                handset_url=running.handset_url,
                site="25508804",
                **told(running.parts),
            )
        else:
            say.line("heliograph serves; the sandbox stands in for Google, WhatsApp, SMS networks and the phones.")
            say.line()
            say.line(f"POST {url}")
            say.line("Content-Type: application/json")
            say.line("Authorization: OAuth … (HMAC-SHA1, signed with oauthlib)")
            say.line()
            _show(body.decode())
        headers = sign(url, body, Parts(**told(running.parts)))
        status, found, answer, seconds = await asyncio.to_thread(post, url, headers, body, 30.0)
        decoded = _decoded(answer)
        if json:
            ours = {name: value for name, value in found.items() if name.startswith("heliograph-")}
            _tell(
                request={"method": "POST", "url": url, "body": _decoded(body)},
                status=status,
                headers=ours,
                answer=decoded,
                milliseconds=round(seconds * 1000),
            )
        else:
            say.line()
            say.line(f"{status} in {seconds * 1000:.0f} ms")
            _show(decoded if isinstance(decoded, str) else lines.dumps(decoded, indent=2, ensure_ascii=False))
            say.line()
        if end:
            faults = await running.check(status, decoded)
            if json:
                _tell(right=not faults, faults=faults)
            else:
                for what, fault in faults.items():
                    say.error(f"{what}: {fault}", code="demo")
                if not faults:
                    say.line("Answer, handset and record are right.")
            return 1 if faults else 0
        if not json:
            _where(running, data, found.get("heliograph-alert", ""))
        await until_stopped()
        return 0
    finally:
        await running.stop()


def _where(running: Any, data: Path, alert: str) -> None:
    """Where to look, and what to try: lines to copy, none wider than 80 columns where folder and port are the usual."""
    say.line(f"The phone    {running.handset_url}")
    say.line(f"All phones   {running.sandbox_url}/")
    say.line(f"The API      {running.base_url}/docs")
    say.line(f"The log      {data / 'heliograph.log'}")
    say.line()
    say.line("Try it yourself, in another terminal:")
    for words in (
        f"cd {shlex.quote(str(Path.cwd()))}",
        *_on_the_path(),
        f"export HELIOGRAPH_DATABASE_URL={shlex.quote('sqlite:///' + quote(str(data)) + '/heliograph.db')}",
        f"heliograph send {running.base_url} --key-file {shlex.quote(str(data / 'key.json'))} \\",
        "  --skill service --country-code 1 --phone 7703101414 \\",
        "  --template flightdelay --language spanish \\",
        '  --var Time="7:35 pm" --var City="Kansas City" --var Gate=C35',
        "heliograph alerts list",
        *([f"heliograph alerts show {alert}"] if alert else []),
    ):
        say.line(f"  {words}")
    say.line()
    say.line("--phone 7705550180 has no RCS: it is told by WhatsApp. README.md goes on from here.")
    say.line()
    say.line("Ctrl-C stops it.")
    sys.stdout.flush()


def _on_the_path() -> tuple[str, ...]:
    """What makes `heliograph` a command in another terminal: nothing, if it is one already."""
    program = Path(sys.argv[0]).absolute()
    if shutil.which("heliograph") == str(program):
        return ()
    return (f'export PATH={shlex.quote(str(program.parent))}:"$PATH"',)


def _show(text: str) -> None:
    """JSON with colours on a terminal. Its lines stay whole, so that what is copied is still JSON."""
    shown = Text(say.clean(text.rstrip()))
    JSONHighlighter().highlight(shown)
    say.console().print(shown, soft_wrap=True)


def _decoded(body: bytes) -> Any:
    try:
        return lines.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def _tell(**facts: Any) -> None:
    say.json_line(facts)
