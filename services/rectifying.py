"""Rectifying: claims about single fields, decided one by one, done, and read back (Art. 16).

What a field is to be, what it was and what it became are sealed; the log knows which field, why,
and how it ended. What is unnecessary goes, unless a law keeps it, and then the letter says which.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid4

from domain.aggregate import Aggregate
from domain.deadlines import received_on
from domain.decisions import ErasureGround, RecordFacts, Verdict, decide
from domain.errors import DomainError, NotAllowedNow
from domain.fulfilment import SystemStatus
from domain.personal import PersonalRef
from domain.rectification import Claim, ClaimGround, ClaimState, Rectification, Wish
from domain.request import DataSubjectRequest, Status
from domain.restriction import RestrictionGround
from domain.values import FoundRecord
from domain.vocabulary import Action, Decision, IdentifierKind, Outcome, Right
from services import dossier
from services.controllers import Controllers
from services.fulfilment import Fulfilments, person_of
from services.places import HIDDEN, hide, is_place, secrets_in
from services.planning import answer_task, task_for
from services.ports import (
    Also,
    AwaitsAnswer,
    AwaitsPerson,
    Clock,
    Connector,
    Correction,
    Identifier,
    Person,
    Record,
    Rectifies,
    Refused,
    Task,
    Tasks,
    Vault,
)
from services.recipients import tell_nobody, tell_recipients
from services.register import MakeAlong, Register, again_on_conflict
from services.restricting import Restrictions
from services.showing import places_in

RECTIFY_BY_HAND = "rectify-by-hand"
STATEMENT_NOT_HELD = "statement-not-held"
NOT_THERE = "not-there-after-rectification"


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says about one field, before it is sealed."""

    category: str
    field: str
    ground: ClaimGround
    wish: Wish
    value: str = ""
    record_id: UUID | None = None
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ClaimShown:
    """A claim with its sealed words, for whoever may read them."""

    state: ClaimState
    should_be: str = ""
    reasons: str = ""
    before: str = ""
    after: str = ""
    keeps: Verdict | None = None
    """Why a law keeps what the person wants gone, if one does."""


class Rectifying:
    """From a claim to a field that says what it should."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        tasks: Tasks,
        controllers: Controllers,
        fulfilments: Fulfilments,
        restrictions: Restrictions,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._tasks = register, vault, tasks
        self._controllers, self._fulfilments = controllers, fulfilments
        self._restrictions, self._clock = restrictions, clock

    # Claims

    @again_on_conflict
    def claim(self, request_id: UUID, said: Said, *, by: str) -> UUID:
        """Take down one claim; a contested fact is restricted until somebody has decided.

        With an id of the caller's choosing the same claim sent twice is one.
        """
        with self._register.alone_with(request_id):
            now = self._clock()
            request = self._require(request_id)
            _require_undecided(request)
            claims = self._register.find_rectification(request_id)
            claim_id = said.id or uuid4()
            if claims is not None and claim_id in claims.claims:
                return claim_id
            category, system = self._place(request, said)
            if said.wish is not Wish.ERASE and not said.value.strip():
                raise DomainError("say what the field should be, or which statement to add")
            also: list[Also] = []
            should_be = None
            if said.wish is not Wish.ERASE:
                should_be = self._note(request, said.value.strip(), by, also, now)
            if claims is None:
                claims = Rectification(
                    request_id=request.id,
                    case_id=request.case_id,
                    controller=request.controller,
                    by=by,
                    timestamp=now,
                )
            claims.make_claim(
                claim=Claim(
                    id=claim_id,
                    category=category,
                    field=said.field.strip(),
                    ground=said.ground,
                    wish=said.wish,
                    record_id=said.record_id,
                    system=system,
                    should_be=should_be,
                ),
                by=by,
                at=now,
            )
            changed: list[Aggregate] = [claims]
            if request.is_identified and claims.contests_accuracy:
                begun, tasks = self._restrictions.begin(
                    request, ground=RestrictionGround.ACCURACY_CONTESTED, at=now
                )
                changed += begun
                also += tasks
            self._register.save_all(changed, also)
            return claim_id

    @again_on_conflict
    def accept(
        self,
        request_id: UUID,
        claim_id: UUID,
        *,
        by: str,
        record_id: UUID | None = None,
        system: str = "",
    ) -> None:
        """It will be done: in the record that the claim names or that is named now.

        What no search has found is done by a person, in the system that is named.
        """
        request = self._require(request_id)
        _require_undecided(request)
        claims = self._register.rectification(request_id)
        state = claims.claims.get(claim_id)
        if state is None:
            raise DomainError("there is no such claim in this request")
        record_id = record_id or state.claim.record_id
        if record_id is not None:
            found = self._own(request, record_id)
            system = found.system
            self._require_field(found, state.claim.field, state.claim.wish)
            if state.claim.wish is Wish.ERASE:
                verdict = self._keeps(request, found, state.claim.field)
                if verdict is not None:
                    raise NotAllowedNow(
                        f"{verdict.law} keeps this field: refuse the claim on that ground"
                    )
        else:
            self._controllers.in_force(request.controller).system(
                self._known(request, system or state.claim.system)
            )
            system = system or state.claim.system
        claims.accept(
            claim_id=claim_id, record_id=record_id, system=system, by=by, at=self._clock()
        )
        self._register.save_all([claims])

    @again_on_conflict
    def refuse(
        self, request_id: UUID, claim_id: UUID, *, words: str, by: str, ground: str | None = None
    ) -> None:
        """No to one claim, in words that the letter repeats (Art. 12(4)); the others go on."""
        if not words.strip():
            raise DomainError("say in words why the claim is refused: the letter must")
        now = self._clock()
        request = self._require(request_id)
        _require_undecided(request)
        claims = self._register.rectification(request_id)
        also: list[Also] = []
        reasons = self._note(request, words.strip(), by, also, now)
        claims.refuse(claim_id=claim_id, reasons=reasons, ground=ground, by=by, at=now)
        self._register.save_all([claims], also)

    def shown(self, request: DataSubjectRequest) -> tuple[ClaimShown, ...]:
        """Every claim with what is sealed about it."""
        claims = self._register.find_rectification(request.id)
        if claims is None:
            return ()
        case = self._register.case(request.case_id)
        places = places_in(self._vault, case)
        return tuple(
            self._hidden(request, one, places) if case.protected else one
            for one in (self._shown(request, state) for state in claims.claims.values())
        )

    def _hidden(
        self, request: DataSubjectRequest, shown: ClaimShown, places: Iterable[str]
    ) -> ClaimShown:
        """A claim of a protected person: a place is no more shown here than anywhere (E-10).

        But whoever has to write it into a system by hand sees what to write, for as long as that.
        """
        claim = shown.state.claim
        found = _found(request, claim)
        secret = {
            *places,
            *(
                secrets_in(dossier.record_in(self._vault, found.content))
                if found is not None
                else ()
            ),
        }
        if any(is_place(name) for name in claim.field.split(".")):
            secret |= {shown.should_be, shown.before, shown.after}

        def without(text: str) -> str:
            return HIDDEN if text in secret and text else hide(text, secret)

        return replace(
            shown,
            should_be=shown.should_be
            if self._is_written_by_hand(request, shown.state)
            else without(shown.should_be),
            reasons=without(shown.reasons),
            before=without(shown.before),
            after=without(shown.after),
        )

    def _is_written_by_hand(self, request: DataSubjectRequest, state: ClaimState) -> bool:
        fulfilment = self._register.find_fulfilment(request.id)
        system = fulfilment.systems.get(state.claim.system) if fulfilment is not None else None
        return state.waits and system is not None and system.waits_for == RECTIFY_BY_HAND

    def _shown(self, request: DataSubjectRequest, state: ClaimState) -> ClaimShown:
        claim = state.claim
        found = _found(request, claim)
        keeps = None
        if claim.wish is Wish.ERASE and found is not None:
            keeps = self._keeps(request, found, claim.field)
        return ClaimShown(
            state=state,
            should_be=self._words(claim.should_be),
            reasons=self._words(state.reasons),
            before=self._words(state.before),
            after=self._words(state.after),
            keeps=keeps,
        )

    # Doing it

    @again_on_conflict
    def approve(self, request_id: UUID, *, by: str, words: str = "") -> None:
        """Every claim is decided: the systems are asked, and recipients told, in one save."""
        with self._register.alone_with(request_id):
            now = self._clock()
            self._register.look_at(request_id)
            request = self._require(request_id)
            claims = self._register.find_rectification(request_id)
            if claims is None:
                raise NotAllowedNow("there is no claim yet: say which field is wrong, and how")
            profile = self._controllers.in_force(request.controller)
            claims.settle(by=by, at=now)
            also: list[Also] = []
            note = self._note(request, words.strip(), by, also, now) if words.strip() else None
            request.approve(decisions=(), profile_version=profile.digest, by=by, note=note, at=now)
            fulfilment = self._register.fulfilment(request_id)
            for system in claims.systems:
                fulfilment.instruct(system=system, action=Action.RECTIFY, decisions=(), at=now)
                if any(s.claim.record_id is None for s in claims.waiting(system)):
                    fulfilment.escalate(system=system, reason=RECTIFY_BY_HAND, at=now)
                else:
                    task = task_for(request, system, Action.RECTIFY, at=now)
                    also.append(self._tasks.add(task))
            if claims.systems:
                tell_recipients(fulfilment, profile, self._passed_on(request, claims), now)
            else:
                tell_nobody(fulfilment, now)
            changed: list[Aggregate] = [request, claims, fulfilment]
            if fulfilment.all_done:
                fulfilment.complete(at=now)
                also.append(self._tasks.add(answer_task(request, at=now)))
            self._register.save_all(changed, also)

    def work(self, task: Task, connector: Connector) -> None:
        """Write the fields in one system, and read back that they are there."""
        system = task.system or ""
        request = self._register.request(task.subject_id)
        claims = self._register.rectification(request.id)
        waiting = [s for s in claims.waiting(system) if s.claim.record_id is not None]
        if not isinstance(connector, Rectifies):
            raise AwaitsPerson(RECTIFY_BY_HAND)
        person = person_of(self._vault, request)
        corrections = dict(self._corrections(request, waiting))
        not_held: set[UUID] = set()
        by_hand = False
        done: list[ClaimState] = []
        for record_id, correction in corrections.items():
            theirs = [state for state in waiting if state.claim.record_id == record_id]
            try:
                result = connector.rectify(person, correction, key=f"{task.key}/{record_id}")
            except AwaitsAnswer:
                raise
            except AwaitsPerson:
                by_hand = True
                continue
            if result.detail == STATEMENT_NOT_HELD:
                not_held.add(record_id)
            done += theirs
        after = {}
        if done:
            known = _with_new_addresses(person, corrections.values())
            now = list(connector.find(known, fresh_after=self._clock()))
            after = self._read_back(now, corrections, done, not_held)
        self._done(task, done, after, by_hand=by_hand)

    @again_on_conflict
    def _done(
        self,
        task: Task,
        done: Iterable[ClaimState],
        after: Mapping[UUID, str],
        *,
        by_hand: bool,
    ) -> None:
        with self._register.alone_with(task.subject_id):
            now = self._clock()
            self._register.look_at(task.subject_id)
            system = task.system or ""
            request = self._register.request(task.subject_id)
            claims = self._register.rectification(request.id)
            fulfilment = self._register.fulfilment(request.id)
            also: list[Also] = [self._tasks.done(task)]
            for state in done:
                self._treat(request, claims, state, after.get(state.claim.id, ""), None, also, now)
            if by_hand:
                fulfilment.escalate(system=system, reason=RECTIFY_BY_HAND, at=now)
            else:
                fulfilment.record_done(
                    system=system,
                    key=task.key,
                    action=Action.RECTIFY,
                    outcome=Outcome.RECTIFIED,
                    at=now,
                )
            self._fulfilments.save_and_complete(fulfilment, also, now, more=(claims,))

    def to_write(self, request: DataSubjectRequest, system: str) -> Mapping[UUID, Correction]:
        """What is to be written in one system, by record."""
        claims = self._register.rectification(request.id)
        return dict(self._corrections(request, claims.waiting(system)))

    @again_on_conflict
    def written(
        self,
        request_id: UUID,
        system: str,
        records: Sequence[Record],
        *,
        key: str,
        along: MakeAlong,
    ) -> None:
        """What a system that was told shows of its records now; a person sees to what is not so."""
        with self._register.alone_with(request_id):
            now = self._clock()
            self._register.look_at(request_id)
            request = self._register.request(request_id)
            claims = self._register.rectification(request_id)
            fulfilment = self._register.fulfilment(request_id)
            waiting = [s for s in claims.waiting(system) if s.claim.record_id is not None]
            more = along()
            also = list(more.also)
            try:
                after = self._read_back(records, self.to_write(request, system), waiting, set())
            except Refused:
                fulfilment.escalate(system=system, reason=NOT_THERE, at=now)
            else:
                for state in waiting:
                    self._treat(request, claims, state, after[state.claim.id], None, also, now)
                fulfilment.record_done(
                    system=system,
                    key=key,
                    action=Action.RECTIFY,
                    outcome=Outcome.RECTIFIED,
                    at=now,
                )
            self._fulfilments.save_and_complete(
                fulfilment, also, now, more=(claims, *more.aggregates)
            )

    @again_on_conflict
    def done_by_hand(self, request_id: UUID, system: str, *, looked_again: bool, by: str) -> None:
        """A person wrote what was accepted there, and looked again afterwards."""
        if not looked_again:
            raise DomainError("look again over there, and say that it is as it should be")
        if not by:
            raise DomainError("say who corrected it")
        with self._register.alone_with(request_id):
            now = self._clock()
            request = self._require(request_id)
            claims = self._register.rectification(request_id)
            fulfilment = self._register.fulfilment(request_id)
            state = fulfilment.systems.get(system)
            waiting = claims.waiting(system)
            if state is None or state.action is not Action.RECTIFY or not waiting:
                raise NotAllowedNow(f"system {system} does not wait for a person to rectify")
            if state.status is SystemStatus.DONE or request.dropped:
                raise NotAllowedNow(f"system {system} does not wait for a person to rectify")
            also: list[Also] = []
            for one in waiting:
                after = self._words(one.claim.should_be)
                self._treat(request, claims, one, after, by, also, now)
            fulfilment.record_done(
                system=system,
                key=f"{request_id}/{system}/rectify/by-hand/{fulfilment.version}",
                action=Action.RECTIFY,
                outcome=Outcome.RECTIFIED,
                by=by,
                at=now,
            )
            self._fulfilments.save_and_complete(fulfilment, also, now, more=(claims,))

    # What is common

    def _treat(
        self,
        request: DataSubjectRequest,
        claims: Rectification,
        state: ClaimState,
        after: str,
        by: str | None,
        also: list[Also],
        now: datetime,
    ) -> None:
        claim = state.claim
        found = _found(request, claim)
        before = (
            value_of(dossier.record_in(self._vault, found.content), claim.field)
            if found is not None
            else ""
        )
        claims.treat(
            claim_id=claim.id,
            before=self._note(request, before, by or "", also, now) if before else None,
            after=self._note(request, after, by or "", also, now) if after else None,
            by=by,
            at=now,
        )

    def _corrections(
        self, request: DataSubjectRequest, waiting: Iterable[ClaimState]
    ) -> Iterator[tuple[UUID, Correction]]:
        by_record: dict[UUID, list[ClaimState]] = {}
        for state in waiting:
            if state.claim.record_id is not None:
                by_record.setdefault(state.claim.record_id, []).append(state)
        for record_id, states in by_record.items():
            record = dossier.record_in(self._vault, request.found[record_id].content)
            fields: dict[str, str | None] = {}
            statements = []
            for state in states:
                words = self._words(state.claim.should_be)
                if state.claim.wish is Wish.SUPPLEMENT:
                    statements.append(words)
                else:
                    fields[state.claim.field] = None if state.claim.wish is Wish.ERASE else words
            yield (
                record_id,
                Correction(record.key, record.kind, fields, statement="\n".join(statements)),
            )

    def _read_back(
        self,
        now: Sequence[Record],
        corrections: Mapping[UUID, Correction],
        done: Iterable[ClaimState],
        not_held: set[UUID],
    ) -> dict[UUID, str]:
        """What each field says now; `Refused` where it is not what it should be."""
        after: dict[UUID, str] = {}
        for state in done:
            claim = state.claim
            assert claim.record_id is not None
            correction = corrections[claim.record_id]
            record = _again(now, correction)
            wanted = self._words(claim.should_be)
            if claim.wish is Wish.SUPPLEMENT:
                held = claim.record_id in not_held or (
                    record is not None and wanted in _everything(record)
                )
                if not held:
                    raise Refused(NOT_THERE)
                after[claim.id] = wanted
                continue
            says = value_of(record, claim.field) if record is not None else ""
            if record is None or says != ("" if claim.wish is Wish.ERASE else wanted):
                raise Refused(NOT_THERE)
            after[claim.id] = says
        return after

    def _keeps(self, request: DataSubjectRequest, found: FoundRecord, field: str) -> Verdict | None:
        """The law that keeps a field whose purpose the person says has gone, if there is one."""
        profile = self._controllers.version(request.controller, request.profile_version)
        record = dossier.record_in(self._vault, found.content)
        facts = RecordFacts(found.system, found.kind, record.anchors, record.flags)
        on = received_on(self._clock(), request.country)
        verdict = decide(facts, profile, (), on, ground=ErasureGround.NO_LONGER_NEEDED)
        if verdict.decision in {Decision.ERASE, Decision.ANONYMISE}:
            return None
        if verdict.keep_fields and field.partition(".")[0] not in verdict.keep_fields:
            return None
        return verdict if verdict.law else None

    def _place(self, request: DataSubjectRequest, said: Said) -> tuple[str, str]:
        """The category and system of a claim; a record that is named must be theirs."""
        if said.record_id is not None:
            found = self._own(request, said.record_id)
            self._require_field(found, said.field, said.wish)
            return found.category, found.system
        profile = self._controllers.in_force(request.controller)
        if all(category.id != said.category for category in profile.categories):
            known = ", ".join(category.id for category in profile.categories)
            raise DomainError(f"name the record, or a category that the profile knows: {known}")
        return said.category, ""

    def _require_field(self, found: FoundRecord, field: str, wish: Wish) -> None:
        """A field that stands in the record; something missing may be one that does not yet."""
        if wish in {Wish.COMPLETE, Wish.SUPPLEMENT}:
            return
        names = tuple(_paths(dossier.record_in(self._vault, found.content).fields))
        if field not in names:
            raise DomainError(f"the record has no such field; it has: {', '.join(names)}")

    def _own(self, request: DataSubjectRequest, record_id: UUID) -> FoundRecord:
        for found in request.own_records:
            if found.record_id == record_id:
                return found
        raise DomainError("name a record that was found and is the person's")

    def _known(self, request: DataSubjectRequest, system: str) -> str:
        if system not in self._register.fulfilment(request.id).systems:
            raise DomainError("name the record, or the system in which a person corrects it")
        return system

    def _passed_on(self, request: DataSubjectRequest, claims: Rectification) -> set[str]:
        found = (_found(request, s.claim) for s in claims.claims.values() if s.accepted)
        return {
            name
            for one in found
            if one is not None
            for name in dossier.record_in(self._vault, one.content).recipients
        }

    def _require(self, request_id: UUID) -> DataSubjectRequest:
        request = self._register.request(request_id)
        if request.right is not Right.RECTIFICATION:
            raise DomainError("this request asks for something else than a rectification")
        return request

    def _words(self, ref: PersonalRef | None) -> str:
        return dossier.note_in(self._vault, ref) if ref is not None else ""

    def _note(
        self, request: DataSubjectRequest, text: str, by: str, also: list[Also], now: datetime
    ) -> PersonalRef:
        sealed = dossier.seal_note(self._vault, request.case_id, text, by, now)
        also.extend(sealed.also)
        return sealed.ref


def _found(request: DataSubjectRequest, claim: Claim) -> FoundRecord | None:
    return request.found.get(claim.record_id) if claim.record_id is not None else None


def value_of(record: Record, field: str) -> str:
    """What a field says, by its path: "name", or "address.city"."""
    value: object = record.fields
    for part in field.split("."):
        if not isinstance(value, Mapping):
            return ""
        value = value.get(part)
    return "" if value is None or isinstance(value, (Mapping, list)) else str(value)


def _paths(fields: Mapping[str, object], prefix: str = "") -> Iterator[str]:
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from _paths(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _everything(record: Record) -> str:
    return str(dict(record.fields))


def _again(records: Iterable[Record], correction: Correction) -> Record | None:
    """The record of a correction as it is now; its key may have changed with what it says."""
    of_kind = [record for record in records if record.kind == correction.kind]
    for record in of_kind:
        if record.key == correction.key:
            return record
    for record in of_kind:
        if all(value_of(record, name) == (to or "") for name, to in correction.fields.items()):
            return record
    return None


def _with_new_addresses(person: Person, corrections: Iterable[Correction]) -> Person:
    """Who is filed under a corrected address is looked for under it."""
    new = tuple(
        Identifier(IdentifierKind.EMAIL, value, verified=True)
        for correction in corrections
        for name, value in correction.fields.items()
        if value and "@" in value and "mail" in name.lower()
    )
    return replace(person, identifiers=(*person.identifiers, *new))


def _require_undecided(request: DataSubjectRequest) -> None:
    if request.status not in {Status.RECEIVED, Status.VERIFIED, Status.COLLECTED}:
        raise NotAllowedNow(f"request {request.id} is {request.status.value}: its claims are fixed")
