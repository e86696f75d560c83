"""What is answered in words: a decision looked at again, security, safeguards (AK-12, GK-23)."""

from __future__ import annotations

import pytest

from domain.errors import DomainError, NotAllowedNow
from domain.request import Status
from domain.vocabulary import ExtensionReason, LetterKind, Right
from services.ports import Attachment
from tests.support.asking import BY, asked, collected
from tests.support.house import House

CONTRACT = Attachment("standardvilkår.pdf", "application/pdf", b"%PDF-1.7 contract")


@pytest.mark.parametrize("right", [Right.INFORMATION_SECURITY, Right.TRANSFER_SAFEGUARDS])
def test_a_courtesy_has_no_date_and_is_answered_all_the_same(house: House, right: Right) -> None:
    """AK-12, GK-23, E-14: accepted, tracked, no date by law, and never closed unanswered."""
    case_id = collected(house, right)
    request_id = house.case(case_id).request_id(right)
    request = asked(house, case_id, right)
    assert (request.dates.statutory_due, request.dates.extended_due) == (None, None)
    assert request.received_on <= request.dates.target_due
    with pytest.raises(NotAllowedNow, match="no law sets a time"):
        house.installation.extending.decide(
            request_id,
            reasons=(ExtensionReason.VOLUME, ExtensionReason.SEVERAL_REQUESTS),
            words="",
            by=BY,
        )
    with pytest.raises(NotAllowedNow, match="words"):
        house.installation.deciding.approve(request_id, by=BY)
    with pytest.raises(DomainError, match="write the answer"):
        house.installation.informing.answer(request_id, words=" ", by=BY)

    house.installation.informing.attach(request_id, CONTRACT, by=BY)
    house.installation.informing.answer(request_id, words="Vedlagt er avtalen.", by=BY)
    house.worker.drain()

    assert asked(house, case_id, right).status is Status.CLOSED
    letter = next(m for m in house.mails() if m.kind is LetterKind.ANSWER)
    assert "Vedlagt er avtalen." in letter.text
    assert b"standardvilk" in letter.path.read_bytes()


def test_a_person_says_whether_a_decision_stands(house: House) -> None:
    """B.1 row 22, Art. 22(3): a human review has a human's answer, and a statutory date."""
    case_id = collected(house, Right.HUMAN_REVIEW)
    request_id = house.case(case_id).request_id(Right.HUMAN_REVIEW)
    answer = house.installation.informing.answer
    with pytest.raises(DomainError, match="stands or is changed"):
        answer(request_id, words="Vi har sett på det.", by=BY)
    with pytest.raises(DomainError, match="machine"):
        answer(request_id, words="Vi har sett på det.", changed=False, by="trettio")

    answer(request_id, words="Vi har sett på det. Du får kjøpe likevel.", changed=True, by=BY)
    house.worker.drain()

    assert asked(house, case_id, Right.HUMAN_REVIEW).status is Status.CLOSED
    assert house.installation.register.find_information(request_id).changed is True  # type: ignore[union-attr]
    letter = next(m for m in house.mails() if m.kind is LetterKind.ANSWER)
    assert "et menneske har sett på avgjørelsen" in " ".join(letter.text.split())


def test_the_same_document_twice_is_enclosed_once(house: House) -> None:
    case_id = collected(house, Right.TRANSFER_SAFEGUARDS)
    request_id = house.case(case_id).request_id(Right.TRANSFER_SAFEGUARDS)
    for _ in range(2):
        house.installation.informing.attach(request_id, CONTRACT, by=BY)

    information = house.installation.register.find_information(request_id)
    assert information is not None
    assert len(information.documents) == 1
