"""In a real browser, without script: a message confirmed, its answer approved and fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.request import Status
from domain.vocabulary import Match
from tests.support.house import KARI, NORWAY, House

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WIDTHS = (1280, 390, 320)


def test_a_handler_and_a_person_meet_in_the_browser(
    house: House, browser: Browser, address: str
) -> None:
    held = house.systems.system(NORWAY, "ticketing")
    held.hold(KARI, "order", "o1", fields={"email": KARI, "note": "x" * 300})
    held.hold(KARI, "order", "o2", match=Match.SAME_NAME, fields={"name": "Kari Testesen"})
    case_id = house.receive("Jeg ber om innsyn i det dere har om meg. " + "ord" * 100)
    context = browser.new_context(java_script_enabled=False, locale="nb-NO")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text))

    page.goto(f"{address}/desk")
    page.get_by_label("Nøkkelen din").fill(house.token())
    page.get_by_role("button", name="Logg inn").click()
    require_fit(page, "Arbeidsliste")
    page.get_by_role("link", name="1 ny melding venter").click()
    require_fit(page, "Innboks")
    page.get_by_role("link", name="Gå gjennom meldingene").click()
    page.get_by_role("button", name="Vis meldingen").click()
    require_fit(page, "Hva ber meldingen om?")
    page.get_by_role("button", name="Bekreft og send mottaksbrev").click()
    page.get_by_role("status").get_by_role("link").click()
    page.get_by_role("button", name="Vis innholdet").click()
    asking = page.get_by_role("region", name="Hvem er det som spør?")
    asking.get_by_label("Hvordan").select_option("in-person")
    page.get_by_role("button", name="Registrer som bekreftet").click()
    house.work()
    page.reload()
    for name in (
        "E-post i kundesenteret",
        "Nettsidens logg og profiler",
        "Sak- og arkivsystem",
    ):
        system = page.locator(".systems > li").filter(has_text=name)
        system.get_by_label("Ingenting der, fordi").select_option("searched-nothing-held")
        system.get_by_role("button", name="Lagre at det ikke er noe").click()
    page.get_by_label("Gjelder denne oppføringen personen?").select_option("no:namesake")
    page.get_by_role("button", name="Lagre valgene").click()
    page.get_by_label("Dine egne ord i brevet").fill("Hilsen oss")
    require_fit(page, "Avgjør og godkjenn")
    page.get_by_role("button", name="Godkjenn og send svaret").click()
    house.work()

    person = browser.new_context(java_script_enabled=False).new_page()
    person.goto(address + house.link("answer"))
    person.get_by_role("button", name="Send meg en kode").click()
    house.work()
    person.get_by_label("Koden fra e-posten").fill(house.newest_code())
    require_fit(person, "Svaret ditt er klart")
    with person.expect_download() as download:
        person.get_by_role("button", name="Hent svaret").click()
    assert download.value.suggested_filename.endswith(".zip")

    (request_id,) = house.case(case_id).request_ids
    assert house.installation.register.request(request_id).status is Status.CLOSED
    page.reload()
    require_fit(page, "Det som har skjedd")
    assert not [line for line in complaints if "Content Security Policy" in line]


def require_fit(page: Page, heading: str) -> None:
    """E-18, WCAG 1.4.10: nothing is wider than the window."""
    page.get_by_role("heading", name=heading).wait_for()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1280, "height": 800})
