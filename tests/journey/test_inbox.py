"""The inbox in a browser, from outside only: a tap on the phone, the agent who sees it and answers, the words on the
phone; two agents at once; by keyboard alone; fit for everybody at every size."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright, expect

from heliograph.core import sms
from journey.caller import Caller, speak
from journey.demonstration import Demonstration
from journey.outside import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CHROMIUM = shutil.which("chromium")
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
AA = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}
# What Chromium itself says of a refusal (409) and of a line that is cut, where a test asks for them.
ASKED_FOR = ("status of 409", "ERR_INTERNET_DISCONNECTED", "ERR_FAILED")
NASTY = "<img src=x onerror=alert(1)> \u202etxt.exe " + "w" * 400


SMS = ("a", "a" * 160, "a" * 161, "€" * 80, "€" * 81, "a" * 152 + "€€", "é" * 307, "я" * 70, "я" * 71, "😀" * 35,
       "😀" * 36, "a" * 66 + "😀" + "a" * 66, "[x]{y}" * 40, "line\nline" * 30)  # fmt: skip
MEASURE = """async ([text, alphabet, extended]) => {
  const place = document.querySelector('script[src*="inbox.js"]').src.replace("inbox.js", "inbox_box.js");
  return (await import(place)).measure(text, { alphabet, extended });
}"""


class Story:
    """The demo, two agents, and the phones."""

    def __init__(self, demo: Demonstration) -> None:
        self.demo = demo
        self.passwords = {
            name: demo.run("users", "add", name, "--role", "agent", "--generate")["password"] for name in ("bob", "eve")
        }
        request = json.loads((ROOT / "examples" / "acme-air" / "request.json").read_text())
        self.caller = Caller(demo.base_url, demo.told, request)

    async def alert(self, number: str, **changes: Any) -> None:
        said = await asyncio.to_thread(self.caller.to, number, **changes)
        assert said.status == 200, said

    async def does(self, number: str, action: str, **fields: Any) -> None:
        """What a person does with the phone; the sandbox tells our callback, signed."""
        target = f"/sandbox/handsets/{quote(f'+1{number}', safe='')}/{action}"
        headers = {"content-type": "application/json"}
        for _ in range(100):  # until the message is on the phone
            said = await asyncio.to_thread(
                speak, self.demo.sandbox_url, "POST", target, json.dumps(fields).encode(), headers
            )
            if said.status == 200:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(said)

    async def on_phone(self, number: str, text: str) -> None:
        target = f"/sandbox/handsets/{quote(f'+1{number}', safe='')}"
        for _ in range(100):
            said = await asyncio.to_thread(speak, self.demo.sandbox_url, "GET", target)
            found = [one["content"].get("text") for one in said.json["messages"] if one.get("content")]
            if found.count(text) == 1:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{text!r} is not there once: {found}")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Any:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: the inbox is not looked at. `apt-get install chromium` brings it.")
    demo = Demonstration(tmp_path_factory.mktemp("inbox"))
    yield Story(demo)
    assert demo.end() == (0, "")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(story: Story) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=quiet)
        yield opened
        await opened.close()


Enter = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="module")
async def enter(story: Story, browser: Browser) -> AsyncIterator[Enter]:
    """`await enter("bob")`: the inbox in a window of his own. A console error (a broken policy is one) or a call to
    another host fails the test; a refusal that the test asks for is none."""
    faults: list[str] = []
    windows = []

    def noted(kind: str, text: str) -> None:
        if kind in ("error", "warning") and not any(word in text for word in ASKED_FOR):
            faults.append(text)

    async def enter(name: str, **context: Any) -> Page:
        window = await browser.new_context(**{"viewport": DESK, **context})
        window.set_default_timeout(10_000)
        windows.append(window)
        page = await window.new_page()
        page.on("console", lambda said: noted(said.type, said.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda asked: asked.url.startswith(story.demo.base_url) or faults.append(asked.url))
        await page.goto(f"{story.demo.base_url}/console/inbox")
        await page.get_by_label("Name").fill(name)
        await page.get_by_label("Password").fill(story.passwords[name])
        await page.keyboard.press("Enter")
        await expect(page.locator("[data-light-word]")).to_have_text("live")
        return page

    yield enter
    for window in windows:
        await window.close()
    assert faults == []


def row(page: Page, words: str) -> Any:
    return page.locator(".conversation").filter(has_text=words)


async def test_from_the_tap_to_the_agent_and_back_to_the_phone(story: Story, enter: Enter) -> None:
    number = "4045550131"
    page = await enter("bob")
    await page.evaluate("window.since = 'the first load'")
    info = {"Sky Miles": 1234567890123456789012, "T-Shirt Size": "Large", "odd": [None, True, {"deep": "x" * 2000}]}
    await story.alert(number, alertInfo=info, firstName="Nora")
    await story.does(number, "tap", text="Learn More")
    await expect(row(page, "Nora")).to_contain_text("Learn More")  # without a reload
    assert await page.evaluate("window.since") == "the first load"
    await row(page, "Nora").get_by_role("link").click()
    told = page.get_by_role("article", name="The alert as the recipient saw it")
    await expect(told).to_contain_text("Your flight to Kansas City is delayed")
    context = page.get_by_role("complementary", name="Context")
    for words in ("Sky Miles", "1234567890123456789012", "T-Shirt Size", "Large", "null", "true", "1265168451"):
        if words == "1265168451":  # this caller gives every alert an id of its own
            words = "to-404-0131"
        await expect(context).to_contain_text(words)
    await expect(page.get_by_text("Tapped: Learn More")).to_be_visible()
    await expect(page.get_by_role("button", name="Show the number")).to_be_visible()
    assert number[3:] not in await page.content()
    await page.get_by_role("button", name="Show the number").click()
    await expect(context.locator("[data-number]")).to_have_text("+1 404-555-0131")
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await context.get_by_role("button", name="Copy Sky Miles").click()
    assert await page.evaluate("navigator.clipboard.readText()") == "1234567890123456789012"
    await context.get_by_role("button", name="Copy all of it as JSON").click()
    assert json.loads(await page.evaluate("navigator.clipboard.readText()")) == info
    # Parts of an SMS are counted as the server counts them.
    for text in SMS:
        said = await page.evaluate(MEASURE, [text, sms.ALPHABET.replace("\r", ""), sms.EXTENDED])
        size = sms.measure(text)
        assert said == {"encoding": size.encoding, "units": size.units, "parts": size.parts}, text
    # The recipient types, and goes on with words that are no markup.
    await page.evaluate("document.getElementById('text').focus()")
    await story.does(number, "typing")
    await expect(page.locator("#typing")).to_be_visible()
    await story.does(number, "say", text=NASTY)
    await expect(page.locator(".turn.theirs").last).to_contain_text("<img src=x onerror=alert(1)>")
    await expect(page.locator("#typing")).to_be_hidden()
    await expect(page.locator("#said")).to_contain_text("New reply from Nora")
    await expect(page.locator("#text")).to_be_focused()  # what came took nothing away
    await page.keyboard.type("It leaves at 7:35 pm.")
    await expect(page.locator("#counted")).to_contain_text("21 characters")
    await page.keyboard.press("Control+Enter")
    own = page.locator(".turn.ours").last
    await expect(own).to_contain_text("It leaves at 7:35 pm.")
    await expect(own).to_contain_text("read")  # the phone is open: sent, delivered, read come by themselves
    await expect(page.locator("#head")).to_contain_text("yours")
    await story.on_phone(number, "It leaves at 7:35 pm.")
    assert await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


async def test_two_agents_do_not_step_on_each_other_and_a_draft_is_never_lost(story: Story, enter: Enter) -> None:
    number = "4045550132"
    await story.alert(number, firstName="Omar")
    await story.does(number, "say", text="Is there a later flight?")
    bob, eve = await enter("bob"), await enter("eve")
    for page in (bob, eve):
        await row(page, "Omar").get_by_role("link").click()
        await expect(page.get_by_role("button", name="Claim")).to_be_visible()
    await eve.locator("#text").fill("my draft")
    await bob.get_by_role("button", name="Claim").click()
    await expect(bob.locator("#head")).to_contain_text("yours")
    # She sees it at once, keeps her words and her place in them, and is told why they do not leave.
    await expect(eve.get_by_role("button", name="Take over from bob")).to_be_visible()
    await expect(eve.locator("#text")).to_be_focused()
    await eve.keyboard.type(" goes on")
    await eve.get_by_role("button", name="Send").click()
    await expect(eve.get_by_role("alert")).to_contain_text("The conversation is bob's now.")
    await expect(eve.locator("#text")).to_have_value("my draft goes on")
    await eve.reload()
    await expect(eve.locator("#text")).to_have_value("my draft goes on")
    # His page goes behind hers without being touched: his next action is refused with how it stands.
    await bob.route("**/console/live*", lambda route: route.abort())
    await eve.get_by_role("button", name="Take over from bob").click()
    await expect(eve.locator("#head")).to_contain_text("yours")
    await expect(bob.get_by_role("button", name="Take over from eve")).to_be_visible()
    await eve.get_by_role("button", name="Send").click()
    await story.on_phone(number, "my draft goes on")
    await expect(bob.locator(".turn.ours").last).to_contain_text("my draft goes on")
    await expect(eve.locator("#text")).to_have_value("")


async def test_all_of_it_by_keyboard(story: Story, enter: Enter) -> None:
    number = "4045550133"
    await story.alert(number, firstName="Pia")
    await story.does(number, "say", text="Hello there")
    page = await enter("eve")
    await expect(row(page, "Pia")).to_be_visible()
    press = page.keyboard.press
    await press("j")
    while "Pia" not in await page.evaluate("document.activeElement.textContent"):
        await press("j")
    await press("Enter")
    await expect(page.locator(".talk-head h1")).to_contain_text("Pia")
    await expect(page.locator("[data-light-word]")).to_have_text("live")
    await press("c")
    await expect(page.locator("#head")).to_contain_text("yours")
    await press("/")
    await expect(page.locator(".canned-one").first).to_be_focused()
    await press("Enter")
    await expect(page.locator("#text")).to_have_value("Hello Pia, we look into it and write again within the hour.")
    await page.locator("#text").fill("")
    await page.keyboard.type("/")  # in an empty answer too
    await expect(page.locator(".canned-one").first).to_be_focused()
    await press("Escape")
    await expect(page.locator("#text")).to_be_focused()
    await press("Backspace")
    await press("Escape")
    await press("r")
    await expect(page.locator("#text")).to_be_focused()
    await page.keyboard.type("Good day")
    await press("Control+Enter")
    await expect(page.locator(".turn.ours").last).to_contain_text("Good day")
    await expect(page.locator("#text")).to_be_focused()
    await press("Escape")
    await press("?")
    await expect(page.locator("#keys").get_by_text("close the conversation")).to_be_visible()
    await press("Escape")
    await expect(page.locator("#keys")).to_be_hidden()
    await press("e")
    await expect(page.locator("#head")).to_contain_text("closed by agent")
    await expect(page.locator("#text")).to_have_count(0)
    # The recipient's next words open another conversation, beside which this one can be read.
    await story.does(number, "say", text="One more thing")
    await expect(row(page, "One more thing")).to_be_visible()
    await row(page, "One more thing").get_by_role("link").press("Enter")
    await page.locator("details.before summary").click()
    await expect(page.locator("details.before")).to_contain_text("Good day")


async def test_a_lost_connection_is_seen_and_what_was_missed_comes(story: Story, enter: Enter) -> None:
    number = "4045550134"
    await story.alert(number, firstName="Quinn")
    await story.does(number, "say", text="first")
    page = await enter("bob")
    await row(page, "Quinn").get_by_role("link").click()
    await expect(page.locator("[data-light-word]")).to_have_text("live")
    await page.context.set_offline(True)
    await page.evaluate("window.dispatchEvent(new Event('offline'))")
    await story.does(number, "say", text="while nobody listened")
    await page.context.set_offline(False)
    await expect(page.locator("#turns")).to_contain_text("while nobody listened")


async def test_many_tabs_share_one_line_and_another_takes_it_over(story: Story, enter: Enter) -> None:
    number = "4045550136"
    await story.alert(number, firstName="Sina")
    await story.does(number, "say", text="first")
    leads = await enter("bob")
    await row(leads, "Sina").get_by_role("link").click()
    await expect(leads.locator("[data-light-word]")).to_have_text("live")
    tabs = [await leads.context.new_page() for _ in range(7)]  # a browser has six connections to a host
    for tab in tabs:
        await tab.goto(leads.url)
        await expect(tab.locator("[data-light-word]")).to_have_text("live")
        await tab.evaluate("document.hasFocus = () => false")
    await story.does(number, "say", text="to all of them")
    for tab in (leads, *tabs):
        await expect(tab.locator("#turns")).to_contain_text("to all of them")
    await expect(tabs[0]).to_have_title("(1) Sina Fanning · heliograph")
    await leads.close()
    await story.does(number, "say", text="after the first was closed")
    for tab in tabs:
        await expect(tab.locator("#turns")).to_contain_text("after the first was closed")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_everybody_can_use_it_at_every_size(
    story: Story, enter: Enter, size: dict[str, int], scheme: str
) -> None:
    number = "4045550135"
    if scheme == "light" and size is DESK:
        await story.alert(number, firstName="Rosa", alertInfo={"note": "y" * 3000, "in": {"a": [1, {}]}})
        await story.does(number, "say", text="please stop texting me")
    page = await enter("bob", viewport=size, color_scheme=scheme)
    await row(page, "Rosa").get_by_role("link").click()  # on a phone the second of three steps
    await expect(page.locator(".talk-head h1")).to_contain_text("Rosa")
    await expect(page.get_by_role("button", name="Opt the recipient out")).to_be_visible()
    talk = page.url.partition("?")[0]
    for address in (f"{story.demo.base_url}/console/inbox", talk, f"{talk}?view=context"):
        await page.goto(address)
        await expect(page.locator("h1").locator("visible=true").first).to_be_visible()
        wider = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{address} is {wider} pixels too wide"
        found = await Axe().run(page, options=AA)
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found.response["violations"]] == []
    if size is PHONE:
        steps = [page.locator(part) for part in (".queue", ".talk", ".context")]
        assert [await step.is_visible() for step in steps] == [False, False, True]
        await page.get_by_role("link", name="Conversation").click()
        assert [await step.is_visible() for step in steps] == [False, True, False]
        await page.get_by_role("link", name="Queue").click()
        assert [await step.is_visible() for step in steps] == [True, False, False]
