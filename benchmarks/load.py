"""Load from outside: keep-alive HTTP/1.1 connections that replay ready-made requests, and count the answers.

Run as a program on a core of its own: `python load.py PORT REQUESTS_FILE CONNECTIONS`. The file holds the requests as a
JSON list of strings (a head, a body); the answers' counts and times come back as one JSON line.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import httptools
import uvloop


class Caller(asyncio.Protocol):
    """One connection: sends the next request as soon as the answer to the last one is there."""

    def __init__(self, feed: Any, done: asyncio.Future[None], tally: dict[str, Any]) -> None:
        self.feed, self.done, self.tally = feed, done, tally
        self.parser = httptools.HttpResponseParser(self)
        self.sent = 0.0
        self.body = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.next()

    def next(self) -> None:
        request = next(self.feed, None)
        if request is None:
            self.transport.close()
            if not self.done.done():
                self.done.set_result(None)
            return
        self.sent = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        status = self.parser.get_status_code()
        self.tally["times"].append(time.perf_counter() - self.sent)
        self.tally["statuses"][str(status)] = self.tally["statuses"].get(str(status), 0) + 1
        if b'"success": "false"' in self.body or b'"success":"false"' in self.body:
            self.tally["failures"] += 1
        if len(self.tally["samples"]) < 3 and status != 200:
            self.tally["samples"].append(self.body.decode("utf-8", "replace")[:300])
        self.body = b""
        self.parser = httptools.HttpResponseParser(self)
        self.next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.tally["lost"] += 1
            self.done.set_result(None)


async def main(port: int, path: str, connections: int) -> None:
    with open(path) as file:
        requests = [(head + body).encode() for head, body in json.load(file)]
    loop = asyncio.get_running_loop()
    tally: dict[str, Any] = {"times": [], "statuses": {}, "failures": 0, "lost": 0, "samples": []}
    feed = iter(requests)
    waiting = []
    started = time.perf_counter()
    for _ in range(connections):
        done: asyncio.Future[None] = loop.create_future()
        waiting.append(done)
        await loop.create_connection(lambda done=done: Caller(feed, done, tally), "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*waiting)
    seconds = time.perf_counter() - started
    times = sorted(tally.pop("times"))
    answers = len(times)
    tally |= {
        "answers": answers,
        "seconds": seconds,
        "per_second": answers / seconds,
        "p50_ms": times[answers // 2] * 1000,
        "p99_ms": times[answers * 99 // 100] * 1000,
    }
    print(json.dumps(tally))


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
