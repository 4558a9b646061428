"""Takes docs/handset.png: one alert on three phones, by RCS, WhatsApp and SMS. It runs a demo of its own for that:
`python docs/picture.py`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

from playwright.sync_api import sync_playwright

PROGRAM = Path(sys.executable).with_name("heliograph")
# Who is sent to, what stands above the phone, and what the call says beside that.
PHONES = (
    ("+17703101414", "Has RCS", ()),
    ("+17705550180", "Has no RCS: WhatsApp", ()),
    ("+17705550120", "SMS, asked for by the call", ("--channel", "sms")),
)
SAYS = ("--skill", "service", "--template", "flightdelay", "--language", "english", "--country-code", "1")
VARIABLES = ("--var", "Time=7:35 pm", "--var", "City=Kansas City", "--var", "Gate=C35")
WIDTH, EDGE = 1240, 12  # px


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
                handset = f"{told['sandbox_url']}/sandbox/handsets/{quote(number)}"
                urlopen(Request(handset, json.dumps({"name": name}).encode()))
                if number != PHONES[0][0]:
                    words = (*SAYS, "--phone", number.removeprefix("+1"), *VARIABLES, *more, *key)
                    subprocess.run([PROGRAM, "send", told["base_url"], *words], check=True, stdout=subprocess.DEVNULL)
            take(told["sandbox_url"])
        finally:
            demo.terminate()
            demo.wait()


def take(sandbox: str) -> None:
    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 1000}, device_scale_factor=1.5)
        page.goto(sandbox)
        page.locator("#phones > *").nth(len(PHONES) - 1).wait_for()
        page.evaluate(  # the oldest first, and high enough for a whole card
            """[...phones.children].forEach((one, place) => {
                one.style.order = -place;
                one.querySelector(".slot-phone").style.height = "680px";
            })"""
        )
        page.wait_for_timeout(2500)  # pictures, receipts
        boxes = [box for one in page.locator("#phones > *").all() if (box := one.bounding_box())]
        left, top = min(one["x"] for one in boxes), min(one["y"] for one in boxes)
        right, bottom = (max(one[at] + one[size] for one in boxes) for at, size in (("x", "width"), ("y", "height")))
        clip = {"x": left - EDGE, "y": top - EDGE, "width": right - left + 2 * EDGE, "height": bottom - top + 2 * EDGE}
        page.screenshot(path=str(Path(__file__).with_name("handset.png")), clip=clip)
        browser.close()


if __name__ == "__main__":
    main()
