"""What `heliograph demo` prints beside the call: what to try, in order, and whether the story is right."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from rich.text import Text

from heliograph.cli import say

if TYPE_CHECKING:
    from heliograph.demo import Demo
    from heliograph.rehearsal import Scene


def scene(seen: Scene) -> None:
    """One line of the story, as soon as it was seen."""
    if seen.fault:
        say.error(f"{seen.name}: {seen.fault}", code="demo")
    else:
        say.show(Text.assemble(("  ✓ ", "green"), seen.says))
    sys.stdout.flush()


def where(running: Demo, data: Path, alert: str) -> None:
    """Where to look, and what to try: lines to copy, none wider than 80 columns where folder and port are the usual."""
    say.line("What to try, in this order:")
    say.line()
    steps = (
        (running.handset_url, 'Matt\'s phone. The card is there; tap "Learn More".'),
        (
            running.inbox_url,
            f"The agents' inbox. Log in as demo, password {running.password}\n"
            "His tap is there, and beside it all that the call said of him: Sky Miles,\n"
            "T-Shirt Size. Answer it, and look at his phone again.",
        ),
        (running.care_handset_url, "Jane's phone. Her site's agents work in LivePerson; tap \"Learn More\"."),
        (running.desk_url, "LivePerson, as its agents see it. Answer her here."),
    )
    for number, (url, words) in enumerate(steps, 1):
        say.show(Text.assemble((f"{number}  ", "bold"), (url, "bold")))
        for line in words.splitlines():
            say.line(f"   {line}")
    say.line()
    say.line(f"The API      {running.base_url}/docs")
    say.line(f"All phones   {running.sandbox_url}/")
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
