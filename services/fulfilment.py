"""Fulfilment as a process: what systems and people answered, and what follows from it.

All found, so collected; erased, so read back; all done, so completed and answered: each step is
saved together with the one it implies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import chain, islice
from uuid import UUID, uuid4, uuid5

from domain.aggregate import Aggregate
from domain.errors import DomainError, NotAllowedNow
from domain.fulfilment import Fulfilment, SystemState, SystemStatus
from domain.grounds import LEGAL_CLAIM
from domain.hold import Hold
from domain.many import FEW, Many, gathered
from domain.policy import Profile, Sector, System
from domain.request import DataSubjectRequest, Status
from domain.values import (
    Found,
    FoundRecord,
    KnownResidual,
    RecordOutcome,
    Told,
)
from domain.vocabulary import Action, Compartment, Outcome, Right
from services import dossier
from services.controllers import Controllers
from services.erasure_ledger import Erasures
from services.held import Held, HeldRecord
from services.numbers import drop_if_done
from services.planning import RECIPIENT, answer_task, carry_matches, task_for
from services.ports import Also, Clock, Person, Record, Result, Task, Tasks, Vault
from services.register import MakeAlong, Register, again_on_conflict, nothing_along
from services.suppressions import Suppressions


@dataclass(frozen=True, slots=True)
class _Search:
    """A search that is saved in parts: the digests that it has named, and those that are saved."""

    known: set[bytes]
    heard: set[bytes] = field(default_factory=set)


class Fulfilments:
    """What systems and people answered."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        tasks: Tasks,
        controllers: Controllers,
        suppressions: Suppressions,
        held: Held,
        erasures: Erasures,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._tasks = register, vault, tasks
        self._controllers, self._clock = controllers, clock
        self._suppressions, self._held, self._erasures = suppressions, held, erasures

    # What systems answered

    def record_found(
        self,
        request_id: UUID,
        system: str,
        records: Iterable[Record],
        *,
        key: str,
        by: str | None = None,
        reason: str = "",
        task: Task | None = None,
        along: MakeAlong = nothing_along,
    ) -> None:
        """Seal what a system holds; when it was the last one asked, the data is collected.

        Of many records one part after the other is saved, so that memory holds a part only, and
        a repeat after a kill seals nothing a second time.
        """
        coming = iter(records)
        part = list(islice(coming, FEW + 1))
        search: _Search | None = None
        if len(part) > FEW:
            search = _Search(known=self._found_before(request_id, system, key))
            while len(part) > FEW:
                if not self._record_part(request_id, system, part[:FEW], search, key=key):
                    break
                part = [*part[FEW:], *islice(coming, FEW)]
        self._record_found(
            request_id, system, part, search, key=key, by=by, reason=reason, task=task, along=along
        )

    @again_on_conflict
    def _record_found(
        self,
        request_id: UUID,
        system: str,
        records: Sequence[Record],
        search: _Search | None,
        *,
        key: str,
        by: str | None,
        reason: str,
        task: Task | None,
        along: MakeAlong,
    ) -> None:
        """All of it, or, with `search`, the rest of what was saved in parts."""
        with self._register.alone_with(request_id):
            now = self._clock()
            self._register.look_at(request_id)
            fulfilment = self._register.fulfilment(request_id)
            if self._heard_before(fulfilment, system, key, task, along):
                return
            profile = self._controllers.in_force(fulfilment.controller)
            found: Found
            if search is None:
                found, also = self._seal(fulfilment, profile, system, records)
            else:
                new = self._new(fulfilment, system, records, search)
                rest, also = self._seal(fulfilment, profile, system, new)
                parts = fulfilment.systems[system].parts
                found = gathered(_each_once(chain(*parts, rest), set(search.heard)))
            fulfilment.record_found(
                system=system, key=key, found=found, by=by, reason=reason, at=now
            )
            changed: list[Aggregate] = [fulfilment]
            request = self._register.request(request_id)
            if fulfilment.all_found and request.status in {Status.VERIFIED, Status.COLLECTED}:
                request.collect_data(found=fulfilment.found, at=now)
                case = self._register.case(request.case_id)
                carry_matches(request, self._register.requests_of(case), now)
                changed.append(request)
                also = [*also, *self._drop_number(request, changed, now)]
            more = along()
            self._register.save_all(
                [*changed, *more.aggregates], [*also, *more.also, *self._finish(task)]
            )

    @again_on_conflict
    def _record_part(
        self,
        request_id: UUID,
        system: str,
        records: Sequence[Record],
        search: _Search,
        *,
        key: str,
    ) -> bool:
        """Save one part of a long search; False when somebody else has finished it."""
        with self._register.alone_with(request_id):
            self._register.look_at(request_id)
            fulfilment = self._register.fulfilment(request_id)
            if key in fulfilment.systems[system].answered_keys:
                return False
            new = self._new(fulfilment, system, records, search)
            if new:
                profile = self._controllers.in_force(fulfilment.controller)
                found, also = self._seal(fulfilment, profile, system, new)
                fulfilment.record_found_part(
                    system=system,
                    key=key,
                    # Read again with every later part: whatever its length, it is in columns.
                    found=Many.of(found),
                    at=self._clock(),
                )
                self._register.save_all([fulfilment], also)
                search.known.update(_digests(found))
            return True

    def _new(
        self, fulfilment: Fulfilment, system: str, records: Sequence[Record], search: _Search
    ) -> list[Record]:
        """What of these records has not been saved yet; all of them have been heard of."""
        new = []
        for record in records:
            digest = self._digest(fulfilment.case_id, system, record.kind, record.key)
            search.heard.add(bytes.fromhex(digest))
            if bytes.fromhex(digest) not in search.known:
                new.append(record)
        return new

    def _found_before(self, request_id: UUID, system: str, key: str) -> set[bytes]:
        """What an earlier try of the same search has saved, before it was cut off."""
        state = self._register.fulfilment(request_id).systems[system]
        parts = state.parts if state.parts_of == key else ()
        return {digest for part in parts for digest in _digests(part)}

    @again_on_conflict
    def record_erased(
        self,
        request_id: UUID,
        system: str,
        results: Mapping[UUID, Result],
        *,
        key: str,
        by: str | None = None,
        read_back_by_hand: bool = False,
        task: Task | None = None,
        along: MakeAlong = nothing_along,
    ) -> None:
        """What became of each record; then the system is read back before it is believed.

        A person who erased by hand has looked again; that is in the same save.
        """
        with self._register.alone_with(request_id):
            now = self._clock()
            self._register.look_at(request_id)
            fulfilment = self._register.fulfilment(request_id)
            if self._heard_before(fulfilment, system, key, task, along):
                return
            more = along()
            also = [*more.also, *self._finish(task)]
            outcomes = gathered(
                self._record_outcome(fulfilment, record_id, result, by, also, now)
                for record_id, result in results.items()
            )
            fulfilment.record_erased(system=system, key=key, outcomes=outcomes, by=by, at=now)
            kept = self._kept_by_hand(fulfilment, results, by, also, now)
            if fulfilment.systems[system].status is SystemStatus.TREATED:
                if any(result.outcome is Outcome.MANUAL for result in results.values()):
                    fulfilment.escalate(system=system, reason="erase-from-list", at=now)
                elif read_back_by_hand:
                    back = f"{key}/read-back"
                    fulfilment.read_back(system=system, key=back, remaining={}, at=now)
                else:
                    also.append(self._read_back_task(fulfilment, system, results, now))
            self.save_and_complete(fulfilment, also, now, more=[*kept, *more.aggregates])

    def _kept_by_hand(
        self,
        fulfilment: Fulfilment,
        results: Mapping[UUID, Result],
        by: str | None,
        also: list[Also],
        now: datetime,
    ) -> list[Aggregate]:
        """A hold for everything that a person kept: it goes on its day as any other."""
        lines: dict[tuple[str, str, str, date | None], list[tuple[FoundRecord, Result]]] = {}
        for found in fulfilment.found:
            result = results.get(found.record_id)
            if by and result and result.outcome is Outcome.KEPT and result.ground:
                day = None if result.ground == LEGAL_CLAIM else result.until
                place = (found.system, found.category, result.ground, day)
                lines.setdefault(place, []).append((found, result))
        if not lines:
            return []
        request = self._register.request(fulfilment.request_id)
        person = person_of(self._vault, request)
        holds: list[Aggregate] = []
        for (system, category, ground, day), kept in lines.items():
            hold_id = Hold.create_id(request.id, system, category, ground, day)
            if self._register.find_hold(hold_id) is not None:
                continue  # the same was kept when the erasure was approved
            is_claim = ground == LEGAL_CLAIM
            records = []
            for found, _ in kept:
                sealed = self._vault.open(found.content)
                record = dossier.RECORD.validate_json(sealed).record
                records.append(HeldRecord(found.record_id, record.key, record.kind))
            placed = self._held.place(
                request,
                system=system,
                category=category,
                ground=ground,
                release_on=day,
                records=records,
                identifiers=person.identifiers,
                words=" ".join(dict.fromkeys(result.words for _, result in kept)),
                owner=(by or "") if is_claim else "",
                review_on=_first_look(kept) if is_claim else None,
                by=by or "",
                at=now,
            )
            holds.append(placed.hold)
            also.extend(placed.also)
        return holds

    @again_on_conflict
    def record_read_back(
        self,
        request_id: UUID,
        system: str,
        records: Sequence[Record],
        *,
        key: str,
        task: Task | None = None,
        along: MakeAlong = nothing_along,
    ) -> None:
        """What a system still holds. Only what was kept or is known to remain may be there."""
        with self._register.alone_with(request_id):
            now = self._clock()
            self._register.look_at(request_id)
            fulfilment = self._register.fulfilment(request_id)
            if self._heard_before(fulfilment, system, key, task, along):
                return
            known = {record.digest: record for record in fulfilment.found}
            digests = (
                self._digest(fulfilment.case_id, system, record.kind, record.key)
                for record in records
            )
            remaining = {digest: known[digest] for digest in digests if digest in known}
            fulfilment.read_back(system=system, key=key, remaining=remaining, at=now)
            more = along()
            also = [*more.also, *self._finish(task)]
            self.save_and_complete(fulfilment, also, now, more=more.aggregates)

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
        along: MakeAlong = nothing_along,
    ) -> None:
        """A suppression, a recipient informed, a task done by hand."""
        with self._register.alone_with(request_id):
            now = self._clock()
            self._register.look_at(request_id)
            fulfilment = self._register.fulfilment(request_id)
            if self._heard_before(fulfilment, system, key, task, along):
                return
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
            more = along()
            also = [*more.also, *self._finish(task)]
            if action is Action.SUPPRESS:
                also += self._never_again(request_id)
            self.save_and_complete(fulfilment, also, now, more=more.aggregates)

    def _never_again(self, request_id: UUID) -> list[Also]:
        """Put the person on the list that outlives the case (Art. 21(3), GK-15)."""
        request = self._register.request(request_id)
        person = person_of(self._vault, request)
        return self._suppressions.added(request.controller, request_id, person.identifiers)

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
        self,
        request_id: UUID,
        system: str,
        *,
        reason: str,
        task: Task | None = None,
        along: MakeAlong = nothing_along,
    ) -> None:
        """A person must look or act; the task is over, whatever comes next is a new one."""
        with self._register.alone_with(request_id):
            fulfilment = self._register.fulfilment(request_id)
            fulfilment.escalate(system=system, reason=reason, at=self._clock())
            more = along()
            self._register.save_all(
                [fulfilment, *more.aggregates], [*more.also, *self._finish(task)]
            )

    @again_on_conflict
    def try_again(self, request_id: UUID, system: str, *, by: str) -> None:
        """Somebody has seen to it over there: ask the system once more, from where it stood.

        It leaves no event: what the system answers does.
        """
        if not by:
            raise NotAllowedNow("say who asks the system again")
        fulfilment = self._register.fulfilment(request_id)
        request = self._register.request(request_id)
        state = fulfilment.systems.get(system)
        if state is None:
            raise DomainError(f"system {system} is not part of this request")
        if request.dropped or not _may_be_asked_again(request, state):
            raise NotAllowedNow(f"system {system} is {state.status.value}: nothing to ask again")
        task = task_for(
            request,
            system,
            state.action,
            at=self._clock(),
            back=state.treated_at is not None,
            again=uuid4().hex,
        )
        self._register.save_all([], self._tasks.again(task))

    # What is common

    def _heard_before(
        self, fulfilment: Fulfilment, system: str, key: str, task: Task | None, along: MakeAlong
    ) -> bool:
        """The same receipt twice changes nothing; but the task that brought it again is done."""
        state = fulfilment.systems.get(system)
        if state is None or key not in state.answered_keys:
            return False
        more = along()
        self._register.save_all(more.aggregates, [*more.also, *self._finish(task)])
        return True

    def save_and_complete(
        self,
        fulfilment: Fulfilment,
        also: list[Also],
        now: datetime,
        *,
        more: Sequence[Aggregate] = (),
    ) -> None:
        """Save an answer, with what belongs to it; after the last one the letter is written."""
        changed: list[Aggregate] = [fulfilment, *more]
        request = self._register.request(fulfilment.request_id)
        if request.right is Right.ERASURE:
            also += self._erasures.of_fulfilment(
                fulfilment, lambda: person_of(self._vault, request)
            )
        if (
            fulfilment.all_done
            and fulfilment.completed_at is None
            and self._is_restricted_as_asked(request)
        ):
            if request.right.acts_at_once or request.status is Status.APPROVED:
                fulfilment.complete(at=now)
                also.append(self._tasks.add(answer_task(request, at=now)))
            elif request.status is Status.VERIFIED and request.right is not Right.ERASURE:
                request.collect_data(found=(), at=now)
                changed.append(request)
        self._register.save_all(changed, also)

    def _is_restricted_as_asked(self, request: DataSubjectRequest) -> bool:
        """A restriction that was asked for is an answer only once it is set everywhere."""
        if request.right is not Right.RESTRICTION or request.status is not Status.APPROVED:
            return True
        restriction = self._register.find_restriction(request.id)
        return restriction is None or restriction.all_set

    def _read_back_task(
        self, fulfilment: Fulfilment, system: str, results: Mapping[UUID, Result], now: datetime
    ) -> Also:
        """Look again at once, or when the vendor says that its job will be done."""
        request = self._register.request(fulfilment.request_id)
        waits = [r.not_before for r in results.values() if r.not_before is not None]
        due_at = now
        if waits:
            fulfilment.wait_for_vendor(system=system, not_before=max(waits), at=now)
            due_at = max(waits) + CLOCKS_DIFFER
        again = str(fulfilment.version)
        task = task_for(request, system, Action.ERASE, at=due_at, back=True, again=again)
        return self._tasks.add(task)

    def _record_outcome(
        self,
        fulfilment: Fulfilment,
        record_id: UUID,
        result: Result,
        by: str | None,
        also: list[Also],
        now: datetime,
    ) -> RecordOutcome:
        note = None
        if result.words:
            sealed = dossier.seal_note(self._vault, fulfilment.case_id, result.words, by or "", now)
            note = sealed.ref
            also.extend(sealed.also)
        return RecordOutcome(
            record_id=record_id,
            outcome=result.outcome,
            detail=result.detail,
            ground=result.ground,
            until=result.until,
            residuals=tuple(KnownResidual(r.what, r.why, r.until) for r in result.residuals),
            note=note,
        )

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
            known = next((s for s in profile.systems if s.id == system), None)
            holding = known.holding(record.kind) if known else None
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
                mentions_others=_may_mention_others(known, record),
            )
            also.extend(sealed.also)
        return tuple(found.values()), also

    def _drop_number(
        self, request: DataSubjectRequest, changed: list[Aggregate], now: datetime
    ) -> list[Also]:
        """A national number has been matched with by the last search that needed it (E-10)."""
        case = self._register.case(request.case_id)
        if case.number is None:
            return []
        others = [self._register.request(one) for one in case.request_ids if one != request.id]
        dropped = drop_if_done(self._vault, case, [request, *others], at=now)
        changed.append(case)
        return dropped

    def _digest(self, case_id: UUID, system: str, kind: str, key: str) -> str:
        return self._vault.digest(case_id, f"{system}/{kind}/{key}")

    def _finish(self, task: Task | None) -> list[Also]:
        return [self._tasks.done(task)] if task is not None else []


CLOCKS_DIFFER = timedelta(minutes=1)
"""Due times go by the database's clock, rules by ours."""

UNMAPPED = "unmapped"
"""Category of a record of a sort that the profile does not know; a person must look."""


MENTIONS_OTHERS = "mentions_others"


def _may_mention_others(system: System | None, record: Record) -> bool:
    """Letters and notes tell of others too, unless whoever found them has covered that (GK-13)."""
    if MENTIONS_OTHERS in record.flags:
        return True
    writes = system is not None and system.sector is Sector.CUSTOMER_SERVICE
    return writes and not record.masked


def _digests(found: Iterable[FoundRecord]) -> Iterator[bytes]:
    return (bytes.fromhex(record.digest) for record in found)


def _each_once(found: Iterable[FoundRecord], wanted: set[bytes]) -> Iterator[FoundRecord]:
    """The records with these digests, the first of each."""
    for record in found:
        digest = bytes.fromhex(record.digest)
        if digest in wanted:
            wanted.remove(digest)
            yield record


def person_of(vault: Vault, request: DataSubjectRequest) -> Person:
    return dossier.person_in(vault, request.requester)


def _first_look(kept: Sequence[tuple[FoundRecord, Result]]) -> date | None:
    """When a claim on several records is looked at again; None when no day was said for one."""
    days = [result.until for _, result in kept]
    return min(day for day in days if day) if all(days) else None


def _may_be_asked_again(request: DataSubjectRequest, state: SystemState) -> bool:
    """What waits for somebody or does not answer; and a search, until somebody has decided."""
    if state.action not in {Action.FIND, Action.ERASE, Action.SUPPRESS}:
        return False
    if state.status in {SystemStatus.WAITING_FOR_PERSON, SystemStatus.UNAVAILABLE}:
        return True
    return state.status is SystemStatus.FOUND and request.status in {
        Status.VERIFIED,
        Status.COLLECTED,
    }
