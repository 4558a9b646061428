"""The page and the OpenAPI document: complete, valid, and fetched from nowhere else."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from heliograph.web.docs import CURL
from heliograph.web.livedeflect.fields import NAMES
from heliograph.web.route import Listener
from heliograph.web.routes import ROUTES


async def test_openapi_is_valid_and_names_every_public_row(caller: Any) -> None:
    validate = pytest.importorskip("openapi_spec_validator").validate
    document = (await caller.call("GET", "/openapi.json")).json
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert document["servers"] == [{"url": "https://alerts.acme.example"}]
    rows = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    assert rows == {(r.path, r.method) for r in ROUTES if r.docs and r.listener is not Listener.PRIVATE}
    assert document["paths"]["/api/proactiveAlert"]["post"]["security"] == [{"oauth1": []}]


async def test_the_documented_example_is_the_pages_request_and_works(caller: Any, example: dict[str, Any]) -> None:
    document = (await caller.call("GET", "/openapi.json")).json
    content = document["paths"]["/api/proactiveAlert"]["post"]["requestBody"]["content"]["application/json"]
    assert content["example"] == example
    assert list(content["example"]) == list(example)
    assert (await caller.alert(content["example"])).status == 200


async def test_every_status_answered_is_documented(caller: Any, example: dict[str, Any]) -> None:
    documented = (await caller.call("GET", "/openapi.json")).json["paths"]["/api/proactiveAlert"]["post"]["responses"]
    assert set(documented) == {"200", "400", "401", "403", "405", "413", "415", "422", "429", "502", "503"}


async def test_the_page_has_every_field_and_loads_nothing(caller: Any) -> None:
    said = await caller.call("GET", "/docs")
    page = said.body.decode()
    assert said.headers["content-type"] == "text/html; charset=utf-8"
    for name in NAMES:
        assert f"<code>{name}</code>" in page
    assert "https://alerts.acme.example/api/proactiveAlert" in page
    assert not re.search(r"<script|<link[^>]+stylesheet|@import|url\(|src=", page)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in said.headers["content-security-policy"]
    assert said.headers["content-security-policy"].startswith("default-src 'none'")


async def test_a_host_header_cannot_write_into_the_page(caller: Any) -> None:
    import msgspec

    from heliograph.web import address
    from heliograph.web.asgi import asgi

    doors = msgspec.structs.replace(caller.doors, plate=address.doorplate("", ""))
    headers = [("Host", "x</code><script>alert(1)</script>")]
    said = await caller.call("GET", "/docs", headers=headers, app=asgi(doors))
    assert b"<script>" not in said.body


@pytest.mark.skipif(not (shutil.which("openssl") and shutil.which("bash")), reason="needs bash and openssl")
async def test_the_curl_example_signs_rightly(caller: Any, example_body: bytes, tmp_path: Path) -> None:
    script = CURL.replace("@BASE@", "https://alerts.acme.example")
    script = script.replace("key=… secret=… token=… token_secret=…", "key=ck secret=cs token=tk token_secret=ts")
    script = script[: script.index("curl -sS")] + 'printf %s "OAuth $header"'
    header = await asyncio.to_thread(subprocess.check_output, ["bash", "-c", script], text=True)
    said = await caller.call(
        "POST",
        "/api/proactiveAlert",
        example_body,
        {"Authorization": header, "Content-Type": "application/json"},
    )
    assert said.status == 200, said.body
    assert json.loads(said.body)["success"] is True
