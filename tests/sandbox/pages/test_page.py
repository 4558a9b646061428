"""What stands at which address, and what the files may not hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import heliograph.sandbox.pages
from heliograph.sandbox.pages import page

FOLDER = Path(heliograph.sandbox.pages.__file__).parent
FILES = sorted(file for file in FOLDER.rglob("*") if file.suffix in {".html", ".css", ".js", ".svg"})


@pytest.mark.parametrize(
    ("path", "content_type", "holds"),
    [
        ("/", "text/html; charset=utf-8", b'class="overview"'),
        ("/handsets/+17703101414", "text/html; charset=utf-8", b'class="single"'),
        ("/handsets/%2B17703101414", "text/html; charset=utf-8", b'class="single"'),
        ("/handsets/17703101414", "text/html; charset=utf-8", b'class="single"'),
        ("/pages/static/style.css", "text/css; charset=utf-8", b"--accent"),
        ("/pages/static/phone.js", "text/javascript; charset=utf-8", b"export function phone"),
    ],
)
def test_a_page_stands_at_its_address(path: str, content_type: str, holds: bytes) -> None:
    found = page(path)
    assert found is not None
    assert found[0] == content_type
    assert holds in found[1]


@pytest.mark.parametrize(
    "path",
    [
        "", "/index.html", "/handsets/", "/handsets/matt", "/handsets/+1770/310", "/handsets/+1234567890123456",
        "/handsets/+123",
        "/pages/static/", "/pages/static/absent.js", "/pages/static/../__init__.py", "/pages/static/..%2F__init__.py",
        "/pages/static/%2e%2e/overview.html", "/pages/static//style.css", "/pages/static/phone.js/",
    ],
)  # fmt: skip
def test_nothing_else_stands(path: str) -> None:
    assert page(path) is None


def test_every_file_a_page_names_is_there() -> None:
    for file in FILES:
        text = file.read_text()
        for name in re.findall(r'"(/pages/static/[^"]+)"', text):
            assert page(name) is not None, f"{file.name} names {name}"
        for name in re.findall(r'from "\./([^"]+)"', text):
            assert page(f"/pages/static/{name}") is not None, f"{file.name} imports {name}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_file_breaks_the_strict_policy_or_reaches_out(file: Path) -> None:
    text = file.read_text()
    # The one outside address is SVG's name for itself, which nobody fetches.
    outside = set(re.findall(r"https?://[a-z0-9.-]+|[\"'(]//[a-z0-9.-]+", text)) - {"http://www.w3.org"}
    assert not outside
    if file.suffix == ".html":
        assert not re.search(r"\son[a-z]+=|\sstyle=|<style|<script(?![^>]*\ssrc=)", text)
    if file.suffix == ".js":
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write\(|\beval\(|new Function", text)
        assert not re.search(r"\.style\b|\"style\"", text)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_first_lines_say_what_the_file_is(file: Path) -> None:
    if file.suffix == ".svg":
        pytest.skip("a picture")
    assert any(mark in "\n".join(file.read_text().splitlines()[:2]) for mark in ("// ", "<!-- ", "/* "))
