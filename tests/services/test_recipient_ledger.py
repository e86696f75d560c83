"""Recipients by name: told of an erasure, kept in a ledger, and named to who asks (Art. 19)."""

from __future__ import annotations

from uuid import UUID

import pytest

from adapters.outbound.connectors.manual import FoundRow, ManualAnswer
from domain.errors import NotAllowedNow
from domain.fulfilment import SystemStatus
from domain.vocabulary import IdentifierKind, LetterKind, Outcome, Right
from projections import connector_tasks, worklist
from services.fulfilment import person_of
from services.planning import OTHER_RECIPIENTS, RECIPIENT
from services.recipient_ledger import Stage
from tests.support.asking import (
    BY,
    approve,
    asked,
    collected,
    confirmed,
    look_everywhere,
    plan,
    verified,
)
from tests.support.house import KARI, NORWAY, ORGANISATIONS, SWEDEN, House

STRANGE = "Scenehuset i Bergen"
_KLARNA = """
[[systems]]
id = "klarna"
name = "Klarna order lookup"
role = "independent-controller"
delivery = "connector"
connector = "pretix"
sector = "payment"

[[systems.holdings]]
kind = "order"
category = "payments"
"""


def erasure(house: House, *recipients: str, controller: str = SWEDEN) -> UUID:
    system = "shop" if controller == SWEDEN else "ticketing"
    house.systems.system(controller, system).hold(
        KARI, "order", "o1", recipients=recipients, flags=frozenset({"contract_completed"})
    )
    case_id = collected(house, Right.ERASURE, controller=controller)
    approve(house, case_id, Right.ERASURE)
    return case_id


def informed(house: House, case_id: UUID, *lines: str) -> None:
    request_id = house.case(case_id).request_id(Right.ERASURE)
    for line in lines:
        house.installation.byhand.done(
            request_id, f"{RECIPIENT}{line}", outcome=Outcome.INFORMED, reason="", by=BY
        )
    house.worker.drain()


def test_organisers_are_named_as_the_records_name_them(house: House) -> None:
    """MU-18, AK-23, C-154/21: not "organisers" but who; so does the letter."""
    case_id = erasure(house, "Teater Norrsken", "Klarna")
    informed(house, case_id, "organisers", "klarna")

    ledger = {one.name: one for one in house.installation.recipients.ledger(case_id)}
    organiser = ledger["Teater Norrsken"]
    assert (organiser.recipient, organiser.stage) == ("organisers", Stage.INFORMED)
    assert organiser.on is not None
    assert organiser.fields == ("name", "phone")
    assert ledger["klarna"].stage is Stage.INFORMED

    letters = [
        m for m in house.mails() if m.kind in {LetterKind.ANSWER, LetterKind.PARTIAL_REFUSAL}
    ]
    told = " ".join(letters[-1].text.split())
    assert "Teater Norrsken" in told
    assert "Vi har underrettet arrangøren om kravet ditt" in told  # the profile's own words


def test_a_controller_of_its_own_is_named_and_referred_to_although_it_is_asked_too(
    house: House,
) -> None:
    """E-11: asked by a system of the same id, Klarna is still told and named, and never erased."""
    document = (ORGANISATIONS / f"{SWEDEN}.toml").read_text(encoding="utf-8")
    document = document.replace('version = "', 'version = "asked-', 1) + _KLARNA
    house.installation.controllers.adopt(document.encode(), name=SWEDEN, by="trettio-tests")

    case_id = erasure(house, "klarna")
    informed(house, case_id, "klarna")

    ledger = house.installation.recipients.ledger(case_id)
    (entry,) = [one for one in ledger if one.recipient == "klarna"]
    assert (entry.recipient, entry.stage) == ("klarna", Stage.INFORMED)
    assert entry.categories == ("orders",)
    letters = [
        m for m in house.mails() if m.kind in {LetterKind.ANSWER, LetterKind.PARTIAL_REFUSAL}
    ]
    told = " ".join(letters[-1].text.split())
    assert "Vi kan ikke slette noe hos Klarna; ta kontakt der for resten." in told
    house.installation.recipients.tell_person(case_id, by=BY)
    house.worker.drain()
    letter = next(m for m in house.mails() if m.kind is LetterKind.RECIPIENTS)
    assert "Klarna" in letter.text


def test_who_asks_is_told_the_names_by_letter(house: House) -> None:
    """B.1 row 19, B.7 row recipients: actual recipients is the default."""
    case_id = erasure(house, "Teater Norrsken")
    informed(house, case_id, "organisers")

    house.installation.recipients.tell_person(case_id, by=BY)
    house.worker.drain()

    letter = next(m for m in house.mails() if m.kind is LetterKind.RECIPIENTS)
    told = " ".join(letter.text.split())
    assert "Teater Norrsken" in told
    assert "Webbutik" in told  # a processor is a recipient too


def test_nobody_is_told_who_received_what_before_identity_is_verified(house: House) -> None:
    case_id = confirmed(house, Right.ERASURE, controller=SWEDEN)

    with pytest.raises(NotAllowedNow, match="identity"):
        house.installation.recipients.tell_person(case_id, by=BY)


def test_a_recipient_that_the_profile_does_not_know_is_a_task(house: House) -> None:
    """B.1 row 19, MU-18: records name somebody, the profile nobody: a person tells them."""
    case_id = erasure(house, STRANGE, controller=NORWAY)
    line = f"{RECIPIENT}{OTHER_RECIPIENTS}"
    state = plan(house, case_id, Right.ERASURE).systems[line]
    assert state.status is SystemStatus.WAITING_FOR_PERSON
    assert state.waits_for == "inform-unknown-recipients"
    (entry,) = [o for o in house.installation.recipients.ledger(case_id) if o.name == STRANGE]
    assert entry.stage is Stage.WAITING
    assert STRANGE not in str(plan(house, case_id, Right.ERASURE).systems)
    house.work()
    (work,) = worklist.of_case(house.installation.database, case_id)
    assert "person-task" in work.blocked_by
    rows = connector_tasks.of_request(
        house.installation.database, asked(house, case_id, Right.ERASURE).id
    )
    assert line in {row.system for row in rows}

    informed(house, case_id, OTHER_RECIPIENTS)

    (entry,) = [o for o in house.installation.recipients.ledger(case_id) if o.name == STRANGE]
    assert entry.stage is Stage.INFORMED
    assert asked(house, case_id, Right.ERASURE).answer is not None


def test_who_helped_with_a_case_received_something_too(house: House) -> None:
    """MU-19: what customer service passed to an organiser makes that organiser a recipient."""
    case_id = verified(house, Right.ACCESS, controller=SWEDEN)
    request = asked(house, case_id, Right.ACCESS)
    row = FoundRow(
        kind="communication",
        key="tråd 7",
        description="Vi bad Teater Norrsken om hjälp.",
        matched_by=IdentifierKind.EMAIL,
        certain=True,
        recipients=("Teater Norrsken",),
    )
    person = person_of(house.installation.vault, request)
    house.installation.byhand.found(
        request.id,
        "customer-service",
        ManualAnswer(found=(row,)).to_records(person),
        reason="",
        by=BY,
    )
    look_everywhere(house, case_id, Right.ACCESS)

    ledger = house.installation.recipients.ledger(case_id)
    organisers = [one for one in ledger if one.recipient == "organisers"]
    assert len(organisers) == 1
    (entry,) = organisers
    assert entry.name == "Teater Norrsken"
    assert entry.categories == ("communication",)


def test_the_ledger_over_the_api_names_people_and_dates(house: House) -> None:
    case_id = erasure(house, "Teater Norrsken")
    informed(house, case_id, "organisers")
    client = house.client
    headers = {"Authorization": f"Bearer {house.token()}", "X-Purpose": "handle"}

    rows = client.get(f"/v1/cases/{case_id}/recipients", headers=headers).json()
    letter = client.post(f"/v1/cases/{case_id}/recipients/letter", headers=headers)

    assert {"Teater Norrsken", "Webbutik"} <= {row["name"] for row in rows}
    assert letter.status_code == 202
    assert {"kind": "recipients"}.items() <= letter.json()["letters"][-1].items()
