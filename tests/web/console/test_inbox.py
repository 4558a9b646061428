"""The inbox without a browser: what its pages show, who may see it, and what its actions do."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from heliograph.core.channel import Carries
from heliograph.core.content import Named, Parameter
from heliograph.core.conversation import WISH, By, Closer, Conversation, Turn
from heliograph.core.ports import TurnOutcome
from heliograph.core.reason import words as reason_words
from heliograph.core.site import Canned
from heliograph.core.states import AttemptState
from heliograph.core.template import Template, Variable
from heliograph.core.user import Role
from heliograph.flow import users
from heliograph.web.console import inbox_view
from web.conftest import Caller, change_site
from web.console.conftest import PASSWORD, SITE, Browser
from web.console.desk import MATT, Phone, done, place, plain

At = Callable[[str], Awaitable[Browser]]
JSON = {"accept": "application/json"}
INFO = (
    b'{"Sky Miles":1234567890123456789012,"T-Shirt Size":"Large","none":null,"yes":true,"price":1.10,'
    b'"nested":{"a":[1,{"b":"<script>alert(1)</script>"}],"empty":{}},"twice":"first","twice":"second","phone":"+17703101414","digits":17703101414}'
)


@pytest.fixture
async def phone(people: Caller) -> Phone:
    await change_site(people, skills=("service", "sales"))
    return Phone(people)


async def post(browser: Browser, path: str, **fields: str) -> tuple[int, dict[str, Any]]:
    """As the page's script does it, with the token of the page that was loaded last."""
    page = browser.page
    said = await browser.post(path, fields, **JSON)
    browser.page = page
    return said.status, json.loads(said.body)


async def test_a_reply_stands_in_the_queue_and_opens_with_the_alert_and_all_its_context(
    phone: Phone, at: At, example_body: bytes
) -> None:
    body = example_body.replace(b'{"Sky Miles":1234567890,"T-Shirt Size":"Large"}', INFO)
    alert = (await phone.caller.alert(body)).headers["heliograph-alert"]
    there = await phone.says("Can I <b>rebook</b>?")
    bob = await at("bob")
    assert (await bob.get("/console/inbox")).status == 200
    assert "service 1 open, 1 unclaimed" in plain(bob.page) and "sales 0 open, 0 unclaimed" in plain(bob.page)
    assert "Can I &lt;b&gt;rebook&lt;/b&gt;?" in bob.page and f'href="{place(there)}"' in bob.page
    assert (await bob.get(place(there))).status == 200
    text = plain(bob.page)
    assert "Your flight to Kansas City leaves at 7:35 pm from gate C35." in text
    assert f'href="/console/alerts/{alert}"' in bob.page
    for words in (
        "Sky Miles 1234567890123456789012 ", "T-Shirt Size Large ", "none null ", "yes true ", "price 1.10 ",
        "nested 2 keys", "empty no keys", "twice first ", "twice again second ", "Customer id 123 ( VIP )",
        "External alert id 1265168451", "flightdelay , version 1", "City Kansas City",
    ):  # fmt: skip
        assert words in text, words
    assert "phone +1••••••1414 " in text and "digits 1••••••1414 " in text  # as in the record of an alert
    keys = ["Sky Miles", "T-Shirt Size", "none", "yes", "price", "nested", "twice"]
    assert [text.index(f"{key} ", text.index("What the brand sent")) for key in keys] == sorted(
        text.index(f"{key} ", text.index("What the brand sent")) for key in keys
    )
    assert "<script>alert" not in bob.page and MATT[2:] not in bob.page and "3101414" not in bob.page
    assert not re.search(r"<script(?![^>]* src=)|style=|onclick", bob.page)


@pytest.mark.parametrize("raw", [b'{"open": ', b'"just words"', b"[1, 2]", b"\xff\xfe"])
def test_info_that_is_no_object_is_shown_as_it_came(raw: bytes) -> None:
    from heliograph.web.console.inbox_info import nodes

    (node,) = nodes(raw)
    assert node.kind in ("raw", "text", "array")
    assert node.text and (node.kind != "raw" or node.text == raw.decode("utf-8", "replace").strip())


def test_info_of_any_depth_and_size_is_read() -> None:
    from heliograph.web.console.inbox_info import nodes

    assert nodes(b"") == nodes(b"null") == nodes(b"{}") == ()
    for deep in (b"[" * 60 + b"]" * 60, b"[" * 100_000 + b"]" * 100_000):
        assert nodes(b'{"deep":' + deep + b"}")
    (long,) = nodes(json.dumps({"k": "x" * 100_000}).encode())
    assert long.long and len(long.beginning) < 300 and len(long.text) == 100_000
    (half,) = nodes(b'{"k":"\\ud800"}')
    assert half.text.encode()


async def test_claim_is_the_firsts_and_the_second_is_told_how_it_stands(
    phone: Phone, at: At, example: dict[str, Any]
) -> None:
    await phone.gets(example)
    there = await phone.says("hello")
    await users.create(phone.caller.store, "eve", Role.AGENT, PASSWORD, clock=phone.caller.doors.means.clock, by="test")
    bob, eve = await at("bob"), await at("eve")
    for one in (bob, eve):
        await one.get(place(there))
    assert (await post(bob, place(there) + "/claim", expects=""))[0] == 200
    status, said = await post(eve, place(there) + "/claim", expects="")
    assert (status, said["code"], said["agent"]) == (409, "anothers", "bob")
    assert said["fault"] == "The conversation is bob's now." and "Take over from bob" in said["head"]
    # Her answer is refused too, and the words stay hers.
    status, said = await post(eve, place(there) + "/answer", text="me first", after="2")
    assert (status, said["code"]) == (409, "anothers")
    assert (await eve.post(place(there) + "/answer", {"text": "my long draft"})).status == 409
    assert "my long draft</textarea>" in eve.page and "bob&#39;s now" in eve.page
    # What she saw is out of date in every action.
    for act, more in (("release", {}), ("transfer", {"skill": "sales"}), ("close", {})):
        status, said = await post(eve, f"{place(there)}/{act}", expects="", **more)
        assert (status, said["code"], said["state"]) == (409, "anothers", "open"), act
    # Knowing whose it is, she may take it over; then it is bob whose page is out of date.
    assert (await post(eve, place(there) + "/claim", expects="bob"))[1]["agent"] == "eve"
    status, said = await post(bob, place(there) + "/release", expects="bob")
    assert (status, said["agent"]) == (409, "eve")
    turns = await phone.caller.store.turns(SITE, there.id)
    assert [turn.kind for turn in turns if turn.by is By.HELIOGRAPH].count("claimed") == 2
    assert not any(turn.by is By.AGENT for turn in turns)


async def test_an_answer_leaves_and_its_marks_move(phone: Phone, at: At, example: dict[str, Any]) -> None:
    await phone.gets(example)
    there = await phone.says("hello")
    bob = await at("bob")
    await bob.get(place(there))
    status, said = await post(bob, place(there) + "/answer", text="We call\r\nyou.", after=str(there.turns))
    assert (status, said["agent"]) == (200, "bob")
    assert "sending" in plain(said["turns"][-1]["html"]) and "bob" in plain(said["turns"][-1]["html"])
    turn = next(turn for turn in await phone.caller.store.turns(SITE, there.id) if turn.by is By.AGENT)
    assert turn.text == "We call\nyou."

    async def now(state: AttemptState) -> bool:
        turns = await phone.caller.store.turns(SITE, there.id, after=turn.number - 1, limit=1)
        return turns[0].state is state

    await done(phone.caller, lambda: now(AttemptState.SENT))
    assert phone.caller.line.sent[-1].id == turn.id
    await phone.shows(turn, AttemptState.READ)
    await bob.get(place(there))
    assert "✓✓ read" in plain(bob.page)


async def test_an_answer_that_did_not_arrive_or_is_in_doubt_says_why(
    phone: Phone, at: At, example: dict[str, Any]
) -> None:
    await phone.gets(example)
    there = await phone.says("hello")
    bob = await at("bob")
    await bob.get(place(there))
    for state, reason, words in (
        (AttemptState.IN_DOUBT, "no_answer", "? in doubt"),
        (AttemptState.FAILED, "unreachable", "✕ failed"),
    ):
        await post(bob, place(there) + "/answer", text=f"to be {state}", after="99")
        turn = (await phone.caller.store.turns(SITE, there.id, newest=True, limit=1))[0]
        now = phone.caller.doors.means.clock.now()
        outcome = TurnOutcome(site=SITE, conversation=there.id, number=turn.number, state=state, reason=reason)
        await phone.caller.store.turn_outcome(outcome, now)
        await bob.get(place(there))
        said = plain(bob.page.partition(f'id="t-{turn.number}"')[2].partition("</li>")[0])
        assert words in said and reason_words(reason) in said, said


async def test_an_answer_that_is_sent_again_after_a_lost_word_leaves_once(
    phone: Phone, at: At, example: dict[str, Any]
) -> None:
    await phone.gets(example)
    there = await phone.says("hello")
    bob = await at("bob")
    await bob.get(place(there))
    for _ in range(2):
        assert (await post(bob, place(there) + "/answer", text="once", after=str(there.turns)))[0] == 200
    turns = await phone.caller.store.turns(SITE, there.id)
    assert [turn.text for turn in turns if turn.by is By.AGENT] == ["once"]
    # Said again later it is another answer.
    assert (await post(bob, place(there) + "/answer", text="once", after=str(turns[-1].number)))[0] == 200
    turns = await phone.caller.store.turns(SITE, there.id)
    assert [turn.text for turn in turns if turn.by is By.AGENT] == ["once", "once"]


async def test_transfer_release_close(phone: Phone, at: At, example: dict[str, Any]) -> None:
    await phone.gets(example)
    there = await phone.says("hello")
    bob = await at("bob")
    await bob.get(place(there))
    await post(bob, place(there) + "/claim", expects="")
    assert (await post(bob, place(there) + "/release", expects="bob"))[1]["agent"] == ""
    assert (await post(bob, place(there) + "/transfer", expects="", skill=""))[1]["code"] == "no_skill"
    assert (await post(bob, place(there) + "/transfer", expects="", skill="sales"))[0] == 200
    now = await phone.caller.store.conversation(SITE, there.id)
    assert now is not None and (now.skill, now.agent) == ("sales", "")
    # A plain form, without a script: the page comes again.
    assert (await bob.get(place(there))).status == 200
    said = await bob.post(place(there) + "/close", {"expects": ""})
    assert (said.status, said.headers["location"]) == (303, place(there))
    await bob.get(place(there))
    assert "closed by agent" in plain(bob.page) and 'name="text"' not in bob.page
    assert (await post(bob, place(there) + "/answer", text="late"))[1]["code"] == "closed"
    await bob.get("/console/inbox?closed=1&skill=sales")
    assert there.id in bob.page
    await bob.get("/console/inbox")
    assert there.id not in bob.page


async def test_who_has_other_skills_or_sites_sees_nothing_of_it(phone: Phone, at: At, example: dict[str, Any]) -> None:
    await phone.gets(example)
    there = await phone.says("secret words")
    caller = phone.caller
    clock = caller.doors.means.clock
    for name, sites, skills in (("sam", (), ("sales",)), ("oto", ("999",), ())):
        await users.create(caller.store, name, Role.AGENT, PASSWORD, clock=clock, by="test", sites=sites, skills=skills)
    for name in ("sam", "oto"):
        one = await at(name)
        await one.get("/console/inbox")
        assert "secret words" not in one.page
        assert (await one.get(place(there))).status == 404 and "secret words" not in one.page
        await one.get("/console/inbox")
        assert (await one.post(place(there) + "/claim", {"expects": ""})).status == 404
        assert (await one.get(place(there) + "/turns")).status == 404
    vic = await at("vic")
    assert (await vic.get("/console/inbox")).status == 403
    assert (await vic.get("/console/live")).status == 403
    nobody = Browser(caller)
    assert (await nobody.get("/console/inbox")).status == 303


async def test_the_number_is_shown_on_a_click_that_is_written_down(
    phone: Phone, at: At, example: dict[str, Any]
) -> None:
    alert = await phone.gets(example)
    there = await phone.says("hello")
    bob = await at("bob")
    await bob.get(place(there))
    assert "770-310-1414" not in bob.page
    status, said = await post(bob, place(there) + "/number")
    assert (status, said["number"]) == (200, "+1 770-310-1414")
    line = (await phone.caller.store.audit_log(what="number.shown"))[0]
    assert (line.who, line.on, line.site) == ("bob", alert, SITE)


async def test_a_wish_to_opt_out_is_shown_and_written_down_on_a_click(
    phone: Phone, at: At, example: dict[str, Any]
) -> None:
    await phone.gets(example)
    there = await phone.says("please stop texting me")
    store = phone.caller.store
    bob = await at("bob")
    assert WISH in there.flags
    await bob.get(place(there))
    assert "may mean “write no more”" in bob.page
    assert (await post(bob, place(there) + "/opt-out"))[0] == 200
    rows = await store.opt_outs(site=SITE, recipient=MATT)
    assert [(row.scope, row.how, row.by) for row in rows] == [("all", "console", "bob")]
    line = (await store.audit_log(what="opt_out.added"))[0]
    assert line.who == "bob" and MATT not in line.on
    assert (await post(bob, place(there) + "/answer", text="sorry"))[1]["code"] == "opted_out"


async def test_canned_answers_are_filled_from_the_context(phone: Phone, at: At, example: dict[str, Any]) -> None:
    await change_site(
        phone.caller,
        canned=(
            Canned(title="Hello", text="Hello @FirstName, about @City: mail a@@b.example, @Unknown"),
            Canned(title="Hola", text="Hola @FirstName", language="es"),
            Canned(title="English", text="I am @Agent", language="en"),
        ),
    )
    await phone.gets(example)
    there = await phone.says("hello")
    bob = await at("bob")
    await bob.get(place(there))
    text = plain(bob.page)
    assert "Hello Matt, about Kansas City: mail a@b.example, @Unknown" in text
    assert "nothing is known for @Unknown" in text and "I am bob" in text and "Hola" not in text


async def test_earlier_alerts_and_conversations_can_be_read(phone: Phone, at: At, example: dict[str, Any]) -> None:
    first = await phone.gets(example)
    before = await phone.says("the first words")
    bob = await at("bob")
    await bob.get(place(before))
    await post(bob, place(before) + "/close", expects="")
    await phone.gets(example, externalAlertId="the second")
    there = await phone.says("the second words")
    assert there.id != before.id
    await bob.get(place(there))
    assert f"/console/alerts/{first}" in bob.page and f'data-turns="{place(before)}/turns"' in bob.page
    said = await bob.get(place(before) + "/turns")
    assert said.status == 200 and "the first words" in bob.page and "bob closed it" in plain(bob.page)


async def test_the_queue_goes_on_where_its_page_ended(phone: Phone, at: At) -> None:
    store = phone.caller.store
    for number in range(35):
        await Phone(phone.caller, f"+1770310{2000 + number}").says(f"words {number}")
    bob = await at("bob")
    await bob.get("/console/inbox")
    assert bob.page.count('class="conversation"') == 30
    more = re.search(r'href="([^"]*before=[^"]*)" rel="next"', bob.page)
    assert more is not None
    shown = set(re.findall(r'id="c-([^"]+)"', bob.page))
    await bob.get(more[1].replace("&amp;", "&"))
    rest = set(re.findall(r'id="c-([^"]+)"', bob.page))
    assert len(rest) == 5 and not rest & shown
    assert (await bob.get("/console/inbox?before=nonsense")).status == 200
    assert len(await store.conversations_of(SITE, "+17703102000", 5)) == 1
    said = await bob.get("/console/inbox?part=rows")
    assert set(re.findall(r'id="c-([^"]+)"', json.loads(said.body)["rows"])) == shown


async def test_a_skill_is_a_short_name_that_prints(phone: Phone, at: At, example: dict[str, Any]) -> None:
    await change_site(phone.caller, skills=())  # any word is a skill
    await phone.gets(example)
    there = await phone.says("hello")
    bob = await at("bob")
    await bob.get(place(there))
    for skill in ("x" * 201, "sa\0les", "\u202eselas"):
        status, said = await post(bob, place(there) + "/transfer", expects="", skill=skill)
        assert (status, said["code"]) == (409, "unknown_skill"), skill[:9]
    now = await phone.caller.store.conversation(SITE, there.id)
    assert now is not None and now.skill == there.skill
    assert (await post(bob, place(there) + "/transfer", expects="", skill="x" * 200))[0] == 200


async def test_the_record_of_an_alert_tells_nothing_of_conversations_of_other_skills(
    phone: Phone, at: At, example: dict[str, Any]
) -> None:
    alert = await phone.gets(example)
    there = await phone.says("hello")
    clock = phone.caller.doors.means.clock
    for name, skill in (("sal", "sales"), ("ser", there.skill)):
        await users.create(phone.caller.store, name, Role.AGENT, PASSWORD, clock=clock, by="test", skills=(skill,))
    for name, told in (("ser", True), ("sal", False)):
        one = await at(name)
        assert (await one.get(f"/console/alerts/{alert}")).status == 200
        assert ("The recipient answered" in one.page) is told, name
        assert (there.id in one.page) is told, name


async def test_a_closed_window_says_why_and_offers_the_templates_that_may_go(
    phone: Phone, at: At, example: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = phone.caller
    await phone.gets(example)
    plug = caller.doors.means.registry.sender(SITE, "acme").plug  # type: ignore[union-attr]
    monkeypatch.setattr(type(plug), "CARRIES", Carries(named=True, window=86_400))
    said = Named(name="rebooked", language="en_US", body=(Parameter(text="@City"),), shown="You fly to @City on @Day.")
    await caller.store.put_template(
        Template(
            site=SITE,
            name="rebooked",
            version="1",
            variables=(Variable(name="City"), Variable(name="Day")),
            languages={"en": {"rcs": said}},
        )
    )
    await caller.doors.means.registry.refresh(caller.store)
    yesterday = caller.doors.means.clock.now() - 25 * 3_600_000
    there = await phone.says("hello", at=yesterday)
    bob = await at("bob")
    await bob.get(place(there))
    text = plain(bob.page)
    assert "The recipient wrote more than 24 hours ago." in text and 'name="text"' not in bob.page
    assert 'name="var.City" value="Kansas City"' in bob.page and 'name="var.Day" value=""' in bob.page
    assert (await post(bob, place(there) + "/answer", text="free words"))[1]["code"] == "window_closed"
    fields = {"template": "rebooked", "var.City": "Rome"}
    status, told = await post(bob, place(there) + "/answer", **fields)
    assert (status, told["code"]) == (409, "missing_variables") and "@Day" in told["fault"]
    assert (await post(bob, place(there) + "/answer", **fields, **{"var.Day": "Monday"}))[0] == 200
    turns = await caller.store.turns(SITE, there.id)
    assert [(turn.kind, turn.text) for turn in turns if turn.by is By.AGENT] == [
        ("template", "You fly to Rome on Monday.")
    ]
    # A new word of the recipient opens the window again.
    await phone.says("here I am")
    await bob.get(place(there))
    assert 'name="text"' in bob.page and "free words end" in plain(bob.page)


def test_a_turn_of_ours_says_a_thing_once() -> None:
    told = inbox_view.happened
    made = Turn(conversation="c", site=SITE, number=1, at=0, by=By.HELIOGRAPH, kind="opted_out", text="all")
    assert told(made) == "The recipient wants no more messages"
    assert told(msgspec.structs.replace(made, text="wa")) == "The recipient wants no more messages: wa"


@pytest.mark.parametrize(
    ("closer", "words"), [(None, "closed"), (Closer.RECIPIENT, "closed: opted out"), (Closer.DESK, "closed by desk")]
)
def test_a_conversation_says_how_it_was_closed(closer: Closer | None, words: str) -> None:
    there = Conversation(
        id="c", site=SITE, recipient=MATT, skill="service", desk="console", opened=0, touched=0, closed_by=closer
    )
    assert inbox_view.closed_words(there) == words
