"""The house checks itself: floors, documentation, names, versions. Small on purpose; each test guards one promise."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import heliograph
from heliograph import plugs, settings
from heliograph.cli import COMMANDS
from heliograph.web.route import Auth
from heliograph.web.routes import ROUTES

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SOURCE = ROOT / "src" / "heliograph"


def _generate() -> dict[str, str]:
    sys.path.insert(0, str(DOCS))
    try:
        import generate

        return generate.pages()
    finally:
        sys.path.remove(str(DOCS))


def test_floors_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_reference_pages_are_fresh() -> None:
    for name, text in _generate().items():
        assert (DOCS / "reference" / name).read_text("utf-8") == text, f"{name} is old: run `make docs`"


def test_every_setting_command_route_and_channel_is_documented() -> None:
    pages = {path.name: path.read_text("utf-8") for path in (DOCS / "reference").glob("*.md")}
    for row in settings.TABLE:
        assert f"`{row.variable}`" in pages["settings.md"]
    for command in COMMANDS:
        assert f"heliograph {command}" in pages["cli.md"]
    for route in ROUTES:
        assert f"`{route.path}`" in pages["routes.md"]
    for channel in plugs.channels():
        assert f"channel-{channel}.md" in pages


def test_every_route_says_who_may_call() -> None:
    assert all(isinstance(route.auth, Auth) for route in ROUTES)
    assert all((route.auth is Auth.SESSION) == (route.role is not None) for route in ROUTES)  # a page has a role


def test_no_name_uses_a_word_that_means_everything() -> None:
    """One word for one thing (docs/glossary.md); these stand for nothing in this house."""
    rivals = re.compile(r"(tenant|notification|handler|manager|helper|utils?|service)s?$", re.IGNORECASE)
    allowed = {
        ("web/livedeflect/discovery.py", "service"),
        ("web/livedeflect/discovery.py", "services"),
    }  # its own word
    for path in SOURCE.rglob("*.py"):
        place = path.relative_to(SOURCE).as_posix()
        names = [path.stem]
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                names.append(node.name)
        for name in names:
            assert not rivals.search(name) or (place, name) in allowed, f"{place} defines {name}"


def test_files_say_what_they_are_and_stay_small() -> None:
    for path in SOURCE.rglob("*.py"):
        text = path.read_text("utf-8")
        if text.strip():
            assert text.startswith('"""'), f"{path.relative_to(ROOT)} does not say what it is in its first line"


def test_version_is_the_top_of_the_changelog() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest and newest[1] == project["version"] == heliograph.__version__


def test_links_between_pages_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            if "://" not in target and not target.startswith("mailto:"):
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"
