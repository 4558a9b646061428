"""Files at Google's endpoints, and what phones show of every kind of content."""

from __future__ import annotations

from typing import Any

import pytest

PHONE = "+12025550100"
PNG = b"\x89PNG\r\n\x1a\n and so on"


async def upload(caller: Any, data: bytes, content_type: str) -> tuple[int, dict[str, Any]]:
    headers = {"authorization": f"Bearer {caller.bearer}", "content-type": content_type}
    url = f"{caller.sandbox.url}/upload/v1/files?agentId=acme-air"
    async with caller.http.post(url, data=data, headers=headers) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize("form", ["fileName", "uploadedRbmFile"])
async def test_an_uploaded_file_is_shown_on_the_phone(caller: Any, form: str) -> None:
    status, file = await upload(caller, PNG, "image/png")
    assert status == 200
    name = file["name"]
    assert name.startswith("files/")
    media = {"height": "TALL", form: name if form == "fileName" else {"fileName": name}}
    card = {"cardOrientation": "HORIZONTAL", "thumbnailImageAlignment": "LEFT", "cardContent": {"media": media}}
    assert (await caller.create(PHONE, "m1", {"richCard": {"standaloneCard": card}}))[0] == 200
    shown = (await caller.phone(PHONE))["messages"][0]["content"]
    assert (shown["type"], shown["orientation"], shown["thumbnail_side"]) == ("card", "horizontal", "left")
    assert (shown["card"]["media"]["height"], shown["card"]["media"]["reference"]) == ("tall", name)
    async with caller.http.get(caller.sandbox.url + shown["card"]["media"]["url"]) as answer:
        assert await answer.read() == PNG
        assert answer.content_type == "image/png"
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_file_by_address_is_shown_from_there(caller: Any) -> None:
    body = {"fileUrl": "https://cdn.example/plane.jpg", "contentDescription": "a plane"}
    status, file, _ = await caller.call("POST", "/v1/files", body, agentId="acme-air")
    assert status == 200
    await caller.create(PHONE, "m1", {"uploadedRbmFile": {"fileName": file["name"]}})
    content = (await caller.phone(PHONE))["messages"][0]["content"]
    assert (content["type"], content["media"]["url"]) == ("file", "https://cdn.example/plane.jpg")
    assert (await caller.call("POST", "/v1/files", {"fileUrl": "plane.jpg"}, agentId="acme-air"))[0] == 400


@pytest.mark.parametrize(
    ("data", "content_type"), [(b"<b>", "text/html"), (b"<svg/>", "image/svg+xml"), (b"", "image/png")]
)
async def test_files_that_google_does_not_take(caller: Any, data: bytes, content_type: str) -> None:
    assert (await upload(caller, data, content_type))[0] == 400


async def test_every_kind_of_suggestion_and_a_carousel(caller: Any) -> None:
    def action(**kind: Any) -> dict[str, Any]:
        return {"action": {"text": "Go", "postbackData": "p", "fallbackUrl": "https://f.example/", **kind}}

    content = {
        "richCard": {
            "carouselCard": {
                "cardWidth": "SMALL",
                "cardContents": [
                    {
                        "title": "One",
                        "media": {"height": "SHORT", "contentInfo": {"fileUrl": "https://x.example/1.png"}},
                    },
                    {"title": "Two", "suggestions": [{"reply": {"text": "Take it", "postbackData": "two"}}]},
                ],
            }
        },
        "suggestions": [
            action(openUrlAction={"url": "https://x.example/"}),
            action(dialAction={"phoneNumber": "+12025550123"}),
            action(viewLocationAction={"latLong": {"latitude": 1.5, "longitude": 2}, "label": "Gate"}),
            action(viewLocationAction={"query": "airport"}),
            action(
                createCalendarEventAction={
                    "title": "Flight",
                    "startTime": "2026-11-23T10:00:00Z",
                    "endTime": "2026-11-23T12:00:00.123456789+01:00",
                }
            ),
            action(shareLocationAction={}),
        ],
    }
    assert (await caller.create(PHONE, "m1", content))[0] == 200
    shown = (await caller.phone(PHONE))["messages"][0]["content"]
    assert (shown["type"], shown["width"], len(shown["cards"])) == ("carousel", "small", 2)
    assert shown["cards"][0]["media"]["url"] == "https://x.example/1.png"
    kinds = [suggestion["type"] for suggestion in shown["suggestions"]]
    assert kinds == ["open_url", "dial", "view_location", "view_location", "calendar_event", "share_location"]
    place, query = shown["suggestions"][2:4]
    assert (place["latitude"], place["longitude"], place["label"], query["query"]) == (1.5, 2.0, "Gate", "airport")
    assert all(suggestion["postback"] == "p" for suggestion in shown["suggestions"])
    phone = await caller.do(PHONE, "tap", {"message": "m1", "suggestion": "1:0"})
    assert phone["messages"][-1]["text"] == "Take it"
    _, overview = await caller.sandbox_call("GET", "/sandbox/handsets")
    assert overview["handsets"][0]["last"] == {"text": "Take it", "at": phone["messages"][-1]["at"], "out": True}
