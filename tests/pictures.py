"""The README's pictures, taken from a demonstration: `python -m tests.pictures [HOME]`.

Without the `TRETTIO_HOME` of one that has been stopped, a new one is lived first.
"""

from __future__ import annotations

import sys
import tempfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from PIL import Image

from tests.support.browser import chromium
from tests.support.demonstration import (
    Demo,
    started,
    until_the_past_is_over,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = Path(__file__).parents[1] / "deploy" / "pictures"
WIDTH, HEIGHT = 1280, 920
COLOURS = 128
LARGEST_BYTES = 150_000
WHOLE_PAST_SECONDS = 1_200.0


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="pictures-") as home,
        started(Path(*sys.argv[1:] or [home]), past=True) as demo,
        chromium() as browser,
    ):
        until_the_past_is_over(demo, WHOLE_PAST_SECONDS)
        page = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT}, locale="en-GB", color_scheme="light"
        )
        page.goto(f"{demo.url}/demo")
        _take(page, demo, "inbox", "/desk/inbox")
        _take(page, demo, "board", "/board", height=1_220)
        _take(page, demo, "portal", "/c/fjordscenen")
        page.goto(f"{demo.url}/desk")
        rows = page.locator("tr", has_text="Decide which records are theirs")
        waiting = rows.filter(has_text="Access").filter(has_not_text="late")
        case = waiting.locator('a[href^="/desk/cases/"]').first.get_attribute("href")
        page.goto(f"{demo.url}{case}")
        page.locator('form[action$="/purpose"] button').first.click()
        _take(page, demo, "case", f"{urlsplit(page.url).path}#records-access")
        demo.stop()


def _take(page: Page, demo: Demo, name: str, address: str, *, height: int = HEIGHT) -> None:
    """What somebody sees first there, in few colours."""
    page.set_viewport_size({"width": WIDTH, "height": height})
    page.goto(f"{demo.url}{address}")
    page.wait_for_load_state("networkidle")
    picture = Image.open(BytesIO(page.screenshot()))
    file = FOLDER / f"{name}.png"
    picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    size = file.stat().st_size
    if size > LARGEST_BYTES:
        raise SystemExit(f"{file.name} has {size} bytes: take a smaller part of the page")


if __name__ == "__main__":
    main()
