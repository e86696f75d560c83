"""Restricting: data kept and not used, at every system, until a person was told that it ends.

Set by a decision on the request (Art. 18(1)), or meanwhile while an objection is weighed or a
contested fact verified; looked at again every week; lifted after its letter and a stated pause.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

from domain.aggregate import Aggregate
from domain.balancing import Balancing
from domain.deadlines import received_on
from domain.errors import DomainError, NotAllowedNow
from domain.fulfilment import Fulfilment
from domain.rectification import Rectification
from domain.request import DataSubjectRequest, Status
from domain.restriction import (
    RESTRICT_BY_HAND,
    UNRESTRICT_BY_HAND,
    At,
    Restriction,
    RestrictionGround,
)
from domain.staff import MACHINE
from domain.vocabulary import LetterKind, Outcome, Right
from services import dossier
from services.addressees import Addressees
from services.controllers import Controllers
from services.letter_facts import LetterFacts
from services.letters import compose
from services.meanwhile import (
    CHECK,
    CHECK_EVERY,
    ERASE_FIRST,
    LIFT,
    RESTRICT,
    UNRESTRICT,
    restriction_of,
    restriction_task,
)
from services.planning import answer_task
from services.ports import (
    Also,
    AwaitsAnswer,
    AwaitsPerson,
    Clock,
    Connector,
    Identifier,
    Person,
    Refused,
    Restricts,
    Task,
    Tasks,
    Vault,
)
from services.postroom import Postroom
from services.recipients import tell_recipients
from services.register import MakeAlong, Register, again_on_conflict, nothing_along
from services.telling import TELLING


class Restrictions:
    """Restrictions of one installation, each of them with its request."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        tasks: Tasks,
        controllers: Controllers,
        postroom: Postroom,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._tasks = register, vault, tasks
        self._controllers, self._postroom, self._clock = controllers, postroom, clock
        self._addressees = Addressees(register, vault)

    # What a person decides

    @again_on_conflict
    def restrict(
        self,
        request_id: UUID,
        *,
        ground: RestrictionGround,
        by: str,
        until: date | None = None,
        words: str = "",
    ) -> None:
        """Grant the restriction that was asked for; it is answered once it is set everywhere."""
        with self._register.alone_with(request_id):
            now = self._clock()
            request = self._register.request(request_id)
            if request.right is not Right.RESTRICTION:
                raise DomainError("this request asks for something else than a restriction")
            profile = self._controllers.in_force(request.controller)
            also: list[Also] = []
            note = None
            if words.strip():
                sealed = dossier.seal_note(self._vault, request.case_id, words.strip(), by, now)
                note = sealed.ref
                also.extend(sealed.also)
            request.approve(decisions=(), profile_version=profile.digest, by=by, note=note, at=now)
            restriction, tasks = restriction_of(
                request, profile, self._tasks, ground=ground, until=until, by=by, at=now
            )
            fulfilment = self._register.fulfilment(request_id)
            tell_recipients(fulfilment, profile, None, now)
            changed: list[Aggregate] = [request, restriction, fulfilment]
            also += tasks + self._answer_if_set(request, restriction, fulfilment, now)
            self._register.save_all(changed, also)

    def begin(
        self, request: DataSubjectRequest, *, ground: RestrictionGround, at: datetime
    ) -> tuple[list[Aggregate], list[Also]]:
        """One that begins because of what somebody said, in the save of that; once per request."""
        if self._register.find_restriction(request.id) is not None:
            return [], []
        profile = self._controllers.in_force(request.controller)
        restriction, also = restriction_of(request, profile, self._tasks, ground=ground, at=at)
        return [restriction], also

    # What systems and people answered

    def set_at(self, task: Task, connector: Connector, person: Person) -> None:
        """Set it in one system, and believe it once the system says so itself."""
        if not isinstance(connector, Restricts):
            raise AwaitsPerson(RESTRICT_BY_HAND)
        result = connector.restrict(person, key=task.key)
        if result.outcome is Outcome.RESTRICTED and not connector.is_restricted(person):
            raise Refused("the system says that it is not restricted after restricting it")
        self.record(
            task.subject_id,
            task.named_system,
            outcome=result.outcome,
            reason=result.detail,
            task=task,
        )

    @again_on_conflict
    def record(
        self,
        request_id: UUID,
        system: str,
        *,
        outcome: Outcome,
        reason: str = "",
        by: str | None = None,
        task: Task | None = None,
        along: MakeAlong = nothing_along,
    ) -> None:
        """It is restricted there, or nothing is held; with the last of them the answer follows."""
        with self._register.alone_with(request_id):
            now = self._clock()
            restriction = self._register.restriction(request_id)
            restriction.record_restricted(
                system=system, outcome=outcome, reason=reason, by=by, at=now
            )
            request = self._register.request(request_id)
            fulfilment = self._register.fulfilment(request_id)
            also = self._finish(task) + self._answer_if_set(request, restriction, fulfilment, now)
            more = along()
            self._register.save_all(
                [restriction, fulfilment, *more.aggregates], [*also, *more.also]
            )

    def lift_at(self, task: Task, connector: Connector, person: Person) -> None:
        if not isinstance(connector, Restricts):
            raise AwaitsPerson(UNRESTRICT_BY_HAND)
        result = connector.unrestrict(person, key=task.key)
        self.record_lifted(task.subject_id, task.named_system, reason=result.detail, task=task)

    @again_on_conflict
    def record_lifted(
        self,
        request_id: UUID,
        system: str,
        *,
        reason: str = "",
        by: str | None = None,
        task: Task | None = None,
        along: MakeAlong = nothing_along,
    ) -> None:
        restriction = self._register.restriction(request_id)
        restriction.record_lifted(system=system, reason=reason, by=by, at=self._clock())
        more = along()
        self._register.save_all([restriction, *more.aggregates], [*more.also, *self._finish(task)])

    @again_on_conflict
    def escalate(
        self,
        request_id: UUID,
        system: str,
        *,
        reason: str,
        task: Task | None = None,
        along: MakeAlong = nothing_along,
    ) -> None:
        """A person must restrict it there, or lift it; the task is over."""
        restriction = self._register.restriction(request_id)
        restriction.escalate(system=system, reason=reason, at=self._clock())
        more = along()
        self._register.save_all([restriction, *more.aggregates], [*more.also, *self._finish(task)])

    @again_on_conflict
    def record_unavailable(
        self, request_id: UUID, system: str, *, attempt: int, next_try_at: datetime, reason: str
    ) -> None:
        restriction = self._register.restriction(request_id)
        restriction.record_unavailable(
            system=system, attempt=attempt, reason=reason, at=self._clock()
        )
        self._register.save_all([restriction])

    @again_on_conflict
    def try_again(self, request_id: UUID, system: str, *, by: str) -> None:
        """Somebody has seen to it over there: ask the system once more."""
        if not by:
            raise NotAllowedNow("say who asks the system again")
        restriction = self._register.restriction(request_id)
        state = restriction.systems.get(system)
        if state is None:
            raise DomainError(f"system {system} is not part of this restriction")
        if state.is_settled:
            raise NotAllowedNow(f"system {system} is {state.at.value}: nothing to ask again")
        kind = UNRESTRICT if state.lifting else RESTRICT
        task = restriction_task(
            restriction, kind, system=system, at=self._clock(), again=uuid4().hex
        )
        self._register.save_all([], self._tasks.again(task))

    def awaits(self, request_id: UUID, system: str, *, lifting: bool) -> bool:
        """Whether an answer to this would have an effect."""
        restriction = self._register.find_restriction(request_id)
        state = restriction.systems.get(system) if restriction is not None else None
        return state is not None and not state.is_settled and state.lifting is lifting

    def is_moot(self, task: Task) -> bool:
        """Whether what a task asks of a system has been done or is not wanted any more."""
        restriction = self._register.restriction(task.subject_id)
        if task.system is None:
            return not restriction.stands
        state = restriction.systems[task.system]
        return state.is_settled or state.lifting is not (task.kind == UNRESTRICT)

    # Kept

    def check(self, task: Task, connector: Callable[[str], Connector]) -> None:
        """Ask each system whether it still keeps to the restriction; what does not is set anew."""
        request = self._register.request(task.subject_id)
        person = dossier.person_in(self._vault, request.requester)
        holds: dict[str, bool] = {}
        for system, state in self._register.restriction(task.subject_id).systems.items():
            if state.at is At.RESTRICTED:
                asked = connector(system)
                if isinstance(asked, Restricts):
                    with suppress(AwaitsAnswer):  # what it answered once is what it stands by
                        holds[system] = asked.is_restricted(person)
        self._checked(task, holds)

    @again_on_conflict
    def _checked(self, task: Task, holds: Mapping[str, bool]) -> None:
        now = self._clock()
        restriction = self._register.restriction(task.subject_id)
        again = f"{now:%Y%m%d%H%M%S}"
        following = restriction_task(restriction, CHECK, at=now + CHECK_EVERY, again=again)
        also = [*self._finish(task), self._tasks.add(following)]
        for system, so in holds.items():
            restriction.check(system=system, holds=so, at=now)
            if restriction.systems[system].at is At.ASKED:
                once_more = restriction_task(
                    restriction, RESTRICT, system=system, at=now, again=again
                )
                also.append(self._tasks.add(once_more))
        self._register.save_all([restriction], also)

    def standing(self, request: DataSubjectRequest) -> tuple[Restriction, ...]:
        """Restrictions on the same person's data, but none that this request itself began."""
        person = dossier.person_in(self._vault, request.requester)
        found = self.of_person(request.controller, person.identifiers)
        return tuple(one for one in found if one.request_id != request.id)

    def of_person(
        self, controller: str, identifiers: tuple[Identifier, ...]
    ) -> tuple[Restriction, ...]:
        """What stands for whoever is known by these identifiers: for erasures and releases."""
        cases = {
            case_id
            for identifier in identifiers
            if identifier.kind in TELLING
            for case_id in self._vault.cases_of(controller, identifier)
        }
        found = []
        for case_id in sorted(cases):
            for request_id in self._register.case(case_id).request_ids:
                restriction = self._register.find_restriction(request_id)
                if restriction is not None and restriction.stands:
                    found.append(restriction)
        return tuple(found)

    # Lifted

    @again_on_conflict
    def announce(self, request_id: UUID, *, by: str, words: str = "") -> None:
        """Tell the person that it ends, why, and not before when (Art. 18(3)); then it does."""
        now = self._clock()
        restriction = self._register.restriction(request_id)
        if restriction.announced_in is not None:
            return
        request = self._register.request(request_id)
        case = self._register.case(request.case_id)
        profile = self._controllers.in_force(case.controller)
        self._controllers.require_letters_allowed(case.controller)
        first = now + timedelta(days=profile.restriction_pause_days + 1)
        reason = self._ended_because(request, restriction)
        letter = compose(
            LetterKind.RESTRICTION_LIFTED,
            LetterFacts(
                profile=profile,
                language=case.language,
                case_reference=case.reference,
                received_on=request.received_on,
                rights=(request.right,),
                reasons=(reason,),
                free_text=words.strip() or None,
                lift_on=received_on(first, request.country),
            ),
        )
        before = set(case.letters)
        also = self._postroom.queue(
            case,
            letter,
            profile,
            self._addressees.of_answer(case, request),
            requests=(request_id,),
            at=now,
        )
        (letter_id,) = set(case.letters) - before
        restriction.announce(letter_id=letter_id, reason=reason, by=by, at=now)
        also.append(self._tasks.add(restriction_task(restriction, LIFT, at=first)))
        self._register.save_all([case, restriction], also)

    def _ended_because(self, request: DataSubjectRequest, restriction: Restriction) -> str:
        """Why it ends, as a code; who was told yes is not told that all goes on as before."""
        decided = self._register.decided(request)
        if isinstance(decided, Balancing) and decided.weighed and not decided.continued:
            return "objection-upheld"
        if isinstance(decided, Rectification) and decided.changed_anything:
            return "accuracy-restored"
        return restriction.ground.ended_because

    def when_over(self, task: Task) -> None:
        """Its reason is over, by a decision or a date: the person is told, as by a person."""
        self.announce(task.subject_id, by=MACHINE)
        self._register.save_all([], self._finish(task))

    @again_on_conflict
    def lift(self, task: Task) -> None:
        """After the letter left and the pause the profile states; until then the task waits."""
        now = self._clock()
        restriction = self._register.restriction(task.subject_id)
        request = self._register.request(task.subject_id)
        case = self._register.case(restriction.case_id)
        profile = self._controllers.in_force(restriction.controller)
        left = case.left.get(restriction.announced_in) if restriction.announced_in else None
        if restriction.announced_in in case.failed:
            left = None
        restriction.lift(
            told_on=received_on(left, request.country) if left is not None else None,
            pause_days=profile.restriction_pause_days,
            on=received_on(now, request.country),
            by=None,
            at=now,
        )
        also = self._finish(task) + self._lift_everywhere(restriction, now)
        self._register.save_all([restriction], also)

    @again_on_conflict
    def give_up(self, erasure_id: UUID, *, by: str) -> None:
        """The person gives up what restricts their data, so that it can be erased."""
        with self._register.alone_with(erasure_id):
            now = self._clock()
            request = self._register.request(erasure_id)
            if request.right is not Right.ERASURE:
                raise NotAllowedNow("a restriction is given up for an erasure")
            if request.status not in {Status.VERIFIED, Status.COLLECTED}:
                raise NotAllowedNow(
                    f"request {erasure_id} is {request.status.value}: settle who asks, and say it"
                    " before the erasure is approved"
                )
            standing = self.standing(request)
            also: list[Also] = []
            for restriction in standing:
                self._require_answered(restriction)
                restriction.give_up(
                    erasure=erasure_id, on=received_on(now, request.country), by=by, at=now
                )
                also += self._lift_everywhere(restriction, now + ERASE_FIRST)
            self._register.save_all(list(standing), also)

    def _require_answered(self, restriction: Restriction) -> None:
        """A restriction that was asked for is answered before it ends."""
        asked = self._register.request(restriction.request_id)
        if asked.right is Right.RESTRICTION and asked.status.is_open:
            raise NotAllowedNow(
                "the restriction has not been answered yet: answer it, or record that the person"
                " has taken it back"
            )

    def _lift_everywhere(self, restriction: Restriction, at: datetime) -> list[Also]:
        return [
            self._tasks.add(restriction_task(restriction, UNRESTRICT, system=system, at=at))
            for system, state in restriction.systems.items()
            if state.lifting
        ]

    # What is common

    def _answer_if_set(
        self,
        request: DataSubjectRequest,
        restriction: Restriction,
        fulfilment: Fulfilment,
        now: datetime,
    ) -> list[Also]:
        wanted = request.right is Right.RESTRICTION and request.status is Status.APPROVED
        if not (wanted and restriction.all_set and fulfilment.all_done):
            return []
        fulfilment.complete(at=now)
        return [self._tasks.add(answer_task(request, at=now))]

    def _finish(self, task: Task | None) -> list[Also]:
        return [self._tasks.done(task)] if task is not None else []
