"""Two people at one case: who comes second sees what the first did, and keeps what was typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.house import House
from tests.support.steps import asked_for_access

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

OWN_WORDS = "Hun ringte og spurte om fakturaen."


def test_whoever_comes_second_sees_what_changed_and_loses_nothing(
    house: House, browser: Browser, address: str
) -> None:
    case_id, _ = asked_for_access(house)
    first, second = (
        _at_the_case(house, browser, address, staff, f"/desk/cases/{case_id}")
        for staff in ("ola", "per")
    )
    for page, words in ((first, "Jeg tar denne."), (second, OWN_WORDS)):
        page.locator("textarea[name=note]").fill(words)
    first.locator("form:has(textarea[name=note]) button").click()
    first.get_by_text("Jeg tar denne.").wait_for()

    second.locator("form:has(textarea[name=note]) button").click()

    alert = second.get_by_role("alert").first
    alert.wait_for()
    assert "ola" in alert.inner_text()
    assert second.locator("textarea[name=note]").input_value() == OWN_WORDS
    notes = house.installation.filing.notes(case_id)
    assert [note.noted.by for note in notes] == ["ola"]
    second.locator("form:has(textarea[name=note]) button").click()
    second.locator("textarea[name=note]").wait_for()
    second.get_by_text(OWN_WORDS).first.wait_for()
    written = house.installation.filing.notes(case_id)
    assert {note.noted.by for note in written} == {"ola", "per"}


def _at_the_case(house: House, browser: Browser, address: str, staff: str, case: str) -> Page:
    page = browser.new_context(java_script_enabled=False, locale="nb-NO").new_page()
    page.goto(f"{address}{case}")
    page.get_by_label("Nøkkelen din").fill(house.token(staff=staff))
    page.get_by_role("button", name="Logg inn").first.click()
    page.get_by_role("button", name="Vis innholdet").click()
    page.locator("details:has(textarea[name=note]) > summary").click()
    page.locator("textarea[name=note]").wait_for()
    return page
