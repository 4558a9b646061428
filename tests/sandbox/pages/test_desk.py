"""The page of a desk in a real browser: what an agent sees and does there, live, by keyboard, on a small screen."""

from __future__ import annotations

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PAGE = "/desks/bureau/32106792"


async def test_an_agent_sees_who_wrote_what_the_brand_told_and_answers(stand, look) -> None:
    stand.desk(Matt="Learn More")
    view = await look(PAGE)
    page = view.page
    await expect(page.get_by_role("heading", name="Acme Air")).to_be_visible()
    beside = page.get_by_role("complementary", name="Beside it")
    await expect(beside.locator("dt")).to_have_text(["Sky Miles", "T-Shirt Size"])
    await expect(beside.locator("dd")).to_have_text(["1234567890", "Large"])
    said = page.get_by_role("log", name="What was said")
    await expect(said.get_by_role("article")).to_contain_text("Learn More")
    await page.get_by_role("button", name="Take it").click()
    await expect(page.get_by_text("taken by Ada")).to_be_visible()
    await expect(page.get_by_role("button", name="Take it")).to_be_hidden()
    answer = page.get_by_label("Answer", exact=True)
    await answer.fill("It leaves at 7:35 pm.")
    await answer.press("Enter")
    await expect(said.get_by_role("article")).to_have_count(2)
    await expect(said.locator(".own .bubble")).to_have_text("It leaves at 7:35 pm.")
    await expect(answer).to_have_value("")
    await expect(answer).to_be_focused()
    deeds = [body["do"] for body in view.posts("deeds")]
    assert deeds.count("read") == 1 and [deed for deed in deeds if deed not in ("read", "type")] == ["take", "say"]
    await page.get_by_label("Skill to transfer it to").select_option("baggage")
    await page.get_by_role("button", name="Transfer").click()
    await expect(page.locator(".case-head")).to_contain_text("baggage")
    await page.get_by_role("button", name="Close conversation").click()
    await expect(page.get_by_text("This conversation is closed.")).to_be_visible()
    await expect(answer).to_be_hidden()


async def test_what_happens_comes_in_by_itself_and_a_conversation_has_an_address(stand, look) -> None:
    stand.desk()
    view = await look(PAGE)
    page = view.page
    await expect(page.get_by_role("region", name="No conversation yet")).to_be_visible()
    stand.ask("open", customer="Matt", skill="service", text="Hello")
    stand.ask("open", customer="Jana", skill="service", text="Guten Tag")
    rows = page.get_by_role("navigation", name="Conversations").get_by_role("link")
    await expect(rows).to_have_count(2)
    await rows.filter(has_text="Matt").click()
    assert page.url.endswith("?conversation=B1")
    stand.ask("say", id="B1", text="<b>Anybody?</b>")
    await expect(page.locator(".lines .bubble")).to_have_text(["Hello", "<b>Anybody?</b>"])
    await page.reload()
    await expect(page.locator(".case-head h2")).to_have_text("Matt")
    await page.goto(stand.base + PAGE + "?conversation=B2")
    await expect(page.locator(".case-head h2")).to_have_text("Jana")


async def test_what_cannot_be_done_is_said(stand, look) -> None:
    stand.desk(Matt="Hello")
    view = await look(PAGE)
    view.forgiven += ["409"]
    await view.page.get_by_role("button", name="Transfer").click()
    await expect(view.page.get_by_role("alert").filter(has_text="Only who has taken a conversation")).to_be_visible()


async def test_the_overview_leads_to_the_desk(stand, look) -> None:
    stand.desk()
    view = await look("/")
    await view.page.get_by_role("link", name="Acme Air at bureau").click()
    await expect(view.page.get_by_role("heading", name="Acme Air")).to_be_visible()
    assert view.page.url.endswith(PAGE)


async def test_an_account_that_nobody_registered_is_told(stand, look) -> None:
    view = await look("/desks/bureau/1")
    view.forgiven += ["404"]
    await expect(view.page.get_by_role("alert").filter(has_text="POST /sandbox/desks registers one")).to_be_visible()


@pytest.mark.parametrize("width", [320, 900, 1440])
async def test_it_does_not_scroll_sideways(stand, look, width: int) -> None:
    stand.desk(**{"Matt with a name that goes on and on " * 3: "word" * 200})
    view = await look(PAGE, width=width)
    await expect(view.page.locator(".lines .bubble")).to_be_visible()
    assert await view.sideways() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(stand, look, scheme: str) -> None:
    stand.desk(Matt="Learn More", Jana="Danke")
    stand.ask("close", id="B2")
    view = await look(PAGE + "?conversation=B1", color_scheme=scheme, bypass_csp=True)
    await expect(view.page.locator(".lines .bubble")).to_be_visible()
    found = await Axe().run(view.page)
    assert found.violations_count == 0, found.generate_report()
