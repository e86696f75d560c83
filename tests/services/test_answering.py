"""An answer arrives, or the clock runs on: letters, links, codes and what follows from them."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from domain.errors import NotAllowedNow
from domain.request import Status
from domain.vocabulary import (
    Compartment,
    IdentifierKind,
    IdentityMethod,
    LetterKind,
    Right,
)
from services import dossier
from services.answering import MOST_CODES_AN_HOUR
from services.ports import CodeCheck, Erased, Identifier, Unavailable
from tests.support.asking import (
    BY,
    Clock,
    approve,
    approved,
    asked,
    collected,
    confirmed,
    hurry,
    look_everywhere,
    open_tasks,
)
from tests.support.house import KARI, NORWAY, House


def secret(house: House) -> str:
    return house.link("answer").rpartition("/")[2]


def code(house: House) -> str:
    house.installation.answering.send_code(secret(house))
    house.worker.drain()
    return house.newest_code()


def test_nothing_held_is_an_answer_too(house: House) -> None:
    """Art. 15(1): also who is not known here learns that, and where was searched."""
    case_id = approved(house, Right.ACCESS)

    letter = next(m for m in house.mails() if m.kind is LetterKind.ANSWER)
    assert "vi fant ingenting" in " ".join(letter.text.split())
    assert asked(house, case_id, Right.ACCESS).status is Status.FULFILLED


def test_an_erasure_gets_its_letter_when_nothing_was_held(house: House) -> None:
    case_id = collected(house, Right.ERASURE)

    approve(house, case_id, Right.ERASURE)

    assert asked(house, case_id, Right.ERASURE).status is Status.CLOSED
    assert house.installation.tasks.parked() == []


def test_the_answer_is_fetched_with_a_link_and_a_code(house: House) -> None:
    house.systems.system(NORWAY, "mailing").hold(KARI, "member", "m1")
    case_id = approved(house, Right.ACCESS)

    check, package = house.installation.answering.fetch(secret(house), code(house))

    assert check is CodeCheck.RIGHT
    assert "data.json" in zipfile.ZipFile(io.BytesIO(package)).namelist()
    assert asked(house, case_id, Right.ACCESS).status is Status.CLOSED


def test_a_wrong_code_opens_nothing(house: House) -> None:
    approved(house, Right.ACCESS)
    right = code(house)
    wrong = f"{(int(right.replace(' ', '')) + 1) % 10**8:08d}"

    assert house.installation.answering.fetch(secret(house), wrong) == (CodeCheck.WRONG, b"")
    assert house.installation.answering.fetch("nowhere", right) == (CodeCheck.EXPIRED, b"")


def test_whoever_has_the_link_cannot_fill_a_mailbox(house: House) -> None:
    approved(house, Right.ACCESS)
    for _ in range(MOST_CODES_AN_HOUR + 3):
        code(house)

    codes = [m for m in house.mails() if m.kind is LetterKind.IDENTITY_CODE]
    assert len(codes) == MOST_CODES_AN_HOUR + 1  # and the one that proved who it is


def test_the_link_may_be_used_before_its_letter_is_recorded(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """We may fall between sending and recording; who has the link has the letter."""
    case_id = collected(house, Right.ACCESS)
    answering = house.installation.answering
    whole = answering.letter_left

    def cut(*args: Any, **kwargs: Any) -> None:
        case, letter_id = house.case(args[0]), args[1]
        if kwargs.get("task") and case.letters[letter_id].kind is LetterKind.ANSWER:
            raise Unavailable("fell")
        whole(*args, **kwargs)

    monkeypatch.setattr(answering, "letter_left", cut)
    approve(house, case_id, Right.ACCESS)
    assert asked(house, case_id, Right.ACCESS).status is Status.APPROVED

    check, _ = answering.fetch(secret(house), code(house))
    monkeypatch.undo()
    hurry(house)

    assert check is CodeCheck.RIGHT
    assert asked(house, case_id, Right.ACCESS).status is Status.CLOSED
    assert open_tasks(house) == []


def test_an_answer_that_nobody_opened_is_sent_again_with_a_new_link(
    house: House, clock: Clock
) -> None:
    case_id = approved(house, Right.ACCESS)
    request_id, old = asked(house, case_id, Right.ACCESS).id, secret(house)
    with pytest.raises(NotAllowedNow, match="has not failed"):
        house.installation.answering.answer_again(request_id, by=BY)

    clock.forward(days=8)
    house.installation.reminders.run([request_id])
    assert asked(house, case_id, Right.ACCESS).delivery_failed == "answer-not-fetched"
    clock.forward(days=-8)
    house.installation.answering.answer_again(request_id, by=BY)
    house.worker.drain()

    assert asked(house, case_id, Right.ACCESS).status is Status.FULFILLED
    assert house.installation.answering.request_behind(old) is None
    assert house.installation.answering.request_behind(secret(house)) is not None


def test_an_answer_that_bounced_can_be_posted_with_its_copy(house: House) -> None:
    case_id = approved(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)
    request.fail_delivery(reason="bounced", at=house.installation.clock())
    house.installation.register.save_all([request])

    house.installation.answering.answer_again(request.id, by=BY, by_post=True)
    house.worker.drain()
    letter = next(one for one in house.case(case_id).letters.values() if one.printed)
    assert zipfile.ZipFile(io.BytesIO(house.installation.answering.package(request.id)))
    house.installation.answering.letter_left(case_id, letter.id, how="post", by=BY)

    assert asked(house, case_id, Right.ACCESS).status is Status.CLOSED


def test_without_an_address_the_copy_is_printed_and_enclosed(house: House) -> None:
    """Nobody can follow a link on paper whose code goes to a mailbox there is not."""
    case_id = confirmed(
        house, Right.ACCESS, identifiers=(Identifier(IdentifierKind.NAME, "Kari Testesen"),)
    )
    house.installation.identity.verify_by_hand(case_id, method=IdentityMethod.IN_PERSON, by=BY)
    house.worker.drain()
    look_everywhere(house, case_id, Right.ACCESS)
    approve(house, case_id, Right.ACCESS)

    assert house.mails() == []
    letter = list(house.case(case_id).letters.values())[-1]
    text = dossier.LETTER.validate_json(house.installation.vault.open(letter.text)).text
    assert "/answer/" not in text
    house.installation.answering.letter_left(case_id, letter.id, how="post", by=BY)
    assert asked(house, case_id, Right.ACCESS).status is Status.CLOSED


def test_an_answer_nobody_waits_for_any_more_is_not_sent(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken back while the letter lay in the queue: no personal data leaves after that."""
    case_id = collected(house, Right.ACCESS)
    mailer = house.installation.mailer
    with monkeypatch.context() as away:

        def refuse(*_: object) -> None:
            raise Unavailable("smtp connection failed")

        away.setattr(mailer, "send", refuse)
        approve(house, case_id, Right.ACCESS)
    assert open_tasks(house) == ["send-letter"]

    house.installation.refusing.withdraw(asked(house, case_id, Right.ACCESS).id, by=BY)
    hurry(house)

    assert all(m.kind is not LetterKind.ANSWER for m in house.mails())
    assert asked(house, case_id, Right.ACCESS).status is Status.CLOSED
    assert open_tasks(house) == []


def test_erasure_waits_for_the_access_answer(house: House) -> None:
    case_id = collected(house, Right.ACCESS, Right.ERASURE)
    erasure = asked(house, case_id, Right.ERASURE).id
    assert house.installation.register.find_fulfilment(erasure) is None

    approve(house, case_id, Right.ACCESS)

    assert house.installation.register.find_fulfilment(erasure) is not None


def test_after_destruction_a_link_says_gone(house: House) -> None:
    case_id = approved(house, Right.ACCESS)
    typed = code(house)
    house.installation.vault.destroy(case_id, Compartment.PACKAGE)

    with pytest.raises(Erased):
        house.installation.answering.fetch(secret(house), typed)
