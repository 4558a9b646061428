"""`heliograph send`: the call as it leaves, checked with oauthlib, and what every answer means."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest
from oauthlib.common import Request
from oauthlib.oauth1.rfc5849 import signature, utils

from heliograph.cli.answer import meaning

BEARER = "hg_test_abcdefghijkl_" + "x" * 43
PARTS = {"consumer_key": "ck", "consumer_secret": "cs", "token": "tk", "token_secret": "ts"}
TAKEN = {"success": True, "response": {"name": "phones/+1/agentMessages/1"}}


class Door(BaseHTTPRequestHandler):
    """Answers what the test says and keeps what came; closes without a word where it says nothing."""

    answer: ClassVar[tuple[int, dict, dict] | None] = None
    calls: ClassVar[list] = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Door.calls.append((self.path, dict(self.headers), body))
        if Door.answer is None:
            self.close_connection = True
            return
        status, headers, said = Door.answer
        text = json.dumps(said).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        """Silence: what came is in `calls`."""


@pytest.fixture
def door(tmp_path):
    Door.answer, Door.calls = (200, {}, TAKEN), []
    server = HTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    (tmp_path / "key").write_text(json.dumps({"site": "1", **PARTS}))
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def signed_right(url: str, headers: dict, body: bytes, check) -> bool:
    pairs = utils.parse_authorization_header(headers["Authorization"])
    parameters = [(utils.unescape(name), utils.unescape(value)) for name, value in pairs]
    found = dict(parameters)
    assert found["oauth_body_hash"] == base64.b64encode(hashlib.sha1(body).digest()).decode()
    assert (found["oauth_consumer_key"], found["oauth_token"]) == ("ck", "tk")
    query = signature.collect_parameters(uri_query=url.partition("?")[2], exclude_oauth_signature=False)
    request = Request(url, "POST", body="", headers={})
    request.params = [one for one in parameters if one[0] != "oauth_signature"] + query
    request.signature = found["oauth_signature"]
    return check(request, "cs", "ts")


def test_the_call_is_signed_and_goes_to_the_documented_path(heliograph, door):
    fields = ("--site", "25508804", "--phone", "7703101414", "--var", "Gate=C35", "--var", "@T=a=b")
    ran = heliograph("send", door, *fields, "--key-file", "key")
    assert ran.code == 0
    [(path, headers, body)] = Door.calls
    assert path == "/api/proactiveAlert"
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body) == {
        "siteId": "25508804",
        "customerPhoneNumber": "7703101414",
        "proactiveVariables": {"@Gate": "C35", "@T": "a=b"},
    }
    assert signed_right(door + path, headers, body, signature.verify_hmac_sha1)
    assert "The provider took the message" in ran.out
    assert "cs" not in ran.out.split()


def test_the_site_is_that_of_the_key_file_unless_another_is_given(heliograph, door, tmp_path):
    for words, site in (((), "1"), (("--site", "2"), "2")):
        heliograph("send", door, "--phone", "7703101414", "--key-file", "key", *words)
        assert json.loads(Door.calls[-1][2])["siteId"] == site


def test_a_file_goes_byte_for_byte_and_the_path_as_written(heliograph, door, tmp_path):
    body = b'{ "siteId":1,\n "alertInfo": {"a": 1.10} }'
    (tmp_path / "body.json").write_bytes(body)
    url = f"{door}/API/proactive%41lert/?a=1&a=2"
    ran = heliograph("send", url, "--file", "body.json", "--key-file", "key", "--signature-method", "HMAC-SHA256")
    assert ran.code == 0
    [(path, headers, sent)] = Door.calls
    assert (path, sent) == ("/API/proactive%41lert/?a=1&a=2", body)
    assert signed_right(url, headers, sent, signature.verify_hmac_sha256)


def test_the_key_from_the_environment(heliograph, door, monkeypatch):
    for name, value in PARTS.items():
        monkeypatch.setenv(f"HELIOGRAPH_SEND_{name.upper()}", value)
    assert heliograph("send", door, "--site", "1").code == 0
    assert signed_right(f"{door}/api/proactiveAlert", *Door.calls[0][1:], signature.verify_hmac_sha1)


def test_json_for_programs(heliograph, door):
    Door.answer = (200, {"Heliograph-Alert": "a-1", "Heliograph-Channel": "rcs"}, TAKEN)
    found = heliograph("send", door, "--site", "1", "--key-file", "key", "--json").data
    assert (found["status"], found["outcome"], found["answer"]) == (200, "taken", TAKEN)
    assert found["headers"]["heliograph-alert"] == "a-1"


def test_a_broken_connection_is_in_doubt_and_is_not_repeated(heliograph, door):
    Door.answer = None
    ran = heliograph("send", door, "--site", "1", "--key-file", "key")
    assert ran.code == 4
    assert len(Door.calls) == 1


def test_a_redirect_is_not_followed(heliograph, door):
    Door.answer = (301, {"Location": f"{door}/elsewhere"}, {})
    assert heliograph("send", door, "--site", "1", "--key-file", "key").code == 4
    assert len(Door.calls) == 1


def test_nobody_there_is_a_plain_failure(heliograph, door):
    ran = heliograph("send", "http://127.0.0.1:1", "--site", "1", "--key-file", "key")
    assert ran.code == 1
    assert "Nothing was sent" in ran.err


@pytest.mark.parametrize(
    "words",
    [
        ("--site", "1"),
        ("--key-file", "key"),
        ("--site", "1", "--var", "Gate", "--key-file", "key"),
        ("--site", "1", "--file", "body.json", "--key-file", "key"),
    ],
)
def test_what_cannot_be_a_call_is_exit_code_2(heliograph, door, words):
    assert heliograph("send", door, *words).code == 2
    assert Door.calls == []


def failed(**why) -> bytes:
    return json.dumps({"success": "false", "message": json.dumps(why)}).encode()


@pytest.mark.parametrize(
    ("status", "body", "outcome", "code", "said"),
    [
        (200, json.dumps(TAKEN).encode(), "taken", 0, "took the message"),
        (200, b'{"success":true,"response":{"state":"scheduled","sendAt":"08:00Z"}}', "scheduled", 0, "sent at 08:00Z"),
        (200, failed(code="not_sent", retryable=True), "not_sent", 1, "It may be repeated"),
        (200, failed(code="bad_content", detail="Too long."), "not_sent", 1, "Too long. Repeating it will not help"),
        (200, failed(code="in_doubt"), "in_doubt", 4, "Do not repeat"),
        (200, b'{"success":"false","message":"{}"}', "not_sent", 1, "no code"),
        (200, b'{"success":"false","message":7}', "not_sent", 1, "no code"),
        (400, b'{"success":false,"error":"Failed Compatibility Check"}', "refused", 3, "No channel"),
        (400, b'{"success":false,"error":"x","fields":{"siteId":"Missing."}}', "refused", 3, "siteId: Missing."),
        (401, b'{"error":"No Authorization Header"}', "refused", 3, "A proxy may have"),
        (429, b"{}", "refused", 3, "after 7 s"),
        (503, b"{}", "not_sent", 1, "after 7 s"),
        (502, failed(code="not_sent").replace(b'"false"', b"false"), "not_sent", 1, "not_sent"),
        (302, b"", "in_doubt", 4, "no answer of this API"),
        (200, b"<html>", "in_doubt", 4, "no answer of this API"),
        (None, b"", "in_doubt", 4, "connection broke"),
    ],
)  # fmt: skip
def test_what_an_answer_means(status, body, outcome, code, said):
    found = meaning(status, {"retry-after": "7"}, body)
    assert (found.outcome, found.exit) == (outcome, code)
    assert said in found.sentence


def test_a_replay_is_told():
    found = meaning(200, {"idempotent-replayed": "true", "heliograph-alert": "a-1"}, json.dumps(TAKEN).encode())
    assert "nothing was sent again" in found.sentence
    assert "alerts show a-1" in found.sentence


# ── the native API ───────────────────────────────────────────────────────────────────────────────────────────────────

ALERT = ("--site", "1", "--template", "delay", "--country-code", "1", "--phone", "2025550123", "--var", "Gate=C35")
BEGUN = {"id": "0198", "state": "sending", "channel": "rcs"}
EXPLAINED = {
    "would": "hold",
    "recipient": "+12025550123",
    "template": "delay",
    "template_version": "1",
    "language": "en",
    "expires": "2026-11-26T10:00:00.000Z",
    "channels": [],
    "hold_until": "2026-11-26T07:00:00.000Z",
    "obstacles": [{"code": "quiet_hours", "detail": "It is quiet.", "until": "2026-11-26T07:00:00.000Z"}],
    "messages": [
        {
            "channel": "sms", "sender": "acme-sms", "provider": "twilio", "chosen": True, "why": "chosen",
            "content": {"type": "text", "text": "Flight at späť", "suggestions": [], "native": {}},
            "rules": ["a reply becomes a numbered line"], "faults": ["The text is too long."],
            "parts": 2, "encoding": "UCS-2", "units": 80, "forced_by": "ť", "cost": "0.0158",
        }
    ],
    "currency": "EUR",
    "notes": ["language fr: en is used"],
    "decision": {
        "considered": [{"channel": "sms", "sender": "acme-sms", "chosen": True, "why": "chosen"}],
        "steps": [
            {"channel": "rcs", "sender": "acme-rcs", "need": "delivered", "within": 120},
            {"channel": "sms", "sender": "acme-sms", "need": "sent", "within": None},
        ],
        "hold": 1,
    },
}  # fmt: skip


def test_a_bearer_key_goes_to_the_native_path_with_the_native_body(heliograph, door, monkeypatch):
    Door.answer = (202, {"Heliograph-Alert": "0198"}, BEGUN)
    monkeypatch.setenv("HELIOGRAPH_SEND_BEARER", BEARER)
    ran = heliograph("send", door, *ALERT, "--wait", 3)
    assert ran.code == 0 and "on its way on rcs" in ran.out and "alerts show 0198" in ran.out
    [(path, headers, body)] = Door.calls
    assert (path, headers["Authorization"], headers["Prefer"]) == ("/v1/alerts", f"Bearer {BEARER}", "wait=3")
    assert json.loads(body) == {
        "template": "delay", "country_code": "1", "recipient": "2025550123", "variables": {"@Gate": "C35"}
    }  # fmt: skip


def test_an_oauth_key_may_call_the_native_api_too(heliograph, door):
    Door.answer = (202, {}, BEGUN)
    assert heliograph("send", f"{door}/v1/alerts", *ALERT, "--key-file", "key").code == 0
    [(path, headers, body)] = Door.calls
    assert path == "/v1/alerts" and "siteId" not in json.loads(body)
    assert signed_right(f"{door}{path}", headers, body, signature.verify_hmac_sha1)


def test_a_file_of_the_documented_api_is_understood_and_a_native_one_goes_byte_for_byte(heliograph, door, tmp_path):
    Door.answer = (202, {}, BEGUN)
    (tmp_path / "key").write_text(json.dumps({"bearer": BEARER}))
    documented = {"siteId": 1, "customerPhoneNumber": 2025550123, "customerCountryCode": None, "alertInfo": {"a": 1.10}}
    (tmp_path / "one.json").write_text(json.dumps({**documented, "proactiveVariables": []}))
    (tmp_path / "two.json").write_text('{ "recipient": "+12025550123" }')
    for name in ("one", "two"):
        assert heliograph("send", door, "--file", f"{name}.json", "--key-file", "key").code == 0
    first, second = (body for _, _, body in Door.calls)
    assert json.loads(first) == {
        "recipient": "2025550123", "country_code": None, "alert_info": {"a": 1.1}, "variables": {}
    }  # fmt: skip
    assert second == b'{ "recipient": "+12025550123" }'


def test_a_dry_run_asks_for_the_explanation_and_tells_it(heliograph, door):
    Door.answer = (200, {}, EXPLAINED)
    ran = heliograph("send", f"{door}/api/proactiveAlert", *ALERT, "--dry-run", "--key-file", "key")
    assert ran.code == 0
    [(path, headers, body)] = Door.calls
    assert path == "/v1/alerts/explain" and headers["Authorization"].startswith("OAuth ")
    assert signed_right(f"{door}{path}", headers, body, signature.verify_hmac_sha1)
    for told in (
        "it would be held until 2026-11-26T07:00:00.000Z", "quiet_hours: It is quiet.", "Flight at späť",
        "2 parts, UCS-2, 80", "forced by 'ť'", "about 0.0158 EUR", "made to fit: a reply becomes a numbered line",
        "✗ The text is too long.", "language fr: en is used", "This was a dry run.",
        "tried on rcs by acme-rcs (until delivered, 120 s at most), then on sms by acme-sms.",
    ):  # fmt: skip
        assert told in ran.out, told
    ran = heliograph("send", door, *ALERT, "--dry-run", "--key-file", "key", "--json")
    assert (ran.data["outcome"], ran.data["answer"]) == ("hold", EXPLAINED)
    Door.answer = (200, {}, {**EXPLAINED, "would": "refuse"})
    assert heliograph("send", door, *ALERT, "--dry-run", "--key-file", "key").code == 1


@pytest.mark.parametrize(
    ("status", "said", "code", "words"),
    [
        (200, {**BEGUN, "state": "delivered"}, 0, "The provider took the message on rcs."),
        (202, {**BEGUN, "state": "scheduled", "send_at": "2026"}, 0, "It is held until 2026."),
        (200, {**BEGUN, "state": "failed", "reason": "blocked"}, 1, "It ended as failed (blocked)."),
        (422, {"detail": "The recipient has opted out.", "code": "opted_out"}, 3, "The recipient has opted out."),
        (400, {"detail": "x", "errors": [{"field": "skill", "detail": "It is missing."}]}, 3, "skill: It is missing."),
        (503, {"detail": "x"}, 1, "Nothing was handed to a provider"),
        (404, {"error": "nothing here"}, 4, "The path is /v1/alerts"),
        (200, TAKEN, 4, "no answer of this API"),
    ],
)
def test_what_an_answer_of_the_native_api_means(heliograph, door, status, said, code, words):
    Door.answer = (status, {}, said)
    ran = heliograph("send", door, *ALERT, "--bearer", BEARER)
    assert ran.code == code and words in ran.out
    assert BEARER not in ran.out + ran.err


def test_a_broken_connection_to_the_native_api(heliograph, door):
    Door.answer = None
    assert heliograph("send", door, *ALERT, "--bearer", BEARER).code == 4
    assert heliograph("send", door, *ALERT, "--bearer", BEARER, "--dry-run").code == 1


@pytest.mark.parametrize(
    "words",
    [
        ("--key-file", "key", "--wait", "3"),
        ("--bearer", "hg live"),
        ("--bearer", "é"),
    ],
)
def test_what_cannot_be_a_native_call_is_exit_code_2(heliograph, door, words):
    assert heliograph("send", door, *ALERT, *words).code == 2
    assert Door.calls == []


def test_a_bearer_key_is_not_sent_to_the_documented_path(heliograph, door):
    assert heliograph("send", f"{door}/api/proactiveAlert", *ALERT, "--bearer", BEARER).code == 2
    assert Door.calls == []
