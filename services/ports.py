"""What the services need from the world, as protocols that adapters keep.

A connector is one module; everything that may go wrong with a remote system arrives here as
one of four errors: `Unavailable` (try later), `AwaitsPerson` (somebody must act over there
first), `AwaitsAnswer` (it is told, and answers once it has acted) or `Refused` (a person must
look).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from domain.access import Access
from domain.errors import DomainError
from domain.identity_providers import IdentityProvider
from domain.personal import PersonalRef
from domain.policy import Profile
from domain.vocabulary import (
    Compartment,
    IdentifierKind,
    Language,
    LetterKind,
    Match,
    Outcome,
    StaffMail,
)
from services.documents import Document

Clock = Callable[[], datetime]
"""Answers the present moment, aware, UTC."""


# Errors


class Unavailable(Exception):
    """The remote system cannot answer now. Try later; `retry_after` is its own wish in seconds."""

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class Refused(Exception):
    """The remote system said no, or something that makes no sense. A person must look."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Garbled(Refused):
    """It answered, and what it said makes no sense. That may pass; what stays needs a person."""


class NotSetUp(Refused):
    """Whoever runs this has not yet said what a system needs: its address, a secret."""


class AwaitsPerson(Exception):
    """A person must first do something in that system. `what` is a code that the desk can say."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class AwaitsAnswer(AwaitsPerson):
    """The system is told what is to be done, and answers once it has done it.

    Where nobody can tell it, for lack of a request that it would be told for, a person must.
    """

    def __init__(self) -> None:
        super().__init__("tell-by-hand")


class Erased(Exception):
    """The personal data behind a reference has been destroyed, on purpose."""


class VaultLocked(Exception):
    """The key that opens it was not given to this process. Nothing is lost: try later."""


# Files from outside


class Harmful(DomainError):
    """A scanner has found something in a file. It is not kept."""

    def __init__(self) -> None:
        super().__init__(
            "the scanner found something harmful in this file: it was not kept", key="file-harmful"
        )


class Scanner(Protocol):
    def scan(self, content: bytes) -> None:
        """Look at a file before it is kept; raises `Harmful`, or `Unavailable` if it cannot."""
        ...


# People and records


@dataclass(frozen=True, slots=True)
class Identifier:
    """One thing a person can be found by. Verified means: control of it was proven in this case."""

    kind: IdentifierKind
    value: str
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks: everything known about them in this case. Never in an event, never in a log.

    A blank identifier identifies nobody: some systems take it for a wish to see everything.
    """

    identifiers: tuple[Identifier, ...]

    def all(self, kind: IdentifierKind) -> tuple[str, ...]:
        return tuple(i.value for i in self._said(kind))

    def verified(self, kind: IdentifierKind) -> tuple[str, ...]:
        return tuple(i.value for i in self._said(kind) if i.verified)

    def _said(self, kind: IdentifierKind) -> Iterator[Identifier]:
        return (i for i in self.identifiers if i.kind is kind and i.value.strip())


@dataclass(frozen=True, slots=True)
class Record:
    """One record a system holds about a person (or may hold: see `match`).

    `key` finds it again in that system and may itself be personal data, so it lives in the vault.
    `kind` is the system's own sort of record ("order", "customer"); profiles map it to a category.
    `fields` is what the person's copy will show, plain JSON values; whatever in it concerns other
    people must already be masked, and then `masked` names those fields.
    `anchors` are the events on which retention depends, e.g. {"order_completed": date(…)};
    `flags` are facts that decisions ask for, e.g. {"paid", "open_ticket", "refund_open"}.
    `recipients` are those to whom this record was passed on (names as the profile knows them).
    `since` is when it came into being there, or was last used by the person, where that is known.
    """

    key: str
    kind: str
    match: Match
    matched_by: IdentifierKind
    fields: Mapping[str, object]
    anchors: Mapping[str, date] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()
    recipients: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Treatment:
    """What was decided about one found record: all of it goes, or all but `keep_fields`."""

    key: str
    kind: str
    anonymise: bool = False
    keep_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one record in a system. `detail` is a code or short fact, never personal data.

    `residuals` are what the vendor is known to keep nonetheless, in the vocabulary of the letters.
    `not_before` belongs to PENDING_AT_VENDOR: when it makes sense to look again. What a person
    kept or refused has its `ground` and `until`; `words` are theirs and go to the vault only.
    """

    outcome: Outcome
    detail: str = ""
    residuals: tuple[Residual, ...] = ()
    not_before: datetime | None = None
    vendor_job: str | None = None
    ground: str | None = None
    until: date | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Residual:
    """Known to remain after erasure: what, why (a code the letters can say), until when."""

    what: str
    why: str
    until: date | None = None


class Connector(Protocol):
    """One connected system. Methods block and raise only the errors above.

    Every method may also be asked of a system that has it not; it then raises `AwaitsPerson`.
    """

    def find(self, person: Person, *, fresh_after: datetime | None = None) -> Iterator[Record]:
        """Stream every record that is or may be the person's, of all categories.

        With `fresh_after` the evidence must be younger than that moment (the read-back after an
        erasure); live systems always are, files may have to be asked for.
        """
        ...

    def erase(self, person: Person, treatment: Treatment, *, key: str) -> Result:
        """Erase or anonymise one found record. The same `key` again has no second effect."""
        ...

    def suppress(self, person: Person, *, key: str) -> Result:
        """Stop marketing to the person, durably; the record itself stays."""
        ...


@dataclass(frozen=True, slots=True)
class Correction:
    """What is to become of the fields of one record (Art. 16). `None` empties a field.

    `statement` is the person's own, to be kept with the record where the system can hold one.
    """

    key: str
    kind: str
    fields: Mapping[str, str | None]
    statement: str = ""


class Systems(Protocol):
    """The connectors of every controller, by controller and system."""

    def connector(self, controller: str, system: str) -> Connector: ...


@runtime_checkable
class Rectifies(Protocol):
    """A connected system in which fields can be corrected."""

    def rectify(self, person: Person, correction: Correction, *, key: str) -> Result:
        """Write the fields; what cannot be written there raises `AwaitsPerson`, before anything is.

        RECTIFIED, with "statement-not-held" as detail where the system has no place for one.
        """
        ...


@runtime_checkable
class Restricts(Protocol):
    """A connected system in which data can be marked so that it is kept and not used (Art. 18)."""

    def restrict(self, person: Person, *, key: str) -> Result:
        """Mark what is the person's and stop marketing; RESTRICTED, or NOT_FOUND."""
        ...

    def is_restricted(self, person: Person) -> bool:
        """Whether everything of the person's is marked, as the system says itself."""
        ...

    def unrestrict(self, person: Person, *, key: str) -> Result:
        """Take the marks away, and put back what the restriction itself had stopped."""
        ...


# The vault


class Also(Protocol):
    """Something an adapter writes in the same transaction as the events it belongs to."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A value on its way into the vault: its reference, and the write that has to be saved."""

    ref: PersonalRef
    also: tuple[Also, ...]


class Vault(Protocol):
    """Personal data, sealed per case and compartment, destroyed with its key."""

    def beginning(self, case_id: UUID, compartment: Compartment) -> AbstractContextManager[Also]:
        """Seal what belongs to a new case; the write goes first in the save that begins it."""
        ...

    def seal(self, case_id: UUID, compartment: Compartment, content: bytes) -> Sealed: ...

    def open(self, ref: PersonalRef) -> bytes:
        """The content; raises `Erased` after destruction."""
        ...

    def open_each(self, refs: Iterable[PersonalRef]) -> Iterator[bytes]:
        """The contents in the same order, read many at a time and held a few at a time."""
        ...

    def index(
        self, controller: str, case_id: UUID, identifiers: Sequence[Identifier]
    ) -> tuple[Also, ...]:
        """Make a case findable by its person's identifiers, through keyed tokens."""
        ...

    def cases_of(self, controller: str, identifier: Identifier) -> tuple[UUID, ...]: ...

    def digest(self, case_id: UUID, text: str) -> str:
        """A keyed digest that compares within the case and means nothing outside it."""
        ...

    def forget(self, ref: PersonalRef) -> Also:
        """Delete one value, in the save of whatever made it superfluous."""
        ...

    def destroy(self, case_id: UUID, compartment: Compartment) -> None:
        """Delete the rows and the key of one compartment; the others stay."""
        ...

    def destructions(self, case_id: UUID) -> tuple[Destruction, ...]:
        """What of a case has been destroyed, the oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Destruction:
    """Proof that one compartment is gone: which key, how many sealed items, when."""

    key_id: UUID
    compartment: Compartment
    items: int
    destroyed_at: datetime


class HeldRecords(Protocol):
    """Which holds name which record of a system, through keyed tokens."""

    def add(
        self,
        controller: str,
        case_id: UUID,
        hold_id: UUID,
        system: str,
        records: Iterable[tuple[str, str]],
    ) -> tuple[Also, ...]:
        """Note the records of a hold, each by kind and key; goes with the hold's compartment."""
        ...

    def holds_of_record(
        self, controller: str, system: str, kind: str, key: str
    ) -> tuple[UUID, ...]: ...

    def holds_of_case(self, case_id: UUID) -> tuple[UUID, ...]: ...


# Mail


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """One letter as mail. `key` makes the Message-ID, so a repeated send is recognisable."""

    key: str
    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    kind: LetterKind | StaffMail
    in_reply_to: str | None = None
    attachments: tuple[Attachment, ...] = ()


class Mailer(Protocol):
    def send(self, mail: OutgoingMail) -> None:
        """Hand the mail over; raises `Unavailable` or `Refused`."""
        ...


@dataclass(frozen=True, slots=True)
class Thread:
    """The case that a mail belongs to, and the letter of ours that it is about."""

    case_id: UUID
    letter_id: UUID | None


class Threads(Protocol):
    """Which case a mail belongs to, without a word of what is in it."""

    def letter(self, case_id: UUID, letter_id: UUID) -> Also: ...

    def message(self, case_id: UUID, digest: str) -> Also: ...

    def of_letters(self, texts: Iterable[str]) -> Thread | None:
        """The letter of ours whose Message-ID stands in one of these texts."""
        ...

    def of_message(self, digest: str) -> Thread | None: ...


# Paper


class PdfStandard(Enum):
    """What a PDF is made for: everybody's reading (ISO 14289-1), or keeping (ISO 19005-2)."""

    ACCESSIBLE = "accessible"
    ARCHIVE = "archive"


class Typesetter(Protocol):
    def pdf(self, document: Document, standard: PdfStandard) -> bytes:
        """The document as PDF; the same document always makes the same pages."""
        ...


# Work


@dataclass(frozen=True, slots=True)
class Task:
    """Something to be done at or after `due_at`, at least once, under a stable `key`."""

    key: str
    kind: str
    subject_id: UUID
    due_at: datetime
    controller: str
    system: str | None = None
    payload: Mapping[str, str] = field(default_factory=dict)
    attempts: int = 0
    failing: bool = False
    """Whether its system failed when it was last asked, so that an answer is news."""

    @property
    def named_system(self) -> str:
        """The system, of a task that makes no sense without one."""
        if self.system is None:
            raise DomainError(f"task {self.key} names no system")
        return self.system


@dataclass(frozen=True, slots=True)
class PutOff:
    """For how long a task was put off, and whether its system is suspended as a whole."""

    seconds: float
    suspended: bool


class Tasks(Protocol):
    """The queue of things to do. Writes join a save through `Also`; claims are leases."""

    def add(self, task: Task) -> Also: ...

    def again(self, task: Task) -> tuple[Also, ...]:
        """Have this done now: an open one of its kind at once if there is one, else this one."""
        ...

    def done(self, task: Task) -> Also: ...

    def following_up(
        self, kinds: Collection[str], *, worker: str, lease_seconds: float
    ) -> AbstractContextManager[Sequence[Task]]:
        """Within it, what this thread adds of these kinds and is due, it claims in the same save.

        Answers what it claimed so far. Where something has failed lately nothing is claimed.
        """
        ...

    def claim(
        self, kinds: Sequence[str], *, worker: str, lease_seconds: float, limit: int = 1
    ) -> list[Task]:
        """Take due tasks that nobody holds; attempts counts this one already.

        Of one system no more than it may have in hand at once; of a suspended one, one at a time.
        """
        ...

    def renew(self, tasks: Sequence[Task], *, lease_seconds: float) -> None:
        """Go on holding tasks that take long."""
        ...

    def put_off(self, task: Task, *, seconds: float, reason: str) -> None:
        """Give it back, to be tried again after a pause."""
        ...

    def unavailable(self, task: Task, *, seconds: float, reason: str, wish: float = 0.0) -> PutOff:
        """Give it back because its system failed; one that keeps failing is suspended.

        `wish` is for how long the system wants to be left alone.
        """
        ...

    def answered(self, task: Task) -> None:
        """Its system answers again: what was put off because of it becomes due."""
        ...

    def hurry(self, *, reason: str) -> None:
        """Let what was put off for this reason be tried now."""
        ...

    def purge(self) -> int:
        """Forget what was done for cases that are over; answers how many tasks."""
        ...

    def hold(self, task: Task, *, reason: str) -> bool:
        """Keep workers from what is like this task; False where one has it in hand, or none is."""
        ...

    def drop(self, task: Task) -> tuple[Also, ...]:
        """Have nobody do what is like this task, in the save of whatever made it superfluous."""
        ...

    def park(self, task: Task, *, reason: str) -> None:
        """Give it up; it stays visible until a person releases it."""
        ...


# Controllers


class Names(Protocol):
    """The names of the controllers that this installation serves."""

    def add(self, name: str) -> Also: ...

    def all(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who works on requests, or the officer, who watches and advises (Art. 38, 39).

    No controllers means all of them. Only who has an address gets the morning's mail.
    """

    id: str
    name: str
    email: str | None = None
    language: Language = Language.EN
    deputy: str | None = None
    controllers: frozenset[str] = frozenset()
    is_officer: bool = False

    def sees(self, controller: str) -> bool:
        return not self.controllers or controller in self.controllers


@dataclass(frozen=True, slots=True)
class Absence:
    """Days on which somebody is not at work, the first and the last one included."""

    staff_id: str
    first_on: date
    last_on: date

    def __post_init__(self) -> None:
        if self.last_on < self.first_on:
            raise DomainError("an absence cannot end before it begins: check both days")


class Staff(Protocol):
    def name(self, staff_id: str) -> str:
        """The human name behind a staff id, for letters; the id itself where none is known."""
        ...

    def members(self) -> Mapping[str, Member]:
        """Everybody who is known, by id."""
        ...

    def access(self) -> Mapping[str, Access]:
        """What is open to whoever was ever given a role or a token, by id; of others nothing."""
        ...

    def away(self, on: date) -> frozenset[str]:
        """Who is not at work on that day."""
        ...


class ExternalNumbers(Protocol):
    """The numbers that controllers' own systems gave cases; each stands for one of them."""

    def give(self, controller: str, case_id: UUID, number: str) -> Also: ...

    def case_of(self, controller: str, number: str) -> UUID | None: ...


# Codes and links


class CodeCheck(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    EXPIRED = "expired"
    SPENT = "spent"


class Codes(Protocol):
    """One-time codes: hashed at rest, five tries, an end."""

    def issue(self, subject_id: UUID, *, valid_for: timedelta) -> tuple[str, tuple[Also, ...]]:
        """A fresh code for the subject; earlier ones stop working when the write is saved."""
        ...

    def check(self, subject_id: UUID, code: str) -> CodeCheck:
        """A wrong code uses up one try; a right one stays right until `use` is saved."""
        ...

    def use(self, subject_id: UUID) -> Also:
        """Use the code up, in the save of what it opened."""
        ...

    def issued(self, subject_id: UUID, *, within: timedelta) -> int:
        """How many codes the subject was given lately."""
        ...


class ProofRefused(Exception):
    """What a provider or a browser brought back does not hold; `reason` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom an identity provider vouches for, how surely, and what it says of them.

    Personal data: held in memory, compared, and gone.
    """

    subject: str
    acr: object
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Begun:
    """A way to a provider: where the browser goes, and the secret that it keeps meanwhile."""

    address: str
    secret: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who set out for which provider."""

    case_id: UUID
    provider: str


class Providers(Protocol):
    """The identity providers that controllers have set up."""

    def on_offer(self, profile: Profile) -> tuple[IdentityProvider, ...]: ...

    def begin(self, profile: Profile, provider: str, *, language: str) -> tuple[Begun, bytes]:
        """A new attempt, and the digest by which it is known again."""
        ...

    def digest(self, secret: str, state: str) -> bytes:
        """The digest of an attempt; raises `ProofRefused` where the two do not belong together."""
        ...

    def vouched(
        self, profile: Profile, provider: str, *, secret: str, code: str, issuer: str | None
    ) -> Vouched:
        """Whom it vouches for; raises `ProofRefused`, `Unavailable` or `Refused`."""
        ...


class Attempts(Protocol):
    """Who set out for a provider and is expected back, once."""

    def begin(self, digest: bytes, attempt: Attempt, *, valid_for: timedelta) -> None: ...

    def take(self, digest: bytes) -> Attempt | None:
        """None when nobody set out so, when it is too long ago, or when they were back already."""
        ...


@dataclass(frozen=True, slots=True)
class Link:
    """What an address with a secret in it leads to."""

    subject_id: UUID
    purpose: str
    expires_at: datetime


class Links(Protocol):
    """Addresses with a secret; only the secret's hash is kept."""

    def issue(
        self, subject_id: UUID, *, purpose: str, valid_for: timedelta
    ) -> tuple[str, tuple[Also, ...]]:
        """The secret to put into an address, and the write that makes it work."""
        ...

    def follow(self, secret: str, *, purpose: str) -> Link | None:
        """None when there is no such link, when it has ended or was withdrawn."""
        ...

    def withdraw(self, subject_id: UUID, *, purpose: str) -> Also: ...


@dataclass(frozen=True, slots=True)
class Limit:
    """How often `who` may do `what` in a stretch of time. `who` may be personal data."""

    what: str
    who: str
    most: int
    per: timedelta


class Limits(Protocol):
    """Counts, over all processes, what anybody may do only so often."""

    def spend(self, limits: Sequence[Limit]) -> timedelta | None:
        """Count once in each; how long to wait where one is spent, None where all allow it."""
        ...

    def purge(self) -> int:
        """Forget what is over; answers how many counts went."""
        ...
