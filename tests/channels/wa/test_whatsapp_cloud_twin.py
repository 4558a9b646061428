"""The adapter against the twin, over real HTTP: two files that know nothing of each other, written from Meta's pages.

Numbers that end in 0160 to 0179 misbehave on WhatsApp (sandbox/magic.py).
"""

from __future__ import annotations

import asyncio
from base64 import b64encode

import msgspec
import pytest

from channels.wa.far import NUMBER_ID, PHONE, Far
from heliograph.core.content import (
    Button,
    Card,
    CardBody,
    File,
    Media,
    Named,
    OpenUrl,
    Parameter,
    Reply,
    ShareLocation,
    Text,
)
from heliograph.core.event import Inbound, OptOutHeard, Receipt
from heliograph.errors import Fate, SendError

DELAY = Named(
    name="flight_delay",
    language="en_US",
    body=(Parameter(text="Matt"), Parameter(text="7:35 pm")),
    buttons=(Button(index=0, kind="reply", value="rebook/DL12"),),
)
DECLARED = {
    "name": "flight_delay",
    "language": "en_US",
    "category": "UTILITY",
    "components": [
        {"type": "BODY", "text": "Hi {{1}}, your flight leaves at {{2}}."},
        {"type": "FOOTER", "text": "Acme Air"},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Rebook"}]},
    ],
}


def states(far: Far) -> list[str]:
    return [event.state.value for event in far.heard if isinstance(event, Receipt)]


async def test_a_template_reaches_the_phone_and_its_statuses_find_the_attempt(far):
    await far.declare(**DECLARED)
    taken = await far.send(DELAY)
    heard = await far.wait(3)
    assert [(one.state, one.attempt, one.reference) for one in heard] == [
        (state, "a-1", taken.references[0]) for state in ("sent", "delivered", "read")
    ]
    assert {one.sender_of_event for one in heard} == {PHONE}
    assert len({one.event for one in heard}) == 3
    (bubble,) = await far.shown()
    assert bubble["content"]["text"] == "Hi Matt, your flight leaves at 7:35 pm."
    assert (bubble["footer"], bubble["ours"], bubble["channel"]) == ("Acme Air", "a-1", "wa")


async def test_a_templates_button_comes_back_with_its_payload_and_its_message(far):
    await far.declare(**DECLARED)
    taken = await far.send(DELAY)
    await far.wait(3)
    await far.own("POST", f"handsets/{PHONE}/tap", {"message": taken.references[0], "suggestion": "-:0"})
    tap = (await far.wait(4))[3]
    assert isinstance(tap, Inbound)
    assert (tap.kind, tap.text, tap.postback, tap.in_reply_to, tap.recipient) == (
        "tap",
        "Rebook",
        "rebook/DL12",
        taken.references[0],
        PHONE,
    )


async def test_named_values_and_a_picture_in_the_header(far):
    await far.declare(
        name="gate",
        language="en",
        parameter_format="NAMED",
        components=[
            {"type": "HEADER", "format": "IMAGE"},
            {"type": "BODY", "text": "{{first_name}}, gate {{gate}}"},
            {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Map", "url": "https://acme.example/m/{{1}}"}]},
        ],
    )
    uploaded = await far.provider.upload(
        Media(upload="a" * 64),
        b"PNG bytes",
        "image/png",
        far.sandbox.world.now(),
        far.sandbox.world.clock.loop_time() + 5,
    )
    await far.send(
        Named(
            name="gate",
            language="en",
            header=(Parameter(media=Media(upload="a" * 64, reference=uploaded.reference)),),
            body=(Parameter(name="gate", text="C35"), Parameter(name="first_name", text="Matt")),
            buttons=(Button(index=0, kind="url", value="C 35"),),
        )
    )
    (bubble,) = await far.shown()
    card = bubble["content"]["card"]
    assert card["description"] == "Matt, gate C35"
    assert bubble["content"]["suggestions"][0]["url"] == "https://acme.example/m/C%2035"
    async with far.http.get(far.sandbox.url + card["media"]["url"]) as answer:
        assert (await answer.read(), answer.content_type) == (b"PNG bytes", "image/png")


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"name": "flight_gone"}, "template_unknown", "does not exist in en_US"),
        ({"language": "de"}, "template_unknown", "does not exist in de"),
        ({"body": (Parameter(text="Matt"),)}, "template_parameters", "expected number of params (2)"),
        ({"header": (Parameter(text="x"),)}, "template_parameters", "header: number of localizable_params (1)"),
        ({"body": (Parameter(text="a\nb"), Parameter(text="c"))}, "template_parameters", "new-line"),
        ({"buttons": (Button(index=0, kind="url", value="x"),)}, "template_parameters", "sub_type url"),
    ],
)
async def test_a_template_that_does_not_fit_is_refused_at_once(far, change, code, words):
    await far.declare(**DECLARED)
    with pytest.raises(SendError) as caught:
        await far.send(msgspec.structs.replace(DELAY, **change))
    assert (caught.value.code, caught.value.fate) == (code, Fate.PERMANENT)
    assert words in caught.value.sentence
    assert await far.shown() == []


@pytest.mark.parametrize(("status", "code"), [("PAUSED", "template_paused"), ("DISABLED", "template_paused"),
                                              ("REJECTED", "template_unknown")])  # fmt: skip
async def test_a_template_that_is_not_approved(far, status, code):
    await far.declare(**DECLARED, status=status)
    with pytest.raises(SendError) as caught:
        await far.send(DELAY)
    assert caught.value.code == code


async def test_an_account_that_declared_nothing_knows_every_template(far):
    await far.send(DELAY)
    (bubble,) = await far.shown()
    assert bubble["content"]["text"] == "[flight_delay] Matt, 7:35 pm"


async def test_templates_are_listed_and_deleted(far):
    address = f"{far.credentials['waba_id']}/message_templates"
    status, made = await far.declare(**DECLARED)
    assert (status, made["status"], made["category"]) == (200, "APPROVED", "UTILITY")
    assert (await far.declare(**DECLARED))[0] == 400
    (_, told) = await far.graph("GET", address, name="flight_delay")
    assert [one["language"] for one in told["data"]] == ["en_US"]
    assert await far.graph("DELETE", address, name="flight_delay") == (200, {"success": True})
    assert (await far.graph("GET", address))[1]["data"] == []
    assert (await far.graph("GET", "1999/message_templates"))[1]["error"]["error_subcode"] == 33


async def test_free_form_needs_an_open_window(far):
    """The adapter knows of the window what it is told; what the twin says is the truth, and comes as a status."""
    await far.send(Text(text="hello"), window=True)
    (failed,) = await far.wait(1)
    assert (failed.state, failed.reason, failed.attempt) == ("failed", "outside_window", "a-1")
    assert await far.shown() == []
    await far.say()
    await far.send(Text(text="hello"), window=True, id="a-2")
    await far.wait(5)
    assert states(far) == ["failed", "sent", "delivered", "read"]


async def test_outside_the_window_nothing_is_sent(far):
    with pytest.raises(SendError) as caught:
        await far.send(Text(text="hello"))
    assert (caught.value.code, caught.value.fate) == ("outside_window", Fate.NEXT_CHANNEL)
    assert (await far.own("GET", "counts"))["totals"]["creates"] == 0


async def test_the_free_form_of_a_template_goes_while_the_window_is_open(far):
    both = msgspec.structs.replace(DELAY, free=Text(text="7:35 pm it is", suggestions=(Reply(text="Thanks"),)))
    await far.send(both)
    assert (await far.shown())[-1]["content"]["text"] == "[flight_delay] Matt, 7:35 pm"
    await far.say()
    await far.send(both, window=True, id="a-2")
    assert (await far.shown())[-1]["content"]["text"] == "7:35 pm it is"


@pytest.mark.parametrize("many", [2, 4])
async def test_replies_are_tapped(far, many):
    """Buttons, and a list."""
    await far.say()
    replies = tuple(Reply(text=f"Flight {number}", postback=f"f{number}") for number in range(many))
    taken = await far.send(Text(text="Which one?", suggestions=replies), window=True)
    bubble = (await far.shown())[-1]
    assert [one["text"] for one in bubble["content"]["suggestions"]] == [one.text for one in replies]
    assert bubble["menu"] == ("" if many == 2 else "Options")
    await far.wait(4)
    await far.own("POST", f"handsets/{PHONE}/tap", {"message": taken.references[0], "suggestion": "-:1"})
    tap = (await far.wait(5))[-1]
    assert (tap.kind, tap.text, tap.postback, tap.in_reply_to) == ("tap", "Flight 1", "f1", taken.references[0])


@pytest.mark.parametrize(
    "content",
    [
        Text(text="Rebook", suggestions=(OpenUrl(text="Rebook", url="https://acme.example/r"),)),
        Text(text="Where are you?", suggestions=(ShareLocation(text="Send"),)),
        Card(card=CardBody(title="Late", description="Gate C35", media=Media(url="https://acme.example/p.png"))),
        Card(
            card=CardBody(title="Late", description="Gate C35", media=Media(url="https://acme.example/p.png")),
            suggestions=(Reply(text="Thanks"),),
        ),
        Card(card=CardBody(title="Late", description="Gate C35", suggestions=(Reply(text="Thanks"),))),
        File(media=Media(url="https://acme.example/pass.pdf")),
        File(media=Media(url="https://acme.example/f.mp4")),
    ],
)
async def test_every_form_is_taken_and_shown(far, content):
    await far.say()
    await far.send(content, window=True)
    assert (await far.shown())[-1]["content"] is not None
    await far.wait(4)
    assert states(far) == ["sent", "delivered", "read"]


@pytest.mark.parametrize(
    ("ending", "reason"),
    [("60", "cannot_reach"), ("76", "cannot_reach"), ("78", "opted_out")],
)
async def test_what_is_told_later_comes_by_webhook(far, ending, reason):
    await far.send(DELAY, number=f"+120255501{ending}")
    (failed,) = await far.wait(1)
    assert (failed.state, failed.reason, failed.attempt) == ("failed", reason, "a-1")


@pytest.mark.parametrize(
    ("ending", "code", "fate"),
    [
        ("62", "throttled", Fate.RETRY),
        ("64", "provider_fault", Fate.RETRY),
        ("66", "credentials_refused", Fate.CONFIG),
        ("67", "invalid_message", Fate.PERMANENT),
        ("69", "no_answer", Fate.UNKNOWN),
        ("75", "no_answer", Fate.UNKNOWN),
    ],
)
async def test_misbehaviour_has_its_fate(far, ending, code, fate):
    with pytest.raises(SendError) as caught:
        await far.send(DELAY, number=f"+120255501{ending}")
    assert caught.value.fate is fate
    assert caught.value.code == code or (fate is Fate.UNKNOWN and caught.value.code == "answer_broken")


async def test_an_answer_that_was_lost_is_settled_by_its_receipts(far):
    """Taken, and the connection closed: in doubt, until the statuses come with our attempt's id."""
    with pytest.raises(SendError) as caught:
        await far.send(DELAY, number="+12025550169")
    assert caught.value.fate is Fate.UNKNOWN
    await far.wait(2)
    assert {event.attempt for event in far.heard} == {"a-1"}
    assert "sent" in states(far)


async def test_a_phone_that_is_offline_gets_it_later(far):
    await far.own("POST", f"handsets/{PHONE}", {"online": False})
    await far.send(DELAY)
    await far.wait(1)
    assert states(far) == ["sent"]
    await far.own("POST", f"handsets/{PHONE}", {"online": True})
    await far.wait(3)
    assert states(far) == ["sent", "delivered", "read"]


async def test_a_templates_life_ends_and_nobody_is_told(far):
    """Meta drops it without a word: only `delivered` does not come."""
    await far.declare(**DECLARED, message_send_ttl_seconds=1)
    await far.own("POST", f"handsets/{PHONE}", {"online": False})
    await far.send(DELAY)
    async with asyncio.timeout(5):
        while "expired" not in [line["kind"] for line in (await far.own("GET", "log"))["entries"]]:
            await asyncio.sleep(0.05)
    await far.own("POST", f"handsets/{PHONE}", {"online": True})
    assert await far.shown() == []
    assert states(far) == ["sent"]


async def test_the_pair_rate_holds_one_recipient(far):
    await far.own("POST", "behaviour", {"do": "throttle", "code": "131056", "times": 1, "status": 400})
    with pytest.raises(SendError) as caught:
        await far.send(DELAY)
    assert (caught.value.code, caught.value.retry_after) == ("throttled", 6.0)
    await far.send(DELAY, number="+12025550101")
    with pytest.raises(SendError):
        await far.send(DELAY)


async def test_a_receipt_told_twice_is_one_event(far):
    await far.send(DELAY, number="+12025550172")
    heard = await far.wait(6)
    assert len({event.event for event in heard}) == 3


async def test_what_a_person_says_quotes_shares_and_sends(far):
    taken = await far.send(DELAY)
    await far.wait(3)
    await far.own("POST", f"handsets/{PHONE}/say", {"text": "Où / là ? 👍", "in_reply_to": taken.references[0]})
    await far.own("POST", f"handsets/{PHONE}/location", {"latitude": 39.0997, "longitude": -94.5786})
    await far.own(
        "POST",
        f"handsets/{PHONE}/file",
        {"url": "https://phone.example/b.jpg", "content_type": "image/jpeg", "name": "My bag"},
    )
    said, place, file = (await far.wait(6))[3:]
    assert (said.kind, said.text, said.in_reply_to) == ("text", "Où / là ? 👍", taken.references[0])
    assert (place.kind, place.text) == ("location", "39.099700, -94.578600")
    assert (file.kind, file.text) == ("file", "My bag")
    assert {one.recipient for one in (said, place, file)} == {PHONE}


async def test_marketing_is_stopped_and_resumed(far):
    for action, wanted in (("unsubscribe", False), ("subscribe", True)):
        await far.own("POST", f"handsets/{PHONE}/{action}", {"sender": NUMBER_ID})
        told = (await far.wait(2 - (not wanted)))[-1]
        assert isinstance(told, OptOutHeard)
        assert (told.recipient, told.wanted) == (PHONE, wanted)
    await far.own("POST", f"handsets/{PHONE}/unsubscribe", {"sender": NUMBER_ID})
    await far.wait(3)
    await far.declare(**{**DECLARED, "category": "MARKETING"})
    await far.send(DELAY)
    assert (await far.wait(4))[-1].reason == "opted_out"
    address = f"{far.credentials['waba_id']}/message_templates"
    await far.graph("DELETE", address, name="flight_delay")
    await far.declare(**DECLARED)
    await far.send(DELAY, id="a-2")
    await far.wait(7)
    assert states(far)[-1] == "read"


async def test_a_forged_callback_is_refused_and_the_real_one_comes_again(far):
    async with far.http.post(
        far.sandbox.world.senders[("whatsapp-cloud", NUMBER_ID)].webhook,
        data=b'{"object":"whatsapp_business_account"}',
        headers={"x-hub-signature-256": "sha256=00"},
    ) as answer:
        assert answer.status == 401
    assert far.refused == ["bad_signature"]


@pytest.mark.parametrize("path", ["messages", "media", "1/messages"])
async def test_a_wrong_token_is_190(far, path):
    status, told = await far.graph("POST", f"{NUMBER_ID}/{path}", {}, token="EAAwrong")
    assert (status, told["error"]["code"]) == (401, 190)


async def test_another_number_is_no_object_of_ours(far):
    status, told = await far.graph("POST", "100000000000001/messages", {})
    assert (status, told["error"]["code"], told["error"]["error_subcode"]) == (400, 100, 33)


TO = {"messaging_product": "whatsapp", "to": PHONE}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 100),
        ({"messaging_product": "whatsapp", "type": "text", "text": {"body": "x"}}, 131008),
        ({**TO, "to": "12", "text": {"body": "x"}}, 131009),
        ({**TO, "to": "+12025550111", "text": {"body": "x"}}, 131021),
        ({**TO, "type": "text"}, 131008),
        ({**TO, "type": "text", "text": {"body": ""}}, 131009),
        ({**TO, "type": "text", "text": {"body": "x" * 4097}}, 131009),
        ({**TO, "type": "text", "text": {"body": "x", "size": 1}}, 100),
        ({**TO, "type": "gif"}, 100),
        ({**TO, "type": "image", "image": {"id": "1", "link": "https://a.example/x.png"}}, 131009),
        ({**TO, "type": "image", "image": {"id": "nobody"}}, 100),
        ({**TO, "type": "interactive", "interactive": {"type": "button", "body": {"text": "x"}, "action": {}}}, 131009),
        ({**TO, "type": "text", "text": {"body": "x"}, "biz_opaque_callback_data": "x" * 513}, 131009),
    ],
)
async def test_what_is_not_a_message_is_refused_in_metas_words(far, body, code):
    status, told = await far.graph("POST", f"{NUMBER_ID}/messages", body)
    assert (status, told["error"]["code"]) == (400, code), told
    assert told["error"]["type"] == "OAuthException"
    assert told["error"]["fbtrace_id"]


def soon() -> float:
    return asyncio.get_running_loop().time() + 5


async def test_what_the_person_wrote_is_read_up_to_a_message(far):
    for words in ("Late?", "How late?", "Hello?"):
        await far.say(words)
    assert [one["state"] for one in await far.shown()] == ["sent", "sent", "sent"]
    assert await far.provider.seen(PHONE, far.heard[1].event, soon())
    assert [one["state"] for one in await far.shown()] == ["read", "read", "sent"]
    assert (await far.own("GET", f"handsets/{PHONE}"))["written_by"] == []


async def test_who_writes_is_shown_until_the_message_is_there(far):
    await far.say()
    assert await far.provider.typing(PHONE, far.heard[0].event, soon())
    assert (await far.own("GET", f"handsets/{PHONE}"))["written_by"] == [f"whatsapp-cloud/{NUMBER_ID}"]
    assert [one["state"] for one in await far.shown()] == ["read"], "WhatsApp shows both or none"
    await far.send(Text(text="Two hours."), window=True)
    await far.wait(2)
    assert (await far.own("GET", f"handsets/{PHONE}"))["written_by"] == []


async def test_a_message_that_nobody_wrote_cannot_be_read(far):
    with pytest.raises(SendError) as caught:
        await far.provider.seen(PHONE, "wamid.1", soon())
    assert caught.value.code == "invalid_message"
    await far.own("POST", "behaviour", {"do": "error", "match": {"call": "event"}})
    await far.say()
    with pytest.raises(SendError):
        await far.provider.typing(PHONE, far.heard[0].event, soon())
    assert [one["state"] for one in await far.shown()] == ["sent"]


@pytest.mark.parametrize("kind", ["image/png", "application/pdf", "audio/ogg"])
async def test_a_file_of_the_persons_is_fetched_with_the_token_alone(far, kind):
    data = bytes(range(256)) * 5000  # more than the way out reads of an answer as a rule
    sent = {"data": b64encode(data).decode(), "content_type": kind, "name": "x", "sender": NUMBER_ID}
    await far.own("POST", f"handsets/{PHONE}/file", sent)
    (said,) = await far.wait(1)
    (attached,) = said.attached
    assert (said.kind, attached.content_type, attached.url) == ("file", kind, "")
    assert (said.text, attached.name) == (("x", "") if kind == "image/png" else ("", "x" if "pdf" in kind else ""))
    fetched = await far.provider.fetch(attached, soon())
    assert (fetched.content_type, fetched.data) == (kind, data)
    status, told = await far.graph("GET", attached.reference)
    assert (status, told["mime_type"]) == (200, kind)
    async with far.http.get(told["url"]) as answer:
        assert answer.status == 401
    with pytest.raises(SendError) as caught:
        await far.provider.fetch(msgspec.structs.replace(attached, reference="nothing"), soon())
    assert caught.value.code == "file_gone"


async def test_a_place_comes_with_its_name(far):
    place = {"latitude": 39.2976, "longitude": -94.7139, "label": "Gate C35", "sender": NUMBER_ID}
    await far.own("POST", f"handsets/{PHONE}/location", place)
    (said,) = await far.wait(1)
    assert (said.kind, said.text) == ("location", "Gate C35, 39.297600, -94.713900")
    assert (said.place.latitude, said.place.longitude, said.place.label) == (39.2976, -94.7139, "Gate C35")


async def test_the_number_says_who_it_is(far):
    status, told = await far.graph("GET", NUMBER_ID)
    assert (status, told["id"], told["verified_name"]) == (200, NUMBER_ID, "Acme Air")
