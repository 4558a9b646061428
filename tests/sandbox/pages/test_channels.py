"""WhatsApp and SMS on a phone in a real browser: what they look like there, and what their use posts."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NUMBER = "+17703101414"
PATH = "/handsets/%2B17703101414"


def reply(text: str) -> dict[str, Any]:
    return {"type": "reply", "text": text, "postback": text.lower()}


def notice(stand) -> dict[str, Any]:
    """A WhatsApp template as its recipient sees it."""
    body = {"title": "Gate changed", "description": "AA 98 leaves from C35.", "media": {"url": stand.picture}}
    site = {"type": "open_url", "text": "Open the map", "url": "https://acme.example/gates"}
    return {"type": "card", "card": body, "suggestions": [reply("Rebook"), site]}


async def test_whatsapp_is_one_piece_and_its_buttons_stay(stand, look) -> None:
    message = stand.arrive_on(NUMBER, "wa", notice(stand), footer="Acme Air")
    view = await look(PATH)
    piece = view.page.locator(".whole")
    await expect(piece.locator(".card-title")).to_have_text("Gate changed")
    await expect(piece.locator(".card-footer")).to_have_text("Acme Air")
    await expect(piece.get_by_role("link", name="Open the map")).to_be_visible()
    await expect(view.page.locator(".chip")).to_have_count(0)
    await expect(view.page.locator(".phone-head .channel").first).to_have_text("WA")
    await piece.get_by_role("button", name="Rebook").click()
    assert view.posts("tap") == [{"message": message, "suggestion": "-:0"}]
    await expect(view.page.locator(".own .bubble")).to_have_text("Rebook")
    await expect(view.page.locator(".own .quotation")).to_contain_text("Gate changed")
    await expect(piece.get_by_role("button", name="Rebook tapped")).to_be_visible()


async def test_a_whatsapp_list_opens_behind_its_button(stand, look) -> None:
    content = {"type": "text", "text": "Which flight?", "suggestions": [reply("AA 98"), reply("AA 100")]}
    message = stand.arrive_on(NUMBER, "wa", content, menu="Choose a flight")
    view = await look(PATH)
    await expect(view.page.get_by_role("button", name="AA 98")).to_have_count(0)
    await view.page.get_by_role("button", name="Choose a flight").click()
    await view.page.get_by_role("dialog").get_by_role("button", name="AA 100").click()
    await view.posted_soon("tap", {"message": message, "suggestion": "-:1"})
    await expect(view.page.get_by_role("dialog")).to_have_count(0)


async def test_a_whatsapp_message_can_be_quoted(stand, look) -> None:
    message = stand.arrive_on(NUMBER, "wa", {"type": "text", "text": "Gate C35"})
    view = await look(PATH)
    await view.page.get_by_role("button", name="Quote: Gate C35").click()
    await expect(view.page.locator(".quoting")).to_contain_text("Gate C35")
    await view.page.keyboard.type("Which terminal?")
    await view.page.keyboard.press("Enter")
    await view.posted_soon("say", {"text": "Which terminal?", "sender": "cloud/15550001", "in_reply_to": message})
    await expect(view.page.locator(".own .quotation")).to_contain_text("Gate C35")
    await expect(view.page.locator(".quoting")).to_be_hidden()


async def test_sms_is_plain_and_counts_its_parts(stand, look) -> None:
    words = "Gate C35, see https://acme.example/g"
    stand.arrive_on(NUMBER, "sms", {"type": "text", "text": words, "suggestions": [reply("Yes")]}, parts=2)
    view = await look(PATH)
    await expect(view.page.locator(".sender")).to_have_text("72646")
    await expect(view.page.locator(".bubble")).to_have_text(words)
    await expect(view.page.locator(".bubble a")).to_have_attribute("href", "https://acme.example/g")
    await expect(view.page.locator(".meta")).to_contain_text("2 parts")
    await expect(view.page.locator(".chip")).to_have_count(0)
    await expect(view.page.locator(".verified")).to_be_hidden()
    await view.page.get_by_role("textbox", name="Message").fill("STOP")
    await view.page.keyboard.press("Enter")
    await view.posted_soon("say", {"text": "STOP", "sender": "centre/15550001"})


async def test_each_channel_has_its_conversation_and_its_troubles(stand, look) -> None:
    stand.arrive(NUMBER, {"type": "text", "text": "By RCS"}, ago=60)
    stand.arrive_on(NUMBER, "wa", {"type": "text", "text": "By WhatsApp"}, ago=40)
    stand.arrive_on(NUMBER, "sms", {"type": "text", "text": "By SMS"})
    stand.phone(NUMBER, has_wa=False, signal=False)
    view = await look(PATH)
    tabs = view.page.locator(".thread")
    await expect(tabs).to_have_text(["Acme AirRCS1 unread", "Acme AirWA1 unread", "72646SMS"])
    await expect(view.page.locator(".phone-state")).to_have_text("No signal")
    await tabs.nth(1).click()
    await expect(view.page.locator(".bubble")).to_have_text(["By WhatsApp"])
    await expect(view.page.locator(".phone-state")).to_have_text("WhatsApp is off")
    await tabs.first.click()
    await expect(view.page.locator(".phone-state")).to_be_hidden()


async def test_a_small_phone_stays_in_its_place_with_many_conversations(stand, look) -> None:
    stand.arrive(NUMBER, {"type": "text", "text": "By RCS"})
    for channel in ("wa", "sms"):
        stand.arrive_on(NUMBER, channel, {"type": "text", "text": "Hello"})
    view = await look("/")
    await expect(view.page.locator(".thread")).to_have_count(3)
    phone = await view.page.locator(".phone").bounding_box()
    slot = await view.page.locator(".slot").bounding_box()
    tabs = await view.page.locator(".threads").bounding_box()
    open_tab = await view.page.locator(".thread[aria-pressed=true]").bounding_box()
    assert phone is not None and slot is not None and tabs is not None and open_tab is not None
    assert open_tab["x"] + open_tab["width"] <= tabs["x"] + tabs["width"] + 1  # the one that is open is in sight
    assert phone["width"] <= slot["width"]


@pytest.mark.parametrize(("address", "shown"), [("+12025550102", "+1 202 555 0102"), ("72646", "72646")])
async def test_a_text_comes_from_a_number_as_phones_write_it(stand, look, address: str, shown: str) -> None:
    stand.arrive_on(NUMBER, "sms", {"type": "text", "text": "Late"}, address=address)
    view = await look(PATH)
    await expect(view.page.locator(".phone").get_by_text(shown, exact=True).first).to_be_visible()


async def test_a_person_may_write_first(stand, look) -> None:
    stand.arrive_on("+12025550100", "sms", {"type": "text", "text": "To somebody else"})
    stand.arrive_on("+12025550100", "wa", {"type": "text", "text": "To somebody else"})
    view = await look(PATH)
    await view.page.get_by_role("button", name="Write to a sender").click()
    await view.page.get_by_role("button", name="72646 · SMS").click()
    await view.page.keyboard.type("HELP")
    await view.page.keyboard.press("Enter")
    await view.posted_soon("say", {"text": "HELP", "sender": "centre/15550001"})
    await expect(view.page.locator(".own .bubble")).to_have_text("HELP")


@pytest.mark.parametrize("channel", ["wa", "sms"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(stand, look, channel: str, scheme: str) -> None:
    stand.arrive_on(
        NUMBER, channel, notice(stand) if channel == "wa" else {"type": "text", "text": "Late"}, footer="Acme"
    )
    stand.say(NUMBER, "Thanks")
    for width in (1440, 390):
        view = await look(PATH, width=width, color_scheme=scheme, bypass_csp=True)
        await expect(view.page.locator(".message")).to_have_count(2)
        result = await Axe().run(view.page)
        assert result.violations_count == 0, result.generate_report()
        assert await view.sideways() == 0
