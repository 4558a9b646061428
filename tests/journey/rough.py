"""A server for rough handling: short limits, and what must be true after each call and at the end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from journey.caller import Said
from journey.house import EXAMPLE, House
from journey.sites import site

BODY_TIMEOUT, IDLE = 1.5, 3.0  # seconds
LIMIT = 262_144  # bytes of a body
GOOD = json.dumps({**EXAMPLE, "externalAlertId": ""}).encode()
NOBODY = ("7703101414", "703101414", "Fanning", "Kansas", "4045550101", "1234567890", "DROP TABLE", "Traceback")


def house(directory: Path) -> Iterator[House]:
    """For a module's fixture. At its end the log has no error and nobody in it."""
    made = House(
        directory,
        {
            "HELIOGRAPH_BODY_TIMEOUT": f"{BODY_TIMEOUT:g}",
            "HELIOGRAPH_IDLE_TIMEOUT": f"{IDLE:g}",
            "HELIOGRAPH_FAILED_CREDENTIALS": "2000",
            "HELIOGRAPH_CALL_DEADLINE": "4",
            "HELIOGRAPH_LOG_LEVEL": "debug",
        },
    )
    site(directory / "sites", "other")
    site(directory / "sites", "slowly", "calls_per_second = 0.5\nburst = 2\n")
    site(directory / "sites", "hashed", "require_body_hash = true\n")
    try:
        made.open(directory / "sites", "other", "slowly", "hashed")
        yield made
        silent(made)
    finally:
        made.close()


def well(house: House) -> Iterator[None]:
    """For a fixture around each test: the same process answers the good call as before."""
    assert house.outside.server is not None
    process = house.outside.server.pid
    yield
    said = house.acme.to("4045550101", externalAlertId=...)
    assert said.status == 200 and said.json["success"] is True
    assert house.outside.server.pid == process and house.outside.server.poll() is None


def silent(house: House) -> None:
    log = house.log()
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line for line in lines if line["level"] in ("error", "critical")] == []
    assert "started" in {line["action"] for line in lines}  # it is this server's log
    assert [word for word in NOBODY if word in log] == []
    for caller in house.callers.values():
        assert caller.key["consumer_secret"] not in log and caller.key["token_secret"] not in log


def refused(said: Said, status: int, *words: str) -> None:
    """The documented shape of every refusal but 401's."""
    assert said.status == status, said
    assert said.headers["content-type"] == "application/json"
    assert said.json["success"] is False and len(said.json["error"]) > 10
    for word in words:
        assert word in said.json["error"], said.json


def unauthorized(said: Said, *words: str) -> None:
    assert said.status == 401, said
    assert said.json.keys() == {"error"}
    assert re.fullmatch(r'OAuth realm="[^"]+"', said.headers["www-authenticate"])
    for word in words:
        assert word in said.json["error"], said.json
