"""Intake: a message arrives, a proposal is made, a person confirms what it asks.

The clock starts when the message reached the controller; nothing a sender writes can move it.
What machines wrote (RFC 3834) opens no request and gets no answer, but is kept and can be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from domain.calendar import load_calendar
from domain.case import Case, CaseStatus, reference
from domain.deadlines import act_by, deadlines, received_on
from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef
from domain.policy import Profile
from domain.request import DataSubjectRequest, Status
from domain.staff import MACHINE
from domain.values import Evidence
from domain.vocabulary import (
    Channel,
    Compartment,
    IdentifierKind,
    IdentityMethod,
    Language,
    ReceiptSource,
    Right,
    TriageKind,
)
from services import dossier
from services.addressees import address_of
from services.controllers import Controllers
from services.links import link_to
from services.matching import normal
from services.messages import IncomingMessage, Nature
from services.numbers import number_in, split, take, without_numbers
from services.planning import Planning, Steps
from services.ports import (
    Also,
    Clock,
    ExternalNumbers,
    Identifier,
    Links,
    Person,
    Vault,
)
from services.postroom import Postroom
from services.receipts import take_receipt_of
from services.register import Register, again_on_conflict
from services.replies import Replies
from services.retention import Retention
from services.telling import TELLING
from services.triage import Certainty, Proposal, propose


@dataclass(frozen=True, slots=True)
class Note:
    """A request that came by phone, post or at a counter, written down by the one who took it."""

    text: str
    sender_name: str
    sender_address: str
    received_at: datetime
    channel: Channel
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Backdated:
    """Why a request counts from a day before it was recorded: a reason as a code, and the proof.

    Who says so and what shows it may name people: both go to the vault.
    """

    reason: str
    said_by: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that comes ready made, from a system that knows what is asked and by whom."""

    rights: tuple[Right, ...]
    identifiers: tuple[Identifier, ...]
    channel: Channel
    language: Language | None = None
    text: str = ""
    received_at: datetime | None = None
    backdated: Backdated | None = None
    external_number: str | None = None
    purposes: tuple[str, ...] = ()
    """Of which consent is withdrawn; none named: of all of them (Art. 7(3))."""


class NumberTaken(NotAllowedNow):
    """The external number stands for another case already."""


class Intake:
    """From a message to requests with dates."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        controllers: Controllers,
        planning: Planning,
        postroom: Postroom,
        retention: Retention,
        replies: Replies,
        numbers: ExternalNumbers,
        links: Links,
        clock: Clock,
        *,
        address: str,
    ) -> None:
        self._register, self._vault, self._controllers = register, vault, controllers
        self._planning, self._postroom, self._clock = planning, postroom, clock
        self._retention, self._replies, self._numbers = retention, replies, numbers
        self._links, self._address = links, address.rstrip("/")

    @again_on_conflict
    def receive(self, controller: str, message: IncomingMessage, *, channel: Channel) -> UUID:
        """Keep a message and propose what it asks; the same one twice is one case."""
        profile = self._controllers.in_force(controller)
        case_id = Case.id_for(controller, message.raw_sha256)
        if self._register.find_case(case_id) is not None:
            return case_id
        proposal = propose(message.own_words, subject=message.subject, fallback=profile.language)
        belongs_to = self._replies.take(controller, message, proposal)
        if belongs_to is not None:
            return belongs_to
        machine = message.nature is not Nature.PERSONAL or self._replies.is_ours(message)
        case, also = self._open(
            case_id,
            controller,
            channel,
            min(message.received_at, self._clock()),  # two clocks never agree to the second
            message.received_at_source,
            dossier.message_of(message),
            [attachment.content for attachment in message.attachments],
            proposal,
            proposal.kind,
        )
        if machine:
            case.set_aside(kind=TriageKind.AUTOMATIC, by=None, at=self._clock())
            also += self._retention.when_set_aside(case, at=self._clock())
        self._register.save_all([case], also)
        return case_id

    @again_on_conflict
    def write_down(self, controller: str, note: Note) -> UUID:
        """Take a request from another channel; no form is ever imposed (Art. 12(2))."""
        profile = self._controllers.in_force(controller)
        case_id = Case.id_for(controller, note.fingerprint)
        if self._register.find_case(case_id) is not None:
            return case_id
        proposal = propose(note.text, "", fallback=profile.language)
        message = dossier.SealedMessage(
            sender_name=note.sender_name,
            sender_address=note.sender_address,
            subject="",
            text=note.text,
            message_id=None,
            attachments=(),
        )
        case, also = self._open(
            case_id,
            controller,
            note.channel,
            note.received_at,
            ReceiptSource.STATED,
            message,
            [],
            proposal,
            proposal.kind,
        )
        self._register.save_all([case], also)
        return case_id

    @again_on_conflict
    def confirm(
        self,
        case_id: UUID,
        *,
        rights: tuple[Right, ...],
        language: Language,
        identifiers: tuple[Identifier, ...],
        by: str,
        purposes: tuple[str, ...] = (),
    ) -> Case:
        """A person says what was asked and by whom; one request per right, all dated at once."""
        case = self._register.case(case_id)
        now = max(self._clock(), case.received_at)  # it may have reached another process's clock
        self._controllers.require_cases_allowed(case.controller)
        profile = self._controllers.in_force(case.controller)
        steps = self._confirm(
            case, profile, rights, language, identifiers, by, now, purposes=purposes
        )
        self._register.save_all(steps.aggregates, steps.also)
        return case

    def begin(
        self,
        case: Case,
        *,
        rights: tuple[Right, ...],
        language: Language,
        identifiers: tuple[Identifier, ...],
        by: str,
        at: datetime,
    ) -> Steps:
        """What confirming a case makes, for whoever saves more with it."""
        self._controllers.require_cases_allowed(case.controller)
        profile = self._controllers.in_force(case.controller)
        return self._confirm(case, profile, rights, language, identifiers, by, at)

    @again_on_conflict
    def take(self, case_id: UUID, controller: str, asked: Asked, *, by: str) -> Case:
        """Take a request that needs no reading: recorded, confirmed and dated in one save.

        The case's id is a new one of the caller's choosing.
        """
        self._controllers.require_cases_allowed(controller)
        profile = self._controllers.in_force(controller)
        number = asked.external_number
        if number is not None:
            known = self._numbers.case_of(controller, number)
            if known is not None:
                raise NumberTaken(f"this external number is that of case {reference(known)}")
        now = self._clock()
        received_at = asked.received_at or now
        _require_said_why(asked, received_at, now, profile)
        with self._vault.beginning(case_id, Compartment.CORRESPONDENCE) as key:
            case, steps = self._arrived(case_id, controller, asked, profile, by, now)
            begun = self._confirm(
                case,
                profile,
                asked.rights,
                case.language,
                asked.identifiers,
                by,
                now,
                purposes=asked.purposes,
            )
            self._register.save_all(begun.aggregates, [key, *steps.also, *begun.also])
        return case

    def case_numbered(self, controller: str, number: str) -> UUID | None:
        """The case that another system knows by this number."""
        return self._numbers.case_of(controller, number)

    def _arrived(
        self,
        case_id: UUID,
        controller: str,
        asked: Asked,
        profile: Profile,
        by: str,
        now: datetime,
    ) -> tuple[Case, Steps]:
        """The case of a request that comes ready made, and what is sealed with it."""
        steps, backdated, number = Steps(), asked.backdated, asked.external_number
        message = self._seal(case_id, steps, dossier.MESSAGE.dump_json(_message_of(asked)))
        proof = (
            self._seal(
                case_id,
                steps,
                dossier.PROOF.dump_json(dossier.SealedProof(backdated.said_by, backdated.evidence)),
            )
            if backdated is not None
            else None
        )
        case = Case(
            id=case_id,
            controller=controller,
            channel=asked.channel,
            received_at=asked.received_at or now,
            receipt_source=ReceiptSource.STATED if asked.received_at else ReceiptSource.ARRIVAL,
            message=message,
            attachments=(),
            proposed_kind=TriageKind.RIGHTS_REQUEST,
            proposed_rights=asked.rights,
            proposed_language=asked.language or profile.language,
            evidence=(),
            certain=True,
            timestamp=now,
            backdated_because=backdated.reason if backdated is not None else None,
            backdated_by=by if backdated is not None else None,
            proof_of_receipt=proof,
            external_number=(
                self._seal(case_id, steps, number.encode()) if number is not None else None
            ),
        )
        if number is not None:
            steps.also.append(self._numbers.give(controller, case_id, number))
        return case, steps

    @again_on_conflict
    def set_aside(self, case_id: UUID, *, kind: TriageKind, by: str) -> None:
        """Nothing for us, and nobody is written to; `services.passing_on` tells who is."""
        case = self._register.case(case_id)
        now = self._clock()
        profile = self._controllers.in_force(case.controller)
        case.set_aside(kind=kind, by=by, due_on=due_at_once(kind, profile, now), at=now)
        self._register.save_all([case], self._retention.when_set_aside(case, at=now))

    def related(self, case_id: UUID) -> tuple[UUID, ...]:
        """Other cases of what may be the same person: somebody asked twice, or by two ways."""
        case = self._register.case(case_id)
        found = dict.fromkeys(
            other
            for identifier in self.proposed_identifiers(case_id)
            if identifier.kind in TELLING
            for other in self._vault.cases_of(case.controller, identifier)
        )
        return tuple(other for other in found if other != case_id)

    def proposed_identifiers(self, case_id: UUID) -> tuple[Identifier, ...]:
        """Who seems to ask, read from the message; a person confirms or corrects it."""
        case = self._register.case(case_id)
        if case.status is CaseStatus.CONFIRMED and case.person is not None:
            return dossier.person_in(self._vault, case.person).identifiers
        message = dossier.MESSAGE.validate_json(self._vault.open(case.message))
        if message.identifiers:
            return message.identifiers
        found = []
        if message.sender_address:
            found.append(Identifier(IdentifierKind.EMAIL, message.sender_address))
        if message.sender_name:
            found.append(Identifier(IdentifierKind.NAME, message.sender_name))
        return tuple(found)

    def _confirm(
        self,
        case: Case,
        profile: Profile,
        rights: tuple[Right, ...],
        language: Language,
        identifiers: tuple[Identifier, ...],
        by: str,
        now: datetime,
        *,
        purposes: tuple[str, ...] = (),
    ) -> Steps:
        """What was asked and by whom is certain: requests begin, and their acknowledgement."""
        person = Person(identifiers=without_numbers(identifiers))
        proven = self._proven_address(case, person)
        if proven is not None:
            person = dossier.with_verified(person, IdentifierKind.EMAIL, proven)
        sealed = self._vault.seal(
            case.id, Compartment.CORRESPONDENCE, dossier.PERSON.dump_json(person)
        )
        case.confirm(rights=rights, language=language, person=sealed.ref, by=by, at=now)
        indexed = self._vault.index(case.controller, case.id, person.identifiers)
        terms = self._controllers.at_receipt(case.controller, case.received_at)
        requests = [request_of(case, right, terms, sealed.ref, now) for right in case.rights]
        number = number_in(identifiers)
        taken = take(self._vault, case, number, at=now) if number is not None else []
        self._link(case, requests, identifiers, now)
        planned = self._planning.plan_at_once(case, requests, profile, purposes=purposes, at=now)
        if proven is not None:
            verified = self._verified(case, requests, sealed.ref, now)
            planned = Steps(
                [*planned.aggregates, *verified.aggregates], [*planned.also, *verified.also]
            )
        link, linked = self._link_for(case, person)
        letters = self._postroom.acknowledge(case, requests, profile, person, link=link, at=now)
        return Steps(
            [case, *requests, *planned.aggregates],
            [*sealed.also, *taken, *indexed, *planned.also, *linked, *letters],
        )

    def _link_for(self, case: Case, person: Person) -> tuple[str | None, tuple[Also, ...]]:
        """Where the person can follow the case, for a letter that comes as mail."""
        if address_of(person) is None:
            return None, ()
        return link_to(self._links, case.id, self._address)

    def _proven_address(self, case: Case, person: Person) -> str | None:
        """The address that answered a code, where whoever confirms says that it is the person's."""
        if case.address_proven is None:
            return None
        message = dossier.MESSAGE.validate_json(self._vault.open(case.address_proven))
        if message.for_another:  # who asks for somebody else has shown nothing about the person
            return None
        wanted = normal(IdentifierKind.EMAIL, message.sender_address)
        return next(
            (
                one
                for one in person.all(IdentifierKind.EMAIL)
                if normal(IdentifierKind.EMAIL, one) == wanted
            ),
            None,
        )

    def _verified(
        self, case: Case, requests: Sequence[DataSubjectRequest], person: PersonalRef, now: datetime
    ) -> Steps:
        for request in requests:
            if request.status is Status.RECEIVED:
                request.verify_identity(
                    method=IdentityMethod.CODE_TO_ADDRESS, person=person, at=now
                )
        # What needed no proof is planned already, in this same save.
        waited = [request for request in requests if request.identity_waived is None]
        return self._planning.plan_verified(case, waited, at=now)

    def _seal(self, case_id: UUID, steps: Steps, content: bytes) -> PersonalRef:
        sealed = self._vault.seal(case_id, Compartment.CORRESPONDENCE, content)
        steps.also.extend(sealed.also)
        return sealed.ref

    def _link(
        self,
        case: Case,
        requests: Sequence[DataSubjectRequest],
        identifiers: Sequence[Identifier],
        now: datetime,
    ) -> None:
        """Point from each request to one that asks the same and is not answered yet.

        They are one request until a person says otherwise, so the earliest arrival counts (GK-02).
        """
        others = {
            other
            for identifier in identifiers
            if identifier.kind in TELLING
            for other in self._vault.cases_of(case.controller, identifier)
        }
        for other_id in sorted(others - {case.id}):
            other = self._register.case(other_id)
            for request in requests:
                theirs = other.request_id(request.right)
                if theirs not in other.request_ids:
                    continue
                earlier = self._register.request(theirs)
                if earlier.status.is_open:
                    request.link(to=theirs, by=MACHINE, at=now)
                    take_receipt_of(earlier, request, by=MACHINE, at=now)

    def _open(
        self,
        case_id: UUID,
        controller: str,
        channel: Channel,
        received_at: datetime,
        source: ReceiptSource,
        message: dossier.SealedMessage,
        attachments: list[bytes],
        proposal: Proposal,
        kind: TriageKind,
    ) -> tuple[Case, list[Also]]:
        written, number = split(message)
        sealed = self._vault.seal(
            case_id, Compartment.CORRESPONDENCE, dossier.MESSAGE.dump_json(written)
        )
        uploads = [
            self._vault.seal(case_id, Compartment.UPLOAD, content) for content in attachments
        ]
        case = Case(
            id=case_id,
            controller=controller,
            channel=channel,
            received_at=received_at,
            receipt_source=source,
            message=sealed.ref,
            attachments=tuple(upload.ref for upload in uploads),
            proposed_kind=kind,
            proposed_rights=proposal.rights,
            proposed_language=proposal.language,
            evidence=tuple(
                Evidence(
                    right=one.says if isinstance(one.says, Right) else None,
                    start=one.start,
                    end=one.end,
                )
                for one in proposal.evidence
            ),
            certain=proposal.certainty is Certainty.HIGH,
            timestamp=self._clock(),
        )
        taken = take(self._vault, case, number, at=self._clock()) if number else []
        uploaded = (also for upload in uploads for also in upload.also)
        return case, [*sealed.also, *taken, *uploaded]


def due_at_once(kind: TriageKind, profile: Profile, now: datetime) -> date | None:
    """Document access is handled at once: the same working day, never in a month (E-06)."""
    if kind is not TriageKind.DOCUMENT_ACCESS:
        return None
    return act_by(received_on(now, profile.country), load_calendar(profile.country))


def request_of(
    case: Case,
    right: Right,
    terms: Profile,
    person: PersonalRef,
    at: datetime,
    *,
    received_at: datetime | None = None,
) -> DataSubjectRequest:
    """A right of a case, dated from its receipt by the profile in force then (AK-27)."""
    calendar = load_calendar(terms.country)
    arrived = received_at or case.received_at
    day = received_on(arrived, terms.country)
    return DataSubjectRequest(
        case_id=case.id,
        controller=case.controller,
        profile_version=terms.digest,
        country=terms.country,
        right=right,
        channel=case.channel,
        language=case.language,
        requester=person,
        received_at=arrived,
        received_on=day,
        promise_days=terms.promise_days,
        dates=deadlines(day, calendar, terms.promise_days, statutory=right.is_statutory),
        act_by=act_by(day, calendar) if right.acts_at_once else None,
        not_in_policy=right not in terms.rights,
        archive_first=terms.is_public,
        timestamp=at,
    )


def _require_said_why(asked: Asked, received_at: datetime, now: datetime, profile: Profile) -> None:
    """A day before today sets the clock back, so it needs its proof; the hour moves nothing."""
    if received_at > now:
        raise DomainError(
            "nothing arrives later than now: check the moment of receipt", key="nobody-later"
        )
    day, today = received_on(received_at, profile.country), received_on(now, profile.country)
    load_calendar(profile.country).require_receipt(day)
    if day < today and asked.backdated is None:
        raise DomainError("a receipt before today needs its evidence: say why, who says so and how")


def _message_of(asked: Asked) -> dossier.SealedMessage:
    def first(kind: IdentifierKind) -> str:
        return next((one.value for one in asked.identifiers if one.kind is kind), "")

    return dossier.SealedMessage(
        sender_name=first(IdentifierKind.NAME),
        sender_address=first(IdentifierKind.EMAIL),
        subject="",
        text=asked.text,
        message_id=None,
        attachments=(),
    )
