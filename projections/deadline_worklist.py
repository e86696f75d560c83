"""The work list: what is due when, what stands in the way, and whose turn it is (Art. 12(3)).

`deadline_worklist` holds a row per request, `inbox` one per message that a person has yet to
confirm or has set aside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, LiteralString, Protocol
from uuid import UUID

from domain.case import Case, CaseStatus, reference
from domain.deadlines import Deadlines
from domain.fulfilment import Fulfilment, SystemStatus, fulfilment_id
from domain.refusal import Refusal
from domain.request import DataSubjectRequest, Missed, PauseReason, Status
from domain.restriction import BY_HAND, Restriction, restriction_id
from domain.values import PlannedSystem
from domain.vocabulary import Action, Country, LetterKind, Right, TriageKind
from projections.projection import (
    Projection,
    Reader,
    Recorded,
    Row,
    Rows,
    Table,
    Today,
    when,
)

PERSONS_OUTSIDE = frozenset({"person", "file"})
"""Deliveries whose open end is somebody outside the desk: an owner, an organiser, a list."""

TURN_OF = {
    "breach": "handler",
    "delivery-failed": "handler",
    "letter-failed": "handler",
    "letter-to-print": "handler",
    "system-needs-look": "handler",
    "matches": "handler",
    "approval": "handler",
    "identity-to-ask": "handler",
    "silence": "handler",
    "authority": "handler",
    "advice-to-weigh": "handler",
    "closing": "handler",
    "second-person": "decider",
    "advice": "officer",
    "person-task": "person",
    "identity": "subject",
    "clarification": "subject",
    "answer-to-fetch": "subject",
    "systems": "system",
    "vendor": "system",
    "access-first": "system",
    "answer": "system",
}
"""What can stand in the way, and whose turn it is then, the most pressing first."""

_UNTIL_SETTLED = frozenset({Status.RECEIVED.value, Status.VERIFIED.value})
"""Where a request stands while nobody has said whether it may be made for somebody else."""

TURNS = ("handler", "decider", "person", "officer", "subject", "system")

SYSTEM_BLOCKS = {
    SystemStatus.ASKED: "systems",
    SystemStatus.UNAVAILABLE: "systems",
    SystemStatus.TREATED: "systems",
    SystemStatus.PENDING_AT_VENDOR: "vendor",
}


@dataclass(slots=True, kw_only=True)
class Work(Row):
    """One request on the work list."""

    request_id: Annotated[UUID, "The request"]
    case_id: Annotated[UUID, "The case it came with; requests of one case share the person"]
    fulfilment_id: Annotated[UUID, "Its fulfilment, whether planned yet or not"]
    restriction_id: Annotated[UUID, "The restriction that goes with it, whether there is one"]
    controller: Annotated[str, "Which controller was asked, by the id of its profile"]
    subject_right: Annotated[str, "Which right is used: access, erasure, …"]
    country: Annotated[str, "Whose calendar and civil date count: NO or SE"]
    language: Annotated[str, "Language of the answer: nb, nn, sv or en"]
    received_at: Annotated[datetime, "When it reached the controller"]
    received_on: Annotated[date, "The civil date of receipt, which starts the clock"]
    statutory_due: Annotated[
        date | None, "Last day by Art. 12(3), without extension; none for what is no right by it"
    ]
    extended_due: Annotated[date | None, "Last day by Art. 12(3), if extended"] = None
    promise_due: Annotated[date | None, "Last day by the controller's own promise"] = None
    target_due: Annotated[date, "The day to aim for; that of the extension, if extended"]
    act_by: Annotated[date | None, "When an objection to marketing has to work"] = None
    status: Annotated[str, "Where the request stands"] = Status.RECEIVED.value
    clock_runs: Annotated[bool, "Whether no answer has been given yet"] = True
    closed: Annotated[bool, "Whether it is off the work list"] = False
    restricting: Annotated[
        dict[str, str], "Systems where a person must restrict the data, or lift it: why, as a code"
    ] = field(default_factory=dict)
    extended: Annotated[bool, "Whether two more months were taken, with notice"] = False
    missed: Annotated[list[str], "Which of its dates have passed unanswered"] = field(
        default_factory=list
    )
    assigned_to: Annotated[str | None, "Staff id of who works on it"] = None
    blocked_by: Annotated[list[str], "What stands in the way, as codes"] = field(
        default_factory=list
    )
    turn: Annotated[
        str, "Whose turn it is: handler, decider, person, officer, subject or system"
    ] = "handler"
    refusal_id: Annotated[UUID, "The proposal to refuse it, whether there is one"]
    second_person: Annotated[bool, "Whether a refusal waits for a second person"] = False
    advice_awaited: Annotated[list[UUID], "Questions that the officer has yet to answer"] = field(
        default_factory=list
    )
    advice_to_weigh: Annotated[list[UUID], "Advice that nobody has followed or not yet"] = field(
        default_factory=list
    )
    breaches: Annotated[
        dict[str, list[str]], "Open breach notes, and what each still lacks, as codes"
    ] = field(default_factory=dict)
    tell_authority_by: Annotated[
        datetime | None, "When the 72 hours of an untold breach end (Art. 33(1))"
    ] = None
    identity_asked: Annotated[bool, "Whether the person was asked to prove who they are"] = False
    authority_awaited: Annotated[bool, "Whether somebody asks for somebody else, and may they?"] = (
        False
    )
    paused_for: Annotated[list[str], "What the person has been asked: identity, scope, …"] = field(
        default_factory=list
    )
    paused_since: Annotated[date | None, "Since when the person has been keeping us waiting"] = None
    suspension_relied_on: Annotated[bool, "Whether the controller counts the pauses"] = False
    silent_about: Annotated[list[str], "What the person has not answered, twice reminded"] = field(
        default_factory=list
    )
    reminder: Annotated[str | None, "The last reminder that came due"] = None
    matches_to_review: Annotated[list[UUID], "Found records that may be somebody else's"] = field(
        default_factory=list
    )
    matches_decided: Annotated[list[UUID], "Those of them a person has decided about"] = field(
        default_factory=list
    )
    planned: Annotated[bool, "Whether systems have been asked, or need not be"] = False
    systems: Annotated[
        dict[str, dict[str, str]], "Per system: status, action, delivery, what it waits for"
    ] = field(default_factory=dict)
    systems_answering: Annotated[list[str], "Systems that have yet to answer"] = field(
        default_factory=list
    )
    systems_unavailable: Annotated[list[str], "Those of them that do not answer now"] = field(
        default_factory=list
    )
    person_tasks: Annotated[list[str], "Systems where somebody must do something"] = field(
        default_factory=list
    )
    letters_to_print: Annotated[list[UUID], "Letters that wait to be printed and posted"] = field(
        default_factory=list
    )
    letters_failed: Annotated[list[UUID], "Letters that did not get through"] = field(
        default_factory=list
    )
    delivery_failed: Annotated[str | None, "Why the answer did not arrive, as a code"] = None
    status_before_answer: Annotated[str, "Where it goes if the answer does not arrive"] = (
        Status.RECEIVED.value
    )

    def days_left(self, today: Today) -> int:
        """Days until the target, less than none when it has passed."""
        day = today[Country(self.country)]
        if self.suspension_relied_on and self.paused_since is not None:
            day = min(day, self.paused_since)  # the clock stands still
        return (self.target_due - day).days

    def begin_anew(self, status: Status) -> None:
        """What was found belongs to another right, or to somebody else."""
        self.to(status)
        self.planned = False
        self.matches_to_review, self.matches_decided = [], []

    def to(self, status: Status) -> None:
        self.status, self.clock_runs = status.value, status.is_open

    def take_dates(self, dates: Deadlines) -> None:
        self.statutory_due, self.promise_due = dates.statutory_due, dates.promise_due
        self.extended_due = dates.extended_due
        self.target_due = dates.aim(relied=self.suspension_relied_on)

    def answered_question(self, reason: PauseReason) -> None:
        self.silent_about = [code for code in self.silent_about if code != reason.value]

    def take_letters(self, letters: dict[str, dict[str, Any]]) -> None:
        """The letters that wait and concern this request, and those that came back.

        An answer that came back is told by its request.
        """
        mine = {
            letter_id: letter
            for letter_id, letter in letters.items()
            if (not letter["requests"] or str(self.request_id) in letter["requests"])
            and not letter.get("recalled")
            and not (letter.get("left") and LetterKind(letter["kind"]).answers)
        }
        self.letters_to_print = [
            UUID(i) for i, letter in mine.items() if letter["printed"] and not letter.get("left")
        ]
        self.letters_failed = [UUID(i) for i, letter in mine.items() if letter["failed"]]

    def system(self, name: str, status: SystemStatus, **known: str) -> None:
        self.systems[name] = {
            **self.systems.get(name, {}),
            "waits_for": "",
            **known,
            "status": status.value,
        }

    def settle(self) -> None:
        standing = {name: self._standing(system) for name, system in self.systems.items()}
        self.systems_answering = sorted(n for n, s in standing.items() if s in SYSTEM_BLOCKS)
        self.systems_unavailable = sorted(
            n for n, s in standing.items() if s is SystemStatus.UNAVAILABLE
        )
        self.person_tasks = sorted(
            n for n, s in standing.items() if s is SystemStatus.WAITING_FOR_PERSON
        )
        is_closed = self.status == Status.CLOSED.value
        codes = set(self._restricting() if is_closed else self._blocks(standing))
        if self.breaches:
            codes.add("breach")
        self.closed = is_closed and not codes
        self.blocked_by = [code for code in TURN_OF if code in codes]
        whose = {TURN_OF[code] for code in codes}
        self.turn = next((turn for turn in TURNS if turn in whose), "system")

    def _standing(self, system: dict[str, str]) -> SystemStatus | None:
        """Where a system stands, while that is what the request waits for."""
        if self.status not in {Status.VERIFIED.value, Status.APPROVED.value}:
            return None
        status = SystemStatus(system["status"])
        # A recipient is told once it has been decided what goes; until then nobody waits for it.
        early = status is SystemStatus.ASKED and system["action"] == Action.INFORM.value
        return None if early else status

    def _restricting(self) -> Iterator[str]:
        """A restriction outlives its request: somebody has to take it back over there too."""
        for reason in self.restricting.values():
            yield "person-task" if reason in BY_HAND else "system-needs-look"

    def _blocks(self, standing: dict[str, SystemStatus | None]) -> Iterator[str]:
        for name in self.systems_answering:
            status = standing[name]
            if status is not None:
                yield SYSTEM_BLOCKS[status]
        for name in self.person_tasks:
            outside = self.systems[name]["delivery"] in PERSONS_OUTSIDE
            yield "person-task" if outside else "system-needs-look"
        yield from self._restricting()
        if self.letters_to_print:
            yield "letter-to-print"
        if self.letters_failed:
            yield "letter-failed"
        if self.delivery_failed:
            yield "delivery-failed"
        if set(self.paused_for) - {PauseReason.IDENTITY.value}:
            yield "clarification"
        if self.silent_about:
            yield "silence"
        if self.authority_awaited and self.status in _UNTIL_SETTLED:
            yield "authority"
            if self.status == Status.VERIFIED.value:
                return
        if self.advice_awaited:
            yield "advice"
        if self.advice_to_weigh:
            yield "advice-to-weigh"
        if self.second_person:
            yield "second-person"
        elif not self.person_tasks and not self.systems_answering:
            yield from self._step()

    def _step(self) -> Iterator[str]:
        stuck = bool(self.letters_to_print or self.letters_failed or self.delivery_failed)
        if self.subject_right == Right.RESTRICTION.value:
            stuck = stuck or bool(self.restricting)
        match Status(self.status):
            case Status.RECEIVED:
                yield "identity" if self.identity_asked else "identity-to-ask"
            case Status.VERIFIED if not self.planned:
                yield "access-first"
            case Status.COLLECTED:
                yield "matches" if self.matches_to_review else "approval"
            case Status.VERIFIED | Status.APPROVED | Status.REFUSED if not stuck:
                yield "answer"
            case Status.FULFILLED:
                yield "answer-to-fetch"
            case Status.ANSWERED | Status.REFERRED | Status.WITHDRAWN:
                yield "closing"


@dataclass(slots=True, kw_only=True)
class Message(Row):
    """One message that came in."""

    case_id: Annotated[UUID, "The case it opened"]
    reference: Annotated[str, "The case's short name, as people say it on the phone"]
    controller: Annotated[str, "Which controller it reached, by the id of its profile"]
    channel: Annotated[str, "How it came: mail, portal, phone, …"]
    received_at: Annotated[datetime, "When it reached the controller"]
    receipt_source: Annotated[str, "Where that moment was read"]
    kind: Annotated[str, "What it was taken for"]
    rights: Annotated[list[str], "Which rights it seems to use"]
    language: Annotated[str, "Language it seems to be written in"]
    certain: Annotated[bool, "Whether its own words leave little doubt"]
    status: Annotated[str, "waiting, confirmed or set-aside"] = CaseStatus.WAITING.value
    messages: Annotated[int, "How many messages the case holds"] = 1
    due_on: Annotated[date | None, "Document access: the day on which it has to be dealt with"] = (
        None
    )
    replied_at: Annotated[
        datetime | None, "When the person wrote again, while nobody has answered or looked"
    ] = None
    letters: Annotated[
        dict[str, dict[str, Any]], "Its letters that have not left: for which requests, and how"
    ] = field(default_factory=dict)


WORK = Table(
    "deadline_worklist",
    Work,
    key=("request_id",),
    found_by=("request_id", "case_id", "fulfilment_id", "restriction_id", "refusal_id"),
    comment="One row per request: its dates, what stands in the way, whose turn it is",
    indexes=(
        # With all that a list is narrowed down by, so that entries are chosen without their rows.
        "(controller, (NOT clock_runs), target_due, request_id) INCLUDE (clock_runs, turn,"
        " subject_right, status, language, assigned_to, received_on, country,"
        " suspension_relied_on, paused_since, blocked_by, systems_answering, person_tasks)"
        " WHERE NOT closed",
        "(controller, turn, (NOT clock_runs), target_due, request_id) WHERE NOT closed",
        "(controller, assigned_to, (NOT clock_runs), target_due, request_id) WHERE NOT closed",
    ),
)
INBOX = Table(
    "inbox",
    Message,
    key=("case_id",),
    found_by=("case_id",),
    comment="One row per message: what it seems to ask, until a person has confirmed it",
    indexes=(
        "(controller, status, received_at, case_id)",
        "(reference)",
        "(controller, due_on) WHERE due_on IS NOT NULL",
        "(controller, replied_at) WHERE replied_at IS NOT NULL",
    ),
)

Request = DataSubjectRequest


def _asked(plan: PlannedSystem) -> dict[str, str]:
    """Where a line of a plan stands before anybody has answered."""
    return {
        "status": SystemStatus.ASKED.value,
        "action": plan.action.value,
        "delivery": plan.delivery.value,
        "waits_for": "",
    }


class DeadlineWorklist(Projection):
    name = "deadline_worklist"
    version = 2
    tables = (WORK, INBOX)

    def touches(self, recorded: Recorded) -> Iterator[UUID]:
        yield recorded.originator_id
        if recorded.topic == Request.Received.TOPIC:
            yield recorded.body.case_id

    # Messages

    @when(Case.Arrived)
    def arrived(self, event: Case.Arrived, rows: Rows) -> None:
        rows.add(
            INBOX,
            Message(
                case_id=event.originator_id,
                reference=reference(event.originator_id),
                controller=event.controller,
                channel=event.channel.value,
                received_at=event.received_at,
                receipt_source=event.receipt_source.value,
                kind=event.proposed_kind.value,
                rights=[right.value for right in event.proposed_rights],
                language=event.proposed_language.value,
                certain=event.certain,
                due_on=event.received_at.date()
                if event.proposed_kind is TriageKind.DOCUMENT_ACCESS
                else None,
            ),
        )

    @when(Case.Confirmed)
    def confirmed(self, event: Case.Confirmed, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            message.status, message.due_on = CaseStatus.CONFIRMED.value, None

    @when(Case.SetAside)
    def set_aside(self, event: Case.SetAside, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            message.status, message.kind = CaseStatus.SET_ASIDE.value, event.kind.value
            message.due_on = event.due_on

    @when(Case.OutcomeSettled)
    def outcome_settled(self, event: Case.OutcomeSettled, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            message.due_on = None

    @when(Case.OutcomeUndone)
    def outcome_undone(self, event: Case.OutcomeUndone, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            message.status, message.due_on = CaseStatus.WAITING.value, None

    @when(Case.RightAdded)
    def right_added(self, event: Case.RightAdded, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            message.rights = [*message.rights, event.right.value]

    @when(Case.RightCorrected)
    def right_corrected(self, event: Case.RightCorrected, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            others = [right for right in message.rights if right != event.was.value]
            message.rights = [*others, event.right.value]

    @when(Case.ReceiptCorrected)
    def case_receipt_corrected(self, event: Case.ReceiptCorrected, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            message.received_at = event.received_at

    @when(Case.MessageAdded)
    def message_added(self, event: Case.MessageAdded, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            message.messages += 1
            message.replied_at = message.replied_at or event.timestamp

    @when(Case.RepliesRead)
    def replies_read(self, event: Case.RepliesRead, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            message.replied_at = None

    # Letters

    @when(Case.LetterQueued)
    def letter_queued(self, event: Case.LetterQueued, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            message.letters[str(event.letter.id)] = {
                "kind": event.letter.kind.value,
                "requests": [str(request_id) for request_id in event.letter.requests],
                "printed": event.letter.printed,
                "failed": False,
            }
            message.replied_at = None
            self._tell(message, rows)

    @when(Case.LetterLeft)
    def letter_left(self, event: Case.LetterLeft, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            letter = message.letters.get(str(event.letter_id))
            if letter is not None:
                letter |= {"left": True, "failed": False}
            self._tell(message, rows)

    @when(Case.LetterRecalled)
    def letter_recalled(self, event: Case.LetterRecalled, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            letter = message.letters.get(str(event.letter_id))
            if letter is not None:
                letter |= {"recalled": True, "failed": False}
            self._tell(message, rows)

    @when(Case.LetterFailed)
    def letter_failed(self, event: Case.LetterFailed, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            if str(event.letter_id) in message.letters:
                message.letters[str(event.letter_id)]["failed"] = True
            self._tell(message, rows)

    @staticmethod
    def _tell(message: Message, rows: Rows) -> None:
        for work in rows.changing(WORK, message.case_id):
            work.take_letters(message.letters)

    # Receiving

    @when(Request.Received)
    def received(self, event: Request.Received, rows: Rows) -> None:
        work = Work(
            request_id=event.originator_id,
            case_id=event.case_id,
            fulfilment_id=fulfilment_id(event.originator_id),
            restriction_id=restriction_id(event.originator_id),
            refusal_id=Refusal.create_id(event.originator_id),
            controller=event.controller,
            subject_right=event.right.value,
            country=event.country.value,
            language=event.language.value,
            received_at=event.received_at,
            received_on=event.received_on,
            statutory_due=event.dates.statutory_due,
            target_due=event.dates.target_due,
            act_by=event.act_by,
        )
        work.take_dates(event.dates)
        # The case is saved first, so its letters may be known before the requests they concern.
        for message in rows.of(INBOX, event.case_id):
            work.take_letters(message.letters)
        rows.add(WORK, work)

    @when(Request.ReceiptCorrected)
    def receipt_corrected(self, event: Request.ReceiptCorrected, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.received_at, work.received_on = event.received_at, event.received_on
            work.act_by = event.act_by
            work.take_dates(event.dates)

    @when(Request.Reclassified)
    def reclassified(self, event: Request.Reclassified, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.subject_right, work.controller = event.right.value, event.controller
            work.act_by = event.act_by
            work.take_dates(event.dates)
            if event.anew:
                work.begin_anew(Status.VERIFIED)

    @when(Request.Assigned)
    def assigned(self, event: Request.Assigned, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.assigned_to = event.to

    # Identity and questions

    @when(Request.IdentityRequested)
    def identity_requested(self, event: Request.IdentityRequested, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.identity_asked = True
            work.answered_question(PauseReason.IDENTITY)

    @when(Request.ClarificationRequested)
    def clarification_requested(self, event: Request.ClarificationRequested, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.answered_question(PauseReason.SCOPE)

    @when(Request.AuthorityAwaited)
    def authority_awaited(self, event: Request.AuthorityAwaited, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.authority_awaited = True

    @when(Request.AuthoritySettled)
    def authority_settled(self, event: Request.AuthoritySettled, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.authority_awaited = not event.accepted

    @when(Request.PauseOpened)
    def pause_opened(self, event: Request.PauseOpened, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.paused_for = [*work.paused_for, event.reason.value]
            work.paused_since = min(work.paused_since or event.on, event.on)

    @when(Request.PauseEnded)
    def pause_ended(self, event: Request.PauseEnded, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.paused_for = [code for code in work.paused_for if code != event.reason.value]
            work.paused_since = work.paused_since if work.paused_for else None
            work.answered_question(event.reason)
            work.take_dates(event.dates)

    @when(Request.SuspensionReliedOn)
    def suspension_relied_on(self, event: Request.SuspensionReliedOn, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.suspension_relied_on = True
            work.take_dates(event.dates)

    @when(Request.SilenceNoticed)
    def silence_noticed(self, event: Request.SilenceNoticed, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.silent_about = [*work.silent_about, event.reason.value]

    @when(Request.ReminderDue)
    def reminder_due(self, event: Request.ReminderDue, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.reminder = event.reminder

    # The clock

    @when(Request.DeadlineExtended)
    def deadline_extended(self, event: Request.DeadlineExtended, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.extended = True
            work.take_dates(event.dates)

    @when(Request.DeadlineRecomputed)
    def deadline_recomputed(self, event: Request.DeadlineRecomputed, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.take_dates(event.dates)

    @when(Request.TargetMissed)
    def target_missed(self, event: Request.TargetMissed, rows: Rows) -> None:
        _missed(event, rows, Missed.TARGET)

    @when(Request.PromiseMissed)
    def promise_missed(self, event: Request.PromiseMissed, rows: Rows) -> None:
        _missed(event, rows, Missed.PROMISE)

    @when(Request.StatutoryMissed)
    def statutory_missed(self, event: Request.StatutoryMissed, rows: Rows) -> None:
        _missed(event, rows, Missed.STATUTORY)

    # Steps

    @when(Request.IdentityVerified, Request.VerificationNotNeeded)
    def verified(self, event: Request.Event, rows: Rows) -> None:
        _stepped(event, rows, Status.VERIFIED)

    @when(Request.Approved)
    def approved(self, event: Request.Approved, rows: Rows) -> None:
        _stepped(event, rows, Status.APPROVED)

    @when(Request.Fulfilled)
    def fulfilled(self, event: Request.Fulfilled, rows: Rows) -> None:
        _stepped(event, rows, Status.FULFILLED)

    @when(Request.Referred)
    def referred(self, event: Request.Referred, rows: Rows) -> None:
        _dropped(event, rows, Status.REFERRED)

    @when(Request.Refused)
    def refused(self, event: Request.Refused, rows: Rows) -> None:
        _dropped(event, rows, Status.REFUSED)

    @when(Request.Withdrawn)
    def withdrawn(self, event: Request.Withdrawn, rows: Rows) -> None:
        _dropped(event, rows, Status.WITHDRAWN)

    @when(Request.DataCollected)
    def data_collected(self, event: Request.DataCollected, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.to(Status.COLLECTED)
            work.planned = True
            decided = set(work.matches_decided)
            weak = {record.record_id for record in event.found if record.needs_a_person}
            work.matches_to_review = sorted(weak - decided)
            work.matches_decided = sorted(
                record.record_id for record in event.found if record.record_id in decided
            )

    @when(Request.MatchConfirmed, Request.MatchRejected)
    def match_decided(
        self, event: Request.MatchConfirmed | Request.MatchRejected, rows: Rows
    ) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.matches_to_review = [i for i in work.matches_to_review if i != event.record_id]
            work.matches_decided = sorted({*work.matches_decided, event.record_id})

    @when(Request.AnswerSent)
    def answer_sent(self, event: Request.AnswerSent, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.status_before_answer = work.status
            work.to(Status.ANSWERED)
            work.delivery_failed = None

    @when(Request.AnswerFetched)
    def answer_fetched(self, event: Request.AnswerFetched, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.to(event.status)
            work.delivery_failed = None

    @when(Request.DeliveryFailed)
    def delivery_failed(self, event: Request.DeliveryFailed, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.to(Status(work.status_before_answer))
            work.delivery_failed = event.reason

    @when(Request.Closed)
    def request_closed(self, event: Request.Closed, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.to(Status.CLOSED)

    @when(Request.Reopened)
    def reopened(self, event: Request.Reopened, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.to(event.status)

    # Mistakes, second people, advice, breaches

    @when(Request.TakenBack)
    def taken_back(self, event: Request.TakenBack, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.to(event.status)
            work.delivery_failed = None

    @when(Request.IdentityRevoked)
    def identity_revoked(self, event: Request.IdentityRevoked, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.begin_anew(Status.RECEIVED)
            work.delivery_failed, work.identity_asked = None, False

    @when(Request.Unlinked)
    def unlinked(self, event: Request.Unlinked, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.received_at, work.received_on = event.received_at, event.received_on
            work.act_by = event.act_by
            work.take_dates(event.dates)

    @when(Refusal.Proposed, Refusal.ProposedAgain)
    def refusal_proposed(self, event: Refusal.Event, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.second_person = True

    @when(Refusal.Confirmed, Refusal.Declined)
    def refusal_decided(self, event: Refusal.Event, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.second_person = False

    @when(Request.OfficerConsulted)
    def officer_consulted(self, event: Request.OfficerConsulted, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            if event.advice is None:
                work.advice_awaited = [*work.advice_awaited, event.question.id]
            else:
                work.advice_to_weigh = [*work.advice_to_weigh, event.question.id]

    @when(Request.OfficerAdvised)
    def officer_advised(self, event: Request.OfficerAdvised, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.advice_awaited = [i for i in work.advice_awaited if i != event.question.id]
            work.advice_to_weigh = [*work.advice_to_weigh, event.question.id]

    @when(Request.AdviceWeighed)
    def advice_weighed(self, event: Request.AdviceWeighed, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.advice_to_weigh = [i for i in work.advice_to_weigh if i != event.question.id]

    @when(Request.DisclosureReported)
    def disclosure_reported(self, event: Request.DisclosureReported, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            lacks = ["note"] if not event.described else []
            lacks += ["authority"] if event.tell_authority_by else []
            lacks += ["person"] if event.person_told is None else []
            work.breaches = {**work.breaches, str(event.report.id): lacks}
            work.tell_authority_by = event.tell_authority_by

    @when(Request.BreachDescribed, Request.BreachAuthoritySettled, Request.BreachPersonSettled)
    def breach_went_on(
        self,
        event: Request.BreachDescribed
        | Request.BreachAuthoritySettled
        | Request.BreachPersonSettled,
        rows: Rows,
    ) -> None:
        done = {
            Request.BreachDescribed.TOPIC: "note",
            Request.BreachAuthoritySettled.TOPIC: "authority",
        }.get(event.TOPIC, "person")
        for work in rows.changing(WORK, event.originator_id):
            work.breaches = {
                report: left
                for report, lacks in work.breaches.items()
                if (left := [w for w in lacks if report != str(event.breach) or w != done])
            }
            if not any("authority" in lacks for lacks in work.breaches.values()):
                work.tell_authority_by = None

    # Systems

    @when(Fulfilment.Planned, Fulfilment.Replanned)
    def planned(self, event: Fulfilment.Planned | Fulfilment.Replanned, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.planned = True
            work.systems = {plan.system: _asked(plan) for plan in event.systems}

    @when(Fulfilment.LineAdded)
    def line_added(self, event: Fulfilment.LineAdded, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.systems = {**work.systems, event.line.system: _asked(event.line)}

    @when(Fulfilment.Instructed)
    def instructed(self, event: Fulfilment.Instructed, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.system(event.system, SystemStatus.ASKED, action=event.action.value)

    @when(Fulfilment.Answered)
    def system_answered(self, event: Fulfilment.Answered, rows: Rows) -> None:
        if event.late:
            return
        stands = {Action.FIND: SystemStatus.FOUND, Action.ERASE: SystemStatus.TREATED}
        for work in rows.changing(WORK, event.originator_id):
            work.system(event.system, stands.get(event.action, SystemStatus.DONE))

    @when(Fulfilment.PendingAtVendor)
    def pending_at_vendor(self, event: Fulfilment.PendingAtVendor, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.system(event.system, SystemStatus.PENDING_AT_VENDOR)

    @when(Fulfilment.Unavailable)
    def unavailable(self, event: Fulfilment.Unavailable, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.system(event.system, SystemStatus.UNAVAILABLE)

    @when(Fulfilment.Escalated)
    def escalated(self, event: Fulfilment.Escalated, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.system(event.system, SystemStatus.WAITING_FOR_PERSON, waits_for=event.reason)

    @when(Fulfilment.ReadBack)
    def read_back(self, event: Fulfilment.ReadBack, rows: Rows) -> None:
        if not event.unexpected:
            for work in rows.changing(WORK, event.originator_id):
                work.system(event.system, SystemStatus.DONE)

    # Restrictions

    @when(Restriction.Escalated)
    def restriction_escalated(self, event: Restriction.Escalated, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.restricting = {**work.restricting, event.system: event.reason}

    @when(Restriction.SystemRestricted, Restriction.SystemLifted)
    def restriction_answered(
        self, event: Restriction.SystemRestricted | Restriction.SystemLifted, rows: Rows
    ) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.restricting = {k: v for k, v in work.restricting.items() if k != event.system}

    @when(Restriction.Lifted, Restriction.GivenUp)
    def restriction_ended(
        self, event: Restriction.Lifted | Restriction.GivenUp, rows: Rows
    ) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.restricting = {}


def _stepped(event: Request.Event, rows: Rows, status: Status) -> None:
    for work in rows.changing(WORK, event.originator_id):
        work.to(status)


def _dropped(event: Request.Event, rows: Rows, status: Status) -> None:
    """No system is asked any more, and an answer that may have been sent is taken back."""
    for work in rows.changing(WORK, event.originator_id):
        work.to(status)
        work.delivery_failed = None


def _missed(event: Request.Event, rows: Rows, date_missed: Missed) -> None:
    for work in rows.changing(WORK, event.originator_id):
        work.missed = [*work.missed, date_missed.value]


# Queries


class Place(Protocol):
    """Where an entry stands on the list; enough of it to go on after it."""

    @property
    def clock_runs(self) -> bool: ...
    @property
    def target_due(self) -> date: ...
    @property
    def request_id(self) -> UUID: ...


def entries(
    sql: Reader,
    controllers: Sequence[str],
    *,
    turn: str | None = None,
    assigned_to: str | None = None,
    after: Place | None = None,
    limit: int = 100,
) -> list[Work]:
    """What is not closed yet, in order of target; what has been answered comes last.

    `after` is the last entry of the page before.
    """
    wanted: LiteralString = "NOT closed AND controller = served.controller"
    if turn is not None:
        wanted += " AND turn = %(turn)s"
    if assigned_to is not None:
        wanted += " AND assigned_to = %(assigned_to)s"
    if after is not None:
        wanted += (
            " AND (NOT clock_runs, target_due, request_id)"
            " > (%(answered)s::boolean, %(target_due)s::date, %(after)s::uuid)"
        )
    # Controller by controller, because an index is in order within one of them only.
    found = sql.fetch(
        "SELECT due.* FROM unnest(%(controllers)s::text[]) served (controller), LATERAL ("  # noqa: S608
        f" SELECT * FROM views.deadline_worklist WHERE {wanted}"
        " ORDER BY NOT clock_runs, target_due, request_id LIMIT %(limit)s) due"
        " ORDER BY NOT clock_runs, target_due, request_id LIMIT %(limit)s",
        {
            "controllers": sorted(set(controllers)),
            "turn": turn,
            "assigned_to": assigned_to,
            "after": after.request_id if after else None,
            "answered": not after.clock_runs if after else None,
            "target_due": after.target_due if after else None,
            "limit": limit,
        },
    )
    return [Work(**row) for row in found]


def everything(
    sql: Reader,
    controllers: Sequence[str],
    *,
    closed: bool = True,
    after: UUID | None = None,
    limit: int = 500,
) -> list[Work]:
    """Requests in the order of their ids, closed ones too: for whoever goes through all of them."""
    found = sql.fetch(
        """
        SELECT * FROM views.deadline_worklist
        WHERE controller = ANY(%(controllers)s) AND (%(closed)s OR NOT closed)
          AND (%(after)s::uuid IS NULL OR request_id > %(after)s::uuid)
        ORDER BY request_id LIMIT %(limit)s
        """,
        {"controllers": list(controllers), "closed": closed, "after": after, "limit": limit},
    )
    return [Work(**row) for row in found]


def of_request(sql: Reader, request_id: UUID) -> Work | None:
    found = sql.fetch("SELECT * FROM views.deadline_worklist WHERE request_id = %s", [request_id])
    return Work(**found[0]) if found else None


def of_case(sql: Reader, case_id: UUID) -> list[Work]:
    """Every request of a case, closed ones too."""
    found = sql.fetch(
        "SELECT * FROM views.deadline_worklist WHERE case_id = %s"
        " ORDER BY target_due, subject_right",
        [case_id],
    )
    return [Work(**row) for row in found]


def inbox(
    sql: Reader,
    controllers: Sequence[str],
    *,
    status: CaseStatus = CaseStatus.WAITING,
    after: tuple[datetime, UUID] | None = None,
    limit: int = 100,
) -> list[Message]:
    """Messages that wait for a person to confirm them, the oldest first.

    `after` is arrival and id of the last message of the page before.
    """
    arrived, case_id = after or (None, None)
    wanted: LiteralString = "status = %(status)s AND controller = served.controller"
    if after is not None:
        wanted += " AND (received_at, case_id) > (%(arrived)s::timestamptz, %(case_id)s::uuid)"
    found = sql.fetch(
        "SELECT message.* FROM unnest(%(controllers)s::text[]) served (controller), LATERAL ("  # noqa: S608
        f" SELECT * FROM views.inbox WHERE {wanted}"
        " ORDER BY received_at, case_id LIMIT %(limit)s) message"
        " ORDER BY received_at, case_id LIMIT %(limit)s",
        {
            "status": status.value,
            "controllers": sorted(set(controllers)),
            "arrived": arrived,
            "case_id": case_id,
            "limit": limit,
        },
    )
    return [Message(**row) for row in found]


def due_at_once(sql: Reader, controllers: Sequence[str], *, limit: int = 200) -> list[Message]:
    """Document access that nobody has dealt with yet, the oldest first; never in a month (E-06)."""
    found = sql.fetch(
        "SELECT * FROM views.inbox WHERE due_on IS NOT NULL AND controller = ANY(%s)"
        " ORDER BY due_on, received_at, case_id LIMIT %s",
        [list(controllers), limit],
    )
    return [Message(**row) for row in found]


def case_called(sql: Reader, controllers: Sequence[str], words: str) -> UUID | None:
    """The case with this reference, however it was typed."""
    letters = "".join(letter for letter in words.upper() if letter.isalnum())
    typed = letters.replace("O", "0").replace("I", "1")
    found = sql.fetch(
        "SELECT case_id FROM views.inbox WHERE reference = %s AND controller = ANY(%s)",
        [f"{typed[:4]}-{typed[4:]}", list(controllers)],
    )
    return found[0]["case_id"] if found else None
