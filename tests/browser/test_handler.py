"""Keyboard alone, no script: a message confirmed, a wrong match rejected, an answer sent."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pyotp

from domain.access import Grant, Role
from domain.request import Status
from domain.vocabulary import Match
from tests.support.house import KARI, NORWAY, House
from tests.support.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

WIDTHS = (1280, 390, 320)
PASSWORD = "hest batteri stift riktig"
BY_HAND = ("E-post i kundesenteret", "Nettsidens logg og profiler", "Sak- og arkivsystem")


def test_a_handler_answers_by_keyboard_and_without_script(
    house: House, browser: Browser, address: str, picture: Callable[[Page, str], None]
) -> None:
    held = house.systems.system(NORWAY, "ticketing")
    held.hold(KARI, "order", "o1", fields={"email": KARI, "note": "x" * 300})
    held.hold(KARI, "order", "o2", match=Match.SAME_NAME, fields={"name": "Kari Testesen"})
    case_id = house.receive("Jeg ber om innsyn i det dere har om meg. " + "ord" * 100)
    context = browser.new_context(java_script_enabled=False, locale="nb-NO")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text))
    keys = Keys(page)

    sign_in(house, keys, address)
    require_fit(page, "Arbeidsliste")
    keys.link("1 ny melding venter")
    require_fit(page, "Innboks")
    keys.link("Gå gjennom meldingene")
    keys.button("Vis meldingen")
    require_fit(page, "Hva ber meldingen om?")
    picture(page, "message")
    keys.button("Bekreft og send mottaksbrev")
    keys.link("", within=page.get_by_role("status"))
    keys.button("Vis innholdet")
    asking = page.get_by_role("region", name="Hvem er det som spør?")
    keys.choose("Hvordan", "in-person", within=asking)
    keys.button("Registrer som bekreftet")
    page.get_by_role("status").first.wait_for()
    house.work()
    page.reload()
    for name in BY_HAND:
        system = page.locator(".systems > li").filter(has_text=name)
        keys.choose("Ingenting der, fordi", "searched-nothing-held", within=system)
        keys.button("Lagre at det ikke er noe", within=system)
        page.get_by_role("status").first.wait_for()
    keys.choose("Gjelder denne oppføringen personen?", "no:namesake")
    picture(page, "match")
    keys.button("Lagre valgene")
    keys.fill("Dine egne ord i brevet", "Hilsen oss")
    require_fit(page, "Avgjør og godkjenn")
    picture(page, "decide")
    keys.button("Godkjenn og send svaret")
    page.get_by_role("status").first.wait_for()
    house.work()

    person = browser.new_context(java_script_enabled=False).new_page()
    theirs = Keys(person)
    person.goto(address + house.link("answer"))
    theirs.button("Send meg en kode")
    person.get_by_label("Koden fra e-posten").wait_for()
    house.work()
    theirs.fill("Koden fra e-posten", house.newest_code())
    require_fit(person, "Svaret ditt er klart")
    with person.expect_download() as download:
        theirs.button("Hent svaret")
    assert download.value.suggested_filename.endswith(".zip")

    (request_id,) = house.case(case_id).request_ids
    assert house.installation.register.request(request_id).status is Status.CLOSED
    page.reload()
    require_fit(page, "Det som har skjedd")
    picture(page, "closed")
    assert not [line for line in complaints if "Content Security Policy" in line]


def sign_in(house: House, keys: Keys, address: str) -> None:
    """From an invitation to an account, out again, and in by password and second factor."""
    installation = house.installation
    installation.staff.know("nora", "Nora Testesen")
    installation.grants.grant("nora", Grant(Role.HANDLER, NORWAY), by="eva")
    keys.page.goto(f"{address}/desk/invited/{installation.accounts.invite('nora', by='eva')}")
    factor = pyotp.TOTP(keys.page.locator("code.secret").inner_text())
    keys.page.locator("#password").wait_for()
    keys.to(keys.page.locator("#password"))
    keys.page.keyboard.type(PASSWORD)
    keys.to(keys.page.locator("#again"))
    keys.page.keyboard.type(PASSWORD)
    keys.to(keys.page.locator("#code"))
    keys.page.keyboard.type(factor.now())
    keys.page.keyboard.press("Enter")
    keys.link("Jeg har tatt vare på dem")
    keys.button("Logg ut")
    keys.page.get_by_role("heading", name="Logg inn").first.wait_for()
    keys.to(keys.page.locator("[name=name]"))
    keys.page.keyboard.type("nora")
    keys.to(keys.page.locator("[name=password]"))
    keys.page.keyboard.type(PASSWORD)
    keys.to(keys.page.locator("[name=code]"))
    keys.page.keyboard.type(factor.at(time.time() + 30))
    keys.page.keyboard.press("Enter")


def require_fit(page: Page, heading: str) -> None:
    """E-18, WCAG 1.4.10: nothing is wider than the window."""
    page.get_by_role("heading", name=heading).first.wait_for()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1280, "height": 800})
