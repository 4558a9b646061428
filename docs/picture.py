"""Takes docs/handset.png from a running demo: `python docs/picture.py http://127.0.0.1:8090/handsets/%2B17703101414`."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

WIDTH, HEIGHT = 1000, 860


def main(url: str) -> None:
    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=1.5)
        page.goto(url)
        page.wait_for_timeout(1500)
        page.screenshot(path=str(Path(__file__).with_name("handset.png")))
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
