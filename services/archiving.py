"""Archiving: a case as an archive takes it, and the archive's receipt for it (E-05, B.4).

Archive law forbids disposal. What a public body holds of a case is handed over first, as PDF/A-2b
with metadata; only with the archive's receipt does our own copy go. That permits nothing about
records in connected systems: those with archive duty stay blocked until the archive has confirmed
them too, and to erase what the archive itself keeps takes its authority, not ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from uuid import UUID
from xml.etree import ElementTree
from zipfile import ZIP_DEFLATED, ZipFile

from domain.case import Case
from domain.errors import DomainError, NotAllowedNow
from domain.folder import FileKind
from domain.personal import PersonalRef
from domain.policy import Profile
from domain.request import DataSubjectRequest, Status
from domain.staff import human
from services import dossier
from services.controllers import Controllers
from services.documents import Document, Part
from services.ports import Clock, Erased, PdfStandard, Tasks, Typesetter, Vault
from services.register import Register, again_on_conflict
from services.retention import FOR_ARCHIVE

FORMAT = "PDF/A-2b"


@dataclass(frozen=True, slots=True)
class Filed:
    """One document of a case, as the metadata describe it. Titles carry no names (E-05)."""

    number: int
    kind: str
    title: str
    dated: datetime | None
    file: str
    format: str
    bytes: int
    sha256: str


class Archiving:
    """Exports cases for archives and takes down that they were received."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        tasks: Tasks,
        controllers: Controllers,
        typesetter: Typesetter,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._tasks = register, vault, tasks
        self._controllers, self._typesetter = controllers, typesetter
        self._clock = clock

    def awaits(self, case: Case) -> bool:
        """Whether nothing of this case goes before the archive has it."""
        requests = self._register.requests_of(case)
        public = self._controllers.in_force(case.controller).is_public
        return any((public or one.archive_first) and not one.archived for one in requests)

    def export(self, case_id: UUID) -> bytes:
        """A ZIP of every document that is left, with `metadata.xml` and the same as JSON."""
        case = self._register.case(case_id)
        profile = self._controllers.in_force(case.controller)
        requests = self._register.requests_of(case)
        out, filed = BytesIO(), list[Filed]()
        with ZipFile(out, "w", ZIP_DEFLATED) as package:
            for number, (kind, title, dated, suffix, content) in enumerate(
                self._documents(case, requests, profile), start=1
            ):
                name = f"documents/{number:03}-{kind}.{suffix}"
                package.writestr(name, content)
                format_ = FORMAT if suffix == "pdf" else "as received"
                digest = sha256(content).hexdigest()
                filed.append(Filed(number, kind, title, dated, name, format_, len(content), digest))
            facts = _facts(case, requests, profile, self._clock())
            package.writestr("metadata.xml", _xml(facts, filed))
            package.writestr("metadata.json", _json(facts, filed))
        return out.getvalue()

    @again_on_conflict
    def hand_over(self, case_id: UUID, *, receipt: str, by: str) -> None:
        """Record the archive's receipt; what waited for it goes on."""
        if not receipt.strip():
            raise DomainError("write down the archive's receipt: its number, day and name")
        now = self._clock()
        case = self._register.case(case_id)
        requests = self._register.requests_of(case)
        if not requests or any(one.status is not Status.CLOSED for one in requests):
            raise NotAllowedNow("the archive takes a case when every request of it is closed")
        sealed = dossier.seal_note(self._vault, case.id, receipt.strip(), by, now)
        for request in requests:
            request.hand_to_archive(receipt=sealed.ref, by=human(by), at=now)
        self._register.save_all(requests, sealed.also)
        self._tasks.hurry(reason=FOR_ARCHIVE)

    @again_on_conflict
    def records_received(
        self, request_id: UUID, record_ids: Iterable[UUID], *, receipt: str, by: str
    ) -> None:
        """Record the archive's receipt for found records: their system's copy may go then."""
        if not receipt.strip():
            raise DomainError("write down the archive's receipt: its number, day and name")
        now = self._clock()
        request = self._register.request(request_id)
        sealed = dossier.seal_note(self._vault, request.case_id, receipt.strip(), by, now)
        request.archive_records(
            records=tuple(dict.fromkeys(record_ids)), receipt=sealed.ref, by=by, at=now
        )
        self._register.save_all([request], sealed.also)

    def records(self, request_id: UUID) -> bytes:
        """The records with archive duty as PDF/A-2b, each with its fields: personal data."""
        request = self._register.request(request_id)
        case = self._register.case(request.case_id)
        profile = self._controllers.in_force(case.controller)
        duty = {one.id for one in profile.categories if profile.goes_to_archive(one)}
        out = BytesIO()
        with ZipFile(out, "w", ZIP_DEFLATED) as package:
            for number, found in enumerate(request.own_records, start=1):
                content = self._open(found.content) if found.category in duty else None
                if content is None:
                    continue
                record = dossier.RECORD.validate_json(content).record
                rows = [("Field", "Value"), *((k, str(v)) for k, v in record.fields.items())]
                parts = (Part("table", rows=tuple(rows)),)
                pdf = self._pdf("record", str(found.record_id), parts, case, profile, None)[4]
                package.writestr(f"records/{number:03}-{found.record_id}.pdf", pdf)
        return out.getvalue()

    # The documents

    def _documents(
        self, case: Case, requests: tuple[DataSubjectRequest, ...], profile: Profile
    ) -> Iterator[tuple[str, str, datetime | None, str, bytes]]:
        reference = case.reference
        for ref in case.messages:
            message = self._open(ref)
            if message is not None:
                read = dossier.MESSAGE.validate_json(message)
                parts = (
                    Part("terms", terms=(("From", f"{read.sender_name} {read.sender_address}"),)),
                    Part("words", read.text),
                )
                yield self._pdf(
                    "message", read.subject, parts, case, profile, case.arrivals.get(ref)
                )
        for ref in case.attachments:
            content = self._open(ref)
            if content is not None:
                yield "attachment", f"Attachment of {reference}", case.arrived_at, "bin", content
        for letter in case.letters.values():
            sealed = self._open(letter.text)
            if sealed is not None and not letter.kind.value.endswith("code"):
                read_letter = dossier.LETTER.validate_json(sealed)
                yield self._pdf(
                    "letter",
                    read_letter.subject,
                    (Part("words", read_letter.text),),
                    case,
                    profile,
                    case.left.get(letter.id),
                )
        yield from self._folder(case, profile)
        for request in requests:
            yield self._decision(request, case, profile)

    def _folder(
        self, case: Case, profile: Profile
    ) -> Iterator[tuple[str, str, datetime | None, str, bytes]]:
        """Notes and files that staff kept with the case.

        What only proves who somebody is ends with the case and goes to no archive (Art. 5(1)(c)).
        """
        folder = self._register.find_folder(case.id)
        if folder is None:
            return
        for noted in folder.notes:
            try:
                words = dossier.note_in(self._vault, noted.note)
            except Erased:
                continue
            parts = (Part("terms", terms=(("Noted by", noted.by),)), Part("words", words))
            yield self._pdf(
                "note", f"Note in case {case.reference}", parts, case, profile, noted.at
            )
        for filed in folder.files.values():
            content = self._open(filed.file) if filed.kind is not FileKind.PROOF else None
            if content is not None:
                document = dossier.DOCUMENT.validate_json(content).content
                yield "file", f"File in case {case.reference}", filed.at, "bin", document

    def _decision(
        self, request: DataSubjectRequest, case: Case, profile: Profile
    ) -> tuple[str, str, datetime | None, str, bytes]:
        rows = [("System", "Category", "Decision", "Law", "Until")]
        for decision in request.decisions.values():
            found = request.found[decision.record_id]
            until = decision.until.isoformat() if decision.until else ""
            rows.append(
                (found.system, found.category, decision.decision.value, decision.law or "", until)
            )
        facts = (
            ("Right", f"{request.right.value} ({request.right.article})"),
            ("Received", request.received_on.isoformat()),
            ("Due", (request.dates.last_day() or request.dates.target_due).isoformat()),
            ("Refused", request.refusal.value if request.refusal else ""),
            ("Decided by", request.approved_by or ""),
        )
        parts = [Part("terms", terms=facts)]
        if len(rows) > 1:
            parts.append(Part("table", rows=tuple(rows)))
        title = f"Decision, {request.right.value}"
        return self._pdf("decision", title, tuple(parts), case, profile, request.closed_at)

    def _pdf(
        self,
        kind: str,
        title: str,
        parts: tuple[Part, ...],
        case: Case,
        profile: Profile,
        dated: datetime | None,
    ) -> tuple[str, str, datetime | None, str, bytes]:
        document = Document(
            title=title or case.reference,
            language=case.language,
            parts=parts,
            date=dated.date().isoformat() if dated else "",
            reference=case.reference,
            country=profile.country,
        )
        content = self._typesetter.pdf(document, PdfStandard.ARCHIVE)
        return kind, f"{kind.capitalize()} in case {case.reference}", dated, "pdf", content

    def _open(self, ref: PersonalRef) -> bytes | None:
        try:
            return self._vault.open(ref)
        except Erased:
            return None


# The metadata, by names of Noark 5 where they fit; this is no deposit by that standard


def _facts(
    case: Case, requests: tuple[DataSubjectRequest, ...], profile: Profile, now: datetime
) -> dict[str, str]:
    closed = [one.closed_at for one in requests if one.closed_at is not None]
    rights = ", ".join(one.right.value for one in requests)
    return {
        "arkivskaper": profile.controller.name,
        "mappeID": case.reference,
        "tittel": f"{case.reference}: {rights}",
        "opprettetDato": case.received_at.isoformat(),
        "avsluttetDato": max(closed).isoformat() if closed else "",
        "saksstatus": "Avsluttet" if len(closed) == len(requests) else "Under behandling",
        "saksansvarlig": next((one.assigned_to for one in requests if one.assigned_to), ""),
        "eksportertDato": now.isoformat(),
    }


def _xml(facts: dict[str, str], filed: list[Filed]) -> bytes:
    case = ElementTree.Element("saksmappe")
    for name, value in facts.items():
        ElementTree.SubElement(case, name).text = value
    for one in filed:
        entry = ElementTree.SubElement(case, "journalpost")
        for name, value in (
            ("journalpostnummer", str(one.number)),
            ("journalposttype", one.kind),
            ("tittel", one.title),
            ("dokumentetsDato", one.dated.isoformat() if one.dated else ""),
        ):
            ElementTree.SubElement(entry, name).text = value
        described = ElementTree.SubElement(entry, "dokumentobjekt")
        for name, value in (
            ("format", one.format),
            ("referanseDokumentfil", one.file),
            ("sjekksum", one.sha256),
            ("sjekksumAlgoritme", "SHA-256"),
            ("filstoerrelse", str(one.bytes)),
        ):
            ElementTree.SubElement(described, name).text = value
    ElementTree.indent(case)
    content: bytes = ElementTree.tostring(case, encoding="utf-8", xml_declaration=True)
    return content


def _json(facts: dict[str, str], filed: list[Filed]) -> str:
    return json.dumps(
        {**facts, "journalposter": [asdict(one) for one in filed]},
        default=str,
        ensure_ascii=False,
        indent=1,
    )
