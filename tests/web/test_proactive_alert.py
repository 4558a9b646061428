"""POST /api/proactiveAlert from outside: each answer of the source document, each row of the outcome table, the order
of the checks, nonces and repeats. The provider alone is the test's own."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, SIGNATURE_HMAC_SHA512

from heliograph.core.channel import Reach
from heliograph.core.site import Failures
from heliograph.errors import Fate, SendError, StoreAway
from heliograph.web.asgi import asgi

PATH = "/api/proactiveAlert"
BASE = "https://alerts.acme.example"

# The source document's answer, as Google sends it: indented, its own order.
AGENT_MESSAGE = b"""{
  "name": "phones/+17703101414/agentMessages/1534532110",
  "sendTime": "2018-08-17T18:55:10.100Z",
  "contentMessage": {
    "richCard": {
      "standaloneCard": {
        "cardOrientation": "VERTICAL",
        "thumbnailImageAlignment": "RIGHT",
        "cardContent": {
          "title": "Tap to Select Desired Action",
          "media": {"fileName": "files/jkl7y5btiioJTIjSNahX0heD", "height": "TALL"},
          "suggestions": [
            {"reply": {"text": "See Menu of Functions", "postbackData": "postback_data_Menu"}},
            {"reply": {"text": "Learn More", "postbackData": "postback_data_LearnMore"}}
          ]
        }
      }
    }
  }
}
"""


def refused_by_provider(raw: bytes = b'{"error": {"code": 400}}', fate: Fate = Fate.PERMANENT) -> SendError:
    return SendError("The card's title is too long for RCS.", code="bad_content", fate=fate, raw=raw)


# ── The page's answers ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_success_is_the_providers_body_unchanged(caller: Any) -> None:
    caller.line.says = [AGENT_MESSAGE]
    said = await caller.alert()
    assert said.status == 200
    assert said.body == b'{"success":true,"response":' + AGENT_MESSAGE + b"}"
    assert said.json == {"success": True, "response": json.loads(AGENT_MESSAGE)}
    assert said.headers["content-type"] == "application/json"
    assert said.headers["heliograph-channel"] == "rcs"
    record = await caller.store.record(said.headers["heliograph-alert"])
    assert record.alert.recipient == "+17703101414"
    assert bytes(record.alert.alert_info) == b'{"Sky Miles":1234567890,"T-Shirt Size":"Large"}'
    (sent,) = caller.line.sent
    assert sent.content.text == "Your flight to Kansas City leaves at 7:35 pm from gate C35."


async def test_a_failure_has_the_string_false_and_an_object_as_a_string(caller: Any) -> None:
    caller.line.says = [refused_by_provider()]
    said = await caller.alert()
    assert said.status == 200
    assert set(said.json) == {"success", "message"}
    assert said.json["success"] == "false"
    message = json.loads(said.json["message"])
    assert set(message) == {"code", "detail", "channel", "retryable", "alertId", "provider"}
    assert message["code"] == "bad_content"
    assert message["channel"] == "rcs"
    assert message["retryable"] is False
    assert message["alertId"] == said.headers["heliograph-alert"]
    assert message["provider"] == {"error": {"code": 400}}


async def test_a_providers_error_that_is_no_json_is_a_string(caller: Any) -> None:
    caller.line.says = [refused_by_provider(b"<html>\xff")]
    assert json.loads((await caller.alert()).json["message"])["provider"] == "<html>\ufffd"


async def test_cannot_reach_is_the_failed_compatibility_check(caller: Any) -> None:
    caller.line.reach = Reach.NO
    said = await caller.alert()
    assert said.status == 400
    assert said.json == {"success": False, "error": "Failed Compatibility Check"}
    assert (await caller.store.record(said.headers["heliograph-alert"])).alert.state == "refused"
    assert caller.line.sent == []


async def test_no_credentials(caller: Any, example_body: bytes) -> None:
    said = await caller.call("POST", PATH, example_body, {"Content-Type": "application/json"})
    assert said.status == 401
    assert said.json == {"error": "No Authorization Header"}
    assert said.headers["www-authenticate"] == 'OAuth realm="heliograph"'


async def test_a_nonce_is_good_for_one_call(caller: Any, example_body: bytes) -> None:
    headers = caller.signed()
    assert (await caller.call("POST", PATH, example_body, headers)).status == 200
    again = await caller.call("POST", PATH, example_body, headers)
    assert again.status == 401
    assert again.json == {"error": "Invalid Nonce - Nonce has been previously used"}
    assert len(caller.line.sent) == 1


async def test_a_header_for_another_body_is_spent_too(caller: Any, example_body: bytes) -> None:
    headers = caller.signed()  # with oauth_body_hash
    said = await caller.call("POST", PATH, example_body + b" ", headers)
    assert said.status == 401
    assert "oauth_body_hash does not match" in said.json["error"]
    again = await caller.call("POST", PATH, example_body, headers)
    assert again.json == {"error": "Invalid Nonce - Nonce has been previously used"}


# ── The other rows ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_failure_as_a_status(caller: Any, site_with: Any) -> None:
    await site_with(failures=Failures.STATUS)
    caller.line.says = [refused_by_provider()]
    said = await caller.alert()
    assert said.status == 502
    assert said.json["success"] is False
    assert json.loads(said.json["message"])["code"] == "bad_content"
    assert said.json["error"] == json.loads(said.json["message"])["detail"]
    assert "retry-after" not in said.headers


async def test_a_failure_as_a_status_says_when_a_repeat_may_succeed(caller: Any, site_with: Any) -> None:
    await site_with(failures=Failures.STATUS)
    caller.line.says = [SendError("The key was refused.", code="token_refused", fate=Fate.CONFIG)]
    said = await caller.alert()
    assert (said.status, said.headers["retry-after"]) == (502, "30")


@pytest.mark.parametrize("failures", list(Failures))
async def test_in_doubt_is_never_a_5xx(caller: Any, site_with: Any, failures: Failures) -> None:
    await site_with(failures=failures)
    caller.line.says = [SendError("No answer came in time.", code="timeout", fate=Fate.UNKNOWN)]
    caller.line.repeats_are_ignored = False
    said = await caller.alert()
    assert said.status == 200
    assert said.json["success"] == ("false" if failures is Failures.PAGE else False)
    message = json.loads(said.json["message"])
    assert (message["code"], message["retryable"]) == ("in_doubt", False)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("customerPhoneNumber", "12", "customerPhoneNumber"),
        ("proactiveTemplate", "nothing", "nothing"),
        ("proactiveLanguage", "klingonese", "klingonese"),
        ("proactiveChannel", "pigeon", "pigeon"),
        ("proactiveVariables", {"@Time": "7"}, "@City"),
        ("externalCustomerIdDescriptor", "", "together"),
        ("skill", "", "skill"),
    ],
)
async def test_faults_of_the_site_carry_documented_names(
    caller: Any, example: dict[str, Any], field: str, value: Any, words: str
) -> None:
    said = await caller.alert(example | {field: value})
    assert said.status == 400
    assert said.json["success"] is False
    assert list(said.json["fields"]) == [field]
    assert said.json["error"] == said.json["fields"][field]
    assert words in said.json["error"] or field == "customerPhoneNumber"
    assert caller.line.sent == []


async def test_faults_of_form_and_of_the_site_are_told_together(caller: Any, example: dict[str, Any]) -> None:
    del example["customerCountryCode"]
    said = await caller.alert(example | {"firstName": [], "proactiveTemplate": "flightdelai", "skill": None})
    assert set(said.json["fields"]) == {"customerCountryCode", "firstName", "proactiveTemplate", "skill"}
    assert "flightdelay" in said.json["fields"]["proactiveTemplate"]  # the near one is named


async def test_another_sites_id_is_403_and_a_missing_one_400(caller: Any, example: dict[str, Any]) -> None:
    said = await caller.alert(example | {"siteId": "999"})
    assert (said.status, said.json["success"]) == (403, False)
    assert "999" in said.json["error"] and "25508804" in said.json["error"]
    del example["siteId"]
    said = await caller.alert(example)
    assert (said.status, list(said.json["fields"])) == (400, ["siteId"])
    # Nothing of a foreign site's templates is told
    said = await caller.alert(example | {"siteId": "999", "firstName": {}, "proactiveTemplate": "guess"})
    assert list(said.json["fields"]) == ["firstName"]


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        'Application/JSON;Charset="UTF-8"',
        "application/json; charset=iso-8859-1",
    ],
)
async def test_content_types_that_are_taken(caller: Any, content_type: str) -> None:
    assert (await caller.alert(Content_Type=content_type)).status == 200


@pytest.mark.parametrize(
    ("header", "value", "words"),
    [
        ("Content_Type", "application/x-www-form-urlencoded", "the call sends application/x-www-form-urlencoded"),
        ("Content_Type", "text/plain", "the call sends text/plain"),
        ("Content_Type", "", "does not say what it sends"),
        ("Content_Encoding", "gzip", "Content-Encoding says gzip"),
    ],
)
async def test_other_types_are_415_before_credentials(caller: Any, header: str, value: str, words: str) -> None:
    said = await caller.alert(**{header: value, "Authorization": ""})
    assert (said.status, said.json["success"]) == (415, False)
    assert words in said.json["error"]


async def test_a_latin1_body_is_415_where_the_type_says_so(caller: Any, example: dict[str, Any]) -> None:
    body = json.dumps(example | {"firstName": "José"}, ensure_ascii=False).encode("latin-1")
    assert (await caller.alert(body, Content_Type="application/json; charset=ISO-8859-1")).status == 415


# ── Nonces, whatever becomes of a call ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"siteId": []}', b'{"siteId": "999"}', b" "])
async def test_a_refused_call_spends_its_nonce(caller: Any, body: bytes) -> None:
    headers = caller.signed(body=body)
    assert (await caller.call("POST", PATH, body, headers)).status in (400, 403)
    assert (await caller.call("POST", PATH, body, headers)).json == {
        "error": "Invalid Nonce - Nonce has been previously used"
    }


async def test_a_wrong_signature_spends_nothing(caller: Any, example_body: bytes) -> None:
    headers = caller.signed()
    wrong = headers | {"Authorization": headers["Authorization"].replace('oauth_signature="', 'oauth_signature="x')}
    said = await caller.call("POST", PATH, example_body, wrong)
    assert said.status == 401
    assert f"The server saw POST {BASE}{PATH}" in said.json["error"]
    assert set(said.json) == {"error"}
    assert (await caller.call("POST", PATH, example_body, headers)).status == 200


async def test_a_removed_site_is_named_to_the_holder_of_its_key_alone(caller: Any, example_body: bytes) -> None:
    await caller.store.remove("site", "25508804", "25508804")
    await caller.doors.means.registry.refresh(caller.store)
    headers = caller.signed()
    wrong = headers | {"Authorization": headers["Authorization"].replace('oauth_signature="', 'oauth_signature="x')}
    said = await caller.call("POST", PATH, example_body, wrong)
    assert said.status == 401 and "25508804" not in said.json["error"]
    said = await caller.call("POST", PATH, example_body, headers)
    assert said.status == 403 and "25508804" in said.json["error"]
    assert (await caller.call("POST", PATH, example_body, headers)).status == 401  # its nonce is spent


async def test_the_same_header_twice_at_once_is_one_alert(caller: Any, example_body: bytes) -> None:
    headers = caller.signed()
    both = await asyncio.gather(*(caller.call("POST", PATH, example_body, headers) for _ in range(6)))
    assert sorted(said.status for said in both) == [200, 401, 401, 401, 401, 401]
    assert len(caller.line.sent) == 1


class Away:
    """The store, gone: every verb says so."""

    def __getattr__(self, name: str) -> Any:
        async def away(*args: Any, **named: Any) -> None:
            raise StoreAway("The database is away.", code="store_away")

        return away


@pytest.mark.parametrize("body", [None, b"{", b'{"siteId": []}'])
async def test_a_store_that_is_away_is_a_503_and_spends_nothing(
    caller: Any, example_body: bytes, body: bytes | None
) -> None:
    text = example_body if body is None else body
    headers = caller.signed(body=text)
    means = caller.doors.means
    store, means.store = means.store, Away()
    said = await caller.call("POST", PATH, text, headers)
    assert (said.status, said.json["success"]) == (503, False)
    assert int(said.headers["retry-after"]) >= 1
    means.store = store
    assert (await caller.call("POST", PATH, text, headers)).status == (200 if body is None else 400)


# ── Repeats ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_same_call_again_is_answered_from_the_record(caller: Any) -> None:
    first, second = await caller.alert(), await caller.alert()
    assert second.body == first.body
    assert second.headers["heliograph-alert"] == first.headers["heliograph-alert"]
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert len(caller.line.sent) == 1


async def test_an_idempotency_key_with_another_body_is_422(caller: Any, example: dict[str, Any]) -> None:
    assert (await caller.alert(example, Idempotency_Key="k1")).status == 200
    assert (await caller.alert(example, Idempotency_Key="k1")).headers["idempotent-replayed"] == "true"
    said = await caller.alert(example | {"firstName": "Ann"}, Idempotency_Key="k1")
    assert (said.status, said.json["success"]) == (422, False)


@pytest.mark.parametrize("key", ["a b", "x" * 256, "ключ".encode().decode("latin-1")])
async def test_an_idempotency_key_has_limits(caller: Any, example: dict[str, Any], key: str) -> None:
    said = await caller.alert(example, Idempotency_Key=key)
    assert (said.status, list(said.json["fields"])) == (400, ["Idempotency-Key"])


async def test_a_call_without_an_id_is_forgotten_once_it_is_answered(caller: Any, example: dict[str, Any]) -> None:
    del example["externalAlertId"]
    assert (await caller.alert(example)).status == 200
    await caller.doors.means.settle()
    assert (await caller.alert(example)).status == 200
    assert len(caller.line.sent) == 2


# ── Credentials and rates ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", [SIGNATURE_HMAC_SHA256, SIGNATURE_HMAC_SHA512])
async def test_other_hashes(caller: Any, example_body: bytes, method: str) -> None:
    headers = caller.signed(signature_method=method)
    assert (await caller.call("POST", PATH, example_body, headers)).status == 200


@pytest.mark.parametrize(
    "path",
    ["/api/proactivealert/", "/API/PROACTIVEALERT", "/api/proactive%41lert", f"{PATH}/", f"{PATH}?a=1&a=&b=%C3%A9+"],
)
async def test_a_path_is_signed_as_it_is_written(caller: Any, path: str) -> None:
    assert (await caller.alert(path=path)).status == 200


async def test_unknown_keys_and_tokens_are_told_apart(caller: Any, example_body: bytes) -> None:
    said = await caller.call("POST", PATH, example_body, caller.signed(key="nobody"))
    assert (said.status, "nobody" in said.json["error"]) == (401, True)


async def test_wrong_credentials_are_limited_and_right_ones_are_not(caller: Any, example_body: bytes) -> None:
    answers = [await caller.call("POST", PATH, example_body, caller.signed(key="nobody")) for _ in range(22)]
    assert [said.status for said in answers] == [401] * 20 + [429] * 2
    assert answers[-1].json["success"] is False
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    assert (await caller.alert()).status == 200
    elsewhere = await caller.call("POST", PATH, example_body, caller.signed(key="nobody"), peer="198.51.100.1")
    assert elsewhere.status == 401


async def test_a_keys_call_rate_is_a_429_that_spends_the_nonce(
    caller: Any, site_with: Any, example_body: bytes
) -> None:
    await site_with(calls_per_second=0.01, burst=1)
    assert (await caller.alert()).status == 200
    headers = caller.signed()
    said = await caller.call("POST", PATH, example_body, headers)
    assert (said.status, said.json["success"]) == (429, False)
    assert int(said.headers["retry-after"]) >= 1
    assert (await caller.call("POST", PATH, example_body, headers)).status in (401, 429)
    assert len(caller.line.sent) == 1


# ── A bug of ours ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_bug_is_a_500_that_tells_and_logs_no_value(caller: Any, example_body: bytes) -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("Matt Fanning +17703101414")

    headers = caller.signed()
    means = caller.doors.means
    store, means.store = means.store, Broken()
    said = await caller.call("POST", PATH, example_body, headers)
    means.store = store
    assert (said.status, said.json["success"]) == (500, False)
    log = caller.lines.getvalue().decode()
    assert '"action":"call.broke"' in log and "RuntimeError" in log
    assert "Matt" not in log and "7703101414" not in log


async def test_no_value_of_a_call_is_logged(caller: Any, example: dict[str, Any]) -> None:
    await caller.alert(example)
    caller.line.says = [refused_by_provider(b'{"number": "+17703101414"}')]
    await caller.alert(example | {"externalAlertId": "2"})
    await caller.alert(example | {"customerPhoneNumber": "1"})
    log = caller.lines.getvalue().decode()
    assert log.count("alert.answered") == 1  # the refused one; what was taken stands in the record
    for value in ("7703101414", "Matt", "Fanning", "Kansas", "1265168451", "C35"):
        assert value not in log


async def test_a_caller_that_left_before_its_body_is_answered_nothing(caller: Any) -> None:
    said = await caller.call("POST", PATH, b"{}", caller.signed(), there=False, app=asgi(caller.doors))
    assert said.status == 0
