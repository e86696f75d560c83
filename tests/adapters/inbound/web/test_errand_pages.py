"""A person behind a system answers by a link, on a phone: code first, then only what is asked."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from domain.errand import Errand, ErrandAnswer, ErrandEnd
from domain.fulfilment import SystemStatus
from domain.vocabulary import LetterKind, Match, Outcome, Right
from services.letter_facts import Reply
from services.recipient_ledger import Stage
from services.recipient_proofs import Way
from tests.support.asking import approved, plan, verified
from tests.support.errands import (
    OWNER,
    code_in,
    go_round,
    link_in,
    mails_to,
    with_organisers,
    with_owner,
)
from tests.support.house import KARI, SWEDEN, House
from tests.support.steps import press, reveal

CSV = (
    "E-post;Navn;Besøk\n"
    f"{KARI};Kari Testesen;2026-10-01\n"
    "another@person.example;Ola Testesen;2026-10-02\n"
)


def asked(house: House, right: Right = Right.ACCESS) -> UUID:
    with_owner(house)
    case_id = verified(house, right)
    go_round(house)
    return case_id


def errand_of(house: House, case_id: UUID, right: Right = Right.ACCESS, at: str = "web") -> Errand:
    request_id = house.case(case_id).request_id(right)
    return house.installation.errands.of_line(request_id, at)[-1]


def opened(house: House, address: str = OWNER) -> TestClient:
    """A browser in which the code was typed."""
    link = link_in(mails_to(house, address)[-1])
    browser = house.visitor()
    assert browser.post(f"{link}/code").status_code == 200
    house.work()
    code = code_in(mails_to(house, address, "errand-code")[-1])
    answer = browser.post(link, data={"code": code})
    assert answer.status_code == 200
    return browser


def tables(house: House) -> dict[str, object]:
    """Everything that could have changed, but for counters of what was asked when."""
    names = [
        row["name"]
        for row in house.installation.database.fetch(
            "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
            " WHERE schemaname IN ('trettio', 'views') AND tablename <> 'presence'"
            " ORDER BY 1"
        )
    ]
    return {
        name: house.installation.database.fetch(
            f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {name} t"
        )[0]
        for name in names
    }


def test_twenty_gets_and_heads_change_nothing_at_any_address(house: House) -> None:
    case_id = asked(house)
    errand = errand_of(house, case_id)
    link, browser = link_in(mails_to(house, OWNER)[-1]), opened(house)
    before = tables(house)

    for address in (link, f"{link}/code", "/errands", f"/errands/{errand.id}", "/errands/all"):
        for _ in range(10):
            browser.get(address)
            browser.head(address)
    for what in ("found", "nothing", "erased", "done", "kept", "not-me"):
        answer = house.visitor().post(f"/errands/{errand.id}/{what}", data={"reason": "x"})
        assert answer.status_code == 404, "nobody without a code answers for anybody"

    assert tables(house) == before


def test_unknown_ended_and_withdrawn_links_look_alike_and_say_what_to_do(house: House) -> None:
    case_id = asked(house)
    link = link_in(mails_to(house, OWNER)[-1])
    request_id = house.case(case_id).request_id(Right.ACCESS)
    house.installation.errand_desk.withdraw(request_id, "web", by="ola")
    visitor = house.visitor()

    answers = [visitor.get(one) for one in (link, "/answer-for/" + "x" * 43, "/errands")]
    answers += [visitor.post(f"{link}/code"), visitor.post("/answer-for/" + "x" * 43 + "/code")]

    assert {one.status_code for one in answers} == {404}
    assert len({one.text for one in answers}) == 1
    assert "<h1>" in answers[0].text


def test_wrong_codes_are_limited_and_then_even_the_right_one_opens_nothing(house: House) -> None:
    asked(house)
    link, browser = link_in(mails_to(house, OWNER)[-1]), house.visitor()
    page = browser.get(link).text
    assert KARI not in page, "the link alone shows nothing about anybody"
    assert "Kari" not in page
    browser.post(f"{link}/code")
    house.work()
    code = code_in(mails_to(house, OWNER, "errand-code")[-1])

    for _ in range(5):
        assert browser.post(link, data={"code": "0000 0001"}).status_code == 422

    assert browser.post(link, data={"code": code}).status_code == 422
    for _ in range(10):
        browser.post(f"{link}/code")
    house.work()
    assert len(mails_to(house, OWNER, "errand-code")) <= 5


def test_only_what_is_asked_is_shown_and_nothing_held_is_an_answer(house: House) -> None:
    case_id = asked(house)
    browser, errand = opened(house), errand_of(house, case_id)
    page = browser.get(f"/errands/{errand.id}").text
    assert KARI in page

    answer = browser.post(f"/errands/{errand.id}/nothing", data={"reason": "searched-nothing-held"})

    assert answer.status_code == 200
    assert plan(house, case_id, Right.ACCESS).systems["web"].status is SystemStatus.FOUND
    assert errand_of(house, case_id).said is ErrandAnswer.NOTHING_HELD
    assert house.visitor().get(link_in(mails_to(house, OWNER)[-1])).status_code == 404
    again = browser.post(f"/errands/{errand.id}/nothing", data={"reason": "already-erased"})
    assert again.status_code == 200
    assert errand_of(house, case_id).said is ErrandAnswer.NOTHING_HELD


def test_of_a_file_only_the_rows_of_the_one_who_asks_are_kept(house: House) -> None:
    case_id = asked(house)
    browser, errand = opened(house), errand_of(house, case_id)

    answer = browser.post(
        f"/errands/{errand.id}/found",
        data={"kind": "usage"},
        files={"document": ("besøk.csv", CSV.encode(), "text/csv")},
    )

    assert answer.status_code == 200, answer.text
    (record,) = plan(house, case_id, Right.ACCESS).systems["web"].found
    assert record.match is Match.VERIFIED_IDENTIFIER
    content = house.installation.vault.open(record.content).decode()
    assert KARI in content
    assert "another@person.example" not in content


def test_a_file_that_is_refused_is_said_so_and_kept_nowhere(house: House) -> None:
    case_id = asked(house)
    browser, errand = opened(house), errand_of(house, case_id)
    before = tables(house)

    answer = browser.post(
        f"/errands/{errand.id}/found",
        files={"document": ("page.csv", b"<html><script>alert(1)</script></html>", "text/csv")},
    )

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert tables(house) == before


def test_a_document_lies_beside_the_case_and_is_described(house: House) -> None:
    case_id = asked(house)
    browser, errand = opened(house), errand_of(house, case_id)
    pdf: Any = {"document": ("../../x.pdf", b"%PDF-1.7\n1 0 obj\n%%EOF\n", "application/pdf")}

    assert browser.post(f"/errands/{errand.id}/found", files=pdf).status_code == 422
    answer = browser.post(
        f"/errands/{errand.id}/found", data={"words": "Logg fra oktober"}, files=pdf
    )

    assert answer.status_code == 200
    (shown,) = house.installation.filing.files(case_id)
    assert shown.name == "document.pdf"
    assert len(plan(house, case_id, Right.ACCESS).systems["web"].found) == 1


def erasing(house: House) -> tuple[UUID, TestClient, Errand]:
    """The owner found something, and is now to erase it."""
    with_owner(house)
    case_id = verified(house, Right.ERASURE)
    go_round(house)
    browser, errand = opened(house), errand_of(house, case_id, Right.ERASURE)
    browser.post(f"/errands/{errand.id}/found", data={"kind": "usage", "words": "Besøk 2026-10-01"})
    request_id = house.case(case_id).request_id(Right.ERASURE)
    for system in ("customer-service", "archive"):
        house.installation.byhand.found(request_id, system, (), reason="nothing-there", by="ola")
    house.installation.deciding.approve(request_id, by="ola", considered=True)
    go_round(house)
    return case_id, browser, errand_of(house, case_id, Right.ERASURE)


def test_an_erasure_needs_a_second_look(house: House) -> None:
    case_id, browser, errand = erasing(house)
    (record,) = plan(house, case_id, Right.ERASURE).systems["web"].found
    fields = {f"deed-{record.record_id}": "erased"}

    assert browser.post(f"/errands/{errand.id}/erased", data=fields).status_code == 422
    answer = browser.post(f"/errands/{errand.id}/erased", data={**fields, "looked": "1"})

    assert answer.status_code == 200
    state = plan(house, case_id, Right.ERASURE).systems["web"]
    assert state.status is SystemStatus.DONE
    assert state.outcomes[0].outcome is Outcome.ERASED


def test_what_is_kept_has_its_law_and_its_day_and_becomes_a_hold(house: House) -> None:
    case_id, browser, errand = erasing(house)
    (record,) = plan(house, case_id, Right.ERASURE).systems["web"].found
    one = record.record_id
    fields = {f"deed-{one}": "kept", "looked": "1", f"ground-{one}": "no.bokforing.primary"}

    assert browser.post(f"/errands/{errand.id}/erased", data=fields).status_code == 422
    answer = browser.post(
        f"/errands/{errand.id}/erased", data={**fields, f"until-{one}": "2031-12-31"}
    )

    assert answer.status_code == 200
    (hold,) = house.installation.held.of_case(house.case(case_id))
    assert hold.release_on is not None
    assert errand_of(house, case_id, Right.ERASURE).said is ErrandAnswer.KEPT


def test_not_me_goes_to_the_handler_and_to_nobody_else(house: House) -> None:
    case_id = asked(house)
    browser, errand = opened(house), errand_of(house, case_id)

    browser.post(f"/errands/{errand.id}/not-me", data={"who": "drift@other.example"})
    go_round(house)

    assert mails_to(house, "drift@other.example") == []
    fresh = errand_of(house, case_id)
    assert house.installation.errand_desk.disowned_words(fresh) == "drift@other.example"
    house.installation.errand_desk.redirect(fresh.id, "drift@other.example", by="ola")
    go_round(house)
    assert len(mails_to(house, "drift@other.example")) == 1
    assert browser.get(f"/errands/{errand.id}").status_code == 404, "it is not theirs any more"
    assert len(mails_to(house, OWNER)) == 1, "who is not it is not asked again"


@pytest.fixture
def organised(house: House) -> House:
    """Two organisers got something of hers, and each has an address."""
    with_organisers(house, Lönnlaget="post@lonn.example", Eklaget="post@ek.example")
    shop = house.systems.system(SWEDEN, "shop")
    for key, name in (("o1", "Lönnlaget"), ("o2", "Eklaget")):
        fields = {"email": KARI, "name": "Kari Testesen", "phone": "+46701740605", "seat": "12"}
        shop.hold(KARI, "order", key, fields=fields, recipients=(name,))
    approved(house, Right.ERASURE, controller=SWEDEN)
    house.work()
    go_round(house)
    return house


def test_an_organiser_sees_its_own_bookings_and_of_them_what_it_was_given(
    organised: House,
) -> None:
    house = organised
    browser = opened(house, "post@lonn.example")
    errand = house.installation.errand_door.open_of(
        house.installation.errands.book.holder(SWEDEN, "post@lonn.example")
    )[0]

    page = browser.get(f"/errands/{errand.id}").text

    assert "o1" in page
    assert "o2" not in page
    assert "+46701740605" in page
    assert KARI not in page, "the address was never passed on to it"
    other = house.installation.errand_door.open_of(
        house.installation.errands.book.holder(SWEDEN, "post@ek.example")
    )[0]
    assert browser.get(f"/errands/{other.id}").status_code == 404


def test_recipients_are_informed_once_each_of_them_has_answered(organised: House) -> None:
    house = organised
    errands = [
        house.installation.errand_door.open_of(
            house.installation.errands.book.holder(SWEDEN, address)
        )[0]
        for address in ("post@lonn.example", "post@ek.example")
    ]
    line, request_id = errands[0].system, errands[0].request_id

    opened(house, "post@lonn.example").post(f"/errands/{errands[0].id}/done")
    fulfilment = house.installation.register.fulfilment(request_id)
    assert fulfilment.systems[line].status is SystemStatus.WAITING_FOR_PERSON

    case_id = errands[0].case_id
    house.installation.recipients.tell_person(case_id, by="ola")
    house.work()
    (letter,) = (one for one in house.mails() if one.kind is LetterKind.RECIPIENTS)
    told = " ".join(letter.text.split())
    lonn, ek = (
        told.partition(f"- {name}: ")[2].partition(" - ")[0] for name in ("Lönnlaget", "Eklaget")
    )
    assert "svarte de at de har tatt hånd om det" in lonn, told
    assert f"Referanse: {str(errands[0].id)[:8]}." in lonn
    assert "De har ikke svart ennå." in ek, "told by a link that nobody has answered"
    assert f"Referanse: {str(errands[1].id)[:8]}." in ek
    (shown,) = (o for o in house.installation.recipients.told(case_id) if o.name == "Lönnlaget")
    assert (shown.about, shown.answered) == (Right.ERASURE, Reply.DONE)

    opened(house, "post@ek.example").post(
        f"/errands/{errands[1].id}/nothing", data={"reason": "already-erased"}
    )

    fulfilment = house.installation.register.fulfilment(request_id)
    assert fulfilment.systems[line].status is SystemStatus.DONE
    assert [told.outcome for told in fulfilment.told if told.recipient == "organisers"] == [
        Outcome.INFORMED
    ]


def test_several_are_answered_at_once_with_one_code(house: House) -> None:
    with_owner(house)
    cases = [verified(house, Right.ACCESS, text=f"Innsyn {n}") for n in range(3)]
    go_round(house)
    browser = opened(house)
    page = browser.get("/errands").text
    errands = [errand_of(house, one) for one in cases]
    assert all(str(one.id) in page for one in errands)

    browser.post(
        "/errands/all",
        data={
            "errand": [str(one.id) for one in errands[:2]],
            "how": "nothing",
            "reason": "searched-nothing-held",
        },
    )

    ends = [errand_of(house, one).ended for one in cases]
    assert ends == [ErrandEnd.ANSWERED, ErrandEnd.ANSWERED, None]


def test_the_handler_sees_who_was_asked_and_confirms_whom_to_ask_instead(house: House) -> None:
    case_id = asked(house)
    errand, desk, case = errand_of(house, case_id), house.staff(), f"/desk/cases/{case_id}"
    opened(house).post(f"/errands/{errand.id}/not-me", data={"who": "drift@other.example"})
    place = f"{case}/requests/{errand.request_id}/systems/web/link"

    assert "drift@other.example" not in desk.get(case).text, "nobody has said what for"
    reveal(desk, case)
    assert "drift@other.example" in desk.get(case).text
    assert house.case(case_id).reference in desk.get("/desk/errands").text
    press(desk, f"{place}/redirect", errand=str(errand.id), ask="drift@other.example")
    house.work()
    assert len(mails_to(house, "drift@other.example")) == 1
    press(desk, place)
    house.work()
    assert len(mails_to(house, "drift@other.example")) == 2
    press(desk, f"{place}/withdraw")
    assert errand_of(house, case_id).ended is ErrandEnd.WITHDRAWN
    assert house.case(case_id).reference not in desk.get("/desk/errands").text


def test_the_ledger_has_for_each_recipient_what_it_was_told_and_answered(organised: House) -> None:
    house = organised
    book = house.installation.errands.book
    (errand,) = house.installation.errand_door.open_of(book.holder(SWEDEN, "post@lonn.example"))
    opened(house, "post@lonn.example").post(f"/errands/{errand.id}/done")

    ledger = {one.name: one for one in house.installation.recipients.ledger(errand.case_id)}

    (proof,) = ledger["Lönnlaget"].proofs
    assert (ledger["Lönnlaget"].stage, proof.way, proof.answer) == (
        Stage.INFORMED,
        Way.LINK,
        "done",
    )
    assert proof.id == errand.id
    assert None not in (proof.told_at, proof.seen_at, proof.answered_at)
    (other,) = ledger["Eklaget"].proofs
    assert (ledger["Eklaget"].stage, other.answered_at) == (Stage.WAITING, None)
    (shop,) = [one for one in ledger["shop"].proofs if one.about == "erase"]
    assert (shop.way, shop.answer) == (Way.CONNECTOR, "erased")


def test_an_organiser_without_an_address_is_told_at_one_that_the_handler_types(
    house: House,
) -> None:
    house.systems.system(SWEDEN, "shop").hold(
        KARI, "order", "o7", fields={"name": "Kari Testesen"}, recipients=("Alvlaget",)
    )
    case_id = approved(house, Right.ERASURE, controller=SWEDEN)
    desk, case = house.staff(), f"/desk/cases/{case_id}"
    request_id = house.case(case_id).request_id(Right.ERASURE)
    reveal(desk, case)
    assert "/recipients/link" in desk.get(case).text
    fields = {"request": str(request_id), "recipient": "organisers", "ask": "post@alv.example"}

    refused = desk.post(f"{case}/recipients/link", data={**fields, "name": "Somebody else"})
    assert refused.status_code == 422
    press(desk, f"{case}/recipients/link", **fields, name="Alvlaget")
    house.work()
    browser = opened(house, "post@alv.example")
    (errand,) = house.installation.errands.of_line(request_id, "recipient:organisers")
    assert "o7" in browser.get(f"/errands/{errand.id}").text
    browser.post(f"/errands/{errand.id}/done")

    state = plan(house, case_id, Right.ERASURE).systems["recipient:organisers"]
    assert state.status is SystemStatus.DONE
