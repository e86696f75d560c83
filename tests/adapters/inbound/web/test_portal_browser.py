"""In a real browser: somebody asks on a phone without script, and axe-core finds no fault."""

from __future__ import annotations

from tests.support.axe import require_accessible
from tests.support.browser import chromium, served
from tests.support.house import KARI, NORWAY, House
from tests.support.visitors import cases
from tests.support.web import web

WIDTH = 320


def test_somebody_asks_on_a_phone_and_writes_back(house: House) -> None:
    with chromium() as browser, served(web(house.installation)) as address:
        phone = browser.new_context(
            java_script_enabled=False, locale="nb-NO", viewport={"width": WIDTH, "height": 700}
        )
        page = phone.new_page()
        page.goto(f"{address}/c/{NORWAY}")
        page.get_by_role("button", name="Send").click()
        page.get_by_role("link", name="Kryss av for det du ønsker").click()
        page.get_by_label("Få se hva dere har om meg").check()
        page.get_by_label("E-postadresse").fill(KARI)
        page.get_by_role("button", name="Send").click()
        page.get_by_role("heading", name="Vi har fått det").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
        house.work()
        page.goto(address + house.link("follow"))
        page.get_by_label("Koden fra e-posten").fill(house.newest_code())
        page.get_by_role("button", name="Vis saken").click()
        page.get_by_label("Meldingen din").fill("Det gjelder konserten i fjor.")
        page.get_by_role("button", name="Send meldingen").click()
        page.get_by_text("Det gjelder konserten i fjor.").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
        assert len(house.case(cases(house)[0]).messages) == 2

        for scheme in ("light", "dark"):
            seen = browser.new_context(locale="nb-NO", color_scheme=scheme).new_page()
            for path in ("/", f"/c/{NORWAY}", f"/c/{NORWAY}/stop", house.link("follow")):
                seen.goto(address + path)
                require_accessible(seen)
        seen.goto(f"{address}/c/{NORWAY}")
        seen.get_by_role("button", name="Send").click()
        require_accessible(seen)
        opened = browser.new_context(locale="nb-NO", storage_state=phone.storage_state()).new_page()
        opened.goto(address + house.link("follow"))
        opened.get_by_text("Det gjelder konserten i fjor.").wait_for()
        require_accessible(opened)
