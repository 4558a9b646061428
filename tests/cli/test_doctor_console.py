"""What `heliograph doctor` says of the console."""

from __future__ import annotations

from heliograph.cli.doctor_console import console_findings
from heliograph.core.user import Role, User
from heliograph.settings import Settings

ANN, BOB = User(name="ann", role=Role.ADMIN), User(name="bob", role=Role.AGENT)
GONE = User(name="cat", role=Role.ADMIN, disabled=1)


def told(*users: User, **settings: object) -> list[tuple[str, str]]:
    return [(one.state, one.found) for one in console_findings(users, Settings(**settings))]  # type: ignore[arg-type]


def test_who_may_log_in() -> None:
    assert told(ANN, BOB, GONE) == [("ok", "2 users, 1 of them admin")]
    assert told() == told(GONE) == [("warning", "nobody may log in")]
    assert told(console=False) == []


def test_passwords_in_clear() -> None:
    assert told(ANN, public_url="http://alerts.acme.example") == [("warning", "1 user, 1 of them admin, without TLS")]
    for own in ("https://alerts.acme.example", "http://127.0.0.1:8080", "http://[::1]:1", "http://localhost:8080"):
        assert told(ANN, public_url=own) == [("ok", "1 user, 1 of them admin")]
