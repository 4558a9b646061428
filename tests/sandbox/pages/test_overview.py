"""All phones in a real browser; and for both pages: keyboard, small screens, dark, screen readers."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

MATT, JANA = "+17703101414", "+4915123456789"


def card(stand) -> dict[str, Any]:
    body = {
        "title": "Gate changed", "description": "See https://acme.example/gates",
        "media": {"url": stand.picture, "height": "medium"},
        "suggestions": [
            {"type": "reply", "text": "Thanks"}, {"type": "open_url", "text": "Map", "url": "https://acme.example/"},
        ],
    }  # fmt: skip
    dial = {"type": "dial", "text": "Call", "phone": MATT}
    return {"type": "card", "orientation": "horizontal", "thumbnail_side": "left", "suggestions": [dial], "card": body}


def people(stand) -> None:
    stand.phone(MATT, name="Matt")
    stand.arrive(MATT, {"type": "text", "text": "Your bag is on belt 4"}, ago=50)
    stand.arrive(MATT, card(stand))
    stand.arrive(JANA, {"type": "carousel", "width": "small", "cards": [card(stand)["card"]] * 2}, ago=90_000)
    stand.say(JANA, "Danke", ago=80)
    stand.phone(JANA, name="Jana", has_rcs=False, online=False, muted=True)


async def test_an_empty_overview_says_what_makes_a_phone_appear(stand, look) -> None:
    view = await look("/")
    empty = view.page.get_by_role("region", name="No phone yet")
    await expect(empty).to_contain_text("heliograph demo")
    await expect(empty).to_contain_text("heliograph send")
    stand.arrive(MATT, card(stand))
    await expect(empty).to_be_hidden()
    await expect(view.page.get_by_role("link", name="+1 770 310 1414")).to_be_visible()


async def test_phones_stand_side_by_side_and_are_phones(stand, look) -> None:
    people(stand)
    view = await look("/")
    matt = view.page.get_by_role("region", name="Phone +1 770 310 1414")
    jana = view.page.get_by_role("region", name="Phone +49 151 234 56789")
    one, other = await matt.bounding_box(), await jana.bounding_box()
    assert one is not None and other is not None
    assert one["y"] == other["y"] and one["x"] + one["width"] < other["x"]
    await expect(view.page.locator(".slot").nth(1).locator(".badges li")).to_have_text(["No RCS", "Offline", "Muted"])
    await expect(view.page.locator(".slot-head .unread").first).to_have_text("2 unread")
    await matt.get_by_role("button", name="Thanks").click()
    await expect(matt.locator(".own .bubble")).to_have_text("Thanks")
    stand.phone(JANA, has_rcs=True, online=True)
    stand.arrive(JANA, {"type": "text", "text": "News"})
    await expect(jana.get_by_text("News", exact=True)).to_be_visible()
    assert view.posts("read") == []  # a glance at the overview is no reading


async def test_a_number_is_opened_from_the_form(stand, look) -> None:
    view = await look("/")
    field = view.page.get_by_label("Open a number")
    await field.fill("12")
    await field.press("Enter")
    await expect(view.page.get_by_text("7 to 15 digits")).to_be_visible()
    assert view.posted == []
    await field.fill("+1 (770) 310-1414")
    await field.press("Enter")
    await expect(view.page.get_by_role("link", name="+1 770 310 1414")).to_be_focused()
    assert view.posted == [(f"/sandbox/handsets/{MATT}", {})]


async def test_the_list_filters_and_its_address_can_be_sent(stand, look) -> None:
    people(stand)
    view = await look("/?view=list")
    await expect(view.page.locator(".last").first).to_contain_text("Gate changed")
    await expect(view.page.locator(".phone")).to_have_count(0)
    await view.page.keyboard.press("/")
    await view.page.keyboard.type("jan")
    await expect(view.page.locator(".slot:visible")).to_have_count(1)
    await expect(view.page.locator("#count")).to_have_text("1 of 2 phones")


async def test_pausing_holds_the_page_and_resuming_catches_up(stand, look) -> None:
    people(stand)
    view = await look(f"/handsets/{MATT}")
    await expect(view.page.get_by_text("Live", exact=True)).to_be_visible()
    await view.page.get_by_role("button", name="Pause").click()
    stand.arrive(MATT, {"type": "text", "text": "While you looked away"})
    await view.page.wait_for_timeout(300)
    await expect(view.page.get_by_text("While you looked away")).to_have_count(0)
    await view.page.get_by_role("button", name="Resume").click()
    await expect(view.page.get_by_text("While you looked away")).to_be_visible()


async def test_the_page_comes_back_after_a_restart(stand, look) -> None:
    people(stand)
    view = await look(f"/handsets/{MATT}")
    view.forgiven = ["ERR_", "/read"]  # what it was about to read is gone with the first sandbox
    await expect(view.page.get_by_text("Live", exact=True)).to_be_visible()
    port = await stand.stop()
    await expect(view.page.get_by_text("Reconnecting")).to_be_visible()
    stand.renew()  # another sandbox at the same address
    stand.arrive(MATT, {"type": "text", "text": "Meanwhile"})
    await stand.start(port)
    await expect(view.page.get_by_text("Meanwhile")).to_be_visible(timeout=15_000)


async def test_everything_works_by_keyboard_alone(stand, look) -> None:
    people(stand)
    view = await look("/?view=list")
    keyboard = view.page.keyboard
    await expect(view.page.get_by_role("link", name="Matt")).to_be_visible()
    await keyboard.press("j")
    await expect(view.page.get_by_role("link", name="Matt")).to_be_focused()
    await keyboard.press("j")
    await keyboard.press("k")
    await keyboard.press("Enter")
    await expect(view.page.get_by_role("heading", name="Matt")).to_be_visible()

    async def tab_to(role: str, name: str) -> None:
        target = view.page.get_by_role(role, name=name).first
        for _ in range(60):
            await keyboard.press("Tab")
            if await target.evaluate("node => node === document.activeElement"):
                outline = await target.evaluate("node => getComputedStyle(node).outlineStyle")
                assert outline == "solid", f"the focus on {name} cannot be seen"
                return
        raise AssertionError(f"Tab never reaches {role} {name}")

    await tab_to("switch", "Muted")
    await keyboard.press("Space")
    await view.posted_soon(MATT, {"muted": True})
    await tab_to("button", "Thanks")
    await keyboard.press("Enter")
    await expect(view.page.locator(".own .bubble")).to_have_text("Thanks")
    await tab_to("textbox", "Message")
    await keyboard.type("Bye")
    await keyboard.press("Enter")
    await expect(view.page.locator(".own .bubble")).to_have_text(["Thanks", "Bye"])


async def test_single_keys_can_be_put_off(stand, look) -> None:
    people(stand)
    view = await look("/?view=list")
    await expect(view.page.get_by_role("link", name="Matt")).to_be_visible()
    await view.page.keyboard.press("?")
    await view.page.get_by_role("switch", name="Single keys").click()
    await view.page.get_by_role("button", name="Close").click()
    await view.page.keyboard.press("/")
    await expect(view.page.get_by_label("Filter by name or number")).not_to_be_focused()


async def test_the_theme_follows_the_system_and_the_switch(stand, look) -> None:
    view = await look("/", color_scheme="dark")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    assert await view.page.evaluate(ground) == "rgb(14, 17, 21)"
    await view.page.get_by_role("button", name="Theme").click()
    assert await view.page.evaluate(ground) == "rgb(244, 245, 247)"
    await view.page.reload()
    assert await view.page.evaluate(ground) == "rgb(244, 245, 247)"


@pytest.mark.parametrize("width", [320, 390, 700, 881, 1440])
@pytest.mark.parametrize("path", ["/", f"/handsets/{MATT}", f"/handsets/{JANA}"])
async def test_no_page_scrolls_sideways(stand, look, path: str, width: int) -> None:
    people(stand)
    long = {"type": "text", "text": "W" * 300, "suggestions": [{"type": "reply", "text": "M" * 25}]}
    stand.phone(JANA, has_rcs=True, online=True)
    stand.arrive(JANA, long)
    view = await look(path, width=width, height=844)
    await expect(view.page.get_by_text("Live", exact=True)).to_be_visible()
    assert await view.sideways() == 0
    if path != "/" and width < 881:
        await view.page.get_by_role("button", name="Switches").click()
        assert await view.sideways() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/?view=list", f"/handsets/{MATT}", f"/handsets/{JANA}"])
async def test_axe_finds_nothing(stand, look, path: str, scheme: str) -> None:
    people(stand)
    view = await look(path, color_scheme=scheme, bypass_csp=True)  # axe itself comes in as an inline script
    await expect(view.page.get_by_text("Live", exact=True)).to_be_visible()
    await view.page.wait_for_timeout(200)
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = await Axe().run(view.page, options={"runOnly": {"type": "tag", "values": rules}})
    assert found.violations_count == 0, found.generate_report()
