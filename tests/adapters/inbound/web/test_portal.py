"""The portal: anybody asks, nobody is looked up, and the clock starts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import ceil

import pytest
from fastapi.testclient import TestClient

from adapters.inbound.web.look import Look
from domain.case import CaseStatus, reference
from domain.deadlines import received_on
from domain.request import Status
from domain.vocabulary import Channel, Country, IdentifierKind, Language, Right
from services.portal import MOST_FROM_NETWORK, MOST_MAILS_TO_ADDRESS, promise_of
from services.ports import Limit
from tests.support.house import KARI, NORWAY, SWEDEN, House, open_house
from tests.support.marks import Marks
from tests.support.steps import confirm, reveal
from tests.support.visitors import ask, cases, send

NOBODY = "nobody.testesen@person.example"
_HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def still(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house for what leaves nothing behind that another test would see."""
    with open_house(module_database_url, tmp_path_factory.mktemp("still")) as opened:
        yield opened


def test_the_first_page_lists_who_publishes_one(still: House) -> None:
    page = still.visitor().get("/")
    assert page.status_code == 200
    assert 'href="/c/fjordscenen"' in page.text
    assert 'href="/c/stundbiljett"' in page.text
    assert 'href="/desk"' in page.text
    assert still.visitor().get("/c/nobody").status_code == 404


def test_the_form_says_by_when_before_anything_is_sent(still: House) -> None:
    profile = still.installation.controllers.in_force(NORWAY)
    today = received_on(datetime.now(UTC), Country.NO)
    browser = still.visitor()
    for language in Language:
        page, look = browser.get(f"/c/{NORWAY}?lang={language.value}").text, Look(language)
        assert f'<html lang="{language.value}">' in page
        assert look.say("portal.by", day=look.day(promise_of(today, profile).answer_by)) in page
        assert "personvern@fjordscenen.example" in page
        assert "Oppdiktede vei 1" in page
        assert "Datatilsynet" in page
        assert page.count('class="main"') == 1
        assert len(page.encode()) < 60_000
        assert look.say("portal.signal") not in page
        told = browser.get(f"/c/{NORWAY}?lang={language.value}", headers={"Sec-GPC": "1"}).text
        assert look.say("portal.signal") in told


def test_a_form_is_received_before_any_code_is_entered(house: House, database_url: str) -> None:
    case_id = ask(house, "access", "erasure", text="Alt om konserten i fjor.", order="ORD-17")

    case = house.case(case_id)
    assert case.channel is Channel.PORTAL
    assert case.status is CaseStatus.WAITING
    assert case.rights == (Right.ACCESS, Right.ERASURE)
    given = house.installation.intake.proposed_identifiers(case_id)
    assert [(one.kind, one.value) for one in given] == [
        (IdentifierKind.EMAIL, KARI),
        (IdentifierKind.ORDER_NUMBER, "ORD-17"),
    ]
    (mail,) = house.mails()
    assert mail.kind.value == "identity-code"
    assert "/follow/" in mail.text

    assert Marks((KARI,), ("konserten i fjor",), ("ORD-17",)).in_database(database_url) == {}

    before, link = house.events(), house.link("follow")
    for address in ("/", f"/c/{NORWAY}", f"/c/{NORWAY}/stop", link, f"{link}/withdraw/access"):
        house.visitor().get(address)
    assert house.events() == before  # mail scanners open every link


def test_a_form_that_is_sent_twice_is_one_request(house: House) -> None:
    browser = house.visitor()
    key = "7b0c3f1e-5a57-4a0e-9a51-7c1c3b5b6a10"
    first = send(browser, "access", "objection-to-marketing", key=key)
    again = send(browser, "access", "objection-to-marketing", key=key)
    house.work()
    assert first.headers["location"] == again.headers["location"]
    assert len(cases(house)) == 2  # what stops at once goes its own way
    kinds = sorted(mail.kind.value for mail in house.mails())
    assert kinds == ["acknowledgement", "answer", "identity-code"]


def test_by_post_needs_no_mail_address(still: House) -> None:
    before = still.mails()
    case_id = ask(still, "access", email="", post="Oppdiktede vei 9, 0000 Fjordsund")
    assert still.mails() == before
    (given,) = still.installation.intake.proposed_identifiers(case_id)
    assert given.kind is IdentifierKind.POSTAL_ADDRESS


def test_what_is_missing_is_said_at_its_field(still: House) -> None:
    before = cases(still)
    answer = send(still.visitor(), email="nowhere")
    assert answer.status_code == 422
    for field in ("right", "email"):
        assert f'id="{field}-wrong"' in answer.text
        assert f'href="#{field}"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert 'value="nowhere"' in answer.text
    assert cases(still) == before


def test_a_form_from_another_site_is_refused(still: House) -> None:
    before, browser = cases(still), still.visitor()
    browser.headers["Origin"] = "https://evil.example"
    assert send(browser, "access").status_code == 403
    assert cases(still) == before


def test_marketing_stops_without_anybody_reading_or_proving_anything(house: House) -> None:
    mailing = house.systems.system(NORWAY, "mailing")
    answer = send(house.visitor(), path="/stop")
    assert answer.headers["location"].endswith("/stop")
    house.work()

    (case_id,) = cases(house)
    case = house.case(case_id)
    assert case.status is CaseStatus.CONFIRMED
    assert case.rights == (Right.OBJECTION_TO_MARKETING,)
    (request,) = house.installation.register.requests_of(case)
    assert request.status is not Status.RECEIVED
    assert KARI in mailing.suppressed
    page = house.visitor().get(answer.headers["location"]).text
    assert case.reference in page


def test_a_code_is_remembered_until_the_case_is_read_and_proves_its_own_address(
    house: House,
) -> None:
    desk = house.staff()
    asked = {
        "proven": (KARI, KARI),
        "not-entered": ("ola.testesen@person.example", "ola.testesen@person.example"),
        "another": (NOBODY, "pia.testesen@person.example"),
        "for-a-child": ("mor.testesen@person.example", "mor.testesen@person.example"),
    }
    status = {}
    for name, (written, confirmed) in asked.items():
        ticked = {"another": "yes"} if name == "for-a-child" else {}
        case_id = ask(house, "access", email=written, **ticked)
        if name != "not-entered":
            browser, link = house.visitor(), house.link("follow")
            assert browser.post(link, data={"code": house.newest_code()}).status_code == 200
        reveal(desk, f"/desk/cases/{case_id}")
        confirm(desk, f"/desk/cases/{case_id}", "access", address=confirmed)
        (request,) = house.installation.register.requests_of(house.case(case_id))
        status[name] = request.is_identified
    assert [name for name, identified in status.items() if identified] == ["proven"]


# Nobody learns who is known


def test_known_and_unknown_addresses_get_the_same_answer_and_the_same_mails(house: House) -> None:
    house.systems.system(NORWAY, "ticketing").hold(KARI, "order", "o1")
    earlier = house.receive("Jeg ber om innsyn i det dere har om meg.")
    desk = house.staff()
    reveal(desk, f"/desk/cases/{earlier}")
    confirm(desk, f"/desk/cases/{earlier}", "access")
    house.work()
    seen = []
    for address in (KARI, NOBODY):
        before = {mail.path for mail in house.mails()}
        steps = [
            send(house.visitor(), "access", "erasure", email=address),
            send(house.visitor(), "access", email=address, text="Alt, takk."),
            send(house.visitor(), path="/stop", email=address),
        ]
        answers = [(one.status_code, _neutral(one.headers, address), one.text) for one in steps]
        pages = [house.visitor().get(one.headers["location"]) for one in steps]
        answers += [
            (one.status_code, _neutral(one.headers, address), _plain(one.text, address))
            for one in pages
        ]
        house.work()
        mails = [mail for mail in house.mails() if mail.path not in before]
        told = sorted((mail.kind.value, _plain(mail.text, address)) for mail in mails)
        seen.append((answers, told))
    assert seen[0][0] == seen[1][0]
    assert seen[0][1] == seen[1][1]
    assert [kind for kind, _ in seen[0][1]] == [
        "acknowledgement",
        "answer",
        "identity-code",
        "identity-code",
    ]


def test_taking_a_form_in_looks_nobody_up(still: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is never looked up cannot take longer for somebody who is there."""
    asked: list[str] = []

    def looked_up(*_: object) -> tuple[()]:
        asked.append("looked up")
        return ()

    monkeypatch.setattr(type(still.installation.vault), "cases_of", looked_up)
    monkeypatch.setattr(type(still.systems), "connector", looked_up)
    send(still.visitor(), "access", "objection-to-marketing")
    send(still.visitor(), path="/stop")
    assert asked == []


def _neutral(headers: object, address: str) -> list[tuple[str, str]]:
    return [(name, _plain(value, address)) for name, value in headers.items()]  # type: ignore[attr-defined]


def _plain(text: str, address: str) -> str:
    """Without what is every case's own: its number, its secrets, its address."""
    text = text.replace(address, "<address>")
    text = re.sub(r"[0-9A-HJ-NP-Z]{4}-[0-9A-HJ-NP-Z]{4}", "<case>", text)
    text = re.sub(r"/follow/[\w-]+", "/follow/<secret>", text)
    return re.sub(r"\b\d{4} ?\d{4}\b", "<code>", text)


# How often


def test_a_network_that_sends_too_much_is_told_to_wait(still: House) -> None:
    before = cases(still)
    browser = TestClient(
        still.client.app, headers={"Origin": "http://testserver"}, client=("2001:db8::1:2", 1)
    )
    limit = Limit("portal/network", "2001:0db8:0000:0000", MOST_FROM_NETWORK, _HOUR)
    for _ in range(MOST_FROM_NETWORK):
        still.installation.limits.spend((limit,))
    answer = send(browser, "access")
    assert answer.status_code == 429
    seconds = int(answer.headers["retry-after"])
    assert 0 < seconds <= 3601
    assert re.search(rf"igjen om (?:{ceil(seconds / 60)}|ett) minutt", answer.text)
    assert "personvern@fjordscenen.example" in answer.text
    assert cases(still) == before


def test_an_address_gets_few_mails_and_its_requests_all_the_same(house: House) -> None:
    """Whoever spends somebody else's mails keeps none of their requests away, and sees nothing."""
    answers = [send(house.visitor(), "access") for _ in range(MOST_MAILS_TO_ADDRESS + 1)]
    house.work()
    assert {one.status_code for one in answers} == {303}
    assert len(cases(house)) == MOST_MAILS_TO_ADDRESS + 1
    assert len(house.mails()) == MOST_MAILS_TO_ADDRESS
    stopped = send(house.visitor(), path="/stop")
    assert stopped.headers["location"].endswith("/stop")  # as for anybody
    house.work()
    assert len(house.mails()) == MOST_MAILS_TO_ADDRESS  # a person begins it, the same day
    other = [send(house.visitor(), "access", controller=SWEDEN)]
    house.work()
    assert other[0].status_code == 303
    assert len(house.mails()) == MOST_MAILS_TO_ADDRESS + 1


def test_the_reference_on_the_page_is_the_cases(still: House) -> None:
    answer = send(still.visitor(), "access")
    page = still.visitor().get(answer.headers["location"]).text
    assert reference(cases(still)[-1]) in page
    assert KARI not in page
    assert still.visitor().get(f"/c/{NORWAY}/sent/x/2026-01-01/mail").status_code == 404
