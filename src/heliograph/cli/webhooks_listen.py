"""The receiver of `heliograph webhooks listen`: one call after the other, its signature checked, shown, answered."""

from __future__ import annotations

import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any

import msgspec

from heliograph.cli import say
from heliograph.core.standard_webhooks import ID, BadSecret, fault, key_of, new_secret
from heliograph.errors import SetupError

LONGEST = 1 << 20  # bytes of a call


def run(host: str, port: int, secrets: tuple[str, ...], status: int, *, json: bool) -> None:
    """Until Ctrl-C. Raises SetupError for a secret that is none, and a port that is taken."""
    if not 200 <= status <= 599:
        raise say.NotUnderstood(f"--answer is {status}; a status from 200 to 599 is needed.")
    for one in secrets:
        try:
            key_of(one)
        except BadSecret as wrong:
            raise SetupError(str(wrong), code="webhook_secret") from None
    given = bool(secrets)
    secrets = secrets or (new_secret(os.urandom(32)),)
    try:
        server = ThreadingHTTPServer((host, port), _door(secrets, status, json))
    except OSError as error:
        raise SetupError(f"{host}:{port} cannot be listened on: {error.strerror}. Try --port 0.", code="port") from None
    address = f"http://{host}:{server.server_address[1]}/"
    if json:
        say.json_line({"url": address, "secret": None if given else secrets[0]})
    else:
        say.line(f"Listening at {address}; Ctrl-C stops it. For your site.toml:")
        say.line(f'\n[webhook]\nurl = "{address}"\nsecret = "{"…" if given else secrets[0]}"\nallow_private = true\n')
    sys.stdout.flush()
    with server:
        server.serve_forever(poll_interval=0.1)


def _door(secrets: tuple[str, ...], status: int, json: bool) -> type[BaseHTTPRequestHandler]:
    printing = Lock()

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdigit() or int(length) > LONGEST:
                self.close_connection = True
                self._answer(413)
                return
            body = self.rfile.read(int(length))
            headers = {name.lower(): value for name, value in self.headers.items()}
            wrong = fault(headers, body, secrets, int(time.time()))
            with printing:
                _show(headers.get(ID, ""), body, wrong, json)
                sys.stdout.flush()  # also into a pipe: who waits for an event sees it at once
            self._answer(401 if wrong else status)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """The events are what is printed."""

    return Door


def _show(id: str, body: bytes, wrong: str, json: bool) -> None:
    try:
        event: Any = msgspec.json.decode(body)
    except msgspec.DecodeError:
        event = None
    if json:
        say.json_line({"id": id, "fault": wrong, "event": event})
    elif wrong:
        say.note(f"A call was answered 401: {wrong}")
    elif isinstance(event, dict):
        data = event.get("data") or {}
        facts = ", ".join(f"{name} {value}" for name, value in data.items() if isinstance(value, str | int))
        say.line(f"{event.get('timestamp', '')}  {event.get('type', '')}  {id}\n    {facts}")
