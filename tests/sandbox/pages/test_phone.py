"""One phone in a real browser: what it shows, and what it posts when it is used."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from heliograph.core.twin import Medium

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NUMBER = "+17703101414"
PATH = "/handsets/%2B17703101414"


def reply(text: str) -> dict[str, Any]:
    return {"type": "reply", "text": text, "postback": "postback_data"}


def text(words: str, *suggestions: dict[str, Any]) -> dict[str, Any]:
    return {"type": "text", "text": words, "suggestions": list(suggestions)}


def card(stand, **more: Any) -> dict[str, Any]:
    """The card of the source document's answer, with a description."""
    body = {
        "title": "Tap to Select Desired Action", "description": "Now at 7:35 pm from gate C35.",
        "media": {"url": stand.picture, "height": "tall"},
        "suggestions": [reply("See Menu of Functions"), reply("Learn More")],
    }  # fmt: skip
    return {"type": "card", "orientation": "vertical", "thumbnail_side": "right", "card": body | more}


async def test_the_card_is_shown_to_the_letter(stand, look) -> None:
    stand.arrive(NUMBER, card(stand))
    view = await look(PATH)
    shown = view.page.locator(".card")
    await expect(shown.locator(".card-title")).to_have_text("Tap to Select Desired Action")
    await expect(shown.locator(".card-description")).to_have_text("Now at 7:35 pm from gate C35.")
    await expect(shown.get_by_role("button")).to_have_text(["See Menu of Functions", "Learn More"])
    picture = shown.get_by_role("img", name="Tap to Select Desired Action")
    await expect(picture).to_have_js_property("naturalWidth", 480)
    box = await shown.locator(".media").bounding_box()
    assert box is not None and round(box["height"]) == 264  # TALL, as RCS has it
    await expect(view.page.locator(".sender")).to_have_text("Acme Air")
    await expect(view.page.locator(".channel")).to_have_text("RCS")


async def test_a_tap_in_a_card_answers_as_the_own_bubble(stand, look) -> None:
    message = stand.arrive(NUMBER, card(stand))
    view = await look(PATH)
    await view.page.get_by_role("button", name="Learn More").click()
    await expect(view.page.locator(".own .bubble")).to_have_text("Learn More")
    assert view.posts("tap") == [{"message": message, "suggestion": "0:1"}]
    # The suggestions of a card stay, the tapped one is marked with a shape and a word.
    await expect(view.page.get_by_role("button", name="Learn More tapped")).to_be_visible()


async def test_chips_answer_and_vanish_after_the_next_message(stand, look) -> None:
    message = stand.arrive(NUMBER, text("Rebook?", reply("Yes"), reply("No")))
    view = await look(PATH)
    chips = view.page.locator(".chip")
    await expect(chips).to_have_text(["Yes", "No"])
    await chips.first.click()
    await expect(view.page.locator(".own .bubble")).to_have_text("Yes")
    await expect(chips).to_have_count(0)
    assert view.posts("tap") == [{"message": message, "suggestion": "-:0"}]
    stand.arrive(NUMBER, text("Seat?", reply("Aisle")))
    await expect(chips).to_have_text(["Aisle"])
    stand.arrive(NUMBER, text("Never mind."))
    await expect(chips).to_have_count(0)


async def test_a_message_comes_live_and_the_reader_above_is_left_alone(stand, look) -> None:
    stand.phone(NUMBER, reads=False)  # a read post would fetch the news by itself
    for n in range(40):
        stand.arrive(NUMBER, text(f"Line {n}"), ago=4000 - n * 90)
    view = await look(PATH)
    log = view.page.get_by_role("log")
    await expect(view.page.get_by_text("Line 39", exact=True)).to_be_in_viewport()
    await log.evaluate("log => log.scrollTop = 0")
    stand.arrive(NUMBER, text("Gate changed"))
    jump = view.page.get_by_role("button", name="New message")
    await expect(jump).to_be_visible()
    assert await log.evaluate("log => log.scrollTop") == 0
    await jump.click()
    await expect(view.page.get_by_text("Gate changed")).to_be_in_viewport()
    await expect(jump).to_be_hidden()


async def test_nodes_stay_when_the_state_changes(stand, look) -> None:
    stand.arrive(NUMBER, card(stand))
    stand.phone(NUMBER, reads=False)
    view = await look(PATH)
    await view.page.locator(".card").evaluate("card => card.dataset.same = 'yes'")
    await expect(view.page.locator(".state")).to_have_text("Delivered")
    stand.bubble(NUMBER).state = "read"
    stand.phone(NUMBER)
    await expect(view.page.locator(".state")).to_have_text("Read")
    await expect(view.page.locator(".card[data-same=yes]")).to_have_count(1)


async def test_an_open_phone_reads_what_it_shows_unless_reads_is_off(stand, look) -> None:
    message = stand.arrive(NUMBER, text("Hello"))
    view = await look(PATH)
    await view.posted_soon("read", {"message": message})
    stand.phone(NUMBER, reads=False)
    await expect(view.page.get_by_role("switch", name="Reads")).not_to_be_checked()
    stand.arrive(NUMBER, text("Again"))
    await expect(view.page.get_by_text("Again")).to_be_visible()
    await view.page.wait_for_timeout(1_200)
    assert len(view.posts("read")) == 1


async def test_writing_tells_typing_once_and_sends(stand, look) -> None:
    stand.arrive(NUMBER, text("Hello"))
    view = await look(PATH)
    field = view.page.get_by_role("textbox", name="Message")
    await field.press_sequentially("Is it late?")
    await view.posted_soon("typing", {"sender": "google-rbm/acme-air"})
    await field.press("Enter")
    await expect(view.page.locator(".own .bubble")).to_have_text("Is it late?")
    await expect(field).to_have_value("")
    assert len(view.posts("typing")) == 1
    assert view.posts("say") == [{"text": "Is it late?", "sender": "google-rbm/acme-air"}]


async def test_what_cannot_be_sent_comes_back_with_the_reason(stand, look) -> None:
    stand.arrive(NUMBER, text("Hello"))
    view = await look(PATH)
    view.forgiven = ["409"]
    stand.world.senders.clear()
    field = view.page.get_by_role("textbox", name="Message")
    await field.fill("Hm")
    await view.page.get_by_role("button", name="Send", exact=True).click()
    await expect(
        view.page.get_by_role("alert").filter(has_text="'google-rbm/acme-air' is not registered here")
    ).to_be_visible()
    await expect(field).to_have_value("Hm")


async def test_actions_show_what_a_phone_would_do(stand, look) -> None:
    actions = [
        {"type": "open_url", "text": "Open the map", "url": "https://acme.example/map"},
        {"type": "dial", "text": "Call us", "phone": "+18005550100"},
        {"type": "view_location", "text": "Find belt 4", "latitude": 39.3, "longitude": -94.7, "label": "Belt 4"},
        {"type": "calendar_event", "text": "Add it", "start": "2026-11-24T19:35:00Z", "end": "2026-11-24T21:00:00Z",
         "title": "Flight to Kansas City"},
        {"type": "share_location", "text": "Share it"},
    ]  # fmt: skip
    message = stand.arrive(NUMBER, text("Choose", *actions))
    view = await look(PATH, timezone_id="UTC")
    link = view.page.get_by_role("link", name="Open the map")
    assert await link.get_attribute("href") == "https://acme.example/map"
    assert await link.get_attribute("target") == "_blank"
    assert set((await link.get_attribute("rel") or "").split()) == {"noopener", "noreferrer"}
    sheet = view.page.get_by_role("dialog")
    for index, (name, says) in enumerate(
        [("Call us", "+1 800 555 0100"), ("Find belt 4", "Belt 4"), ("Add it", "Flight to Kansas City")], start=1
    ):
        await view.page.get_by_role("button", name=name).click()
        await expect(sheet).to_contain_text(says)
        assert view.posts("tap")[-1] == {"message": message, "suggestion": f"-:{index}"}
        await view.page.keyboard.press("Escape")
        await expect(sheet).to_have_count(0)
        await expect(view.page.get_by_role("button", name=name)).to_be_focused()
    await view.page.get_by_role("button", name="Share it").click()
    await sheet.get_by_label("Latitude").fill("39.5")
    await sheet.get_by_role("button", name="Share location").click()
    await view.posted_soon("location", {"latitude": 39.5, "longitude": -94.7139, "sender": "google-rbm/acme-air"})


async def test_a_carousel_moves_by_arrow_keys_and_by_buttons(stand, look) -> None:
    cards = [{"title": f"Flight {n}", "suggestions": [reply(f"Take {n}")]} for n in range(4)]
    message = stand.arrive(NUMBER, {"type": "carousel", "width": "medium", "cards": cards})
    view = await look(PATH, reduced_motion="reduce")
    place = view.page.locator(".carousel-place")
    await expect(place).to_have_text("1 of 4")
    await view.page.locator(".carousel-track").focus()
    await view.page.keyboard.press("ArrowRight")
    await expect(place).to_have_text("2 of 4")
    await expect(view.page.get_by_text("Flight 1")).to_be_in_viewport()
    await view.page.get_by_role("button", name="Next card").click()
    await view.page.get_by_role("button", name="Next card").click()
    await expect(place).to_have_text("4 of 4")
    await view.page.get_by_role("button", name="Take 3").click()
    await view.posted_soon("tap", {"message": message, "suggestion": "3:0"})


async def test_switches_name_and_subscription_post(stand, look) -> None:
    stand.arrive(NUMBER, text("Hello"))
    view = await look(PATH)
    switch = view.page.get_by_role("switch", name="Has RCS")
    await expect(switch).to_be_checked()
    await switch.click()
    await expect(switch).not_to_be_checked()
    await expect(view.page.locator(".phone-state")).to_have_text("RCS is off")
    assert stand.phone(NUMBER).has_rcs is False
    for name, field, state in (
        ("Has WhatsApp", "has_wa", False), ("Has SMS", "has_sms", False), ("Online", "online", False),
        ("Signal", "signal", False), ("Reads", "reads", False), ("Muted", "muted", True),
    ):  # fmt: skip
        await view.page.get_by_role("switch", name=name).click()
        await view.posted_soon(NUMBER, {field: state})
    await view.page.get_by_label("Name", exact=True).first.fill("Matt")
    await view.page.get_by_role("button", name="Save").click()
    await expect(view.page.get_by_role("heading", name="Matt")).to_be_visible()
    await view.page.get_by_role("button", name="Unsubscribe").click()
    await view.posted_soon("unsubscribe", {"sender": "google-rbm/acme-air"})


async def test_what_a_sender_writes_never_becomes_markup(stand, look) -> None:
    evil = "<img src=x onerror=window.hurt=1><script>window.hurt=1</script>"
    content = card(
        stand, title=evil, description=f"{evil} javascript:alert(1) https://ok.example/'\"><b>x",
        media={"url": "javascript:window.hurt=1", "height": "short"},
        suggestions=[reply(evil), {"type": "open_url", "text": "Go", "url": "javascript:window.hurt=1"}],
    )  # fmt: skip
    stand.phone(NUMBER, name=evil)
    stand.arrive(NUMBER, content, sender=evil)
    view = await look(PATH)
    await expect(view.page.locator(".card-title")).to_have_text(evil)
    await expect(view.page.locator("#title")).to_have_text(evil)
    await expect(view.page.locator(".sender")).to_have_text(evil)
    await expect(view.page.locator(".card-description a")).to_have_attribute("href", "https://ok.example/")
    await view.page.get_by_role("button", name="Go").click()
    await expect(view.page.get_by_role("dialog")).to_contain_text("javascript:window.hurt=1")
    await view.page.goto(stand.base + "/?view=list")
    await expect(view.page.locator(".last")).to_contain_text(evil)
    assert await view.page.evaluate("window.hurt") is None


async def test_media_that_cannot_be_loaded_is_described(stand, look) -> None:
    stand.arrive(NUMBER, card(stand, title="The gate's map", media={"url": "/media/gone.png", "height": "short"}))
    view = await look(PATH)
    view.forgiven = ["/media/gone"]
    await expect(view.page.locator(".media-missing")).to_have_text("The gate's map")


async def test_each_sender_has_a_conversation(stand, look) -> None:
    stand.arrive(NUMBER, text("From the air"), ago=60)
    stand.arrive(NUMBER, text("From the bank"), sender="Acme Bank")
    view = await look(PATH)
    await expect(view.page.locator(".bubble")).to_have_text(["From the bank"])
    await view.page.get_by_role("button", name="Acme Air").click()
    await expect(view.page.locator(".bubble")).to_have_text(["From the air"])
    await view.page.get_by_role("textbox", name="Message").fill("Hi")
    await view.page.keyboard.press("Enter")
    await view.posted_soon("say", {"text": "Hi", "sender": "google-rbm/acme-air"})


async def test_a_number_nobody_used_is_an_empty_phone(stand, look) -> None:
    view = await look(PATH)
    await expect(view.page.get_by_role("log")).to_contain_text("Messages to this number appear here.")
    assert NUMBER not in stand.world.handsets  # looking makes no phone
    stand.arrive(NUMBER, text("First"))
    await expect(view.page.locator(".bubble")).to_have_text(["First"])


async def test_messages_wait_for_a_phone_that_is_offline(stand, look) -> None:
    stand.phone(NUMBER, online=False)
    stand.arrive(NUMBER, text("Patience"))
    view = await look(PATH)
    await expect(view.page.locator(".phone-state")).to_have_text("Offline · 1 message waits")
    await view.page.get_by_role("switch", name="Online").click()
    await expect(view.page.locator(".bubble")).to_have_text(["Patience"])


async def test_an_uploaded_file_without_a_telling_name_is_shown_by_its_type(stand, look) -> None:
    paper = stand.world.keep(Medium(content_type="application/pdf", data=b"%PDF-1.7"))
    stand.arrive(NUMBER, {"type": "file", "media": {"upload": "0" * 64, "reference": f"files/{paper}"}})
    view = await look(PATH)
    await expect(view.page.get_by_role("link", name="Document")).to_have_attribute(
        "href", f"{stand.base}/media/{paper}"
    )
