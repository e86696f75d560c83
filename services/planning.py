"""Planning: who is asked what on behalf of a request, once identity is settled.

Rectification waits for nothing; within a case erasure waits until every copy has left.
Objection to marketing and withdrawal skip the identity check and act the same working day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import uuid4, uuid5

from domain.aggregate import Aggregate
from domain.balancing import Balancing, consents, is_inferred, objectable
from domain.case import Case
from domain.errors import DomainError
from domain.fulfilment import UNSEARCHABLE, Fulfilment, SystemStatus
from domain.many import gathered
from domain.policy import Profile, System
from domain.policy import Told as WhatToTell
from domain.portability import left_out
from domain.request import DataSubjectRequest, Status
from domain.restriction import RestrictionGround
from domain.staff import MACHINE
from domain.values import PlannedSystem
from domain.vocabulary import Action, Delivery, Right, Role
from domain.withdrawal import Withdrawal
from services.controllers import Controllers
from services.meanwhile import restriction_of
from services.ports import Also, Task, Tasks
from services.register import Register

COPIES = frozenset({Right.ACCESS, Right.PORTABILITY})
"""What erasure waits for: a copy cannot be made of what is gone."""

SEARCHES = frozenset({Right.ACCESS, Right.ERASURE, Right.RECTIFICATION, Right.OBJECTION})
"""What is about the records themselves, so that they are looked for first."""

BY_WORDS = frozenset({Right.RESTRICTION, Right.HUMAN_REVIEW})
"""What a person decides without a search: to restrict, or to look at a decision again."""

TOLD_TO_RECIPIENTS = frozenset(
    {Right.ERASURE, Right.RECTIFICATION, Right.RESTRICTION, Right.OBJECTION}
)
"""What those who received the data are told about (Art. 19)."""

FRESH_FOR = timedelta(days=14)
"""So long what a person found for a copy holds for the erasure that follows."""

BY_HAND = "manual"
"""The connector of systems in which only a person can look."""

RECIPIENT = "recipient:"
"""Prefix of the plan's lines that are no systems but recipients to be informed (Art. 19)."""

OTHER_RECIPIENTS = "others-named-in-records"
"""Stands for recipients whom records name and the profile does not; the vault has their names."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Aggregates and writes that belong into one save."""

    aggregates: list[Aggregate] = field(default_factory=list)
    also: list[Also] = field(default_factory=list)


class Planning:
    """Who is asked what, once identity is settled."""

    def __init__(self, register: Register, controllers: Controllers, tasks: Tasks) -> None:
        self._register, self._controllers, self._tasks = register, controllers, tasks

    def plan_at_once(
        self,
        case: Case,
        requests: Sequence[DataSubjectRequest],
        profile: Profile,
        *,
        purposes: tuple[str, ...] = (),
        at: datetime,
    ) -> Steps:
        """Plan what needs no identity check: it stops marketing, or tells nothing about anybody.

        `purposes` are those of which consent is withdrawn; none named: all of them.
        """
        steps = Steps()
        for request in requests:
            needs_none = request.right.acts_at_once or not request.right.is_statutory
            if needs_none and request.is_identified:
                pass  # it was verified for the right that it was taken for first
            elif request.right.acts_at_once:
                request.waive_verification(reason="stops-marketing-only", at=at)
            elif not request.right.is_statutory:
                request.waive_verification(reason="no-personal-data-in-answer", at=at)
            else:
                continue
            self._plan(request, profile, steps, purposes=purposes, at=at)
        return steps

    def plan_verified(
        self, case: Case, requests: Sequence[DataSubjectRequest], *, at: datetime
    ) -> Steps:
        """Plan every verified request that need not wait; `requests` are all of the case."""
        steps = Steps()
        profile = self._controllers.in_force(case.controller)
        waiting = any(r.right in COPIES and r.status.is_open for r in requests)
        for request in requests:
            if request.status is not Status.VERIFIED or request.authority_awaited:
                continue
            if request.right is Right.ERASURE and waiting:
                continue
            if _is_to_plan(request, self._register.find_fulfilment(request.id)):
                self._plan(request, profile, steps, requests, at=at)
        return steps

    def searched_on(self, request: DataSubjectRequest, *, at: datetime) -> list[Also]:
        """Ask the systems that have not answered once more: what they were asked was given up."""
        fulfilment = self._register.find_fulfilment(request.id)
        return [
            self._tasks.add(task_for(request, name, state.action, at=at, again=uuid4().hex))
            for name, state in (fulfilment.systems.items() if fulfilment is not None else ())
            if state.action is Action.FIND
            and state.status in {SystemStatus.ASKED, SystemStatus.UNAVAILABLE}
        ]

    def _plan(
        self,
        request: DataSubjectRequest,
        profile: Profile,
        steps: Steps,
        others: Sequence[DataSubjectRequest] = (),
        *,
        purposes: tuple[str, ...] = (),
        at: datetime,
    ) -> None:
        withdrawn = _withdrawn(profile, purposes) if request.right is Right.WITHDRAWAL else ()
        systems = tuple(self._systems(request.right, profile, withdrawn))
        fulfilment = self._register.find_fulfilment(request.id)
        again = ""
        if fulfilment is None:
            fulfilment = Fulfilment(
                request_id=request.id,
                case_id=request.case_id,
                controller=request.controller,
                profile_version=profile.digest,
                systems=systems,
                timestamp=at,
            )
        else:
            fulfilment.replan(systems=systems, profile_version=profile.digest, at=at)
            again = uuid4().hex
        reused = self._reuse(request, fulfilment, others, at) if others else frozenset()
        for planned in systems:
            if planned.system in reused:
                continue
            if planned.action is Action.HANDLE:
                fulfilment.escalate(
                    system=planned.system, reason=f"handle-{request.right.value}", at=at
                )
            elif planned.action is not Action.INFORM:
                steps.also.append(
                    self._tasks.add(
                        task_for(request, planned.system, planned.action, at=at, again=again)
                    )
                )
        if not systems or request.right in BY_WORDS:
            request.collect_data(found=(), at=at)
        elif reused and fulfilment.all_found:
            request.collect_data(found=fulfilment.found, at=at)
            carry_matches(request, others, at)
        steps.aggregates.append(fulfilment)
        self._meanwhile(request, profile, steps, withdrawn, at=at)

    def _reuse(
        self,
        request: DataSubjectRequest,
        fulfilment: Fulfilment,
        others: Sequence[DataSubjectRequest],
        at: datetime,
    ) -> frozenset[str]:
        """What a person has just found for the copy is not looked for again to be erased.

        Only where nobody but a person can look: a machine is asked anew, because that costs
        nobody anything. What a person found longer ago may be out of date.
        """
        reused = set()
        for other in others:
            fresh = other.collected_at is not None and at - other.collected_at <= FRESH_FOR
            earlier = self._register.find_fulfilment(other.id)
            if request.right is not Right.ERASURE or other.right not in COPIES:
                continue
            if not fresh or earlier is None:
                continue
            for system, state in earlier.systems.items():
                planned = fulfilment.systems.get(system)
                by_hand = planned is not None and planned.plan.connector == BY_HAND
                if not by_hand or state.status is not SystemStatus.FOUND or system in reused:
                    continue
                fulfilment.record_found(
                    system=system,
                    key=f"{request.id}/{system}/found-for/{other.id}",
                    found=gathered(
                        replace(one, record_id=uuid5(fulfilment.id, one.digest))
                        for one in state.found
                    ),
                    reason=UNSEARCHABLE if state.unsearchable else f"found-for-{other.right.value}",
                    at=at,
                )
                reused.add(system)
        return frozenset(reused)

    def _meanwhile(
        self,
        request: DataSubjectRequest,
        profile: Profile,
        steps: Steps,
        withdrawn: tuple[str, ...],
        *,
        at: datetime,
    ) -> None:
        """What is objected to, or said to be wrong, is not used until somebody has decided."""
        if request.right is Right.WITHDRAWAL:
            steps.aggregates.append(
                Withdrawal(
                    request_id=request.id,
                    case_id=request.case_id,
                    controller=request.controller,
                    purposes=withdrawn,
                    effective_at=request.received_at,
                    timestamp=at,
                )
            )
            return
        if request.right is Right.OBJECTION:
            purposes = objectable(profile)
            steps.aggregates.append(
                Balancing(
                    request_id=request.id,
                    case_id=request.case_id,
                    controller=request.controller,
                    purposes=tuple(p.id for p in purposes),
                    absolute=tuple(p.id for p in purposes if p.marketing),
                    timestamp=at,
                )
            )
            ground = RestrictionGround.OBJECTION_PENDING
        elif request.right is Right.RECTIFICATION:
            claims = self._register.find_rectification(request.id)
            if claims is None or not claims.contests_accuracy:
                return
            ground = RestrictionGround.ACCURACY_CONTESTED
        else:
            return
        restriction, also = restriction_of(request, profile, self._tasks, ground=ground, at=at)
        steps.aggregates.append(restriction)
        steps.also.extend(also)

    @staticmethod
    def _systems(
        right: Right, profile: Profile, withdrawn: tuple[str, ...] = ()
    ) -> Iterable[PlannedSystem]:
        for system in profile.systems:
            if right in SEARCHES:
                action, delivery = Action.FIND, system.delivery
            elif right is Right.PORTABILITY:
                if not _holds_portable(profile, system):
                    continue
                action, delivery = Action.FIND, system.delivery
            elif right is Right.WITHDRAWAL and not _relies_on(system, profile, withdrawn):
                continue
            elif right is Right.WITHDRAWAL and not _stops_by_a_call(system, profile):
                # What stops there is no mailing: only somebody who knows the system can stop it.
                action, delivery = Action.HANDLE, Delivery.PERSON
            elif right.acts_at_once:
                if not _stops_by_a_call(system, profile):
                    continue
                action, delivery = Action.SUPPRESS, system.delivery
            elif right in BY_WORDS:
                continue
            elif right.is_statutory:
                action, delivery = Action.HANDLE, Delivery.PERSON
            else:
                continue
            yield PlannedSystem(system.id, system.role, delivery, system.connector, action)
        if right in TOLD_TO_RECIPIENTS:
            for recipient in profile.recipients:
                if recipient.told is WhatToTell.INFORMED:
                    yield PlannedSystem(
                        f"{RECIPIENT}{recipient.id}",
                        recipient.role,
                        Delivery.PERSON,
                        "manual",
                        Action.INFORM,
                    )


def _is_to_plan(request: DataSubjectRequest, fulfilment: Fulfilment | None) -> bool:
    """Whether there is no plan yet, or one of before a mistake was put right."""
    if fulfilment is None:
        return True
    return request.begun_anew_at is not None and fulfilment.planned_at < request.begun_anew_at


def _holds_portable(profile: Profile, system: System) -> bool:
    """Whether anything that the person may take along can be there; others answer themselves."""
    return system.role is not Role.INDEPENDENT_CONTROLLER and any(
        left_out(profile, profile.category(holding.category)) is None for holding in system.holdings
    )


def _stops_by_a_call(system: System, profile: Profile) -> bool:
    return system.marketing or _holds_inferences(system, profile)


def _holds_inferences(system: System, profile: Profile) -> bool:
    """Whether profiling stops there too: it belongs to the marketing (GK-15).

    Where only a person can act, the profile says with `marketing` that the person is to be asked:
    else an objection that acts at once would wait for somebody to look.
    """
    return system.delivery is Delivery.CONNECTOR and any(
        is_inferred(profile, profile.category(holding.category)) for holding in system.holdings
    )


def _withdrawn(profile: Profile, named: tuple[str, ...]) -> tuple[str, ...]:
    """The purposes of which consent is withdrawn: those that were named, else every one."""
    known = tuple(purpose.id for purpose in consents(profile))
    unknown = [one for one in named if one not in known]
    if unknown:
        raise DomainError(f"no consent carries {unknown[0]!r}; consent carries: {', '.join(known)}")
    return tuple(one for one in known if not named or one in named)


def _relies_on(system: System, profile: Profile, withdrawn: tuple[str, ...]) -> bool:
    """Whether a system does anything with a consent that is withdrawn (AK-08)."""
    marketing = {one for one in withdrawn if profile.purpose(one).marketing}
    if marketing and (system.marketing or _holds_inferences(system, profile)):
        return True
    held = (profile.category(holding.category) for holding in system.holdings)
    return any((set(withdrawn) - marketing).intersection(category.purposes) for category in held)


def carry_matches(
    request: DataSubjectRequest, others: Iterable[DataSubjectRequest], at: datetime
) -> None:
    """What a person decided about a record in one request of the case holds in the next."""
    decided = {
        other.found[record_id].digest: theirs
        for other in others
        if other.id != request.id
        for record_id, theirs in other.matches.items()
    }
    for found in request.undecided_matches:
        if found.digest in decided:
            command = request.confirm_match if decided[found.digest] else request.reject_match
            command(
                record_id=found.record_id, reason="decided-before-in-this-case", by=MACHINE, at=at
            )


def task_for(
    request: DataSubjectRequest,
    system: str,
    action: Action,
    *,
    at: datetime,
    back: bool = False,
    again: str = "",
) -> Task:
    """One instruction to one system. Its key is stable, so that repeating it has no effect.

    `again` tells an instruction from an earlier one that is done.
    """
    kind = "read-back" if back else action.value
    key = f"{request.id}/{system}/{kind}"
    return Task(
        key=f"{key}/{again}" if again else key,
        kind=kind,
        subject_id=request.id,
        due_at=at,
        controller=request.controller,
        system=system,
    )


def answer_task(
    request: DataSubjectRequest, *, at: datetime, again: str = "", by_post: bool = False
) -> Task:
    return Task(
        key=f"{request.id}/answer/{again or request.version}",
        kind="answer",
        subject_id=request.id,
        due_at=at,
        controller=request.controller,
        payload={"how": "post"} if by_post else {},
    )
