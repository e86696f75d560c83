"""The portal's intake: somebody fills in a form, and the clock starts (GDPR Art. 12(2), 12(3)).

Taking it in looks nobody up, so that what is answered, and how fast, is the same whoever asks. What
stops marketing needs no identity and begins by itself, in a task; all else waits for a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from domain.calendar import load_calendar
from domain.case import Case, CaseStatus
from domain.deadlines import act_by, deadlines, received_on
from domain.errors import DomainError, NotAllowedNow
from domain.policy import Profile
from domain.staff import DATA_SUBJECT
from domain.values import Evidence
from domain.vocabulary import (
    Channel,
    Compartment,
    IdentifierKind,
    Language,
    ReceiptSource,
    Right,
    TriageKind,
)
from services import dossier
from services.controllers import Controllers
from services.following import Following, TooOften
from services.intake import Intake
from services.matching import normal
from services.numbers import split, take
from services.ports import (
    Also,
    Clock,
    Identifier,
    Limit,
    Limits,
    Task,
    Tasks,
    Vault,
)
from services.register import Register, again_on_conflict
from services.triage import propose

BEGIN = "begin-portal"
"""The kind of task that begins what a form asks for and nobody has to read."""

OFFERED = (
    Right.ACCESS,
    Right.ERASURE,
    Right.RECTIFICATION,
    Right.OBJECTION_TO_MARKETING,
    Right.WITHDRAWAL,
    Right.PORTABILITY,
    Right.RESTRICTION,
    Right.OBJECTION,
    Right.HUMAN_REVIEW,
)
"""What the form lists, what most people want first; anything else can be written."""

LONGEST_TEXT = 10_000
LONGEST_LINE = 254
MOST_FROM_NETWORK = 20
MOST_TO_CONTROLLER = 600
MOST_MAILS_TO_ADDRESS = 5
AN_HOUR, A_DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What stood in the form. `key` is the form's own: sent twice, it is one request."""

    key: UUID
    rights: tuple[Right, ...]
    language: Language
    text: str = ""
    name: str = ""
    email: str = ""
    postal_address: str = ""
    order_number: str = ""
    for_another: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a form: the case to name, and the one of what stops at once, if another."""

    case: UUID
    at_once: UUID | None


@dataclass(frozen=True, slots=True)
class Promise:
    """By when somebody who asks today has an answer, and by when marketing stops."""

    answer_by: date
    act_by: date


class Portal:
    """Takes what people ask for through the form."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        tasks: Tasks,
        controllers: Controllers,
        intake: Intake,
        following: Following,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._tasks = register, vault, tasks
        self._controllers, self._intake, self._following = controllers, intake, following
        self._limits, self._clock = limits, clock

    def promise(self, profile: Profile) -> Promise:
        """The dates of what arrives now: the controller's promise where it is earlier than law."""
        return promise_of(received_on(self._clock(), profile.country), profile)

    def receive(self, controller: str, wanted: Wanted, *, network: str) -> Taken:
        """Take a form in; raises `TooOften`, and `DomainError` where something is missing.

        Nothing is refused because of an address: anybody could spend what is allowed for
        somebody else's. An address that got many mails today gets no more, and nobody sees that.
        """
        _require_answerable(wanted)
        profile = self._controllers.in_force(controller)
        whole, apart = (_case_id(controller, wanted, part) for part in ("all", "at-once"))
        mailed = bool(wanted.email)
        if self._register.find_case(whole) is None and self._register.find_case(apart) is None:
            self._spend(controller, network)
            mailed = mailed and self._may_be_mailed(controller, wanted.email)
        # What stops at once goes apart, so that nothing else of the form holds it up. Which cases
        # there are depends on the form alone.
        at_once = wanted.email and not wanted.for_another
        stops = tuple(right for right in wanted.rights if at_once and right.acts_at_once)
        rest = tuple(right for right in wanted.rights if right not in stops)
        if stops:
            self._open(apart, profile, wanted, stops, text="", begins=mailed)
        if rest or wanted.text:
            self._open(whole, profile, wanted, rest, text=wanted.text, invites=mailed)
            return Taken(whole, apart if stops else None)
        return Taken(apart, apart)

    def _spend(self, controller: str, network: str) -> None:
        wait = self._limits.spend(
            (
                Limit("portal/network", network, MOST_FROM_NETWORK, AN_HOUR),
                Limit("portal/controller", controller, MOST_TO_CONTROLLER, AN_HOUR),
            )
        )
        if wait is not None:
            raise TooOften(wait)

    def _may_be_mailed(self, controller: str, address: str) -> bool:
        who = f"{controller}/{normal(IdentifierKind.EMAIL, address)}"
        limit = Limit("portal/address", who, MOST_MAILS_TO_ADDRESS, A_DAY)
        return self._limits.spend((limit,)) is None

    @again_on_conflict
    def _open(
        self,
        case_id: UUID,
        profile: Profile,
        wanted: Wanted,
        rights: tuple[Right, ...],
        *,
        text: str,
        begins: bool = False,
        invites: bool = False,
    ) -> None:
        """One case of the form, kept with its mail or the task that begins it, in one save."""
        if self._register.find_case(case_id) is not None:
            return
        now = self._clock()
        message, number = split(_message_of(wanted, text))
        proposal = propose(message.text, "", fallback=wanted.language)
        sealed = self._vault.seal(
            case_id, Compartment.CORRESPONDENCE, dossier.MESSAGE.dump_json(message)
        )
        found = {*rights, *proposal.rights}
        case = Case(
            id=case_id,
            controller=profile.id,
            channel=Channel.PORTAL,
            received_at=now,
            receipt_source=ReceiptSource.ARRIVAL,
            message=sealed.ref,
            attachments=(),
            proposed_kind=TriageKind.RIGHTS_REQUEST if rights else proposal.kind,
            proposed_rights=tuple(right for right in Right if right in found),
            proposed_language=wanted.language,
            evidence=tuple(
                Evidence(one.says if isinstance(one.says, Right) else None, one.start, one.end)
                for one in proposal.evidence
            ),
            certain=bool(rights) and found == set(rights),
            timestamp=now,
        )
        also: list[Also] = list(sealed.also)
        if number is not None:
            also += take(self._vault, case, number, at=now)
        if begins:
            also.append(self._tasks.add(_begin_task(case, now)))
        if invites:
            also += self._following.invite(case, profile, wanted.email, at=now)
        self._register.save_all([case], also)

    def begin(self, task: Task) -> None:
        """Begin what stops marketing: the person has said it, and nobody has to be identified."""
        case = self._register.case(task.subject_id)
        done = self._tasks.done(task)
        if case.status is not CaseStatus.WAITING:
            self._register.save_all([], [done])
            return
        try:
            self._intake.confirm(
                case.id,
                rights=case.rights,
                language=case.language,
                identifiers=self._intake.proposed_identifiers(case.id),
                by=DATA_SUBJECT,
            )
        except NotAllowedNow:
            if self._register.case(case.id).status is CaseStatus.WAITING:
                raise
        self._register.save_all([], [done])


def promise_of(day: date, profile: Profile) -> Promise:
    """The dates of what arrived on a day."""
    calendar = load_calendar(profile.country)
    dates = deadlines(day, calendar, profile.promise_days)
    last = [one for one in (dates.statutory_due, dates.promise_due) if one is not None]
    return Promise(min(last), act_by(day, calendar))


def _case_id(controller: str, wanted: Wanted, part: str) -> UUID:
    digest = sha256(f"portal/{wanted.key}/{part}".encode()).hexdigest()
    return Case.id_for(controller, digest)


def _require_answerable(wanted: Wanted) -> None:
    if not wanted.rights and not wanted.text.strip():
        raise DomainError("say what is wanted: tick something, or write it")
    if not wanted.email and not wanted.postal_address.strip():
        raise DomainError("give an address to answer to: e-mail or post")


def _message_of(wanted: Wanted, text: str) -> dossier.SealedMessage:
    given: Sequence[tuple[IdentifierKind, str]] = (
        (IdentifierKind.EMAIL, wanted.email),
        (IdentifierKind.NAME, wanted.name),
        (IdentifierKind.POSTAL_ADDRESS, wanted.postal_address),
        (IdentifierKind.ORDER_NUMBER, wanted.order_number),
    )
    return dossier.SealedMessage(
        sender_name=wanted.name,
        sender_address=wanted.email,
        subject="",
        text=text,
        message_id=None,
        attachments=(),
        identifiers=tuple(
            Identifier(kind, value.strip()) for kind, value in given if value.strip()
        ),
        for_another=wanted.for_another,
    )


def _begin_task(case: Case, now: datetime) -> Task:
    return Task(
        key=f"{BEGIN}/{case.id}",
        kind=BEGIN,
        subject_id=case.id,
        due_at=now,
        controller=case.controller,
    )
