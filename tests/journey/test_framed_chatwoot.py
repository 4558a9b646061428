"""Our context page as a Chatwoot dashboard app, in a real browser: one address for all conversations, which follows the
one that is open around it."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from journey.house import House, until
from journey.outside import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CHROMIUM = shutil.which("chromium")
SITE = "25508804"
DESK = """
[desk]
kind = "chatwoot"

[desk.settings]
base_url = "{base_url}"
dashboard_url = "{dashboard}"
account_id = 1
inbox_id = 1
api_access_token = "{api_access_token}"
webhook_secret = "{webhook_secret}"
"""
# As Chatwoot's dashboard does (DashboardApp/Frame.vue): the context as a text, when the frame is there, when another
# conversation is opened, and when the frame asks.
DASHBOARD = """<!doctype html><html lang=en><title>Chatwoot</title><h1>Chatwoot</h1>
<button type=button data-id=1>First</button><button type=button data-id=2>Second</button>
<iframe title=Context width=360 height=700 src='{frame}'></iframe><script>
let open = 1;
const frame = document.querySelector("iframe");
const tell = () => frame.contentWindow.postMessage(JSON.stringify(
  {{event: "appContext", data: {{conversation: {{id: open}}, contact: {{id: 7}}, currentAgent: {{id: 1}}}}}}), "*");
frame.addEventListener("load", tell);
addEventListener("message", (event) => event.data === "chatwoot-dashboard-app:fetch-info" && tell());
addEventListener("click", (event) => {{
  open = Number(event.target.dataset.id ?? open);
  tell();
}});
</script>"""


class Dashboard(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = DASHBOARD.format(frame=self.path.partition("?frame=")[2]).encode()
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def chatwoot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, str, str]]:
    """A house whose site has its desk at a Chatwoot, the dashboard's address, and an agent's password."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: no frame is looked at. `apt-get install chromium` brings it.")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Dashboard)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    directory = tmp_path_factory.mktemp("dashboard")
    house, dashboard = House(directory), f"http://127.0.0.1:{server.server_port}"
    try:
        webhook = f"{house.base_url}/callbacks/desk/chatwoot/{SITE}"
        made = house.phones.post("/sandbox/desks", desk="chatwoot", id="1", webhook=webhook, skills={"service": "7"})
        place = directory / "with-desk"
        shutil.copytree(ROOT / "examples" / "acme-air", place)
        text = re.sub(r"\n\[desk\].*?(?=\n\[\[|\Z)", "", (place / "site.toml").read_text(), flags=re.DOTALL)
        desk = DESK.format(base_url=house.phones.url, dashboard=dashboard, **made["credentials"])
        (place / "site.toml").write_text(text + desk)
        house.open(place)
        told = house.outside.run("users", "add", "bob", "--role", "agent", "--generate", "--json").stdout
        yield house, dashboard, json.loads(told)["password"]
    finally:
        house.close()
        server.shutdown()


def replied(house: House, number: str, name: str) -> None:
    """An alert comes to the phone and is answered."""
    said = house.acme.to(number, firstName=name, alertInfo={"Seat of": name})
    assert said.status == 200, said
    house.phones.does(number, "say", text=f"{name} here", sender="acme-air")

    def there() -> Any:
        cases = house.phones.get("/sandbox/desks/chatwoot/1")["conversations"]
        return [one for one in cases if any(line["text"] == f"{name} here" for line in one["lines"])]

    until(there)


async def test_the_page_follows_the_conversation_that_is_open(chatwoot: tuple[House, str, str]) -> None:
    house, dashboard, password = chatwoot
    for number, name in (("7703101414", "Matt"), ("7703101415", "Mia")):
        replied(house, number, name)
    faults: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = await browser.new_page()
        page.on("console", lambda told: told.type == "error" and faults.append(told.text))
        await page.goto(f"{dashboard}/?frame={house.base_url}/console/context/{SITE}")
        await opened(page, 1)
        frame = page.frame_locator("iframe")
        await frame.get_by_label("Name").fill("bob")
        await frame.get_by_label("Password").fill(password)
        await frame.get_by_role("button", name="Log in").click()
        await expect(frame.locator(".info dd")).to_have_text(["Matt"])
        await page.get_by_role("button", name="Second").click()
        await opened(page, 2)
        await expect(frame.locator(".info dd")).to_have_text(["Mia"])
        await page.get_by_role("button", name="First").click()
        await expect(frame.locator(".info dd")).to_have_text(["Matt"])
        assert faults == []
        await browser.close()


async def opened(page: Page, conversation: int) -> None:
    """Until the frame's address names this conversation."""
    async with asyncio.timeout(10):
        while not any(f"conversation={conversation}" in frame.url for frame in page.frames):
            await asyncio.sleep(0.05)
