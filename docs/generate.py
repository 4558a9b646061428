"""Writes the reference pages from the code: settings, command line, routes, errors, channels. `make docs` runs it.

`pages()` gives them as text; a house test compares them with what is committed.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "heliograph"
REFERENCE = ROOT / "docs" / "reference"


def pages() -> dict[str, str]:
    """File name → text."""
    from heliograph import settings
    from heliograph.cli import reference

    return {
        "settings.md": settings.reference_markdown(),
        "cli.md": reference.reference_markdown(),
        "routes.md": routes(),
        "errors.md": errors(),
        **channels(),
    }


def routes() -> str:
    from heliograph.web.routes import ROUTES

    lines = [
        "# Routes",
        "",
        "Every address of the server. A running server documents them with their bodies at `/docs` and "
        "`/openapi.json`.",
        "",
        "| method | path | who may call | listener | what it does |",
        "|---|---|---|---|---|",
    ]
    for r in ROUTES:
        least = r.scope or r.role
        who = f"{r.auth.value} (`{least.value}`)" if least else r.auth.value
        lines.append(f"| {r.method} | `{r.path}` | {who} | {r.listener.value} | {r.summary} |")
    return "\n".join(lines) + "\n"


def errors() -> str:
    """Every code with the sentence that carries it, as it stands in the source; `…` is what is filled in."""
    found: dict[str, set[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for code, sentence in _raised(ast.parse(path.read_text("utf-8"))):
            found.setdefault(code, set()).add(sentence)
    lines = [
        "# Errors",
        "",
        "Every error has a code and a sentence that says what happened, to what, and what to do next.",
        "",
        "| code | sentences |",
        "|---|---|",
    ]
    for code, sentences in sorted(found.items()):
        said = "<br>".join(sorted(one.replace("|", "\\|").replace("<", "&lt;") for one in sentences if one))
        lines.append(f"| `{code}` | {said} |")
    return "\n".join(lines) + "\n"


def _raised(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            code = next((word.value for word in node.keywords if word.arg == "code"), None)
            if isinstance(code, ast.Constant) and isinstance(code.value, str) and code.value:
                yield code.value, " ".join(_text(node.args[0]).split()) if node.args else ""


def _text(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) for part in parts)
        case ast.FormattedValue():
            return "…"
        case ast.BinOp(left=left, right=right):
            return _text(left) + _text(right)
        case _:
            return "…"


def channels() -> dict[str, str]:
    """Each channel's own page, as it stands in its folder."""
    return {
        f"channel-{page.parent.name}.md": page.read_text("utf-8")
        for page in sorted(SOURCE.glob("channels/*/README.md"))
    }


def main() -> int:
    REFERENCE.mkdir(parents=True, exist_ok=True)
    wanted = pages()
    for name, text in wanted.items():
        (REFERENCE / name).write_text(text, "utf-8")
    for old in REFERENCE.glob("*.md"):
        if old.name not in wanted:
            old.unlink()
    print(f"{len(wanted)} pages in {REFERENCE.relative_to(ROOT)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
