"""One contract, run on the cases of every provider: cases/*.json beside each provider's module.

Each case goes through the real HTTP client to canned replies on the loopback address. For every case the suite adds:
no secret, token or full number in the note of the exchange, the error or the log; no request to another host.
"""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import msgspec
import pytest

import heliograph.channels
from heliograph import plugs
from heliograph.core.content import Content, Media
from heliograph.core.event import ProviderEvent
from heliograph.core.ports import Call, Message, Plug, Provider
from heliograph.core.site import Sender
from heliograph.errors import CallRefused, Fate, SendError

TOKEN = "ya29.case-access-token"
FOLDER = Path(next(iter(heliograph.channels.__path__)))


def _documents() -> list[dict[str, Any]]:
    found = []
    for path in sorted(FOLDER.glob("*/cases/*.json")):
        document = json.loads(path.read_text())
        found.append({**document, "channel": path.parent.parent.name})
    return found


DOCUMENTS = _documents()


def cases(kind: str) -> Any:
    return pytest.mark.parametrize(
        ("document", "case"),
        [
            pytest.param(document, case, id=f"{document['provider']}: {case['name']}")
            for document in DOCUMENTS
            for case in document.get(kind, [])
        ],
    )


def _plug(document: dict[str, Any]) -> Plug:
    return plugs.channels()[document["channel"]].providers[document["provider"]]


@pytest.fixture
def opened(stub, ways, service_account):
    """`opened(document, reply)`: the provider with its settings, the stub with its replies."""

    def fill(value: Any) -> Any:
        if isinstance(value, str):
            for name, given in (("stub", stub.url), ("service_account", service_account), ("token", TOKEN)):
                value = value.replace("${" + name + "}", given)
            return value
        if isinstance(value, dict):
            return {name: fill(part) for name, part in value.items()}
        return value

    def open_it(document: dict[str, Any], reply: dict[str, Any] | None = None) -> Provider:
        plug = _plug(document)
        settings = fill(document["settings"])
        stub.replies = {name: [fill(reply)] for name, reply in document.get("always", {}).items()}
        if reply is not None:
            stub.reply = reply
        sender = Sender(
            site="acme", name="case", channel=document["channel"], provider=document["provider"], settings=settings
        )
        return plug.open(sender, msgspec.convert(settings, plug.Settings), ways)

    return open_it


@pytest.fixture
def nothing_private(caplog, capsys, service_account):
    """Called with everything that is kept: fails where a secret or a whole number is in it or in the log."""
    caplog.set_level(logging.DEBUG)

    def look(document: dict[str, Any], *kept: object) -> None:
        printed = capsys.readouterr()
        told = " ".join(map(repr, kept)) + caplog.text + printed.out + printed.err
        private = [document["message"]["recipient"].removeprefix("+"), TOKEN, "PRIVATE KEY"]
        plug = _plug(document)
        private += [
            document["settings"][name] for name in plug.SECRETS if "$" not in document["settings"].get(name, "$")
        ]
        for secret in private:
            assert secret not in told

    return look


def _deadline(reply: dict[str, Any]) -> float:
    return asyncio.get_running_loop().time() + (0.25 if reply.get("silent") else 5.0)


def _message(document: dict[str, Any], given: dict[str, Any]) -> Message:
    base = document["message"]
    return Message(
        id=base["id"],
        recipient=base["recipient"],
        content=msgspec.json.decode(json.dumps(given["content"]), type=Content),
        now=base["now"],
        expires=base["now"] + given.get("lives_ms", base["lives_ms"]),
        traffic=given.get("traffic", "transaction"),
    )


def _same_request(asked: Any, wanted: dict[str, Any]) -> None:
    assert (asked.method, asked.path) == (wanted["method"], wanted["path"])
    for name, value in wanted.get("query", {}).items():
        assert asked.query.get(name) == value, name
    for name, value in wanted.get("headers", {}).items():
        assert asked.headers.get(name) == value, name
    if "body" in wanted:
        assert json.loads(asked.body) == wanted["body"]
        assert asked.headers["content-type"].startswith("application/json")
    if "text" in wanted:
        assert asked.body.decode() == wanted["text"]


def _same_error(error: SendError, wanted: dict[str, Any], reply: dict[str, Any]) -> None:
    told = {"code": error.code, "fate": str(error.fate), "blame": str(error.blame), "retry_after": error.retry_after}
    assert {name: told[name] for name in wanted} == wanted
    assert error.sentence.endswith((".", '"'))
    assert error.exchange is not None
    if not reply.get("silent"):
        body = reply.get("body", "")
        assert error.raw == (body.encode() if isinstance(body, str) else json.dumps(body).encode())


def _calls(stub: Any, document: dict[str, Any]) -> list[Any]:
    setup = set(document.get("always", {}))
    return [asked for asked in stub.asked if f"{asked.method} {asked.path}" not in setup]


@cases("sends")
async def test_send(document, case, opened, stub, nothing_private):
    provider = opened(document, case["reply"])
    outcome = case["outcome"]
    message = _message(document, case["given"])
    assert _plug(document).check(message.content) == []
    kept: object
    try:
        taken = await provider.send(message, _deadline(case["reply"]))
    except SendError as error:
        _same_error(error, outcome["error"], case["reply"])
        kept = (error.exchange, error.sentence)
    else:
        body = outcome["taken"].get("raw", case["reply"].get("body", ""))
        assert list(taken.references) == outcome["taken"]["references"]
        assert taken.raw == (body.encode() if isinstance(body, str) else json.dumps(body).encode())
        kept = taken.exchange
    calls = _calls(stub, document)
    if "request" in case:
        _same_request(calls[-1], case["request"])
    assert len(calls) == outcome.get("asked", len(calls))
    assert calls
    nothing_private(document, kept)
    await provider.close()


@cases("capabilities")
async def test_capability(document, case, opened, stub, nothing_private):
    provider = opened(document, case["reply"])
    base = document["message"]
    capability = await provider.capability(base["recipient"], base["now"], _deadline(case["reply"]))
    told = msgspec.to_builtins(capability)
    expected = {"features": [], "reason": "", "mark": False, "asked": base["now"], **case["outcome"]}
    assert {**told, "features": list(told["features"])} == expected
    if "request" in case:
        _same_request(_calls(stub, document)[-1], case["request"])
    nothing_private(document)
    await provider.close()


@cases("revokes")
async def test_revoke(document, case, opened, stub, nothing_private):
    provider = opened(document, case["reply"])
    base = document["message"]
    try:
        revoked = await provider.revoke(base["id"], base["recipient"], _deadline(case["reply"]))
    except SendError as error:
        _same_error(error, case["outcome"]["error"], case["reply"])
        nothing_private(document, error.exchange, error.sentence)
    else:
        assert revoked.gone is case["outcome"]["gone"]
        nothing_private(document, revoked)
    if "request" in case:
        _same_request(_calls(stub, document)[-1], case["request"])
    await provider.close()


@cases("uploads")
async def test_upload(document, case, opened, stub, nothing_private):
    provider = opened(document, case["reply"])
    given, now = case["given"], document["message"]["now"]
    media = msgspec.convert(given["media"], Media)
    try:
        uploaded = await provider.upload(
            media, given["data"].encode(), given["content_type"], now, _deadline(case["reply"])
        )
    except SendError as error:
        _same_error(error, case["outcome"]["error"], case["reply"])
        nothing_private(document, error.exchange, error.sentence)
    else:
        assert uploaded.reference == case["outcome"]["reference"]
        assert uploaded.expires > now
        nothing_private(document, uploaded)
    if "request" in case:
        _same_request(_calls(stub, document)[-1], case["request"])
    await provider.close()


def _call(case: dict[str, Any], body: bytes | None = None) -> Call:
    callback = case["callback"]
    return Call(
        method="POST",
        url="https://alerts.acme.example/callbacks/x/y/acme/case",
        headers=callback["headers"],
        body=body if body is not None else json.dumps(callback["body"]).encode(),
    )


@cases("callbacks")
async def test_callback(document, case, opened, nothing_private):
    provider = opened(document)
    if "refused" in case:
        with pytest.raises(CallRefused) as caught:
            provider.read(_call(case))
        assert caught.value.code == case["refused"]
        nothing_private(document, caught.value.sentence)
        return
    heard = provider.read(_call(case))
    assert heard.answer.status == 200
    if "answer" in case:
        assert (heard.answer.status, heard.answer.body.decode()) == (case["answer"]["status"], case["answer"]["body"])
    expected = [msgspec.convert(event, ProviderEvent) for event in case["events"]]
    assert [msgspec.structs.replace(event, raw=msgspec.Raw(b"")) for event in heard.events] == expected
    for event in heard.events:
        assert json.loads(bytes(event.raw)) == case["says"]
    assert provider.read(_call(case)) == heard  # pure: the same call says the same


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document["provider"])
async def test_no_changed_callback_is_believed(document, opened):
    """Every signed case with one byte of its data or its signature changed is refused."""
    provider = opened(document)
    signed = [case for case in document["callbacks"] if case.get("says")]
    assert signed
    for case in signed:
        body = json.loads(json.dumps(case["callback"]["body"]))
        data = body["message"]["data"]
        body["message"]["data"] = ("A" if data[0] != "A" else "B") + data[1:]
        for call in (
            _call(case, json.dumps(body).encode()),
            _call({"callback": {"headers": {}, "body": case["callback"]["body"]}}),
        ):
            with pytest.raises(CallRefused):
                provider.read(call)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document["provider"])
async def test_no_request_leaves_the_host(document, ways, service_account, stub):
    """Without the stub's address in its settings the provider aims at the real world, and is refused by `out`."""
    plug = _plug(document)
    settings = {name: value for name, value in document["settings"].items() if "${stub}" not in value}
    settings = {name: value.replace("${service_account}", service_account) for name, value in settings.items()}
    sender = Sender(site="acme", name="case", channel=document["channel"], provider=document["provider"])
    provider = plug.open(sender, msgspec.convert(settings, plug.Settings), ways)
    with pytest.raises(SendError) as caught:
        await provider.send(_message(document, document["sends"][0]["given"]), _deadline({}))
    assert (caught.value.code, caught.value.fate) == ("address_refused", Fate.CONFIG)
    assert stub.asked == []
    await provider.close()


def test_every_provider_has_cases():
    covered = {document["provider"] for document in DOCUMENTS}
    assert covered == {name for channel in plugs.channels().values() for name in channel.providers}
