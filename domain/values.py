"""Values that events hold: ids, codes and dates; never a person's name, address or number."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from domain.many import Many
from domain.personal import PersonalRef
from domain.vocabulary import (
    Action,
    CoverReason,
    Decision,
    Delivery,
    ErasureGround,
    IdentifierKind,
    LetterKind,
    Match,
    Outcome,
    Right,
    Role,
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where in a message a proposal was read: code points, not the words themselves."""

    right: Right | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """One record that a system holds; its content and its key lie behind `content`.

    `digest` is a keyed digest of system, kind and key: the same record has the same digest in
    every request of the case, and means nothing outside it.
    """

    record_id: UUID
    system: str
    kind: str
    category: str
    match: Match
    matched_by: IdentifierKind
    content: PersonalRef
    digest: str
    special: bool = False
    mentions_others: bool = False
    """Whether a person has to look for others in it before a copy of it leaves (Art. 15(4))."""

    @property
    def needs_a_person(self) -> bool:
        return not self.match.is_strong


@dataclass(frozen=True, slots=True)
class Passage:
    """Something covered in the copy of a record, as its content was found (Art. 15(4)).

    `place` counts the record's values, the first is 0: a field's name may itself name somebody.
    `start` and `end` are code points of its text; without them all of it is covered. `words` are
    those of whoever covered it.
    """

    passage_id: UUID
    record_id: UUID
    content: PersonalRef
    place: int
    reason: CoverReason
    start: int | None = None
    end: int | None = None
    words: PersonalRef | None = None


@dataclass(frozen=True, slots=True)
class KeptPart:
    """One reason why something of a record stays: which fields (none named: all), until when."""

    ground: str
    law: str
    until: date | None = None
    keep_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WishedErasure:
    """Part of what a person wants erased: a category or one record, all of it or some fields.

    Nothing named means everything; the grounds are letters of Art. 17(1).
    """

    grounds: frozenset[ErasureGround] = frozenset()
    category: str = ""
    record_id: UUID | None = None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordDecision:
    """What was decided about one found record, and why (Art. 17(3), national law)."""

    record_id: UUID
    decision: Decision
    explanation: str
    ground: str | None = None
    law: str | None = None
    until: date | None = None
    keep_fields: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    """The fields that the person wants erased; none named: the whole record."""
    kept: tuple[KeptPart, ...] = ()
    """Every reason, where there is more than one; `ground` and `until` are what lasts longest."""

    @property
    def reasons(self) -> tuple[KeptPart, ...]:
        """Each reason why something stays, with its own last day and its own fields."""
        if self.kept or self.ground is None or self.law is None:
            return self.kept
        return (KeptPart(self.ground, self.law, self.until, self.keep_fields),)

    @property
    def touches_the_system(self) -> bool:
        """Whether anything has to be erased over there."""
        return self.decision in {Decision.ERASE, Decision.ANONYMISE} or (
            self.decision is Decision.KEEP and bool(self.keep_fields)
        )


@dataclass(frozen=True, slots=True)
class KnownResidual:
    """What a vendor is known to keep after erasure: what, why, until when; all codes."""

    what: str
    why: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    """What became of one record, as the system or a person answered."""

    record_id: UUID
    outcome: Outcome
    detail: str = ""
    ground: str | None = None
    until: date | None = None
    residuals: tuple[KnownResidual, ...] = ()
    note: PersonalRef | None = None


@dataclass(frozen=True, slots=True)
class SystemOutcome:
    """What became of the records of one category in one system: what a letter reports."""

    system: str
    category: str
    outcome: Outcome
    count: int
    explanation: str = ""
    ground: str | None = None
    law: str | None = None
    until: date | None = None
    residuals: tuple[KnownResidual, ...] = ()
    keep_fields: tuple[str, ...] = ()
    note: PersonalRef | None = None
    fields: tuple[str, ...] = ()
    """What it is about, where only some fields were asked for."""

    @property
    def to_explain(self) -> frozenset[Outcome]:
        """What of this the person must be told the why of (Art. 12(4))."""
        itself = {self.outcome} if self.outcome.must_be_explained else set()
        return frozenset(itself | ({Outcome.RESIDUAL} if self.residuals else set()))


@dataclass(frozen=True, slots=True)
class PlannedSystem:
    """One system of a plan: what it is to the controller and how it is told."""

    system: str
    role: Role
    delivery: Delivery
    connector: str
    action: Action


@dataclass(frozen=True, slots=True)
class Told:
    """What a recipient was told, or that the person was referred there (Art. 19)."""

    recipient: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class QueuedLetter:
    """A letter that waits to leave, and the requests it will answer or acknowledge.

    `attached` says that the copy goes with it, unencrypted, because somebody decided so.
    """

    id: UUID
    kind: LetterKind
    text: PersonalRef
    requests: tuple[UUID, ...]
    printed: bool = False
    explains: tuple[Outcome, ...] = ()
    attached: bool = False


@dataclass(frozen=True, slots=True)
class LetterSent:
    """A letter that left, by kind, channel and reference to its text in the vault.

    `proof` is what shows that it was posted, handed over or read aloud.
    """

    kind: LetterKind
    how: str
    letter: PersonalRef
    explains: tuple[Outcome, ...] = field(default=())
    proof: PersonalRef | None = None


Found = tuple[FoundRecord, ...] | Many[FoundRecord]
Decisions = tuple[RecordDecision, ...] | Many[RecordDecision]
Outcomes = tuple[RecordOutcome, ...] | Many[RecordOutcome]
