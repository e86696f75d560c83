"""Register, workers, follower and people in any order, with every fault at once, beside a model.

The model knows what the law and the plan ask of a case and nothing of how it is done: who may be
asked what and when, how often a record may be erased, what has been told, and that in the end
everything is closed and everything fits.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from adapters.bootstrap import Installation, installation
from adapters.outbound.consistency import check
from adapters.settings import Settings
from domain.errors import DomainError
from domain.fulfilment import Fulfilment, SystemStatus
from domain.request import DataSubjectRequest, Status
from domain.vocabulary import (
    Action,
    Channel,
    IdentifierKind,
    IdentityMethod,
    Language,
    Match,
    Outcome,
    Right,
)
from projections.open_requests import open_requests
from projections.worklist import of_request
from services.ports import (
    AwaitsPerson,
    Connector,
    Identifier,
    OutgoingMail,
    Person,
    Record,
    Refused,
    Result,
    Treatment,
    Unavailable,
)
from services.worker import Worker
from tests.support.asking import mail
from tests.support.deadline_oracle import expected
from tests.support.reminder_oracle import local_day
from tests.support.stage import decide
from tests.support.stories import ORGANISATIONS

pytestmark = pytest.mark.survival

CONTROLLER, PROMISE = "fjordscenen", 30
SYSTEMS = {"ticketing": "customer", "payment": "customer", "mailing": "member"}
"""Those that a program answers for, and what sort of record each holds."""
MARKETING = {"mailing"}
STRANGER = "stine.stranger@other.example"
RIGHTS = [
    (Right.ACCESS,),
    (Right.ERASURE,),
    (Right.ACCESS, Right.ERASURE),
    (Right.OBJECTION_TO_MARKETING,),
]
CODE = r"^\s*(\d{4} ?\d{4})\s*$"
_numbers = count(1)
Method = TypeVar("Method", bound=Callable[..., None])


class Killed(BaseException):
    """kill -9, as far as one thread can have it: nothing that follows is done."""


class Surprise(KeyError):
    """An answer that no connector thought of; only what fails of this may be parked."""


@dataclass
class Clock:
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at


@dataclass
class Drawer:
    """The mail relay: takes letters, or does not."""

    mails: list[OutgoingMail] = field(default_factory=list)
    away: bool = False

    def send(self, mail: OutgoingMail) -> None:
        if self.away:
            raise Unavailable("the relay does not answer")
        self.mails.append(mail)


@dataclass
class Watched:
    """A system that remembers what it was asked, and fails as it is told to."""

    name: str
    kind: str
    asked: Callable[[str, str, str], None]
    held: set[str] = field(default_factory=set)
    fault: str | None = None
    effects: Counter[str] = field(default_factory=Counter)
    erasures: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often it was asked to erase a record, and with what key, whether it was there or not."""
    excused: Counter[str] = field(default_factory=Counter)
    """How often a fault made it right to ask once more for a record, with the same key."""
    asked_anew: Counter[str] = field(default_factory=Counter)
    """How often a person had it asked anew: that is another wish, and has a key of its own."""
    unsaved: set[str] = field(default_factory=set)
    """Records whose erasure it answered, and nobody has saved that yet."""

    def find(self, person: Person, *, fresh_after: datetime | None = None) -> Iterator[Record]:
        (address,) = person.all(IdentifierKind.EMAIL)
        self.asked(self.name, "read-back" if fresh_after else "find", address)
        self._stumble()
        if address in self.held:
            yield Record(
                address,
                self.kind,
                Match.VERIFIED_IDENTIFIER,
                IdentifierKind.EMAIL,
                {"email": address},
            )

    def erase(self, person: Person, treatment: Treatment, *, key: str) -> Result:
        self.asked(self.name, "erase", treatment.key)
        self._stumble()
        self.erasures[treatment.key, key] += 1
        self.unsaved.add(treatment.key)
        was_there = treatment.key in self.held
        if was_there:
            self.held.remove(treatment.key)
            self.effects[treatment.key] += 1
        if self.fault == "answer-lost":
            self.excused[treatment.key] += 1
            raise Unavailable("the answer was lost")
        return Result(Outcome.ERASED if was_there else Outcome.NOT_FOUND)

    def suppress(self, person: Person, *, key: str) -> Result:
        (address,) = person.all(IdentifierKind.EMAIL)
        self.asked(self.name, "suppress", address)
        self._stumble()
        return Result(Outcome.SUPPRESSED)

    def _stumble(self) -> None:
        match self.fault:
            case "unavailable":
                raise Unavailable("answered 503", retry_after=1)
            case "refused":
                raise Refused("answered 401")
            case "surprise":
                raise Surprise("email")


class ByHand:
    """A system only a person can look into."""

    def find(self, person: Person, *, fresh_after: datetime | None = None) -> Iterator[Record]:
        raise AwaitsPerson("look-up")

    def erase(self, person: Person, treatment: Treatment, *, key: str) -> Result:
        raise AwaitsPerson("erase-by-hand")

    def suppress(self, person: Person, *, key: str) -> Result:
        raise AwaitsPerson("suppress-by-hand")


@dataclass
class World:
    """One installation for all the runs of a test, and what surrounds it."""

    running: Installation
    clock: Clock
    drawer: Drawer
    systems: dict[str, Watched] = field(default_factory=dict)
    asked: Callable[[str, str, str], None] = lambda *_: None

    def __post_init__(self) -> None:
        self.systems = {
            name: Watched(name, kind, lambda *call: self.asked(*call), {STRANGER})
            for name, kind in SYSTEMS.items()
        }
        self.running = replace(self.running, systems=self)

    def connector(self, controller: str, system: str) -> Connector:
        return self.systems.get(system) or ByHand()


@contextmanager
def world(database_url: str, home: Path) -> Iterator[World]:
    clock, drawer = Clock(), Drawer()
    given = Settings.model_validate({"database_url": database_url, "home": home})
    with installation(given, clock=clock, mailer=drawer, with_migrations=True) as running:
        document = (ORGANISATIONS / f"{CONTROLLER}.toml").read_bytes()
        running.controllers.adopt(document, name=CONTROLLER, by="anna")
        decide(running, CONTROLLER)
        running.follower().drain()
        yield World(running, clock, drawer)


@dataclass
class Asked:
    """What the model knows of a case."""

    case_id: UUID
    address: str
    rights: tuple[Right, ...]
    text: str
    received_at: datetime
    confirmed: bool = False
    proven: bool = False
    approved: set[Right] = field(default_factory=set)
    withdrawn: set[Right] = field(default_factory=set)

    def may_be_asked(self, system: str, what: str, *, copy_has_left: bool) -> bool:
        """Whether the law lets this system be asked this now."""
        live = set(self.rights) - self.withdrawn
        if what == "suppress":
            return system in MARKETING and Right.OBJECTION_TO_MARKETING in live
        if what == "find":
            return self.proven and bool(live & {Right.ACCESS, Right.ERASURE})
        # From the moment on which it is approved there is no way back.
        waits = Right.ACCESS in live and not copy_has_left
        return Right.ERASURE in self.approved and not waits


STEPS: list[st.SearchStrategy[tuple[str, dict[str, Any]]]] = []
"""One rule chooses among them: of many rules hypothesis would leave out most in every run."""


def step(often: int = 1, /, **given: st.SearchStrategy[Any]) -> Callable[[Method], Method]:
    """Something that may happen, with what it needs to be told, so many times as often."""

    def noted(method: Method) -> Method:
        STEPS.extend([st.tuples(st.just(method.__name__), st.fixed_dictionaries(given))] * often)
        return method

    return noted


class Everything(RuleBasedStateMachine):
    """Every step is somebody who does something; faults stay until somebody mends them."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.running = self.world.running
        self.cases: list[Asked] = []
        self.kill: str | None = None
        self.broken: list[str] = []
        self.answers: list[Callable[[], None]] = []
        self.world.asked = self.watch
        self.world.drawer.mails.clear()
        self.world.drawer.away = False
        for system in self.world.systems.values():
            system.fault = None
        self.mended: list[Callable[[], None]] = []
        self.workers = [self.running.worker("one"), self.running.worker("two")]
        self.followers = [self.running.follower(), self.running.follower()]
        self._stand_in(self.running.register, "save_all", self.save_all)
        for name in ("record_found", "record_erased", "record_read_back", "record_done"):
            self._stand_in(self.running.fulfilments, name, self.remember)

    def _stand_in(self, place: object, name: str, stand_in: Callable[..., None]) -> None:
        setattr(place, name, partial(stand_in, getattr(place, name)))
        self.mended.append(partial(delattr, place, name))

    # Faults

    def save_all(self, save: Callable[..., None], *given: Any, **named: Any) -> None:
        """Saves as it should, unless the process dies just before or just after."""
        kill, self.kill = self.kill, None
        if kill == "before":
            for system in self.world.systems.values():
                system.excused.update(system.unsaved)
                system.unsaved.clear()
            raise Killed
        save(*given, **named)
        for system in self.world.systems.values():
            system.unsaved.clear()
        if kill == "after":
            raise Killed

    def remember(self, record: Callable[..., None], *given: Any, **named: Any) -> None:
        """Keep what a system answered, to hear it once more later."""
        record(*given, **named)
        if named.get("by") is None:
            self.answers.append(partial(record, *given, **{**named, "task": None}))

    def watch(self, system: str, what: str, address: str) -> None:
        case = next(case for case in self.cases if case.address == address)
        copy_has_left = Right.ACCESS in case.rights and (
            not self.request(case, Right.ACCESS).status.is_open
        )
        if not case.may_be_asked(system, what, copy_has_left=copy_has_left):
            self.broken.append(f"{system} was asked to {what}")  # a worker would hush an error up

    # People

    @step(2, rights=st.sampled_from(RIGHTS), twice=st.booleans())
    def somebody_writes(self, rights: tuple[Right, ...], twice: bool) -> None:
        number = next(_numbers)
        address = f"person{number}@post.example"
        for system in self.world.systems.values():
            system.held.add(address)
        at = self.world.clock()
        message = mail(f"Hei nummer {number}", sender_address=address, received_at=at)
        receive = partial(self.running.intake.receive, CONTROLLER, message, channel=Channel.MAIL)
        case_id = receive()
        assert not twice or receive() == case_id
        received_at = self.running.register.case(case_id).received_at
        self.cases.append(Asked(case_id, address, rights, message.text, received_at))

    @step(which=st.integers(0, 9))
    def a_person_confirms(self, which: int) -> None:
        for case in self._some(which):
            confirm = partial(
                self.running.intake.confirm,
                case.case_id,
                rights=case.rights,
                language=Language.NB,
                identifiers=(Identifier(IdentifierKind.EMAIL, case.address),),
                by="anna",
            )
            case.confirmed = self._try(confirm) or case.confirmed

    @step(which=st.integers(0, 9))
    def identity_is_verified(self, which: int) -> None:
        for case in self._some(which):
            before, case.proven = case.proven, True
            verify = partial(
                self.running.identity.verify_by_hand,
                case.case_id,
                method=IdentityMethod.IN_PERSON,
                by="anna",
            )
            case.proven = self._try(verify) or before

    @step(which=st.integers(0, 9))
    def somebody_looks_by_hand(self, which: int) -> None:
        for case, right in self._rights(which):
            self._look_by_hand(case, right)

    @step(which=st.integers(0, 9))
    def somebody_approves(self, which: int) -> None:
        for case, right in self._rights(which):
            approve = partial(
                self.running.deciding.approve,
                self.id(case, right),
                by="anna",
                considered=True,
            )
            if self._try(approve):
                case.approved.add(right)

    @step(6, which=st.integers(0, 9), right=st.integers(0, 1), killed=st.booleans())
    def somebody_goes_on_with_a_case(self, which: int, right: int, killed: bool) -> None:
        """Chance alone seldom gets far; so some of the time somebody works as one should."""
        self.a_person_confirms(which)
        self.identity_is_verified(which)
        self.a_worker_works(right, 20, None, again=killed)
        for case in self._some(which):
            for one in case.rights:
                self._look_by_hand(case, one)
            self.an_answer_comes_once_more(0)
            # In either order: which of the two has to wait is not for whoever approves to know.
            mine = [n for n, (theirs, _) in enumerate(self._all()) if theirs is case]
            self.somebody_approves(mine[right % len(mine)])
        self.a_worker_works(right, 3, "after" if killed else None, again=killed)

    @step(which=st.integers(0, 9), system=st.sampled_from(sorted(SYSTEMS)))
    def somebody_has_a_system_asked_again(self, which: int, system: str) -> None:
        for case, right in self._rights(which):
            self._ask_anew(case, right, system)

    @step(which=st.integers(0, 9))
    def the_person_takes_it_back(self, which: int) -> None:
        for case, right in self._rights(which):
            if self._try(partial(self.running.refusing.withdraw, self.id(case, right), by="anna")):
                case.withdrawn.add(right)

    @step(which=st.integers(0, 9))
    def the_person_fetches_the_answer(self, which: int) -> None:
        for case in self._some(which):
            self._fetch(case)

    # Machines

    @step(
        6,
        worker=st.integers(0, 1),
        tasks=st.integers(1, 12),
        killed=st.sampled_from([None, None, None, "before", "after"]),
        again=st.booleans(),
    )
    def a_worker_works(self, worker: int, tasks: int, killed: str | None, again: bool) -> None:
        self._bring_due()
        self.kill = killed
        try:
            for _ in range(tasks):
                self.workers[worker].step()
        except Killed:
            self.workers[worker] = self._hired(worker)
        self.kill = None
        if again:
            self.leases_run_out()

    @step()
    def leases_run_out(self) -> None:
        self.running.database.fetch(
            "UPDATE trettio.tasks SET next_at = clock_timestamp()"
            " WHERE leased_by IS NOT NULL AND done_at IS NULL RETURNING 1"
        )

    @step()
    def pauses_are_over(self) -> None:
        self._hurry()

    @step(follower=st.integers(0, 1), restarted=st.booleans())
    def a_follower_follows(self, follower: int, restarted: bool) -> None:
        if restarted:
            self.followers[follower] = self.running.follower()
        self.followers[follower].step()

    @step(hours=st.integers(1, 240))
    def time_passes(self, hours: int) -> None:
        self.world.clock.at += timedelta(hours=hours)
        self.running.reminders.pass_over(open_requests(self.running.database))

    @step(2, back=st.integers(0, 20))
    def an_answer_comes_once_more(self, back: int) -> None:
        """A system repeats itself, late and out of order: that changes nothing at all."""
        for answer in self.answers[: len(self.answers) - back][-3:]:
            before = self._recorded()
            self._try(answer)
            assert self._recorded() == before

    @step(
        system=st.sampled_from(sorted(SYSTEMS)),
        fault=st.sampled_from(["unavailable", "refused", "surprise", "answer-lost", None, None]),
    )
    def a_system_fails_or_is_mended(self, system: str, fault: str | None) -> None:
        self.world.systems[system].fault = fault

    @step(away=st.booleans())
    def the_relay_is_away_or_back(self, away: bool) -> None:
        self.world.drawer.away = away

    @rule(what=st.deferred(lambda: st.one_of(STEPS)))
    def something_happens(self, what: tuple[str, dict[str, Any]]) -> None:
        name, given = what
        getattr(self, name)(**given)

    # What always holds

    @invariant()
    def dates_follow_from_the_receipt(self) -> None:
        for case in self.cases:
            for right in case.rights if case.confirmed else ():
                dates = self.request(case, right).dates
                received = local_day(case.received_at)
                assert (
                    dates.unrolled,
                    dates.statutory_due,
                    dates.promise_due,
                    dates.target_due,
                ) == expected("NO", received, PROMISE)

    @invariant()
    def nobody_was_asked_what_they_may_not_be(self) -> None:
        assert self.broken == []

    @invariant()
    def every_record_is_erased_once_and_no_strangers(self) -> None:
        for system in self.world.systems.values():
            assert STRANGER in system.held
            assert set(system.effects.values()) <= {1}
            asked, keys = Counter[str](), Counter[str]()
            for (record, _), number in system.erasures.items():
                asked[record] += number
                keys[record] += 1
            for record, number in asked.items():
                anew = system.asked_anew[record]
                assert keys[record] <= 1 + anew, f"{system.name} was given another key"
                allowed = 1 + anew + system.excused[record]
                assert number <= allowed, f"{system.name} was asked {number} times for {allowed}"

    @invariant()
    def closed_means_answered(self) -> None:
        for case in self.cases:
            for right in case.rights if case.confirmed else ():
                request = self.request(case, right)
                if request.status is Status.CLOSED and right not in case.withdrawn:
                    assert request.answer is not None
                    if right is Right.ERASURE:
                        assert self._holders(case) == set()

    def teardown(self) -> None:
        try:
            if self.cases:
                self._finish()
        finally:
            for mend in self.mended:
                mend()

    def _finish(self) -> None:
        """Everything is mended and everybody does their part: then all of it ends, and fits."""
        self.kill, self.world.drawer.away = None, False
        for system in self.world.systems.values():
            system.fault = None
        for _ in range(12):
            for case in self.cases:
                if not case.confirmed:
                    self.a_person_confirms(self.cases.index(case))
                if not case.proven:
                    self.identity_is_verified(self.cases.index(case))
            self._hurry()
            self.workers[0].drain()
            for case in self.cases:
                for right in case.rights:
                    self._look_by_hand(case, right)
                    self._look_into(case, right)
            for number in range(len(self._all())):
                self.somebody_approves(number)
            self._hurry()
            self.workers[1].drain()
            for case in self.cases:
                self._fetch(case)
            if self._open() == []:
                break
        assert self._open() == []
        assert self.running.tasks.parked() == []
        self.nobody_was_asked_what_they_may_not_be()
        self.every_record_is_erased_once_and_no_strangers()
        for case in self.cases:
            self._account(case)
        self.followers[0].drain()
        for case, right in self._all():
            request, row = (
                self.request(case, right),
                of_request(self.running.database, self.id(case, right)),
            )
            assert row is not None
            assert (row.status, row.closed) == (request.status.value, True)
        assert check(self.running.database, self.running.vault, self.running.register.mapper) == []

    def _account(self, case: Asked) -> None:
        live = set(case.rights) - case.withdrawn
        if Right.ERASURE in live:
            assert self._holders(case) == set()
            assert [s.effects[case.address] for s in self.world.systems.values()] == [1, 1, 1]
        elif Right.ERASURE not in case.approved:
            assert self._holders(case) == set(SYSTEMS)
        for right in live:
            events = self.running.register.events.get(self.id(case, right))
            kinds = Counter(type(event) for event in events)
            # Nobody opened the link for a week: then it is sent anew.
            failed = kinds[DataSubjectRequest.DeliveryFailed]
            assert kinds[DataSubjectRequest.AnswerSent] == 1 + failed
        if live:
            assert case.address in {letter.recipient for letter in self.world.drawer.mails}

    # Hands

    def id(self, case: Asked, right: Right) -> UUID:
        return DataSubjectRequest.create_id(case.case_id, right)

    def request(self, case: Asked, right: Right) -> DataSubjectRequest:
        return self.running.register.request(self.id(case, right))

    def plan(self, case: Asked, right: Right) -> Fulfilment | None:
        return self.running.register.find_fulfilment(self.id(case, right))

    def _some(self, which: int) -> list[Asked]:
        return [self.cases[which % len(self.cases)]] if self.cases else []

    def _all(self) -> list[tuple[Asked, Right]]:
        return [(case, right) for case in self.cases if case.confirmed for right in case.rights]

    def _rights(self, which: int) -> list[tuple[Asked, Right]]:
        every = self._all()
        return [every[which % len(every)]] if every else []

    def _open(self) -> list[tuple[Right, Status, dict[str, tuple[str, str | None]]]]:
        found: list[tuple[Right, Status, dict[str, tuple[str, str | None]]]] = []
        for case, right in self._all():
            status, plan = self.request(case, right).status, self.plan(case, right)
            if status is not Status.CLOSED:
                systems = plan.systems if plan else {}
                standing = {n: (s.status.value, s.waits_for) for n, s in systems.items()}
                found.append((right, status, standing))
        return found

    def _holders(self, case: Asked) -> set[str]:
        return {n for n, system in self.world.systems.items() if case.address in system.held}

    def _try(self, command: Callable[[], object]) -> bool:
        try:
            command()
        except DomainError:
            return False
        return True

    def _recorded(self) -> list[dict[str, Any]]:
        """How many events there are, and how many secrets."""
        return self.running.database.fetch(
            "SELECT (SELECT count(*) FROM trettio.log) AS events,"
            " (SELECT count(*) FROM trettio.vault_rows) AS secrets"
        )

    def _look_by_hand(self, case: Asked, right: Right) -> None:
        plan = self.plan(case, right)
        for name, state in (plan.systems if plan else {}).items():
            if name in SYSTEMS or state.status is not SystemStatus.WAITING_FOR_PERSON:
                continue
            byhand, request_id = self.running.byhand, self.id(case, right)
            if state.action is Action.FIND:
                self._try(partial(byhand.found, request_id, name, (), reason="looked", by="anna"))
            else:
                outcome = Outcome.NOT_FOUND
                self._try(
                    partial(
                        byhand.done, request_id, name, outcome=outcome, reason="none", by="anna"
                    )
                )

    def _look_into(self, case: Asked, right: Right) -> None:
        """A person sees to a system that refused, or did nothing as far as one could hear."""
        plan = self.plan(case, right)
        for name, state in (plan.systems if plan else {}).items():
            if name not in SYSTEMS or state.status is not SystemStatus.WAITING_FOR_PERSON:
                continue
            if state.waits_for == "nothing-changed":
                results = {
                    one.record_id: Result(Outcome.NOT_FOUND)
                    for one in state.decisions
                    if one.touches_the_system
                }
                self.running.byhand.erased(
                    self.id(case, right), name, results, looked_again=True, by="anna"
                )
            else:
                assert self._ask_anew(case, right, name)

    def _ask_anew(self, case: Asked, right: Right, system: str) -> bool:
        again = self.running.fulfilments.try_again
        done = self._try(partial(again, self.id(case, right), system, by="anna"))
        if done:
            self.world.systems[system].asked_anew[case.address] += 1
        return done

    def _fetch(self, case: Asked) -> None:
        if Right.ACCESS not in case.rights or not case.confirmed:
            return
        request = self.request(case, Right.ACCESS)
        if request.delivery_failed is not None:
            self._try(partial(self.running.answering.answer_again, request.id, by="anna"))
            return
        theirs = [one for one in self.world.drawer.mails if one.recipient == case.address]
        links = [m for one in theirs for m in re.findall(r"/answer/([\w-]+)", one.text)]
        if request.status is not Status.FULFILLED or not links:
            return
        self._try(partial(self.running.answering.send_code, links[-1]))
        away, self.world.drawer.away = self.world.drawer.away, False
        self._bring_due()
        self.workers[0].drain()
        self.world.drawer.away = away
        theirs = [one for one in self.world.drawer.mails if one.recipient == case.address]
        codes = [m for one in theirs for m in re.findall(CODE, one.text, re.M)]
        if codes:
            self._try(partial(self.running.answering.fetch, links[-1], codes[-1]))

    def _hired(self, number: int) -> Worker:
        return self.running.worker(("one", "two")[number])

    def _bring_due(self) -> None:
        self.running.database.fetch(
            "UPDATE trettio.tasks SET next_at = clock_timestamp() WHERE attempts = 0"
            " AND done_at IS NULL AND due_at <= %s RETURNING 1",
            [self.world.clock.at],
        )

    def _hurry(self) -> None:
        """Every pause and every lease is over; what a surprise has parked somebody releases."""
        for parked in self.running.tasks.parked():
            assert parked.reason == Surprise.__name__, f"{parked.task.kind}: {parked.reason}"
            assert self.running.tasks.release(parked.task.key)
        self.running.database.fetch(
            "UPDATE trettio.tasks SET next_at = clock_timestamp()"
            " WHERE done_at IS NULL AND due_at <= %s RETURNING 1",
            [self.world.clock.at],
        )
        self.running.database.fetch(
            "UPDATE trettio.lanes SET probe_at = clock_timestamp() RETURNING 1"
        )


@pytest.mark.timeout(900)
def test_everything_in_any_order(database_url: str, tmp_path: Path, seed: int) -> None:
    """Design 3 and 6, whatever happens: asked only what may be, done once, told, closed, fits."""
    with world(database_url, tmp_path) as made:
        machine = type("Machine", (Everything,), {"world": made})
        run_state_machine_as_test(
            seeded(seed)(machine),
            settings=settings(
                max_examples=8,
                stateful_step_count=25,
                deadline=None,
                database=None,
                phases=(Phase.generate,),
                suppress_health_check=list(HealthCheck),
            ),
        )
