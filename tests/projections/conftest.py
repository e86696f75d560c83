"""What the tests of read models share: an installation whose views follow every save at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest

from adapters.outbound.database import Database
from adapters.outbound.views import Views
from domain.aggregate import Aggregate
from domain.calendar import load_calendar
from domain.case import Case
from domain.deadlines import act_by, deadlines
from domain.fulfilment import Fulfilment
from domain.personal import PersonalRef
from domain.request import DataSubjectRequest
from domain.values import LetterSent, PlannedSystem
from domain.vocabulary import (
    Action,
    Channel,
    Country,
    Delivery,
    IdentityMethod,
    Language,
    LetterKind,
    Outcome,
    ReceiptSource,
    Right,
    Role,
    TriageKind,
)
from services.follower import Follower
from tests.support.histories import opened_register, source_of


class Office:
    """One controller's desk on one day: what it does is saved, and followed event by event."""

    controller, country = "concert-hall", Country.NO

    def __init__(self, database: Database) -> None:
        self.database = database
        self.sql = database
        self.at = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)

    def begin(self, views: Views, follower: Follower, save: Any) -> None:
        self.views, self._follower, self._save = views, follower, save

    @property
    def today(self) -> dict[Country, date]:
        return dict.fromkeys(Country, self.at.date())

    def save(self, *aggregates: Aggregate) -> None:
        self._save(aggregates)
        self._follower.drain()

    def on(self, day: date) -> None:
        self.at = datetime.combine(day, time(9), tzinfo=UTC)

    def case(self, *rights: Right) -> Case:
        case = Case(
            id=uuid4(),
            controller=self.controller,
            channel=Channel.MAIL,
            received_at=self.at - timedelta(hours=1),
            receipt_source=ReceiptSource.RECEIVED_HEADER,
            message=ref(),
            attachments=(),
            proposed_kind=TriageKind.RIGHTS_REQUEST,
            proposed_rights=rights or (Right.ACCESS,),
            proposed_language=Language.NB,
            evidence=(),
            certain=True,
            timestamp=self.at,
        )
        if rights:
            case.confirm(
                rights=rights, language=Language.NB, person=ref(), by="staff-1", at=self.at
            )
        return case

    def request(
        self,
        right: Right = Right.ACCESS,
        *,
        case: Case | None = None,
        promise_days: int | None = 30,
        received_on: date | None = None,
        controller: str | None = None,
        country: Country | None = None,
    ) -> DataSubjectRequest:
        day, country = received_on or self.at.date(), country or self.country
        calendar = load_calendar(country)
        return DataSubjectRequest(
            case_id=case.id if case else uuid4(),
            controller=controller or self.controller,
            profile_version="1",
            country=country,
            right=right,
            channel=Channel.MAIL,
            language=Language.NB,
            requester=ref(),
            received_at=datetime.combine(day, time(8), tzinfo=UTC),
            received_on=day,
            promise_days=promise_days,
            dates=deadlines(day, calendar, promise_days, statutory=right.is_statutory),
            act_by=act_by(day, calendar) if right.acts_at_once else None,
            not_in_policy=False,
            timestamp=max(self.at, datetime.combine(day, time(9), tzinfo=UTC)),
        )

    def verify(self, request: DataSubjectRequest) -> None:
        method = IdentityMethod.CODE_TO_ADDRESS
        request.request_identity(method=method, reason="unknown-sender", at=self.at)
        request.verify_identity(method=method, person=ref(), at=self.at)

    def plan(
        self, request: DataSubjectRequest, *systems: PlannedSystem, **deliveries: Delivery
    ) -> Fulfilment:
        return Fulfilment(
            request_id=request.id,
            case_id=request.case_id,
            controller=request.controller,
            profile_version="1",
            systems=(
                *systems,
                *(
                    PlannedSystem(name, Role.PROCESSOR, delivery, name, Action.FIND)
                    for name, delivery in deliveries.items()
                ),
            ),
            timestamp=self.at,
        )

    def answered(self, request: DataSubjectRequest) -> DataSubjectRequest:
        """Straight through to the answer, now."""
        self.verify(request)
        request.collect_data(found=(), at=self.at)
        request.approve(decisions=(), profile_version="1", by="staff-1", at=self.at)
        request.send_answer(sent=sent(), profile_version="1", at=self.at)
        return request


def ref() -> PersonalRef:
    return PersonalRef(uuid4())


def sent() -> LetterSent:
    return LetterSent(LetterKind.ANSWER, "mail", ref(), tuple(Outcome))


@pytest.fixture
def office(database: Database) -> Iterator[Office]:
    office, views = Office(database), Views(database)
    with opened_register(database) as register:
        source = source_of(database, register)
        views.prepare(source)
        # One event at a time: nothing may depend on what happens to be read together.
        office.begin(views, Follower(source, views.views, batch=1), register.save_all)
        yield office
