"""The context page within a desk's workspace: who may frame it, who sees what, and the way from a reply to it over the
real desk and LivePerson's twin."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest

from heliograph import out, plugs
from heliograph.clock import SystemClock
from heliograph.core.desk import SiteDesk
from heliograph.core.desk_twin import Deed
from heliograph.core.ports import DeskWays
from heliograph.core.twin import KnownDesk
from heliograph.desks.liveperson import twin
from heliograph.sandbox import World, serve
from heliograph.seal import Sealer
from web.conftest import OTHER, Caller
from web.console.conftest import PASSWORD, SITE, Browser
from web.console.desk import MATT, Phone, done, plain

At = Callable[[str], Awaitable[Browser]]
Open = Callable[[], Browser]
ORIGINS = ["https://lo.agent.liveperson.net", "https://*.liveperson.example"]
COOKIE = "__Host-heliograph-frame"
ACCOUNT = "12345678"


class Room:
    """A site whose agents work at LivePerson's twin, and a recipient."""

    def __init__(self, caller: Caller, known: KnownDesk, world: World) -> None:
        self.caller, self.known, self.world = caller, known, world
        self.phone = Phone(caller)

    async def reply(self, text: str, example: dict[str, Any]) -> str:
        """An alert, an answer, and LivePerson's id of the conversation that it became."""
        await self.phone.gets(example)
        there = await self.phone.says(text)

        async def handed() -> bool:
            now = await self.caller.store.conversation(SITE, there.id)
            return now is not None and now.handed >= there.turns

        await done(self.caller, handed)
        now = await self.caller.store.conversation(SITE, there.id)
        assert now is not None and now.reference
        return now.reference


@pytest.fixture
async def room(people: Caller) -> AsyncIterator[Room]:
    sealer = Sealer(["a-key-of-this-test-0123456789abcdef"])
    world = World([], desk_twins=[twin], clock=SystemClock())
    sandbox = await serve(world, "127.0.0.1", 0)
    client = out.open(allowed=["127.0.0.1"], only_allowed=True)
    credentials = twin.credentials(world.secret)
    known = KnownDesk(id=ACCOUNT, desk="liveperson", credentials=credentials, skills={"service": "77"})
    world.add_desk(known)
    registry = people.doors.means.registry
    ways = DeskWays(out=client, callback=lambda: "", page=lambda path: path)
    registry._open_desk = lambda setup: plugs.open_desk(setup, sealer, ways)
    settings = {
        "account": ACCOUNT,
        "client_id": credentials["client_id"],
        "client_secret": sealer.seal(credentials["client_secret"]),
        "base_url": sandbox.url,
        "skills": {"service": "77"},
        "alert_info": ["line", "frame"],
        "frame_origins": ORIGINS,
    }
    await people.store.put_desk(SiteDesk(site=SITE, desk="liveperson", settings=settings, one_per_recipient=True))
    await registry.refresh(people.store)
    assert not registry.desk(SITE).fault
    yield Room(people, known, world)
    opened = registry.desk(SITE).desk
    if opened is not None:
        await opened.shut()
    await client.close()
    await sandbox.stop()


def address(reference: str, site: str = SITE) -> str:
    return f"/console/context/{site}?conversation={reference}"


def ancestors(said: Any) -> str:
    (policy,) = re.findall(r"frame-ancestors ([^;]*)", said.headers["content-security-policy"])
    return str(policy)


async def enter(browser: Browser, path: str, name: str, password: str = PASSWORD) -> Any:
    await browser.get(path)
    return await browser.post(path, {"name": name, "password": password})


async def test_from_a_reply_to_the_page_beside_it(room: Room, browser: Open, example: dict[str, Any]) -> None:
    reference = await room.reply("Can I rebook?", example)
    (case,) = twin.shown(room.known, room.world)
    assert case.id == reference and case.lines[0].text.endswith("\nCan I rebook?")
    bob = browser()
    said = await bob.get(address(reference))
    assert (said.status, ancestors(said)) == (200, " ".join(ORIGINS))
    assert "Sky Miles" not in bob.page and "Matt" not in bob.page and 'name="password"' in bob.page
    said = await enter(bob, address(reference), "bob")
    assert (said.status, said.headers["location"]) == (303, address(reference))
    said = await bob.get(address(reference))
    assert (said.status, ancestors(said)) == (200, " ".join(ORIGINS))
    text = plain(bob.page)
    seen = "Your flight to Kansas City leaves at 7:35 pm from gate C35."
    for words in ("Sky Miles 1234567890 ", "T-Shirt Size Large ", "Customer id 123 ( VIP )", "id 1265168451", seen):
        assert words in text, words
    assert "Matt Fanning" in text
    assert MATT[2:] not in bob.page
    assert said.headers["cache-control"] == "no-store"
    assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=", bob.page)


async def test_the_frames_cookie_is_for_that_page_alone(room: Room, browser: Open, example: dict[str, Any]) -> None:
    reference = await room.reply("Hello", example)
    bob = browser()
    said = await bob.get(address(reference))
    (visitor,) = said.cookies
    assert visitor.split("; ")[1:] == ["Path=/", "HttpOnly", "SameSite=None", "Secure", "Partitioned"]
    said = await enter(bob, address(reference), "bob")
    cookie = next(one for one in said.cookies if one.startswith(f"{COOKIE}="))
    assert cookie.split("; ")[1:] == ["Path=/", "HttpOnly", "SameSite=None", "Secure", "Partitioned"]
    for path in ("/console", "/console/alerts", "/console/inbox"):
        assert (await bob.get(path)).status == 303, path  # the console does not know it


async def test_who_is_in_at_the_console_sees_it_where_the_browser_says_so(
    room: Room, at: At, example: dict[str, Any]
) -> None:
    reference = await room.reply("Hello", example)
    bob = await at("bob")
    assert (await bob.get(address(reference))).status == 200
    assert "Sky Miles" in bob.page and "Log out" not in bob.page


@pytest.mark.parametrize("name", ["zoe", "vic", "joe"])  # another site's; only reads; writes templates
async def test_without_the_right_there_is_nothing_at_all(room: Room, browser: Open, example, name) -> None:
    reference = await room.reply("Hello", example)
    nobody = browser()
    await enter(nobody, address(reference), name)
    said = await nobody.get(address(reference))
    page = nobody.page
    assert said.status == 404
    assert (await nobody.get(address("11111111-2222-4333-8444-555555555555"))).status == 404
    assert plain(nobody.page) == plain(page)  # as if there were no such conversation


async def test_a_skill_that_is_not_the_users_is_not_shown(room: Room, browser: Open, example: dict[str, Any]) -> None:
    reference = await room.reply("Hello", example)
    bob = await room.caller.store.user("bob")
    assert bob is not None
    from heliograph.core.user import Way
    from heliograph.flow import users

    line = users.audited(SystemClock(), who="test", way=Way.CLI, what="user.changed", on="bob")
    assert await room.caller.store.put_user(msgspec.structs.replace(bob, skills=("sales",)), line, expects=bob)
    visitor = browser()
    await enter(visitor, address(reference), "bob")
    assert (await visitor.get(address(reference))).status == 404


@pytest.mark.parametrize("reference", ["", "x" * 300, "%27%20OR%201=1", "nope"])
async def test_an_id_that_is_none_shows_nothing(room: Room, browser: Open, example: dict[str, Any], reference) -> None:
    await room.reply("Hello", example)
    bob = browser()
    await enter(bob, address("nope"), "bob")
    assert (await bob.get(address(reference))).status == 404
    assert (await bob.get(f"/console/context/{SITE}")).status == 404


@pytest.mark.parametrize("site", [OTHER, "nowhere"])
async def test_a_site_that_names_no_frame_has_no_page(room: Room, at: At, browser: Open, site) -> None:
    for one in (browser(), await at("ann")):
        said = await one.get(address("x", site))
        assert (said.status, ancestors(said)) == (404, "'none'")
        said = await one.post(address("x", site), {"name": "ann", "password": PASSWORD})
        assert said.status == 404 and not said.cookies


async def test_a_forged_log_in_is_refused(room: Room, browser: Open) -> None:
    bob = browser()
    await bob.get(address("x"))
    given = {"name": "bob", "password": PASSWORD}
    said = await bob.post(address("x"), {**given, "csrf": "forged"})
    assert said.status == 403 and not any(one.startswith(f"{COOKIE}=") for one in said.cookies)
    await bob.get(address("x"))
    said = await bob.post(address("x"), given, sec_fetch_site="cross-site")
    assert said.status == 403
    await bob.get("/console/login")  # the console's own form has another token
    said = await bob.post(address("x"), given)
    assert said.status == 403
    stranger = browser()
    assert (await stranger.post(address("x"), given)).status == 403
    said = await bob.post(address("x"), given, content_type="text/plain")
    assert said.status == 415


async def test_a_wrong_password_is_told_and_counted(room: Room, browser: Open) -> None:
    bob = browser()
    said = await enter(bob, address("x"), "bob", "not the password")
    assert (said.status, ancestors(said)) == (401, " ".join(ORIGINS))
    assert "do not fit" in bob.page and "not the password" not in bob.page
    for _ in range(30):
        said = await enter(bob, address("x"), "bob", "not the password")
        if said.status == 429:
            break
    assert said.status == 429


async def test_out_again(room: Room, browser: Open, example: dict[str, Any]) -> None:
    reference = await room.reply("Hello", example)
    bob = browser()
    await enter(bob, address(reference), "bob")
    await bob.get(address(reference))
    said = await bob.post(address(reference), {"do": "leave", "csrf": "forged"})
    assert said.status == 403
    await bob.get(address(reference))
    secret = bob.cookies[COOKIE]
    said = await bob.post(address(reference), {"do": "leave"})
    assert said.status == 303 and COOKIE not in bob.cookies
    bob.cookies[COOKIE] = secret  # the session is over on the server, whatever the browser keeps
    await bob.get(address(reference))
    assert "Sky Miles" not in bob.page and 'name="password"' in bob.page


async def test_the_page_shows_the_newest_alert_that_is_answered(room: Room, browser: Open, example) -> None:
    reference = await room.reply("First", example)
    other = {**example, "alertInfo": {"Voucher": "AB-12"}, "externalAlertId": "second"}
    assert await room.reply("Second", other) == reference  # one open conversation a person
    (case,) = twin.shown(room.known, room.world)
    assert "[Answers flightdelay (second)" in case.lines[-1].text
    bob = browser()
    await enter(bob, address(reference), "bob")
    await bob.get(address(reference))
    assert "Voucher AB-12" in plain(bob.page) and "Sky Miles" not in bob.page


async def test_agents_words_go_to_the_phone_by_the_desks_callback(room: Room, example: dict[str, Any]) -> None:
    """The webhook as the twin signs it, at our own door."""
    reference = await room.reply("Hello", example)
    room.known.webhook = "https://alerts.acme.example/callbacks/desk/liveperson/" + SITE
    for call in twin.act(Deed(do="say", conversation=reference, text="Gate C35", agent="Ada"), room.known, room.world):
        path = call.url.removeprefix("https://alerts.acme.example")
        said = await room.caller.call("POST", path, call.body, dict(call.headers))
        assert said.status == 200, said.body
    sent = room.caller.line.sent

    async def left() -> bool:
        return any("Gate C35" in repr(message.content) for message in sent)

    await done(room.caller, left)
    assert [message.recipient for message in sent if "Gate C35" in repr(message.content)] == [MATT]
