"""Each compartment ends on its day and with proof; what was opened again keeps what it needs."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain.personal import PersonalRef
from domain.request import Status
from domain.vocabulary import Compartment, Outcome, Right, TriageKind
from services.ports import Erased, Task
from services.retention import SET_ASIDE_STAYS
from tests.support.asking import BY, Clock, asked, attached, confirmed, hurry, received
from tests.support.house import NORWAY, SWEDEN, House

RIGHT = Right.OBJECTION_TO_MARKETING


def ends(house: House) -> dict[str, timedelta]:
    """When the compartments of the only closed case go, from now."""
    rows = house.installation.database.fetch(
        "SELECT payload->>'compartment' AS compartment, due_at - created_at AS after"
        " FROM trettio.tasks WHERE kind = 'destroy' AND done_at IS NULL"
    )
    return {row["compartment"]: row["after"] for row in rows}


def is_gone(house: House, ref: PersonalRef) -> bool:
    try:
        house.installation.vault.open(ref)
    except Erased:
        return True
    return False


def closed(house: House, controller: str = SWEDEN, text: str = "Ingen reklam") -> UUID:
    case_id = confirmed(house, RIGHT, controller=controller, text=text)
    state = house.installation.register.fulfilment(asked(house, case_id, RIGHT).id)
    for system, one in state.systems.items():
        if not one.status.has_answered:
            house.installation.byhand.done(
                state.request_id, system, outcome=Outcome.SUPPRESSED, reason="", by=BY
            )
    if not state.systems:
        house.installation.deciding.approve(state.request_id, by=BY)
    house.worker.drain()
    assert asked(house, case_id, RIGHT).status is Status.CLOSED
    return case_id


def test_what_was_sent_goes_at_close_and_the_rest_on_its_day(house: House, clock: Clock) -> None:
    """MU-16: at once when the case is finished; B.2.9 for collected data and correspondence."""
    case_id = closed(house)
    ref = house.case(case_id).message

    house.worker.drain()
    request = asked(house, case_id, RIGHT)
    assert request.destroyed == {Compartment.UPLOAD}
    left = ends(house)
    assert abs(left["package"] - timedelta(days=30)) < timedelta(hours=1)
    assert timedelta(days=3 * 365) < left["correspondence"] < timedelta(days=3 * 366)
    assert not is_gone(house, ref)

    clock.forward(days=3 * 366)
    hurry(house)

    request = asked(house, case_id, RIGHT)
    assert request.ended
    assert is_gone(house, ref)
    assert request.status is Status.CLOSED  # the facts stay


def test_a_public_body_destroys_nothing_before_the_archive_has_it(house: House) -> None:
    """E-05: nothing goes before `HandedToArchive`."""
    case_id = closed(house, NORWAY)
    hurry(house)
    request = asked(house, case_id, RIGHT)
    assert request.destroyed == frozenset()

    receipt = house.installation.vault.seal(case_id, Compartment.CORRESPONDENCE, b"receipt")
    request.hand_to_archive(receipt=receipt.ref, by=BY, at=house.installation.clock())
    house.installation.register.save_all([request], receipt.also)
    hurry(house)

    assert asked(house, case_id, RIGHT).ended


def test_a_case_opened_again_keeps_its_content_and_goes_with_the_later_closing(
    house: House, clock: Clock
) -> None:
    case_id = closed(house)
    request = asked(house, case_id, RIGHT)
    clock.forward(days=1)
    request.reopen(reason="new-facts", by=BY, at=clock())
    house.installation.register.save_all([request])
    request = asked(house, case_id, RIGHT)

    clock.forward(days=4 * 366)
    hurry(house)  # the tasks of the first closing come due, and are over

    assert not is_gone(house, house.case(case_id).message)
    assert asked(house, case_id, RIGHT).destroyed == frozenset()
    assert ends(house) == {}


def test_an_earlier_closing_destroys_nothing_of_a_later_one(house: House, clock: Clock) -> None:
    case_id = closed(house)
    rows = house.installation.database.fetch(
        "SELECT * FROM trettio.tasks WHERE kind = 'destroy' AND payload->>'compartment' = 'package'"
    )
    request = asked(house, case_id, RIGHT)
    clock.forward(days=1)
    request.fail_delivery(reason="bounced", at=clock())
    house.installation.register.save_all([request])
    request = asked(house, case_id, RIGHT)
    house.installation.answering.answer_again(request.id, by=BY)
    for _ in range(3):
        hurry(house, destroying=False)
    assert asked(house, case_id, RIGHT).status is Status.CLOSED

    early = {name: rows[0][name] for name in ("key", "kind", "subject_id", "due_at", "controller")}
    house.installation.retention.destroy(Task(**early, payload=rows[0]["payload"]))

    assert Compartment.PACKAGE not in asked(house, case_id, RIGHT).destroyed


@pytest.mark.parametrize(("controller", "goes"), [(SWEDEN, True), (NORWAY, False)])
def test_what_was_no_request_goes_too_where_no_archive_law_binds(
    house: House, clock: Clock, controller: str, goes: bool
) -> None:
    case_id = received(house, "Hei", controller, attachments=(attached(b"x"),))
    house.installation.intake.set_aside(case_id, kind=TriageKind.CUSTOMER_SERVICE, by=BY)
    case = house.case(case_id)
    if goes:
        assert abs(ends(house)["correspondence"] - SET_ASIDE_STAYS) < timedelta(hours=1)

    clock.forward(days=100)
    hurry(house)

    assert is_gone(house, case.message) is goes
    assert is_gone(house, case.attachments[0]) is goes


def test_a_message_that_was_a_request_after_all_is_kept(house: House, clock: Clock) -> None:
    case_id = received(house, "Hej", SWEDEN)
    house.installation.intake.set_aside(case_id, kind=TriageKind.SPAM, by=BY)
    confirmed(house, Right.ACCESS, controller=SWEDEN, text="Hej")

    clock.forward(days=100)
    hurry(house)

    assert not is_gone(house, house.case(case_id).message)
