"""Any content and any callback: what our check lets pass, the twin takes; nothing that is signed breaks the reading."""

from __future__ import annotations

import json

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.channels import kit
from heliograph.channels.wa import whatsapp_cloud_twin_wire as twin
from heliograph.channels.wa import whatsapp_cloud_wire as wire
from heliograph.channels.wa.whatsapp_cloud_callback import Secrets, read
from heliograph.channels.wa.whatsapp_cloud_check import check
from heliograph.core.content import (
    Button,
    Card,
    CardBody,
    Content,
    Dial,
    File,
    Media,
    Named,
    OpenUrl,
    Parameter,
    Reply,
    ShareLocation,
    Text,
)
from heliograph.core.event import ProviderEvent
from heliograph.core.ports import Call
from heliograph.errors import CallRefused

words = st.text(max_size=30)
longer = words | st.sampled_from(["", "x" * 61, "x" * 1024, "x" * 1025, "x" * 4096, "x" * 4097])
media = st.builds(
    Media,
    url=st.sampled_from(["https://a.example/p.png", "https://a.example/f.mp4", "http://a.example/d", "ftp://x", ""]),
    description=longer,
) | st.builds(
    Media,
    upload=st.just("a" * 64),
    reference=st.sampled_from(["image/1", "video/2", "document/3", "audio/4", "sticker/5"]),
)
suggestion = st.one_of(
    st.builds(Reply, text=words, postback=longer),
    st.builds(OpenUrl, text=words, url=st.sampled_from(["https://a.example", "", "x" * 2001])),
    st.builds(ShareLocation, text=words),
    st.builds(Dial, text=words, phone=words),
)
rows = st.lists(suggestion, max_size=1).map(tuple) | st.lists(
    st.builds(Reply, text=words, postback=words), max_size=11
).map(tuple)
card = st.builds(CardBody, title=longer, description=longer, media=st.none() | media, suggestions=rows)
free = (
    st.builds(Text, text=longer, suggestions=rows)
    | st.builds(Card, card=card, suggestions=rows)
    | st.builds(File, media=media, suggestions=rows)
)
parameter = st.builds(Parameter, text=longer, name=st.sampled_from(["", "", "gate"]), media=st.none() | media)
named = st.builds(
    Named,
    name=st.sampled_from(["flight_delay", "Flight"]),
    language=st.sampled_from(["en_US", ""]),
    header=st.lists(parameter, max_size=2).map(tuple),
    body=st.lists(parameter, max_size=3).map(tuple),
    buttons=st.lists(
        st.builds(Button, index=st.integers(-1, 11), kind=st.sampled_from(["reply", "url", "copy_code"]), value=longer),
        max_size=3,
    ).map(tuple),
    free=st.none() | free,
)


@settings(max_examples=300, deadline=None)
@given(free | named, st.booleans())
def test_what_passes_the_check_is_a_message_at_metas(content: Content, window: bool) -> None:
    faults = check(content)
    body = wire.message(content, id="a-1", recipient="+12025550100", window=window)
    assert all(fault.endswith(".") for fault in faults)
    if not faults:
        message = twin.read(body)
        twin.check(message)
        assert message.biz_opaque_callback_data == "a-1"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
KEYS = (
    "id", "from", "from_user_id", "timestamp", "type", "status", "text", "button", "interactive", "image", "context",
    "location", "errors", "reaction", "contacts", "system", "recipient_id", "biz_opaque_callback_data", "value",
    "wa_id", "group_id",
)  # fmt: skip
WORDS = st.sampled_from(["text", "button", "interactive", "image", "location", "reaction", "sent", "failed", "stop"])
event = st.dictionaries(st.sampled_from(KEYS), WORDS | anything, max_size=6) | anything
value = st.fixed_dictionaries(
    {"metadata": st.just({"phone_number_id": "1"})},
    optional={
        "messages": st.lists(event, max_size=3) | anything,
        "statuses": st.lists(event, max_size=3),
        "user_preferences": st.lists(event, max_size=2),
        "contacts": st.lists(event, max_size=2),
        "errors": st.lists(event, max_size=2),
    },
)
change = st.fixed_dictionaries(
    {"value": value | anything, "field": st.sampled_from(["messages", "user_preferences", "account_alerts"]) | anything}
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.fixed_dictionaries({"id": st.text(max_size=5), "changes": st.lists(change | anything)}) | anything))
def test_nothing_that_is_signed_breaks_the_reading(entries: list[object]) -> None:
    """And what cannot be read stops no neighbour: the receipt beside it is heard."""
    good = {"id": "wamid.1", "status": "delivered", "timestamp": "1795402843", "biz_opaque_callback_data": "a-1"}
    beside = {"metadata": {"phone_number_id": "1"}, "statuses": [good]}
    last = {"id": "2", "changes": [{"value": beside, "field": "messages"}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [*entries, last]}).encode()
    headers = {"x-hub-signature-256": f"sha256={kit.hmac_hex('secret', body, 'sha256')}"}
    call = Call(method="POST", url="https://a.example/c", headers=headers, body=body)
    heard = read(call, Secrets("1", "secret", "word"))
    for one in heard.events:
        assert one.event
        assert msgspec.json.decode(msgspec.json.encode(one), type=ProviderEvent) == one
    assert heard.events[-1].event == "wamid.1:delivered"


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | anything.map(lambda told: json.dumps(told).encode()))
def test_a_body_that_is_not_metas_is_refused(body: bytes) -> None:
    headers = {"x-hub-signature-256": f"sha256={kit.hmac_hex('secret', body, 'sha256')}"}
    try:
        read(Call(method="POST", url="https://a.example/c", headers=headers, body=body), Secrets("1", "secret", "word"))
    except CallRefused as refused:
        assert refused.code == "not_a_callback"
    else:
        raise AssertionError("it was believed")
