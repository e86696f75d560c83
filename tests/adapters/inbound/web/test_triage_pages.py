"""The pages about messages that are no requests, about what is put right, and about findings."""

from __future__ import annotations

from uuid import uuid4

from adapters.outbound.tokens import Scope
from domain.case import CaseStatus
from domain.request import Status
from domain.vocabulary import IdentifierKind, RefusalGround, Right
from services.ports import Identifier
from tests.support.asking import asked, confirmed
from tests.support.house import KARI, NORWAY, SWEDEN, House
from tests.support.steps import press, reveal


def test_document_access_stands_on_the_list_of_today(house: House) -> None:
    """E-06, and the way back from a mistake."""
    case_id = house.receive("Jeg ber om innsyn i postlisten etter offentleglova")
    desk, place = house.staff(), f"/desk/cases/{case_id}"
    assert 'id="documents"' in desk.get("/desk/inbox").text
    reveal(desk, place)

    shown = press(desk, f"{place}/set-aside", kind="document-access", notify="yes", words="Hei")
    assert "/settle" in shown
    house.work()
    passed_on = {(mail.recipient, mail.kind.value) for mail in house.mails()}
    kind = "document-access-passed-on"
    assert passed_on == {("arkiv@fjordscenen.example", kind), (KARI, kind)}
    press(desk, f"{place}/settle", how="given-out")
    house.work()
    assert 'id="documents"' not in desk.get("/desk/inbox").text
    press(desk, f"{place}/undo", reason="was-a-request")
    assert house.case(case_id).status is CaseStatus.WAITING


def test_rights_are_added_corrected_and_referred_on_the_page(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    desk, place = house.staff(), f"/desk/cases/{case_id}"
    reveal(desk, place)
    page = desk.get(place).text
    assert f'action="{place}/rights"' in page
    assert f'action="{place}/hand-over"' in page

    request = asked(house, case_id, Right.ACCESS)
    press(desk, f"{place}/correct-right", request=str(request.id), right="portability")
    press(desk, f"{place}/rights", right="erasure", message="1")
    portability = asked(house, case_id, Right.PORTABILITY)
    press(
        desk, f"{place}/refer", request=str(portability.id), name="Lykt AS", contact="x@y.example"
    )
    house.work()

    assert asked(house, case_id, Right.PORTABILITY).status is Status.CLOSED
    assert (
        desk.post(f"{place}/rights", data={"right": "erasure", "message": "9"}).status_code == 422
    )
    handed = desk.post(f"{place}/hand-over", data={"controller": SWEDEN})
    assert handed.status_code == 200, handed.text
    one_sided = house.staff(NORWAY)
    assert one_sided.post(f"{place}/hand-over", data={"controller": SWEDEN}).status_code == 404


def test_findings_are_shown_to_the_desk_and_decided_by_who_may(house: House) -> None:
    handler = house.staff()
    shown = handler.get("/desk/findings").text
    assert "promise" in shown or "Art. " in shown
    finding = next(
        one
        for one in house.installation.controllers.findings(
            NORWAY, house.installation.clock().date()
        )
        if one.code != "channel_missing"
    )
    place = f"/desk/findings/{NORWAY}/{finding.code}"
    said = {"answer": "law-prevails", "words": "Loven gjelder."}
    assert handler.post(place, data=said).status_code == 403

    admin = house.visitor()
    token = house.installation.tokens.create(
        name="admin",
        staff_id="eva",
        scopes=frozenset({Scope.DESK, Scope.ADMIN}),
        controllers=frozenset(),
    )
    admin.post("/desk/sign-in", data={"token": token})
    assert admin.post(place, data={"answer": "law-prevails", "words": " "}).status_code == 422
    decided = admin.post(place, data=said)

    assert decided.status_code == 200
    assert "Loven gjelder." in decided.text
    assert finding.code not in {
        one.code
        for one in house.installation.controllers.findings(
            NORWAY, house.installation.clock().date()
        )
    }


def test_whoever_said_yes_again_is_taken_off_the_list_at_the_desk(house: House) -> None:
    """Art. 21(3), GK-15: a person lifts it, for a reason; a wrong address is said, not guessed."""
    suppressions, known = house.installation.suppressions, Identifier(IdentifierKind.EMAIL, KARI)
    house.installation.register.save_all([], suppressions.added(NORWAY, uuid4(), [known]))
    desk = house.staff()
    given = {"controller": NORWAY, "kind": "email", "because": "signed-up-again"}
    address = "/desk/suppressions/lift"

    wrong = desk.post(f"{address}?lang=en", data={**given, "value": "nobody@person.example"})
    assert wrong.status_code >= 400
    assert "nobody with this address" in wrong.text
    assert suppressions.is_on(NORWAY, known)

    assert 'role="status"' in desk.post(address, data={**given, "value": KARI}).text
    assert not suppressions.is_on(NORWAY, known)


def test_identifiers_that_come_after_all_take_a_request_up_again_at_the_desk(house: House) -> None:
    """Art. 11(2): with the day on which it was received."""
    case_id = confirmed(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)
    house.installation.identity.ask(case_id, reason="unknown-sender", by="ola")
    house.work()
    desk, place = house.staff(), f"/desk/cases/{case_id}"
    reveal(desk, place)
    said = {"ground": "cannot-identify:cannot-identify", "words": "Ingen treff", "proof": "Søkt"}
    desk.post(f"{place}/requests/{request.id}/refuse", data=said)
    assert asked(house, case_id, Right.ACCESS).refusal is None
    said["shown"] = "nothing-more"
    desk.post(f"{place}/requests/{request.id}/refuse", data=said)
    assert asked(house, case_id, Right.ACCESS).refusal is RefusalGround.CANNOT_IDENTIFY
    house.work()
    into = f"{place}/requests/{request.id}/identifiers"
    assert into in desk.get(place).text

    desk.post(into, data={"kind": "order-number", "value": "4711"})

    again = asked(house, case_id, Right.ACCESS)
    assert again.status is not Status.CLOSED
    assert again.received_at == request.received_at
