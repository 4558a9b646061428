"""`heliograph demo`: everything at once, the documented example sent, its answer shown, and what to try."""

from __future__ import annotations

import asyncio
import json as lines
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter, validators
from rich.highlighter import JSONHighlighter
from rich.text import Text

from heliograph.cli import demo_shown, given, say
from heliograph.cli.send import PATH, post
from heliograph.cli.signing import Parts, sign

if TYPE_CHECKING:
    from heliograph.demo import Demo

_Port = Annotated[int | None, Parameter(show_default=False, validator=validators.Number(gte=0, lte=65535))]


def demo(
    *,
    exit: Annotated[bool, given.Switch] = False,
    port: _Port = None,
    sandbox_port: _Port = None,
    data: Path = Path("heliograph-demo"),
    json: given.Json = False,
) -> int:
    """Start server and sandbox, apply the example sites, send the documented example, and stay until Ctrl-C.

    Nothing leaves this machine: the sandbox is the provider, the recipient's phone is a page in your browser, and so is
    the inbox in which you answer.

    Exit code: 0 when it was stopped after the story was told, 130 by Ctrl-C before; see --exit for programs.

    Parameters
    ----------
    exit
        Play the story to its end (a tap, an agent's answer, in the console and in LivePerson), check it from outside,
        and end: exit code 0 if all of it is right, else 1.
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
    from heliograph.demo import DEMO_USER, Demo, example, told
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
                inbox_url=running.inbox_url,
                user=DEMO_USER,
                password=running.password,
                desk_url=running.desk_url,
                care_handset_url=running.care_handset_url,
                site="25508804",
                **told(running.parts),
            )
        else:
            say.line("heliograph serves; the sandbox stands in for all the rest: providers, phones, LivePerson.")
            say.line()
            say.line(f"POST {url}")
            say.line("Content-Type: application/json")
            say.line("Authorization: OAuth … (HMAC-SHA1, signed with oauthlib)")
            say.line()
            _show(body.decode())
        headers = sign(url, body, Parts(**told(running.parts)))
        status, found, answer, seconds = await asyncio.to_thread(post, url, headers, body, 30.0)
        decoded = _decoded(answer)
        again = running.care_request()
        await asyncio.to_thread(post, url, sign(url, again, Parts(**told(running.care))), again, 30.0)
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
            return await _story(running, status, decoded, json)
        if not json:
            demo_shown.where(running, data, found.get("heliograph-alert", ""))
        await until_stopped()
        return 0
    finally:
        await running.stop()


async def _story(running: Demo, status: int | None, answer: Any, json: bool) -> int:
    """Plays the rest and tells what was right; the exit code."""
    if not json:
        say.line("From the alert to an agent and back, seen from outside:")
        say.line()
    scenes = []
    async for seen in running.play(status, answer):
        scenes.append(seen)
        if not json:
            demo_shown.scene(seen)
    faults = {seen.name: seen.fault for seen in scenes if seen.fault}
    if json:
        _tell(right=not faults, faults=faults, checked=[seen.name for seen in scenes])
    elif not faults:
        say.line()
        say.line("All of it is right.")
    return 1 if faults else 0


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
