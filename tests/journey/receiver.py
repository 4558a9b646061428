"""A brand's endpoint: verifies as the Standard Webhooks specification says, by lines of its own; answers as told."""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Got:
    """One post: its id, its body, and whether the signature is right."""

    def __init__(self, id: str, body: bytes, verified: bool) -> None:
        self.id = id
        self.raw = body
        self.verified = verified
        self.event: Any = json.loads(body)
        self.type: str = self.event["type"]
        self.data: Any = self.event["data"]


class Receiver:
    """`answers`: for an externalAlertId the statuses of its next posts, each with the seconds before it comes; all
    others are answered 204. It may be stopped and begun again on the same port."""

    def __init__(self, secret: str) -> None:
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self.answers: dict[str, list[tuple[int, float]]] = {}
        self.got: list[Got] = []
        self.port = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def types(self, external: str) -> list[str]:
        return [one.type for one in self.got if one.data.get("externalAlertId") == external]

    def begin(self) -> None:
        receiver = self

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, seconds = receiver.heard(dict(self.headers.items()), body)
                time.sleep(seconds)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.send_header("Connection", "close")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Door)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def end(self) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def heard(self, headers: dict[str, str], body: bytes) -> tuple[int, float]:
        given = {name.lower(): value for name, value in headers.items()}
        id, moment = given["webhook-id"], given["webhook-timestamp"]
        wanted = base64.b64encode(hmac.digest(self._key, f"{id}.{moment}.".encode() + body, "sha256")).decode()
        fresh = abs(time.time() - int(moment)) < 300
        self.got.append(Got(id, body, fresh and f"v1,{wanted}" in given["webhook-signature"].split(" ")))
        told = self.answers.get(self.got[-1].data.get("externalAlertId", ""))
        return told.pop(0) if told else (204, 0.0)
