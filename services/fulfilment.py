"""Fulfilment as a process: what follows from what, always saved together.

Verified, so planned; all found, so collected; approved, so instructed; erased, so read back;
all done, so completed and answered. Within a case erasure waits for the access answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID, uuid5

from domain.aggregate import Aggregate
from domain.case import Case
from domain.decisions import RecordFacts, Verdict, decide
from domain.deadlines import received_on
from domain.errors import NotAllowedNow
from domain.fulfilment import Fulfilment, SystemStatus
from domain.hold import Hold
from domain.policy import Profile, Recipient
from domain.policy import Told as WhatToTell
from domain.request import DataSubjectRequest, Status
from domain.values import (
    FoundRecord,
    KnownResidual,
    PlannedSystem,
    RecordDecision,
    RecordOutcome,
    SystemOutcome,
    Told,
)
from domain.vocabulary import Action, Compartment, Decision, Delivery, Outcome, Right
from services import dossier
from services.controllers import Controllers
from services.ports import Also, Clock, Person, Record, Result, Task, Tasks, Vault
from services.register import Register, again_on_conflict

RECIPIENT = "recipient:"
"""Prefix of the plan's lines that are no systems but recipients to be informed (Art. 19)."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Aggregates and writes that belong into one save."""

    aggregates: list[Aggregate] = field(default_factory=list)
    also: list[Also] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Preview:
    """One record of an erasure, what it is and what would become of it."""

    found: FoundRecord
    record: Record
    verdict: Verdict


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
        """Plan every verified request of the case that has no reason to wait."""
        steps = Steps()
        profile = self._controllers.in_force(case.controller)
        waiting = any(r.right is Right.ACCESS and r.status.is_open for r in requests)
        for request in requests:
            if request.status is not Status.VERIFIED:
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


class Fulfilments:
    """What systems and people answered, and what a person decides about it."""

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

    # What systems answered

    @again_on_conflict
    def record_found(
        self,
        request_id: UUID,
        system: str,
        records: Sequence[Record],
        *,
        key: str,
        by: str | None = None,
        reason: str = "",
        task: Task | None = None,
    ) -> None:
        """Seal what a system holds; when it was the last one asked, the data is collected."""
        with self._register.alone_with(request_id):
            now = self._clock()
            fulfilment = self._register.fulfilment(request_id)
            profile = self._controllers.in_force(fulfilment.controller)
            found, also = self._seal(fulfilment, profile, system, records)
            fulfilment.record_found(
                system=system, key=key, found=found, by=by, reason=reason, at=now
            )
            changed: list[Aggregate] = [fulfilment]
            request = self._register.request(request_id)
            if fulfilment.all_found and request.status is Status.VERIFIED:
                request.collect_data(found=fulfilment.found, at=now)
                self._carry_matches(request, now)
                changed.append(request)
            self._register.save_all(changed, [*also, *self._finish(task)])

    @again_on_conflict
    def record_erased(
        self,
        request_id: UUID,
        system: str,
        results: Mapping[UUID, Result],
        *,
        key: str,
        by: str | None = None,
        task: Task | None = None,
    ) -> None:
        """What became of each record; then the system is read back before it is believed."""
        with self._register.alone_with(request_id):
            now = self._clock()
            fulfilment = self._register.fulfilment(request_id)
            fulfilment.record_erased(
                system=system,
                key=key,
                outcomes=tuple(
                    _record_outcome(record_id, result) for record_id, result in results.items()
                ),
                by=by,
                at=now,
            )
            also = self._finish(task)
            if fulfilment.systems[system].status is SystemStatus.TREATED:
                if any(r.outcome is Outcome.MANUAL for r in results.values()):
                    fulfilment.escalate(system=system, reason="erase-from-list", at=now)
                else:
                    request = self._register.request(request_id)
                    also.append(
                        self._tasks.add(task_for(request, system, Action.ERASE, at=now, back=True))
                    )
            self._register.save_all([fulfilment], also)

    @again_on_conflict
    def record_read_back(
        self,
        request_id: UUID,
        system: str,
        records: Sequence[Record],
        *,
        key: str,
        task: Task | None = None,
    ) -> None:
        """What a system still holds. Only what was kept or is known to remain may be there."""
        with self._register.alone_with(request_id):
            now = self._clock()
            fulfilment = self._register.fulfilment(request_id)
            known = {record.digest: record for record in fulfilment.found}
            digests = (
                self._digest(fulfilment.case_id, system, record.kind, record.key)
                for record in records
            )
            remaining = {digest: known[digest] for digest in digests if digest in known}
            fulfilment.read_back(system=system, key=key, remaining=remaining, at=now)
            self._save_and_complete(fulfilment, self._finish(task), now)

    @again_on_conflict
    def record_done(
        self,
        request_id: UUID,
        system: str,
        *,
        action: Action,
        outcome: Outcome,
        key: str,
        reason: str = "",
        by: str | None = None,
        task: Task | None = None,
    ) -> None:
        """A suppression, a recipient informed, a task done by hand."""
        with self._register.alone_with(request_id):
            now = self._clock()
            fulfilment = self._register.fulfilment(request_id)
            fulfilment.record_done(
                system=system,
                key=key,
                action=action,
                outcome=outcome,
                reason=reason,
                by=by,
                at=now,
            )
            if action is Action.INFORM and outcome is Outcome.INFORMED:
                told = Told(system.removeprefix(RECIPIENT), Outcome.INFORMED)
                fulfilment.tell_recipient(told=told, at=now)
            self._save_and_complete(fulfilment, self._finish(task), now)

    @again_on_conflict
    def record_unavailable(
        self, request_id: UUID, system: str, *, attempt: int, next_try_at: datetime, reason: str
    ) -> None:
        with self._register.alone_with(request_id):
            fulfilment = self._register.fulfilment(request_id)
            fulfilment.record_unavailable(
                system=system,
                attempt=attempt,
                next_try_at=next_try_at,
                reason=reason,
                at=self._clock(),
            )
            self._register.save_all([fulfilment])

    @again_on_conflict
    def escalate(
        self, request_id: UUID, system: str, *, reason: str, task: Task | None = None
    ) -> None:
        """A person must look or act; the task is over, whatever comes next is a new one."""
        with self._register.alone_with(request_id):
            fulfilment = self._register.fulfilment(request_id)
            fulfilment.escalate(system=system, reason=reason, at=self._clock())
            self._register.save_all([fulfilment], self._finish(task))

    @again_on_conflict
    def try_again(self, request_id: UUID, system: str, *, by: str) -> None:
        """Somebody has seen to it over there: ask the system once more, from where it stood."""
        if not by:
            raise NotAllowedNow("say who asks the system again")
        with self._register.alone_with(request_id):
            now = self._clock()
            fulfilment = self._register.fulfilment(request_id)
            request = self._register.request(request_id)
            state = fulfilment.systems[system]
            back = state.treated_at is not None
            also = [
                self._tasks.add(
                    task_for(
                        request, system, state.action, at=now, back=back, again=fulfilment.version
                    )
                )
            ]
            self._register.save_all([], also)

    # What a person decides

    @again_on_conflict
    def decide_match(
        self, request_id: UUID, record_id: UUID, *, theirs: bool, reason: str, by: str
    ) -> None:
        request = self._register.request(request_id)
        command = request.confirm_match if theirs else request.reject_match
        command(record_id=record_id, reason=reason, by=by, at=self._clock())
        self._register.save_all([request])

    def records(self, request: DataSubjectRequest) -> dict[UUID, Record]:
        """The content of every found record, from the vault."""
        return {found.record_id: self._open(found).record for found in request.found.values()}

    def preview(
        self,
        request: DataSubjectRequest,
        on: date,
        *,
        answers: Mapping[UUID, frozenset[str]] | None = None,
    ) -> tuple[Preview, ...]:
        """What would become of each of the person's records, before anything is changed.

        `answers` are facts that a person added to a record, by the codes of `domain.facts`.
        """
        profile = self._controllers.version(request.controller, request.profile_version)
        previews = []
        for found in request.own_records:
            record = self._open(found).record
            facts = RecordFacts(
                system=found.system,
                kind=found.kind,
                anchors=record.anchors,
                flags=record.flags | (answers or {}).get(found.record_id, frozenset()),
            )
            previews.append(Preview(found, record, decide(facts, profile, (), on)))
        return tuple(previews)

    @again_on_conflict
    def approve(
        self,
        request_id: UUID,
        *,
        by: str,
        answers: Mapping[UUID, frozenset[str]] | None = None,
        considered: bool = False,
    ) -> None:
        """A person approves; an erasure is instructed and its holds are placed in the same save."""
        with self._register.alone_with(request_id):
            now = self._clock()
            request = self._register.request(request_id)
            profile = self._controllers.in_force(request.controller)
            steps = Steps()
            if request.right is Right.ERASURE:
                self._approve_erasure(request, profile, steps, answers, considered, by, now)
            else:
                request.approve(decisions=(), profile_version=profile.digest, by=by, at=now)
                fulfilment = self._register.fulfilment(request_id)
                if fulfilment.all_done:
                    fulfilment.complete(at=now)
                steps.aggregates.append(fulfilment)
                steps.also.append(self._tasks.add(answer_task(request, at=now)))
            self._register.save_all([request, *steps.aggregates], steps.also)

    def _approve_erasure(
        self,
        request: DataSubjectRequest,
        profile: Profile,
        steps: Steps,
        answers: Mapping[UUID, frozenset[str]] | None,
        considered: bool,
        by: str,
        now: datetime,
    ) -> None:
        on = received_on(now, request.country)
        previews = self.preview(request, on, answers=answers)
        if not considered and any(preview.verdict.asks for preview in previews):
            raise NotAllowedNow(
                "some records have open questions: answer them, or say that you considered them"
            )
        decisions = tuple(record_decision(preview) for preview in previews)
        request.approve(decisions=decisions, profile_version=profile.digest, by=by, at=now)
        fulfilment = self._register.fulfilment(request.id)
        by_system: dict[str, list[RecordDecision]] = {}
        for preview, decision in zip(previews, decisions, strict=True):
            by_system.setdefault(preview.found.system, []).append(decision)
        for system, decided in by_system.items():
            if any(decision.touches_the_system for decision in decided):
                fulfilment.instruct(
                    system=system, action=Action.ERASE, decisions=tuple(decided), at=now
                )
                steps.also.append(self._tasks.add(task_for(request, system, Action.ERASE, at=now)))
        self._tell_recipients(fulfilment, profile, previews, now)
        self._place_holds(request, previews, decisions, steps, by, now)
        steps.aggregates.append(fulfilment)
        if fulfilment.all_done:
            fulfilment.complete(at=now)
            steps.also.append(self._tasks.add(answer_task(request, at=now)))

    def _tell_recipients(
        self,
        fulfilment: Fulfilment,
        profile: Profile,
        previews: Sequence[Preview],
        now: datetime,
    ) -> None:
        passed_on = {name for preview in previews for name in preview.record.recipients}
        for recipient in profile.recipients:
            concerned = not recipient.per_record or bool(passed_on & _names(recipient))
            if recipient.told is WhatToTell.REFERRED and concerned:
                told = Told(recipient.id, Outcome.REFERRED)
                fulfilment.tell_recipient(told=told, at=now)
            line = f"{RECIPIENT}{recipient.id}"
            if line not in fulfilment.systems:
                continue
            if concerned:
                fulfilment.escalate(system=line, reason="inform-recipient", at=now)
            else:
                fulfilment.record_done(
                    system=line,
                    key=f"{fulfilment.id}/{line}/none",
                    action=Action.INFORM,
                    outcome=Outcome.NOT_FOUND,
                    reason="nothing-was-passed-on",
                    at=now,
                )

    def _place_holds(
        self,
        request: DataSubjectRequest,
        previews: Sequence[Preview],
        decisions: Sequence[RecordDecision],
        steps: Steps,
        by: str,
        now: datetime,
    ) -> None:
        kept: dict[tuple[str, str, str], list[tuple[Preview, RecordDecision]]] = {}
        for preview, decision in zip(previews, decisions, strict=True):
            if decision.decision is Decision.KEEP and decision.ground:
                place = (preview.found.system, preview.found.category, decision.ground)
                kept.setdefault(place, []).append((preview, decision))
        person = dossier.PERSON.validate_json(self._vault.open(request.requester))
        for (system, category, ground), lines in kept.items():
            keys = dossier.SealedKeys(
                system=system,
                records=tuple(
                    dossier.SealedKey(p.record.key, p.record.kind, d.keep_fields) for p, d in lines
                ),
                identifiers=person.identifiers,
            )
            sealed = self._vault.seal(
                request.case_id, Compartment.HOLD, dossier.KEYS.dump_json(keys)
            )
            days = [decision.until for _, decision in lines]
            steps.also.extend(sealed.also)
            steps.aggregates.append(
                Hold(
                    request_id=request.id,
                    case_id=request.case_id,
                    controller=request.controller,
                    system=system,
                    category=category,
                    ground=ground,
                    release_on=max((day for day in days if day), default=None)
                    if all(days)
                    else None,
                    records=tuple(decision.record_id for _, decision in lines),
                    keys=sealed.ref,
                    by=by,
                    timestamp=now,
                )
            )

    # What is common

    def _save_and_complete(self, fulfilment: Fulfilment, also: list[Also], now: datetime) -> None:
        changed: list[Aggregate] = [fulfilment]
        request = self._register.request(fulfilment.request_id)
        if fulfilment.all_done and fulfilment.completed_at is None:
            if request.right.acts_at_once or request.status is Status.APPROVED:
                fulfilment.complete(at=now)
                also.append(self._tasks.add(answer_task(request, at=now)))
            elif request.status is Status.VERIFIED and request.right is not Right.ERASURE:
                request.collect_data(found=(), at=now)
                changed.append(request)
        self._register.save_all(changed, also)

    def _seal(
        self, fulfilment: Fulfilment, profile: Profile, system: str, records: Sequence[Record]
    ) -> tuple[tuple[FoundRecord, ...], list[Also]]:
        found: dict[str, FoundRecord] = {}
        also: list[Also] = []
        for record in records:
            digest = self._digest(fulfilment.case_id, system, record.kind, record.key)
            if digest in found:
                continue
            sealed = self._vault.seal(
                fulfilment.case_id,
                Compartment.PACKAGE,
                dossier.RECORD.dump_json(dossier.SealedRecord(system, record)),
            )
            holding = profile.system(system).holding(record.kind)
            found[digest] = FoundRecord(
                record_id=uuid5(fulfilment.id, digest),
                system=system,
                kind=record.kind,
                category=holding.category if holding else UNMAPPED,
                match=record.match,
                matched_by=record.matched_by,
                content=sealed.ref,
                digest=digest,
                special="special_category" in record.flags,
            )
            also.extend(sealed.also)
        return tuple(found.values()), also

    def _carry_matches(self, request: DataSubjectRequest, now: datetime) -> None:
        """What a person decided about a record in one request of the case holds in the next."""
        case = self._register.case(request.case_id)
        decided: dict[str, bool] = {}
        for other_id in case.request_ids:
            if other_id != request.id:
                other = self._register.request(other_id)
                for record_id, theirs in other.matches.items():
                    decided[other.found[record_id].digest] = theirs
        for found in request.undecided_matches:
            if found.digest in decided:
                command = request.confirm_match if decided[found.digest] else request.reject_match
                command(
                    record_id=found.record_id,
                    reason="decided-before-in-this-case",
                    by="trettio",
                    at=now,
                )

    def _open(self, found: FoundRecord) -> dossier.SealedRecord:
        return dossier.RECORD.validate_json(self._vault.open(found.content))

    def _digest(self, case_id: UUID, system: str, kind: str, key: str) -> str:
        return self._vault.digest(case_id, f"{system}/{kind}/{key}")

    def _finish(self, task: Task | None) -> list[Also]:
        return [self._tasks.done(task)] if task is not None else []


UNMAPPED = "unmapped"
"""Category of a record of a sort that the profile does not know; a person must look."""


def system_outcomes(
    request: DataSubjectRequest, fulfilment: Fulfilment
) -> tuple[SystemOutcome, ...]:
    """What a letter reports: alike outcomes of one category in one system are one line."""
    lines: dict[SystemOutcome, int] = {}
    own = request.own_records
    if request.right is Right.ERASURE:
        treated = fulfilment.outcomes
        for found in own:
            decision = request.decisions[found.record_id]
            line = _erasure_line(found, decision, treated.get(found.record_id))
            lines[line] = lines.get(line, 0) + 1
    elif request.right.acts_at_once or fulfilment.done_as:
        for system, outcome in fulfilment.done_as.items():
            line = SystemOutcome(system, "", outcome or Outcome.MANUAL, 0)
            lines[line] = 1
    else:
        for found in own:
            line = SystemOutcome(found.system, found.category, Outcome.EXPORTED, 0)
            lines[line] = lines.get(line, 0) + 1
    return tuple(_counted(line, count) for line, count in lines.items())


def _erasure_line(
    found: FoundRecord, decision: RecordDecision, treated: RecordOutcome | None
) -> SystemOutcome:
    told = {
        Decision.KEEP: Outcome.KEPT,
        Decision.BLOCK_AND_REFER: Outcome.BLOCKED_ARCHIVE,
        Decision.REFER: Outcome.REFERRED,
    }.get(decision.decision)
    outcome = told or (treated.outcome if treated else Outcome.ERASED)
    return SystemOutcome(
        system=found.system,
        category=found.category,
        outcome=outcome,
        count=0,
        explanation=decision.explanation,
        ground=decision.ground,
        law=decision.law,
        until=decision.until,
        residuals=treated.residuals if treated else (),
        keep_fields=decision.keep_fields,
    )


def _counted(line: SystemOutcome, count: int) -> SystemOutcome:
    return SystemOutcome(
        line.system,
        line.category,
        line.outcome,
        count,
        line.explanation,
        line.ground,
        line.law,
        line.until,
        line.residuals,
        line.keep_fields,
    )


def record_decision(preview: Preview) -> RecordDecision:
    verdict = preview.verdict
    return RecordDecision(
        record_id=preview.found.record_id,
        decision=verdict.decision,
        explanation=verdict.explanation,
        ground=verdict.ground,
        law=verdict.law,
        until=verdict.until,
        keep_fields=verdict.keep_fields,
    )


def task_for(
    request: DataSubjectRequest,
    system: str,
    action: Action,
    *,
    at: datetime,
    back: bool = False,
    again: int = 0,
) -> Task:
    """One instruction to one system. Its key is stable, so that repeating it has no effect."""
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


def answer_task(request: DataSubjectRequest, *, at: datetime) -> Task:
    return Task(
        key=f"{request.id}/answer/{request.version}",
        kind="answer",
        subject_id=request.id,
        due_at=at,
        controller=request.controller,
    )


def person_of(vault: Vault, request: DataSubjectRequest) -> Person:
    return dossier.PERSON.validate_json(vault.open(request.requester))


def _names(recipient: Recipient) -> set[str]:
    return {recipient.id, recipient.name}


def _record_outcome(record_id: UUID, result: Result) -> RecordOutcome:
    return RecordOutcome(
        record_id=record_id,
        outcome=result.outcome,
        detail=result.detail,
        residuals=tuple(KnownResidual(r.what, r.why, r.until) for r in result.residuals),
    )
