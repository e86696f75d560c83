"""What was found for one request, record by record, with what speaks for and against each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from adapters.bootstrap import Installation
from adapters.inbound.web.case_parts import RecordView, Sheet
from adapters.inbound.web.case_words import Names
from domain.request import DataSubjectRequest
from domain.values import FoundRecord
from services.evidence import compare
from services.ports import Erased, Person, Record
from services.redacting import leaves

ON_CASE_PAGE = 8
ON_LIST_PAGE = 20
"""How many records one page shows; the others are a page further."""


def in_order(request: DataSubjectRequest, looked_at: frozenset[UUID]) -> list[FoundRecord]:
    """First what waits for a decision, then what waits to be read, then all other records."""

    def place(found: FoundRecord) -> int:
        if found.needs_a_person and found.record_id not in request.matches:
            return 0
        return 1 if found.mentions_others and found.record_id not in looked_at else 2

    return sorted(request.found.values(), key=place)


def sheet_of(
    installation: Installation,
    request: DataSubjectRequest,
    names: Names,
    person: Person,
    *,
    content: bool,
    start: int = 0,
    most: int = ON_CASE_PAGE,
    only: UUID | None = None,
) -> Sheet:
    """The records from `start` on; or one alone."""
    redaction = installation.register.find_redaction(request.id)
    looked_at = redaction.looked_at(request.own_records) if redaction else frozenset[UUID]()
    found = in_order(request, looked_at)
    if only is not None:
        found = [one for one in found if one.record_id == only]
    some = found[start : start + most]
    views = _views(installation, request, some, names, person, looked_at, content=content)
    return Sheet(tuple(views), start, len(found))


def _views(
    installation: Installation,
    request: DataSubjectRequest,
    some: Sequence[FoundRecord],
    names: Names,
    person: Person,
    looked_at: frozenset[UUID],
    *,
    content: bool,
) -> Iterator[RecordView]:
    opened: Mapping[UUID, Record] = {}
    if content:
        try:
            opened = installation.deciding.records(request, some)
        except Erased:
            opened = {}
    for found in some:
        record = opened.get(found.record_id)
        yield RecordView(
            found=found,
            system=names.system(found.system),
            category=names.category(found.category),
            theirs=request.matches.get(found.record_id, None if found.needs_a_person else True),
            fields=tuple(
                (names.look.field(name), value, name in record.masked)
                for name, value in record.fields.items()
            )
            if record
            else (),
            key=record.key if record else "",
            paths=tuple(dict.fromkeys(leaf.path for leaf in leaves(record.fields)))
            if record
            else (),
            covered=installation.redacting.covered(request, found) if record else (),
            to_read=found.mentions_others and found.record_id not in looked_at,
            compared=compare(person, record.fields) if record else (),
        )
