"""The console in a browser, from outside only: in with a keyboard, found, read, written down; at every size and in both
themes fit for everybody (WCAG 2.2 AA by axe's rules)."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright, expect

from journey.demonstration import Demonstration

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CHROMIUM = shutil.which("chromium")
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
AA = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
NASTY = "<img src=x onerror=alert(1)> \u202etxt.exe " + "w" * 400


class People:
    """The demo, and who may use its console."""

    def __init__(self, demo: Demonstration) -> None:
        self.demo = demo
        self.passwords = {
            name: demo.run("users", "add", name, "--role", role, "--generate")["password"]
            for name, role in (("ann", "admin"), ("vic", "viewer"))
        }
        self.alert: str = demo.call["headers"]["heliograph-alert"]

    def address(self, path: str) -> str:
        return self.demo.base_url + path


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Any:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: the console is not looked at. `apt-get install chromium` brings it.")
    demo = Demonstration(tmp_path_factory.mktemp("console"))
    yield People(demo)
    assert demo.end() == (0, "")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(people: People) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=quiet)
        yield opened
        await opened.close()


Enter = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="module")
async def enter(people: People, browser: Browser) -> AsyncIterator[Enter]:
    """`await enter("ann")` logs in by keyboard alone. A console error (a broken policy is one) or a call to another
    host fails the test."""
    faults: list[str] = []
    windows = []

    async def enter(name: str, path: str = "/console/alerts", **context: Any) -> Page:
        window = await browser.new_context(**{"viewport": DESK, **context})
        window.set_default_timeout(10_000)
        windows.append(window)
        page = await window.new_page()
        page.on("console", lambda said: said.type in ("error", "warning") and faults.append(said.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda asked: asked.url.startswith(people.demo.base_url) or faults.append(asked.url))
        await page.goto(people.address(path))
        await expect(page.get_by_label("Name")).to_be_focused()
        await page.keyboard.type(name)
        await page.keyboard.press("Tab")
        await page.keyboard.type(people.passwords[name])
        await page.keyboard.press("Enter")
        await page.wait_for_url(people.address(path))
        return page

    yield enter
    for window in windows:
        await window.close()
    assert faults == []


async def test_an_alert_is_found_and_read_by_keyboard_alone(people: People, enter: Enter) -> None:
    page = await enter("ann", "/console/opt-outs")
    await page.keyboard.press("g")
    await page.keyboard.press("a")
    await page.wait_for_url("**/console/alerts")
    await page.keyboard.press("/")
    await expect(page.get_by_label("Recipient")).to_be_focused()
    await page.keyboard.type("+1 770 310 1414")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/console/alerts?recipient=*")
    assert "external" not in page.url  # the address names what was asked for and nothing else
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/console/alerts/{people.alert}")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Matt Fanning")
    phone = page.get_by_role("region", name="The message as the recipient sees it")
    await expect(phone).to_contain_text("It now leaves at 7:35 pm from gate C35.")
    await expect(phone.get_by_role("img")).not_to_have_js_property("naturalWidth", 0)
    assert "7703101414" not in (await page.content()).replace(" ", "")
    await page.get_by_role("button", name="Show the number").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("+1 770-310-1414")
    [line] = people.demo.run("audit", "--what", "number.shown")
    assert (line["who"], line["on"]) == ("ann", people.alert)


async def test_single_keys_are_told_and_can_be_put_off(enter: Enter) -> None:
    page = await enter("vic")
    await page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    await expect(keys).to_be_visible()
    switch = keys.get_by_role("switch", name="Single keys")
    await switch.press("Space")
    await expect(switch).not_to_be_checked()
    await page.keyboard.press("Escape")
    await page.keyboard.press("/")
    await expect(page.get_by_label("Recipient")).not_to_be_focused()
    await page.reload()
    await page.keyboard.press("?")
    await expect(keys).to_be_hidden()


async def test_the_theme_is_switched_and_stays(enter: Enter) -> None:
    page = await enter("vic", color_scheme="light")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = await page.evaluate(ground)
    await page.locator("summary", has_text="vic").click()
    switch = page.get_by_role("button", name="Theme:")
    await switch.click()
    await switch.click()
    await expect(switch).to_have_text("Theme: dark")
    dark = await page.evaluate(ground)
    assert dark != light
    await page.reload()
    assert await page.evaluate(ground) == dark


async def test_an_opt_out_is_written_down_and_removed_in_the_browser(people: People, enter: Enter) -> None:
    page = await enter("ann", "/console/opt-outs")
    await page.get_by_text("Write an opt-out down").click()
    await page.locator("#new-site").select_option("25508804")  # the demo has two sites
    await page.get_by_label("Number with its country code").fill("+1 202 555 0143")
    await page.get_by_label("What is not wanted").select_option("sms")
    await page.get_by_role("button", name="Write it down").click()
    await expect(page.get_by_role("status").first).to_contain_text("It is written down")
    [row] = people.demo.run("opt-outs", "list", "--full")
    assert (row["recipient"], row["scope"], row["how"], row["by"]) == ("+12025550143", "sms", "console", "ann")
    await page.get_by_role("link", name="Remove the opt-out").click()
    await page.get_by_role("button", name="Remove the opt-out").click()
    await expect(page.get_by_role("status").first).to_contain_text("The opt-out is removed")
    assert people.demo.run("opt-outs", "list") == []


async def test_who_is_logged_out_does_not_come_back_by_the_browsers_memory(enter: Enter) -> None:
    page = await enter("vic")
    await page.locator("summary", has_text="vic").press("Enter")
    await page.get_by_role("button", name="Log out").press("Enter")
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_every_page_fits_and_everybody_can_use_it(people: People, enter: Enter, size: dict[str, int]) -> None:
    page = await enter("ann", viewport=size, color_scheme="light")
    for path in (
        "/console", "/console/alerts", f"/console/alerts?external={NASTY}", "/console/opt-outs", "/console/users",
        "/console/audit", "/console/account", f"/console/alerts/{people.alert}",
    ):  # fmt: skip
        await page.goto(people.address(path))
        for details in await page.locator("main details > summary").all():
            await details.click()
        await usable(page)
    await page.keyboard.press("?")
    await usable(page)
    await page.context.clear_cookies()
    await page.goto(people.address("/console/login"))
    await usable(page)


async def usable(page: Page) -> None:
    """In light by all of axe's rules for WCAG 2.2 AA; in dark, where nothing but colours differs, by those of
    colours."""
    await expect(page.locator("h1")).to_be_visible()
    wider = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{page.url} is {wider} pixels too wide"
    for scheme, rules in (("light", AA), ("dark", COLOURS)):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = await Axe().run(page, options=rules)
        violations = [(one["id"], [node["html"] for node in one["nodes"]]) for one in found.response["violations"]]
        assert violations == [], (page.url, scheme)
