"""The whole product in a browser: the demo's phones and pages, and what a tap does to the record."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright, expect

from journey.caller import Caller
from journey.demonstration import Demonstration
from journey.outside import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CHROMIUM = shutil.which("chromium")
MATT = "7703101414"
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Any:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: the pages are not looked at. `apt-get install chromium` brings it.")
    running = Demonstration(tmp_path_factory.mktemp("browser"))
    yield running
    assert running.end() == (0, "")


@pytest.fixture(scope="module")
def caller(demo: Demonstration) -> Caller:
    request = json.loads((ROOT / "examples" / "acme-air" / "request.json").read_text())
    return Caller(demo.base_url, demo.told, request)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(demo: Demonstration) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=quiet)
        yield opened
        await opened.close()


Look = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="module")
async def look(demo: Demonstration, browser: Browser) -> AsyncIterator[Look]:
    """`await look(address)` opens a window. A console error or a request to another host fails the test."""
    faults: list[str] = []
    windows = []
    own = (demo.base_url, demo.sandbox_url, "data:")

    async def look(address: str, **context: Any) -> Page:
        window = await browser.new_context(**{"viewport": DESK, **context})
        window.set_default_timeout(10_000)
        windows.append(window)
        page = await window.new_page()
        page.on("console", lambda said: said.type in ("error", "warning") and faults.append(said.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda asked: asked.url.startswith(own) or faults.append(f"asked {asked.url}"))
        await page.goto(address)
        return page

    yield look
    for window in windows:
        await window.close()
    assert faults == []


def handset(demo: Demonstration, number: str) -> str:
    return f"{demo.sandbox_url}/handsets/{quote(f'+1{number}', safe='')}"


async def record(demo: Demonstration, alert: str, until: Callable[[list[str]], bool]) -> dict[str, Any]:
    """`heliograph alerts show`, once what happened is as it is waited for; callbacks take some tenths of a second."""
    for _ in range(20):
        told: dict[str, Any] = await asyncio.to_thread(demo.run, "alerts", "show", alert)
        if until([entry["kind"] for entry in told["entries"]]):
            return told
    raise AssertionError(f"not in the record: {[entry['kind'] for entry in told['entries']]}")


async def test_the_phone_shows_the_card_and_a_tap_reaches_the_record(demo: Demonstration, look: Look) -> None:
    page = await look(demo.told["handset_url"])
    card = page.locator(".card").first
    await expect(card.locator(".card-title")).to_have_text("Tap to Select Desired Action")
    await expect(card.locator(".card-description")).to_have_text(
        "Your flight to Kansas City is delayed. It now leaves at 7:35 pm from gate C35."
    )
    await expect(card.get_by_role("button")).to_have_text(["See Menu of Functions", "Learn More"])
    picture = card.get_by_role("img")  # Google's form of a card has no words for its picture: the title stands for them
    await expect(picture).not_to_have_js_property("naturalWidth", 0)
    await card.get_by_role("button", name="Learn More").click()
    await expect(page.locator(".own .bubble")).to_have_text("Learn More")
    alert = demo.call["headers"]["heliograph-alert"]
    told = await record(demo, alert, lambda kinds: "replied" in kinds and "read" in kinds)
    reply = next(entry for entry in told["entries"] if entry["kind"] == "replied")
    assert reply["detail"]["event"]["kind"] == "tap"
    assert reply["detail"]["event"]["postback"] == "postback_data_LearnMore"
    assert reply["attempt"] == told["attempts"][0]["id"]


async def test_a_second_alert_comes_without_reloading(demo: Demonstration, caller: Caller, look: Look) -> None:
    number = "4043438646"
    first = await asyncio.to_thread(caller.to, number)
    assert first.status == 200
    page, overview = await look(handset(demo, number)), await look(demo.sandbox_url)
    await expect(page.locator(".card")).to_have_count(1)
    await page.evaluate("window.since = 'the first load'")
    second = await asyncio.to_thread(caller.to, number, externalAlertId="the second", proactiveLanguage="spanish")
    assert second.status == 200
    await expect(page.locator(".card")).to_have_count(2)
    await expect(page.locator(".card-title").last).to_have_text("Toque para elegir una opción")
    assert await page.evaluate("window.since") == "the first load"
    await expect(overview.get_by_role("region", name="Phone +1 404 343 8646").locator(".card")).to_have_count(2)


async def test_who_unsubscribes_on_the_phone_is_sent_nothing_more(
    demo: Demonstration, caller: Caller, look: Look
) -> None:
    number = "4043438647"
    assert (await asyncio.to_thread(caller.to, number)).status == 200
    page = await look(handset(demo, number))
    await page.get_by_role("button", name="Unsubscribe", exact=True).click()
    for turn in range(50):  # the event takes some milliseconds; each call is another alert
        changes = {"externalAlertId": f"after the stop {turn}", "proactiveChannel": "rcs"}
        said = await asyncio.to_thread(caller.to, number, **changes)
        if said.status == 400:
            break
        await asyncio.sleep(0.1)
    assert said.status == 400, said
    assert said.json["success"] is False and "opted out" in said.json["error"]
    await page.get_by_role("button", name="Subscribe again").click()


async def test_a_phone_without_rcs_fails_the_compatibility_check(
    demo: Demonstration, caller: Caller, look: Look
) -> None:
    number = "4043438648"  # one that nobody asked for yet: a yes is kept for a day
    page = await look(handset(demo, number))
    switch = page.get_by_role("switch", name="Has RCS")
    async with page.expect_response(lambda answer: answer.request.method == "POST"):
        await switch.click()
    await expect(switch).not_to_be_checked()
    said = await asyncio.to_thread(caller.to, number, proactiveChannel="rcs")
    assert (said.status, said.json) == (400, {"success": False, "error": "Failed Compatibility Check"})
    await expect(page.locator(".card")).to_have_count(0)
    said = await asyncio.to_thread(caller.to, number)
    assert (said.status, said.headers["heliograph-channel"]) == (200, "wa")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
async def test_every_page_fits_and_everybody_can_use_it(
    demo: Demonstration, look: Look, size: dict[str, int], scheme: str
) -> None:
    for address in (demo.told["handset_url"], f"{demo.sandbox_url}/", demo.told["docs_url"]):
        page = await look(address, viewport=size, color_scheme=scheme)
        await expect(page.locator("h1")).to_be_visible()
        if address != demo.told["docs_url"]:
            # Shown once the phones are drawn; on a small screen the overview is a list.
            await expect(page.get_by_text("+1 770 310 1414").first).to_be_visible()
        wider = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{address} is {wider} pixels too wide"
        found = await Axe().run(page)
        violations = [(one["id"], [node["html"] for node in one["nodes"]]) for one in found.response["violations"]]
        assert violations == [], address


async def test_the_examples_of_the_docs_page_work_as_they_stand(
    demo: Demonstration, look: Look, tmp_path: Path
) -> None:
    page = await look(demo.told["docs_url"])
    body = await page.get_by_label("Example body").inner_text()
    (tmp_path / "alert.json").write_text(body.replace("1265168451", "from the page"))
    shell = (await page.get_by_label("Example with curl").inner_text()).replace(
        "key=… secret=… token=… token_secret=…",
        "key={consumer_key} secret={consumer_secret} token={token} token_secret={token_secret}".format(**demo.told),
    )
    names = {"KEY": "consumer_key", "SECRET": "consumer_secret", "TOKEN": "token", "TOKEN_SECRET": "token_secret"}
    program = await page.get_by_label("Example in Python").inner_text()
    for name, part in names.items():
        program = program.replace(f'"{name}"', f'"{demo.told[part]}"')
    for command in (["bash", "-eu", "-c", shell], [sys.executable, "-c", program]):
        done = await asyncio.to_thread(
            subprocess.run, command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout)["success"] is True, done.stdout
