"""Whose webhooks are believed: a signature where the inbox has a secret, a word in the address where it has none."""

from __future__ import annotations

import time

import msgspec
import pytest

from heliograph.core.ports import Call
from heliograph.desks import chatwoot
from heliograph.desks.chatwoot import callback
from heliograph.desks.chatwoot.settings import Settings
from heliograph.desks.kit import hmac_hex
from heliograph.errors import CallRefused, SetupError

URL = "https://alerts.acme.example/callbacks/desk/chatwoot/acme"
BODY = (
    b'{"event":"message_created","id":12,"content":"Gate B7.","message_type":"outgoing","private":false,'
    b'"account":{"id":1},"conversation":{"id":3,"inbox_id":1}}'
)
SIGNED = Settings(account_id=1, inbox_id=1, webhook_secret="new-secret old-secret")
WORD = Settings(account_id=1, inbox_id=1, webhook_token="a-word-in-the-address")


def call(secret: str = "", *, at: float | None = None, query: str = "", body: bytes = BODY, stamp: str = "") -> Call:
    headers = {"content-type": "application/json"}
    if secret:
        stamp = stamp or str(int(time.time() if at is None else at))
        headers["x-chatwoot-timestamp"] = stamp
        headers["x-chatwoot-signature"] = f"sha256={hmac_hex(secret, f'{stamp}.'.encode() + body)}"
    return Call(method="POST", url=URL + query, headers=headers, body=body)


def test_the_signature_is_the_one_of_chatwoots_source():
    """lib/webhooks/trigger.rb: "sha256=#{OpenSSL::HMAC.hexdigest('SHA256', secret, "#{ts}.#{body}")}"; the digest was
    made with openssl dgst -sha256 -hmac."""
    assert hmac_hex("s3cr3t", b'1700000000.{"event":"message_created"}') == (
        "d33fc94ef25241ae55ad5741cc1267508597723521b3126a798d037423a7598d"
    )


@pytest.mark.parametrize("secret", ["new-secret", "old-secret"])
def test_each_of_the_secrets_signs(secret):
    assert len(callback.read(call(secret), SIGNED).events) == 1


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (call(), "unsigned"),
        (call("another"), "bad_signature"),
        (call("new-secret old-secret"), "bad_signature"),
        (call("new-secret", at=time.time() - 40_000), "stale_signature"),
        (call("new-secret", at=time.time() + 40_000), "stale_signature"),
        (call("new-secret", stamp="soon"), "stale_signature"),
        (call("new-secret", stamp="٣"), "stale_signature"),
        (call(query="?token=a-word-in-the-address"), "unsigned"),
    ],
)
def test_others_are_refused(given, code):
    with pytest.raises(CallRefused) as refused:
        callback.read(given, SIGNED)
    assert refused.value.code == code


def test_a_chatwoot_that_does_not_sign_is_known_by_a_word():
    assert len(callback.read(call(query="?token=a-word-in-the-address"), WORD).events) == 1
    for query in ("", "?token=", "?token=another", "?token=another&token=a-word-in-the-address"):
        with pytest.raises(CallRefused) as refused:
            callback.read(call(query=query), WORD)
        assert refused.value.code == "bad_signature"


def test_without_either_nobody_is_believed():
    for given in (call(), call("x"), call(query="?token=")):
        with pytest.raises(CallRefused) as refused:
            callback.read(given, Settings(account_id=1, inbox_id=1))
        assert refused.value.code == "no_webhook_secret"


def test_another_account_is_passed_over():
    settings = msgspec.structs.replace(SIGNED, account_id=2)
    assert callback.read(call("new-secret"), settings).events == ()


def test_settings_are_held_against_what_chatwoot_has():
    for wrong in ({"account_id": 0}, {"inbox_id": 0}, {"base_url": "app.chatwoot.com"}, {"dashboard_url": "chat"}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"account_id": 1, "inbox_id": 1, **wrong}, Settings)
    with pytest.raises(SetupError, match="no token"):
        chatwoot.open(_setup(), SIGNED, None)  # it is refused before it looks at its ways
    assert chatwoot.framed(SIGNED) == ("https://app.chatwoot.com",)
    pages = msgspec.structs.replace(
        SIGNED, base_url="http://chatwoot:3000/", dashboard_url="https://chat.acme.example/x"
    )
    assert chatwoot.framed(pages) == ("https://chat.acme.example",)
    assert chatwoot.hosts(pages) == ("http://chatwoot:3000",)
    assert len(chatwoot.lacks(Settings(account_id=1, inbox_id=1), False)) == 2
    assert chatwoot.lacks(WORD, True) == ()


def _setup():
    from heliograph.core.desk import SiteDesk

    return SiteDesk(site="acme", desk="chatwoot")
