"""Two figures of the inbox: how long a reply takes from the provider's callback to an agent's browser, and what its
page costs as conversations pile up.

    .venv/bin/python benchmarks/inbox.py --conversations 1000 --agents 50 --rate 20 --seconds 20

Alerts go out, each recipient answers once: so many conversations are open, each with its alert. So many agents listen
(server-sent events). Then replies come in at a steady rate, signed as Google signs them, and each is timed from right
before its callback is sent until each agent has read its words. The server stands on core 0; load, agents and provider
share core 1, so that the agents' own reading is in the figures. Last the inbox's page is opened with 100 and with
100,000 conversations in the store, which are written into its file directly.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hmac
import http.client
import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from html import unescape
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

import msgspec

import sync_alert
from heliograph.core.conversation import By, Conversation, Turn
from heliograph.store.conversations import new_id
from receipts import PATH, TOKEN
from sync_alert import HERE, cpu_seconds, end, heliograph, load, pinned, requests_for

SITE = "25508804"
LOOKS = 20  # times that a page is opened
FEW, MANY = 100, 100_000
_words = re.compile(rb"reply-(\d+)-")
encode = msgspec.json.Encoder().encode


def reply(port: int, number: str, text: str, event: str) -> bytes:
    """A user message as Google pushes it."""
    said = {
        "senderPhoneNumber": number,
        "messageId": event,
        "sendTime": "2026-11-25T14:00:00.000Z",
        "text": text,
        "agentId": "bench@rbm.goog",
    }
    data = json.dumps(said).encode()
    attributes = {"message_type": "TEXT", "business_id": "bench@rbm.goog"}
    message = {"attributes": attributes, "data": base64.b64encode(data).decode(), "messageId": event}
    body = json.dumps({"message": message, "subscription": "projects/rbm/subscriptions/bench"})
    signature = base64.b64encode(hmac.digest(TOKEN, data, "sha512")).decode()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"X-Goog-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body.encode()


def logged_in(directory: str, port: int, name: str = "bench") -> str:
    """The cookie of an agent of this name. One user has 40 streams at most."""
    program = str(Path(sys.executable).with_name("heliograph"))
    environ = os.environ | {"HELIOGRAPH_DATABASE_URL": f"sqlite:///{directory}/bench.db"}
    words = [program, "users", "add", name, "--role", "agent", "--generate", "--json"]
    made = subprocess.run(words, env=environ, check=True, capture_output=True, text=True)
    line = http.client.HTTPConnection("127.0.0.1", port)
    line.request("GET", "/console/login")
    page = line.getresponse()
    visitor = page.headers["set-cookie"].partition(";")[0]
    token = re.search(r'name="csrf" value="([^"]+)"', page.read().decode())
    assert token is not None
    form = {"csrf": unescape(token[1]), "name": name, "password": json.loads(made.stdout)["password"]}
    headers = {"content-type": "application/x-www-form-urlencoded", "cookie": visitor}
    line.request("POST", "/console/login", urlencode(form), headers)
    answer = line.getresponse()
    answer.read()
    assert answer.status == 303, answer.status
    found = [value.partition(";")[0] for value in answer.headers.get_all("set-cookie") or []]
    return next(cookie for cookie in found if cookie.startswith("heliograph=") and len(cookie) > 20)


class Agents:
    """So many browsers; `took`: for each reply and browser the milliseconds."""

    def __init__(self) -> None:
        self.sent: dict[int, float] = {}
        self.took: list[float] = []

    async def listen(self, port: int, cookie: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET /console/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"200 OK" in head, head
        self._task = asyncio.ensure_future(self._read(reader))
        _KEPT.append((self._task, writer))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        known: set[int] = set()
        tail = b""
        while data := await reader.read(1 << 16):
            now = time.perf_counter()
            for match in _words.finditer(tail + data):
                number = int(match[1])
                if number not in known and number in self.sent:
                    known.add(number)
                    self.took.append((now - self.sent[number]) * 1000)
            tail = data[-32:]


_KEPT: list[tuple[asyncio.Task[None], asyncio.StreamWriter]] = []


async def live(port: int, cookies: list[str], numbers: list[str], given: argparse.Namespace) -> dict[str, Any]:
    agents = Agents()
    for number in range(given.agents):
        await agents.listen(port, cookies[number % len(cookies)])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    many = given.rate * given.seconds
    chance = random.Random(1)
    answered: list[float] = []
    answers = asyncio.ensure_future(_answers(reader, many, agents.sent, answered))
    began = time.perf_counter()
    for n in range(many):
        data = reply(port, chance.choice(numbers), f"reply-{n}- where is my bag?", f"live-{n}")
        await asyncio.sleep(max(0.0, began + n / given.rate - time.perf_counter()))
        agents.sent[n] = time.perf_counter()
        writer.write(data)
    await answers
    await asyncio.sleep(2)
    writer.close()
    for task, line in _KEPT:
        task.cancel()
        line.close()
    took = sorted(agents.took)
    return {
        "replies": many,
        "heard": len(took),
        "lost": many * given.agents - len(took),
        "p50": took[len(took) // 2],
        "p99": took[len(took) * 99 // 100],
        "most": took[-1],
        "answered": sorted(answered),
    }


async def _answers(reader: asyncio.StreamReader, many: int, sent: dict[int, float], took: list[float]) -> None:
    """The answers to the callbacks, which come when the words are on disk."""
    for n in range(many):
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head.partition(b"\r\n")[0], head
        size = re.search(rb"content-length: (\d+)", head.lower())
        await reader.readexactly(int(size[1]) if size else 0)
        took.append((time.perf_counter() - sent[n]) * 1000)


def first_replies(port: int, numbers: list[str]) -> None:
    line = http.client.HTTPConnection("127.0.0.1", port)
    for n, number in enumerate(numbers):
        head, _, body = reply(port, number, "hello", f"first-{n}").partition(b"\r\n\r\n")
        fields = dict(one.split(": ", 1) for one in head.decode().split("\r\n")[1:])
        line.request("POST", PATH, body, fields)
        answer = line.getresponse()
        answer.read()
        assert answer.status == 200, answer.status


def fill(directory: str, many: int) -> None:
    """Conversations up to `many`, each with two turns, straight into the file."""
    file = sqlite3.connect(f"{directory}/bench.db", timeout=30)
    have = file.execute("SELECT COUNT(*) FROM conversations").fetchone()[0]
    now = int(time.time() * 1000)
    rows, turns = [], []
    for n in range(many - have):
        at = now - 1000 - n
        one = Conversation(
            id=new_id(at), site=SITE, recipient=f"+1404{n:07d}", skill="service", opened=at, touched=at, turns=2,
            channel="rcs", sender="acme-rcs", heard=at, waiting=at, name="Matt Fanning", preview="Where is my bag?",
        )  # fmt: skip
        rows.append((SITE, one.id, one.recipient, "service", "console", "", "open", "", at, encode(one)))
        for number, by in ((1, By.HELIOGRAPH), (2, By.RECIPIENT)):
            kind = "opened" if by is By.HELIOGRAPH else "text"
            turn = Turn(conversation=one.id, site=SITE, number=number, at=at, by=by, kind=kind, text="Where is my bag?")
            turns.append((SITE, one.id, number, encode(turn)))
    file.executemany(
        "INSERT INTO conversations (site, id, recipient, skill, desk, reference, state, agent, touched, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
    )  # fmt: skip
    file.executemany("INSERT INTO turns (site, conversation, number, body) VALUES (?, ?, ?, ?)", turns)
    file.commit()
    file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file.close()


def opened(port: int, cookie: str, path: str) -> float:
    """Milliseconds, the median of LOOKS."""
    line = http.client.HTTPConnection("127.0.0.1", port)
    took = []
    for _ in range(LOOKS + 2):
        began = time.perf_counter()
        line.request("GET", path, headers={"cookie": cookie, "accept": "text/html"})
        answer = line.getresponse()
        answer.read()
        took.append((time.perf_counter() - began) * 1000)
        assert answer.status == 200, (path, answer.status)
    return median(took[2:])


def pages(port: int, cookie: str, directory: str, many: int) -> tuple[float, float]:
    """The queue, and a conversation with the queue beside it."""
    fill(directory, many)
    file = sqlite3.connect(f"file:{directory}/bench.db?mode=ro", uri=True)
    id = file.execute("SELECT id FROM conversations ORDER BY touched DESC LIMIT 1").fetchone()[0]
    file.close()
    return opened(port, cookie, "/console/inbox"), opened(port, cookie, f"/console/inbox/{SITE}/{id}")


def served(directory: str, stub: int) -> tuple[subprocess.Popen[str], int, dict[str, str]]:
    Path(directory).mkdir(exist_ok=True)
    return heliograph(directory, stub)


def main() -> None:
    read = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    read.add_argument("--conversations", type=int, default=1000)
    read.add_argument("--agents", type=int, default=50)
    read.add_argument("--rate", type=int, default=20, help="replies a second")
    read.add_argument("--seconds", type=int, default=20)
    read.add_argument("--no-pages", action="store_true", help="only the replies")
    given = read.parse_args()
    sync_alert.PEOPLE = given.conversations
    base = json.loads((HERE.parent / "examples" / "acme-air" / "request.json").read_text())
    with tempfile.TemporaryDirectory() as directory:
        stub = pinned(1, [sys.executable, str(HERE / "stub.py")], stdout=subprocess.PIPE)
        assert stub.stdout is not None
        answers = int(stub.stdout.readline())
        try:
            server, port, key = served(f"{directory}/live", answers)
            try:
                cookies = [logged_in(f"{directory}/live", port, name) for name in ("ann", "bob", "eve")]
                load(port, requests_for(port, given.conversations, key, base, "inbox"), 32, f"{directory}/live")
                numbers = [f"+1770310{1000 + n}" for n in range(given.conversations)]
                first_replies(port, numbers)
                os.sched_setaffinity(0, {1})
                before = cpu_seconds(server.pid)
                found = asyncio.run(live(port, cookies, numbers, given))
                cpu = (cpu_seconds(server.pid) - before) / found["replies"] * 1000
            finally:
                end(server)
            answered = found["answered"]
            print(
                f"{given.conversations} open, {given.agents} agents, {given.rate} replies/s. Callback sent → answered: "
                f"p50 {median(answered):.1f} ms, p99 {answered[len(answered) * 99 // 100]:.1f} ms. Callback sent → "
                f"words read: p50 {found['p50']:.1f} ms, p99 {found['p99']:.1f} ms, most {found['most']:.1f} ms; "
                f"{found['heard']} heard, {found['lost']} lost; CPU {cpu:.1f} ms a reply, all agents told"
            )
            if given.no_pages:
                return
            server, port, key = served(f"{directory}/pages", answers)
            try:
                cookie = logged_in(f"{directory}/pages", port)
                few, many = (pages(port, cookie, f"{directory}/pages", count) for count in (FEW, MANY))
            finally:
                end(server)
            for name, less, more in zip(("queue", "conversation"), few, many, strict=True):
                print(f"{name}: {less:.1f} ms with {FEW:,}, {more:.1f} ms with {MANY:,}: {more / less:.2f} times")
        finally:
            stub.kill()


if __name__ == "__main__":
    main()
