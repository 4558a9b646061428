"""A caller of the documented API as brands are: signs with oauthlib, speaks plain HTTP/1.1, trusts nothing."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from oauthlib.oauth1 import Client

PATH = "/api/proactiveAlert"
JSON = {"Content-Type": "application/json", "Accept": "application/json"}


class Said(NamedTuple):
    """An answer; header names are lower case, a header sent twice is joined with a comma."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def alert(self) -> str:
        return self.headers.get("heliograph-alert", "")

    @property
    def failure(self) -> Any:
        """The object inside `message` of a documented failure, which is a string."""
        assert self.json["success"] == "false", self
        assert isinstance(self.json["message"], str)
        return json.loads(self.json["message"])


def own_id(number: str) -> str:
    """The externalAlertId of an alert to this number; the number itself does not stand in it."""
    return f"to-{number[:3]}-{number[-4:]}"


def speak(
    base_url: str,
    method: str,
    target: str,
    body: bytes | None = None,
    headers: Mapping[str, str] = {},
    timeout: float = 30.0,
) -> Said:
    """One call on a connection of its own."""
    at = urlsplit(base_url)
    line = http.client.HTTPConnection(at.hostname or "", at.port, timeout=timeout)
    try:
        line.request(method, target, body=body, headers=dict(headers))
        response = line.getresponse()
        raw = response.read()
    finally:
        line.close()
    told: dict[str, str] = {}
    for name, value in response.getheaders():
        name = name.lower()
        told[name] = f"{told[name]}, {value}" if name in told else value
    return Said(response.status, told, raw)


class Caller:
    """One API key, and the request that its calls are made from."""

    def __init__(self, base_url: str, key: Mapping[str, str], request: Mapping[str, Any]) -> None:
        self.base_url = base_url
        self.key = key
        self.request = {**request, "siteId": key["site"]}

    def sign(self, target: str = PATH, body: bytes = b"", **more: Any) -> dict[str, str]:
        """The headers of a signed call. `more`: what oauthlib's Client takes (nonce, timestamp, …)."""
        key = self.key
        # oauthlib hashes a body as UTF-8, and signs nothing that looks like a form beside a JSON type.
        text = body.decode() if body[:1] in (b"{", b"[", b'"') and _is_utf8(body) else None
        client = Client(key["consumer_key"], key["consumer_secret"], key["token"], key["token_secret"], **more)
        _, headers, _ = client.sign(self.base_url + target, "POST", text, dict(JSON))
        return dict(headers)

    def body(self, **changes: Any) -> bytes:
        """The page's example with changes; a field given as `...` is left out."""
        fields = {**self.request, **changes}
        return json.dumps({name: value for name, value in fields.items() if value is not ...}).encode()

    def send(
        self, body: bytes, target: str = PATH, headers: Mapping[str, str] = {}, timeout: float = 30.0, **more: Any
    ) -> Said:
        """A signed call with this body; `headers` are added."""
        return speak(self.base_url, "POST", target, body, {**self.sign(target, body, **more), **headers}, timeout)

    def alert(self, headers: Mapping[str, str] = {}, timeout: float = 30.0, **changes: Any) -> Said:
        return self.send(self.body(**changes), headers=headers, timeout=timeout)

    def to(self, number: str, headers: Mapping[str, str] = {}, timeout: float = 30.0, **changes: Any) -> Said:
        """An alert to a number of ten digits, with an externalAlertId of its own unless told otherwise."""
        return self.alert(
            headers, timeout, **{"externalAlertId": own_id(number), "customerPhoneNumber": number, **changes}
        )


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


class Phones:
    """The sandbox: what arrived on handsets, what their people do, how the provider misbehaves."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str) -> Any:
        return self._call("GET", path)

    def post(self, path: str, **body: Any) -> Any:
        return self._call("POST", path, json.dumps(body).encode())

    def delete(self, path: str) -> Any:
        return self._call("DELETE", path)

    def messages(self, number: str) -> list[dict[str, Any]]:
        """What came to the phone of a ten-digit American number."""
        found = self.get(f"/sandbox/handsets/{quote(f'+1{number}', safe='')}")["messages"]
        return [message for message in found if message["direction"] == "in"]

    def does(self, number: str, action: str = "", **body: Any) -> Any:
        at = f"/sandbox/handsets/{quote(f'+1{number}', safe='')}"
        return self.post(f"{at}/{action}" if action else at, **body)

    def behave(self, do: str, **rule: Any) -> None:
        self.post("/sandbox/behaviour", do=do, **rule)

    def creates(self, message: str) -> int:
        """How often the provider was asked to send this message id."""
        return int(self.get(f"/sandbox/counts?message={message}")["messages"][message]["creates"])

    def _call(self, method: str, path: str, body: bytes | None = None) -> Any:
        said = speak(self.url, method, path, body, JSON if body else {})
        assert said.status == 200, said
        return said.json
