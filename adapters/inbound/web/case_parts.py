"""The parts of a case's page: what each of them shows, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from adapters.inbound.web.clock_view import ClockView
from adapters.inbound.web.happened import Happened
from adapters.inbound.web.rights_view import OwnWay
from adapters.inbound.web.trouble import Trouble
from adapters.outbound.tasks import ParkedTask
from domain.case import Case
from domain.erasure_wish import ErasureWish
from domain.errand import Errand
from domain.explanation import Step
from domain.fulfilment import SystemState
from domain.instruction import Instruction
from domain.policy import Profile
from domain.portability import DirectTransfer
from domain.relation import MarketingStop
from domain.representation import Representation
from domain.request import DataSubjectRequest, Status
from domain.values import FoundRecord, QueuedLetter
from domain.vocabulary import Decision, Outcome, Right
from services import dossier
from services.disclosing import Disclosed
from services.evidence import Compared
from services.filing import FileShown, NoteShown
from services.ports import Identifier
from services.recipient_ledger import Entry
from services.redacting import Covering
from services.related import RelatedCase


@dataclass(frozen=True, slots=True)
class SystemView:
    """One system of one request, and what somebody can do about it."""

    id: str
    name: str
    state: SystemState
    look_for: str
    answer: str | None
    can_try_again: bool
    waits: bool
    has_list: bool
    outcomes: tuple[Outcome, ...]
    kinds: tuple[tuple[str, str], ...]
    to_erase: tuple[FoundRecord, ...]
    anchors: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    errands: tuple[Errand, ...] = ()
    """Who was asked about it by a link, the oldest first."""
    can_ask: bool = False
    told: Instruction | None = None
    """What it was told and has not answered yet."""


@dataclass(frozen=True, slots=True)
class RecordView:
    """A found record. `key` and `fields` are empty while nobody has said what for it is read."""

    found: FoundRecord
    system: str
    category: str
    theirs: bool | None
    fields: tuple[tuple[str, object, bool], ...]
    key: str = ""
    paths: tuple[str, ...] = ()
    covered: tuple[Covering, ...] = ()
    to_read: bool = False
    compared: tuple[Compared, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A part of what was found, in the order in which somebody has to look at it."""

    records: tuple[RecordView, ...]
    start: int
    total: int

    @property
    def end(self) -> int:
        return self.start + len(self.records)

    @property
    def has_more(self) -> bool:
        return self.end < self.total


def goes(decision: Decision) -> bool:
    """Whether the person's data are gone by it."""
    return decision in {Decision.ERASE, Decision.ANONYMISE}


@dataclass(frozen=True, slots=True)
class DecisionView:
    """What would become of a record, or what was decided about it."""

    record_id: UUID
    category: str
    system: str
    kind: str
    decision: Decision
    why: str
    law: str | None
    until: date | None
    keep_fields: tuple[str, ...]
    questions: tuple[tuple[str, str, str | None], ...]
    notices: tuple[str, ...]
    steps: tuple[str, ...]
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What nobody but a person knows; `fact` is what a tick says, `values` one tick each."""

    words: str
    fact: str
    values: tuple[str, ...]
    ticked: bool = False


@dataclass(frozen=True, slots=True)
class DecisionGroup:
    """Records of which the same becomes, for the same reason, until the same day."""

    decision: Decision
    category: str
    system: str
    why: str
    law: str | None
    until: date | None
    keep_fields: tuple[str, ...]
    notices: tuple[str, ...]
    steps: tuple[str, ...]
    count: int
    kinds: tuple[tuple[str, int], ...]
    questions: tuple[Question, ...]
    outcomes: tuple[tuple[Outcome, int], ...]


@dataclass(frozen=True, slots=True)
class Due:
    """One of the dates of a request."""

    name: str
    day: date
    days_left: int


@dataclass(frozen=True, slots=True)
class World:
    """One date as it counts, and as it would if the pauses did."""

    name: str
    without: date
    paused: date


@dataclass(frozen=True, slots=True)
class RequestView:
    """One right with everything about it."""

    request: DataSubjectRequest
    dates: tuple[Due, ...]
    worlds: tuple[World, ...]
    why: tuple[Step, ...]
    systems: tuple[SystemView, ...]
    sheet: Sheet
    groups: tuple[DecisionGroup, ...]
    tally: tuple[tuple[Decision, int], ...]
    cannot_decide: Trouble
    can_approve: bool
    can_end: bool
    by_mail: bool
    enclosed: bool
    clock: ClockView
    transfer: DirectTransfer | None = None
    proposed_by: str | None = None
    """Who proposed to refuse it, while a second person has yet to decide."""
    wish: ErasureWish | None = None
    categories: Mapping[str, str] = field(default_factory=dict)
    transfer_to: str = ""
    own: OwnWay | None = None
    restricted_elsewhere: bool = False
    can_search_again: bool = False
    """Whether what arrives late can be searched by: nobody could be identified, or found."""
    marketing_ends: Mapping[str, MarketingStop] = field(default_factory=dict)
    """What each system that may send nothing any more is called, and why it may not."""

    @property
    def days_left(self) -> int:
        return self.dates[0].days_left

    @property
    def all_answered(self) -> bool:
        """Whether no system needs anybody's attention at present."""
        return all(system.state.status.has_answered for system in self.systems)

    @property
    def open_questions(self) -> bool:
        return any(group.questions for group in self.groups)

    @property
    def goes(self) -> int:
        return sum(count for decision, count in self.tally if goes(decision))

    @property
    def stays(self) -> int:
        return sum(count for decision, count in self.tally if not goes(decision))


@dataclass(frozen=True, slots=True)
class LetterView:
    letter: QueuedLetter
    left_at: datetime | None
    failed: str | None
    content: dossier.SealedLetter | None
    holds_code: bool


@dataclass(frozen=True, slots=True)
class NextStep:
    """What stands in the way, by the code of the work list, and where on the page it is done."""

    code: str
    right: Right | None
    anchor: str


@dataclass(frozen=True, slots=True)
class RecipientView:
    """Somebody who received something, by name, and what they were told."""

    entry: Entry
    label: str
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseView:
    case: Case
    profile: Profile
    message: dossier.SealedMessage | None
    message_gone: bool
    replies: tuple[dossier.SealedMessage, ...]
    identifiers: tuple[Identifier, ...]
    requests: tuple[RequestView, ...]
    letters: tuple[LetterView, ...]
    timeline: tuple[Happened, ...]
    next_steps: tuple[NextStep, ...]
    stuck: tuple[ParkedTask, ...]
    representation: Representation | None = None
    number_held: bool = False
    recipients: tuple[RecipientView, ...] = ()
    has_recipients: bool = False
    disclosures: tuple[Disclosed, ...] = ()
    disclosable: tuple[tuple[str, str], ...] = ()
    exceptions: tuple[tuple[str, str], ...] = ()
    notes: tuple[NoteShown, ...] = ()
    notes_hidden: int = 0
    files: tuple[FileShown, ...] = ()
    files_hidden: int = 0
    related: tuple[RelatedCase, ...] = ()

    @property
    def replies_hidden(self) -> int:
        return len(self.case.messages) - 1 - len(self.replies)

    @property
    def needs_identity(self) -> bool:
        return any(one.request.status is Status.RECEIVED for one in self.requests)

    @property
    def is_closed(self) -> bool:
        return bool(self.requests) and all(
            one.request.status is Status.CLOSED for one in self.requests
        )

    @property
    def code_sent_at(self) -> datetime | None:
        asked = (one.request.identity_requested_at for one in self.requests)
        return max((moment for moment in asked if moment), default=None)

    @property
    def wrong_codes(self) -> int:
        return max((one.request.identity_failures for one in self.requests), default=0)
