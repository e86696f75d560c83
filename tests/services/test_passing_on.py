"""Messages that are no requests of ours: who has them, who is told, and the way back."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain.case import CaseStatus
from domain.errors import DomainError, NotAllowedNow
from domain.request import Status
from domain.vocabulary import IdentifierKind, LetterKind, Right, TriageKind
from projections.incoming import due_at_once, inbox
from projections.worklist import entries
from services import dossier
from services.passing_on import Somebody
from services.ports import Identifier
from tests.support.asking import BY, Clock, asked, confirmed, hurry, received
from tests.support.house import KARI, NORWAY, SWEDEN, House

SERVICE, ARCHIVE = "billett@fjordscenen.example", "arkiv@fjordscenen.example"


def kinds(house: House) -> list[tuple[str, str]]:
    return [(mail.recipient, mail.kind.value) for mail in house.mails()]


def test_customer_service_gets_the_message_and_the_person_is_told(house: House) -> None:
    """Nothing of it ever stands on the list of thirty days."""
    case_id = received(house, "Jeg har mistet billettene mine")

    house.installation.passing_on.set_aside(case_id, kind=TriageKind.CUSTOMER_SERVICE, by=BY)
    house.work()

    kind = LetterKind.CUSTOMER_SERVICE_PASSED_ON.value
    assert kinds(house) == [(SERVICE, kind), (KARI, kind)]
    forwarded, told = house.mails()
    assert "mistet billettene" in forwarded.text
    assert "mistet billettene" not in told.text
    assert SERVICE in told.text
    assert entries(house.installation.database, [NORWAY]) == []
    known = house.installation.passing_on.elsewhere(house.case(case_id))
    assert known is not None
    assert (known.contact, known.passed_on) == (SERVICE, True)


def test_document_access_is_due_today_until_it_is_dealt_with(house: House) -> None:
    """E-06: a short list of its own; no word of the month, none of the data authority (E-04)."""
    case_id = house.receive("Jeg ber om innsyn i postlisten etter offentleglova")
    sql = house.installation.database
    assert [one.case_id for one in due_at_once(sql, [NORWAY])] == [case_id]

    house.installation.passing_on.set_aside(case_id, kind=TriageKind.DOCUMENT_ACCESS, by=BY)
    house.work()

    (due,) = due_at_once(sql, [NORWAY])
    today = house.installation.clock().date()
    assert due.due_on is not None
    assert today <= due.due_on <= today + timedelta(days=5)
    assert entries(sql, [NORWAY]) == []
    told = house.mails()[-1]
    assert (told.recipient, told.kind) == (KARI, LetterKind.DOCUMENT_ACCESS_PASSED_ON)
    assert "Datatilsynet" not in told.text
    assert "30" not in told.text

    house.installation.passing_on.settle(case_id, how="given-out", by=BY)
    house.work()
    assert due_at_once(sql, [NORWAY]) == []


def test_what_is_another_controllers_is_referred_with_its_address(house: House) -> None:
    case_id = received(house, "Slett kontoen min hos Lykt Betaling")
    to = Somebody(name="Lykt Betaling AS", contact="personvern@lykt.example")

    house.installation.passing_on.set_aside(case_id, kind=TriageKind.OTHER_CONTROLLER, to=to, by=BY)
    house.work()

    (told,) = house.mails()
    assert told.kind is LetterKind.OTHER_CONTROLLER
    assert "personvern@lykt.example" in told.text
    log = house.installation.database.fetch("SELECT state FROM trettio.log")
    assert not any(b"Lykt" in bytes(row["state"]) for row in log)


def test_what_came_to_us_as_a_processor_goes_on_to_its_controller(house: House) -> None:
    """Art. 28(3)(e): whoever only processes answers nobody, and sends on what arrives."""
    case_id = received(house, "Jeg vil ha innsyn hos dem dere selger for")
    aside = house.installation.passing_on.set_aside
    kind = TriageKind.OTHER_CONTROLLER

    with pytest.raises(DomainError, match="e-mail address"):
        aside(case_id, kind=kind, to=Somebody(name="Lykt AS"), as_processor=True, by=BY)
    lykt = Somebody(name="Lykt AS", contact="post@lykt.example")
    aside(case_id, kind=kind, to=lykt, as_processor=True, by=BY)
    house.work()

    forwarded, told = house.mails()
    assert (forwarded.recipient, told.recipient) == ("post@lykt.example", KARI)
    assert "Jeg vil ha innsyn" in forwarded.text


def test_whose_it_is_has_to_be_said(house: House) -> None:
    case_id = received(house)
    aside = house.installation.passing_on.set_aside
    for to in (None, Somebody(), Somebody(recipient="nobody")):
        with pytest.raises(DomainError, match=r"say whose it is|no recipient"):
            aside(case_id, kind=TriageKind.OTHER_CONTROLLER, to=to, by=BY)

    aside(case_id, kind=TriageKind.OTHER_CONTROLLER, notify=False, by=BY)
    house.work()
    assert house.mails() == []


@pytest.mark.parametrize(
    ("kind", "letters"),
    [(TriageKind.SPAM, []), (TriageKind.UNCLEAR, []), (TriageKind.DECEASED, ["deceased"])],
)
def test_nobody_answers_spam_and_the_dead_are_met_with_care(
    house: House, kind: TriageKind, letters: list[str]
) -> None:
    """E-09: a different letter, not an Article 15 answer."""
    case_id = received(house, "Min mor er død")

    house.installation.passing_on.set_aside(case_id, kind=kind, by=BY)
    house.work()

    assert [mail.kind.value for mail in house.mails()] == letters


def test_a_mistake_has_a_way_back_to_the_first_day(house: House, clock: Clock) -> None:
    """Undone after two weeks, it is a request that arrived two weeks ago."""
    case_id = received(house, "Slett meg", SWEDEN)
    case = house.case(case_id)
    house.installation.passing_on.set_aside(case_id, kind=TriageKind.SPAM, by=BY)
    clock.forward(days=14)

    house.installation.passing_on.undo(case_id, reason="was-a-request", by=BY)
    house.work()
    assert case_id in {one.case_id for one in inbox(house.installation.database, [SWEDEN])}
    by_whom = house.installation.intake.proposed_identifiers(case_id)
    house.installation.intake.confirm(
        case_id, rights=(Right.ERASURE,), language=case.language, identifiers=by_whom, by=BY
    )

    request = asked(house, case_id, Right.ERASURE)
    assert request.received_at == case.received_at
    assert request.recorded_at - request.received_at > timedelta(days=13)


def test_spam_stays_thirty_days_and_what_was_taken_back_longer(house: House, clock: Clock) -> None:
    spam, back = received(house, "Köp nu", SWEDEN), received(house, "Hej", SWEDEN)
    for case_id in (spam, back):
        house.installation.passing_on.set_aside(case_id, kind=TriageKind.SPAM, by=BY)
    clock.forward(days=20)
    house.installation.passing_on.undo(back, reason="was-no-spam", by=BY)
    house.installation.passing_on.set_aside(back, kind=TriageKind.SPAM, by=BY)
    clock.forward(days=11)
    house.installation.database.fetch(
        "UPDATE trettio.tasks SET next_at = clock_timestamp()"
        " WHERE kind = 'destroy' AND payload->>'closing' = 'set-aside'"
    )
    house.worker.drain()

    with pytest.raises(NotAllowedNow, match="has been destroyed"):
        house.installation.passing_on.undo(spam, reason="was-a-request", by=BY)
    assert house.installation.vault.open(house.case(back).message)
    hurry(house)
    with pytest.raises(NotAllowedNow, match="has been destroyed"):
        house.installation.passing_on.undo(back, reason="was-a-request", by=BY)


# Another controller of the same house


def handed(house: House, case_id: UUID) -> UUID:
    return house.installation.passing_on.hand_over(case_id, controller=SWEDEN, by=BY)


def test_a_message_to_the_wrong_controller_waits_at_the_right_one(house: House) -> None:
    case_id = received(house, "Jag vill ha registerutdrag")

    new_id = handed(house, case_id)
    house.work()

    old, new = house.case(case_id), house.case(new_id)
    assert (old.status, new.status) == (CaseStatus.SET_ASIDE, CaseStatus.WAITING)
    assert (new.controller, new.received_at) == (SWEDEN, old.received_at)
    assert house.installation.vault.open(new.message) == house.installation.vault.open(old.message)
    assert new.message != old.message
    assert handed(house, case_id) == new_id
    assert [mail.kind for mail in house.mails()] == [LetterKind.OTHER_CONTROLLER]


def test_a_request_to_the_wrong_controller_keeps_its_receipt(house: House, clock: Clock) -> None:
    """The right controller's promise counts from the day the person wrote."""
    case_id = received(house, "Jag vill ha registerutdrag")
    clock.forward(days=5)
    by_whom = house.installation.intake.proposed_identifiers(case_id)
    language = house.case(case_id).language
    house.installation.intake.confirm(
        case_id, rights=(Right.ACCESS,), language=language, identifiers=by_whom, by=BY
    )
    old = asked(house, case_id, Right.ACCESS)

    new_id = handed(house, case_id)
    hurry(house, destroying=False)

    new = asked(house, new_id, Right.ACCESS)
    assert (new.controller, new.received_at) == (SWEDEN, old.received_at)
    assert new.dates.promise_due is None
    assert new.profile_version == house.installation.controllers.in_force(SWEDEN).digest
    assert asked(house, case_id, Right.ACCESS).status is Status.CLOSED
    message = dossier.MESSAGE.validate_json(
        house.installation.vault.open(house.case(new_id).message)
    )
    assert message.sender_address == KARI


def test_what_was_proven_or_protected_there_is_not_lost_or_taken_along(house: House) -> None:
    """E-10, AK-11: protection goes with the case; proof of identity does not."""
    proven = (Identifier(IdentifierKind.EMAIL, KARI, verified=True),)
    case_id = confirmed(house, Right.ACCESS, identifiers=proven)
    house.installation.representing.protect(case_id, reason="said-so", by=BY)

    new_id = handed(house, case_id)

    assert house.case(new_id).protected
    assert not any(one.verified for one in house.installation.intake.proposed_identifiers(new_id))
    assert asked(house, new_id, Right.ACCESS).identity is None


def test_a_case_is_handed_to_a_controller_that_is_another(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)

    with pytest.raises(DomainError, match="already"):
        house.installation.passing_on.hand_over(case_id, controller=NORWAY, by=BY)
    with pytest.raises(DomainError, match="no controller"):
        house.installation.passing_on.hand_over(case_id, controller="nobody", by=BY)
