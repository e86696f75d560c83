"""The desk by its keys, in a real browser: moved, chosen, given, searched, and switched off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.vocabulary import Right
from tests.support.asking import confirmed
from tests.support.browser import chromium, served
from tests.support.house import House
from tests.support.web import web

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_the_work_list_is_worked_by_keys_alone(house: House) -> None:
    for number in range(3):
        confirmed(house, Right.ACCESS, text=f"Hei {number}")
    house.work()
    with chromium() as browser, served(web(house.installation)) as address:
        page = browser.new_context(locale="en").new_page()
        complaints: list[str] = []
        page.on("console", lambda line: complaints.append(line.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{address}/desk")
        page.get_by_label("Your token").fill(house.token())
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Work list").first.wait_for()
        page.wait_for_load_state("load")

        for key in "jjk":
            page.keyboard.press(key)
        assert focused(page) == rows(page)[0]
        page.keyboard.press("x")
        assert page.locator("[data-row] :checked").count() == 1
        page.keyboard.press("a")
        page.keyboard.press("j")  # in a list of choices a letter chooses, and moves nothing
        assert page.evaluate("document.activeElement.id") == "assign-to"
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.get_by_text("1 request was given to ola.").wait_for()
        house.work()

        before = page.evaluate("performance.timeOrigin")
        page.get_by_role("link", name="Me 0").click()
        page.wait_for_url("**/desk?assigned=me")
        page.wait_for_function("document.querySelectorAll('[data-row]').length === 1")
        assert page.evaluate("performance.timeOrigin") == before  # only the list came anew
        page.wait_for_function(
            "document.querySelector('[data-said]').textContent === 'Work list 1'"
        )
        assert page.evaluate("document.activeElement.id") == "to-assigned-me"

        page.keyboard.press("/")
        page.keyboard.type("jx?/")
        assert page.locator("main input[name=q]").input_value() == "jx?/"
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("?")
        page.get_by_label("Single-key shortcuts are on").uncheck()
        page.keyboard.press("Escape")
        page.reload()
        page.wait_for_load_state("load")
        page.keyboard.press("j")
        assert focused(page) is None  # switched off, for as long as nobody switches it on
        page.get_by_role("button", name="Keyboard shortcuts").click()
        page.get_by_label("Single-key shortcuts are on").check()
        page.keyboard.press("Escape")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/desk/cases/**")
        assert complaints == []


def rows(page: Page) -> list[str]:
    found = page.locator("[data-row] a.whole").evaluate_all("links => links.map(one => one.href)")
    return [str(one) for one in found]


def focused(page: Page) -> str | None:
    found = page.evaluate("document.activeElement.href ?? null")
    return None if found is None else str(found)
