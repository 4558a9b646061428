"""`heliograph demo`: everything at once, the documented example sent, its answer shown, and where to look."""

from __future__ import annotations

import asyncio
import json as lines
import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.syntax import Syntax

from heliograph.cli import given, say
from heliograph.cli.send import PATH, Parts, post, sign


def demo(
    *,
    exit: Annotated[bool, given.Switch] = False,
    port: Annotated[int | None, Parameter(show_default=False)] = None,
    sandbox_port: Annotated[int | None, Parameter(show_default=False)] = None,
    data: Path = Path("heliograph-demo"),
    json: given.Json = False,
) -> int:
    """Start server and sandbox, apply examples/acme-air, send the documented example, and stay until Ctrl-C.

    Nothing leaves this machine: the sandbox is the provider, and the recipient's phone is a page in your browser.

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

    return uvloop.run(_demo(exit, port, sandbox_port, data, json))


async def _demo(end: bool, port: int | None, sandbox_port: int | None, data: Path, json: bool) -> int:
    from heliograph.app import until_stopped
    from heliograph.demo import Demo, example, told

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
            say.line("heliograph serves, the sandbox stands in for Google and the phone.")
            say.line()
            say.line(f"POST {url}")
            _show(body)
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
            _show(answer)
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
            _where(running, data)
        await until_stopped()
        return 0
    finally:
        await running.stop()


def _where(running: Any, data: Path) -> None:
    """Where to look, and what to try."""
    say.line(f"The phone   {running.handset_url}")
    say.line(f"All phones  {running.sandbox_url}/")
    say.line(f"The API     {running.base_url}/docs")
    say.line()
    say.line("Try the API yourself (another terminal):")
    say.line(
        f"  heliograph send {running.base_url} --key-file {data}/key.json --site 25508804 --skill service \\\n"
        "    --country-code 1 --phone 7703101414 --template flightdelay --language spanish \\\n"
        '    --var Time="7:35 pm" --var City="Kansas City" --var Gate=C35'
    )
    say.line(f"  heliograph alerts list --database-url sqlite:///{data}/heliograph.db")
    say.line()
    say.line("Ctrl-C stops it.")
    sys.stdout.flush()


def _show(body: bytes) -> None:
    text = body.decode("utf-8", "replace").strip()
    try:
        text = lines.dumps(lines.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        say.line(text)
        return
    say.show(Syntax(text, "json", theme="ansi_dark", background_color="default", word_wrap=True))


def _decoded(body: bytes) -> Any:
    try:
        return lines.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def _tell(**facts: Any) -> None:
    say.json_line(facts)
