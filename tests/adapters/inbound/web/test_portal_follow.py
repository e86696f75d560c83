"""The link that follows a request: how far and why for whoever has it, the rest behind a code."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from fastapi.testclient import TestClient

from adapters.inbound.web.look import Look
from adapters.inbound.web.portal_follow import COOKIE
from domain.request import Status
from domain.vocabulary import Language, Right
from tests.support.house import KARI, NORWAY, House
from tests.support.steps import confirm, press, reveal
from tests.support.visitors import ask, open_page

WORDS = "Jeg kjøpte billetter til Marisol i fjor."


def test_the_link_alone_tells_how_far_and_why_and_names_nobody(house: House) -> None:
    ask(house, "access", text=WORDS, name="Kari Testesen")
    for language in Language:
        page = house.visitor().get(f"{house.link('follow')}?lang={language.value}").text
        say = Look(language).say
        assert say("follow.stage.read") in page
        assert say("follow.why") in page
        assert WORDS not in page
        assert KARI not in page
        assert "Kari" not in page
        assert page.count('class="main"') == 1


def test_a_code_opens_what_was_written_in_this_browser_only(house: House) -> None:
    case_id = ask(house, "access", text=WORDS)
    desk, case = house.staff(), f"/desk/cases/{case_id}"
    reveal(desk, case)
    confirm(desk, case, "access")
    house.work()
    browser, stranger = house.visitor(), house.visitor()
    link = house.link("follow")
    browser.post(f"{link}/code")
    house.work()
    wrong = stranger.post(link, data={"code": "00000000"})
    assert wrong.status_code == 422
    assert 'role="alert"' in wrong.text
    open_page(house, browser)

    page = browser.get(link).text
    assert WORDS in page
    assert Look(Language.NB).say("follow.letter.acknowledgement") in page
    assert house.newest_code() not in page
    assert WORDS not in stranger.get(link).text
    (request,) = house.installation.register.requests_of(house.case(case_id))
    assert request.is_identified
    assert WORDS not in press(browser, f"{link}/close")


def test_somebody_elses_open_page_opens_nothing_here(house: House) -> None:
    ask(house, "access", text=WORDS)
    first = house.link("follow")
    theirs = house.visitor()
    ask(house, "erasure", email="nobody.testesen@person.example")
    open_page(house, theirs)
    assert theirs.cookies.get(COOKIE)
    assert WORDS not in theirs.get(first).text
    assert theirs.get(f"{first}/withdraw/access").status_code == 404
    assert theirs.post(f"{first}/message", data={"text": "hei"}).status_code == 404


def test_a_message_arrives_once_and_a_request_is_taken_back_in_two_steps(house: House) -> None:
    case_id = ask(house, "access", "rectification")
    desk, case = house.staff(), f"/desk/cases/{case_id}"
    reveal(desk, case)
    confirm(desk, case, "access", "rectification")
    access, _ = house.installation.register.requests_of(house.case(case_id))
    question = "Gjelder det billetter eller kurs?"
    house.installation.questions.ask_scope(access.id, words=question, by="ola")
    house.work()
    browser = house.visitor()
    link = house.link("follow")
    assert browser.post(f"{link}/withdraw/access").status_code == 404
    browser.post(f"{link}/code")
    house.work()
    open_page(house, browser)
    assert question in browser.get(link).text
    assert browser.post(f"{link}/message", data={"text": " "}).status_code == 422

    key = "7b0c3f1e-5a57-4a0e-9a51-7c1c3b5b6a10"
    for _ in range(2):
        page = press(browser, f"{link}/message", text="Billettene.", key=key)
    assert "Billettene." in page
    assert 'class="question"' not in page
    assert len(house.case(case_id).messages) == 2
    access, _ = house.installation.register.requests_of(house.case(case_id))
    assert not access.awaits_clarification

    for _ in range(2):
        press(browser, f"{link}/restrict")
    assert house.case(case_id).rights.count(Right.RESTRICTION) == 1
    assert f"{link}/restrict" not in browser.get(link).text

    before = house.events()
    asked = browser.get(f"{link}/withdraw/access").text
    assert house.events() == before
    assert Look(Language.NB).say("follow.withdraw_button") in asked
    press(browser, f"{link}/withdraw/access")
    requests = house.installation.register.requests_of(house.case(case_id))
    status = {one.right: one.status for one in requests}
    assert status[Right.ACCESS] is Status.CLOSED
    assert status[Right.RECTIFICATION] is not Status.CLOSED
    assert browser.post(f"{link}/withdraw/access").status_code == 200


def test_codes_are_sent_only_so_often_and_a_link_that_ended_was_never_there(house: House) -> None:
    case_id = ask(house, "access")
    browser, link = house.visitor(), house.link("follow")
    for _ in range(8):
        assert browser.post(f"{link}/code").status_code == 200
    house.work()
    assert len(house.mails()) == 5

    with house.installation.database.transaction() as connection:
        connection.execute(
            "UPDATE trettio.links SET expires_at = clock_timestamp() WHERE subject_id = %s",
            [case_id],
        )
    for path in ("", "/withdraw/access"):
        never = browser.get(f"/follow/{'x' * 43}{path}")
        ended = browser.get(f"{link}{path}")
        assert never.status_code == ended.status_code == 404
        assert never.text == ended.text


# Before anything is erased


def found_for_erasure(house: House) -> tuple[UUID, str, TestClient]:
    """A request for erasure with everything found, and its page open in a browser."""
    held = house.systems.system(NORWAY, "ticketing")
    held.hold(KARI, "order", "o1", anchors={"order_completed": date(2026, 3, 1)})
    house.systems.manual = frozenset()
    case_id = ask(house, "erasure")
    browser = house.visitor()
    link = open_page(house, browser)
    desk, case = house.staff(), f"/desk/cases/{case_id}"
    reveal(desk, case)
    confirm(desk, case, "erasure")
    house.work()
    for system in ("web", "archive", "customer-service", "invoicing", "print"):
        page = desk.get(case).text
        if f"/systems/{system}/found" in page:
            request_id = house.case(case_id).request_ids[0]
            press(
                desk,
                f"{case}/requests/{request_id}/systems/{system}/found",
                nothing="searched-nothing-held",
            )
    house.work()
    return case_id, link, browser


def test_what_goes_and_what_stays_is_confirmed_by_the_person(house: House) -> None:
    case_id, link, browser = found_for_erasure(house)
    (request,) = house.installation.register.requests_of(house.case(case_id))
    assert request.status is Status.COLLECTED
    desk, case = house.staff(), f"/desk/cases/{case_id}"
    reveal(desk, case)
    press(desk, f"{case}/requests/{request.id}/table/ask")
    house.work()
    (asked,) = (mail for mail in house.mails() if mail.kind.value == "clarification")
    assert "/follow/" in asked.text

    assert "<table" not in house.visitor().get(link).text
    page = browser.get(link).text
    table = house.installation.erasure_tables.of(request)
    assert table is not None
    assert table.digest in page
    assert Look(Language.NB).say("follow.fate.goes") in page
    assert page.count('class="main"') == 1

    other = press(browser, f"{link}/table", table="0" * 64)
    assert Look(Language.NB).say("follow.done_changed") in other
    page = press(browser, f"{link}/table", table=table.digest)
    assert Look(Language.NB).say("follow.table_confirmed") in page
    wish = house.installation.register.find_erasure_wish(request.id)
    assert wish is not None
    assert wish.confirmed == table.digest
    (request,) = house.installation.register.requests_of(house.case(case_id))
    assert not request.awaits_clarification
    assert Look(Language.NB).say("erasure_table.confirmed") in desk.get(case).text


def test_a_page_is_open_for_the_address_that_the_code_went_to(house: House) -> None:
    """What goes to another address than the one that the code was sent to is not theirs."""
    case_id = ask(house, "erasure", text=WORDS, another="yes")
    browser = house.visitor()
    link = open_page(house, browser)
    desk, case = house.staff(), f"/desk/cases/{case_id}"
    reveal(desk, case)
    assert Look(Language.NB).say("portal.for_another") in desk.get(case).text
    confirm(desk, case, "erasure", address="ola.testesen@person.example")
    (request,) = house.installation.register.requests_of(house.case(case_id))
    assert not request.is_identified  # the code proved an address, not whom it is about
    house.work()
    browser.post(f"{link}/code")
    house.work()
    assert house.mails()[-1].recipient == "ola.testesen@person.example"
    assert WORDS not in browser.get(link).text  # open for another address, and so no longer
    letter = Look(Language.NB).say("follow.letter.acknowledgement")
    browser.post(link, data={"code": house.newest_code()})
    page = browser.get(link).text
    assert letter in page
    assert WORDS not in page
