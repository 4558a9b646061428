"""A provider that answers with exactly the bytes it is told to, for what the sandbox is too well-behaved to say."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Stub:
    """`says`: status, content type and body of each create; `asked` counts creates."""

    def __init__(self) -> None:
        self.says: tuple[int, str, bytes] = (200, "application/json", b"{}")
        self.asked = 0
        self.url = ""


@contextmanager
def stub() -> Iterator[Stub]:
    told = Stub()

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(200, "application/json", b'{"features": ["RICHCARD_STANDALONE"]}')

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if "agentMessages" in self.path:
                told.asked += 1
                self._answer(*told.says)
            else:
                self._answer(200, "application/json", b'{"name": "files/stub"}')

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
