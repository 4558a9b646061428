"""Tokens: the signed assertion, one question for many callers, renewal without waiting, refusals remembered."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import urlsafe_b64decode
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from heliograph.channels.rcs import google_rbm_token
from heliograph.channels.rcs.google_rbm_token import Tokens
from heliograph.errors import Fate, SendError, SetupError


def soon(seconds: float = 5.0) -> float:
    return asyncio.get_running_loop().time() + seconds


def grants(value: str, seconds: float = 3599, **more: object) -> dict[str, object]:
    return {"status": 200, "body": {"access_token": value, "expires_in": seconds}, **more}


@pytest.fixture
async def tokens(stub, way_out, service_account):
    made = Tokens(service_account, way_out, token_url=f"{stub.url}/token")
    yield made
    await made.close()


def _part(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


async def test_the_assertion_is_what_rfc_7523_and_google_ask_for(tokens, stub, service_account):
    stub.replies["POST /token"] = [grants("t1")]
    assert await tokens.get(soon()) == "t1"
    asked = stub.asked[0]
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    form = parse_qs(asked.body.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    head, claims, signature = form["assertion"][0].split(".")
    assert json.loads(_part(head)) == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    told = json.loads(_part(claims))
    assert told["iss"] == "alerts@acme-air.example"
    assert told["aud"] == f"{stub.url}/token"
    assert told["scope"] == "https://www.googleapis.com/auth/rcsbusinessmessaging"
    assert abs(told["iat"] - time.time()) < 5
    assert 0 < told["exp"] - told["iat"] <= 3600
    key = load_pem_private_key(json.loads(service_account)["private_key"].encode(), None)
    key.public_key().verify(_part(signature), f"{head}.{claims}".encode(), PKCS1v15(), SHA256())  # type: ignore[union-attr,call-arg,arg-type]


async def test_many_callers_ask_once_and_the_token_is_kept(tokens, stub):
    stub.replies["POST /token"] = [grants("t1", delay=0.1), grants("t2")]
    assert await asyncio.gather(*(tokens.get(soon()) for _ in range(50))) == ["t1"] * 50
    assert await tokens.get(soon()) == "t1"
    assert len(stub.asked) == 1


async def test_near_its_end_a_token_is_renewed_while_it_goes_on_serving(tokens, stub):
    stub.replies["POST /token"] = [grants("t1", 299), grants("t2", delay=0.2)]
    assert await tokens.get(soon()) == "t1"  # ends within five minutes
    started = time.perf_counter()
    assert [await tokens.get(soon()) for _ in range(20)] == ["t1"] * 20
    assert time.perf_counter() - started < 0.1  # nobody waited for the new one
    await asyncio.sleep(0.4)
    assert await tokens.get(soon()) == "t2"
    assert len(stub.asked) == 2


async def test_a_failed_renewal_does_not_disturb_the_good_token_and_is_not_repeated_at_once(tokens, stub):
    stub.replies["POST /token"] = [grants("t1", 299), {"status": 503, "body": ""}]
    for _ in range(10):
        assert await tokens.get(soon()) == "t1"
        await asyncio.sleep(0.01)
    assert len(stub.asked) == 2


async def test_a_token_at_its_end_is_not_used(tokens, stub):
    stub.replies["POST /token"] = [grants("t1", 5), grants("t2")]
    assert await tokens.get(soon()) == "t1"  # fresh from Google: the caller that waited gets it
    assert await tokens.get(soon()) == "t2"


async def test_only_the_refused_token_is_dropped(tokens, stub):
    stub.replies["POST /token"] = [grants("t1"), grants("t2")]
    await tokens.get(soon())
    tokens.drop("another")
    assert await tokens.get(soon()) == "t1"
    tokens.drop("t1")
    assert await tokens.get(soon()) == "t2"


@pytest.mark.parametrize(
    ("reply", "fate"),
    [
        (
            {"status": 400, "body": {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}},
            Fate.CONFIG,
        ),
        ({"status": 401, "body": {"error": "invalid_client"}}, Fate.CONFIG),
        ({"status": 404, "body": "no such page"}, Fate.CONFIG),
        ({"status": 302, "headers": {"location": "/login"}, "body": ""}, Fate.CONFIG),
        ({"status": 200, "body": "<html>"}, Fate.CONFIG),
        ({"status": 200, "body": {"id_token": "x"}}, Fate.CONFIG),
        ({"status": 429, "body": ""}, Fate.RETRY),
        ({"status": 500, "body": ""}, Fate.RETRY),
        ({"status": 503, "body": ""}, Fate.RETRY),
    ],
)
async def test_a_refusal_has_a_fate_and_is_remembered(tokens, stub, reply, fate):
    stub.replies["POST /token"] = [reply]
    for _ in range(5):
        with pytest.raises(SendError) as caught:
            await tokens.get(soon())
        assert caught.value.fate is fate
    assert len(stub.asked) == 1
    if reply["status"] == 400:
        assert "invalid_grant Invalid JWT Signature." in caught.value.sentence
        assert "clock" in caught.value.sentence


async def test_after_a_while_a_refused_key_is_tried_again(tokens, stub, monkeypatch):
    monkeypatch.setattr(google_rbm_token, "REMEMBER_REFUSED", 0.05)
    stub.replies["POST /token"] = [{"status": 400, "body": {"error": "invalid_grant"}}, grants("t1")]
    with pytest.raises(SendError):
        await tokens.get(soon())
    await asyncio.sleep(0.1)
    assert await tokens.get(soon()) == "t1"


async def test_no_token_before_the_deadline_is_a_retry_and_the_question_goes_on(tokens, stub):
    stub.replies["POST /token"] = [grants("t1", delay=0.3)]
    with pytest.raises(SendError) as caught:
        await tokens.get(soon(0.1))
    assert (caught.value.fate, caught.value.code) == (Fate.RETRY, "token_away")
    assert await tokens.get(soon()) == "t1"
    assert len(stub.asked) == 1


async def test_a_silent_token_endpoint_is_a_retry_never_in_doubt(tokens, stub, monkeypatch):
    monkeypatch.setattr(google_rbm_token, "ASK_SECONDS", 0.1)
    stub.replies["POST /token"] = [{"silent": True}]
    with pytest.raises(SendError) as caught:
        await tokens.get(soon())
    assert caught.value.fate is Fate.RETRY


async def test_a_failure_is_told_by_its_error_alone(tokens, stub, capfd, caplog):
    stub.replies["POST /token"] = [{"status": 400, "body": {"error": "invalid_grant"}}]
    with pytest.raises(SendError):
        await tokens.get(soon())
    assert (*capfd.readouterr(), caplog.text) == ("", "", "")


async def test_the_token_is_in_no_note(tokens, stub, capsys):
    stub.replies["POST /token"] = [{"status": 400, "body": {"error": "invalid_grant", "access_token": "t-secret"}}]
    with pytest.raises(SendError) as caught:
        await tokens.get(soon())
    assertion = parse_qs(stub.asked[0].body.decode())["assertion"][0]
    told = repr(caught.value.exchange) + caught.value.sentence + capsys.readouterr().out
    assert "t-secret" not in told
    assert assertion not in told


@pytest.mark.parametrize(
    ("key", "word"),
    [
        ("not json", "key file"),
        ("{}", "key file"),
        ('{"client_email": "a@b", "private_key": "-----BEGIN PRIVATE KEY-----"}', "RSA key"),
    ],
)
async def test_an_unusable_key_is_named_at_once(way_out, key, word):
    with pytest.raises(SetupError, match=word):
        Tokens(key, way_out)
