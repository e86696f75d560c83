"""Planning: who is asked what on behalf of a request, once identity is settled.

Rectification waits for nothing; within a case erasure waits until every copy has left.
Objection to marketing and withdrawal skip the identity check and act the same working day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.aggregate import Aggregate
from domain.case import Case
from domain.fulfilment import Fulfilment
from domain.policy import Profile, System
from domain.policy import Told as WhatToTell
from domain.portability import left_out
from domain.request import DataSubjectRequest, Status
from domain.values import PlannedSystem
from domain.vocabulary import Action, Delivery, Right, Role
from services.controllers import Controllers
from services.ports import Also, Task, Tasks
from services.register import Register

COPIES = frozenset({Right.ACCESS, Right.PORTABILITY})
"""What erasure waits for: a copy cannot be made of what is gone."""

RECIPIENT = "recipient:"
"""Prefix of the plan's lines that are no systems but recipients to be informed (Art. 19)."""


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
        at: datetime,
    ) -> Steps:
        """Plan what needs no identity check: it stops marketing, or tells nothing about anybody."""
        steps = Steps()
        for request in requests:
            if request.right.acts_at_once:
                request.waive_verification(reason="stops-marketing-only", at=at)
            elif not request.right.is_statutory:
                request.waive_verification(reason="no-personal-data-in-answer", at=at)
            else:
                continue
            self._plan(request, profile, steps, at=at)
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
            if self._register.find_fulfilment(request.id) is None:
                self._plan(request, profile, steps, at=at)
        return steps

    def _plan(
        self, request: DataSubjectRequest, profile: Profile, steps: Steps, *, at: datetime
    ) -> None:
        systems = tuple(self._systems(request.right, profile))
        fulfilment = Fulfilment(
            request_id=request.id,
            case_id=request.case_id,
            controller=request.controller,
            profile_version=profile.digest,
            systems=systems,
            timestamp=at,
        )
        for planned in systems:
            if planned.action is Action.HANDLE:
                fulfilment.escalate(
                    system=planned.system, reason=f"handle-{request.right.value}", at=at
                )
            elif planned.action is not Action.INFORM:
                steps.also.append(
                    self._tasks.add(task_for(request, planned.system, planned.action, at=at))
                )
        if not systems:
            request.collect_data(found=(), at=at)
        steps.aggregates.append(fulfilment)

    @staticmethod
    def _systems(right: Right, profile: Profile) -> Iterable[PlannedSystem]:
        for system in profile.systems:
            if right in {Right.ACCESS, Right.ERASURE}:
                action, delivery = Action.FIND, system.delivery
            elif right is Right.PORTABILITY:
                if not _holds_portable(profile, system):
                    continue
                action, delivery = Action.FIND, system.delivery
            elif right.acts_at_once:
                if not system.marketing:
                    continue
                action, delivery = Action.SUPPRESS, system.delivery
            elif right.is_statutory:
                action, delivery = Action.HANDLE, Delivery.PERSON
            else:
                continue
            yield PlannedSystem(system.id, system.role, delivery, system.connector, action)
        if right is Right.ERASURE:
            for recipient in profile.recipients:
                if recipient.told is WhatToTell.INFORMED:
                    yield PlannedSystem(
                        f"{RECIPIENT}{recipient.id}",
                        recipient.role,
                        Delivery.PERSON,
                        "manual",
                        Action.INFORM,
                    )


def _holds_portable(profile: Profile, system: System) -> bool:
    """Whether anything that the person may take along can be there; others answer themselves."""
    return system.role is not Role.INDEPENDENT_CONTROLLER and any(
        left_out(profile, profile.category(holding.category)) is None for holding in system.holdings
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
