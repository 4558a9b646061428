"""Two nodes on one PostgreSQL: either takes a call, neither takes it twice, and one finishes what the other left."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import subprocess
import threading
import time
from collections.abc import Iterator

import asyncpg
import pytest

from journey.caller import PATH, Caller, Phones, speak
from journey.house import EXAMPLE, until
from journey.outside import PROGRAM, Outside, free_port

DEADLINE = 2.0  # seconds; an abandoned attempt is taken over 5 s after it


class Node:
    """One more server on the database of `outside`."""

    def __init__(self, outside: Outside, key: dict[str, str]) -> None:
        self.port = free_port()
        self.log = outside.directory / f"node-{self.port}.log"
        environ = {**outside.environ, "HELIOGRAPH_PORT": str(self.port)}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([PROGRAM, "serve"], env=environ, stderr=log, cwd=outside.directory)
        until(self._answers, 30)
        self.caller = Caller(f"http://127.0.0.1:{self.port}", {**key, "site": "25508804"}, EXAMPLE)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.2).close()
        except OSError:
            return False
        return True


@pytest.fixture(scope="module")
def shared(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Outside, list[Node]]]:
    environ = {
        "HELIOGRAPH_DATABASE_URL": f"postgresql://postgres@/journey?host={postgresql_server}",
        "HELIOGRAPH_CALL_DEADLINE": str(DEADLINE),
    }
    outside = Outside(tmp_path_factory.mktemp("nodes"), environ)
    _create_database(postgresql_server)
    outside.run("db", "migrate")
    key = outside.apply()
    nodes = [Node(outside, key), Node(outside, key)]
    yield outside, nodes
    for node in nodes:
        node.process.kill()
        node.process.wait()
    outside.close()


def _create_database(folder: str) -> None:
    async def create() -> None:
        connection = await asyncpg.connect(host=folder, user="postgres", database="postgres")
        await connection.execute("CREATE DATABASE journey")
        await connection.close()

    asyncio.run(create())


def test_the_same_call_to_another_node_is_one_alert(shared: tuple[Outside, list[Node]]) -> None:
    _, (one, other) = shared
    first = one.caller.alert(externalAlertId="nodes-1")
    again = other.caller.alert(externalAlertId="nodes-1")
    assert (first.status, first.json["success"]) == (200, True), first
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.alert, again.raw) == (first.alert, first.raw)


def test_a_nonce_used_at_one_node_is_refused_by_the_other(shared: tuple[Outside, list[Node]]) -> None:
    _, (one, other) = shared
    body = one.caller.body(externalAlertId="nodes-2")
    # Signed for one public address, as behind a load balancer.
    headers = {**one.caller.sign(body=body), "Host": f"127.0.0.1:{one.port}"}
    assert speak(one.caller.base_url, "POST", PATH, body, headers).status == 200
    refused = speak(other.caller.base_url, "POST", PATH, body, headers)
    assert (refused.status, refused.json) == (401, {"error": "Invalid Nonce - Nonce has been previously used"})


def test_what_a_killed_node_left_is_finished_by_the_other(shared: tuple[Outside, list[Node]]) -> None:
    outside, (one, other) = shared
    phones = Phones(outside.sandbox_url)
    number = "4045550181"  # the sandbox takes the message at once and answers after three seconds
    calling = threading.Thread(target=_call_and_lose, args=(one.caller, number))
    calling.start()
    until(lambda: phones.messages(number))
    one.process.kill()
    one.process.wait()
    calling.join(20)
    began = time.monotonic()
    settled = until(lambda: _state(outside, "nodes-3") in ("sent", "delivered", "read"), 25, every=0.5)
    assert settled and len(phones.messages(number)) == 1
    assert time.monotonic() - began < 20
    again = other.caller.alert(externalAlertId="nodes-3", customerPhoneNumber=number)
    assert again.json["success"] is True and again.headers["idempotent-replayed"] == "true"
    assert len(phones.messages(number)) == 1


def _state(outside: Outside, external: str) -> str:
    listed = json.loads(outside.run("alerts", "list", "--json").stdout)
    return next((str(row["state"]) for row in listed if row["external_alert_id"] == external), "")


def _call_and_lose(caller: Caller, number: str) -> None:
    """A call whose node is killed before it answers."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        caller.alert(externalAlertId="nodes-3", customerPhoneNumber=number)
