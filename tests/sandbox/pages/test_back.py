"""What a person sends besides words, and what the sender shows them: in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NUMBER = "+17703101414"
PATH = "/handsets/%2B17703101414"
RCS, WA = ("google-rbm", "acme-air"), ("cloud", "15550001")


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


async def test_a_picture_from_this_computer_is_sent_and_shown(stand, look) -> None:
    stand.arrive(NUMBER, text("Send us a picture of your bag."))
    view = await look(PATH)
    await view.page.get_by_role("button", name="Send something else").click()
    async with view.page.expect_file_chooser() as chosen:
        await view.page.get_by_role("dialog").get_by_role("button", name="A file from this computer").click()
    picture = stand.world.medium(stand.picture.rpartition("/")[2])
    await (await chosen.value).set_files({"name": "bag.png", "mimeType": "image/png", "buffer": picture.data})
    await expect(view.page.get_by_role("img", name="bag.png")).to_have_js_property("naturalWidth", 480)
    (sent,) = view.posts("file")
    assert (sent["name"], sent["content_type"], sent["sender"]) == ("bag.png", "image/png", "google-rbm/acme-air")
    kept = stand.world.medium(stand.bubble(NUMBER).shown.content.media.url.rpartition("/")[2])
    assert (kept.content_type, kept.data) == ("image/png", picture.data)


async def test_a_place_is_sent_on_whatsapp_and_sms_has_words_alone(stand, look) -> None:
    stand.arrive_on(NUMBER, "sms", text("By SMS"), ago=60)
    stand.arrive_on(NUMBER, "wa", text("Where are you?"))
    view = await look(PATH)
    attach = view.page.get_by_role("button", name="Send something else")
    await attach.click()
    await view.page.get_by_role("button", name="A location").click()
    await view.page.get_by_role("button", name="Share location").click()
    await view.posted_soon("location", {"latitude": 39.2976, "longitude": -94.7139, "sender": "cloud/15550001"})
    await expect(view.page.locator(".own .bubble")).to_have_text("Location 39.2976, -94.7139")
    await expect(attach).to_be_focused()
    await view.page.locator(".thread").first.click()
    await expect(view.page.locator(".bubble")).to_have_text(["By SMS"])
    await expect(attach).to_be_hidden()


async def test_who_writes_is_shown_until_the_message_comes(stand, look) -> None:
    stand.arrive(NUMBER, text("Late?"))
    view = await look(PATH)
    writing = view.page.locator(".writing")
    await expect(view.page.locator(".bubble")).to_have_text("Late?")
    await expect(writing).to_have_count(0)
    stand.world.writes(NUMBER, *RCS, 20)
    await expect(writing).to_have_text("Acme Air is writing")
    await expect(writing).to_be_in_viewport()
    stand.arrive(NUMBER, text("Two hours."))
    await expect(view.page.locator(".bubble")).to_have_text(["Late?", "Two hours."])
    await expect(writing).to_have_count(0)
    stand.world.writes(NUMBER, *RCS, 0.3)
    await expect(writing).to_be_visible()
    await expect(writing).to_have_count(0)


async def test_who_writes_in_another_conversation_is_shown_there(stand, look) -> None:
    stand.arrive(NUMBER, text("By RCS"), ago=60)
    stand.arrive_on(NUMBER, "wa", text("By WhatsApp"))
    view = await look(PATH)
    await expect(view.page.locator(".thread")).to_have_count(2)
    stand.world.writes(NUMBER, *RCS, 20)
    await view.page.wait_for_timeout(300)
    await expect(view.page.locator(".writing")).to_have_count(0)
    await view.page.locator(".thread").first.click()
    await expect(view.page.locator(".writing")).to_have_text("Acme Air is writing")


async def test_the_persons_words_are_marked_as_read(stand, look) -> None:
    stand.arrive_on(NUMBER, "wa", text("Late by two hours."))
    for words in ("Why?", "Hello?"):
        stand.say(NUMBER, words)
    view = await look(PATH)
    state = view.page.locator(".own .state")
    await expect(state).to_have_text(["Sent", "Sent"])
    assert stand.world.saw(*WA, stand.bubble(NUMBER, 1).id) == NUMBER
    await expect(state).to_have_text(["Read", "Sent"])
    assert stand.world.saw(*WA, stand.bubble(NUMBER).id, earlier=True) == NUMBER
    await expect(state).to_have_text(["Read", "Read"])
    assert stand.world.saw(*WA, "nobody's") == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(stand, look, scheme: str) -> None:
    stand.arrive_on(NUMBER, "wa", text("Late by two hours."))
    stand.say(NUMBER, "Why?")
    stand.world.saw(*WA, stand.bubble(NUMBER).id)
    stand.world.writes(NUMBER, *WA, 60)
    for width in (1440, 390):
        view = await look(PATH, width=width, color_scheme=scheme, bypass_csp=True)
        await expect(view.page.locator(".writing")).to_be_visible()
        await view.page.get_by_role("button", name="Send something else").click()
        await expect(view.page.get_by_role("dialog")).to_be_visible()
        result = await Axe().run(view.page)
        assert result.violations_count == 0, result.generate_report()
        assert await view.sideways() == 0
