"""What a person sends comes to an agent whole, and the agent's typing, reading and answer come back to the phone: on
every channel that the sandbox plays, from outside only."""

from __future__ import annotations

import re
import urllib.error
from base64 import b64encode
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest

from journey.caller import Phones
from journey.demonstration import Demonstration
from journey.house import until

PICTURE = bytes(range(256)) * 300
PICTURE_SENT = {"data": b64encode(PICTURE).decode(), "content_type": "image/png", "name": "bag.png"}
SENDERS = {
    "rcs": ("google-rbm/acme-air", {"file", "location"}, True),
    "wa": ("whatsapp-cloud/106540352242922", {"file", "location"}, True),
    "sms": ("twilio/+17705550102", {"file"}, False),
    "smpp": ("smpp/acme", set(), False),
}


class Agent:
    """Somebody at the console, by HTTP alone."""

    def __init__(self, base_url: str, name: str, password: str) -> None:
        self.base_url, self.name = base_url, name
        self._open = build_opener(HTTPCookieProcessor(CookieJar())).open
        self._token = ""
        self.page("/console/login")
        self.does("/console/login", name=name, password=password)

    def get(self, path: str) -> tuple[int, Any, bytes]:
        try:
            with self._open(Request(self.base_url + path, headers={"accept": "text/html"}), timeout=20) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.headers, refused.read()

    def page(self, path: str) -> str:
        status, _, body = self.get(path)
        assert status == 200, body
        text = body.decode()
        if found := re.search(r'name="csrf" value="([^"]*)"', text):
            self._token = found[1]
        return text

    def does(self, path: str, **fields: str) -> int:
        body = urlencode({"csrf": self._token, **fields}).encode()
        headers = {"origin": self.base_url, "sec-fetch-site": "same-origin"}
        with self._open(Request(self.base_url + path, body, headers), timeout=20) as answer:
            return int(answer.status)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    made = Demonstration(Path(tmp_path_factory.mktemp("back")))
    yield made
    assert made.end() == (0, "")


@pytest.fixture(scope="module")
def agent(demo: Demonstration) -> Agent:
    password = demo.run("users", "add", "bob", "--role", "agent", "--generate")["password"]
    return Agent(demo.base_url, "bob", password)


@pytest.mark.parametrize("channel", SENDERS)
def test_all_comes_to_an_agent_and_all_comes_back(demo: Demonstration, agent: Agent, channel: str) -> None:
    sender, carries, courteous = SENDERS[channel]
    phones, number = Phones(demo.sandbox_url), f"4045550{120 + list(SENDERS).index(channel)}"
    key = f"/sandbox/handsets/%2B1{number}"
    before = set(re.findall(r"/console/inbox/25508804/[0-9a-f-]{36}", agent.page("/console/inbox")))
    phones.does(number, "say", text="Where is my bag?", sender=sender)
    if "file" in carries:
        phones.does(number, "file", **PICTURE_SENT, sender=sender)
    if "location" in carries:
        phones.does(number, "location", latitude=39.2976, longitude=-94.7139, sender=sender)

    def opened() -> str:
        found = set(re.findall(r"/console/inbox/25508804/[0-9a-f-]{36}", agent.page("/console/inbox"))) - before
        return next(iter(found), "")

    place = until(opened)
    turns = 1 + len(carries)
    page = until(lambda: text if f'id="t-{turns}"' in (text := agent.page(place)) else "")
    assert "Where is my bag?" in page
    assert ("39.29760, -94.71390" in page) is ("location" in carries)
    address = re.search(rf'src="({place}/files/[0-9]+/0)"', page)
    assert (address is not None) is ("file" in carries), page
    if address is not None:
        status, headers, body = agent.get(address[1])
        assert (status, headers["content-type"], body) == (200, "image/png", PICTURE)

    assert agent.does(f"{place}/claim", expects="") == 200
    assert agent.does(f"{place}/typing") == 204
    assert agent.does(f"{place}/seen", number=str(turns)) == 204
    if courteous:
        until(lambda: phones.get(key)["written_by"] == [sender])
        until(lambda: phones.get(key)["messages"][-1]["state"] == "read")
    agent.page(place)
    assert agent.does(f"{place}/answer", text="On the next flight. 👍") == 200
    (answer,) = until(lambda: phones.messages(number))
    assert answer["content"]["text"] == "On the next flight. 👍"
    phone = phones.get(key)
    assert phone["written_by"] == []
    own = [one["state"] for one in phone["messages"] if one["direction"] == "out"]
    assert ("read" in own) is courteous
    until(lambda: re.search(r"</span> (delivered|read)</span>", agent.page(place), re.IGNORECASE))
