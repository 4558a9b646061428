"""An agent's workspace that frames our context page, in a real browser, with LivePerson played by the sandbox: from the
alert to the reply, the conversation there, the log-in within the frame, every key of alertInfo, and the answer back."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, async_playwright, expect

from journey.house import House, until
from journey.outside import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CHROMIUM = shutil.which("chromium")
ACCOUNT = "12345678"
APP = {"client_id": "app", "client_secret": "a-secret-of-this-journey"}
DESK = """
[desk]
kind = "liveperson"

[desk.settings]
account = "{account}"
client_id = "{client_id}"
client_secret = "{client_secret}"
base_url = "{base_url}"
alert_info = ["line", "frame"]
frame_origins = ["{origin}"]

[desk.settings.skills]
service = "3276543210"
"""
AA = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


class Workspace(BaseHTTPRequestHandler):
    """The page of an agent: a heading and the frame that the query names."""

    def do_GET(self) -> None:
        source = self.path.partition("?frame=")[2]
        frame = f"<iframe title=Context width=360 height=700 src='{source}'></iframe>"
        body = f"<!doctype html><html lang=en><title>Workspace</title><h1>Workspace</h1>{frame}".encode()
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


class Agents:
    """A house whose site has its desk at LivePerson, and two workspaces of which one may frame our page."""

    def __init__(self, house: House, port: int, other: int) -> None:
        self.house, self.origin, self.stranger = house, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{other}"
        self.password = ""

    def case(self) -> Any:
        found = self.house.phones.get(f"/sandbox/desks/liveperson/{ACCOUNT}")["conversations"]
        return found[0] if found and found[0]["lines"] else None


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agents]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: no frame is looked at. `apt-get install chromium` brings it.")
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Workspace) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    directory = tmp_path_factory.mktemp("framed")
    house = House(directory)
    made = Agents(house, *(server.server_port for server in servers))
    try:
        callback = f"{house.base_url}/callbacks/desk/liveperson/25508804"
        house.phones.post("/sandbox/desks", desk="liveperson", id=ACCOUNT, webhook=callback, credentials=APP,
                          skills={"service": "3276543210"})  # fmt: skip
        house.open(
            _folder(directory, DESK.format(account=ACCOUNT, base_url=house.phones.url, origin=made.origin, **APP))
        )
        told = house.outside.run("users", "add", "bob", "--role", "agent", "--generate", "--json").stdout
        made.password = json.loads(told)["password"]
        yield made
    finally:
        house.close()
        for server in servers:
            server.shutdown()


def _folder(directory: Path, desk: str) -> Path:
    """The example's site again, with a desk."""
    place = directory / "with-desk"
    shutil.copytree(ROOT / "examples" / "acme-air", place)
    text = (place / "site.toml").read_text()
    (place / "site.toml").write_text(re.sub(r"\n\[desk\].*?(?=\n\[\[|\Z)", "", text, flags=re.DOTALL) + desk)
    return place


async def test_from_the_alert_to_the_frame_and_back(agents: Agents) -> None:
    house, number = agents.house, "7703101414"
    said = house.acme.to(number)
    assert said.status == 200, said
    house.phones.does(number, "say", text="Can I rebook?", sender="acme-air")
    case = until(agents.case)
    assert case["lines"][0]["text"].endswith("Can I rebook?") and case["customer"] == "Matt Fanning"
    address = f"{house.base_url}/console/context/25508804?conversation={case['id']}"
    faults: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = await browser.new_page()
        page.on("console", lambda told: told.type == "error" and faults.append(told.text))
        await _seen(page, agents, address)
        assert faults == []
        strange = await browser.new_page()
        await strange.goto(f"{agents.stranger}/?frame={address}")
        await expect(strange.get_by_role("heading", name="Workspace")).to_be_visible()
        assert "Sky Miles" not in await strange.frames[-1].content()  # the browser refuses what it was sent
        await browser.close()
    house.phones.post(f"/sandbox/desks/liveperson/{ACCOUNT}/deeds", do="say", text="Gate C35, Matt.", agent="Ada")
    until(lambda: "Gate C35, Matt." in json.dumps(house.phones.messages(number)))


async def _seen(page: Page, agents: Agents, address: str) -> None:
    await page.goto(f"{agents.origin}/?frame={address}")
    frame = page.frame_locator("iframe")
    await frame.get_by_label("Name").fill("bob")
    await frame.get_by_label("Password").fill(agents.password)
    await frame.get_by_role("button", name="Log in").click()
    await expect(frame.get_by_role("heading", level=1)).to_have_text("Matt Fanning")
    await expect(frame.locator(".info dt")).to_have_text(["Sky Miles", "T-Shirt Size"])
    await expect(frame.locator(".info dd")).to_have_text(["1234567890", "Large"])
    inner = page.frames[-1]
    assert await inner.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    await frame.get_by_role("button", name="Log out").click()
    await expect(frame.get_by_label("Password")).to_be_visible()
    await frame.get_by_label("Name").fill("bob")
    await frame.get_by_label("Password").fill(agents.password)
    await frame.get_by_role("button", name="Log in").click()
    await expect(frame.get_by_role("heading", level=1)).to_have_text("Matt Fanning")
    await page.set_viewport_size({"width": 360, "height": 700})
    await page.goto(address)  # axe looks at no frame of another origin
    found = await Axe().run(page, options=AA)
    assert found.violations_count == 0, found.generate_report()
