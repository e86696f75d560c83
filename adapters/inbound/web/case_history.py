"""What happened in a case, line by line, from the log itself; what people wrote stays out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from eventsourcing.persistence import StoredEvent

from adapters.bootstrap import Installation
from adapters.inbound.web.case_words import Names
from adapters.inbound.web.happened import Happened
from domain.belonging import BESIDE_A_CASE, BESIDE_A_REQUEST
from domain.case import Case
from domain.looks import Looks
from domain.request import DataSubjectRequest
from domain.staff import MACHINE
from domain.vocabulary import Right
from projections import holds as on_hold
from projections.case_file import facts

TOLD = {
    "action": ("action",),
    "outcome": ("outcome",),
    "method": ("method",),
    "reason": ("reason", "failure", "waits", "pause"),
    "how": ("how",),
    "kind": ("letter_kind", "kind"),
}
"""What a line of the timeline tells of an event, and where the words for it are."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "correspondence": (
        "case.arrived",
        "case.letter",
        "case.message",
        "case.packed",
        "request.acknowledged",
        "request.answer-",
        "request.delivery-",
        "hold.subject-told",
    ),
    "time": (
        "case.receipt",
        "request.clarif",
        "request.deadline",
        "request.extension",
        "request.pause",
        "request.promise",
        "request.question",
        "request.receipt",
        "request.reminder",
        "request.silence",
        "request.statutory",
        "request.suspension",
        "request.target",
    ),
    "systems": (
        "errand.",
        "fulfilment.",
        "instruction.",
        "request.data-collected",
        "request.suppressed",
        "restriction.",
    ),
    "identity": (
        "case.identity",
        "case.number",
        "case.order",
        "case.protection",
        "representation.",
        "request.authority",
        "request.identi",
        "request.verification",
    ),
    "looks": ("looks.",),
    "decisions": ("",),
}
"""The filters of the timeline, by how topics begin; the first that fits counts."""


def group_of(topic: str) -> str:
    """Under which filter a line of the timeline is found."""
    return next(name for name, starts in GROUPS.items() if topic.startswith(starts))


def history(
    installation: Installation,
    case: Case,
    requests: Sequence[DataSubjectRequest],
    names: Names,
    *,
    until: datetime | None = None,
    only_counted: bool = False,
) -> list[Happened]:
    """Everything, the oldest first; with `until` only what had been recorded by then.

    `only_counted` leaves out what does not change the case's version: what has no one place in it.
    """
    rights = {request.id: request.right for request in requests}
    places: dict[UUID, Right | None] = {
        case.id: None,
        **{place(case.id): None for _, place in BESIDE_A_CASE},
        **rights,
        **{place(one): right for _, place in BESIDE_A_REQUEST for one, right in rights.items()},
    }
    if not only_counted:
        for hold in on_hold.of_case(installation.database, case.id):
            places[hold.hold_id] = rights.get(hold.request_id)
        for booked in installation.errands.book.of_requests(list(rights)):
            places[booked.errand_id] = rights.get(booked.request_id)
        for request_id, right in rights.items():
            given = installation.instruction_ledger.of_requests([request_id])
            places |= dict.fromkeys(given, right)
    stored = installation.register.stored_events(list(places), until)
    lines = [
        _line(installation, one, places[originator_id], names)
        for originator_id, events in stored.items()
        for one in events
    ]
    if not only_counted:
        looks = _looks(installation, case, names)
        lines += (one for one in looks if until is None or one.at <= until)
    return sorted(lines, key=lambda line: line.at)


def _line(
    installation: Installation, stored: StoredEvent, right: Right | None, names: Names
) -> Happened:
    event: Any = installation.register.mapper.to_domain_event(stored)
    by = getattr(event, "by", None)
    return Happened(
        at=event.timestamp,
        topic=event.TOPIC,
        right=right,
        by=None if by == MACHINE else by,
        details=tuple(_details(facts(orjson.loads(stored.state)), names)),
    )


def _looks(installation: Installation, case: Case, names: Names) -> Iterator[Happened]:
    """Who read what was written, and what for: kept beside the case, which it has not changed."""
    for one in installation.looking.at_case(case.id):
        what = (names.look.word("contents", kind) for kind in one.what)
        yield Happened(
            at=one.at,
            topic=Looks.Shown.TOPIC,
            right=None,
            by=one.staff_id,
            details=(names.look.word("purposes", one.purpose), *what),
        )


def _details(known: Mapping[str, Any], names: Names) -> Iterator[str]:
    for name, value in known.items():
        if name == "system":
            yield names.system(value)
        elif name in TOLD and isinstance(value, str):
            words = (names.look.word(table, value) for table in TOLD[name])
            yield next((word for word in words if word != value), value)
