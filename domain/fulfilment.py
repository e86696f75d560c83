"""Fulfilment: which systems were asked on behalf of one request, and what each of them answered.

An erasure is done in a system only when a read-back found nothing but what was kept or what the
vendor is known to keep. "Nothing changed", "no such table" or "zero rows where three were found"
never counts as done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from functools import lru_cache
from itertools import chain
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import DomainError, NotAllowedNow
from domain.many import gathered
from domain.personal import PersonalRef, code
from domain.staff import named
from domain.values import (
    Decisions,
    Found,
    FoundRecord,
    Outcomes,
    PlannedSystem,
    RecordOutcome,
    Told,
)
from domain.vocabulary import Action, Outcome

IDENTIFIERS_ARRIVED = "identifiers-arrived"
UNSEARCHABLE = "cannot-be-searched"
"""Why a person found nothing: the system does not know people by anything that was given."""


class SystemStatus(Enum):
    ASKED = "asked"
    WAITING_FOR_PERSON = "waiting-for-person"
    UNAVAILABLE = "unavailable"
    FOUND = "found"
    TREATED = "treated"
    PENDING_AT_VENDOR = "pending-at-vendor"
    DONE = "done"

    @property
    def has_answered(self) -> bool:
        """Whether nothing is asked of the system at present."""
        return self in {SystemStatus.FOUND, SystemStatus.DONE}


@dataclass(frozen=True, slots=True)
class SystemState:
    """Where one system stands in this fulfilment."""

    plan: PlannedSystem
    action: Action
    status: SystemStatus
    found: Found = ()
    parts: tuple[Found, ...] = ()
    """What a search that is still going on has found, and under which key it goes on."""
    parts_of: str | None = None
    decisions: Decisions = ()
    outcomes: Outcomes = ()
    attempts: int = 0
    waits_for: str | None = None
    treated_at: datetime | None = None
    not_before: datetime | None = None
    unsearchable: bool = False
    """Nobody could tell what in it is the person's, which is not that nothing is (Art. 11)."""
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
        decisions: Decisions

        def apply(self, aggregate: Fulfilment) -> None:
            aggregate.change(
                self.system,
                action=self.action,
                status=SystemStatus.ASKED,
                decisions=self.decisions,
                outcomes=(),
                attempts=0,
                waits_for=None,
                treated_at=None,
                not_before=None,
            )

    class FoundPart(Event):
        """Some of what a long search has found. It is an answer only once all has been found."""

        TOPIC = "fulfilment.found-part"
        system: str
        key: str
        found: Found

        def apply(self, aggregate: Fulfilment) -> None:
            state = aggregate.systems[self.system]
            earlier = state.parts if state.parts_of == self.key else ()
            aggregate.change(self.system, parts=(*earlier, self.found), parts_of=self.key)

    class Answered(Event):
        TOPIC = "fulfilment.answered"
        system: str
        action: Action
        key: str
        found: Found = ()
        outcomes: Outcomes = ()
        outcome: Outcome | None = None
        reason: str = ""
        note: PersonalRef | None = None
        by: str | None = None
        late: bool = False

        def apply(self, aggregate: Fulfilment) -> None:
            state = aggregate.systems[self.system]
            keys = state.answered_keys | {self.key}
            if self.late:
                aggregate.change(self.system, answered_keys=keys)
                return
            aggregate.change(self.system, answered_keys=keys, attempts=0, waits_for=None)
            if self.action is Action.FIND:
                aggregate.change(
                    self.system,
                    status=SystemStatus.FOUND,
                    found=self.found,
                    parts=(),
                    parts_of=None,
                    unsearchable=self.reason == UNSEARCHABLE and not self.found,
                )
            elif self.action is Action.ERASE:
                aggregate.change(
                    self.system,
                    status=SystemStatus.TREATED,
                    outcomes=self.outcomes,
                    treated_at=self.timestamp,
                )
            else:
                aggregate.change(self.system, status=SystemStatus.DONE)
                aggregate.done_as = {**aggregate.done_as, self.system: self.outcome}

    class PendingAtVendor(Event):
        TOPIC = "fulfilment.pending-at-vendor"
        system: str
        not_before: datetime

        def apply(self, aggregate: Fulfilment) -> None:
            aggregate.change(
                self.system, status=SystemStatus.PENDING_AT_VENDOR, not_before=self.not_before
            )

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
                self.system,
                status=SystemStatus.WAITING_FOR_PERSON,
                waits_for=self.reason,
                unsearchable=False,
            )
            if self.reason == IDENTIFIERS_ARRIVED:
                aggregate.completed_at = None

    class ReadBack(Event):
        TOPIC = "fulfilment.read-back"
        system: str
        key: str
        remaining: tuple[str, ...]
        unexpected: tuple[str, ...]

        def apply(self, aggregate: Fulfilment) -> None:
            state = aggregate.systems[self.system]
            keys = state.answered_keys | {self.key}
            aggregate.change(self.system, answered_keys=keys, attempts=0)
            if not self.unexpected:
                aggregate.change(self.system, status=SystemStatus.DONE, waits_for=None)

    class RecipientTold(Event):
        TOPIC = "fulfilment.recipient-told"
        told: Told

        def apply(self, aggregate: Fulfilment) -> None:
            aggregate.told = (*aggregate.told, self.told)
            aggregate.told_at = {**aggregate.told_at, self.told.recipient: self.timestamp}

    class LineAdded(Event):
        """Somebody to be told whom the plan did not foresee."""

        TOPIC = "fulfilment.line-added"
        line: PlannedSystem

        def apply(self, aggregate: Fulfilment) -> None:
            state = SystemState(plan=self.line, action=self.line.action, status=SystemStatus.ASKED)
            aggregate.systems = {**aggregate.systems, self.line.system: state}

    class Replanned(Event):
        """Another plan in place of one by which nothing was changed anywhere."""

        TOPIC = "fulfilment.replanned"
        profile_version: str
        systems: tuple[PlannedSystem, ...]

        def apply(self, aggregate: Fulfilment) -> None:
            earlier = aggregate.systems
            aggregate.profile_version = self.profile_version
            aggregate.systems = {
                plan.system: SystemState(
                    plan=plan,
                    action=plan.action,
                    status=SystemStatus.ASKED,
                    answered_keys=_all_keys(aggregate.request_id, earlier.get(plan.system)),
                )
                for plan in self.systems
            }
            aggregate.planned_at = self.timestamp
            aggregate.done_as, aggregate.completed_at = {}, None

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
        self.told_at: dict[str, datetime] = {}
        self.completed_at: datetime | None = None

    @staticmethod
    def create_id(request_id: UUID) -> UUID:
        return fulfilment_id(request_id)

    @classmethod
    def may_begin(cls, facts: dict[str, Any]) -> None:
        names = [planned.system for planned in facts["systems"]]
        if len(set(names)) < len(names):
            raise DomainError("a system stands twice in the plan: name it once")

    @property
    def found(self) -> Found:
        held = [state.found for state in self.systems.values() if state.found]
        return held[0] if len(held) == 1 else gathered(chain.from_iterable(held))

    @property
    def all_found(self) -> bool:
        """Whether every system has said what it holds."""
        return all(
            state.status is SystemStatus.FOUND or state.action is not Action.FIND
            for state in self.systems.values()
        )

    @property
    def unsearchable(self) -> tuple[str, ...]:
        """Where nobody could tell what is the person's, by anything that was given."""
        return tuple(name for name, state in self.systems.items() if state.unsearchable)

    @property
    def all_done(self) -> bool:
        return all(
            state.status is SystemStatus.DONE
            or (state.action is Action.FIND and state.status is SystemStatus.FOUND)
            for state in self.systems.values()
        )

    def awaits(self, system: str, action: Action) -> bool:
        """Whether an answer to this would have an effect; a search may be answered anew."""
        state = self.systems.get(system)
        if state is None or self._is_late(system, action):
            return False
        return action is Action.FIND or state.treated_at is None

    def awaits_read_back(self, system: str) -> bool:
        state = self.systems.get(system)
        return (
            state is not None
            and self.completed_at is None
            and state.treated_at is not None
            and state.status is not SystemStatus.DONE
        )

    @property
    def outcomes(self) -> dict[UUID, RecordOutcome]:
        return {
            outcome.record_id: outcome
            for state in self.systems.values()
            for outcome in state.outcomes
        }

    # Commands

    def instruct(self, *, system: str, action: Action, decisions: Decisions, at: datetime) -> None:
        """Ask a system to act on records it was found to hold."""
        state = self._system(system)
        if self.completed_at is not None:
            raise NotAllowedNow("this fulfilment is complete: plan a new one")
        if not state.status.has_answered:
            raise NotAllowedNow(f"system {system} is {state.status.value}: let it answer first")
        held = {record.record_id for record in state.found}
        if any(decision.record_id not in held for decision in decisions):
            raise DomainError(f"system {system} was not found to hold all of these records")
        if action is Action.ERASE and not any(d.touches_the_system for d in decisions):
            raise DomainError(f"nothing is to be erased in system {system}: do not ask it")
        self.trigger_event(
            self.Instructed, system=system, action=action, decisions=decisions, timestamp=at
        )

    @property
    def has_only_searched(self) -> bool:
        """Whether no system was told to change anything yet."""
        return not self.done_as and all(
            state.action is not Action.ERASE and not state.outcomes
            for state in self.systems.values()
        )

    def replan(
        self, *, systems: tuple[PlannedSystem, ...], profile_version: str, at: datetime
    ) -> None:
        """Begin anew: it was the wrong right or the wrong person that was searched for."""
        if not self.has_only_searched:
            raise NotAllowedNow("systems have been changed for this request: it cannot begin anew")
        self.may_begin({"systems": systems})
        self.trigger_event(
            self.Replanned, profile_version=profile_version, systems=systems, timestamp=at
        )

    def record_found_part(self, *, system: str, key: str, found: Found, at: datetime) -> None:
        """Some of what a system holds, while it is still being searched."""
        if self._is_late(system, Action.FIND):
            raise NotAllowedNow(f"system {system} is not being searched any more")
        if any(record.system != system for record in found):
            raise DomainError(f"system {system} cannot answer for another one")
        self.trigger_event(self.FoundPart, system=system, key=key, found=found, timestamp=at)

    def record_found(
        self,
        *,
        system: str,
        key: str,
        found: Found,
        by: str | None = None,
        reason: str = "",
        note: PersonalRef | None = None,
        at: datetime,
    ) -> None:
        """What a system holds. None found by a person needs that person's reason."""
        if self._seen(system, key):
            return
        if any(record.system != system for record in found):
            raise DomainError(f"system {system} cannot answer for another one")
        if by is not None:
            named(by)
            if reason or not found:
                code(reason)
        self.trigger_event(
            self.Answered,
            system=system,
            action=Action.FIND,
            key=key,
            found=found,
            reason=reason,
            note=note,
            by=by,
            late=self._is_late(system, Action.FIND),
            timestamp=at,
        )

    def record_erased(
        self,
        *,
        system: str,
        key: str,
        outcomes: Outcomes,
        by: str | None = None,
        at: datetime,
    ) -> None:
        """What became of every record that was to be treated; what is in doubt goes to a person.

        A system that held all of it and now, at the first try, none of it has changed nothing: a
        person may say that this is as it should be. Nor does a machine refuse.
        """
        if self._seen(system, key):
            return
        late = self._is_late(system, Action.ERASE)
        _require_sayable(outcomes, by)
        doubt = None if late else self._doubt(self._system(system), outcomes, by)
        if doubt is not None:
            self.escalate(system=system, reason=doubt, at=at)
            return
        self.trigger_event(
            self.Answered,
            system=system,
            action=Action.ERASE,
            key=key,
            outcomes=outcomes,
            by=by,
            late=late,
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
        note: PersonalRef | None = None,
        by: str | None = None,
        at: datetime,
    ) -> None:
        """What became of an action on the person as a whole: suppression, a task by hand.

        Without a person nothing was done by hand, and nothing is refused.
        """
        if self._seen(system, key):
            return
        if action in {Action.FIND, Action.ERASE}:
            raise DomainError(f"say record by record what was {action.value}: this is no way round")
        late = self._is_late(system, action)
        if by is not None:
            named(by)
            if reason:
                code(reason)
        elif outcome in _ONLY_BY_A_PERSON and not late:
            self.escalate(system=system, reason=f"{action.value}-by-hand", at=at)
            return
        self.trigger_event(
            self.Answered,
            system=system,
            action=action,
            key=key,
            outcome=outcome,
            reason=reason,
            note=note,
            by=by,
            late=late,
            timestamp=at,
        )

    def wait_for_vendor(self, *, system: str, not_before: datetime, at: datetime) -> None:
        """A vendor's job takes its time; what it has not yet done is read back after that."""
        state = self._system(system)
        if state.treated_at is None:
            raise NotAllowedNow(f"system {system} has not begun anything that could be waited for")
        if (state.status, state.not_before) != (SystemStatus.PENDING_AT_VENDOR, not_before):
            self.trigger_event(
                self.PendingAtVendor, system=system, not_before=not_before, timestamp=at
            )

    def record_unavailable(
        self, *, system: str, attempt: int, next_try_at: datetime, reason: str, at: datetime
    ) -> None:
        """A system did not answer. One that has answered meanwhile is not asked any more."""
        state = self._system(system)
        if attempt > state.attempts and not state.status.has_answered:
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
        waits = state.status is SystemStatus.WAITING_FOR_PERSON and state.waits_for == reason
        if not waits and not state.status.has_answered:
            self.trigger_event(self.Escalated, system=system, reason=code(reason), timestamp=at)

    def search_again(self, *, at: datetime) -> None:
        """More to search by has come: a person looks again where nobody could (Art. 11(2))."""
        for system in self.unsearchable:
            self.trigger_event(
                self.Escalated, system=system, reason=IDENTIFIERS_ARRIVED, timestamp=at
            )

    def read_back(
        self, *, system: str, key: str, remaining: dict[str, FoundRecord], at: datetime
    ) -> None:
        """What the system still holds after erasure, by digest. Anything unexpected escalates."""
        if self._seen(system, key):
            return
        state = self._system(system)
        if state.treated_at is None or state.status is SystemStatus.DONE:
            raise NotAllowedNow(f"system {system} is {state.status.value}: nothing to read back")
        if state.not_before is not None and at < state.not_before:
            raise NotAllowedNow(f"system {system} needs until {state.not_before}: read back then")
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

    def add_line(self, *, line: PlannedSystem, at: datetime) -> None:
        """Records name a recipient that the profile does not: a person must tell them (Art. 19)."""
        if self.completed_at is not None:
            raise NotAllowedNow("this fulfilment is complete: plan a new one")
        if line.system not in self.systems:
            self.trigger_event(self.LineAdded, line=line, timestamp=at)

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
        state = self._system(system)
        return (
            self.completed_at is not None
            or state.action is not action
            or state.status is SystemStatus.DONE
        )

    @staticmethod
    def _doubt(state: SystemState, outcomes: Outcomes, by: str | None) -> str | None:
        """Why this answer to an erasure cannot be taken as it is."""
        asked = [d.record_id for d in state.decisions if d.touches_the_system]
        answered = [outcome.record_id for outcome in outcomes]
        if len(answered) != len(asked) or set(answered) != set(asked):
            return "records-unaccounted-for"
        if by is not None:
            return None
        if any(outcome.outcome is Outcome.REFUSED for outcome in outcomes):
            return "refused-over-there"
        nothing = all(outcome.outcome is Outcome.NOT_FOUND for outcome in outcomes)
        if nothing and state.attempts == 0:  # else an earlier try may have done it unheard
            return "nothing-changed"
        return None

    @staticmethod
    def _expected_to_remain(state: SystemState) -> set[str]:
        digests = {record.record_id: record.digest for record in state.found}
        untouched = {d.record_id for d in state.decisions if not d.touches_the_system}
        partly = {d.record_id for d in state.decisions if d.keep_fields}
        staying = {Outcome.KEPT, Outcome.RESIDUAL, Outcome.REFUSED}
        if state.not_before is None:  # once the vendor's time is over it is no excuse any more
            staying.add(Outcome.PENDING_AT_VENDOR)
        known = {o.record_id for o in state.outcomes if o.outcome in staying}
        return {digests[record_id] for record_id in untouched | partly | known}

    @staticmethod
    def _not_theirs(state: SystemState) -> set[str]:
        decided = {d.record_id for d in state.decisions}
        return {record.digest for record in state.found if record.record_id not in decided}


_OF_ERASING = {
    Outcome.ERASED,
    Outcome.ANONYMISED,
    Outcome.NOT_FOUND,
    Outcome.KEPT,
    Outcome.RESIDUAL,
    Outcome.PENDING_AT_VENDOR,
    Outcome.MANUAL,
    Outcome.REFUSED,
}
_ONLY_BY_A_PERSON = {Outcome.MANUAL, Outcome.REFUSED}


def _require_sayable(outcomes: Outcomes, by: str | None) -> None:
    """What stays has a reason the letter can give; a person's remarks are codes."""
    for outcome in outcomes:
        if outcome.outcome not in _OF_ERASING:
            raise DomainError(f"{outcome.outcome.value} is no outcome of an erasure")
        if outcome.outcome is Outcome.KEPT and not outcome.ground:
            raise DomainError("a record that is kept needs its ground: name the law")
        if outcome.outcome is Outcome.RESIDUAL and not outcome.residuals:
            raise DomainError("a record that remains in part needs to say what remains, and why")
        if outcome.outcome is Outcome.ANONYMISED and not outcome.detail:
            raise DomainError("a record that is anonymised needs its method: say how, as a code")
        if by is not None and outcome.detail:
            code(outcome.detail)
    if by is not None:
        named(by)


@lru_cache(maxsize=4_096)
def fulfilment_id(request_id: UUID) -> UUID:
    return uuid5(request_id, "fulfilment")


def _all_keys(request_id: UUID, earlier: SystemState | None) -> frozenset[str]:
    """The keys that an answer to an earlier plan may still come with: it would be believed."""
    if earlier is None:
        return frozenset()
    return earlier.answered_keys | {f"{request_id}/{earlier.plan.system}/{Action.FIND.value}"}
