"""What must not be said: after a busy mixed run no secret, number, name, variable or alertInfo value stands in the
server's log, on its open pages, or in an answer to somebody who did not send it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from journey.caller import Caller, Said, speak
from journey.house import House, until
from journey.outside import free_port
from journey.sites import site

# Words that occur nowhere else, so that finding one is a leak.
PERSON: dict[str, Any] = {
    "firstName": "Zephyrine",
    "lastName": "Quackenbush",
    "externalCustomerId": "cust-0x7e11a",
    "externalCustomerIdDescriptor": "platypus-tier",
    "externalAlertId": "ext-m4rm0t",
    "alertInfo": {"Sky Miles": 9182736455, "Seat wish": "besidethewing"},
    "proactiveVariables": {"@Time": "23:59:07 zulu", "@City": "Ouagadougou", "@Gate": "Gate-QX-81"},
}
SAID = "Bring my wombat along"
NUMBERS = [f"404555{n:04d}" for n in (101, 180, 184, 186, 187, 188, 189, 195, 196, 102, 103)]
WORDS = [
    *("Zephyrine", "Quackenbush", "cust-0x7e11a", "platypus-tier", "m4rm0t", "9182736455", "Seat wish"),
    *("besidethewing", "23:59:07", "Ouagadougou", "Gate-QX-81", "wombat", "33.6407", "84.4277"),
]


class Run:
    """What a busy run left behind."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.wrong: list[Said] = []  # answers of 400 and above to calls without the secret words
        self.told: list[Said] = []  # answers of 400 and above to calls with them
        self.keys = [caller.key for caller in house.callers.values()]

    def secrets(self) -> list[str]:
        environ = self.house.outside.environ
        account = json.loads(Path(environ["ACME_RBM_KEY_FILE"]).read_text())
        private = "".join(account["private_key"].split("-----")[2].split())
        parts = [environ["HELIOGRAPH_SECRET_KEY"], environ["ACME_RBM_WEBHOOK_TOKEN"], private[:40], private[200:240]]
        for key in self.keys:
            parts += [key["consumer_secret"], key["token_secret"]]
        return parts

    def numbers(self) -> re.Pattern[str]:
        """Every number of the run however it is grouped, whole or without its country code."""
        between = r"[\s().\-/+%20B]{0,4}"
        return re.compile("|".join(between.join(number) for number in [*NUMBERS, "7703101414", "2025550143"]))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    directory = tmp_path_factory.mktemp("silence")
    house = House(
        directory,
        {
            "HELIOGRAPH_CALL_DEADLINE": "2",
            "HELIOGRAPH_LOG_LEVEL": "debug",
            "HELIOGRAPH_FAILED_CREDENTIALS": "10000",
        },
    )
    site(directory / "sites", "gone", base_url=f"http://127.0.0.1:{free_port()}")
    site(directory / "sites", "status", 'failures = "status"\n')
    try:
        house.open(directory / "sites", "gone", "status")
        made = Run(house)
        busy(made)
        yield made
    finally:
        house.close()


def busy(run: Run) -> None:
    house, acme = run.house, run.house.acme
    for number in NUMBERS:
        keep(run, acme.to(number, **{**PERSON, "externalAlertId": f"ext-m4rm0t-{number[-3:]}"}))
    keep(run, house.callers["gone"].to("4045550103", **PERSON))
    keep(run, house.callers["status"].to("4045550187", **PERSON))
    wrong_fields(run, acme)
    wrong_credentials(run, acme)
    wrong_shapes(run, acme)
    callbacks(run)
    message = until(lambda: house.phones.messages("4045550102"))[0]["id"]
    house.phones.does("4045550102", "typing")
    house.phones.does("4045550102", "say", text=f"{SAID}, call me on 202 555 0143")
    house.phones.does("4045550102", "tap", message=message, suggestion="0:1")
    house.phones.does("4045550102", "location", latitude=33.6407, longitude=-84.4277)
    house.phones.does("4045550103", "unsubscribe")
    until(lambda: '"kind":"unsubscribe"' in house.log(), 10)
    keep(run, acme.to("4045550103", **PERSON))
    house.outside.run("keys", "disable", acme.key["consumer_key"])
    until(lambda: acme.to("4045550101", **PERSON).status == 401, 5)
    house.outside.run("keys", "enable", acme.key["consumer_key"])
    until(lambda: acme.to("4045550101", **PERSON).status == 200, 5)


def keep(run: Run, said: Said) -> None:
    if said.status >= 400:
        run.told.append(said)


def wrong_fields(run: Run, acme: Caller) -> None:
    for change in (
        {"customerPhoneNumber": "770-310-1414-2025550143"},
        {"customerPhoneNumber": "+44 770 310 1414"},
        {"customerPhoneNumber": 7703101414.5},
        {"customerPhoneNumber": ["7703101414"]},
        {"proactiveVariables": {"@Time": "23:59:07 zulu"}},
        {"proactiveVariables": {"@Time": {"deep": "Ouagadougou"}}},
        {"proactiveVariables": "Ouagadougou"},
        {"proactiveVariables": {**PERSON["proactiveVariables"], "@City": "Ouagadougou" * 300}},
        {"alertInfo": "besidethewing"},
        {"alertInfo": ["besidethewing"]},
        {"firstName": ["Zephyrine"]},
        {"firstName": "Zephyrine" * 100},
        {"externalCustomerIdDescriptor": ...},
        {"siteId": "7703101414"},
    ):
        said = acme.to("4045550101", **{**PERSON, **change})
        assert said.status in (400, 403), (change, said)
        keep(run, said)


def wrong_credentials(run: Run, acme: Caller) -> None:
    body = acme.body(**PERSON, customerPhoneNumber="7703101414")
    good = acme.sign(body=body)
    secret = acme.key["consumer_secret"]
    for header in (
        good["Authorization"].replace("oauth_signature=", "oauth_sig="),
        good["Authorization"].replace("HMAC-SHA1", "RSA-SHA1"),
        re.sub('oauth_signature="[^"]*"', 'oauth_signature="AAAA"', good["Authorization"]),
        re.sub('oauth_timestamp="[^"]*"', 'oauth_timestamp="7703101414"', good["Authorization"]),
        f"Bearer {secret}",
        f"Basic {base64.b64encode(secret.encode()).decode()}",
        f'OAuth oauth_consumer_key="{acme.key["consumer_key"]}", oauth_signature_method="PLAINTEXT", '
        f'oauth_signature="{quote(secret + "&" + acme.key["token_secret"], safe="")}", '
        'oauth_timestamp="1", oauth_nonce="n1n1n1n1"',
        secret,
        f"{secret} {secret}",
        f'OAuth {secret}="{secret}"',
    ):
        said = speak(acme.base_url, "POST", "/api/proactiveAlert", body, {**good, "Authorization": header})
        assert said.status == 401, (header, said)
        run.wrong.append(said)


def wrong_shapes(run: Run, acme: Caller) -> None:
    for body in (
        acme.body(**PERSON)[:-40],
        acme.body(**PERSON).replace(b'"Zephyrine"', b"Zephyrine"),
        acme.body(**PERSON).replace(b'"Zephyrine"', b"\xffZephyrine"),
        b'["Zephyrine", 7703101414]',
        json.dumps(json.dumps(PERSON)).encode(),
        b'{"firstName": "Zephyrine", "firstName": "Zephyrine"}',
    ):
        said = acme.send(body)
        assert said.status == 400, (body, said)
        keep(run, said)
    form = speak(acme.base_url, "POST", "/api/proactiveAlert", b"customerPhoneNumber=7703101414", acme.sign())
    assert form.status in (400, 415)
    run.wrong.append(speak(acme.base_url, "GET", "/api/proactiveAlert?phone=7703101414"))
    run.wrong.append(speak(acme.base_url, "GET", "/nothing"))
    run.wrong.append(speak(acme.base_url, "GET", "/metrics", headers={"X-Forwarded-For": "10.0.0.1"}))


def callbacks(run: Run) -> None:
    """Events that nobody signed, and broken ones."""
    at = "/callbacks/rcs/google-rbm/25508804/acme-rcs"
    event = {"senderPhoneNumber": "+17703101414", "text": SAID, "messageId": "m", "agentId": "acme-air@rbm.goog"}
    data = base64.b64encode(json.dumps(event).encode()).decode()
    body = json.dumps({"message": {"data": data}}).encode()
    for raw, signature in ((body, ""), (body, "AAAA"), (b"{" + body, "AAAA"), (b"", "")):
        headers = {"Content-Type": "application/json", "X-Goog-Signature": signature}
        run.wrong.append(speak(run.house.base_url, "POST", at, raw, headers))
    run.wrong.append(speak(run.house.base_url, "POST", at.replace("acme-rcs", "+17703101414"), body))


def leaks(text: str, run: Run) -> list[str]:
    found = [word for word in WORDS if word in text]
    found += [secret for secret in run.secrets() if secret in text or quote(secret, safe="") in text]
    return found + [hit[0] for hit in run.numbers().finditer(text)]


def test_the_search_itself_finds_what_it_looks_for(run: Run) -> None:
    text = f"+1 (770) 310-1414 {run.secrets()[0]} Ouagadougou %2B14045550186"
    assert len(leaks(text, run)) == 4


def test_the_run_was_busy_and_the_log_saw_it(run: Run) -> None:
    lines = [json.loads(line) for line in run.house.log().splitlines()]
    assert {"alert.answered", "event", "callback.refused"} <= {line["action"] for line in lines}
    assert len(run.told) > 20 and len(run.wrong) > 10
    outcomes = {line.get("outcome") for line in lines}
    assert {"taken", "failed", "in_doubt"} <= outcomes


def test_every_line_of_the_log_is_json_and_says_nothing_of_anybody(run: Run) -> None:
    for line in run.house.log().splitlines():
        told: Any = json.loads(line)
        assert {"at", "level", "message", "action"} <= told.keys(), line
        assert leaks(line, run) == [], line


@pytest.mark.parametrize("page", ["/metrics", "/readyz", "/healthz", "/docs", "/openapi.json"])
def test_no_page_of_the_server_says_anything_of_anybody(run: Run, page: str) -> None:
    said = run.house.get(page)
    assert said.status == 200
    text = said.raw.decode().replace("7703101414", "", 8 if page in ("/docs", "/openapi.json") else 0)
    assert leaks(text, run) == []


def test_metrics_have_no_label_that_a_caller_chose(run: Run) -> None:
    text = run.house.get("/metrics").raw.decode()
    labels = set(re.findall(r'(\w+)="', text))
    ours = {"route", "status", "outcome", "channel", "provider", "answer", "kind", "code", "le", "version", "state"}
    assert labels <= ours | {"site", "sender"}
    # Site and sender are the operator's own words: those that were applied, and no other.
    assert set(re.findall(r'site="([^"]*)"', text)) <= {"25508804", "status", "gone"}
    assert set(re.findall(r'sender="([^"]*)"', text)) <= {"acme-rcs", "status-rcs", "gone-rcs"}


def test_an_answer_to_wrong_credentials_repeats_no_secret_and_no_body(run: Run) -> None:
    for said in run.wrong:
        assert said.status >= 400
        text = said.raw.decode().replace("/api/proactiveAlert?phone=7703101414", "").replace("oauth_timestamp 77", "")
        text = text.replace("phone=7703101414", "").replace("oauth_timestamp 7703101414", "")
        assert [leak for leak in leaks(text, run) if leak != "03101414"] == [], said


def test_an_answer_to_a_wrong_call_repeats_no_secret_name_or_value(run: Run) -> None:
    """A sentence may name the number that cannot exist, to the caller who sent it; nothing else of the person."""
    for said in run.told:
        text = said.raw.decode()
        assert [word for word in WORDS if word in text] == [], said
        assert [secret for secret in run.secrets() if secret in text] == [], said


def test_the_servers_files_hold_no_secret_in_the_clear(run: Run) -> None:
    """The database keeps the people (it must) and no secret."""
    directory = run.house.outside.directory
    for path in [*directory.glob("journey.db*"), directory / "server.log"]:
        raw = path.read_bytes()
        assert [secret for secret in run.secrets() if secret.encode() in raw] == [], path.name
