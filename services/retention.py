"""Retention of our own case content: four compartments, each with its own end, with proof.

What people sent to prove or explain goes when the case is closed; collected data thirty days after
the case is closed; correspondence after three years; the controller may choose both longer. In
public bodies nothing goes before the archive has confirmed it. Facts stay in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain.case import Case, CaseStatus
from domain.deadlines import add_months
from domain.hold import Hold
from domain.policy import Profile
from domain.request import DataSubjectRequest, Status
from domain.vocabulary import Compartment, TriageKind
from services.controllers import Controllers
from services.held import Held
from services.ports import Also, Clock, Task, Tasks, Unavailable, Vault
from services.register import Register, again_on_conflict

SET_ASIDE_STAYS = timedelta(days=92)
"""As long as the law's longest time to answer: so long somebody may ask what became of it."""
SPAM_STAYS = timedelta(days=30)
ASK_AGAIN_SECONDS = 86_400.0
FOR_ARCHIVE: Final = "waits-for-the-archive"
TO_BE_FETCHED: Final = "waits-to-be-fetched"
TOLD_STAYS = timedelta(days=30)
"""So long who was told of a release may follow the link and be recognised."""


class Retention:
    """Destroys what nothing needs any more."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        tasks: Tasks,
        controllers: Controllers,
        held: Held,
        is_to_be_fetched: Callable[[UUID], bool],
        clock: Clock,
    ) -> None:
        """`is_to_be_fetched` says whether a system was told of a case and has not looked yet."""
        self._register, self._vault, self._tasks = register, vault, tasks
        self._controllers, self._held, self._clock = controllers, held, clock
        self._is_to_be_fetched = is_to_be_fetched

    def when_closed(
        self, case: Case, requests: tuple[DataSubjectRequest, ...], *, at: datetime
    ) -> list[Also]:
        """Plan the ends of a case's compartments, once every request of it is closed (MU-16)."""
        if not _all_closed(requests):
            return []
        ends = ends_of_content(self._controllers.in_force(case.controller), at)
        return self._plan(case, ends, _closing(case, requests))

    def when_set_aside(self, case: Case, *, at: datetime) -> list[Also]:
        """What was no request stays only so long as somebody may say that it was one.

        What a public body may destroy of it, and when, its archive plan says, not we.
        """
        if self._controllers.in_force(case.controller).is_public:
            return []
        stays = SPAM_STAYS if case.kind is TriageKind.SPAM else SET_ASIDE_STAYS
        ends = dict.fromkeys((Compartment.UPLOAD, Compartment.CORRESPONDENCE), at + stays)
        return self._plan(case, ends, _closing(case, ()))

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
        if compartment is Compartment.HOLD:
            self._destroy_holds(case, requests, task, now)
            return
        over = _all_closed(requests) and case.status is not CaseStatus.WAITING
        if not over or task.payload["closing"] != _closing(case, requests):
            self._register.save_all([], [self._tasks.done(task)])
            return
        self._destroyed(case, requests, compartment, task, now)

    def _destroy_holds(
        self,
        case: Case,
        requests: tuple[DataSubjectRequest, ...],
        task: Task,
        now: datetime,
    ) -> None:
        """The holds' compartment goes with the last of them; whichever it is has its own task."""
        if any(_needs_its_content(hold, now) for hold in self._held.of_case(case)):
            self._register.save_all([], [self._tasks.done(task)])
            return
        if not _all_closed(requests):
            raise Unavailable("case-is-open", retry_after=ASK_AGAIN_SECONDS)
        self._destroyed(case, requests, Compartment.HOLD, task, now)

    def _destroyed(
        self,
        case: Case,
        requests: tuple[DataSubjectRequest, ...],
        compartment: Compartment,
        task: Task,
        now: datetime,
    ) -> None:
        archive_first = self._controllers.in_force(case.controller).is_public
        if any((archive_first or r.archive_first) and not r.archived for r in requests):
            raise Unavailable(FOR_ARCHIVE, retry_after=ASK_AGAIN_SECONDS)
        if compartment is Compartment.CORRESPONDENCE and any(map(self._restricts, requests)):
            raise Unavailable("restricted", retry_after=ASK_AGAIN_SECONDS)
        if compartment is not Compartment.HOLD and self._is_to_be_fetched(case.id):
            raise Unavailable(TO_BE_FETCHED, retry_after=ASK_AGAIN_SECONDS)
        for request in requests:
            request.destroy_content(compartment=compartment, at=now)
            if not request.still_kept:
                request.end(at=now)
        self._vault.destroy(case.id, compartment)
        self._register.save_all(requests, [self._tasks.done(task)])

    def _restricts(self, request: DataSubjectRequest) -> bool:
        """Whether a restriction still needs to know whom it is about (Art. 18(2))."""
        restriction = self._register.find_restriction(request.id)
        return restriction is not None and not restriction.is_over


def hold_end_task(hold: Hold, *, at: datetime) -> Task:
    """Destroy the holds' compartment of a case, if by then nothing needs it any more."""
    return Task(
        key=f"{hold.case_id}/destroy/hold/{hold.id}",
        kind="destroy",
        subject_id=hold.case_id,
        due_at=at,
        controller=hold.controller,
        payload={"compartment": Compartment.HOLD.value},
    )


def _needs_its_content(hold: Hold, now: datetime) -> bool:
    if not hold.is_over:
        return True
    return hold.told_at is not None and now < hold.told_at + TOLD_STAYS


def _all_closed(requests: Sequence[DataSubjectRequest]) -> bool:
    return all(request.status is Status.CLOSED for request in requests)


def _closing(case: Case, requests: Sequence[DataSubjectRequest]) -> str:
    """Names this closing of a case: whatever opens it again and closes it makes another."""
    moments = [request.closed_at for request in requests if request.closed_at is not None]
    if moments:
        return max(moments).isoformat()
    again = case.times_set_aside > 1
    return f"set-aside-{case.times_set_aside}" if again else "set-aside"


def ends_of_content(profile: Profile, closed_at: datetime) -> dict[Compartment, datetime]:
    """When each compartment goes: uploads at once, copies soon, letters by the profile (MU-16)."""
    return {
        Compartment.UPLOAD: closed_at,
        Compartment.PACKAGE: closed_at + timedelta(days=profile.content_days),
        Compartment.CORRESPONDENCE: _months_on(closed_at, profile),
    }


def _months_on(at: datetime, profile: Profile) -> datetime:
    day = add_months(at.date(), profile.correspondence_months)
    return at.replace(year=day.year, month=day.month, day=day.day)
