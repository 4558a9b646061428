"""The page docs/reference/cli.md, made from the commands themselves (a house test holds the two together)."""

from __future__ import annotations

_EXITS = """
## Exit codes

| code | meaning |
|---|---|
| 0 | done |
| 1 | it failed; standard error says what, to what, and what to do next |
| 2 | the command was not understood: an unknown command or option, or one of its values |
| 3 | `send` alone: the server refused the call (4xx) |
| 4 | `send` alone: nobody knows yet whether the message was taken |
| 130 | stopped by Ctrl-C |

With `--json` the output is one JSON document (`demo`: one object per line) and an error is `{"error": …, "code": …}` on
standard error.
"""


def reference_markdown() -> str:
    """Every command with its arguments and options, then the exit codes."""
    from heliograph.cli import build

    text = build().generate_docs(output_format="markdown")
    return text.rstrip().replace("# heliograph\n", "# Command line\n", 1) + "\n" + _EXITS
