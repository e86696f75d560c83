"""Deciding: a person looks at matches and at what would become of each record, and approves.

An approved erasure is instructed and its holds are placed in the same save (Art. 17(3), 19).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from domain.deadlines import received_on
from domain.decisions import RecordFacts, Verdict, decide
from domain.erasure_wish import best, fields_of, grounds_of, narrowed, not_asked
from domain.errors import DomainError, NotAllowedNow
from domain.fulfilment import IDENTIFIERS_ARRIVED, Fulfilment
from domain.grounds import ARCHIVE, LEGAL_CLAIM, ground
from domain.hold import Hold
from domain.personal import PersonalRef
from domain.policy import Profile
from domain.portability import DirectTransfer
from domain.relation import MarketingStop, stops
from domain.request import DataSubjectRequest
from domain.restriction import At
from domain.values import FoundRecord, KeptPart, RecordDecision, WishedErasure
from domain.vocabulary import Action, Decision, Right
from services import dossier
from services.addressees import address_of
from services.controllers import Controllers
from services.erasure_rows import require_confirmed
from services.fulfilment import UNMAPPED
from services.held import Held, HeldRecord
from services.places import without_places
from services.planning import Steps, answer_task, task_for
from services.ports import Also, Clock, Person, Record, Tasks, Vault
from services.recipients import tell_recipients
from services.register import Register, again_on_conflict
from services.restricting import Restrictions
from services.suppressions import Suppressions

ARCHIVED = "handed_to_archive"
"""The fact that the archive has a record. Only its receipt says so, never a tick (E-05)."""

RESTRICTED = "restricted"
"""The fact that a record may be kept only (Art. 18(2)), for the rules of `domain.decisions`."""


@dataclass(frozen=True, slots=True)
class Preview:
    """One record of an erasure, what it is and what would become of it."""

    found: FoundRecord
    record: Record
    verdict: Verdict


class Deciding:
    """What a person decides about what was found."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        tasks: Tasks,
        controllers: Controllers,
        held: Held,
        restrictions: Restrictions,
        suppressions: Suppressions,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._tasks = register, vault, tasks
        self._controllers, self._held, self._clock = controllers, held, clock
        self._restrictions = restrictions
        self._suppressions = suppressions

    @again_on_conflict
    def decide_match(
        self, request_id: UUID, record_id: UUID, *, theirs: bool, reason: str, by: str
    ) -> None:
        request = self._register.request(request_id)
        command = request.confirm_match if theirs else request.reject_match
        command(record_id=record_id, reason=reason, by=by, at=self._clock())
        self._register.save_all([request])

    @again_on_conflict
    def decide_matches(
        self, request_id: UUID, verdicts: Mapping[UUID, tuple[bool, str]], *, by: str
    ) -> None:
        """Decide about several records at once, each with whether it is theirs and a reason."""
        if not verdicts:
            raise DomainError("decide about at least one record", key="nothing-decided")
        now = self._clock()
        request = self._register.request(request_id)
        for record_id, (theirs, reason) in verdicts.items():
            command = request.confirm_match if theirs else request.reject_match
            command(record_id=record_id, reason=reason, by=by, at=now)
        self._register.save_all([request])

    def records(
        self, request: DataSubjectRequest, some: Sequence[FoundRecord] | None = None
    ) -> dict[UUID, Record]:
        """The content of every found record, or of some, from the vault."""
        found = tuple(request.found.values()) if some is None else tuple(some)
        hides = self._register.case(request.case_id).protected
        return {
            one.record_id: without_places(record) if hides else record
            for one, record in zip(found, self._records(found), strict=True)
        }

    def preview(
        self,
        request: DataSubjectRequest,
        on: date,
        *,
        answers: Mapping[UUID, frozenset[str]] | None = None,
        under: Profile | None = None,
    ) -> tuple[Preview, ...]:
        """What would become of each of the person's records, before anything is changed.

        `answers` are facts that a person added to a record, by the codes of `domain.facts`.
        With `under` another profile decides by itself, whatever is held by now.
        """
        profile = under or self._controllers.terms(request.controller, request.profile_version)
        previews = []
        own = request.own_records
        restricted = self._restricted(request)
        wish = self._register.find_erasure_wish(request.id)
        for found, record in zip(own, self._records(own), strict=True):
            facts = RecordFacts(
                system=found.system,
                kind=found.kind,
                anchors=record.anchors,
                flags=record.flags
                | (answers or {}).get(found.record_id, frozenset()) - {ARCHIVED}
                | ({RESTRICTED} if found.system in restricted else frozenset())
                | ({ARCHIVED} if found.record_id in request.archived_records else frozenset()),
            )
            holds = () if under else self._held.standing(request.controller, found, record)
            parts = wish.about(found) if wish else _EVERYTHING
            verdict = best(
                [decide(facts, profile, holds, on, ground=one) for one in grounds_of(parts)]
            )
            wanted = fields_of(parts)
            if wanted:
                verdict = narrowed(verdict, tuple(map(str, record.fields)), wanted)
            previews.append(Preview(found, record, verdict if parts else not_asked()))
        return tuple(previews)

    def written_to_no_more(
        self, request: DataSubjectRequest, on: date
    ) -> Mapping[str, MarketingStop]:
        """The marketing systems in which what was found says that nothing may be sent any more."""
        profile = self._controllers.in_force(request.controller)
        own = request.own_records
        facts = [
            RecordFacts(found.system, found.kind, record.anchors, record.flags)
            for found, record in zip(own, self._records(own), strict=True)
        ]
        return stops(profile, facts, on)

    def _restricted(self, request: DataSubjectRequest) -> frozenset[str]:
        """Where another request of the same person's restricts the data: nothing goes there."""
        return frozenset(
            system
            for restriction in self._restrictions.standing(request)
            for system, state in restriction.systems.items()
            if state.at is not At.NOT_HELD
        )

    @again_on_conflict
    def approve(
        self,
        request_id: UUID,
        *,
        by: str,
        answers: Mapping[UUID, frozenset[str]] | None = None,
        considered: bool = False,
        words: str = "",
        tell: bool = False,
        full_cards: bool = False,
    ) -> None:
        """A person approves; an erasure is instructed and its holds are placed in the same save.

        `answers` are facts a person added about records, `considered` says that open questions
        were looked at, `words` go into the letter as they are. `tell` says that the person asked
        to be told when what is kept goes, `full_cards` that they asked to see whole card numbers
        (GK-12).
        """
        with self._register.alone_with(request_id):
            now = self._clock()
            self._register.look_at(request_id)
            request = self._register.request(request_id)
            _require_known(request)
            _require_searched(self._register.find_fulfilment(request_id))
            _require_no_other_way(request, self._register.find_fulfilment(request_id))
            profile = self._controllers.in_force(request.controller)
            steps = Steps()
            note = self._note(request, words, by, steps, now)
            if request.right is Right.ERASURE:
                previews = self._considered(request, answers, considered, now)
                request.approve(
                    decisions=tuple(record_decision(preview) for preview in previews),
                    profile_version=profile.digest,
                    by=by,
                    note=note,
                    at=now,
                )
                self._instruct(request, profile, previews, steps, by, now, tell=tell)
            else:
                redaction = self._register.find_redaction(request_id)
                _require_transferred(self._register.find_direct_transfer(request_id))
                request.approve(
                    decisions=(),
                    profile_version=profile.digest,
                    by=by,
                    note=note,
                    full_cards=full_cards,
                    looked_at=redaction.looked_at(request.own_records)
                    if redaction
                    else frozenset(),
                    at=now,
                )
                fulfilment = self._register.fulfilment(request_id)
                if fulfilment.all_done:
                    fulfilment.complete(at=now)
                steps.aggregates.append(fulfilment)
                steps.also.append(self._tasks.add(answer_task(request, at=now)))
                if self.written_to_no_more(request, received_on(now, request.country)):
                    steps.also.extend(self._never_again(request))
            self._register.save_all([request, *steps.aggregates], steps.also)

    def record(self, found: FoundRecord) -> Record:
        """The content of one found record, from the vault."""
        return dossier.record_in(self._vault, found.content)

    def _records(self, found: Sequence[FoundRecord]) -> Iterator[Record]:
        for content in self._vault.open_each(one.content for one in found):
            yield dossier.RECORD.validate_json(content).record

    def _note(
        self, request: DataSubjectRequest, words: str, by: str, steps: Steps, now: datetime
    ) -> PersonalRef | None:
        if not words.strip():
            return None
        sealed = dossier.seal_note(self._vault, request.case_id, words.strip(), by, now)
        steps.also.extend(sealed.also)
        return sealed.ref

    def _considered(
        self,
        request: DataSubjectRequest,
        answers: Mapping[UUID, frozenset[str]] | None,
        considered: bool,
        now: datetime,
    ) -> tuple[Preview, ...]:
        on = received_on(now, request.country)
        previews = self.preview(request, on, answers=answers)
        if not considered and any(preview.verdict.asks for preview in previews):
            raise NotAllowedNow(
                "some records have open questions: answer them, or say that you considered them",
                key="open-questions",
            )
        if not considered:
            profile = self._controllers.in_force(request.controller)
            wish = self._register.find_erasure_wish(request.id)
            shown = ((one.found, one.verdict) for one in self.preview(request, on))
            require_confirmed(request, wish, profile, shown, on)
        return previews

    def _instruct(
        self,
        request: DataSubjectRequest,
        profile: Profile,
        previews: Sequence[Preview],
        steps: Steps,
        by: str,
        now: datetime,
        *,
        tell: bool,
    ) -> None:
        fulfilment = self._register.fulfilment(request.id)
        self.carry_out(request, fulfilment, profile, previews, steps, by, now, tell=tell)
        steps.aggregates.append(fulfilment)
        if fulfilment.all_done:
            fulfilment.complete(at=now)
            steps.also.append(self._tasks.add(answer_task(request, at=now)))

    def carry_out(
        self,
        request: DataSubjectRequest,
        fulfilment: Fulfilment,
        profile: Profile,
        previews: Sequence[Preview],
        steps: Steps,
        by: str,
        now: datetime,
        *,
        tell: bool = False,
    ) -> None:
        """Have erased what was approved, recipients told, and what stays held."""
        decisions = tuple(request.decisions[preview.found.record_id] for preview in previews)
        by_system: dict[str, list[RecordDecision]] = {}
        for preview, decision in zip(previews, decisions, strict=True):
            by_system.setdefault(preview.found.system, []).append(decision)
        marketing = {system.id for system in profile.systems if system.marketing}
        for system, decided in by_system.items():
            if not any(decision.touches_the_system for decision in decided):
                if system in marketing and any(map(_waits_for_archive, decided)):
                    # What has to stay for the archive is no reason to go on writing to anybody.
                    fulfilment.instruct(system=system, action=Action.SUPPRESS, decisions=(), at=now)
                    task = task_for(request, system, Action.SUPPRESS, at=now)
                    steps.also.append(self._tasks.add(task))
            else:
                fulfilment.instruct(
                    system=system, action=Action.ERASE, decisions=tuple(decided), at=now
                )
                steps.also.append(self._tasks.add(task_for(request, system, Action.ERASE, at=now)))
        if marketing.intersection(by_system):
            # Or the next import would write to them again.
            steps.also.extend(self._never_again(request))
        passed_on = {name for preview in previews for name in preview.record.recipients}
        tell_recipients(fulfilment, profile, passed_on, now)
        self._place_holds(request, previews, decisions, steps, by, now, tell=tell)

    def _never_again(self, request: DataSubjectRequest) -> list[Also]:
        """Put the person on the list by which marketing systems are looked through daily."""
        person = dossier.person_in(self._vault, request.requester)
        return self._suppressions.added(request.controller, request.id, person.identifiers)

    def _place_holds(
        self,
        request: DataSubjectRequest,
        previews: Sequence[Preview],
        decisions: Sequence[RecordDecision],
        steps: Steps,
        by: str,
        now: datetime,
        *,
        tell: bool,
    ) -> None:
        kept: dict[tuple[str, str, str, date | None], list[tuple[Preview, KeptPart]]] = {}
        for preview, decision in zip(previews, decisions, strict=True):
            if decision.decision is Decision.KEEP:
                for part in decision.reasons:
                    # The day of a claim is that of its next review: it ends by a person alone.
                    day = None if part.ground == LEGAL_CLAIM else part.until
                    place = (preview.found.system, preview.found.category, part.ground, day)
                    kept.setdefault(place, []).append((preview, part))
        if not kept:
            return
        person = dossier.person_in(self._vault, request.requester)
        contact = self._contact(request, person) if tell else None
        for (system, category, ground_code, day), lines in kept.items():
            hold_id = Hold.create_id(request.id, system, category, ground_code, day)
            if self._register.find_hold(hold_id) is not None:
                continue  # a claim that was made before anything was decided
            claim = None
            if ground_code == LEGAL_CLAIM:
                # Somebody made it in another case: what stays for it here stands on its reason.
                claim = self._held.claim_on(
                    request.controller, system, [(p.found.kind, p.record.key) for p, _ in lines]
                )
            placed = self._held.place(
                request,
                system=system,
                category=category,
                ground=ground_code,
                release_on=day,
                records=[
                    HeldRecord(
                        preview.found.record_id,
                        preview.record.key,
                        preview.record.kind,
                        part.keep_fields,
                    )
                    for preview, part in lines
                ],
                identifiers=person.identifiers,
                words=self._held.words(claim) if claim else "",
                owner=claim.owner if claim else "",
                review_on=claim.review_on if claim else None,
                contact=contact,
                by=by,
                at=now,
            )
            steps.also.extend(placed.also)
            steps.aggregates.append(placed.hold)

    def _contact(self, request: DataSubjectRequest, person: Person) -> dossier.SealedContact:
        """Where to tell, and by what else than the address the person is recognised then (E-15)."""
        address = address_of(person)
        others = tuple(one for one in person.identifiers if one.value != address)
        if address is None or not others:
            raise DomainError(
                "to be told one day takes an address and something else the person can be"
                " recognised by: add a telephone number or an order number, or do not promise it"
            )
        case = self._register.case(request.case_id)
        return dossier.SealedContact(address, case.language, case.reference, others)


def _require_transferred(transfer: DirectTransfer | None) -> None:
    """What goes directly to another controller goes before the letter that says so."""
    if transfer is not None and transfer.feasible is None:
        raise NotAllowedNow("a direct transfer is asked for: say whether it is feasible")
    if transfer is not None and transfer.feasible and transfer.made_at is None:
        raise NotAllowedNow("the direct transfer is feasible: make it, and record that it is made")


_EVERYTHING = (WishedErasure(),)


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
        asked=verdict.asked,
        kept=tuple(
            KeptPart(kept.ground, ground(kept.ground).law, kept.until, kept.fields)
            for kept in verdict.kept
            if len(verdict.kept) > 1 or verdict.asked
        ),
    )


_OTHER_WAYS = {
    Right.RECTIFICATION: "decide each claim about a field, then approve the claims",
    Right.RESTRICTION: "say on which ground of Art. 18(1) it is restricted, or refuse it",
    Right.OBJECTION: "weigh the objection, purpose by purpose",
    Right.HUMAN_REVIEW: "say in words whether the decision stands or is changed",
    Right.INFORMATION_SECURITY: "answer it in words or with a document",
    Right.TRANSFER_SAFEGUARDS: "answer it in words or with a document",
}


def _require_no_other_way(request: DataSubjectRequest, fulfilment: Fulfilment | None) -> None:
    """What has a decision of its own is not approved in passing, unless it was begun by hand."""
    by_hand = fulfilment is not None and any(
        state.action is Action.HANDLE for state in fulfilment.systems.values()
    )
    if request.right in _OTHER_WAYS and not by_hand:
        raise NotAllowedNow(_OTHER_WAYS[request.right])


def _require_searched(fulfilment: Fulfilment | None) -> None:
    """What came to search by after the answer is searched by before the next one (GK-14)."""
    again = [
        name
        for name, state in (fulfilment.systems if fulfilment else {}).items()
        if state.waits_for == IDENTIFIERS_ARRIVED
    ]
    if again:
        raise NotAllowedNow(
            f"{', '.join(again)} has to be searched again: say what is there",
            key="search-again-first",
            systems=", ".join(again),
        )


def _require_known(request: DataSubjectRequest) -> None:
    """A sort of record that the profile does not name has no purpose, basis or retention yet."""
    unmapped = sorted(
        {f"{one.system}/{one.kind}" for one in request.own_records if one.category == UNMAPPED}
    )
    if unmapped:
        raise NotAllowedNow(
            f"the profile does not say what {', '.join(unmapped)} is: add it to the holdings, "
            "adopt the profile, and have the systems searched again",
            key="profile-lacks",
            kinds=", ".join(unmapped),
        )


def _waits_for_archive(decision: RecordDecision) -> bool:
    return decision.ground in ARCHIVE.values()
