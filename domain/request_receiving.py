"""How a request comes in: its true receipt, right and controller, and who has it (Art. 12)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from domain.aggregate import AggregateCreated
from domain.calendar import Calendar, calendar_named
from domain.case import request_id
from domain.deadlines import Deadlines, act_by, deadlines, received_on
from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef, code
from domain.request_state import Event, RequestState, Status, require_country
from domain.staff import human, named
from domain.values import LetterSent
from domain.vocabulary import Channel, Country, Language, Right

DUPLICATE = "duplicate"
"""Why a receipt moved that is another request's, for as long as the two are linked."""


class Received(Event, AggregateCreated):
    TOPIC = "request.received"
    case_id: UUID
    controller: str
    profile_version: str
    country: Country
    right: Right
    channel: Channel
    language: Language
    requester: PersonalRef
    received_at: datetime
    received_on: date
    promise_days: int | None
    dates: Deadlines
    act_by: date | None = None
    not_in_policy: bool = False
    archive_first: bool = False


class ReceiptCorrected(Event):
    TOPIC = "request.receipt-corrected"
    received_at: datetime
    received_on: date
    dates: Deadlines
    act_by: date | None
    reason: str
    by: str
    proof: PersonalRef | None = None

    def apply(self, aggregate: RequestReceiving) -> None:
        if self.received_on != aggregate.received_on:
            aggregate.earlier_receipts = (*aggregate.earlier_receipts, aggregate.received_on)
        aggregate.received_at, aggregate.received_on = self.received_at, self.received_on
        aggregate.dates, aggregate.act_by = self.dates, self.act_by
        if self.reason != DUPLICATE:
            aggregate.own_receipt = (self.received_at, self.received_on)


class Reclassified(Event):
    TOPIC = "request.reclassified"
    right: Right
    controller: str
    profile_version: str
    promise_days: int | None
    dates: Deadlines
    act_by: date | None
    not_in_policy: bool
    by: str
    anew: bool = False
    """Whether systems had been searched for the wrong right; for the right one they are anew."""

    def apply(self, aggregate: RequestReceiving) -> None:
        if self.anew:
            aggregate.status = Status.VERIFIED
            aggregate.forget_found(self.timestamp)
        aggregate.right, aggregate.controller = self.right, self.controller
        aggregate.profile_version = self.profile_version
        aggregate.promise_days = self.promise_days
        aggregate.dates, aggregate.act_by = self.dates, self.act_by
        aggregate.not_in_policy = self.not_in_policy


class Referred(Event):
    TOPIC = "request.referred"
    to: str
    by: str

    def apply(self, aggregate: RequestReceiving) -> None:
        aggregate.status = Status.REFERRED
        aggregate.drop()


class Linked(Event):
    TOPIC = "request.linked"
    to: UUID
    by: str

    def apply(self, aggregate: RequestReceiving) -> None:
        aggregate.linked = (*aggregate.linked, self.to)


class Acknowledged(Event):
    TOPIC = "request.acknowledged"
    sent: LetterSent

    def apply(self, aggregate: RequestReceiving) -> None:
        aggregate.acknowledged = True
        aggregate.letters = (*aggregate.letters, self.sent)


class Assigned(Event):
    TOPIC = "request.assigned"
    to: str
    by: str

    def apply(self, aggregate: RequestReceiving) -> None:
        aggregate.assigned_to = self.to


class RequestReceiving(RequestState):
    @staticmethod
    def create_id(case_id: UUID, right: Right) -> UUID:
        return request_id(case_id, right)

    @classmethod
    def may_begin(cls, facts: dict[str, Any]) -> None:
        """The dates of a request are counted, not given: from its receipt, by a known calendar."""
        arrived, day, country = facts["received_at"], facts["received_on"], facts["country"]
        calendar = calendar_named(facts["dates"].calendar)
        _require_arrival(arrived, day, country, facts["timestamp"])
        require_country(calendar, country)
        by_law = facts["right"].is_statutory
        if facts["dates"] != deadlines(day, calendar, facts["promise_days"], statutory=by_law):
            raise DomainError("the dates do not follow from the receipt: count them from it")
        if facts.get("act_by") != _act_by(facts["right"], day, calendar):
            raise DomainError("the day to act by does not follow from the receipt: count it")

    # Commands

    def correct_receipt(
        self,
        *,
        received_at: datetime,
        received_on: date,
        calendar: Calendar,
        reason: str,
        by: str,
        at: datetime,
        proof: PersonalRef | None = None,
    ) -> None:
        """The earliest proven arrival counts (EDPB 01/2022, 159); the old one stays in the log.

        To put it later as well takes a person, a reason and what shows it: all in the event.
        """
        if self.ended:
            raise NotAllowedNow(f"request {self.id} has ended")
        _require_arrival(received_at, received_on, self.country, at)
        if (received_at, received_on) == (self.received_at, self.received_on):
            return
        if received_on > self.received_on:
            human(by)
            if proof is None:
                raise DomainError("a later receipt gives us more time: give what shows the day")
        self.trigger_event(
            ReceiptCorrected,
            received_at=received_at,
            received_on=received_on,
            dates=self._dates(calendar, received_on=received_on),
            act_by=_act_by(self.right, received_on, calendar),
            reason=code(reason),
            by=named(by),
            proof=proof,
            timestamp=at,
        )

    def reclassify(
        self,
        *,
        right: Right,
        controller: str,
        by: str,
        at: datetime,
        profile_version: str | None = None,
        promise_days: int | None = None,
        not_in_policy: bool = False,
    ) -> None:
        """A wrong right or controller is put right; the receipt stays where it was.

        Another controller promised something else, so its profile must be named with it.
        """
        self._require_reclassifiable(right)
        if controller == self.controller:
            profile_version, promise_days = self.profile_version, self.promise_days
        elif not profile_version:
            raise DomainError("say which profile of the other controller was in force at receipt")
        calendar = calendar_named(self.dates.calendar)
        self.trigger_event(
            Reclassified,
            right=right,
            controller=controller,
            profile_version=profile_version,
            promise_days=promise_days,
            dates=self._dates(calendar, promise_days=promise_days, right=right),
            act_by=_act_by(right, self.received_on, calendar),
            not_in_policy=not_in_policy,
            by=named(by),
            anew=self.status is not Status.RECEIVED,
            timestamp=at,
        )

    def refer(self, *, to: str, by: str, at: datetime) -> None:
        self.require_undecided()
        self.trigger_event(Referred, to=to, by=named(by), timestamp=at)

    def link(self, *, to: UUID, by: str, at: datetime) -> None:
        if to == self.id:
            raise DomainError("a request cannot be linked to itself")
        if to not in self.linked:
            self.trigger_event(Linked, to=to, by=named(by), timestamp=at)

    def acknowledge(self, *, sent: LetterSent, at: datetime) -> None:
        if not self.acknowledged:
            self.trigger_event(Acknowledged, sent=sent, timestamp=at)

    def assign(self, *, to: str, by: str, at: datetime) -> None:
        if named(to) != self.assigned_to:
            self.trigger_event(Assigned, to=to, by=named(by), timestamp=at)

    # Rules

    @property
    def can_be_reclassified(self) -> bool:
        """Whether nothing was decided or done that belongs to the right it was taken for."""
        if self.status is Status.RECEIVED:
            return True
        searched = self.status in {Status.VERIFIED, Status.COLLECTED}
        return searched and self.right in _ONLY_SEARCHED and self.identity is not None

    def _require_reclassifiable(self, right: Right) -> None:
        self._require(Status.RECEIVED, Status.VERIFIED, Status.COLLECTED)
        if not self.can_be_reclassified:
            raise NotAllowedNow(
                f"{self.right.value} has been acted on already: finish it, and add {right.value}"
                " as a right of its own"
            )


_ONLY_SEARCHED = frozenset({Right.ACCESS, Right.PORTABILITY, Right.ERASURE})
"""Rights for which nothing but a search happens before a person approves."""


def _act_by(right: Right, received_on: date, calendar: Calendar) -> date | None:
    return act_by(received_on, calendar) if right.acts_at_once else None


def _require_arrival(
    arrived: datetime, received_on_day: date, country: Country, at: datetime
) -> None:
    if arrived > at:
        raise DomainError(
            "nothing arrives later than now: check the moment of receipt", key="nobody-later"
        )
    if received_on(arrived, country) != received_on_day:
        raise DomainError("the day of receipt is not the local day of its moment: count it anew")
