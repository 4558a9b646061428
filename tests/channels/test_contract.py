"""One contract, run on the cases of every provider: cases/*.json beside each provider's module, those of packages that
are installed included.

Each case goes through the real HTTP client to canned replies on the loopback address. For every case the suite adds:
no secret, token or full number in the note of the exchange, the error or the log; no request to another host.

A request is compared by what the case gives of it: `body` (JSON), `form` (fields, a list where one is repeated),
`parts` (multipart) or `text`. A callback is sent as `body` (JSON, as json.dumps writes it) or `text` (the bytes as they
came), with `method`, `query` and `headers`; `says` is the raw of all its events, `raws` one for each. `spoils` says
what of a document's callbacks is signed (_spoiled): each signed case is refused with that changed. A document with
`"speaks": "smpp"` has a line of its own, and its cases are run beside its provider's tests.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest

from heliograph import plugs
from heliograph.core.channel import Capability
from heliograph.core.content import Content, Media, Text
from heliograph.core.event import Attached, ProviderEvent
from heliograph.core.ports import Call, Message, Plug, Provider
from heliograph.core.site import Sender
from heliograph.errors import CallRefused, Fate, SendError

TOKEN = "ya29.case-access-token"


def _documents() -> list[dict[str, Any]]:
    found = []
    for _, package in plugs.packages():
        for path in sorted(Path(next(iter(package.__path__))).glob("cases/*.json")):
            found.append({**json.loads(path.read_text()), "channel": package.CHANNEL})
    return found


EVERY = _documents()
DOCUMENTS = [document for document in EVERY if document.get("speaks", "http") == "http"]


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

    def open_it(
        document: dict[str, Any], reply: dict[str, Any] | None = None, replies: dict[str, Any] | None = None
    ) -> Provider:
        plug = _plug(document)
        settings = fill(document["settings"])
        canned = {**document.get("always", {}), **(replies or {})}
        stub.replies = {name: [fill(reply)] for name, reply in canned.items()}
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
        window=given.get("window", False),
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
    if "form" in wanted:
        assert _form(asked.body) == wanted["form"]
        assert asked.headers["content-type"].startswith("application/x-www-form-urlencoded")
    if "parts" in wanted:
        assert _parts(asked) == wanted["parts"]
    if "text" in wanted:
        assert asked.body.decode() == wanted["text"]


def _form(body: bytes) -> dict[str, Any]:
    """The fields of a form; one that is repeated is a list."""
    fields: dict[str, list[str]] = {}
    for name, value in parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True):
        fields.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


def _parts(asked: Any) -> list[dict[str, str]]:
    """The parts of a multipart body: {"name", "filename", "content_type", "text"}, the middle two where they are
    said."""
    read = message_from_bytes(f"content-type: {asked.headers['content-type']}\r\n\r\n".encode() + asked.body)
    assert read.is_multipart()
    assert not read.defects
    told = []
    for part in read.get_payload():
        known = {
            "name": part.get_param("name", header="content-disposition"),
            "filename": part.get_filename(),
            "content_type": part.get("content-type"),
            "text": part.get_payload(decode=True).decode(),
        }
        told.append({name: value for name, value in known.items() if value is not None})
    return told


def _same_error(
    error: SendError, wanted: dict[str, Any], reply: dict[str, Any], wanted_calls: int | None = None
) -> None:
    told = {"code": error.code, "fate": str(error.fate), "blame": str(error.blame), "retry_after": error.retry_after}
    assert {name: told[name] for name in wanted} == wanted
    assert error.sentence.endswith((".", '"'))
    if wanted_calls == 0:
        return
    assert error.exchange is not None
    if not reply.get("silent"):
        body = reply.get("body", "")
        assert error.raw == (body.encode() if isinstance(body, str) else json.dumps(body).encode())


def _calls(stub: Any, document: dict[str, Any]) -> list[Any]:
    setup = set(document.get("always", {}))
    return [asked for asked in stub.asked if f"{asked.method} {asked.path}" not in setup]


@cases("sends")
async def test_send(document, case, opened, stub, nothing_private):
    reply = case.get("reply", {})
    provider = opened(document, reply)
    outcome = case["outcome"]
    message = _message(document, case["given"])
    assert _plug(document).check(message.content) == []
    kept: object
    try:
        taken = await provider.send(message, _deadline(reply))
    except SendError as error:
        _same_error(error, outcome["error"], reply, outcome.get("asked"))
        kept = (error.exchange, error.sentence)
    else:
        body = outcome["taken"].get("raw", reply.get("body", ""))
        assert list(taken.references) == outcome["taken"]["references"]
        assert taken.raw == (body.encode() if isinstance(body, str) else json.dumps(body).encode())
        kept = taken.exchange
    calls = _calls(stub, document)
    if "request" in case:
        _same_request(calls[-1], case["request"])
    assert len(calls) == outcome.get("asked", len(calls) or 1)
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


@cases("capabilities_of_many")
async def test_capabilities_of_many(document, case, opened, stub, nothing_private):
    provider = opened(document, case["reply"])
    now = document["message"]["now"]
    reached = await provider.capabilities(case["given"], now, _deadline(case["reply"]))
    expected = [msgspec.convert({"asked": now, **answer}, Capability) for answer in case["outcome"]["answers"]]
    assert reached.answers == dict(zip(case["given"], expected, strict=True))
    estimate = (case["outcome"].get("sampled", 0), case["outcome"].get("reachable", 0))
    assert (reached.sampled, reached.reachable) == estimate
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


@cases("fetches")
async def test_fetch(document, case, opened, stub, nothing_private):
    """`given`: an Attached; `replies`: by "METHOD /path". `asked`: every call that was made, and whether it carried the
    sender's credentials."""
    provider = opened(document, replies=case["replies"])
    attached = msgspec.convert(json.loads(json.dumps(case["given"]).replace("${stub}", stub.url)), Attached)
    silent = any(reply.get("silent") for reply in case["replies"].values())
    outcome = case["outcome"]
    try:
        fetched = await provider.fetch(attached, _deadline({"silent": silent}))
    except SendError as error:
        told = {"code": error.code, "fate": str(error.fate)}
        assert {name: told[name] for name in outcome["error"]} == outcome["error"]
        assert error.sentence.endswith((".", '"'))
        nothing_private(document, error.exchange, error.sentence)
    else:
        assert {"content_type": fetched.content_type, "text": fetched.data.decode()} == outcome["fetched"]
        nothing_private(document)
    if "asked" in outcome:
        asked = [{"path": one.path, "credentials": "authorization" in one.headers} for one in _calls(stub, document)]
        assert asked == outcome["asked"]
    await provider.close()


@cases("courtesies")
async def test_courtesy(document, case, opened, stub, nothing_private):
    """`typing` (in reply to which message) or `seen` (which one)."""
    provider = opened(document, case.get("reply"))
    recipient, outcome = document["message"]["recipient"], case["outcome"]
    assert provider.can_type
    assert provider.can_mark_read
    try:
        if "typing" in case:
            taken = await provider.typing(recipient, case["typing"], _deadline({}))
        else:
            taken = await provider.seen(recipient, case["seen"], _deadline({}))
    except SendError as error:
        told = {"code": error.code, "fate": str(error.fate)}
        assert told == outcome["error"]
        nothing_private(document, error.exchange, error.sentence)
    else:
        assert taken is outcome["taken"]
        nothing_private(document)
    if "request" in case:
        request = json.loads(json.dumps(case["request"]).replace("${token}", TOKEN))
        _same_request(_calls(stub, document)[-1], request)
    assert len(_calls(stub, document)) == outcome.get("asked", 1)
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


def _call(case: dict[str, Any]) -> Call:
    callback = case["callback"]
    body = callback["text"] if "text" in callback else json.dumps(callback["body"]) if "body" in callback else ""
    query = f"?{callback['query']}" if "query" in callback else ""
    return Call(
        method=callback.get("method", "POST"),
        url=f"https://alerts.acme.example/callbacks/x/y/acme/case{query}",
        headers=callback.get("headers", {}),
        body=body.encode(),
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
    answer = {"status": 200, "body": heard.answer.body.decode(), **case.get("answer", {})}
    assert (heard.answer.status, heard.answer.body.decode()) == (answer["status"], answer["body"])
    expected = [msgspec.convert(event, ProviderEvent) for event in case["events"]]
    assert [msgspec.structs.replace(event, raw=msgspec.Raw(b"")) for event in heard.events] == expected
    raws = case["raws"] if "raws" in case else [case["says"]] * len(expected) if expected else []
    assert [json.loads(bytes(event.raw)) for event in heard.events] == raws
    assert provider.read(_call(case)) == heard  # pure: the same call says the same


def _changed(text: str, at: int = 0) -> str:
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


def _spoiled(call: Call, spoil: dict[str, Any]) -> Iterator[Call]:
    """The call with one letter changed of what `spoil` names, and without it where it is a header: {"body": true} any
    letter of the body (three are tried), {"json": ["message", "data"]} a text within it, {"query": true} the address's
    query, {"header": "x-signature"} the signature itself."""
    replaced = msgspec.structs.replace
    if "body" in spoil:
        text = call.body.decode()
        for at in {0, len(text) // 2, len(text) - 1}:
            yield replaced(call, body=_changed(text, at).encode())
    if "json" in spoil:
        body = json.loads(call.body)
        holder = body
        for step in spoil["json"][:-1]:
            holder = holder[step]
        holder[spoil["json"][-1]] = _changed(holder[spoil["json"][-1]])
        yield replaced(call, body=json.dumps(body).encode())
    if "query" in spoil:
        yield replaced(call, url=_changed(call.url, len(call.url) - 1))
        yield replaced(call, url=call.url + "&more=1")
    if "header" in spoil:
        given = call.headers[spoil["header"]]
        for at in (0, len(given) // 2):
            yield replaced(call, headers={**call.headers, spoil["header"]: _changed(given, at)})
        yield replaced(call, headers={n: v for n, v in call.headers.items() if n != spoil["header"]})


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document["provider"])
async def test_no_changed_callback_is_believed(document, opened):
    """Every case that is believed is refused with one letter changed of what the provider signs."""
    provider = opened(document)
    signed = [case for case in document["callbacks"] if case.get("events")]
    assert signed
    assert document["spoils"]
    for case in signed:
        for spoil in document["spoils"]:
            for call in _spoiled(_call(case), spoil):
                assert call != _call(case)
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


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document["provider"])
async def test_who_is_asked_says_so(document, opened):
    """`ASKS` of a module opens its senders for a command that only asks; who is asked about many has cases for it."""
    provider = opened(document)
    assert getattr(_plug(document), "ASKS", False) is provider.asks_capability
    assert (provider.asks_many > 0) is bool(document.get("capabilities_of_many"))
    await provider.close()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document["provider"])
async def test_what_it_offers_besides_has_cases(document, opened):
    provider = opened(document)
    assert hasattr(provider, "fetch") is bool(document.get("fetches"))
    courteous = getattr(provider, "can_type", False) or getattr(provider, "can_mark_read", False)
    assert courteous is bool(document.get("courtesies"))
    longest, check = getattr(_plug(document), "LONGEST", 0), _plug(document).check
    if longest:
        assert check(Text(text="x" * longest)) == []
        assert check(Text(text="é→" * longest)) != []
    await provider.close()


def test_every_provider_has_cases():
    covered = {document["provider"] for document in EVERY}
    assert covered == {name for channel in plugs.channels().values() for name in channel.providers}
