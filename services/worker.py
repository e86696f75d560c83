"""Worker: takes due tasks, asks the connected systems, records what they answered.

At least once, under a stable key: a worker may be killed at any line, and the lease it held runs
out. `Unavailable` is tried again with a growing pause, and a person is told when the day to aim for
has come; `AwaitsPerson` and `Refused` go to a person at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Event
from time import monotonic
from uuid import UUID

import structlog

from domain.deadlines import received_on
from domain.errors import DomainError, NotAllowedNow
from domain.fulfilment import Fulfilment
from domain.request import DataSubjectRequest, Status
from domain.values import FoundRecord, RecordDecision
from domain.vocabulary import Action, Decision, Outcome, Right
from services import dossier
from services.answering import Answering
from services.digest import Digests
from services.errand_door import CODE, ErrandDoor
from services.errands import MAIL, Errands
from services.fulfilment import Fulfilments
from services.holds import HOLD_KINDS, NOBODYS_FAULT, RELEASE, TELL, Holds
from services.instructing import DELIVER, TOLD_KINDS, Instructions
from services.invitations import Invitations
from services.meanwhile import ANNOUNCE, CHECK, LIFT, RESTRICT, UNRESTRICT
from services.numbers import person_to_find
from services.one_click import STOP_MARKETING, OneClick
from services.order_knowledge import COMPARE, OrderKnowledge
from services.portal import BEGIN, Portal
from services.ports import (
    Attachment,
    AwaitsAnswer,
    AwaitsPerson,
    Clock,
    Connector,
    Erased,
    Garbled,
    Mailer,
    NotSetUp,
    OutgoingMail,
    Person,
    Record,
    Refused,
    Result,
    Systems,
    Task,
    Tasks,
    Treatment,
    Unavailable,
    Vault,
    VaultLocked,
)
from services.processors import ASK, AskingProcessors
from services.rectifying import Rectifying
from services.references import AWAITS_RECORDS, References
from services.register import Register, SomebodyWasFaster, at_one_moment
from services.replaying import REPLAY, Replays
from services.restricting import Restrictions
from services.retention import Retention
from services.suppressions import CHECK_SUPPRESSIONS, Suppressions
from services.withdrawing import Withdrawing

KINDS = (
    "find",
    "erase",
    "read-back",
    "suppress",
    "rectify",
    RESTRICT,
    UNRESTRICT,
    CHECK,
    ANNOUNCE,
    LIFT,
    "answer",
    "send-letter",
    "destroy",
    *HOLD_KINDS,
    "digest",
    "invited",
    CHECK_SUPPRESSIONS,
    COMPARE,
    BEGIN,
    STOP_MARKETING,
    DELIVER,
    MAIL,
    CODE,
    ASK,
    REPLAY,
)
OF_RESTRICTIONS = frozenset({RESTRICT, UNRESTRICT, CHECK, ANNOUNCE, LIFT})
OF_NO_CASE = frozenset({CHECK_SUPPRESSIONS, STOP_MARKETING, REPLAY})
OF_INSTRUCTIONS = frozenset({DELIVER, ASK})
WITHOUT_REQUEST = frozenset({*HOLD_KINDS, *OF_NO_CASE, *OF_INSTRUCTIONS})
"""What is about a hold, a controller or an instruction, with a system and no request to tell."""
FOLLOW_UPS = frozenset({"read-back", "answer"})
"""What whoever made it necessary goes on with. Letters wait for the turn that their relay gives."""
WAITS = NOBODYS_FAULT | {AWAITS_RECORDS}
"""Reasons to wait for which no system is to blame."""
LEASE_SECONDS = 30.0
"""How soon another takes over what a killed worker had in hand; `services.crew` renews it."""
SHORTEST_PAUSE = 2.0
LONGEST_PAUSE = 3_600.0
NOT_SET_UP = "not-set-up"
NOT_ANSWERING = "not-answering"
ASK_ABOUT_SETTINGS_SECONDS = 300.0
GARBLED_FOR = timedelta(days=1)
"""Maintenance pages and the like are over by then; what is garbled longer needs a person."""
EVERY_TRY_TOLD = 12
"""Later tries in vain are told at every doubling only, or a long outage would fill the log."""
MOST_SURPRISES = 5
MOST_RECORDS = 100_000
MOST_TO_ERASE = 10_000
"""An erasure is decided with the content of all records in memory."""

log = structlog.get_logger()


@dataclass(slots=True)
class Held:
    """A task in hand, since when, and since when under its present lease (monotonic seconds)."""

    task: Task
    since: float
    leased: float


class Worker:
    """One thread of work. Any number may run, in any number of processes."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        tasks: Tasks,
        fulfilments: Fulfilments,
        answering: Answering,
        retention: Retention,
        holds: Holds,
        rectifying: Rectifying,
        restrictions: Restrictions,
        withdrawing: Withdrawing,
        digests: Digests,
        invitations: Invitations,
        suppressions: Suppressions,
        orders: OrderKnowledge,
        references: References,
        portal: Portal,
        one_click: OneClick,
        instructions: Instructions,
        errands: Errands,
        errand_door: ErrandDoor,
        processors: AskingProcessors,
        replays: Replays,
        systems: Systems,
        mailer: Mailer,
        clock: Clock,
        *,
        name: str,
    ) -> None:
        self._register, self._vault, self._tasks = register, vault, tasks
        self._fulfilments, self._answering = fulfilments, answering
        self._retention, self._holds, self._digests = retention, holds, digests
        self._rectifying, self._restrictions = rectifying, restrictions
        self._withdrawing = withdrawing
        self._references = references
        self._suppressions, self._instructions = suppressions, instructions
        self._orders = orders
        self._systems, self._mailer, self._clock = systems, mailer, clock
        self._name = name
        self.in_hand: dict[str, Held] = {}
        """What this worker is doing, by key; another thread may look."""
        self.wanted = True
        self._doers: Mapping[str, Callable[[Task], None]] = {
            "find": self._find,
            "erase": self._erase,
            "read-back": self._read_back,
            "suppress": self._suppress,
            "rectify": self._rectify,
            RESTRICT: self._restrict,
            UNRESTRICT: self._unrestrict,
            CHECK: self._check_restriction,
            ANNOUNCE: self._restrictions.when_over,
            LIFT: self._restrictions.lift,
            "answer": self._answering.answer,
            "send-letter": self._send_letter,
            "destroy": self._retention.destroy,
            RELEASE: self._release_hold,
            TELL: self._tell_of_release,
            "digest": self._digests.send,
            "invited": invitations.send,
            CHECK_SUPPRESSIONS: self._check_suppressions,
            BEGIN: portal.begin,
            COMPARE: lambda task: self._orders.compare(task, self._systems),
            STOP_MARKETING: lambda task: one_click.work(task, self._systems),
            DELIVER: instructions.deliver,
            MAIL: errands.mail,
            CODE: errand_door.mail_code,
            ASK: processors.ask,
            REPLAY: replays.work,
        }

    def run(self, stop: Event, *, idle_seconds: float = 0.2) -> None:
        """Work until told to stop, or not wanted any more; what is in hand is finished first."""
        while not stop.is_set() and self.wanted:
            try:
                busy = self.step()
            except Exception:  # the database may be away; nothing is lost, leases run out
                log.exception("worker_stumbled", worker=self._name)
                busy = False
            if not busy:
                stop.wait(idle_seconds)

    def drain(self, *, most: int = 1_000) -> int:
        """Do everything that is due now; answers how many tasks were tried."""
        done = 0
        while done < most and self.step():
            done += 1
        return done

    def step(self) -> bool:
        """Do one due task and what follows from it at once; False when there is none."""
        claimed = self._tasks.claim(KINDS, worker=self._name, lease_seconds=LEASE_SECONDS)
        try:
            self._do_all(claimed)
        finally:
            self.in_hand = {}
        return bool(claimed)

    def _do_all(self, claimed: Sequence[Task]) -> None:
        now = monotonic()
        self.in_hand = {task.key: Held(task, now, now) for task in claimed}
        for task in claimed:
            with (
                structlog.contextvars.bound_contextvars(
                    task=task.kind, request_id=str(task.subject_id), system=task.system
                ),
                self._tasks.following_up(
                    FOLLOW_UPS, worker=self._name, lease_seconds=LEASE_SECONDS
                ) as following,
            ):
                self._do(task)
            if following:
                self._do_all(following)
            self.in_hand.pop(task.key, None)

    def _do(self, task: Task) -> None:
        try:
            with at_one_moment(lends=True):
                if self._is_moot(task):
                    self._register.save_all([], [self._tasks.done(task)])
                    return
                try:
                    self._doers[task.kind](task)
                except AwaitsAnswer:
                    if task.kind not in TOLD_KINDS:
                        raise
                    self._instructions.give(task)
            log.info("task_done", attempts=task.attempts)
            if task.failing:
                self._tasks.answered(task)
        except Unavailable as error:
            self._put_off(task, error)
        except NotSetUp as error:
            self._wait_for_settings(task, error)
        except Garbled as error:
            if self._clock() - task.due_at < GARBLED_FOR:
                self._put_off(task, Unavailable(error.reason))
            else:
                self._give_up(task, "refused", error)
        except AwaitsPerson as error:
            self._give_up(task, error.what, error)
        except SomebodyWasFaster:
            self._tasks.put_off(task, seconds=SHORTEST_PAUSE, reason="conflict")
        except VaultLocked as error:  # until this process is given the key, however long that takes
            log.warning("master_key_missing", error=type(error).__name__)
            self._tasks.put_off(task, seconds=pause(task.attempts), reason="master-key")
        except NotAllowedNow as error:
            self._not_now(task, error)
        except (Refused, DomainError, Erased) as error:
            if task.failing and isinstance(error, Refused):  # no is an answer, too
                self._tasks.answered(task)
            self._give_up(task, "refused", error)
        except Exception as error:  # a bug of ours, or an answer nobody thought of
            log.exception("task_failed", attempts=task.attempts)
            if task.attempts >= MOST_SURPRISES:
                self._give_up(task, "failed", error)
            else:
                self._tasks.put_off(task, seconds=pause(task.attempts), reason=type(error).__name__)

    def _is_moot(self, task: Task) -> bool:
        """Whether the person took the request back or was refused, or somebody answered by hand.

        A search that comes after the decision would find what nobody has decided about.
        """
        if task.kind in OF_RESTRICTIONS:
            return self._restrictions.is_moot(task)
        if task.system is None or task.kind in WITHOUT_REQUEST:
            return False
        self._register.look_at(task.subject_id)
        request = self._register.request(task.subject_id)
        searchable = request.status in {Status.VERIFIED, Status.COLLECTED}
        return request.dropped or (task.kind == "find" and not searchable)

    def _put_off(self, task: Task, error: Unavailable) -> None:
        """First the queue, then the log: a task that is held by nobody is never forgotten."""
        wish = error.retry_after or 0.0
        seconds = max(pause(task.attempts), wish)
        if error.reason in WAITS or (task.system is None and task.kind not in _LETTERS):
            log.warning("task_waits", reason=error.reason, seconds=seconds)
            self._tasks.put_off(task, seconds=seconds, reason=error.reason)
            return
        put_off = self._tasks.unavailable(task, seconds=seconds, reason=error.reason, wish=wish)
        log.warning("system_unavailable", reason=error.reason, seconds=put_off.seconds)
        if task.system is None or task.kind in WITHOUT_REQUEST:
            return
        with suppress(SomebodyWasFaster):  # then the next try will say it
            if self._has_come(self._register.request(task.subject_id)):
                self._book(task).escalate(task.subject_id, task.system, reason=NOT_ANSWERING)
            elif _is_told(task.attempts):
                self._book(task).record_unavailable(
                    task.subject_id,
                    task.system,
                    attempt=task.attempts,
                    next_try_at=self._clock() + timedelta(seconds=put_off.seconds),
                    reason=error.reason,
                )

    def _has_come(self, request: DataSubjectRequest) -> bool:
        """Whether the day to aim for is here, or what was to be done at once was not."""
        today = received_on(self._clock(), request.country)
        if request.act_by is not None and today > request.act_by:
            return True
        return today >= request.aim_on(today)

    def _wait_for_settings(self, task: Task, error: NotSetUp) -> None:
        """The case says what the operator has to do; once that is done it goes on by itself."""
        log.error("system_not_set_up", reason=error.reason)
        seconds = min(pause(task.attempts), ASK_ABOUT_SETTINGS_SECONDS)
        self._tasks.put_off(task, seconds=seconds, reason=NOT_SET_UP)
        with suppress(SomebodyWasFaster):
            if task.kind in HOLD_KINDS:
                self._holds.ask_person(task.subject_id, reason=NOT_SET_UP)
            elif task.kind not in WITHOUT_REQUEST:
                self._book(task).escalate(task.subject_id, task.named_system, reason=NOT_SET_UP)

    def _not_now(self, task: Task, error: NotAllowedNow) -> None:
        """Something else has to be decided first; what no system waits for waits by itself."""
        if task.system is not None:
            self._give_up(task, "refused", error)
            return
        log.warning("task_waits", reason=type(error).__name__)
        self._tasks.put_off(task, seconds=LONGEST_PAUSE, reason=type(error).__name__)

    def _give_up(self, task: Task, what: str, error: Exception) -> None:
        """A person must look: in the case if a system was asked, else in the queue itself."""
        if isinstance(error, AwaitsPerson):
            log.info("person_needed", what=what)
        else:
            log.warning(
                "task_given_up", what=what, error=type(error).__name__, reason=_reason(error)
            )
        if task.system is None or task.kind in OF_NO_CASE:
            self._tasks.park(task, reason=type(error).__name__)
            return
        try:
            if task.kind in HOLD_KINDS:
                self._holds.ask_person(task.subject_id, reason=what, task=task)
            elif task.kind in OF_INSTRUCTIONS:
                self._instructions.undeliverable(task)
            else:
                self._book(task).escalate(task.subject_id, task.system, reason=what, task=task)
        except SomebodyWasFaster:
            self._tasks.put_off(task, seconds=SHORTEST_PAUSE, reason="conflict")
        except DomainError:  # not even that can be said in the case
            self._tasks.park(task, reason=type(error).__name__)

    def _book(self, task: Task) -> Fulfilments | Restrictions:
        """Where it is written down that a system did not answer, or that a person must act."""
        return self._restrictions if task.kind in OF_RESTRICTIONS else self._fulfilments

    # What connected systems are asked

    def _find(self, task: Task) -> None:
        connector, person = self._ask(task)
        right = self._register.request(task.subject_id).right
        most = MOST_TO_ERASE if right is Right.ERASURE else MOST_RECORDS
        records = _bounded(connector.find(person), most)
        self._fulfilments.record_found(
            task.subject_id, task.named_system, records, key=task.key, task=task
        )
        if self._references.feeds(task.controller, task.named_system):
            self._tasks.hurry(reason=AWAITS_RECORDS)

    def _erase(self, task: Task) -> None:
        request = self._register.request(task.subject_id)
        connector = self._systems.connector(task.controller, task.named_system)
        treated = tuple(_to_treat(self._register.fulfilment(request.id), task.named_system))
        contents = self._vault.open_each([request.requester, *(f.content for f, _ in treated)])
        person = dossier.PERSON.validate_json(next(contents))
        results: dict[UUID, Result] = {}
        for (found, decision), content in zip(treated, contents, strict=True):
            sealed = dossier.RECORD.validate_json(content)
            result = connector.erase(
                person, _treatment(sealed.record, decision), key=f"{task.key}/{found.record_id}"
            )
            if task.attempts > 1 and result.outcome is Outcome.NOT_FOUND:
                # It was there when it was found. An earlier try erased it and was cut off before
                # that could be saved; the read-back will show whether it is gone.
                result = replace(result, outcome=Outcome.ERASED, detail="by-an-earlier-try")
            results[found.record_id] = result
        self._fulfilments.record_erased(
            task.subject_id, task.named_system, results, key=task.key, task=task
        )

    def _read_back(self, task: Task) -> None:
        connector, person = self._ask(task)
        fulfilment = self._register.fulfilment(task.subject_id)
        treated_at = fulfilment.systems[task.named_system].treated_at
        records = _bounded(connector.find(person, fresh_after=treated_at), MOST_RECORDS)
        self._fulfilments.record_read_back(
            task.subject_id, task.named_system, list(records), key=task.key, task=task
        )

    def _suppress(self, task: Task) -> None:
        connector, person = self._ask(task)
        request = self._register.request(task.subject_id)
        result = self._withdrawing.stop(
            request,
            task.named_system,
            connector,
            person,
            key=task.key,
            tried_before=task.attempts > 1,
        )
        self._fulfilments.record_done(
            task.subject_id,
            task.named_system,
            action=Action.SUPPRESS,
            outcome=result.outcome,
            reason=result.detail,
            key=task.key,
            task=task,
        )

    def _release_hold(self, task: Task) -> None:
        self._holds.release(task, self._systems)

    def _rectify(self, task: Task) -> None:
        connector = self._systems.connector(task.controller, task.named_system)
        self._rectifying.work(task, connector)

    def _restrict(self, task: Task) -> None:
        connector, person = self._ask(task)
        self._restrictions.set_at(task, connector, person)

    def _unrestrict(self, task: Task) -> None:
        connector, person = self._ask(task)
        self._restrictions.lift_at(task, connector, person)

    def _check_restriction(self, task: Task) -> None:
        self._restrictions.check(
            task, lambda system: self._systems.connector(task.controller, system)
        )

    def _check_suppressions(self, task: Task) -> None:
        self._suppressions.check(task.controller, task.named_system, self._systems)
        self._suppressions.done(task)

    def _ask(self, task: Task) -> tuple[Connector, Person]:
        request = self._register.request(task.subject_id)
        connector = self._systems.connector(task.controller, task.named_system)
        case = self._register.case(request.case_id)
        person = person_to_find(self._vault, case, request)
        if task.kind in {"find", "read-back"}:
            person = self._references.added(person, request.id, task.controller, task.named_system)
        return connector, person

    # What leaves the house

    def _tell_of_release(self, task: Task) -> None:
        self._holds.tell(task, self._mailer)

    def _send_letter(self, task: Task) -> None:
        self._register.look_at(task.subject_id)
        case = self._register.case(task.subject_id)
        letter_id = UUID(task.payload["letter"])
        if letter_id not in case.left and not self._answering.is_wanted(case, letter_id):
            self._register.save_all([], [self._tasks.done(task)])
            return
        letter = dossier.LETTER.validate_json(self._vault.open(case.letters[letter_id].text))
        if letter_id not in case.left and letter.recipient is not None:
            mail = OutgoingMail(
                key=str(letter_id),
                sender=letter.sender,
                recipient=letter.recipient,
                subject=letter.subject,
                text=letter.text,
                html=letter.html,
                kind=letter.kind,
                in_reply_to=letter.in_reply_to,
                attachments=tuple(self._enclosed(letter)),
            )
            try:
                self._mailer.send(mail)
            except Refused as error:
                self._answering.letter_failed(case.id, letter_id, reason=error.reason, task=task)
                return
        try:
            self._answering.letter_left(case.id, letter_id, how="mail", task=task)
        except NotAllowedNow as error:  # it has left: to try again would send it again
            self._give_up(task, "refused", error)

    def _enclosed(self, letter: dossier.SealedLetter) -> Iterator[Attachment]:
        for ref in letter.documents:
            sealed = dossier.DOCUMENT.validate_json(self._vault.open(ref))
            yield Attachment(sealed.name, sealed.media_type, sealed.content)


_LETTERS = frozenset({"send-letter", TELL})


def pause(attempts: int) -> float:
    """Seconds until the next try: doubling, from two seconds to an hour."""
    doublings = min(max(0, attempts - 1), 20)  # a system that is away for weeks overflows nothing
    return min(LONGEST_PAUSE, SHORTEST_PAUSE * 2.0**doublings)


def _is_told(attempts: int) -> bool:
    return attempts <= EVERY_TRY_TOLD or attempts & (attempts - 1) == 0


def _reason(error: Exception) -> str:
    """A connector's words hold a template and a status; anybody else's may quote somebody."""
    return error.reason if isinstance(error, Refused) else ""


def _bounded(records: Iterator[Record], most: int) -> Iterator[Record]:
    for number, record in enumerate(records):
        if number == most:
            raise Refused(f"more than {most} records for one person")
        yield record


def _to_treat(fulfilment: Fulfilment, system: str) -> Iterator[tuple[FoundRecord, RecordDecision]]:
    """In the order in which the system was found to hold them, which connectors rely on."""
    state = fulfilment.systems[system]
    decisions = {decision.record_id: decision for decision in state.decisions}
    for found in state.found:
        decision = decisions.get(found.record_id)
        if decision is not None and decision.touches_the_system:
            yield found, decision


def _treatment(record: Record, decision: RecordDecision) -> Treatment:
    return Treatment(
        key=record.key,
        kind=record.kind,
        anonymise=decision.decision is Decision.ANONYMISE,
        keep_fields=decision.keep_fields,
    )
