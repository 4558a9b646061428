"""In and out of the console, and those who try otherwise."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from argon2 import extract_parameters
from hypothesis import given
from hypothesis import strategies as st

from heliograph.clock import SystemClock
from heliograph.core.user import Role
from heliograph.flow import passwords, sessions, users
from heliograph.web import address
from heliograph.web.asgi import asgi
from heliograph.web.console.login import own
from web.console.conftest import BASE, PASSWORD, Browser

At = Callable[[str], Awaitable[Browser]]
Open = Callable[[], Browser]
COOKIE = "__Host-heliograph"


async def test_who_is_in_sees_the_console_and_others_the_log_in(browser: Open, at: At) -> None:
    stranger = browser()
    said = await stranger.get("/console/alerts?state=failed")
    assert (said.status, said.headers["location"]) == (
        303, "/console/login?next=%2Fconsole%2Falerts%3Fstate%3Dfailed",
    )  # fmt: skip
    await stranger.get(said.headers["location"])
    said = await stranger.post(
        "/console/login",
        {"name": "ANN ", "password": PASSWORD, "next": re.search(r'name="next" value="([^"]*)"', stranger.page)[1]},  # type: ignore[index]
    )
    assert (said.status, said.headers["location"]) == (303, "/console/alerts?state=failed")
    assert (await stranger.get("/console/alerts?state=failed")).status == 200
    assert (await stranger.get("/console/login")).status == 303  # who is in goes on


async def test_the_cookie_is_for_this_host_over_tls_alone_and_for_no_script(browser: Open) -> None:
    ann = browser()
    said = await ann.log_in("ann")
    cookie = next(one for one in said.cookies if one.startswith(f"{COOKIE}="))
    assert cookie.split("; ")[1:] == ["Path=/", "HttpOnly", "SameSite=Lax", "Secure"]
    secret = ann.cookies[COOKIE]
    assert len(secret) >= 43
    found = await ann.store.session(hashlib.sha256(secret.encode()).hexdigest(), SystemClock().now())
    assert found is not None and found[0].user == "ann"
    assert await ann.store.session(secret, SystemClock().now()) is None  # the store cannot tell what the cookie holds


async def test_without_tls_the_cookie_has_its_plain_name(people: Any) -> None:
    people.doors = msgspec.structs.replace(people.doors, plate=address.doorplate("", ""))
    people.app = asgi(people.doors)
    ann = Browser(people)
    ann.headers = {"origin": "http://inside:8080"}
    said = await ann.log_in("ann")
    assert said.status == 303 and next(one for one in said.cookies if one.startswith("heliograph=")).endswith("=Lax")
    assert (await ann.get("/console/account")).status == 200
    # Over TLS such a cookie, which another host of the domain could have planted, is nobody's.
    secret = ann.cookies["heliograph"]
    people.doors = msgspec.structs.replace(people.doors, plate=address.doorplate(BASE, ""))
    people.app = asgi(people.doors)
    assert (await ann.get("/console/account")).status == 303
    ann.cookies = {COOKIE: secret}
    assert (await ann.get("/console/account")).status == 200


async def test_pages_are_guarded_and_kept_by_nobody(at: At) -> None:
    ann = await at("ann")
    said = await ann.get("/console/alerts")
    policy = dict(one.strip().split(" ", 1) for one in said.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'" and policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'" and policy["form-action"] == "'self'"
    assert said.headers["cache-control"] == "no-store" and said.headers["x-content-type-options"] == "nosniff"
    assert said.headers["referrer-policy"] == "same-origin"
    assert not re.search(r"<script(?! (type=\"module\" )?src=)|<style|\sstyle=|\son\w+=", ann.page)


async def test_the_session_is_new_with_every_log_in(browser: Open) -> None:
    """Session fixation: whatever cookie was planted, it is nobody's session, and a former one ends."""
    ann = browser()
    await ann.get("/console/login")
    ann.cookies[COOKIE] = planted = "planted-by-somebody-else"
    await ann.post("/console/login", {"name": "ann", "password": PASSWORD})
    first = ann.cookies[COOKIE]
    assert first != planted
    assert (await ann.store.audit_log(limit=2))[0].what == "login"  # there was nobody to log out
    await ann.log_in("bob")  # the page is asked for while ann is in: she is sent on
    ann.cookies.pop(COOKIE)
    await ann.get("/console/login")
    ann.cookies[COOKIE] = first
    await ann.post("/console/login", {"name": "ann", "password": PASSWORD})
    second = ann.cookies[COOKIE]
    assert second not in (first, planted)
    assert [(one.what, one.who) for one in await ann.store.audit_log(limit=2)] == [("logout", "ann"), ("login", "ann")]
    thief = browser()
    for old in (first, planted):
        thief.cookies[COOKIE] = old
        assert (await thief.get("/console/alerts")).status == 303
    assert (await ann.get("/console/alerts")).status == 200


async def test_two_cookies_of_one_name_are_none(at: At, browser: Open) -> None:
    ann, thief = await at("ann"), browser()
    thief.cookies = {COOKIE: f"{ann.cookies[COOKIE]}; {COOKIE}=other"}
    assert (await thief.get("/console/alerts")).status == 303


async def test_out_here_and_out_everywhere(at: At, browser: Open) -> None:
    one, two, three = await at("ann"), await at("ann"), await at("ann")
    await one.get("/console")
    kept = dict(one.cookies)
    said = await one.post("/console/logout", {})
    assert (said.status, said.headers["location"]) == (303, "/console/login") and COOKIE not in one.cookies
    one.cookies = kept
    assert (await one.get("/console")).status == 303
    await two.get("/console")
    assert (await two.post("/console/logout-everywhere", {})).status == 303
    assert (await three.get("/console")).status == 303
    log = [(line.what, line.way.value) for line in await one.store.audit_log(who="ann", limit=3)]
    assert log[:2] == [("logout.everywhere", "console"), ("logout", "console")]


async def test_another_password_ends_the_other_sessions(at: At, browser: Open) -> None:
    one, two = await at("bob"), await at("bob")
    await one.get("/console/account")
    assert (
        await one.post("/console/account/password", _passwords("wrong words here", "another long password"))
    ).status == 403
    await one.get("/console/account")
    assert (await one.post("/console/account/password", _passwords(PASSWORD, "short"))).status == 400
    await one.get("/console/account")
    assert (
        await one.post("/console/account/password", {**_passwords(PASSWORD, "x" * 20), "again": "y" * 20})
    ).status == 400
    await one.get("/console/account")
    said = await one.post("/console/account/password", _passwords(PASSWORD, "another long password"))
    assert said.headers["location"] == "/console/account?done=password"
    assert (await one.get("/console/account")).status == 200
    assert (await two.get("/console/account")).status == 303
    assert (await browser().log_in("bob")).status == 401
    assert (await browser().log_in("bob", "another long password")).status == 303


def _passwords(old: str, new: str) -> dict[str, str]:
    return {"old": old, "new": new, "again": new}


async def test_a_disabled_user_is_out_at_once(at: At, browser: Open) -> None:
    bob = await at("bob")
    await users.disable(bob.store, "bob", clock=SystemClock(), by="root")
    assert (await bob.get("/console/alerts")).status == 303
    again = browser()
    assert (await again.log_in("bob")).status == 401
    await users.enable(bob.store, "bob", clock=SystemClock(), by="root")
    assert (await bob.get("/console/alerts")).status == 303  # his sessions are over, not asleep
    assert (await again.log_in("bob")).status == 303


async def test_other_rights_are_in_force_with_the_next_click(at: At) -> None:
    ann = await at("ann")
    assert (await ann.get("/console/users")).status == 200
    for role, sites in ((Role.VIEWER, None), (Role.ADMIN, ("999",))):
        await users.set_rights(ann.store, "ann", role=role, sites=sites, skills=None, clock=SystemClock(), by="root")
        assert (await ann.get("/console/users")).status == 403


class Hands(SystemClock):
    """A clock whose hands can be moved."""

    ahead = 0

    def now(self) -> int:
        return super().now() + self.ahead


async def test_a_session_ends_unused_and_in_any_case(at: At, people: Any) -> None:
    clock = people.doors.means.clock = Hands()
    settings = people.doors.settings
    bob = await at("bob")
    for _ in range(20):  # used all the time, it lasts for its whole length and no longer
        clock.ahead += settings.session_idle * 900
        said = await bob.get("/console/account")
        if said.status != 200:
            break
    assert (
        settings.session_length - settings.session_idle
        <= clock.ahead // 1000
        <= (settings.session_length + settings.session_idle)
    )
    bob = await at("bob")
    clock.ahead += settings.session_idle * 1000 + 1
    assert (await bob.get("/console/account")).status == 303


# ── guessing ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_who_guesses_is_stopped_also_when_he_guesses_right(browser: Open, people: Any) -> None:
    most = people.doors.settings.failed_logins
    guesser = browser()
    await guesser.get("/console/login")
    for n in range(most):
        assert (await guesser.post("/console/login", {"name": "ann", "password": f"guess number {n}"})).status == 401
    said = await guesser.post("/console/login", {"name": "ann", "password": PASSWORD})
    assert said.status == 429 and "Too many log-ins failed" in guesser.page and COOKIE not in guesser.cookies
    assert (await browser().log_in("bob")).status == 303  # others of the network, and ann elsewhere, get in


async def test_many_guesses_at_once_get_no_further(browser: Open, people: Any) -> None:
    most = people.doors.settings.failed_logins
    guesser = browser()
    await guesser.get("/console/login")
    fields = {"name": "ann", "password": "x" * 12, "csrf": guesser.token()}
    found = await asyncio.gather(*(guesser.post("/console/login", dict(fields)) for _ in range(2 * most)))
    assert sorted(said.status for said in found) == [401] * most + [429] * most


async def test_a_network_is_stopped_over_all_names_and_a_name_over_all_networks(people: Any) -> None:
    means, rules = people.doors.means, sessions.Rules(idle=60, longest=60, tries=1)

    async def tries(name: str, network: str) -> bool:
        done = await sessions.log_in(name, "guess", network=network, former="", rules=rules, means=means)
        assert isinstance(done, sessions.NotIn)
        return done.until == 0

    assert [await tries(f"name{n}", "192.0.2.1") for n in range(6)] == [True] * 4 + [False] * 2
    assert [await tries("cat", f"198.51.100.{n}") for n in range(8)] == [True] * 6 + [False] * 2


async def test_an_unknown_user_is_answered_alike_and_as_slowly(browser: Open, people: Any) -> None:
    async def told(name: str) -> tuple[float, int, str]:
        made = browser()
        await made.get("/console/login")
        began = time.process_time()
        said = await made.post("/console/login", {"name": name, "password": "wrong words here"})
        took = time.process_time() - began
        return took, said.status, re.sub(r"[0-9a-f]{64}|value=\"[^\"]*\"", "", made.page)

    await users.disable(people.store, "bob", clock=SystemClock(), by="root")
    found = {name: [await told(name) for _ in range(3)] for name in ("ann", "nobody", "bob", "no name!")}
    assert len({(status, page) for one in found.values() for _, status, page in one}) == 1
    quickest = {name: min(took for took, _, _ in one) for name, one in found.items()}
    # The hash is nearly all of the work, so whoever is not hashed would be ten times as quick.
    assert max(quickest.values()) < 3 * min(quickest.values()), quickest


async def test_the_hash_of_nobody_costs_what_a_users_costs() -> None:
    made = await passwords.hashed(PASSWORD)
    assert extract_parameters(made) == extract_parameters(passwords.NOBODY)


async def test_a_password_is_the_same_however_it_is_typed_and_no_hash_is_nobodys() -> None:
    kept = await passwords.hashed("schöne Passwörter")
    assert await passwords.right(kept, "scho\u0308ne Passwo\u0308rter")
    assert not await passwords.right(kept, "schone Passworter")
    assert not await passwords.right("", "") and not await passwords.right("no hash", "no hash")


async def test_no_password_is_in_a_log(browser: Open, people: Any) -> None:
    made = browser()
    await made.log_in("ann", "a wrong but telling word")
    await made.log_in("a telling name", PASSWORD)
    lines = people.lines.getvalue().decode()
    assert "login.failed" in lines
    assert "telling" not in lines and PASSWORD not in lines and "$argon2" not in lines


# ── redirects ───────────────────────────────────────────────────────────────────────────────────────────────────────


ELSEWHERE = [
    "https://evil.example/", "//evil.example/console", "/\\evil.example", "/console//evil.example",
    "javascript:alert(1)",
    "/console/../../evil", "/console/\r\nset-cookie: a=b", "/console/alerts?x=\u202e", "/api/proactiveAlert",
    "/console/login?next=/console/login", "/consolevil", "", "/console/" + "a" * 3000, "/console@evil.example",
    "\t//evil.example", "/console/%0d%0a/", "/console/.", "/console/%2e%2e/api",
]  # fmt: skip


async def test_the_way_on_leads_nowhere_else(browser: Open) -> None:
    assert [one for one in ELSEWHERE if own(one) != "/console"] == []
    for next_ in ("//evil.example/console", "https://evil.example/", "/console/\r\nset-cookie: a=b"):
        said = await browser().log_in("ann", next=next_)
        assert (said.status, said.headers["location"]) == (303, "/console")


@given(st.text(max_size=60) | st.from_regex(r"/console[/\\?@.:a-z%#]{0,30}", fullmatch=True))
def test_whatever_is_asked_for_a_browser_stays_in_the_console(next_: str) -> None:
    from urllib.parse import urljoin, urlsplit

    found = urlsplit(urljoin(f"{BASE}/console/login", own(next_)))
    assert f"{found.scheme}://{found.netloc}" == BASE and found.path.split("/")[1] == "console"


# ── forged calls ────────────────────────────────────────────────────────────────────────────────────────────────────

FOREIGN: list[dict[str, str]] = [
    {"sec-fetch-site": "cross-site", "origin": "https://evil.example"},
    {"sec-fetch-site": "same-site", "origin": "https://other.acme.example"},
    {"sec-fetch-site": "none"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://alerts.acme.example"},
    {"origin": "https://alerts.acme.example.evil.example"},
]


async def test_a_form_of_another_page_changes_nothing(at: At) -> None:
    ann = await at("ann")
    fields = {"site": "25508804", "recipient": "+17703101414", "scope": "all"}
    for headers in FOREIGN:
        await ann.get("/console/opt-outs")
        ann.headers = headers
        assert (await ann.post("/console/opt-outs", fields)).status == 403, headers
        assert await ann.store.opt_outs() == []
    await ann.get("/console/opt-outs")
    ann.headers = {"origin": BASE}
    assert (await ann.post("/console/opt-outs", fields)).status == 303  # the same from a page of ours


async def test_without_the_pages_token_nothing_is_changed(at: At) -> None:
    ann, bob = await at("ann"), await at("bob")
    await bob.get("/console/opt-outs")
    for sent in ("", "0" * 64, "é", bob.token()):
        await ann.get("/console/opt-outs")
        fields = {"site": "25508804", "recipient": "+17703101414", "scope": "all", "csrf": sent}
        assert (await ann.post("/console/opt-outs", fields)).status == 403
        assert (await ann.post("/console/logout", {"csrf": sent})).status == 403
        assert await ann.store.opt_outs() == []
    assert (await ann.get("/console/account")).status == 200


async def test_the_log_in_itself_asks_for_its_own_page(browser: Open) -> None:
    made = browser()
    await made.get("/console/login")
    right = made.token()
    for change in ({"csrf": ""}, {"csrf": "0" * 64}):
        assert (await made.post("/console/login", {"name": "ann", "password": PASSWORD, **change})).status == 403
    assert (
        await made.post("/console/login", {"name": "ann", "password": PASSWORD, "csrf": right}, **FOREIGN[0])
    ).status == 403
    made.cookies.clear()
    assert (await made.post("/console/login", {"name": "ann", "password": PASSWORD, "csrf": right})).status == 403
    assert COOKIE not in made.cookies


async def test_only_forms_are_taken(at: At) -> None:
    ann = await at("ann")
    await ann.get("/console/account")
    token = ann.token()
    for kind in ("text/plain", "application/json", "multipart/form-data; boundary=x"):
        said = await ann._call(
            "POST",
            "/console/logout",
            b"csrf=" + token.encode(),
            {**ann.headers, "content-type": kind, "x-csrf-token": token},
        )
        assert said.status == 415
    assert (await ann.get("/console/account")).status == 200
    said = await ann._call("POST", "/console/logout", b"", {"x-csrf-token": token})
    assert said.status == 303  # a script sends the token in its header


async def test_a_form_whose_session_is_over_is_told_so_and_not_thrown_away(at: At) -> None:
    bob = await at("bob")
    await bob.get("/console/opt-outs")
    await users.disable(bob.store, "bob", clock=SystemClock(), by="root")
    said = await bob.post("/console/opt-outs", {"recipient": "+17703101414"})
    assert said.status == 401 and "not logged in any more" in bob.page


async def test_what_is_sealed_for_one_session_is_nothing_in_another(at: At) -> None:
    one, two = await at("ann"), await at("ann")
    await one.get("/console/opt-outs")
    await one.post("/console/opt-outs", {"site": "25508804", "recipient": "+17703101414", "scope": "all"})
    await one.get("/console/opt-outs")
    row = re.search(r'name="row" value="([^"]+)"', one.page)[1]  # type: ignore[index]
    assert "7703101414" not in one.page
    await two.get("/console/opt-outs")
    assert (await two.post("/console/opt-outs/remove", {"row": row})).status == 400
    changed = row[:-2] + ("AA" if row[-2:] != "AA" else "BB")
    await one.get("/console/opt-outs")
    assert (await one.post("/console/opt-outs/remove", {"row": changed})).status == 400
    assert len(await one.store.opt_outs()) == 1


def test_a_user_does_not_print_his_hash() -> None:
    from heliograph.core.user import User

    assert "argon" not in repr(msgspec.convert({"name": "a", "role": "admin", "password": "$argon2id$"}, User))


async def test_where_too_many_passwords_wait_no_more_are_taken_and_none_is_counted(
    browser: Open, monkeypatch: Any
) -> None:
    monkeypatch.setattr(passwords, "MOST_WAITING", 0)
    for _ in range(30):  # more than a name may be tried
        one = browser()
        assert (await one.log_in("ann")).status == 503
        assert "Too many log in at this moment" in one.page
    monkeypatch.setattr(passwords, "MOST_WAITING", 1)
    assert (await browser().log_in("ann")).status == 303
    assert not passwords._waiting
