"""A letter reaches somebody on paper, in their hand or read aloud, and what shows it is sealed."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from io import BytesIO
from uuid import UUID

import pytest
from pypdf import PdfReader

from domain.case import Case
from domain.deadlines import received_on
from domain.errors import DomainError, NotAllowedNow
from domain.request import Status
from domain.vocabulary import (
    Country,
    DeliveryWay,
    IdentifierKind,
    LetterKind,
    Right,
)
from services import dossier
from services.ports import Identifier
from tests.support.asking import BY, Clock, approve, approved, asked, collected, confirmed
from tests.support.house import House

ADDRESS = "Kaigata 0, 0000 Fjordlys"
ON_PAPER = (
    Identifier(IdentifierKind.NAME, "Kari Testesen"),
    Identifier(IdentifierKind.POSTAL_ADDRESS, ADDRESS),
)


@pytest.fixture
def printed(house: House) -> tuple[UUID, UUID]:
    """A case of somebody without mail, whose answer waits to be printed."""
    case_id = confirmed(house, Right.HUMAN_REVIEW, identifiers=ON_PAPER)
    (letter_id,) = house.case(case_id).letters
    return case_id, letter_id


def words_of(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).split())


def test_a_printed_letter_has_the_address_in_the_window(
    house: House, printed: tuple[UUID, UUID]
) -> None:
    assert "Kari Testesen Kaigata 0 0000 Fjordlys" in words_of(
        house.installation.delivery.pdf(*printed)
    )


def test_a_protected_identity_has_its_address_nowhere_and_gets_no_post(
    house: House, printed: tuple[UUID, UUID], clock: Clock
) -> None:
    """E-10, B.2.8."""
    case = house.case(printed[0])
    case.protect_identity(reason="told-us", by=BY, at=clock())
    house.installation.register.save_all([case], [])

    assert "Kaigata" not in words_of(house.installation.delivery.pdf(*printed))
    with pytest.raises(NotAllowedNow, match="protected identity"):
        deliver(house, printed, DeliveryWay.POST, clock)


def deliver(
    house: House,
    printed: tuple[UUID, UUID],
    way: DeliveryWay,
    clock: Clock,
    *,
    days: int = 0,
    tracking: str = "",
    seen: str = "",
) -> None:
    on = received_on(clock(), Country.NO) + timedelta(days=days)
    house.installation.delivery.delivered(
        *printed, way=way, on=on, by=BY, tracking=tracking, seen=seen
    )


def test_what_shows_a_delivery_is_sealed_and_named_in_the_log(
    house: House, printed: tuple[UUID, UUID], clock: Clock
) -> None:
    deliver(house, printed, DeliveryWay.POST, clock, tracking="RR 000 000 000 NO")

    events = house.installation.register.events.get(printed[0])
    (left,) = [event for event in events if isinstance(event, Case.LetterLeft)]
    assert (left.how, left.by) == ("post", BY)
    assert left.proof is not None
    proof = dossier.DELIVERY.validate_json(house.installation.vault.open(left.proof))
    assert proof.tracking == "RR 000 000 000 NO"
    states = house.installation.database.fetch("SELECT state FROM trettio.log")
    assert all(b"RR 000" not in bytes(row["state"]) for row in states)


@pytest.mark.parametrize("way", [DeliveryWay.IN_PERSON, DeliveryWay.READ_ALOUD])
def test_nobody_is_handed_or_read_anything_before_it_is_written_how_they_showed_themselves(
    house: House, printed: tuple[UUID, UUID], clock: Clock, way: DeliveryWay
) -> None:
    """B.1 row 12(1): orally when the identity is proven by other means, and recorded."""
    with pytest.raises(DomainError, match="how the person showed"):
        deliver(house, printed, way, clock, seen="  ")
    deliver(house, printed, way, clock, seen="driving licence")
    assert printed[1] in house.case(printed[0]).left


@pytest.mark.parametrize(
    ("way", "days", "says"),
    [(DeliveryWay.MAIL, 0, "proves itself"), (DeliveryWay.POST, 1, "has not come yet")],
)
def test_nothing_is_delivered_by_mail_by_hand_or_tomorrow(
    house: House,
    printed: tuple[UUID, UUID],
    clock: Clock,
    way: DeliveryWay,
    days: int,
    says: str,
) -> None:
    with pytest.raises(DomainError, match=says):
        deliver(house, printed, way, clock, days=days)


def attachments(house: House) -> list[str | None]:
    answer = next(m for m in house.mails() if m.kind is LetterKind.ANSWER)
    read = message_from_bytes(answer.path.read_bytes(), EmailMessage, policy=default)
    return [part.get_content_type() for part in read.iter_attachments()]


def test_a_copy_leaves_unencrypted_only_when_a_named_person_has_decided_so(house: House) -> None:
    """GK-28: the encrypted way is the way; anything else is a decision in the log."""
    case_id = collected(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    allow = house.installation.answering.allow_unencrypted
    for nobody in ("", "trettio"):
        with pytest.raises(DomainError):
            allow(request_id, reason="person-asked", by=nobody)

    allow(request_id, reason="person-asked", by=BY)
    allow(request_id, reason="person-asked", by=BY)
    approve(house, case_id, Right.ACCESS)

    events = house.installation.register.events.get(case_id)
    (decided,) = [event for event in events if isinstance(event, Case.UnencryptedAllowed)]
    assert (decided.request_id, decided.reason, decided.by) == (request_id, "person-asked", BY)
    assert attachments(house) == ["application/zip"]
    assert "/answer/" not in next(m for m in house.mails() if m.kind is LetterKind.ANSWER).text
    assert asked(house, case_id, Right.ACCESS).status is Status.CLOSED


def test_without_that_decision_no_copy_is_ever_attached(house: House) -> None:
    """GK-28."""
    approved(house, Right.ACCESS)

    assert attachments(house) == []


def test_a_protected_identity_gets_nothing_unencrypted(house: House, clock: Clock) -> None:
    """GK-28, E-10."""
    case_id = collected(house, Right.ACCESS)
    case = house.case(case_id)
    case.protect_identity(reason="told-us", by=BY, at=clock())
    house.installation.register.save_all([case], [])

    with pytest.raises(NotAllowedNow, match="nothing unencrypted"):
        house.installation.answering.allow_unencrypted(
            asked(house, case_id, Right.ACCESS).id, reason="person-asked", by=BY
        )
