"""The README's pictures, taken from a running demonstration: `python -m tests.pictures`."""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from tests.support.browser import chromium
from tests.support.demonstration import (
    Demo,
    bring_ingrid_to_her_matches,
    started,
    until_the_past_is_over,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

FOLDER = Path(__file__).parents[1] / "deploy" / "pictures"
SIZE: ViewportSize = {"width": 1200, "height": 860}
COLOURS = 128
LARGEST_BYTES = 150_000
WHOLE_PAST_SECONDS = 1_200.0


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="pictures-") as home,
        started(Path(home), past=True) as demo,
        chromium() as browser,
    ):
        until_the_past_is_over(demo, WHOLE_PAST_SECONDS)
        page = browser.new_page(viewport=SIZE, locale="en-GB", color_scheme="light")
        page.goto(f"{demo.url}/demo")
        _take(page, demo, "inbox", "/desk/inbox")
        _take(page, demo, "worklist", "/desk")
        _take(page, demo, "board", "/board")
        _take(page, demo, "portal", "/c/fjordscenen")
        case = bring_ingrid_to_her_matches(demo)
        page.goto(f"{demo.url}{case}")
        page.locator('form[action$="/purpose"] button').first.click()
        _take(page, demo, "case", f"{case}#records-access")
        demo.stop()


def _take(page: Page, demo: Demo, name: str, address: str) -> None:
    """What somebody sees first there, in few colours."""
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
