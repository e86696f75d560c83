"""What happened before a test begins: requests, records, decisions and letters, all made up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from domain.aggregate import Aggregate
from domain.calendar import load_calendar
from domain.deadlines import act_by, deadlines, received_on
from domain.fulfilment import Fulfilment
from domain.personal import PersonalRef
from domain.request import DataSubjectRequest
from domain.values import FoundRecord, LetterSent, PlannedSystem, RecordDecision, RecordOutcome
from domain.vocabulary import (
    Action,
    Channel,
    Country,
    Decision,
    Delivery,
    ExtensionReason,
    IdentifierKind,
    Language,
    LetterKind,
    Match,
    Outcome,
    Right,
    Role,
)

AT = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
TODAY = AT.date()
NO = load_calendar(Country.NO)
COMPLEX_AND_MANY = (ExtensionReason.VOLUME, ExtensionReason.SEVERAL_REQUESTS)


def days(count: int) -> timedelta:
    return timedelta(days=count)


def ref() -> PersonalRef:
    return PersonalRef(uuid4())


def received(
    right: Right = Right.ACCESS,
    *,
    at: datetime = AT,
    country: Country = Country.NO,
    promise_days: int | None = 30,
    **facts: Any,
) -> DataSubjectRequest:
    """A request that arrived and was recorded at the same moment."""
    day = received_on(at, country)
    calendar = load_calendar(country)
    defaults: dict[str, Any] = {
        "case_id": uuid4(),
        "controller": "culture-house",
        "profile_version": "v1",
        "country": country,
        "right": right,
        "channel": Channel.MAIL,
        "language": Language.NB,
        "requester": ref(),
        "received_at": at,
        "received_on": day,
        "promise_days": promise_days,
        "dates": deadlines(day, calendar, promise_days, statutory=right.is_statutory),
        "act_by": act_by(day, calendar) if right.acts_at_once else None,
        "not_in_policy": False,
        "timestamp": at,
    }
    return DataSubjectRequest(**(defaults | facts))


def found(
    match: Match = Match.VERIFIED_IDENTIFIER, *, system: str = "shop", category: str = "orders"
) -> FoundRecord:
    record_id = uuid4()
    return FoundRecord(
        record_id=record_id,
        system=system,
        kind="order",
        category=category,
        match=match,
        matched_by=IdentifierKind.EMAIL,
        content=ref(),
        digest=record_id.hex,
    )


def erase(record: FoundRecord) -> RecordDecision:
    return RecordDecision(record.record_id, Decision.ERASE, "purpose_ended")


def keep(record: FoundRecord, *fields: str) -> RecordDecision:
    return RecordDecision(
        record.record_id,
        Decision.KEEP,
        "kept_by_bookkeeping",
        ground="no.bokforing.primary",
        law="bokføringsloven",
        until=TODAY + days(2_000),
        keep_fields=fields,
    )


def became(outcome: Outcome, *records: FoundRecord, **facts: Any) -> tuple[RecordOutcome, ...]:
    return tuple(RecordOutcome(record.record_id, outcome, **facts) for record in records)


def letter(*explains: Outcome, kind: LetterKind = LetterKind.ANSWER) -> LetterSent:
    return LetterSent(kind, "mail", ref(), explains)


def planned(
    *systems: tuple[str, Action], request_id: UUID | None = None, at: datetime = AT
) -> Fulfilment:
    return Fulfilment(
        request_id=request_id or uuid4(),
        case_id=uuid4(),
        controller="culture-house",
        profile_version="v1",
        systems=tuple(
            PlannedSystem(name, Role.PROCESSOR, Delivery.CONNECTOR, "shop", action)
            for name, action in systems
        ),
        timestamp=at,
    )


def names(aggregate: Aggregate) -> list[str]:
    """The names of the events since the last look; looking empties the list."""
    return [type(event).__name__ for event in aggregate.collect_events()]


def replayed(events: Iterable[Any]) -> Any:
    aggregate = None
    for event in events:
        aggregate = event.mutate(aggregate)
    return aggregate
