"""What was found for a request, whose it is, and what a person decides about it (Art. 12(4))."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.errors import DomainError, NotAllowedNow
from domain.many import by_id, gathered
from domain.personal import PersonalRef, code
from domain.request_identity import RequestIdentity
from domain.request_state import Event, Status
from domain.staff import human, named, two_people
from domain.values import Decisions, Found
from domain.vocabulary import Decision, PauseReason, RefusalGround, Right, Unidentified


class DataCollected(Event):
    TOPIC = "request.data-collected"
    found: Found

    def apply(self, aggregate: RequestDeciding) -> None:
        aggregate.status = Status.COLLECTED
        aggregate.found = by_id(self.found)
        aggregate.matches = {
            record_id: theirs
            for record_id, theirs in aggregate.matches.items()
            if record_id in aggregate.found
        }
        aggregate.collected_at = self.timestamp


class MatchConfirmed(Event):
    TOPIC = "request.match-confirmed"
    record_id: UUID
    reason: str
    by: str

    def apply(self, aggregate: RequestDeciding) -> None:
        aggregate.matches = {**aggregate.matches, self.record_id: True}


class MatchRejected(Event):
    TOPIC = "request.match-rejected"
    record_id: UUID
    reason: str
    by: str

    def apply(self, aggregate: RequestDeciding) -> None:
        aggregate.matches = {**aggregate.matches, self.record_id: False}


class RecordsArchived(Event):
    """The archive has received found records, so that the system's own copy may go (B.4)."""

    TOPIC = "request.records-archived"
    records: tuple[UUID, ...]
    receipt: PersonalRef
    by: str

    def apply(self, aggregate: RequestDeciding) -> None:
        aggregate.archived_records = aggregate.archived_records | set(self.records)


class Approved(Event):
    TOPIC = "request.approved"
    decisions: Decisions
    profile_version: str
    by: str
    note: PersonalRef | None = None
    full_cards: bool = False

    def apply(self, aggregate: RequestDeciding) -> None:
        aggregate.full_cards = self.full_cards
        aggregate.status = Status.APPROVED
        aggregate.decisions = by_id(self.decisions)
        aggregate.approved_by = self.by
        aggregate.approval_note = self.note


class Refused(Event):
    TOPIC = "request.refused"
    ground: RefusalGround
    by: str
    second: str | None
    reasons: PersonalRef
    code: str = ""
    shown: Unidentified | None = None
    proof: PersonalRef | None = None

    def apply(self, aggregate: RequestDeciding) -> None:
        aggregate.status = Status.REFUSED
        aggregate.refusal = self.ground
        aggregate.drop()


class RequestDeciding(RequestIdentity):
    @property
    def undecided_matches(self) -> Found:
        """Weak matches that still wait for a person."""
        return gathered(
            record
            for record in self.found.values()
            if record.needs_a_person and record.record_id not in self.matches
        )

    @property
    def own_records(self) -> Found:
        """The records that are the person's: strong matches and confirmed weak ones."""
        return gathered(
            record
            for record in self.found.values()
            if self.matches.get(record.record_id, record.match.is_strong)
        )

    # Commands

    def collect_data(self, *, found: Found, at: datetime) -> None:
        """Everything the systems hold. Until it is approved they may be searched again."""
        self._require(Status.VERIFIED, Status.COLLECTED)
        self._require_authority()
        if len({record.record_id for record in found}) < len(found):
            raise DomainError("the same record was found twice: name it once")
        self.trigger_event(DataCollected, found=found, timestamp=at)

    def confirm_match(self, *, record_id: UUID, reason: str, by: str, at: datetime) -> None:
        self._match(record_id, MatchConfirmed, reason=reason, by=by, at=at)

    def reject_match(self, *, record_id: UUID, reason: str, by: str, at: datetime) -> None:
        self._match(record_id, MatchRejected, reason=reason, by=by, at=at)

    def archive_records(
        self, *, records: tuple[UUID, ...], receipt: PersonalRef, by: str, at: datetime
    ) -> None:
        """The archive's receipt for records that only it may have disposed of (E-05)."""
        self._require(Status.COLLECTED)
        own = {record.record_id for record in self.own_records}
        if not records or set(records) - own:
            raise DomainError("name the records that the archive has received, among the person's")
        self.trigger_event(
            RecordsArchived, records=records, receipt=receipt, by=human(by), timestamp=at
        )

    def approve(
        self,
        *,
        decisions: Decisions,
        profile_version: str,
        by: str,
        note: PersonalRef | None = None,
        full_cards: bool = False,
        looked_at: frozenset[UUID] = frozenset(),
        at: datetime,
    ) -> None:
        """A person approves what will be done, record by record; none of the person's is missed.

        `looked_at` are the records in which a person has looked for others (Art. 15(4)).
        """
        self._require(Status.COLLECTED)
        if self.undecided_matches:
            raise NotAllowedNow(
                f"{len(self.undecided_matches)} matches wait: confirm or reject each of them first",
                key="matches-wait",
                count=len(self.undecided_matches),
            )
        self.require_looked_at(looked_at)
        decided = [decision.record_id for decision in decisions]
        own = {record.record_id for record in self.own_records}
        if len(set(decided)) < len(decided):
            raise DomainError("there are two decisions about one record: take one")
        if set(decided) != own if self.right is Right.ERASURE else set(decided) - own:
            raise DomainError("the decisions must cover exactly the records that are theirs")
        if any(d.decision is Decision.KEEP and not (d.ground and d.law) for d in decisions):
            raise DomainError("nothing is kept without a ground and its law: name them, or erase")
        self.trigger_event(
            Approved,
            decisions=decisions,
            profile_version=profile_version,
            by=human(by),
            note=note,
            full_cards=full_cards,
            timestamp=at,
        )

    def require_looked_at(self, looked_at: frozenset[UUID]) -> None:
        """No copy leaves while what may be about others was neither covered nor cleared."""
        if not self.right.gives_a_copy:
            return
        unread = sum(
            record.mentions_others and record.record_id not in looked_at
            for record in self.own_records
        )
        if unread:
            raise NotAllowedNow(
                f"{unread} records may be about other people too: cover what is, or clear them",
                key="read-for-others",
                count=unread,
            )

    def refuse(
        self,
        *,
        ground: RefusalGround,
        reasons: PersonalRef,
        by: str,
        second: str | None = None,
        code: str = "",
        shown: Unidentified | None = None,
        proof: PersonalRef | None = None,
        at: datetime,
    ) -> None:
        """No refusal without a human name; Art. 12(5) needs two, Art. 12(2) a question first."""
        self.require_undecided()
        if ground.needs_two_people:
            two_people(by, second)
        elif self.right is Right.OBJECTION_TO_MARKETING and ground.weighs_interests:
            raise DomainError("an objection to marketing is absolute (Art. 21(3)): act on it")
        if ground is RefusalGround.CANNOT_IDENTIFY:
            self._require_demonstrated(shown, proof)
        elif shown is not None:
            raise DomainError("what shows that nobody can be identified goes with that ground only")
        if ground is RefusalGround.NO_RESPONSE and not self.silent_about:
            raise DomainError(
                "nobody is silent before two reminders: wait for the second one", key="silent-first"
            )
        self.trigger_event(
            Refused,
            ground=ground,
            reasons=reasons,
            by=human(by),
            second=second,
            code=code,
            shown=shown,
            proof=proof,
            timestamp=at,
        )

    # Rules

    def _require_demonstrated(self, shown: Unidentified | None, proof: PersonalRef | None) -> None:
        """Art. 12(2): the controller demonstrates it; having asked a moment ago shows nothing."""
        if self.identity is not None or self.identity_requested_at is None:
            raise DomainError(
                "only who was asked for proof and gave none cannot be identified",
                key="ask-for-proof-first",
            )
        if proof is None:
            raise DomainError(
                "the controller has to show it (Art. 12(2)): write down what was tried"
            )
        if shown is None:
            raise DomainError(
                "say what shows it: the person is silent after two reminders, has nothing more to"
                " give, or the proofs given failed"
            )
        if shown is Unidentified.SILENT and PauseReason.IDENTITY not in self.silent_about:
            raise DomainError(
                "nobody is silent before two reminders: wait for the second one", key="silent-first"
            )

    def _match(
        self,
        record_id: UUID,
        event_class: type[MatchConfirmed] | type[MatchRejected],
        *,
        reason: str,
        by: str,
        at: datetime,
    ) -> None:
        self._require(Status.COLLECTED)
        if record_id not in self.found:
            raise DomainError("there is no such record in this request")
        confirmed = event_class is MatchConfirmed
        if self.matches.get(record_id) is confirmed:
            return
        self.trigger_event(
            event_class, record_id=record_id, reason=code(reason), by=named(by), timestamp=at
        )
