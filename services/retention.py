"""Retention of our own case content: four compartments, each with its own end, with proof.

What people sent to prove or explain goes when the case is closed; collected data thirty days after
it was delivered; correspondence after the controller's own period (three years by default). In
public bodies nothing goes before the archive has confirmed it. Facts stay in the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from domain.case import Case, CaseStatus
from domain.deadlines import add_months
from domain.policy import Profile
from domain.request import DataSubjectRequest, Status
from domain.vocabulary import Compartment
from services.controllers import Controllers
from services.ports import Also, Clock, Task, Tasks, Unavailable, Vault
from services.register import Register, again_on_conflict

PACKAGE_STAYS = timedelta(days=30)
SET_ASIDE_STAYS = timedelta(days=92)
"""As long as the law's longest time to answer: so long somebody may ask what became of it."""
ASK_AGAIN_SECONDS = 86_400.0


class Retention:
    """Destroys what nothing needs any more."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        tasks: Tasks,
        controllers: Controllers,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._tasks = register, vault, tasks
        self._controllers, self._clock = controllers, clock

    def when_closed(
        self, case: Case, requests: tuple[DataSubjectRequest, ...], *, at: datetime
    ) -> list[Also]:
        """Plan the ends of a case's compartments, once every request of it is closed (MU-16)."""
        if not _all_closed(requests):
            return []
        profile = self._controllers.in_force(case.controller)
        ends = {
            Compartment.UPLOAD: at,
            Compartment.PACKAGE: at + PACKAGE_STAYS,
            Compartment.CORRESPONDENCE: _months_on(at, profile),
        }
        return self._plan(case, ends, _closing(requests))

    def when_set_aside(self, case: Case, *, at: datetime) -> list[Also]:
        """What was no request stays only so long as somebody may say that it was one.

        What a public body may destroy of it, and when, its archive plan says, not we.
        """
        if self._controllers.in_force(case.controller).is_public:
            return []
        ends = dict.fromkeys((Compartment.UPLOAD, Compartment.CORRESPONDENCE), at + SET_ASIDE_STAYS)
        return self._plan(case, ends, _closing(()))

    def _plan(self, case: Case, ends: Mapping[Compartment, datetime], closing: str) -> list[Also]:
        return [
            self._tasks.add(
                Task(
                    key=f"{case.id}/destroy/{compartment.value}/{closing}",
                    kind="destroy",
                    subject_id=case.id,
                    due_at=due_at,
                    controller=case.controller,
                    payload={"compartment": compartment.value, "closing": closing},
                )
            )
            for compartment, due_at in ends.items()
        ]

    @again_on_conflict
    def destroy(self, task: Task) -> None:
        """Destroy one compartment; a case that was opened again keeps it, and plans anew later."""
        now = self._clock()
        compartment = Compartment(task.payload["compartment"])
        case = self._register.case(task.subject_id)
        requests = self._register.requests_of(case)
        over = _all_closed(requests) and case.status is not CaseStatus.WAITING
        if not over or task.payload["closing"] != _closing(requests):
            self._register.save_all([], [self._tasks.done(task)])
            return
        archive_first = self._controllers.in_force(case.controller).is_public
        if any((archive_first or r.archive_first) and not r.archived for r in requests):
            raise Unavailable("waits-for-the-archive", retry_after=ASK_AGAIN_SECONDS)
        for request in requests:
            request.destroy_content(compartment=compartment, at=now)
            if not request.still_kept:
                request.end(at=now)
        self._vault.destroy(case.id, compartment)
        self._register.save_all(requests, [self._tasks.done(task)])


def _all_closed(requests: Sequence[DataSubjectRequest]) -> bool:
    return all(request.status is Status.CLOSED for request in requests)


def _closing(requests: Sequence[DataSubjectRequest]) -> str:
    """Names this closing of a case: whatever opens it again and closes it makes another."""
    moments = [request.closed_at for request in requests if request.closed_at is not None]
    return max(moments).isoformat() if moments else "set-aside"


def _months_on(at: datetime, profile: Profile) -> datetime:
    day = add_months(at.date(), profile.correspondence_months)
    return at.replace(year=day.year, month=day.month, day=day.day)
