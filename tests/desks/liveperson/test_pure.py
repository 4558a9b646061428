"""What needs no other end: settings, lines, parts of a long text, structured content, what is remembered."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace as Signed
from urllib.parse import unquote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oauthlib.oauth1.rfc5849 import signature

from desks.liveperson.conftest import ALERT, CONTEXT, KEY, settings, soon
from heliograph import plugs
from heliograph.core.desk import Context
from heliograph.desks import liveperson
from heliograph.desks.liveperson import rich, wire
from heliograph.desks.liveperson.documents import _token
from heliograph.desks.liveperson.line import line
from heliograph.desks.liveperson.said import CONVERSATIONS, Memory
from heliograph.desks.liveperson.signing import authorization

CCS = {"alert_info": ["ccs"], "ccs_user": "u", "ccs_password": "p"}
FRAME = {"alert_info": ["frame"], "frame_origins": ["https://lo.le.liveperson.net", "https://*.liveperson.net"]}


def test_it_is_found_as_a_desk_with_its_twin() -> None:
    plug = plugs.desks()["liveperson"]
    assert (plug.KEEPS, plug.ONE_PER_RECIPIENT) == (False, True)
    assert set(plug.Settings.__struct_fields__) >= plug.SECRETS
    assert "liveperson" in plugs.desk_twins()


@pytest.mark.parametrize(
    "more",
    [
        {"account": ""},
        {"account": "1/2"},
        {"client_secret": " "},
        {"surprise": 1},
        {"api_key": "only"},
        {"campaign_id": "1"},
        {"skills": {"A": "seven"}},
        {"urgency": "NOW"},
        {"base_url": "localhost:1"},
        {"domain": "https://api.liveperson.net/path"},
        {"line_length": 10},
        {"alert_info": ["ccs"]},
        {"alert_info": ["pigeon"]},
        {**CCS, "ccs_namespace": "sde"},
        {**CCS, "ccs_namespace": "a-b"},
        {**CCS, "ccs_ttl": 10},
        {"alert_info": ["frame"]},
        {**FRAME, "frame_origins": ["https://x.example/path"]},
        {**FRAME, "frame_origins": ["https://x.example; script-src *"]},
        {**FRAME, "frame_origins": ["*"]},
    ],
)
def test_settings_that_are_refused(more) -> None:
    with pytest.raises(msgspec.ValidationError):
        settings(**more)


def test_settings_that_are_fine() -> None:
    for more in (KEY, CCS, FRAME, {"skills": {"all": "-1"}}, {"campaign_id": "1", "engagement_id": "2"}):
        settings(**more)


def test_who_may_frame_the_context_page() -> None:
    assert liveperson.framed(settings(**FRAME)) == tuple(FRAME["frame_origins"])
    assert liveperson.framed(settings(**{**FRAME, "alert_info": ["line"]})) == ()


def test_every_host_is_named() -> None:
    assert liveperson.hosts(settings()) == ("https://api.liveperson.net",)
    assert liveperson.hosts(settings(base_url="http://127.0.0.1:8090")) == ("http://127.0.0.1:8090",)


def test_a_library_verifies_our_signature() -> None:
    told = settings(**{**KEY, "api_secret": "s&%ä", "api_token_secret": "t +~"})
    url = "https://VA-a.acr.liveperson.net/api/account/1/configuration/le-users/skills?v=2.0&a=b%20c&select=id,name"
    header = authorization(told, "GET", url)
    parameters = signature.collect_parameters(uri_query=url.split("?")[1], headers={"Authorization": header})
    request = Signed(uri=url, http_method="GET", params=[pair for pair in parameters if pair[0] != "oauth_signature"])
    request.signature = unquote(re.search('oauth_signature="([^"]*)"', header)[1])
    assert signature.verify_hmac_sha1(request, told.api_secret, told.api_token_secret)
    assert not signature.verify_hmac_sha1(request, told.api_secret, "another")


# ── Lines ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_line_is_bounded_and_counts_what_it_leaves_out() -> None:
    info = msgspec.json.encode({f"Key {n}": "value " * 5 for n in range(40)})
    context = Context(alert=msgspec.structs.replace(ALERT, alert_info=msgspec.Raw(info)), words="x" * 900)
    told = line(context, info=True, longest=600)
    assert len(told) <= 600 and "\n" not in told
    shown = told.count("Key ")
    assert 0 < shown < 40
    assert told.endswith(f"| … {40 - shown} more]")
    assert "Key 0: value value" in told


def test_a_line_is_one_line_and_an_unknown_alert_has_none() -> None:
    info = msgspec.Raw(b'{"Note":"first\\nsecond\\u0000"}')
    told = line(Context(alert=msgspec.structs.replace(ALERT, alert_info=info), words="a\n\nb"), info=True, longest=600)
    assert "“a b”" in told and "first second" in told and "\n" not in told
    assert line(Context(), info=True, longest=600) == ""
    assert "Sky Miles" not in line(CONTEXT, info=False, longest=240)


@given(st.integers(100, 2000), st.dictionaries(st.text(max_size=200), st.text(max_size=200), max_size=30), st.text())
def test_a_line_is_never_longer_than_asked(longest, info, words) -> None:
    raw = msgspec.Raw(msgspec.json.encode(info))
    context = Context(alert=msgspec.structs.replace(ALERT, alert_info=raw), words=words, channel="sms")
    assert len(line(context, info=True, longest=longest)) <= longest


# ── Parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────

REFERENCE = "d1fa7f25-6d18-4b02-8f0e-57f3c7d8d8a1"


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=400), st.integers(1, 60))
def test_every_part_fits_into_a_request_and_nothing_is_lost(text, times) -> None:
    whole = text * times
    parts = wire.parts(REFERENCE, whole)
    assert all(len(wire.words(REFERENCE, part)) <= 5_000 for part in parts)
    assert "".join("".join(parts).split()) == "".join(whole.split())


def test_a_short_text_is_one_part_as_it_is() -> None:
    assert wire.parts(REFERENCE, "  Which gate?\n") == ("  Which gate?\n",)


def test_what_json_makes_longer_is_counted() -> None:
    parts = wire.parts(REFERENCE, '"\n' * 2_000)
    assert len(parts) == 2 and len(wire.words(REFERENCE, parts[0])) > 4_900


# ── Structured content ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "content",
    [None, 5, "", "{", "[]", [], {}, {"elements": 5}, {"elements": [None, 5]}, {"type": "button", "title": 5}],
)
def test_content_that_cannot_be_read_says_nothing(content) -> None:
    assert rich.text(content) == ""


def test_content_nested_without_end_ends() -> None:
    deep: dict[str, object] = {"type": "text", "text": "deep"}
    for _ in range(100):
        deep = {"type": "vertical", "elements": [deep]}
    assert rich.text(deep) == ""


@pytest.mark.parametrize(
    ("body", "token"),
    [
        (b'{"accessToken":"a.b.c"}', "a.b.c"),
        (b'{"access_token":"a.b.c"}', "a.b.c"),
        (b'"a.b.c"', "a.b.c"),
        (b"a.b.c\n", "a.b.c"),
        (b"<html>", ""),
        (b'{"token":5}', ""),
        (b'{"token":"a&b=c"}', ""),
        (b"\xff", ""),
    ],
)
def test_the_context_services_token_in_the_forms_that_it_may_have(body, token) -> None:
    assert _token(body) == token


# ── What is remembered ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_echo_settles_while_it_is_waited_for() -> None:
    memory = Memory()
    handing = memory.begin(("t", 1), "c", ("Hello",))
    waiting = asyncio.create_task(memory.settled(handing, soon(2)))
    await asyncio.sleep(0)
    memory.echoed("another", 0, "Hello")
    memory.echoed("c", 0, "Something else")
    await asyncio.sleep(0.01)
    assert not waiting.done()
    memory.echoed("c", 1, "Hello")
    assert await waiting is True
    assert (handing.taken, handing.last) == (1, 1)


async def test_an_echo_of_what_was_answered_settles_nothing() -> None:
    memory = Memory()
    first = memory.begin(("t", 1), "c", ("ok",))
    memory.answered(first, 7)
    second = memory.begin(("t", 2), "c", ("ok",))
    memory.echoed("c", 7, "ok")
    assert await memory.settled(second, soon(0.02)) is False


def test_a_consumers_open_conversation_is_known_until_it_is_closed() -> None:
    memory = Memory()
    memory.opened("p", "c")
    assert memory.open_of("p") == "c"
    memory.closed("c")
    assert memory.open_of("p") == "" and memory.is_closed("c")
    memory.opened("p", "c")  # an agent resumed it
    assert memory.open_of("p") == "c" and not memory.is_closed("c")


def test_memory_is_bounded() -> None:
    memory = Memory()
    for number in range(CONVERSATIONS + 10):
        memory.opened(f"p{number}", f"c{number}")
        memory.echoed(f"c{number}", 0, "x")
    assert memory.open_of("p0") == "" and memory.open_of(f"p{CONVERSATIONS + 9}")
    assert len(memory._echoes) == CONVERSATIONS


async def test_a_turn_in_another_conversation_begins_anew() -> None:
    memory = Memory()
    before = memory.begin(("t", 1), "c1", ("a", "b"))
    memory.answered(before, 0)
    assert memory.begin(("t", 1), "c1", ("other", "parts")) is before
    assert memory.begin(("t", 1), "c2", ("a", "b")).taken == 0
