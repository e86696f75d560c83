"""Oversight: what the officer was asked, what waits for a second person, answers gone astray.

The officer's advice and whether it was followed (Art. 38, 39), refusals that two people decide
(Art. 12(5)), and breaches with the moment until which the authority is told (Art. 33). A request's
controller and right are told by `dashboard`, which this joins on the request.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from domain.refusal import Refusal, Standing
from domain.request import DataSubjectRequest
from projections.projection import Projection, Row, Rows, Table, when


@dataclass(slots=True, kw_only=True)
class Advice(Row):
    """One question to the officer."""

    question_id: Annotated[UUID, "The question; its words are in the vault"]
    request_id: Annotated[UUID, "The request it is about"]
    about: Annotated[str, "What it is about: suspension, extension, refusal, identity or other"]
    asked_at: Annotated[datetime, "When it was asked"]
    advised_at: Annotated[datetime | None, "When the officer advised"] = None
    weighed_at: Annotated[datetime | None, "When the controller said whether it follows"] = None
    followed: Annotated[bool | None, "Whether the advice was followed"] = None


@dataclass(slots=True, kw_only=True)
class Second(Row):
    """One refusal that a second person confirms or declines."""

    refusal_id: Annotated[UUID, "The proposal"]
    request_id: Annotated[UUID, "The request that would be refused"]
    ground: Annotated[str, "On which ground, as a code"]
    proposed_at: Annotated[datetime, "When it was proposed last"]
    decided_at: Annotated[datetime | None, "When the second person decided"] = None
    standing: Annotated[str, "proposed, confirmed, declined or fee-paid"] = Standing.PROPOSED.value


@dataclass(slots=True, kw_only=True)
class Breach(Row):
    """One answer that reached somebody else."""

    report_id: Annotated[UUID, "The report; its words are in the vault"]
    request_id: Annotated[UUID, "The request whose answer it was"]
    reported_at: Annotated[datetime, "When it was recorded"]
    known_at: Annotated[datetime | None, "When it became known"]
    tell_authority_by: Annotated[datetime | None, "Until when the authority is told"]
    fetched: Annotated[bool, "Whether somebody had fetched it before the link was withdrawn"] = (
        False
    )
    authority_settled_at: Annotated[
        datetime | None, "When the authority was told, or it was decided that it need not be"
    ] = None
    authority_told: Annotated[bool | None, "Whether it was told; none while that is open"] = None
    person_told: Annotated[bool | None, "Whether the person was told; none while open"] = None


ADVICE = Table(
    "officer_advice",
    Advice,
    key=("question_id",),
    found_by=("request_id",),
    comment="One row per question to the officer: when asked, when advised, whether followed",
    indexes=("(asked_at)",),
)
SECOND = Table(
    "second_decisions",
    Second,
    key=("refusal_id",),
    found_by=("refusal_id",),
    comment="One row per refusal that two people decide",
    indexes=("(request_id)",),
)
BREACHES = Table(
    "breaches",
    Breach,
    key=("report_id",),
    found_by=("request_id",),
    comment="One row per answer that reached somebody else than the person it was for",
)

Request = DataSubjectRequest


class Oversight(Projection):
    name = "oversight"
    tables = (ADVICE, SECOND, BREACHES)

    # The officer

    @when(Request.OfficerConsulted)
    def consulted(self, event: Request.OfficerConsulted, rows: Rows) -> None:
        rows.add(
            ADVICE,
            Advice(
                question_id=event.question.id,
                request_id=event.originator_id,
                about=event.about.value,
                asked_at=event.timestamp,
                advised_at=event.timestamp if event.advice else None,
            ),
        )

    @when(Request.OfficerAdvised)
    def advised(self, event: Request.OfficerAdvised, rows: Rows) -> None:
        question = event.question.id
        for advice in rows.changing(ADVICE, event.originator_id, question_id=question):
            advice.advised_at = event.timestamp

    @when(Request.AdviceWeighed)
    def weighed(self, event: Request.AdviceWeighed, rows: Rows) -> None:
        question = event.question.id
        for advice in rows.changing(ADVICE, event.originator_id, question_id=question):
            advice.weighed_at, advice.followed = event.timestamp, event.followed

    # The second person

    @when(Refusal.Proposed)
    def proposed(self, event: Refusal.Proposed, rows: Rows) -> None:
        rows.add(
            SECOND,
            Second(
                refusal_id=event.originator_id,
                request_id=event.request_id,
                ground=event.ground.value,
                proposed_at=event.timestamp,
            ),
        )

    @when(Refusal.ProposedAgain)
    def proposed_again(self, event: Refusal.ProposedAgain, rows: Rows) -> None:
        for second in rows.changing(SECOND, event.originator_id):
            second.ground, second.proposed_at = event.ground.value, event.timestamp
            second.standing, second.decided_at = Standing.PROPOSED.value, None

    @when(Refusal.Confirmed)
    def confirmed(self, event: Refusal.Confirmed, rows: Rows) -> None:
        _decided(event, rows, Standing.CONFIRMED)

    @when(Refusal.Declined)
    def declined(self, event: Refusal.Declined, rows: Rows) -> None:
        _decided(event, rows, Standing.DECLINED)

    @when(Refusal.FeePaid)
    def fee_paid(self, event: Refusal.FeePaid, rows: Rows) -> None:
        _decided(event, rows, Standing.FEE_PAID)

    # Breaches

    @when(Request.DisclosureReported)
    def disclosure_reported(self, event: Request.DisclosureReported, rows: Rows) -> None:
        rows.add(
            BREACHES,
            Breach(
                report_id=event.report.id,
                request_id=event.originator_id,
                reported_at=event.timestamp,
                known_at=event.known_at,
                tell_authority_by=event.tell_authority_by,
                fetched=event.fetched_at is not None,
                person_told=event.person_told,
            ),
        )

    @when(Request.BreachAuthoritySettled)
    def authority_settled(self, event: Request.BreachAuthoritySettled, rows: Rows) -> None:
        for breach in rows.changing(BREACHES, event.originator_id, report_id=event.breach):
            breach.authority_settled_at = event.timestamp
            breach.authority_told = event.told_at is not None

    @when(Request.BreachPersonSettled)
    def person_settled(self, event: Request.BreachPersonSettled, rows: Rows) -> None:
        for breach in rows.changing(BREACHES, event.originator_id, report_id=event.breach):
            breach.person_told = event.told


def _decided(event: Refusal.Event, rows: Rows, standing: Standing) -> None:
    for second in rows.changing(SECOND, event.originator_id):
        second.standing, second.decided_at = standing.value, event.timestamp
