"""Somebody who works a page by keyboard alone: whatever is there has to be reached by Tab."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

MOST_TABS = 400
HAS_FOCUS = "one => one === document.activeElement"


class Keys:
    """What the fingers do; nothing here points at anything."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def to(self, target: Locator) -> None:
        """Press Tab until it is there; who comes round without meeting it has found a fault."""
        wanted = target.element_handle()
        for _ in range(MOST_TABS):
            if wanted.evaluate(HAS_FOCUS):
                assert wanted.evaluate("one => one.matches(':focus-visible')"), "focus is not seen"
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"no Tab leads to {target} on {self.page.url}")

    def button(self, name: str, *, within: Locator | None = None) -> None:
        self.to((within or self.page).get_by_role("button", name=name).first)
        self.page.keyboard.press("Enter")

    def link(self, name: str, *, within: Locator | None = None) -> None:
        self.to((within or self.page).get_by_role("link", name=name).first)
        self.page.keyboard.press("Enter")

    def fill(self, label: str, text: str, *, within: Locator | None = None) -> None:
        self.to((within or self.page).get_by_label(label).first)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def tick(self, label: str, *, within: Locator | None = None) -> None:
        self.to((within or self.page).get_by_label(label).first)
        self.page.keyboard.press("Space")

    def choose(self, label: str, option: str, *, within: Locator | None = None) -> None:
        """Go down a list until what is chosen is called so."""
        field = (within or self.page).get_by_label(label).first
        self.to(field)
        self.page.keyboard.press("Home")
        for _ in range(field.locator("option").count()):
            if field.evaluate("one => one.value") == option:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{label} offers no {option}")
