"""The command line run in this process, on a database file of its own, with the example's variables set."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from heliograph.cli import run

EXAMPLE = Path(__file__).parents[2] / "examples" / "acme-air"


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def heliograph(tmp_path, monkeypatch, capsys) -> Callable[..., Ran]:
    key = tmp_path / "key.json"
    key.write_text('{"client_email": "a@b.example"}')
    for name in ("CONSUMER_KEY", "CONSUMER_SECRET", "TOKEN", "TOKEN_SECRET", "BEARER"):
        monkeypatch.delenv(f"HELIOGRAPH_SEND_{name}", raising=False)
    monkeypatch.setenv("HELIOGRAPH_DATABASE_URL", f"sqlite:///{tmp_path}/a.db")
    monkeypatch.setenv("ACME_RBM_AGENT", "acme")
    monkeypatch.setenv("ACME_RBM_KEY_FILE", str(key))
    monkeypatch.setenv("ACME_RBM_WEBHOOK_TOKEN", "webhook-token-1")
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> Ran:
        code = run([str(word) for word in words])
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return call


@pytest.fixture
def applied(heliograph):
    assert heliograph("apply", EXAMPLE).code == 0
    return heliograph
