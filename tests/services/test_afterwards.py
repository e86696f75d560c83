"""What may still happen to a closed case: it is archived, taken up again, or was misdirected."""

from __future__ import annotations

import json
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import UUID
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest

from domain.errors import DomainError, NotAllowedNow
from domain.folder import FileKind
from domain.request import Status
from domain.vocabulary import (
    Compartment,
    Decision,
    IdentifierKind,
    LetterKind,
    Match,
    Outcome,
    Right,
)
from services.ports import Attachment, Identifier, Record
from tests.support.asking import (
    BY,
    Clock,
    approved,
    asked,
    collected,
    confirmed,
    hurry,
    look_everywhere,
    verified,
)
from tests.support.house import KARI, NORWAY, ORGANISATIONS, House

OBJECTION = Right.OBJECTION_TO_MARKETING


def test_a_public_body_hands_the_case_over_before_anything_goes(house: House, clock: Clock) -> None:
    """E-05, B.4: PDF/A and metadata without a name in a title; then only with the receipt."""
    case_id = asked_case(house)
    filing = house.installation.filing
    filing.note(case_id, words="Ringte og spurte om fristen.", by=BY)
    for kind in (FileKind.LETTER, FileKind.PROOF):
        document = Attachment("kari.txt", "text/plain", kind.value.encode())
        filing.file(case_id, document, kind=kind, by=BY)
    clock.forward(days=5 * 366)
    hurry(house)
    assert asked(house, case_id, OBJECTION).destroyed == frozenset()
    archiving = house.installation.archiving

    with ZipFile(BytesIO(archiving.export(case_id))) as package:
        names = package.namelist()
        metadata = json.loads(package.read("metadata.json"))
        case = ElementTree.fromstring(package.read("metadata.xml"))
        pdfs = [package.read(name) for name in names if name.endswith(".pdf")]
    assert len(pdfs) >= 3, "the message, the letters and the decision"
    kinds = [entry["kind"] for entry in metadata["journalposter"]]
    assert (kinds.count("note"), kinds.count("file")) == (1, 1), "what proved identity is not filed"
    assert all(b"pdfaid" in pdf or b"pdfaid:part" in pdf for pdf in pdfs)
    titles = [entry["title"] for entry in metadata["journalposter"]]
    titles += [one.text or "" for one in case.iter("tittel")]
    assert not any("Testesen" in title or KARI in title for title in titles)
    files = [one.text or "" for one in case.iter("referanseDokumentfil")]
    assert sorted(files) == sorted(name for name in names if name.startswith("documents/"))

    with pytest.raises(DomainError, match="receipt"):
        archiving.hand_over(case_id, receipt=" ", by=BY)
    archiving.hand_over(case_id, receipt="Arkivet, journal 26/17", by=BY)
    for _ in range(3):
        hurry(house)

    request = asked(house, case_id, OBJECTION)
    assert request.ended
    gone = house.installation.vault.destructions(case_id)
    assert {one.compartment for one in gone} >= {Compartment.CORRESPONDENCE}
    assert all(one.items >= 0 for one in gone)
    for table in ("vault_rows r JOIN trettio.vault_keys k ON k.id = r.key_id", "vault_keys k"):
        (row,) = house.installation.database.fetch(
            f"SELECT count(*) FROM trettio.{table} WHERE k.case_id = %s",
            [case_id],
        )
        assert row["count"] == 0, "no sealed byte of the case is left"


def test_nothing_is_handed_over_while_the_case_is_open(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)

    with pytest.raises(NotAllowedNow, match="closed"):
        house.installation.archiving.hand_over(case_id, receipt="26/17", by=BY)


def test_a_closed_request_comes_back_with_its_receipt(house: House, clock: Clock) -> None:
    case_id = asked_case(house)
    before = asked(house, case_id, OBJECTION)
    clock.forward(days=3)

    with pytest.raises(DomainError):
        house.installation.afterwards.reopen(before.id, reason="new-facts", by="trettio")
    house.installation.afterwards.reopen(before.id, reason="new-facts", by=BY)

    request = asked(house, before.case_id, OBJECTION)
    assert request.status is not Status.CLOSED
    assert (request.received_on, request.dates) == (before.received_on, before.dates)


def test_a_disclosure_is_told_to_the_authority_within_72_hours(house: House, clock: Clock) -> None:
    """Art. 33(1), 34: what, consequences and measures; the person is written to."""
    case_id = approved(house, Right.ACCESS)
    request_id = asked(house, case_id, Right.ACCESS).id
    known = clock() - timedelta(hours=5)
    report = house.installation.afterwards.report_disclosure
    said: dict[str, Any] = {
        "what": "Brevet gikk til naboen",
        "consequences": "Hun har sett kjøpene",
    }
    with pytest.raises(DomainError):
        report(request_id, **said, measures=" ", known_at=known, by=BY)

    by = report(
        request_id, **said, measures="Brevet er hentet", known_at=known, tell_person=True, by=BY
    )
    house.worker.drain()

    assert by == known + timedelta(hours=72)
    assert asked(house, case_id, Right.ACCESS).tell_authority_by == by
    letter = house.mails()[-1]
    assert letter.kind is LetterKind.DISCLOSURE_NOTICE
    assert "Brevet gikk til naboen" in " ".join(letter.text.split())
    states = house.installation.database.fetch("SELECT state FROM trettio.log")
    assert all(b"naboen" not in bytes(row["state"]) for row in states)


def test_what_stays_for_the_archive_is_written_to_no_more(house: House) -> None:
    """E-05: no category may go unsaid, and stopping marketing is never delayed by it."""
    house.installation.controllers.adopt(
        (ORGANISATIONS / f"{NORWAY}.toml").read_bytes().replace(b"archive_duty = false\n", b""),
        name="silent.toml",
        by=BY,
    )
    mailing = house.systems.system(NORWAY, "mailing")
    mailing.hold(KARI, "member", "m1")
    case_id = collected(house, Right.ERASURE, controller=NORWAY, text="Slett meg")
    request_id = asked(house, case_id, Right.ERASURE).id

    house.installation.deciding.approve(request_id, by=BY, considered=True)
    house.worker.drain()

    request = asked(house, case_id, Right.ERASURE)
    assert {one.decision for one in request.decisions.values()} == {Decision.BLOCK_AND_REFER}
    done = house.installation.register.fulfilment(request_id).done_as
    assert done["mailing"] is Outcome.SUPPRESSED
    assert mailing.suppressed == {KARI}
    assert [record.key for _, record in mailing.held] == ["m1"]
    assert house.installation.suppressions.is_on(NORWAY, Identifier(IdentifierKind.EMAIL, KARI))


def asked_case(house: House) -> UUID:
    """An objection to marketing in a public body, acted on and answered."""
    case_id = confirmed(house, OBJECTION, controller=NORWAY, text="Stopp, hilsen Kari Testesen")
    state = house.installation.register.fulfilment(asked(house, case_id, OBJECTION).id)
    for system, one in state.systems.items():
        if not one.status.has_answered:
            house.installation.byhand.done(
                state.request_id, system, outcome=Outcome.SUPPRESSED, reason="", by=BY
            )
    house.worker.drain()
    assert asked(house, case_id, OBJECTION).status is Status.CLOSED
    return case_id


def test_archive_records_stay_blocked_until_the_archive_says_it_has_them(house: House) -> None:
    """B.4, E-05, GK-06: no tick but the archive's receipt lets the system's copy go."""
    profile = house.installation.controllers.in_force(NORWAY)
    duty = {one.id for one in profile.categories if profile.goes_to_archive(one)}
    system, kind = next(
        (one.id, holding.kind)
        for one in profile.systems
        for holding in one.holdings
        if holding.category in duty and one.role.value != "independent-controller"
    )
    case_id = verified(house, Right.ERASURE)
    record = Record("7", kind, Match.VERIFIED_IDENTIFIER, IdentifierKind.EMAIL, {"subject": "X"})
    request_id = asked(house, case_id, Right.ERASURE).id
    if house.systems.system(NORWAY, system).manual:
        house.installation.byhand.found(request_id, system, (record,), reason="searched", by=BY)
    look_everywhere(house, case_id, Right.ERASURE)
    (found,) = asked(house, case_id, Right.ERASURE).own_records

    def decision(**more: Any) -> Decision:
        request = asked(house, case_id, Right.ERASURE)
        today = house.installation.clock().date()
        (preview,) = house.installation.deciding.preview(request, today, **more)
        return preview.verdict.decision

    ticked = {found.record_id: frozenset({"handed_to_archive"})}
    assert decision() is decision(answers=ticked) is Decision.BLOCK_AND_REFER
    archiving = house.installation.archiving
    with ZipFile(BytesIO(archiving.records(request_id))) as package:
        assert [name for name in package.namelist() if str(found.record_id) in name]
    with pytest.raises(DomainError, match="receipt"):
        archiving.records_received(request_id, [found.record_id], receipt="", by=BY)
    archiving.records_received(request_id, [found.record_id], receipt="Avlevert 26/18", by=BY)

    assert decision() is not Decision.BLOCK_AND_REFER
