"""Fulfilment: which systems were asked on behalf of one request, and what each of them answered.

An erasure is done in a system only when a read-back found nothing but what was kept or what the
vendor is known to keep. "Nothing changed", "no such table" or "zero rows where three were found"
never counts as done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import DomainError, NotAllowedNow
from domain.values import FoundRecord, PlannedSystem, RecordDecision, RecordOutcome, Told
from domain.vocabulary import Action, Outcome


class SystemStatus(Enum):
    ASKED = "asked"
    WAITING_FOR_PERSON = "waiting-for-person"
    UNAVAILABLE = "unavailable"
    FOUND = "found"
    TREATED = "treated"
    PENDING_AT_VENDOR = "pending-at-vendor"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class SystemState:
    """Where one system stands in this fulfilment."""

    plan: PlannedSystem
    action: Action
    status: SystemStatus
    found: tuple[FoundRecord, ...] = ()
    decisions: tuple[RecordDecision, ...] = ()
    outcomes: tuple[RecordOutcome, ...] = ()
    attempts: int = 0
    waits_for: str | None = None
    treated_at: datetime | None = None
    answered_keys: frozenset[str] = frozenset()


class Fulfilment(Aggregate):
    TOPIC = "fulfilment"

    # Events

    class Event(Aggregate.Event):
        pass

    class Planned(Event, AggregateCreated):
        TOPIC = "fulfilment.planned"
        request_id: UUID
        case_id: UUID
        controller: str
        profile_version: str
        systems: tuple[PlannedSystem, ...]

    class Instructed(Event):
        TOPIC = "fulfilment.instructed"
        system: str
        action: Action
        decisions: tuple[RecordDecision, ...]

        def apply(self, aggregate: Fulfilment) -> None:
            aggregate.change(
                self.system,
                action=self.action,
                status=SystemStatus.ASKED,
                decisions=self.decisions,
                attempts=0,
                waits_for=None,
            )

    class Answered(Event):
        TOPIC = "fulfilment.answered"
        system: str
        action: Action
        key: str
        found: tuple[FoundRecord, ...] = ()
        outcomes: tuple[RecordOutcome, ...] = ()
        outcome: Outcome | None = None
        reason: str = ""
        by: str | None = None
        late: bool = False

        def apply(self, aggregate: Fulfilment) -> None:
            state = aggregate.systems[self.system]
            keys = state.answered_keys | {self.key}
            if self.late:
                aggregate.change(self.system, answered_keys=keys)
            elif self.action is Action.FIND:
                aggregate.change(
                    self.system,
                    status=SystemStatus.FOUND,
                    found=self.found,
                    answered_keys=keys,
                    waits_for=None,
                )
            elif self.action is Action.ERASE:
                aggregate.change(
                    self.system,
                    status=SystemStatus.TREATED,
                    outcomes=self.outcomes,
                    answered_keys=keys,
                    waits_for=None,
                    treated_at=self.timestamp,
                )
            else:
                aggregate.change(
                    self.system,
                    status=SystemStatus.DONE,
                    outcomes=self.outcomes,
                    answered_keys=keys,
                    waits_for=None,
                )
                aggregate.done_as = {**aggregate.done_as, self.system: self.outcome}

    class PendingAtVendor(Event):
        TOPIC = "fulfilment.pending-at-vendor"
        system: str
        not_before: datetime

        def apply(self, aggregate: Fulfilment) -> None:
            aggregate.change(self.system, status=SystemStatus.PENDING_AT_VENDOR)

    class Unavailable(Event):
        TOPIC = "fulfilment.unavailable"
        system: str
        attempt: int
        next_try_at: datetime
        reason: str

        def apply(self, aggregate: Fulfilment) -> None:
            aggregate.change(self.system, status=SystemStatus.UNAVAILABLE, attempts=self.attempt)

    class Escalated(Event):
        TOPIC = "fulfilment.escalated"
        system: str
        reason: str

        def apply(self, aggregate: Fulfilment) -> None:
            aggregate.change(
                self.system, status=SystemStatus.WAITING_FOR_PERSON, waits_for=self.reason
            )

    class ReadBack(Event):
        TOPIC = "fulfilment.read-back"
        system: str
        key: str
        remaining: tuple[str, ...]
        unexpected: tuple[str, ...]

        def apply(self, aggregate: Fulfilment) -> None:
            state = aggregate.systems[self.system]
            keys = state.answered_keys | {self.key}
            if self.unexpected:
                aggregate.change(self.system, answered_keys=keys)
            else:
                aggregate.change(self.system, status=SystemStatus.DONE, answered_keys=keys)

    class RecipientTold(Event):
        TOPIC = "fulfilment.recipient-told"
        told: Told

        def apply(self, aggregate: Fulfilment) -> None:
            aggregate.told = (*aggregate.told, self.told)

    class Completed(Event):
        TOPIC = "fulfilment.completed"

        def apply(self, aggregate: Fulfilment) -> None:
            aggregate.completed_at = self.timestamp

    # State

    @event(Planned)
    def __init__(
        self,
        request_id: UUID,
        case_id: UUID,
        controller: str,
        profile_version: str,
        systems: tuple[PlannedSystem, ...],
        timestamp: datetime,
    ) -> None:
        self.request_id, self.case_id, self.controller = request_id, case_id, controller
        self.profile_version = profile_version
        self.planned_at = timestamp
        self.systems = {
            plan.system: SystemState(plan=plan, action=plan.action, status=SystemStatus.ASKED)
            for plan in systems
        }
        self.done_as: dict[str, Outcome | None] = {}
        self.told: tuple[Told, ...] = ()
        self.completed_at: datetime | None = None

    @staticmethod
    def create_id(request_id: UUID) -> UUID:
        return fulfilment_id(request_id)

    @property
    def found(self) -> tuple[FoundRecord, ...]:
        return tuple(record for state in self.systems.values() for record in state.found)

    @property
    def all_found(self) -> bool:
        """Whether every system has said what it holds."""
        return all(
            state.status is SystemStatus.FOUND or state.action is not Action.FIND
            for state in self.systems.values()
        )

    @property
    def all_done(self) -> bool:
        return all(
            state.status is SystemStatus.DONE
            or (state.action is Action.FIND and state.status is SystemStatus.FOUND)
            for state in self.systems.values()
        )

    @property
    def outcomes(self) -> dict[UUID, RecordOutcome]:
        return {
            outcome.record_id: outcome
            for state in self.systems.values()
            for outcome in state.outcomes
        }

    # Commands

    def instruct(
        self, *, system: str, action: Action, decisions: tuple[RecordDecision, ...], at: datetime
    ) -> None:
        """Ask a system to act on records it was found to hold."""
        state = self._system(system)
        held = {record.record_id for record in state.found}
        if any(decision.record_id not in held for decision in decisions):
            raise DomainError(f"system {system} was not found to hold all of these records")
        self.trigger_event(
            self.Instructed, system=system, action=action, decisions=decisions, timestamp=at
        )

    def record_found(
        self,
        *,
        system: str,
        key: str,
        found: tuple[FoundRecord, ...],
        by: str | None = None,
        reason: str = "",
        at: datetime,
    ) -> None:
        """What a system holds. None found by a person needs that person's reason."""
        if self._seen(system, key):
            return
        if by is not None and not found and not reason:
            raise DomainError("say why nothing was found: where you looked and for what")
        self.trigger_event(
            self.Answered,
            system=system,
            action=Action.FIND,
            key=key,
            found=found,
            reason=reason,
            by=by,
            late=self._is_late(system, Action.FIND),
            timestamp=at,
        )

    def record_erased(
        self,
        *,
        system: str,
        key: str,
        outcomes: tuple[RecordOutcome, ...],
        by: str | None = None,
        at: datetime,
    ) -> None:
        """What became of every record that was to be treated; a missing one goes to a person."""
        if self._seen(system, key):
            return
        state = self._system(system)
        asked = {d.record_id for d in state.decisions if d.touches_the_system}
        answered = {outcome.record_id for outcome in outcomes}
        if answered != asked:
            self.escalate(system=system, reason="records-unaccounted-for", at=at)
            return
        self.trigger_event(
            self.Answered,
            system=system,
            action=Action.ERASE,
            key=key,
            outcomes=outcomes,
            by=by,
            late=self._is_late(system, Action.ERASE),
            timestamp=at,
        )

    def record_done(
        self,
        *,
        system: str,
        key: str,
        action: Action,
        outcome: Outcome,
        reason: str = "",
        by: str | None = None,
        at: datetime,
    ) -> None:
        """What became of an action on the person as a whole: suppression, a task by hand."""
        if self._seen(system, key):
            return
        self.trigger_event(
            self.Answered,
            system=system,
            action=action,
            key=key,
            outcome=outcome,
            reason=reason,
            by=by,
            late=self._is_late(system, action),
            timestamp=at,
        )

    def wait_for_vendor(self, *, system: str, not_before: datetime, at: datetime) -> None:
        self._system(system)
        self.trigger_event(self.PendingAtVendor, system=system, not_before=not_before, timestamp=at)

    def record_unavailable(
        self, *, system: str, attempt: int, next_try_at: datetime, reason: str, at: datetime
    ) -> None:
        state = self._system(system)
        if attempt > state.attempts:
            self.trigger_event(
                self.Unavailable,
                system=system,
                attempt=attempt,
                next_try_at=next_try_at,
                reason=reason,
                timestamp=at,
            )

    def escalate(self, *, system: str, reason: str, at: datetime) -> None:
        """A person must look, or act over there; `reason` is a code the desk can say."""
        state = self._system(system)
        if state.waits_for != reason:
            self.trigger_event(self.Escalated, system=system, reason=reason, timestamp=at)

    def read_back(
        self, *, system: str, key: str, remaining: dict[str, FoundRecord], at: datetime
    ) -> None:
        """What the system still holds after erasure, by digest. Anything unexpected escalates."""
        if self._seen(system, key):
            return
        state = self._system(system)
        if state.status not in {SystemStatus.TREATED, SystemStatus.WAITING_FOR_PERSON}:
            raise NotAllowedNow(f"system {system} is {state.status.value}: nothing to read back")
        expected = self._expected_to_remain(state)
        theirs = {record.digest for record in state.found} - self._not_theirs(state)
        unexpected = tuple(sorted((set(remaining) & theirs) - expected))
        self.trigger_event(
            self.ReadBack,
            system=system,
            key=key,
            remaining=tuple(sorted(remaining)),
            unexpected=unexpected,
            timestamp=at,
        )
        if unexpected:
            self.escalate(system=system, reason="still-there-after-erasure", at=at)

    def tell_recipient(self, *, told: Told, at: datetime) -> None:
        if all(known.recipient != told.recipient for known in self.told):
            self.trigger_event(self.RecipientTold, told=told, timestamp=at)

    def complete(self, *, at: datetime) -> None:
        if self.completed_at is not None:
            return
        if not self.all_done:
            raise NotAllowedNow("not every system has answered and been read back")
        self.trigger_event(self.Completed, timestamp=at)

    # Rules

    def change(self, system: str, **changes: object) -> None:
        """Used by events only: replace part of one system's state."""
        self.systems = {
            **self.systems,
            system: replace(self.systems[system], **changes),  # type: ignore[arg-type]
        }

    def _system(self, system: str) -> SystemState:
        try:
            return self.systems[system]
        except KeyError:
            raise DomainError(f"system {system} is not part of this plan") from None

    def _seen(self, system: str, key: str) -> bool:
        return key in self._system(system).answered_keys

    def _is_late(self, system: str, action: Action) -> bool:
        return self.completed_at is not None or self._system(system).action is not action

    @staticmethod
    def _expected_to_remain(state: SystemState) -> set[str]:
        digests = {record.record_id: record.digest for record in state.found}
        untouched = {d.record_id for d in state.decisions if not d.touches_the_system}
        partly = {d.record_id for d in state.decisions if d.keep_fields}
        residual = {
            outcome.record_id
            for outcome in state.outcomes
            if outcome.outcome
            in {Outcome.KEPT, Outcome.RESIDUAL, Outcome.PENDING_AT_VENDOR, Outcome.REFUSED}
        }
        return {digests[record_id] for record_id in untouched | partly | residual}

    @staticmethod
    def _not_theirs(state: SystemState) -> set[str]:
        decided = {d.record_id for d in state.decisions}
        return {record.digest for record in state.found if record.record_id not in decided}


def fulfilment_id(request_id: UUID) -> UUID:
    return uuid5(request_id, "fulfilment")
