"""Takes docs/handset.png: an alert on three phones, by RCS, WhatsApp and SMS, and the inbox in which an agent answers
what one of them said, with all that the call told of the recipient. It runs a demo of its own for that:
`python docs/picture.py`."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

from playwright.sync_api import Browser, sync_playwright

PROGRAM = Path(sys.executable).with_name("heliograph")
# Who is sent to, what stands above the phone, and what the call says beside that.
PHONES = (
    ("+17703101414", "Has RCS", ()),
    ("+17705550180", "Has no RCS: WhatsApp", ()),
    ("+17705550120", "SMS, asked for by the call", ("--channel", "sms")),
)
SAYS = ("--skill", "service", "--template", "flightdelay", "--language", "english", "--country-code", "1")
VARIABLES = ("--var", "Time=7:35 pm", "--var", "City=Kansas City", "--var", "Gate=C35")
ANSWER = "Yes: 12A is at the window, and it is yours now."
WIDTH, EDGE = 1240, 12  # px
INBOX = (1600, 860)  # wide enough for all three columns
PICTURE = Path(__file__).with_name("handset.png")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        demo = subprocess.Popen(
            [PROGRAM, "demo", "--json", "--port", "0", "--sandbox-port", "0", "--data", f"{folder}/demo"],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert demo.stdout is not None
            told = json.loads(demo.stdout.readline())
            demo.stdout.readline()  # the documented call, to the first phone
            key = ("--key-file", f"{folder}/demo/key.json")
            for number, name, more in PHONES:
                tell(told, f"handsets/{quote(number)}", name=name)
                if number != PHONES[0][0]:
                    words = (*SAYS, "--phone", number.removeprefix("+1"), *VARIABLES, *more, *key)
                    subprocess.run([PROGRAM, "send", told["base_url"], *words], check=True, stdout=subprocess.DEVNULL)
            matt = f"handsets/{quote(PHONES[0][0])}"
            tell(told, f"{matt}/tap", text="Learn More")
            tell(told, f"{matt}/say", text="Can I have a seat at the window?")
            take(told)
        finally:
            demo.terminate()
            demo.wait()


def tell(told: dict[str, str], what: str, **body: Any) -> None:
    urlopen(Request(f"{told['sandbox_url']}/sandbox/{what}", json.dumps(body).encode()))


def take(told: dict[str, str]) -> None:
    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        inbox = answered(browser, told)
        whole = browser.new_page(viewport={"width": WIDTH, "height": 1000}, device_scale_factor=1.5)
        whole.set_content(
            f'<body style="margin:0;background:#f4f5f7">{image(phones(browser, told))}{image(inbox)}'
            "<style>img{display:block;width:100%}</style>"
        )
        whole.wait_for_timeout(300)
        whole.screenshot(path=str(PICTURE), full_page=True)
        browser.close()


def answered(browser: Browser, told: dict[str, str]) -> bytes:
    """The inbox once the agent has answered and the phone has read it."""
    width, height = INBOX
    page = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=1.25)
    page.goto(told["inbox_url"])
    page.get_by_label("Name").fill(told["user"])
    page.get_by_label("Password").fill(told["password"])
    page.get_by_role("button", name="Log in").click()
    page.locator("[data-open]").first.click()
    page.locator("textarea").first.fill(ANSWER)
    page.get_by_role("button", name="Send").first.click()
    page.get_by_text(ANSWER).first.wait_for()
    page.wait_for_timeout(3000)  # delivered, read
    return page.screenshot()


def phones(browser: Browser, told: dict[str, str]) -> bytes:
    """The phones side by side, the oldest first, high enough for a whole card."""
    page = browser.new_page(viewport={"width": WIDTH, "height": 1000}, device_scale_factor=1.5)
    page.goto(told["sandbox_url"])
    page.locator("#phones > *").nth(len(PHONES) - 1).wait_for()
    page.evaluate(
        """(numbers) => [...phones.children].forEach((one) => {
            const place = numbers.indexOf(one.querySelector(".slot-phone").dataset.number);
            one.hidden = place < 0;
            one.style.order = place;
            one.querySelector(".slot-phone").style.height = "680px";
        })""",
        [number for number, *_ in PHONES],
    )
    page.wait_for_timeout(2500)  # pictures, receipts
    boxes = [box for one in page.locator("#phones > *:visible").all() if (box := one.bounding_box())]
    left, top = min(one["x"] for one in boxes), min(one["y"] for one in boxes)
    right, bottom = (max(one[at] + one[size] for one in boxes) for at, size in (("x", "width"), ("y", "height")))
    size = {"width": right - left + 2 * EDGE, "height": bottom - top + 2 * EDGE}
    return page.screenshot(clip={"x": left - EDGE, "y": top - EDGE, **size})


def image(png: bytes) -> str:
    return f'<img src="data:image/png;base64,{base64.b64encode(png).decode()}">'


if __name__ == "__main__":
    main()
