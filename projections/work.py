"""Work: one request on the work list, what stands in its way and whose turn it is (Art. 12(3))."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from domain.deadlines import Deadlines
from domain.fulfilment import SystemStatus
from domain.request import PauseReason, Status
from domain.restriction import BY_HAND
from domain.vocabulary import Action, Country, LetterKind, Right
from projections.projection import Row, Table, Today

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
