"""Every page as a browser paints it: axe-core, light and dark, wide and narrow, calm and alone."""

from __future__ import annotations

import re
from itertools import cycle
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from domain.vocabulary import Language
from tests.support.axe import PAINTED, faults_of
from tests.support.browser import served
from tests.support.town import Town
from tests.support.web import web

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser
    from playwright.sync_api import Page as Sheet

WIDE, PHONE, NARROWEST = 1280, 390, 320
MOST_SHIFT = 0.02
WATCH = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifted += one.value;
}).observe({type: "layout-shift", buffered: true});
"""


def test_no_page_is_hard_to_reach_or_jumps_or_calls_elsewhere(
    town: Town, browser: Browser, picture: Callable[[Sheet, str], None]
) -> None:
    languages = cycle(Language)
    with served(web(town.house.installation)) as address:
        walks = [_walk(town, who, browser, address, languages, picture) for who in town.browsers]
    faults = [fault for walk in walks for fault in walk]
    assert not faults, "\n".join(faults)


def _walk(
    town: Town,
    who: str,
    browser: Browser,
    address: str,
    languages: Iterator[Language],
    picture: Callable[[Sheet, str], None],
) -> list[str]:
    """Open each page of somebody's, and say what is wrong with it."""
    context = browser.new_context(viewport={"width": WIDE, "height": 900})
    context.add_cookies(town.cookies(who))
    context.add_init_script(WATCH)
    sheet = context.new_page()
    asked: list[str] = []
    faults: list[str] = []
    sheet.on("request", lambda one: asked.append(one.url))
    sheet.on("console", lambda line: faults.append(f"{sheet.url} says: {line.text}"))
    for page in town.pages:
        if page.who == who:
            language = next(languages).value
            there = page.address + ("&" if "?" in page.address else "?")
            sheet.goto(f"{address}{there}lang={language}")
            faults += [f"{page.name} ({language}): {one}" for one in _faults(sheet)]
            picture(sheet, re.sub(r"\W+", "-", f"{page.route} {page.note}").strip("-") or "start")
    context.close()
    elsewhere = {urlsplit(one).netloc for one in asked} - {urlsplit(address).netloc}
    return faults + [f"{who} was sent to {host}" for host in elsewhere]


def _faults(sheet: Sheet) -> list[str]:
    sheet.set_viewport_size({"width": WIDE, "height": 900})
    sheet.emulate_media(color_scheme="light")
    found = faults_of(sheet)
    if too_wide(sheet, WIDE):
        found.append("wider than the window")
    if (moved := sheet.evaluate("window.shifted")) > MOST_SHIFT:
        found.append(f"moves by {moved:.3f} while it loads")
    sheet.set_viewport_size({"width": NARROWEST, "height": 800})
    if too_wide(sheet, NARROWEST):
        found.append("wider than 320 pixels (WCAG 1.4.10)")
    sheet.emulate_media(color_scheme="dark")
    sheet.set_viewport_size({"width": PHONE, "height": 800})
    found += [f"dark, on a phone: {one}" for one in faults_of(sheet, only=PAINTED)]
    return found


def too_wide(sheet: Sheet, width: int) -> bool:
    return bool(sheet.evaluate("document.documentElement.scrollWidth") > width)
