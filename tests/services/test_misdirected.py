"""Sent to the wrong person: one button, the 72 hours, the note, and the answer sent anew."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain.errors import DomainError, NotAllowedNow
from domain.request import Status
from domain.vocabulary import IdentityMethod, LetterKind, Right
from projections import worklist
from services.ports import CodeCheck
from tests.support.asking import BY, Clock, approve, approved, asked, hurry, look_everywhere
from tests.support.house import KARI, NORWAY, House

OTHER = "kari.rett@person.example"


def answered(house: House) -> tuple[UUID, UUID]:
    house.systems.system(NORWAY, "mailing").hold(KARI, "member", "m1")
    case_id = approved(house, Right.ACCESS)
    (letter_id,) = (
        one.id for one in house.case(case_id).letters.values() if one.kind is LetterKind.ANSWER
    )
    return case_id, letter_id


def test_one_button_ends_the_link_and_opens_the_note(house: House, clock: Clock) -> None:
    case_id, letter_id = answered(house)
    secret = house.link("answer").rpartition("/")[2]
    misdirected = house.installation.misdirected
    pressed_at = clock()

    tell_by = misdirected.report(case_id, letter_id, by=BY)
    assert misdirected.report(case_id, letter_id, by=BY) == tell_by

    assert timedelta(0) <= tell_by - pressed_at - timedelta(hours=72) < timedelta(minutes=1)
    assert house.installation.answering.fetch(secret, "00000000")[0] is CodeCheck.EXPIRED
    request = asked(house, case_id, Right.ACCESS)
    (breach,) = request.breaches.values()
    assert (breach.records, len(breach.categories), breach.link_withdrawn) == (1, 1, True)
    assert (breach.fetched_at, breach.letter) == (None, letter_id)
    assert (request.status, request.delivery_failed) == (Status.APPROVED, "wrong-person")
    house.installation.follower().drain()
    (work,) = worklist.of_case(house.installation.database, case_id)
    assert work.blocked_by[0] == "breach"
    assert work.tell_authority_by == tell_by
    assert work.clock_runs, "the person still has no answer"


def test_what_was_opened_is_written_down_and_the_closed_case_is_open_again(house: House) -> None:
    case_id, letter_id = answered(house)
    secret = house.link("answer").rpartition("/")[2]
    house.installation.answering.send_code(secret)
    house.worker.drain()
    assert house.installation.answering.fetch(secret, house.newest_code())[0] is CodeCheck.RIGHT
    assert asked(house, case_id, Right.ACCESS).status is Status.CLOSED

    house.installation.misdirected.report(case_id, letter_id, by=BY)

    request = asked(house, case_id, Right.ACCESS)
    (breach,) = request.breaches.values()
    assert breach.fetched_at is not None
    assert request.status is Status.APPROVED


def test_the_note_is_written_settled_and_the_answer_sent_to_the_right_person(
    house: House, clock: Clock
) -> None:
    case_id, letter_id = answered(house)
    misdirected = house.installation.misdirected
    request_id = asked(house, case_id, Right.ACCESS).id
    misdirected.report(case_id, letter_id, by=BY)
    (report,) = asked(house, case_id, Right.ACCESS).breaches

    with pytest.raises(NotAllowedNow, match="write down first"):
        misdirected.write_to_person(request_id, report, by=BY)
    misdirected.describe(
        request_id,
        report,
        what="Svaret gikk til naboen.",
        consequences="Hun har sett kjøpene.",
        measures="Lenken er stengt.\n\nHun har slettet det.",
        by=BY,
    )
    with pytest.raises(NotAllowedNow, match="address it went to"):
        misdirected.write_to_person(request_id, report, by=BY)
    misdirected.correct_address(case_id, address=OTHER, by=BY)
    misdirected.write_to_person(request_id, report, by=BY)
    clock.forward(hours=73)
    with pytest.raises(DomainError, match="after 72 hours"):
        misdirected.settle_with_authority(request_id, report, told_at=clock(), reasons="", by=BY)
    misdirected.settle_with_authority(
        request_id, report, told_at=clock(), reasons="Vi fikk ikke tak i noen.", by=BY
    )
    house.worker.drain()

    notice = house.mails()[-1]
    assert (notice.kind, notice.recipient) == (LetterKind.DISCLOSURE_NOTICE, OTHER)
    assert "Hun har slettet det." in notice.text
    (note,) = misdirected.of_case(house.case(case_id))
    assert note.notes[2] == "Lenken er stengt.\n\nHun har slettet det."
    assert note.breach.is_settled
    house.installation.follower().drain()
    (work,) = worklist.of_case(house.installation.database, case_id)
    assert "breach" not in work.blocked_by
    assert work.tell_authority_by is None

    house.installation.answering.answer_again(request_id, by=BY)
    hurry(house, destroying=False)
    hurry(house, destroying=False)
    assert (house.mails()[-1].kind, house.mails()[-1].recipient) == (LetterKind.ANSWER, OTHER)
    assert asked(house, case_id, Right.ACCESS).status is Status.FULFILLED
    states = house.installation.database.fetch("SELECT state FROM trettio.log")
    for words in (b"naboen", b"kari.rett", b"tak i noen"):
        assert all(words not in bytes(row["state"]) for row in states)


def test_without_risk_the_authority_is_not_told_but_why_is_written_down(house: House) -> None:
    case_id, letter_id = answered(house)
    misdirected = house.installation.misdirected
    request_id = asked(house, case_id, Right.ACCESS).id
    misdirected.report(case_id, letter_id, by=BY)
    (report,) = asked(house, case_id, Right.ACCESS).breaches

    with pytest.raises(DomainError, match="no risk"):
        misdirected.settle_with_authority(request_id, report, told_at=None, reasons=" ", by=BY)
    with pytest.raises(DomainError, match="need not be told"):
        misdirected.settle_with_person(request_id, report, told=False, reasons="", by=BY)
    misdirected.settle_with_authority(
        request_id, report, told_at=None, reasons="Bare et saksnummer.", by=BY
    )
    misdirected.settle_with_person(request_id, report, told=False, reasons="Ingen risiko.", by=BY)

    (note,) = misdirected.of_case(house.case(case_id))
    assert (note.authority_reasons, note.person_reasons) == ("Bare et saksnummer.", "Ingen risiko.")
    assert asked(house, case_id, Right.ACCESS).tell_authority_by is None


def test_what_has_not_left_is_taken_back_instead(house: House) -> None:
    case_id, _ = answered(house)
    letter_id = house.installation.writing.message(case_id, words="Hei", by=BY)

    with pytest.raises(NotAllowedNow, match="take it back"):
        house.installation.misdirected.report(case_id, letter_id, by=BY)


def test_when_the_identity_check_was_wrong_it_is_made_again_and_the_answer_with_it(
    house: House,
) -> None:
    case_id, letter_id = answered(house)
    house.installation.misdirected.report(case_id, letter_id, by=BY)

    house.installation.mistakes.revoke_identity(case_id, reason="namesake", by=BY)

    request = asked(house, case_id, Right.ACCESS)
    assert (request.status, request.delivery_failed) == (Status.RECEIVED, None)
    assert request.open_breaches, "the breach is one all the same"
    house.installation.identity.verify_by_hand(case_id, method=IdentityMethod.IN_PERSON, by=BY)
    house.worker.drain()
    look_everywhere(house, case_id, Right.ACCESS)
    approve(house, case_id, Right.ACCESS)
    assert asked(house, case_id, Right.ACCESS).status is Status.FULFILLED
