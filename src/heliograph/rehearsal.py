"""The demo's story after the card, played and checked from outside over HTTP: a tap, an agent who sees what the brand
told of the recipient, the agent's answer on the phone. Nothing of the server is looked into.

Each function plays one scene after the other and tells what it saw; where one is not as it should be, the rest of that
story is left out, since it would fail for the same reason.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from html import unescape
from http.cookiejar import CookieJar
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

import msgspec

PATIENCE = 10.0  # seconds that a scene is waited for
LOOK = 0.05  # seconds between two looks
TAP = "Learn More"
ANSWER = "It leaves at 7:35 pm from gate C35. Your seat is 12A."
BESIDE = ("Sky Miles", "1234567890", "T-Shirt Size", "Large")  # alertInfo of examples/acme-air/request.json
T = TypeVar("T")
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_TAG = re.compile(r"<[^>]+>")


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """`name`: what was looked at; `says`: what is right of it; `fault`: what is not, empty where all is."""

    name: str
    says: str
    fault: str = ""


class Browser:
    """As much of one as a person needs: cookies, pages, forms. No proxy: all of it is on this machine."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._open = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar())).open

    def get(self, path: str) -> tuple[int, str]:
        """Status and text, redirects followed; status 0 where nobody answers."""
        return self._call(Request(self.base + path, headers={"accept": "text/html, application/json"}))

    def submit(self, path: str, page: str, **fields: str) -> tuple[int, str]:
        """Sends the form of a `page` with these fields and its own token."""
        token = _CSRF.search(page)
        body = urlencode({**fields, "csrf": unescape(token[1]) if token else ""}).encode()
        return self._call(Request(self.base + path, body, {"accept": "text/html"}))

    def tell(self, path: str, body: dict[str, Any]) -> tuple[int, str]:
        """Posts JSON."""
        return self._call(Request(self.base + path, json.dumps(body).encode(), {"content-type": "application/json"}))

    def _call(self, request: Request) -> tuple[int, str]:
        try:
            with self._open(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode("utf-8", "replace")
        except HTTPError as error:
            return error.code, error.read().decode("utf-8", "replace")
        except (URLError, OSError) as error:
            return 0, str(error)


def in_console(
    base_url: str, sandbox_url: str, *, site: str, number: str, who: str, user: str, password: str
) -> Iterator[Scene]:
    """The console is the desk: log-in, inbox, context, answer. `who` has the phone with that number."""
    console, phone = Browser(base_url), Browser(sandbox_url)
    yield (scene := _tapped(phone, number, who))
    if scene.fault:
        return
    status, page = console.submit("/console/login", console.get("/console/login")[1], name=user, password=password)
    fault = "" if status == 200 and "/console/logout" in page else f"status {status} after the form; 200 is right"
    yield Scene(name="log-in", says=f"{user} logs in to the console", fault=fault)
    if fault:
        return
    link = re.compile(rf'href="(/console/inbox/{re.escape(site)}/[0-9a-f-]{{36}})')
    found = _until(lambda: link.search(console.get("/console/inbox")[1]))
    fault = "" if found else "it lists no conversation"
    yield Scene(name="inbox", says="the inbox has the conversation", fault=fault)
    if found is None:
        return
    status, page = console.get(found[1])
    fault = _lacks(_words(page), f"Tapped: {TAP}") if status == 200 else f"status {status}; 200 is right"
    yield (scene := Scene(name="context", says=_beside(), fault=fault))
    if scene.fault:
        return
    status, page = console.submit(f"{found[1]}/answer", page, text=ANSWER)
    fault = "" if status == 200 else f"the answer was refused with status {status}: {_words(page)[:200]}"
    yield _answered(fault, phone, number, who, "the agent's answer")


def at_desk(sandbox_url: str, *, desk: str, account: str, number: str, who: str) -> Iterator[Scene]:
    """A desk of the sandbox: its agent sees the tap and what the alert said, and answers. `desk`: as people call it;
    `account`: desk/account in the sandbox."""
    sandbox = Browser(sandbox_url)
    place = f"/sandbox/desks/{account}"
    yield (scene := _tapped(sandbox, number, who))
    if scene.fault:
        return
    # A desk may be told of the conversation first and of the words after it.
    case = _until(lambda: next((one for one in _json(sandbox, place).get("conversations", []) if _spoken(one)), None))
    fault = "" if case else "no conversation is open there in which anything was said"
    yield Scene(name=desk, says=f"{desk} has the conversation", fault=fault)
    if case is None:
        return
    facts = [f"{label} {value}" for label, value in case["facts"].items()]
    said = _said(case)
    # LivePerson has no place for what it does not know by name: that stands above the first words.
    words = " ".join([*facts, *said, f"Tapped: {said[-1].splitlines()[-1]}"])
    yield (scene := Scene(name=f"{desk} context", says=_beside(), fault=_lacks(words, f"Tapped: {TAP}")))
    if scene.fault:
        return
    status, answer = sandbox.tell(f"{place}/deeds", {"do": "say", "text": ANSWER, "conversation": case["id"]})
    fault = "" if status == 200 else f"the agent could not answer: {answer[:200]}"
    yield _answered(fault, sandbox, number, who, f"the answer from {desk}")


def _answered(fault: str, phone: Browser, number: str, who: str, what: str) -> Scene:
    """The last scene: the answer's words on the phone."""
    if not fault and not _until(lambda: ANSWER in [_dig(one, "content", "text") for one in _messages(phone, number)]):
        fault = "it is not on the phone"
    return Scene(name=what, says=f"{what} is on {who}'s phone", fault=fault)


def _spoken(case: Any) -> bool:
    return bool(case["open"] and _said(case))


def _said(case: Any) -> list[str]:
    return [line["text"] for line in case["lines"] if line["by"] == "recipient" and line["text"].strip()]


def _tapped(phone: Browser, number: str, who: str) -> Scene:
    """The recipient taps the card's reply, as soon as the card is there."""
    _until(lambda: _messages(phone, number))
    status, said = phone.tell(f"/sandbox/handsets/{quote(number, safe='')}/tap", {"text": TAP})
    fault = "" if status == 200 else f"status {status}: {said[:200]}"
    return Scene(name=f"{who}'s tap", says=f'{who} taps "{TAP}"', fault=fault)


def _messages(phone: Browser, number: str) -> list[Any]:
    found: list[Any] = _json(phone, f"/sandbox/handsets/{quote(number, safe='')}").get("messages", [])
    return found


def _json(browser: Browser, path: str) -> dict[str, Any]:
    status, text = browser.get(path)
    found: dict[str, Any] = json.loads(text) if status == 200 else {}
    return found


def _beside() -> str:
    return f'"{TAP}" is there, and beside it {BESIDE[0]} {BESIDE[1]} and {BESIDE[2]} {BESIDE[3]}'


def _lacks(words: str, tap: str) -> str:
    missing = [word for word in (tap, *BESIDE) if word not in words]
    return f"it lacks {', '.join(missing)}" if missing else ""


def _words(page: str) -> str:
    """What a person reads on a page."""
    return " ".join(unescape(_TAG.sub(" ", page)).split())


def _until(look: Callable[[], T | None]) -> T | None:
    """What `look` finds, as soon as it is there; None after PATIENCE."""
    end = time.monotonic() + PATIENCE
    while not (found := look()):
        if time.monotonic() > end:
            return None
        time.sleep(LOOK)
    return found


def _dig(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
