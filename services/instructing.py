"""Instructing: systems that are told and answer later; what they are told, see, and answer.

The worker's task becomes an instruction, in one save with its tokens and its delivery. Every door
brings its receipts here: each has one effect, or is refused with words that say what to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog

from domain.aggregate import Aggregate
from domain.deadlines import received_on
from domain.errors import DomainError
from domain.instruction import (
    NOT_ANSWERED,
    ClaimEnded,
    Contract,
    InstructedRecord,
    InstructedRecords,
    Instruction,
    InstructionPurpose,
    Said,
    Taken,
    Verb,
    Via,
    instruction_id,
)
from domain.many import gathered
from domain.request import DataSubjectRequest, Status
from domain.staff import MACHINE, human
from domain.vocabulary import Action, Outcome
from services import dossier
from services.controllers import Controllers
from services.fulfilment import Fulfilments, person_of
from services.golden import golden_person, strangers
from services.holds import RELEASE
from services.instructed import (
    VERBS,
    awaits,
    is_stop,
    last_told,
    look_at,
    results_of,
    what_is_asked,
)
from services.instruction_ledger import InstructionLedger, Line
from services.numbers import person_to_find
from services.ports import (
    Also,
    Clock,
    Correction,
    Person,
    Record,
    Refused,
    Task,
    Tasks,
    Vault,
)
from services.receipts_of_systems import RECEIPT, Receipt, as_records, require_sense
from services.rectifying import Rectifying
from services.register import Along, MakeAlong, Register, UnknownHere, again_on_conflict
from services.restricting import Restrictions
from services.system_tokens import SystemTokens, Token
from services.told_holds import ToldHolds
from services.told_stops import Doubted, Next, ToldStops
from services.withdrawing import Withdrawing

TOLD_KINDS = frozenset({*VERBS, RELEASE})
"""The tasks for which a system may be told, and answer later."""

DELIVER = "deliver"
"""The kind of the task that brings an instruction to where it is not fetched from the log."""

_SEARCHABLE = frozenset({Status.VERIFIED, Status.COLLECTED})
OF_RESTRICTIONS = frozenset({Verb.RESTRICT, Verb.UNRESTRICT})

RELEASED_WITHIN = timedelta(days=30)
"""No law says how soon what was kept goes after its last day: as soon as a person is answered."""
CLAIM_FOR = timedelta(days=100)
"""As long as topics keep an instruction; longer than the longest time to answer (Art. 12(3))."""
TRIED_FOR = timedelta(days=1)
MOST_CHASED = 2
NOT_ANSWERING = "told-and-not-answering"
NOT_DELIVERED = "told-and-not-delivered"
NEEDS_PERSON = "told-and-needs-a-person"
OVERTAKEN = "answered-under-another-id"
NOT_WANTED = "not-wanted-any-more"
TIME_IS_OVER = "time-is-over"
PUT_OFF_IS_OVER = "put-off-is-over"

log = structlog.get_logger()


class NotTheirs(UnknownHere):
    """Another system's instruction: for whoever asks it is not there."""


@dataclass(frozen=True, slots=True)
class ClaimedRecord:
    """A record as its own system knows it, and what is to become of it."""

    instructed: InstructedRecord
    key: str


@dataclass(frozen=True, slots=True)
class Claim:
    """Whom an instruction is about. Personal data: shown to the system, and kept nowhere."""

    instruction: Instruction
    person: Person
    records: tuple[ClaimedRecord, ...] = ()
    corrections: tuple[Correction, ...] = ()


class Deliverer(Protocol):
    """Brings an instruction to a system that neither follows the log nor comes to ask."""

    def deliver(self, task: Task, instruction: Instruction) -> None:
        """Tell it, and finish the task; raises `Unavailable`, `Refused` or `NotSetUp`."""
        ...


class Instructions:
    """What connected systems are told, from the worker's task to the receipt."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        tasks: Tasks,
        controllers: Controllers,
        fulfilments: Fulfilments,
        rectifying: Rectifying,
        restrictions: Restrictions,
        holds: ToldHolds,
        withdrawing: Withdrawing,
        ledger: InstructionLedger,
        tokens: SystemTokens,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._tasks = register, vault, tasks
        self._controllers, self._fulfilments = controllers, fulfilments
        self._rectifying, self._restrictions = rectifying, restrictions
        self._holds, self._stops = holds, ToldStops(vault, withdrawing)
        self._ledger, self._tokens, self._clock = ledger, tokens, clock
        self._deliverers: dict[Contract, Deliverer] = {}

    def deliver_by(self, contract: Contract, deliverer: Deliverer) -> None:
        """Who brings it to systems that are told so: deliverers need to know what they bring."""
        self._deliverers[contract] = deliverer

    # Told

    def give(self, task: Task) -> UUID:
        """Tell a system what a task is about. The same task again gives the same instruction."""
        return self._release(task) if task.kind == RELEASE else self._ask(task)

    @again_on_conflict
    def _release(self, task: Task) -> UUID:
        """What a hold's system has to do next, with the keys that the hold itself keeps."""
        now = self._clock()
        hold = self._register.hold(task.subject_id)
        request = self._register.request(hold.request_id)
        verb = self._holds.verb(hold)
        due_on = received_on(now, request.country) + RELEASED_WITHIN
        instruction = Instruction(
            controller=hold.controller,
            system=hold.system,
            delivery=self._contract(hold.controller, hold.system),
            verb=verb,
            purpose=InstructionPurpose.REQUEST,
            request_id=hold.request_id,
            case_id=hold.case_id,
            right=request.right,
            key=task.key,
            due_on=due_on,
            ends_at=now + CLAIM_FOR,
            erased_before=None,
            records=self._holds.records(hold) if verb is Verb.ERASE else (),
            hold_id=hold.id,
            timestamp=now,
        )
        if self._register.find_instruction(instruction.id) is not None:
            self._register.save_all([], [self._tasks.done(task)])
            return instruction.id
        person = self._holds.person(hold)
        also = [self._tasks.done(task), *self._given(instruction, person, now)]
        self._register.save_all([instruction], also)
        log.info("instruction_given", instruction=str(instruction.id), verb=verb.value)
        return instruction.id

    @again_on_conflict
    def _ask(self, task: Task) -> UUID:
        with self._register.alone_with(task.subject_id):
            now = self._clock()
            given = instruction_id(task.key)
            if self._register.find_instruction(given) is not None:
                self._register.save_all([], [self._tasks.done(task)])
                return given
            request = self._register.request(task.subject_id)
            case = self._register.case(request.case_id)
            verb = VERBS[task.kind]
            instruction = Instruction(
                controller=task.controller,
                system=task.named_system,
                delivery=self._contract(task.controller, task.named_system),
                verb=verb,
                purpose=InstructionPurpose.REQUEST,
                request_id=request.id,
                case_id=request.case_id,
                right=request.right,
                key=task.key,
                due_on=request.act_by or request.aim_on(received_on(now, request.country)),
                ends_at=now + CLAIM_FOR,
                erased_before=None,
                records=self._records(request, task.named_system, verb),
                timestamp=now,
            )
            person = person_to_find(self._vault, case, request)
            also = [self._tasks.done(task), *self._given(instruction, person, now)]
            self._register.save_all([instruction], also)
            log.info("instruction_given", instruction=str(given), verb=verb.value)
            return given

    @again_on_conflict
    def try_out(self, controller: str, system: str, *, of: UUID) -> tuple[UUID, ...]:
        """Tell a system to look for a person who is made up, twice: it counts nowhere."""
        now = self._clock()
        known = self._controllers.in_force(controller).system(system)
        person = golden_person(known)
        given: list[Instruction] = []
        also: list[Also] = []
        for verb in (Verb.FIND, Verb.READ_BACK):
            instruction = Instruction(
                controller=controller,
                system=system,
                delivery=self._contract(controller, system),
                verb=verb,
                purpose=InstructionPurpose.TEST,
                request_id=None,
                case_id=None,
                right=None,
                key=f"try/{of}/{verb.value}",
                due_on=now.date(),
                ends_at=now + TRIED_FOR,
                erased_before=None,
                records=(),
                timestamp=now,
            )
            given.append(instruction)
            also += self._given(instruction, person, now)
        self._register.save_all(given, also)
        return tuple(one.id for one in given)

    def tried(self, controller: str, system: str) -> tuple[Instruction, ...]:
        """What a system was told when it was tried last, the search first; nothing if never."""
        found = self._ledger.newest_trial(controller, system)
        tried = [self._register.instruction(one) for one in found]
        return tuple(sorted(tried, key=lambda one: one.verb is not Verb.FIND))

    def tell_again(self, instruction: Instruction, tokens: Sequence[Token], noted: Also) -> None:
        """An old erasure, to a restored system by the tokens of then; once under its id."""
        if self._register.find_instruction(instruction.id) is None:
            also = self._ledger.given(instruction, tokens, look_at=look_at(instruction))
            brought = self._delivery(instruction, instruction.given_at)
            self._register.save_all([instruction], [*also, noted, *brought])

    def _given(self, instruction: Instruction, person: Person, now: datetime) -> list[Also]:
        """The ledger's line, its tokens, and what brings it there, in the save of its beginning."""
        tokens = self._tokens.of(instruction.controller, instruction.system, person.identifiers)
        also = list(self._ledger.given(instruction, tokens, look_at=look_at(instruction)))
        return [*also, *self._delivery(instruction, now)]

    def _delivery(self, instruction: Instruction, now: datetime) -> list[Also]:
        if not instruction.delivery.is_delivered:
            return []
        task = Task(
            key=f"{instruction.id}/{DELIVER}/{instruction.repeats}",
            kind=DELIVER,
            subject_id=instruction.id,
            due_at=now,
            controller=instruction.controller,
            system=instruction.system,
        )
        return [self._tasks.add(task)]

    def deliver(self, task: Task) -> None:
        """Bring it there, unless it has been answered or is over by now."""
        instruction = self._register.instruction(task.subject_id)
        if not instruction.may_be_fetched(self._clock()) or not self._is_wanted(instruction):
            self._register.save_all([], [self._tasks.done(task)])
            return
        deliverer = self._deliverers.get(instruction.delivery)
        if deliverer is None:
            raise Refused(f"nothing here delivers by {instruction.delivery.value}")
        deliverer.deliver(task, instruction)

    @again_on_conflict
    def undeliverable(self, task: Task) -> None:
        """Nobody there takes it: a person has to see to the address, and have it told again."""
        instruction = self._register.instruction(task.subject_id)
        if self._is_wanted(instruction):
            self._escalate(instruction, NOT_DELIVERED)
        instruction = self._register.instruction(task.subject_id)
        instruction.escalate(reason=NOT_DELIVERED, at=self._clock())
        also = [self._changed(instruction), self._tasks.done(task)]
        self._register.save_all([instruction], also)

    @again_on_conflict
    def again(self, given: UUID, *, by: str) -> None:
        """Tell it once more, because somebody wants it: under the same id, so it acts once."""
        instruction = self._register.instruction(given)
        now = self._clock()
        if not self._is_wanted(instruction):
            raise ClaimEnded("nobody waits for an answer to this instruction any more")
        instruction.repeat(by=human(by), reason="asked-for", at=now)
        self._register.save_all([instruction], self._told_again(instruction, now))

    def _told_again(self, instruction: Instruction, now: datetime) -> list[Also]:
        return [self._changed(instruction), *self._delivery(instruction, now)]

    def _contract(self, controller: str, system: str) -> Contract:
        profile = self._controllers.in_force(controller)
        try:
            return Contract(profile.system(system).connector)
        except ValueError:
            raise Refused(f"system {system} is not one that is told") from None

    def _records(self, request: DataSubjectRequest, system: str, verb: Verb) -> InstructedRecords:
        if verb is Verb.ERASE:
            state = self._register.fulfilment(request.id).systems[system]
            kinds = {found.record_id: found.kind for found in state.found}
            return gathered(
                InstructedRecord(d.record_id, kinds[d.record_id], d.decision, d.keep_fields)
                for d in state.decisions
                if d.touches_the_system
            )
        return ()

    # Fetched

    @again_on_conflict
    def claim(self, given: UUID, *, by: str, controller: str, system: str) -> Claim:
        """Whom it is about, for the system itself: recorded first, and as often as it needs."""
        instruction = self._theirs(given, controller, system)
        now = self._clock()
        if not instruction.may_be_fetched(now) or not self._is_wanted(instruction):
            raise ClaimEnded("this instruction has been answered or is over: nothing to fetch")
        claim = self._shown(instruction)
        instruction.fetch(by=by, at=now)
        self._register.save_all([instruction], [self._changed(instruction)])
        return replace(claim, instruction=instruction)

    def theirs(self, given: UUID, *, controller: str, system: str) -> Instruction:
        """The instruction without anything personal, if it is this system's."""
        return self._theirs(given, controller, system)

    def told(self, request_id: UUID) -> Mapping[str, Instruction]:
        """What is waited for on behalf of a request, by system: the newest where there are two."""
        found = map(self._register.instruction, self._ledger.open_of_request(request_id))
        return {
            one.system: one
            for one in found
            if one.verb not in OF_RESTRICTIONS and one.hold_id is None
        }

    def open_of(
        self, controller: str, system: str, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> tuple[Line, ...]:
        return self._ledger.open_of(controller, system, after=after, limit=limit)

    def _shown(self, instruction: Instruction) -> Claim:
        person = self._about(instruction)
        if instruction.verb not in {Verb.ERASE, Verb.RECTIFY}:
            return Claim(instruction, person)
        if instruction.hold_id is not None:
            keys = self._holds.keys(self._register.hold(instruction.hold_id))
            held = (ClaimedRecord(one, keys[one.record_id].key) for one in instruction.records)
            return Claim(instruction, person, tuple(held))
        if instruction.sealed is not None:
            stopped = self._stops.keys(instruction.sealed)
            ending = (ClaimedRecord(one, stopped[one.record_id]) for one in instruction.records)
            return Claim(instruction, person, tuple(ending))
        request = self._request(instruction)
        if instruction.verb is Verb.RECTIFY:
            corrections = self._rectifying.to_write(request, instruction.system)
            return Claim(instruction, person, corrections=tuple(corrections.values()))
        state = self._register.fulfilment(request.id).systems[instruction.system]
        contents = {found.record_id: found.content for found in state.found}
        sealed = self._vault.open_each(contents[one.record_id] for one in instruction.records)
        return Claim(
            instruction,
            person,
            tuple(
                ClaimedRecord(one, dossier.RECORD.validate_json(content).record.key)
                for one, content in zip(instruction.records, sealed, strict=True)
            ),
        )

    def _about(self, instruction: Instruction) -> Person:
        if instruction.purpose is InstructionPurpose.TEST:
            profile = self._controllers.in_force(instruction.controller)
            return golden_person(profile.system(instruction.system))
        if instruction.hold_id is not None:
            return self._holds.person(self._register.hold(instruction.hold_id))
        if instruction.purpose is InstructionPurpose.REPLAY:
            raise ClaimEnded("nobody knows any more who this is: the tokens are all there is")
        request = self._request(instruction)
        if instruction.verb in {Verb.FIND, Verb.READ_BACK}:
            case = self._register.case(request.case_id)
            return person_to_find(self._vault, case, request)
        return person_of(self._vault, request)

    def _request(self, instruction: Instruction) -> DataSubjectRequest:
        if instruction.request_id is None:
            raise DomainError("this instruction is about no request")
        return self._register.request(instruction.request_id)

    def _theirs(self, given: UUID, controller: str, system: str) -> Instruction:
        instruction = self._register.instruction(given)
        if (instruction.controller, instruction.system) != (controller, system):
            raise NotTheirs("there is no such instruction for this system")
        return instruction

    # Answered

    def answer(self, receipt: Receipt, *, controller: str, system: str, via: Via) -> Taken:
        """What a system answers has one effect. The same receipt again has none, nor a late one.

        Raises `UnknownHere` (`NotTheirs` for another's), or `DomainError` with what to do.
        """
        while True:
            instruction = self._theirs(receipt.instruction, controller, system)
            if receipt.id in instruction.receipts:
                return Taken.AGAIN
            require_sense(receipt, instruction)
            if not instruction.is_open or not self._is_wanted(instruction):
                return self._recorded_late(receipt, via)
            try:
                self._take(receipt, instruction, via)
            except _Overtaken:
                continue
            log.info(
                "instruction_answered",
                instruction=str(instruction.id),
                outcome=receipt.outcome.value,
                via=via.value,
            )
            return Taken.NEW

    @again_on_conflict
    def _recorded_late(self, receipt: Receipt, via: Via) -> Taken:
        """Somebody was faster, or nobody waits any more: written down, and nothing else."""
        instruction = self._register.instruction(receipt.instruction)
        now = self._clock()
        if receipt.outcome is Said.TRY_LATER:
            return Taken.LATE
        taken = self._answered(instruction, receipt, via, wanted=False, at=now)
        self._register.save_all([instruction])
        return taken

    def _take(self, receipt: Receipt, instruction: Instruction, via: Via) -> None:
        if receipt.outcome is Said.TRY_LATER:
            self._put_off(receipt, via)
            return

        def along() -> Along:
            """The receipt on its instruction, in whichever save its effect has."""
            now = self._clock()
            taken = self._register.instruction(instruction.id)
            if self._answered(taken, receipt, via, wanted=True, at=now) is not Taken.NEW:
                raise _Overtaken
            others = self._same(taken)
            for other in others:
                other.end(reason=OVERTAKEN, at=now)
            changed: list[Aggregate] = [taken, *others]
            return Along(changed, [self._changed(one) for one in (taken, *others)])

        self._have_effect(receipt, instruction, along)

    def _have_effect(self, receipt: Receipt, instruction: Instruction, along: MakeAlong) -> None:
        if instruction.request_id is None:  # a trial changes nothing anywhere
            self._register.save_all(*along())
            return
        if instruction.hold_id is not None:
            self._settle_hold(receipt, instruction, along)
            return
        request = self._request(instruction)
        system, key = instruction.system, instruction.key
        if receipt.outcome is Said.NEEDS_PERSON:
            book = self._book(instruction)
            book.escalate(request.id, system, reason=NEEDS_PERSON, along=along)
            return
        records = list(as_records(receipt.found or (), self._about(instruction)))
        held = receipt.outcome is not Said.NOTHING_HELD
        if is_stop(instruction):
            self._settle_stop(receipt, instruction, records, along)
            return
        match instruction.verb:
            case Verb.FIND:
                self._fulfilments.record_found(request.id, system, records, key=key, along=along)
            case Verb.READ_BACK:
                self._fulfilments.record_read_back(
                    request.id, system, records, key=key, along=along
                )
            case Verb.ERASE:
                results = results_of(receipt, instruction)
                self._fulfilments.record_erased(request.id, system, results, key=key, along=along)
            case Verb.RECTIFY:
                self._rectifying.written(request.id, system, records, key=key, along=along)
            case Verb.RESTRICT:
                outcome = Outcome.RESTRICTED if held else Outcome.NOT_FOUND
                self._restrictions.record(request.id, system, outcome=outcome, along=along)
            case Verb.UNRESTRICT:
                self._restrictions.record_lifted(request.id, system, along=along)
            case Verb.INFORM:
                self._register.save_all(*along())

    def _settle_hold(self, receipt: Receipt, instruction: Instruction, along: MakeAlong) -> None:
        if receipt.outcome is Said.NEEDS_PERSON:
            self._holds.needs_person(instruction, reason=NEEDS_PERSON, along=along)
            return
        records = list(as_records(receipt.found or (), self._about(instruction)))
        match instruction.verb:
            case Verb.FIND:
                self._holds.found(instruction, records, along=along)
            case Verb.ERASE:
                self._holds.erased(instruction, results_of(receipt, instruction), along=along)
            case _:
                self._holds.read_back(instruction, records, along=along)

    def _settle_stop(
        self,
        receipt: Receipt,
        instruction: Instruction,
        records: list[Record],
        along: MakeAlong,
    ) -> None:
        request, system = self._request(instruction), instruction.system
        follows: Next | Doubted | Outcome
        match instruction.verb:
            case Verb.FIND:
                follows = self._stops.after_search(request, instruction, records)
            case Verb.ERASE:
                follows = self._stops.after_erasure(instruction, results_of(receipt, instruction))
            case Verb.READ_BACK:
                follows = self._stops.after_second_search(request, instruction, records)
            case _:
                held = receipt.outcome is not Said.NOTHING_HELD
                follows = self._stops.after_stop(request, instruction, held=held)
        match follows:
            case Next():
                self._ask_next(instruction, follows, along)
            case Doubted():
                self._fulfilments.escalate(request.id, system, reason=follows.reason, along=along)
            case outcome:
                self._fulfilments.record_done(
                    request.id,
                    system,
                    action=Action.SUPPRESS,
                    outcome=outcome,
                    key=instruction.key,
                    along=along,
                )

    @again_on_conflict
    def _ask_next(self, instruction: Instruction, follows: Next, along: MakeAlong) -> None:
        """The next question is in the log with the answer it follows from."""
        now = self._clock()
        following = Instruction(
            controller=instruction.controller,
            system=instruction.system,
            delivery=self._contract(instruction.controller, instruction.system),
            verb=follows.verb,
            purpose=instruction.purpose,
            request_id=instruction.request_id,
            case_id=instruction.case_id,
            right=instruction.right,
            key=f"{instruction.key}/{follows.verb.value}",
            due_on=instruction.due_on,
            ends_at=now + CLAIM_FOR,
            erased_before=None,
            records=follows.records,
            sealed=follows.sealed.ref if follows.sealed is not None else None,
            timestamp=now,
        )
        sealed = follows.sealed.also if follows.sealed is not None else ()
        given = self._given(following, self._about(following), now)
        more = along()
        self._register.save_all([*more.aggregates, following], [*more.also, *sealed, *given])

    @again_on_conflict
    def _put_off(self, receipt: Receipt, via: Via) -> None:
        assert receipt.retry_after is not None
        now = self._clock()
        instruction = self._register.instruction(receipt.instruction)
        until = now + receipt.retry_after
        if instruction.put_off(receipt=receipt.id, via=via, until=until, at=now) is Taken.NEW:
            self._register.save_all([instruction], [self._changed(instruction)])

    def _answered(
        self, instruction: Instruction, receipt: Receipt, via: Via, *, wanted: bool, at: datetime
    ) -> Taken:
        return instruction.answer(
            receipt=receipt.id,
            via=via,
            said=receipt.outcome,
            counts=receipt.counts,
            digest=self._vault.digest(instruction.id, RECEIPT.dump_json(receipt).decode()),
            wanted=wanted,
            strangers=self._strangers(instruction, receipt),
            at=at,
        )

    def _strangers(self, instruction: Instruction, receipt: Receipt) -> int:
        if instruction.purpose is not InstructionPurpose.TEST:
            return 0
        shown = (one.fields for one in receipt.found or ())
        return strangers(shown, self._about(instruction))

    def _same(self, instruction: Instruction) -> tuple[Instruction, ...]:
        """Others that are open and ask the same, because somebody had it asked anew."""
        if instruction.request_id is None:
            return ()
        ids = self._ledger.open_of_request(instruction.request_id)
        others = (self._register.instruction(one) for one in ids if one != instruction.id)
        same = what_is_asked(instruction)
        return tuple(one for one in others if what_is_asked(one) == same and one.is_open)

    # What nobody waits for any more

    def _is_wanted(self, instruction: Instruction) -> bool:
        """Whether an answer would still have an effect: the case may have gone on without it."""
        if instruction.request_id is None:
            return True
        if instruction.hold_id is not None:
            return self._holds.is_wanted(instruction)
        request = self._register.request(instruction.request_id)
        if instruction.verb in OF_RESTRICTIONS:
            return self._restrictions.awaits(
                request.id, instruction.system, lifting=instruction.verb is Verb.UNRESTRICT
            )
        if request.dropped:
            return False
        fulfilment = self._register.find_fulfilment(request.id)
        if fulfilment is None or instruction.given_at < fulfilment.planned_at:
            return False
        if is_stop(instruction):
            return fulfilment.awaits(instruction.system, Action.SUPPRESS)
        if instruction.verb is Verb.FIND and request.status not in _SEARCHABLE:
            return False
        return awaits(fulfilment, instruction)

    def keeps(self, case_id: UUID) -> bool:
        """Whether what a case holds is still to be fetched; what nobody wants any more is ended."""
        keeps = False
        for given in self._ledger.unfetched_of_case(case_id):
            instruction = self._register.instruction(given)
            if not self._is_wanted(instruction):
                self._end(given)
            elif instruction.hold_id is None:  # what a hold shows goes with the hold alone
                keeps = True
        return keeps

    @again_on_conflict
    def _end(self, given: UUID) -> None:
        instruction = self._register.instruction(given)
        instruction.end(reason=NOT_WANTED, at=self._clock())
        self._register.save_all([instruction], [self._changed(instruction)])

    # As time passes

    def overdue(self) -> int:
        """Tell again what was not answered, then a person; answers how many were looked at."""
        looked = 0
        for line in self._ledger.due(self._clock()):
            try:
                self._look_again(line.id)
            except DomainError as error:
                log.warning("instruction_waits", error=type(error).__name__)
            looked += 1
        self._ledger.forget_tokens(self._clock())
        return looked

    @again_on_conflict
    def _look_again(self, given: UUID) -> None:
        now = self._clock()
        instruction = self._register.instruction(given)
        also: list[Also] = []
        if not self._is_wanted(instruction):
            instruction.end(reason=NOT_WANTED, at=now)
        elif now >= instruction.ends_at:
            self._escalate(instruction, NOT_ANSWERING)
            instruction = self._register.instruction(given)
            instruction.end(reason=TIME_IS_OVER, at=now)
        elif instruction.put_off_until is not None and instruction.put_off_until > last_told(
            instruction
        ):
            if now < instruction.put_off_until:
                return
            instruction.repeat(by=MACHINE, reason=PUT_OFF_IS_OVER, at=now)
            also = self._delivery(instruction, now)
        elif instruction.chased < MOST_CHASED and not self._is_due(instruction, now):
            instruction.repeat(by=MACHINE, reason=NOT_ANSWERED, at=now)
            also = self._delivery(instruction, now)
        elif instruction.escalated_at is None:
            self._escalate(instruction, NOT_ANSWERING)
            instruction = self._register.instruction(given)
            instruction.escalate(reason=NOT_ANSWERING, at=now)
        self._register.save_all([instruction], [self._changed(instruction), *also])

    def _escalate(self, instruction: Instruction, reason: str) -> None:
        """On the case first: cut off after that, it is said there once all the same."""
        if instruction.hold_id is not None:
            self._holds.needs_person(instruction, reason=reason)
        elif instruction.request_id is not None:
            book = self._book(instruction)
            book.escalate(instruction.request_id, instruction.system, reason=reason)

    def _book(self, instruction: Instruction) -> Fulfilments | Restrictions:
        """Where it is written down that a person must act."""
        return self._restrictions if instruction.verb in OF_RESTRICTIONS else self._fulfilments

    def _is_due(self, instruction: Instruction, now: datetime) -> bool:
        if instruction.request_id is None:
            return False
        request = self._register.request(instruction.request_id)
        today = received_on(now, request.country)
        if instruction.hold_id is not None:
            return today >= instruction.due_on
        return (
            today > instruction.due_on
            if request.right.acts_at_once
            else (today >= instruction.due_on)
        )

    def _changed(self, instruction: Instruction) -> Also:
        return self._ledger.changed(instruction, look_at=look_at(instruction))


class _Overtaken(Exception):
    """Another receipt was taken between our look and our save."""
