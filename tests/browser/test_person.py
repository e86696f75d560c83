"""On a phone, without script, in each language: asked, followed, taken back, confirmed, fetched."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from adapters.inbound.web.look import Look
from domain.request import Status
from domain.vocabulary import IdentifierKind, Language, Right
from services.ports import Identifier
from tests.support.asking import BY, approve, asked, look_everywhere
from tests.support.house import KARI, NORWAY, House
from tests.support.visitors import cases

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

PHONE = 390


@pytest.mark.parametrize("language", list(Language), ids=lambda one: one.value)
def test_somebody_asks_follows_and_gets_an_answer(
    house: House,
    browser: Browser,
    address: str,
    picture: Callable[[Page, str], None],
    language: Language,
) -> None:
    house.systems.manual = frozenset()
    held = house.systems.system(NORWAY, "ticketing")
    held.hold(KARI, "order", "o1", anchors={"order_completed": date(2026, 3, 1)})
    say = Look(language).say
    context = browser.new_context(
        java_script_enabled=False,
        locale=language.value,
        viewport={"width": PHONE, "height": 800},
    )
    page = context.new_page()

    def press(key: str) -> None:
        page.get_by_role("button", name=say(key)).click()

    page.goto(f"{address}/c/{NORWAY}")
    for wish in ("access", "erasure", "rectification"):
        page.get_by_label(say(f"portal.wish.{wish}")).check()
    page.get_by_label(say("portal.email")).fill(KARI)
    press("portal.send")
    page.get_by_role("heading", name=say("portal.sent_title")).wait_for()
    picture(page, "sent")
    house.work()
    (case_id,) = cases(house)
    house.installation.intake.confirm(
        case_id,
        rights=(Right.ACCESS, Right.ERASURE, Right.RECTIFICATION),
        language=language,
        identifiers=(Identifier(IdentifierKind.EMAIL, KARI),),
        by=BY,
    )
    house.work()

    link = address + house.link("follow")
    page.goto(link)
    page.get_by_label(say("person.code")).fill(house.newest_code())
    press("follow.open_button")
    page.get_by_label(say("follow.text")).fill("Det gjelder konserten i fjor.")
    press("follow.send")
    page.get_by_text("Det gjelder konserten i fjor.").wait_for()
    page.get_by_role("region", name=Look(language).right(Right.RECTIFICATION)).get_by_role(
        "link", name=say("follow.withdraw")
    ).click()
    press("follow.withdraw_button")
    page.get_by_text(say("follow.done_withdrawn")).wait_for()
    picture(page, "followed")
    assert asked(house, case_id, Right.RECTIFICATION).status is Status.CLOSED

    house.work()
    look_everywhere(house, case_id, Right.ACCESS)
    approve(house, case_id, Right.ACCESS)
    fetching = context.new_page()
    fetching.goto(address + house.link("answer"))
    fetching.get_by_role("button", name=say("person.send_code")).click()
    fetching.get_by_label(say("person.code")).wait_for()
    house.work()
    fetching.get_by_label(say("person.code")).fill(house.newest_code())
    picture(fetching, "answer")
    with fetching.expect_download() as download:
        fetching.get_by_role("button", name=say("person.fetch")).click()
    assert download.value.suggested_filename.endswith(".zip")
    house.work()
    assert asked(house, case_id, Right.ACCESS).status is Status.CLOSED

    look_everywhere(house, case_id, Right.ERASURE)
    house.work()
    page.goto(link)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    picture(page, "table")
    press("follow.table_button")
    page.get_by_text(say("follow.table_confirmed")).wait_for()
    approve(house, case_id, Right.ERASURE)
    house.work()
    page.reload()
    page.get_by_text(say("follow.stage.answered")).first.wait_for()
    picture(page, "answered")


@pytest.mark.parametrize("language", list(Language), ids=lambda one: one.value)
def test_one_press_stops_marketing(
    house: House, browser: Browser, address: str, language: Language
) -> None:
    context = browser.new_context(java_script_enabled=False, locale=language.value)
    page = context.new_page()
    link = house.installation.one_click.link(NORWAY, KARI)
    page.goto(address + link.removeprefix(house.installation.settings.address))
    page.get_by_role("button", name=Look(language).say("one_click.button")).click()
    page.get_by_role("status").wait_for()
    house.work()
    assert house.systems.system(NORWAY, "mailing").suppressed == {KARI}
