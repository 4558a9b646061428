"""The README's tour as a newcomer follows it: every block that it prints, in order, beside a running demo.

What is not copied from it: `.venv` (the environment is there, under another name) and the ports.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import textwrap
from pathlib import Path

from journey.caller import Phones
from journey.demonstration import PLAIN, Demonstration
from journey.outside import PROGRAM, ROOT


def test_the_tour_can_be_taken_as_printed(tmp_path: Path) -> None:
    tour = (ROOT / "README.md").read_text("utf-8").partition("## A tour in five minutes")[2].partition("\n## ")[0]
    blocks = [textwrap.dedent(one) for one in re.findall(r"^ *```sh\n(.*?)^ *```", tour, re.M | re.S)]
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    demo = Demonstration(tmp_path)
    try:
        script = "\n".join(
            "heliograph alerts show $(heliograph alerts list --json | grep -om1 '[0-9a-f-]\\{36\\}')"
            if line == "heliograph alerts show ID"
            else line
            for line in "".join(blocks).splitlines()
        )
        script = script.replace("http://127.0.0.1:8080", demo.base_url).replace(
            "http://127.0.0.1:8090", demo.sandbox_url
        )
        path = f"{Path(PROGRAM).parent}:{PLAIN['PATH']}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path, env={**PLAIN, "PATH": path}, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        assert done.stdout.count("The provider took the message on wa.") == 2
        assert "The decision" in done.stdout and "It would be sent on sms" in done.stdout
        assert "8 unchanged." in done.stdout
        phones = Phones(demo.sandbox_url)
        phones.get("/sandbox/idle?timeout=30")
        assert [one["channel"] for one in phones.messages("7705550121")] == ["sms"]
    finally:
        assert demo.end() == (0, "")
