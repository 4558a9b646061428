"""The console's pages: what they show, to whom, and what they make of words from outside."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Awaitable, Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from heliograph.core import phone
from heliograph.core.content import (
    Card,
    CardBody,
    Carousel,
    Content,
    File,
    Media,
    Named,
    OpenUrl,
    Parameter,
    Reply,
    Text,
)
from heliograph.core.optout import OptOut
from heliograph.core.user import Role
from heliograph.web.console import render, rows, story
from heliograph.web.console.gate import enter
from heliograph.web.route import Auth, Listener, Route
from heliograph.web.routes import ROUTES, standing
from web.console.conftest import OTHER, SITE, Browser
from web.console.desk import Phone

At = Callable[[str], Awaitable[Browser]]
NUMBER = "+17703101414"
NASTY = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "\u202egnp.exe\u2066\u2067\u200f",
    "</textarea></title><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "a" * 10_000,
    "😀 \u0000 &lt;b&gt; &amp;",
)


class Parsed(HTMLParser):
    """Elements and attributes of a page; whatever is no part of our templates shows itself here."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def harmless(page: str) -> Parsed:
    """The page parsed, once nothing in it runs, styles or leads to a script."""
    found = Parsed(page)
    for tag, attributes in found.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
        assert tag not in ("iframe", "object", "embed", "base", "style"), tag
        if tag == "script":
            assert (attributes["src"] or "").startswith("/console/static/")
        for name in ("href", "src", "action"):
            assert not (attributes.get(name) or "").strip().lower().startswith(("javascript:", "data:", "//")), (
                attributes
            )
    return found


def drawn(content: Content) -> str:
    """A message as a page draws it."""
    template = render._environment.from_string('{% from "message.html" import message %}{{ message(content, site) }}')
    return template.render(content=content, site=SITE)


async def alert_with(browser: Browser, **fields: Any) -> str:
    """The id of an alert that was sent with these fields."""
    body = {
        "siteId": SITE, "skill": "service", "customerCountryCode": "1", "customerPhoneNumber": "7703101414",
        "proactiveLanguage": "english", "proactiveTemplate": "flightdelay",
        "proactiveVariables": {"@Time": "7:35 pm", "@City": "Kansas City", "@Gate": "C35"}, **fields,
    }  # fmt: skip
    said = await browser.caller.alert(body)
    assert said.status == 200, said
    return said.headers["heliograph-alert"]


# ── every row ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_row_of_the_console_is_without_a_role() -> None:
    # The framed page asks for a log-in of its own (framed.py).
    open_ones = {"/console/login", "/console/static/{digest}/{name}", "/console/context/{site}"}
    for route in ROUTES:
        if route.path.startswith("/console") and route.path not in open_ones:
            assert route.auth is Auth.SESSION and route.role is not None, route.path
            # What the row says is what its gate asks for.
            assert (route.function.func, route.function.args[1]) == (enter, route.role), route.path  # type: ignore[attr-defined]
        else:
            assert route.auth is not Auth.SESSION
    with pytest.raises(ValueError, match="least role"):
        Route("GET", "/console/x", rows.start.page, Auth.SESSION, Listener.PUBLIC, "x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="least role"):
        Route("GET", "/x", rows.files.answer, Auth.OPEN, Listener.PUBLIC, "x", role=Role.ADMIN)


def test_without_a_console_none_of_it_stands() -> None:
    assert not [one.path for one in standing(console=False, desks={"console"}) if "/console" in one.path]
    with_it = {one.path for one in standing(console=True, desks=set())}
    assert "/console/alerts" in with_it and "/console/inbox" not in with_it


def filled(path: str) -> str:
    return re.sub(r"\{\w+\}", "01a2135c-f957-7a1d-a96a-2de47cfe8000", path)


async def test_no_page_is_for_strangers_and_none_below_its_role(browser: Callable[[], Browser], at: At) -> None:
    stranger = browser()
    people = {Role.ADMIN: await at("ann"), Role.AGENT: await at("bob"), Role.AUTHOR: await at("joe"),
              Role.VIEWER: await at("vic")}  # fmt: skip
    for route in ROUTES:
        if route.auth is not Auth.SESSION or "logout" in route.path or route.path == "/console/live":
            continue
        assert route.role is not None
        if route.method == "GET":
            assert (await stranger.get(filled(route.path))).headers["location"].startswith("/console/login"), route.path
        else:
            assert (await stranger.post(filled(route.path), {})).status == 401, route.path
        for role, person in people.items():
            await person.get("/console/account")
            said = await (
                person.get(filled(route.path)) if route.method == "GET" else person.post(filled(route.path), {})
            )
            refused = said.status == 403 and f"This page is for the role {route.role.value}" in person.page
            assert refused is not role.may(route.role), (route.method, route.path, role)


async def test_the_rail_names_what_one_may_open(at: At) -> None:
    async def rail(name: str) -> set[str]:
        made = await at(name)
        await made.get("/console/account")
        return set(re.findall(r'<li><a href="(/console[^"]*)"', made.page)) - {"/console/inbox"}

    everybody = {"/console", "/console/alerts", "/console/opt-outs"}
    assert await rail("ann") == everybody | {"/console/users", "/console/audit"}
    assert await rail("bob") == await rail("vic") == await rail("amy") == everybody


async def test_static_files_are_kept_for_ever_under_their_digest(at: At) -> None:
    ann = await at("ann")
    await ann.get("/console/account")
    places = set(re.findall(r'(?:src|href)="(/console/static/[^"]+)"', ann.page))
    assert len(places) >= 4
    for place in places:
        said = await ann.get(place)
        assert said.status == 200 and said.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert (await ann.get(place, if_none_match=said.headers["etag"])).status == 304
        old = re.sub(r"static/\w+", "static/0000", place)
        assert (await ann.get(old)).headers["cache-control"] == "no-cache"
    for wrong in ("../rows.py", "..%2frows.py", "rows.py", "", "style.css%00"):
        assert (await ann.get(f"/console/static/x/{wrong}")).status in (404, 303)


async def test_errors_of_the_console_are_pages(browser: Callable[[], Browser]) -> None:
    made = browser()
    for method, path, status in (("GET", "/console/nowhere", 404), ("DELETE", "/console/alerts", 405)):
        said = await made._call(method, path, b"", {})
        assert said.status == status and said.headers["content-type"].startswith("text/html")
        harmless(made.page)


# ── whose site it is ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_nothing_of_another_site_is_on_any_page(at: At) -> None:
    ann, zoe, amy = await at("ann"), await at("zoe"), await at("amy")
    alert = await alert_with(ann, externalAlertId="secret-of-one", firstName="Hiddenname")
    await ann.store.put_opt_outs((OptOut(site=SITE, recipient=NUMBER, at=1, how="api", by="hidden-key"),))
    for path in (
        "/console", "/console/alerts", f"/console/alerts?site={SITE}", "/console/alerts?external=secret-of-one",
        "/console/alerts?recipient=%2B17703101414", f"/console/alerts/{alert}", "/console/opt-outs",
        f"/console/opt-outs?site={SITE}", "/console/opt-outs?recipient=%2B17703101414", "/console/users",
        "/console/audit",
    ):  # fmt: skip
        await zoe.get(path)
        for word in (alert, "Hiddenname", "hidden-key", f"{SITE}<", f'"{SITE}"'):
            assert word not in zoe.page, (path, word)
    assert (await zoe.get(f"/console/alerts/{alert}")).status == 404
    assert (await zoe.get(f"/console/media/{SITE}/{'0' * 64}")).status == 404
    assert (await amy.get(f"/console/alerts/{alert}")).status == 200
    assert (await amy.get("/console/audit")).status == (await amy.get("/console/users")).status == 403
    await amy.get("/console/opt-outs")
    fields = {"site": OTHER, "recipient": "+12025550100", "scope": "all"}
    assert (await amy.post("/console/opt-outs", fields)).status == 400
    assert await ann.store.opt_outs(site=OTHER) == []


async def test_who_sees_two_sites_has_both_in_one_order(at: At, people: Any) -> None:
    from heliograph.clock import SystemClock
    from heliograph.flow import users

    await users.create(
        people.store, "two", Role.VIEWER, "correct horse battery", clock=SystemClock(), by="t", sites=(OTHER, SITE)
    )
    two = await at("two")
    alert = await alert_with(two)
    await two.get("/console/alerts")
    assert alert in two.page
    await people.store.put_opt_outs(
        tuple(OptOut(site=site, recipient=f"+1202555{n:04}", at=1) for site in (SITE, OTHER) for n in range(40))
    )
    seen: list[str] = []
    path: str | None = "/console/opt-outs"
    while path:
        await two.get(path)
        seen += re.findall(r'data-label="Site">(\d+)<', two.page)
        more = re.search(r'href="(/console/opt-outs\?[^"]*after=[^"]*)"', two.page)
        path = more[1].replace("&amp;", "&") if more else None
    assert seen == [SITE] * 40 + [OTHER] * 40


# ── words from outside ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("nasty", NASTY, ids=range(len(NASTY)))
async def test_nothing_that_a_caller_sends_becomes_markup(at: At, nasty: str) -> None:
    ann = await at("ann")
    text = nasty.replace("\u0000", "")
    alert = await alert_with(
        ann,
        externalAlertId=text[:200], externalCustomerId=text[:200], externalCustomerIdDescriptor=text[:200],
        firstName=text[:200], lastName=text[:200], alertInfo={text[:500]: text, "list": [text], "n": 1},
        proactiveVariables={"@Time": text[:1000], "@City": text[:1000], "@Gate": text[:100]},
    )  # fmt: skip
    for path in ("/console", "/console/alerts", f"/console/alerts/{alert}"):
        said = await ann.get(path)
        assert said.status == 200, ann.caller.lines.getvalue().decode()[-2000:]
        found = harmless(ann.page)
    whole = "".join(found.words)
    assert text in whole  # the value is there, whole, as text


@given(st.text(max_size=200) | st.sampled_from(NASTY), st.text(max_size=40) | st.sampled_from(NASTY))
@example(NASTY[0], NASTY[1])
@example(NASTY[1], NASTY[0])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_message_of_any_words_stays_words(words: str, more: str) -> None:
    media = Media(url=f"https://a.example/{more}", description=words)
    suggestions = (Reply(text=words), OpenUrl(text=words, url=more))
    for content in (
        Text(text=words, suggestions=suggestions),
        Card(card=CardBody(title=words, description=more, media=media, suggestions=suggestions)),
        Carousel(cards=(CardBody(title=words), CardBody(description=words, media=media))),
        File(media=media),
        Named(name=words, shown=more, header=(Parameter(media=media),)),
    ):
        page = drawn(content)
        harmless(page)
        told = "".join(Parsed(page).words)
        if "\r" not in words and "\0" not in words:
            assert words in told or (content.__class__ is Named and (more or words) in told)


def test_a_picture_of_elsewhere_is_not_fetched_and_leads_to_no_script() -> None:
    for url in ("https://cdn.example/a.png", "javascript:alert(1)", "data:text/html,x"):
        page = drawn(File(media=Media(url=url)))
        assert "<img" not in page
        harmless(page)


def test_what_a_caller_passed_along_keeps_its_order_and_its_digits() -> None:
    raw = b'{"z": 12345678901234567890.10, "a": "x\\u00e9", "n": null, "o": {"k": [1.50]}}'
    assert story.pairs(raw) == [
        ("z", "12345678901234567890.10"), ("a", "xé"), ("n", "null"), ("o", '{\n  "k": [\n    1.50\n  ]\n}'),
    ]  # fmt: skip
    assert story.pairs(b"") == story.pairs(b"null") == []
    assert story.pairs(b"[1]") == [("", "[1]")] and story.pairs(b"{\xff") == [("", "{\ufffd")]
    assert story.pairs(b'{"a": "\\ud800"}') != []  # half a character, as some callers send it


# ── what pages show ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_record_reads_from_top_to_bottom_and_hides_the_number(at: At) -> None:
    vic, bob = await at("vic"), await at("bob")
    alert = await alert_with(
        vic, externalAlertId="1265168451", firstName="Matt", lastName="Fanning", alertInfo={"Sky Miles": 1234567890}
    )
    await vic.get(f"/console/alerts/{alert}")
    page = vic.page
    places = [page.index(word) for word in ("Matt Fanning", "1265168451", "Sky Miles", "The decision", "What happened")]
    assert places == sorted(places)
    assert "Your flight to Kansas City leaves at 7:35 pm from gate C35." in page
    assert "7703101414" not in page and "•1414" in page and "Show the number" not in page
    assert (await vic.post(f"/console/alerts/{alert}", {})).status == 403
    await bob.get(f"/console/alerts/{alert}")
    assert "7703101414" not in bob.page
    said = await bob.post(f"/console/alerts/{alert}", {})
    assert said.status == 200 and "+1 770-310-1414" in bob.page
    [line] = await bob.store.audit_log(what="number.shown")
    assert (line.who, line.on, line.site, line.way.value) == ("bob", alert, SITE, "console")


async def test_a_number_in_what_was_sent_is_hidden_too(at: At) -> None:
    vic = await at("vic")
    alert = await alert_with(
        vic, externalAlertId=f"for {NUMBER}", alertInfo={"phone": NUMBER, "n": 17703101414},
        proactiveVariables={"@Time": NUMBER, "@City": "x", "@Gate": "y"},
    )  # fmt: skip
    await vic.get(f"/console/alerts/{alert}")
    assert "7703101414" not in vic.page


async def test_alerts_are_found_by_state_number_and_id_a_page_at_a_time(at: At) -> None:
    ann = await at("ann")
    ids = [await alert_with(ann, externalAlertId=f"e{n}", customerPhoneNumber=f"770310{n:04}") for n in range(55)]

    async def listed(query: str) -> list[str]:
        assert (await ann.get(f"/console/alerts{query}")).status == 200
        return re.findall(r'href="/console/alerts/([0-9a-f-]{36})"', ann.page)

    newest = await listed("")
    assert newest == ids[:4:-1]
    more = re.search(r'href="(/console/alerts\?before=[^"]*)"', ann.page)
    assert more and await listed(more[1].removeprefix("/console/alerts")) == ids[4::-1]
    assert await listed("?external=e7") == await listed("?recipient=%2B1+770+310+0007") == [ids[7]]
    assert await listed("?state=sent&site=25508804") == newest and await listed("?state=failed") == []
    for query, word in (
        ("?state=nonsense", "There is no state nonsense"), ("?recipient=12", "phone number"), ("?site=1", "no site 1"),
        ("?before=x", "changed on its way"), ("?external=a%00", "external id"),
    ):  # fmt: skip
        assert (await ann.get(f"/console/alerts{query}")).status == 400 and word in ann.page
        harmless(ann.page)


async def test_the_overview_counts_and_agents_go_on(at: At) -> None:
    ann, bob = await at("ann"), await at("bob")
    await ann.get("/console")
    assert "No alert yet" in ann.page
    for n in range(3):
        await alert_with(ann, externalAlertId=str(n))
    await ann.get("/console")
    assert re.search(r"<b>3</b><a href=\"/console/alerts\?state=sent\">", ann.page)
    said = await bob.get("/console")
    assert said.status == 303 and said.headers["location"] in ("/console/inbox", "/console/alerts")


async def test_a_reply_leads_from_the_record_to_its_conversation(at: At, example: dict[str, Any]) -> None:
    vic, bob = await at("vic"), await at("bob")
    phone_ = Phone(vic.caller)
    alert = await phone_.gets(example)
    conversation = await phone_.says("Which gate?")
    link = f'href="/console/inbox/{SITE}/{conversation.id}"'
    await bob.get(f"/console/alerts/{alert}")
    assert link in bob.page and "conversation, open, 1 turn" in bob.page
    await vic.get(f"/console/alerts/{alert}")  # a viewer may not open it, but sees that there is one
    assert link not in vic.page and "conversation, open, 1 turn" in vic.page


async def test_no_address_breaks_a_page(at: At) -> None:
    """Whatever stands in the query, the answer is a page or a sentence."""
    ann, chance = await at("ann"), random.Random(7)
    names = ("site", "state", "recipient", "external", "before", "after", "scope", "who", "what", "row", "done", "x")
    values = ("", "%00", "%ff", "%F0%9F%98%80", "'", '"', "<", "%2B17703101414", "a" * 3000, "..%2f", SITE, "%ed%a0%80")
    for n in range(120):
        path = ("/console", "/console/alerts", "/console/opt-outs", "/console/opt-outs/remove", "/console/audit",
                "/console/account", f"/console/alerts/{chance.choice(values)}", "/console/login")[n % 8]  # fmt: skip
        query = "&".join(f"{chance.choice(names)}={chance.choice(values)}" for _ in range(chance.randint(0, 4)))
        said = await ann.get(f"{path}?{query}")
        assert said.status in (200, 303, 400, 404), (path, query, ann.caller.lines.getvalue().decode()[-1500:])
        harmless(ann.page)


async def test_senders_with_trouble_are_named(at: At) -> None:
    from heliograph.core.site import SenderReport

    ann, zoe = await at("ann"), await at("zoe")
    now = ann.caller.doors.means.clock.now()
    await ann.store.report_senders(
        (
            SenderReport(site=SITE, sender="acme", node="n1", at=now, state="paused", why="<b>credentials"),
            SenderReport(site=SITE, sender="well", node="n1", at=now, state="closed"),
        )
    )
    await ann.get("/console")
    assert "&lt;b&gt;credentials" in ann.page and "well" not in "".join(Parsed(ann.page).words)
    await zoe.get("/console")
    assert "credentials" not in zoe.page


async def test_an_opt_out_is_written_found_shown_and_removed(at: At) -> None:
    ann, bob, vic = await at("ann"), await at("bob"), await at("vic")
    fields = {"site": SITE, "recipient": "+1 (770) 310-1414", "scope": "wa"}
    await vic.get("/console/opt-outs")
    assert "Nobody has opted out" in vic.page and "Write it down" not in vic.page
    await bob.get("/console/opt-outs")
    assert (await bob.post("/console/opt-outs", fields)).headers["location"] == "/console/opt-outs?done=added"
    await bob.get("/console/opt-outs?done=added")
    assert "written down" in bob.page
    assert (await bob.post("/console/opt-outs", fields)).headers["location"] == "/console/opt-outs?done=there"
    [row] = await ann.store.opt_outs()
    assert (row.recipient, row.scope, row.how, row.by) == (NUMBER, "wa", "console", "bob")
    await bob.get("/console/opt-outs?recipient=%2B17703101414")
    assert "•1414" in bob.page and "Remove …" not in bob.page
    sealed = re.search(r'name="row" value="([^"]+)"', bob.page)[1]  # type: ignore[index]
    assert (await bob.get(f"/console/opt-outs/remove?row={sealed}")).status == 403
    await bob.get("/console/opt-outs")
    await bob.post("/console/opt-outs/show", {"row": sealed})
    assert "+1 770-310-1414" in bob.page
    await ann.get("/console/opt-outs")
    link = re.search(r'href="(/console/opt-outs/remove\?row=[^"]+)"', ann.page)[1]  # type: ignore[index]
    await ann.get(link)
    assert f"Remove the opt-out of {phone.mask(NUMBER)}" in ann.page and len(await ann.store.opt_outs()) == 1
    sealed = re.search(r'name="row" value="([^"]+)"', ann.page)[1]  # type: ignore[index]
    said = await ann.post("/console/opt-outs/remove", {"row": sealed})
    assert said.headers["location"] == "/console/opt-outs?done=removed" and await ann.store.opt_outs() == []
    assert (await ann.get(link)).headers["location"] == "/console/opt-outs?done=gone"
    log = [(line.who, line.what, line.on, line.detail) for line in await ann.store.audit_log(limit=50)]
    hidden = phone.mask(NUMBER)
    assert [line for line in log if "opt_out" in line[1] or "number" in line[1]] == [
        ("ann", "opt_out.removed", hidden, "scope wa"), ("bob", "number.shown", hidden, "opt-outs"),
        ("bob", "opt_out.added", hidden, "scope wa"),
    ]  # fmt: skip
    await ann.get("/console/audit?who=bob")
    assert "wrote an opt-out down" in ann.page and "7703101414" not in ann.page
    harmless(ann.page)


async def test_an_opt_out_that_cannot_be_read_is_told_with_what_was_typed(at: At) -> None:
    bob = await at("bob")
    await bob.get("/console/opt-outs")
    said = await bob.post("/console/opt-outs", {"site": SITE, "recipient": "<b>770", "scope": "all"})
    assert said.status == 400 and 'value="&lt;b&gt;770"' in bob.page and "country code" in bob.page
    assert (await bob.post("/console/opt-outs", {"recipient": NUMBER, "scope": "all"})).status == 400
    assert await bob.store.opt_outs() == []


async def test_pictures_of_ours_are_shown_and_nothing_that_runs(at: At) -> None:
    vic = await at("vic")
    kinds = {"image/png": 200, "image/svg+xml": 404, "text/html": 404}
    for n, (kind, status) in enumerate(kinds.items()):
        await vic.store.put_media(SITE, str(n) * 64, kind, b"<svg onload=alert(1)>")
        said = await vic.get(f"/console/media/{SITE}/{str(n) * 64}")
        assert said.status == status
        assert (
            "sandbox" in said.headers["content-security-policy"] and said.headers["x-content-type-options"] == "nosniff"
        )


def test_a_card_and_its_chips_are_drawn() -> None:
    card = CardBody(
        title="Kansas City",
        description="At <i>7</i>",
        media=Media(upload="a" * 64),
        suggestions=(Reply(text="Rebook"),),
    )
    page = drawn(Card(card=card, suggestions=(Reply(text="Stop <b>"),)))
    assert re.search(r'class="card-title" dir="auto">Kansas City<', page)
    assert f'src="/console/media/{SITE}/{"a" * 64}"' in page
    assert "At &lt;i&gt;7&lt;/i&gt;" in page and "Stop &lt;b&gt;" in page and ">Rebook<" in page


def test_the_api_documents_no_page_of_the_console() -> None:
    from heliograph.web.openapi import document

    assert "/console" not in json.dumps(document(ROUTES, "https://a.example"))
