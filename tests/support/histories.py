"""Random histories: cases that live through whatever the aggregates allow, saved as they go."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

from eventsourcing.persistence import JSONTranscoder

import domain.balancing
import domain.case
import domain.folder
import domain.looks
import domain.rectification
import domain.request_state
import domain.restriction
import domain.values
from adapters.outbound.database import Database
from adapters.outbound.log_source import LogSource
from adapters.outbound.recorder import LogReader, log_environment
from adapters.outbound.transcodings import register_all
from domain.aggregate import Aggregate
from domain.calendar import load_calendar
from domain.case import Case
from domain.deadlines import Deadlines, act_by, deadlines, received_on
from domain.errors import DomainError
from domain.fulfilment import Fulfilment, SystemStatus
from domain.hold import Hold
from domain.instruction import Contract, InstructionPurpose, Said, Verb, Via
from domain.personal import PersonalRef
from domain.request import DataSubjectRequest, PauseReason, RefusalGround, Status
from domain.values import (
    FoundRecord,
    LetterSent,
    PlannedSystem,
    QueuedLetter,
    RecordDecision,
    RecordOutcome,
    Told,
)
from domain.vocabulary import (
    Action,
    Channel,
    Compartment,
    Country,
    Decision,
    Delivery,
    IdentifierKind,
    IdentityMethod,
    Language,
    LetterKind,
    Match,
    Outcome,
    ReceiptSource,
    Right,
    Role,
    TriageKind,
    Unidentified,
)
from services.register import Register
from tests.support.clicks import Clicks
from tests.support.curious import Curious
from tests.support.overseen import Overseen
from tests.support.past import COMPLEX_AND_MANY
from tests.support.tellings import Tellings

BEGIN = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
CONTROLLERS = {"concert-hall": Country.NO, "tour-operator": Country.SE}
RIGHTS = (Right.ACCESS, Right.ERASURE, Right.RECTIFICATION, Right.OBJECTION_TO_MARKETING)
SYSTEMS = (
    PlannedSystem("tickets", Role.PROCESSOR, Delivery.CONNECTOR, "tickets", Action.FIND),
    PlannedSystem("mailing", Role.PROCESSOR, Delivery.CONNECTOR, "mailing", Action.FIND),
    PlannedSystem("archive", Role.INTERNAL, Delivery.PERSON, "manual", Action.FIND),
)


def teach(transcoder: JSONTranscoder) -> None:
    modules = (
        domain.balancing,
        domain.case,
        domain.rectification,
        domain.request_state,
        domain.folder,
        domain.looks,
        domain.restriction,
        domain.values,
    )
    kinds = [
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type)
        and kind.__module__ == module.__name__
        and not issubclass(kind, Aggregate)
    ]
    register_all(transcoder, Deadlines, *kinds, *(Contract, InstructionPurpose, Said, Verb, Via))


@contextmanager
def opened_register(database: Database) -> Iterator[Register]:
    with Register(log_environment(database), teach) as register:
        yield register


def source_of(database: Database, register: Register) -> LogSource:
    return LogSource(LogReader(database), register.mapper)


class History:
    """Drives many cases at once, one random command after the other, with a clock of its own."""

    def __init__(
        self,
        seed: int,
        save: Callable[[Sequence[Aggregate]], object],
        controllers: Mapping[str, Country] = CONTROLLERS,
    ) -> None:
        self.chance, self._save = random.Random(seed), save
        self._controllers = controllers
        self.at = BEGIN
        self.cases: list[Case] = []
        self.requests: list[DataSubjectRequest] = []
        self.fulfilments: dict[UUID, Fulfilment] = {}
        self.holds: list[Hold] = []
        self._overseen, self._clicks = Overseen(seed), Clicks(seed, list(CONTROLLERS))
        self._curious, self._tellings = Curious(seed), Tellings(seed)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.step()

    def step(self) -> None:
        """One command to one aggregate; what its rules refuse does not happen."""
        self.at += timedelta(minutes=self.chance.randint(1, 90))
        deeds = [self._arrive, self._case, self._request, self._fulfilment, self._hold]
        (deed,) = self.chance.choices(deeds, [1, 4, 11, 11, 1])
        self._try(deed)
        self._try(lambda: self._overseen.step(self.requests[-60:], self.at))
        self._try(lambda: self._clicks.step(self.at))
        self._try(lambda: self._curious.step(self.cases[-40:], self.at))
        self._try(lambda: self._tellings.step(self.requests[-60:], self.at))

    def _try(self, deed: Callable[[], Sequence[Aggregate]]) -> None:
        try:
            changed = deed()
        except DomainError:
            return
        if saved := [aggregate for aggregate in changed if aggregate.pending_events]:
            self._save(saved)

    def ref(self) -> PersonalRef:
        return PersonalRef(self.uuid())

    def uuid(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128), version=4)

    # Cases

    def _arrive(self) -> Sequence[Aggregate]:
        case = Case(
            id=self.uuid(),
            controller=self.chance.choice(list(self._controllers)),
            channel=Channel.MAIL,
            received_at=self.at - timedelta(hours=1),
            receipt_source=ReceiptSource.RECEIVED_HEADER,
            message=self.ref(),
            attachments=(),
            proposed_kind=self.chance.choice([TriageKind.RIGHTS_REQUEST, TriageKind.UNCLEAR]),
            proposed_rights=(Right.ACCESS,),
            proposed_language=Language.NB,
            evidence=(),
            certain=self.chance.random() < 0.7,
            timestamp=self.at,
        )
        self.cases.append(case)
        return [case]

    def _case(self) -> Sequence[Aggregate]:
        if not self.cases:
            return []
        case = self.chance.choice(self.cases[-40:])
        deed = self.chance.randrange(6)
        if deed < 2:
            rights = tuple(self.chance.sample(RIGHTS, self.chance.randint(1, 2)))
            case.confirm(
                rights=rights, language=Language.SV, person=self.ref(), by="staff-1", at=self.at
            )
            self._queue(case, LetterKind.ACKNOWLEDGEMENT, case.request_ids)
            requests = [self._received(case, right) for right in case.rights]
            self.requests += requests
            return [case, *requests]
        if deed == 2:
            case.set_aside(kind=TriageKind.SPAM, by="staff-1", at=self.at)
        elif deed == 3:
            case.add_message(message=self.ref(), received_at=self.at, at=self.at)
        elif case.letters:
            letter_id = self.chance.choice(list(case.letters))
            if deed == 4:
                case.letter_left(letter_id=letter_id, how="mail", at=self.at)
            elif letter_id not in case.left:
                case.letter_failed(letter_id=letter_id, reason="refused-by-relay", at=self.at)
        return [case]

    def _queue(self, case: Case, kind: LetterKind, requests: tuple[UUID, ...]) -> None:
        letter = QueuedLetter(
            id=self.uuid(),
            kind=kind,
            text=self.ref(),
            requests=requests,
            printed=self.chance.random() < 0.3,
        )
        case.queue_letter(letter=letter, at=self.at)

    def _received(self, case: Case, right: Right) -> DataSubjectRequest:
        country = self._controllers[case.controller]
        calendar, day = load_calendar(country), received_on(case.received_at, country)
        return DataSubjectRequest(
            case_id=case.id,
            controller=case.controller,
            profile_version="1",
            country=country,
            right=right,
            channel=case.channel,
            language=case.language,
            requester=self.ref(),
            received_at=case.received_at,
            received_on=day,
            promise_days=30,
            dates=deadlines(day, calendar, 30, statutory=right.is_statutory),
            act_by=act_by(day, calendar) if right.acts_at_once else None,
            not_in_policy=False,
            timestamp=self.at,
        )

    # Requests

    def _request(self) -> Sequence[Aggregate]:
        if not self.requests:
            return []
        request = self.chance.choice(self.requests[-60:])
        by, at, calendar = "staff-2", self.at, load_calendar(request.country)
        today = received_on(at, request.country)
        rarely: list[Callable[[], object]] = [
            lambda: request.withdraw(at=at),
            lambda: request.refer(to="ombudsman", by=by, at=at),
            lambda: request.reclassify(
                right=self.chance.choice(RIGHTS), controller=request.controller, by=by, at=at
            ),
            lambda: request.fetch_answer(at=at),
            lambda: request.correct_receipt(
                received_at=request.received_at - timedelta(days=1),
                received_on=request.received_on - timedelta(days=1),
                calendar=calendar,
                reason="found-earlier-copy",
                by=by,
                at=at,
            ),
            lambda: request.refuse(
                ground=RefusalGround.CANNOT_IDENTIFY,
                reasons=self.ref(),
                shown=Unidentified.NOTHING_MORE,
                proof=self.ref(),
                by=by,
                at=at,
            ),
            lambda: request.extend_deadline(
                reasons=COMPLEX_AND_MANY,
                notice=self.ref(),
                notice_sent_on=today,
                calendar=calendar,
                by=by,
                at=at,
            ),
            lambda: request.fail_delivery(reason="bounced", at=at),
            lambda: request.reopen(reason="new-question", by=by, at=at),
            lambda: request.destroy_content(compartment=Compartment.UPLOAD, at=at),
        ]
        often: list[Callable[[], object]] = [
            lambda: request.assign(to=self.chance.choice(["staff-1", "staff-2"]), by=by, at=at),
            lambda: request.open_pause(reason=PauseReason.SCOPE, on=today, at=at),
            lambda: request.end_pause(reason=PauseReason.SCOPE, on=today, calendar=calendar, at=at),
            lambda: request.miss(today=today, at=at),
            lambda: request.remind(reminder="half-time", on=today, at=at),
        ]
        if self.chance.random() < 0.12:
            self.chance.choice(rarely)()
            return [request]
        if self.chance.random() < 0.25:
            self.chance.choice(often)()
            return [request]
        return self._next_step(request, by)

    def _next_step(self, request: DataSubjectRequest, by: str) -> Sequence[Aggregate]:
        at = self.at
        match request.status:
            case Status.RECEIVED if request.right.acts_at_once:
                request.waive_verification(reason="stops-marketing-only", at=at)
            case Status.RECEIVED if request.identity_requested_at is None:
                method = IdentityMethod.CODE_TO_ADDRESS
                request.request_identity(method=method, reason="unknown-sender", at=at)
            case Status.RECEIVED:
                request.verify_identity(
                    method=IdentityMethod.CODE_TO_ADDRESS, person=self.ref(), at=at
                )
            case Status.VERIFIED if request.id not in self.fulfilments:
                return [request, self._planned(request)]
            case Status.VERIFIED if self.fulfilments[request.id].all_found:
                request.collect_data(found=self.fulfilments[request.id].found, at=at)
            case Status.COLLECTED if request.undecided_matches:
                record_id = request.undecided_matches[0].record_id
                decide = self.chance.choice([request.confirm_match, request.reject_match])
                decide(record_id=record_id, reason="phoned", by=by, at=at)
            case Status.COLLECTED:
                return self._approve(request, by)
            case Status.APPROVED | Status.REFUSED:
                sent = LetterSent(LetterKind.ANSWER, "mail", self.ref(), tuple(Outcome))
                request.send_answer(sent=sent, profile_version="1", at=at)
            case Status.ANSWERED:
                request.fulfil(outcomes=(), at=at)
            case Status.FULFILLED | Status.REFERRED | Status.WITHDRAWN:
                request.close(at=at, by=by)
        return [request]

    def _planned(self, request: DataSubjectRequest) -> Fulfilment:
        action = Action.SUPPRESS if request.right.acts_at_once else Action.FIND
        fulfilment = Fulfilment(
            request_id=request.id,
            case_id=request.case_id,
            controller=request.controller,
            profile_version="1",
            systems=tuple(dataclasses.replace(system, action=action) for system in SYSTEMS),
            timestamp=self.at,
        )
        self.fulfilments[request.id] = fulfilment
        return fulfilment

    def _approve(self, request: DataSubjectRequest, by: str) -> Sequence[Aggregate]:
        decisions = tuple(
            RecordDecision(record.record_id, Decision.ERASE, "nothing-keeps-it")
            for record in request.own_records
        )
        request.approve(decisions=decisions, profile_version="1", by=by, at=self.at)
        case = next(case for case in self.cases if case.id == request.case_id)
        self._queue(case, LetterKind.ANSWER, (request.id,))
        fulfilment = self.fulfilments[request.id]
        if request.right is not Right.ERASURE:
            return [request, case]
        for state in list(fulfilment.systems.values()):
            held = {record.record_id for record in state.found}
            mine = tuple(decision for decision in decisions if decision.record_id in held)
            if mine:
                fulfilment.instruct(
                    system=state.plan.system, action=Action.ERASE, decisions=mine, at=self.at
                )
        hold = Hold(
            request_id=request.id,
            case_id=request.case_id,
            controller=request.controller,
            system="tickets",
            category="orders",
            ground="no.bokforing.primary",
            release_on=self.at.date(),
            records=(self.uuid(),),
            keys=self.ref(),
            by=by,
            timestamp=self.at,
        )
        known = any(hold.id == other.id for other in self.holds)
        if not known:
            self.holds.append(hold)
        return [request, case, fulfilment, *([] if known else [hold])]

    # Systems

    def _fulfilment(self) -> Sequence[Aggregate]:
        if not self.fulfilments:
            return []
        fulfilment = self.chance.choice(list(self.fulfilments.values())[-40:])
        state = self.chance.choice(list(fulfilment.systems.values()))
        system, key, at = state.plan.system, self.uuid().hex, self.at
        trouble = self.chance.random()
        if trouble < 0.08:
            fulfilment.record_unavailable(
                system=system,
                attempt=state.attempts + 1,
                next_try_at=at + timedelta(minutes=5),
                reason="timeout",
                at=at,
            )
        elif trouble < 0.12:
            fulfilment.escalate(system=system, reason="refused", at=at)
        elif trouble < 0.14:
            fulfilment.wait_for_vendor(system=system, not_before=at + timedelta(days=3), at=at)
        elif trouble < 0.16:
            fulfilment.tell_recipient(told=Told("organiser", Outcome.INFORMED), at=at)
        elif state.status is SystemStatus.TREATED:
            fulfilment.read_back(system=system, key=key, remaining={}, at=at)
        elif state.action is Action.FIND and state.status is not SystemStatus.FOUND:
            found = tuple(self._found(system) for _ in range(self.chance.randint(1, 3)))
            fulfilment.record_found(system=system, key=key, found=found, at=at)
        elif state.action is Action.ERASE and state.status is not SystemStatus.DONE:
            outcomes = tuple(
                RecordOutcome(decision.record_id, Outcome.ERASED) for decision in state.decisions
            )
            fulfilment.record_erased(system=system, key=key, outcomes=outcomes, at=at)
        elif state.action is Action.SUPPRESS and state.status is not SystemStatus.DONE:
            fulfilment.record_done(
                system=system, key=key, action=Action.SUPPRESS, outcome=Outcome.SUPPRESSED, at=at
            )
        elif fulfilment.all_done and self._is_decided(fulfilment):
            fulfilment.complete(at=at)
        return [fulfilment]

    def _is_decided(self, fulfilment: Fulfilment) -> bool:
        request = next(one for one in self.requests if one.id == fulfilment.request_id)
        return request.right.acts_at_once or request.status is Status.APPROVED

    def _found(self, system: str) -> FoundRecord:
        return FoundRecord(
            record_id=self.uuid(),
            system=system,
            kind="order",
            category="orders",
            match=self.chance.choice([Match.VERIFIED_IDENTIFIER, Match.SAME_NAME]),
            matched_by=IdentifierKind.EMAIL,
            content=self.ref(),
            digest=self.uuid().hex,
        )

    # Holds

    def _hold(self) -> Sequence[Aggregate]:
        if not self.holds:
            return self._claim()
        hold = self.chance.choice(self.holds)
        if hold.released_on is None and hold.release_on is None:
            hold.state_end(until=self.at.date(), reason=self.ref(), by="anna", at=self.at)
        elif hold.released_on is None:
            hold.release(on=self.at.date(), at=self.at)
        elif not hold.erased:
            hold.erase_at_release(at=self.at)
        else:
            hold.tell_subject(at=self.at)
        return [hold]

    def _claim(self) -> Sequence[Aggregate]:
        """A claim is made before anything is decided; without chance, so that the rest stays."""
        if not self.requests:
            return []
        request = self.requests[-1]
        hold = Hold(
            request_id=request.id,
            case_id=request.case_id,
            controller=request.controller,
            system="tickets",
            category="orders",
            ground="legal_claim",
            release_on=None,
            records=(request.id,),
            keys=PersonalRef(request.id),
            by="anna",
            reason=PersonalRef(request.case_id),
            owner="berit",
            review_on=self.at.date() + timedelta(days=90),
            timestamp=self.at,
        )
        self.holds.append(hold)
        return [hold]
