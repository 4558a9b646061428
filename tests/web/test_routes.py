"""The table: how a path finds its row, which methods it takes, who may call, and how a body is limited."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.settings import Settings
from heliograph.web.asgi import asgi
from heliograph.web.route import Auth, Listener, Table, canonical
from heliograph.web.routes import ROUTES

table = Table(ROUTES)


@pytest.mark.parametrize(
    "path",
    [
        b"/api/proactiveAlert",
        b"/api/proactivealert/",
        b"/API/ProActiveAlert",
        b"/api/proactive%41lert",
        b"/%61pi/proactiveAlert",
    ],
)
def test_a_path_under_api_is_found_in_every_spelling(path: bytes) -> None:
    found = table.find("POST", path).route
    assert found is not None
    assert found.path == "/api/proactiveAlert"


@pytest.mark.parametrize(
    "path",
    [b"/api/proactiveAlert//", b"//api/proactiveAlert", b"/api%2FproactiveAlert", b"/api/proactiveAlert/x", b"/x", b"*",
     b"", b"/api/contextAndInvite", b"/api/getLiveDeflectData/v2", b"/HEALTHZ", b"/api/account//baseURI.json"],
)  # fmt: skip
def test_other_paths_are_nobodys(path: bytes) -> None:
    found = table.find("POST", path)
    assert found.route is None and found.allowed == ()


@given(st.binary(max_size=40))
def test_no_path_raises(path: bytes) -> None:
    table.find("GET", b"/" + path)
    table.find("POST", b"/api/" + path)
    assert isinstance(canonical(path), str)


def test_named_parts_keep_their_case() -> None:
    found = table.find("GET", b"/API/Account/Ab1/Service/proactiveALERT/baseuri.json")
    assert found.params == {"siteId": "Ab1", "serviceName": "proactiveALERT"}


def test_every_row_says_who_may_call_and_has_documentation() -> None:
    places = [(route.method, route.path) for route in ROUTES]
    assert len(set(places)) == len(places)
    for route in ROUTES:
        assert isinstance(route.auth, Auth) and isinstance(route.listener, Listener)
        assert route.summary
        if not route.path.startswith("/console"):  # pages for people document themselves
            assert route.docs and route.docs.about and route.docs.says
        assert (route.auth is Auth.PRIVATE) == (route.listener is Listener.PRIVATE)


async def test_unknown_addresses_and_methods(caller: Any) -> None:
    said = await caller.call("GET", "/api/nothing")
    assert said.status == 404 and said.json["success"] is False and "/api/nothing" in said.json["error"]
    said = await caller.call("GET", "/nothing")
    assert said.status == 404 and said.headers["content-type"] == "application/problem+json"
    assert said.json["detail"].startswith("Nothing is at GET /nothing.")
    for method in ("GET", "PUT", "OPTIONS", "HEAD"):
        said = await caller.call(method, "/api/ProactiveAlert/")
        assert (said.status, said.headers["allow"]) == (405, "POST")
        assert said.json["success"] is False
    assert (await caller.call("POST", "/healthz")).headers["allow"] == "GET, HEAD"
    assert (await caller.call("HEAD", "/healthz")).status == 200


async def test_nothing_under_api_redirects(caller: Any) -> None:
    for path in ("/api/proactiveAlert/", "/api/proactivealert", "/api"):
        assert not 300 <= (await caller.call("POST", path)).status < 400


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_beyond_the_limit_is_413_before_all_else(caller: Any, announced: bool) -> None:
    limit = caller.doors.settings.body_limit
    headers = {"Content-Length": str(limit + 1)} if announced else {}
    said = await caller.call("POST", "/api/proactiveAlert", b" " * (limit + 1), headers)
    assert (said.status, said.json["success"]) == (413, False)
    assert "262,144" in said.json["error"]
    said = await caller.call("POST", "/api/proactiveAlert", b" " * limit, {"Content-Type": "application/json"})
    assert said.status == 401


async def test_two_authorization_headers_are_not_taken_for_one(caller: Any, example_body: bytes) -> None:
    headers = list(caller.signed().items())
    twice = [*headers, ("Authorization", dict(headers)["Authorization"])]
    said = await caller.call("POST", "/api/proactiveAlert", example_body, twice)
    assert said.status == 401


async def test_private_rows_answer_this_machine_alone(caller: Any) -> None:
    assert (await caller.call("GET", "/metrics")).status == 404
    assert (await caller.call("GET", "/metrics", peer="127.0.0.1")).status == 200
    assert (await caller.call("GET", "/metrics", peer="::1")).status == 200
    proxied = {"X-Forwarded-For": "198.51.100.7"}
    assert (await caller.call("GET", "/metrics", headers=proxied, peer="127.0.0.1")).status == 404


async def test_with_a_private_listener_the_public_one_has_no_private_rows(caller: Any) -> None:
    doors = msgspec.structs.replace(caller.doors, settings=Settings(private_port=9000))
    public, private = asgi(doors), asgi(doors, Listener.PRIVATE)
    assert (await caller.call("GET", "/metrics", peer="127.0.0.1", app=public)).status == 404
    assert (await caller.call("GET", "/metrics", app=private)).status == 200
    assert (await caller.call("GET", "/readyz", app=private)).json["store"] == "ok"
    assert (await caller.call("GET", "/docs", app=private)).status == 404
    assert (await caller.call("POST", "/api/proactiveAlert", app=private)).status == 404


# ── Discovery ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_discovery(caller: Any) -> None:
    entry = {"service": "proactiveAlert", "account": "25508804", "baseURI": "alerts.acme.example"}
    path = "/api/account/25508804/service/proactiveAlert/baseURI.json?version=1.0"
    assert (await caller.call("GET", path)).json == entry
    for path in ("/api/account/25508804/baseURI.json", "/api/account/25508804/service/baseURI.json?version=1.0"):
        assert (await caller.call("GET", path)).json == {"baseURIs": [entry]}
    said = await caller.call("GET", "/api/account/25508804/service/agentVep/baseURI.json")
    assert (said.status, said.json["success"]) == (404, False)
    assert (await caller.call("GET", "/api/account/%3Cscript%3E/baseURI.json")).status == 404
