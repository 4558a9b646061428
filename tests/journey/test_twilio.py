"""An alert by SMS through Twilio, from the call to the phone and back, behind another public address."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

import pytest

from journey.caller import Caller
from journey.house import House, until

NUMBER = "+17705550100"
SITE = """
[site]
id = "texts"
name = "Texts"
channels = ["sms"]

[[sender]]
name = "texts-sms"
channel = "sms"
provider = "twilio"

[sender.settings]
account_sid = "{account_sid}"
auth_token = "${{TEXTS_AUTH_TOKEN}}"
from = "+17705550100"
base_url = "{base_url}"
"""
TEMPLATE = """
name = "gate"
version = "1"
fallback_language = "en"

[variables]
Gate = "C35"

[languages.en.sms]
text = "Your flight leaves from gate @Gate."
"""


class Proxy:
    """What stands in front of a server: another port, and a Host header of its own making."""

    def __init__(self) -> None:
        proxy = self
        self.to = 0
        self.seen: list[str] = []

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                proxy.seen.append(self.path)
                line = http.client.HTTPConnection("127.0.0.1", proxy.to, timeout=30)
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                line.request("POST", self.path, body, {**headers, "Host": "inside.example"})
                answer = line.getresponse()
                said = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "connection", "date", "server"):
                        self.send_header(name, value)
                if answer.status != 204:
                    self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)
                line.close()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Texts:
    """`caller` signs for, and calls, the public address."""

    def __init__(self, house: House, proxy: Proxy, caller: Caller) -> None:
        self.house, self.proxy, self.caller = house, proxy, caller

    def alert(self, number: str, **changes: Any) -> Any:
        told = {"proactiveTemplate": "gate", "proactiveVariables": {"@Gate": "C35"}, "proactiveTemplateVersion": ...}
        return self.caller.to(number, **{**told, "proactiveChannel": "sms", **changes})


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Texts]:
    directory = tmp_path_factory.mktemp("twilio")
    proxy = Proxy()
    house = House(directory, {"HELIOGRAPH_PUBLIC_URL": proxy.url, "HELIOGRAPH_CALL_DEADLINE": "3"})
    proxy.to = house.outside.port
    place = f"{proxy.url}/callbacks/sms/twilio/texts/texts-sms#rc=5&rp=ct,rt,5xx"
    try:
        made = house.phones.post("/sandbox/senders", provider="twilio", sender=NUMBER, name="Texts", webhook=place)
        known = made["credentials"]
        house.outside.environ["TEXTS_AUTH_TOKEN"] = known["auth_token"]
        folder = directory / "sites" / "texts"
        (folder / "templates").mkdir(parents=True)
        text = SITE.format(account_sid=known["account_sid"], base_url=house.outside.sandbox_url)
        (folder / "site.toml").write_text(text)
        (folder / "templates" / "gate.toml").write_text(TEMPLATE)
        house.open(directory / "sites", "texts")
        key = house.callers["texts"].key
        yield Texts(house, proxy, Caller(proxy.url, key, house.acme.request))
    finally:
        house.close()
        proxy.close()


def test_from_the_call_to_the_phone_and_back(texts: Texts) -> None:
    said = texts.alert("4045550101")
    assert said.status == 200, said
    assert said.headers["heliograph-channel"] == "sms"
    record = texts.house.until_state(said.alert, "delivered")
    (attempt,) = record["attempts"]
    assert [entry["kind"] for entry in record["entries"]][:2] == ["accepted", "sent"]
    (message,) = texts.house.phones.messages("4045550101")
    assert message["content"]["text"] == "Your flight leaves from gate C35."
    assert any(path.endswith(f"?attempt={attempt['id']}") for path in texts.proxy.seen)


def test_no_answer_is_settled_by_the_receipt_and_nothing_is_sent_twice(texts: Texts) -> None:
    said = texts.alert("4045550148")
    record = texts.house.until_state(said.alert, "delivered")
    (attempt,) = record["attempts"]
    counts = texts.house.phones.get("/sandbox/counts")["messages"]
    assert counts[attempt["id"]] == {"creates": 1, "deliveries": 1}


def test_stop_reaches_the_store_and_the_next_alert_is_not_sent(texts: Texts) -> None:
    number = "4045550102"
    texts.house.until_state(texts.alert(number).alert, "delivered")
    texts.house.phones.does(number, "say", text="STOP", sender=NUMBER)

    tries = count()

    def refused() -> Any:
        said = texts.alert(number, externalAlertId=f"after-stop-{next(tries)}")
        return said if said.status == 400 else None

    said = until(refused, every=0.3)
    assert said.json == {"success": False, "error": "The recipient has opted out. Nothing was sent."}
    # What the store did not know yet was refused by Twilio, and says the same.
    assert len(texts.house.phones.messages(number)) == 1


def test_a_forged_callback_changes_nothing(texts: Texts) -> None:
    said = texts.alert("4045550103")
    texts.house.until_state(said.alert, "delivered")
    attempt = texts.house.record(said.alert)["attempts"][0]
    line = http.client.HTTPConnection("127.0.0.1", texts.house.outside.port)
    body = f"MessageSid={attempt['references'][0]}&MessageStatus=read"
    headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": "AAAA"}
    line.request("POST", f"/callbacks/sms/twilio/texts/texts-sms?attempt={attempt['id']}", body, headers)
    assert line.getresponse().status == 401
    line.close()
    assert texts.house.state(said.alert) == "delivered"
