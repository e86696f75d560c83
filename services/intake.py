"""Intake: a message arrives, a proposal is made, a person confirms what it asks.

The clock starts when the message reached the controller; nothing a sender writes can move it.
What machines wrote (RFC 3834) opens no request and gets no answer, but is kept and can be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.calendar import load_calendar
from domain.case import Case, CaseStatus
from domain.deadlines import act_by, deadlines, received_on
from domain.policy import Profile
from domain.request import DataSubjectRequest
from domain.staff import MACHINE
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
from services.messages import IncomingMessage, Nature
from services.planning import Planning
from services.ports import Also, Clock, Identifier, Person, Sealed, Vault
from services.postroom import Postroom
from services.register import Register, again_on_conflict
from services.replies import Replies
from services.retention import Retention
from services.triage import Certainty, Proposal, propose

TELLING = frozenset(
    {
        IdentifierKind.EMAIL,
        IdentifierKind.PHONE,
        IdentifierKind.NATIONAL_NUMBER,
        IdentifierKind.CUSTOMER_NUMBER,
    }
)
"""What two requests of one person have in common; names and birth dates many people share."""


@dataclass(frozen=True, slots=True)
class Note:
    """A request that came by phone, post or at a counter, written down by the one who took it."""

    text: str
    sender_name: str
    sender_address: str
    received_at: datetime
    channel: Channel
    fingerprint: str


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
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._controllers = register, vault, controllers
        self._planning, self._postroom, self._clock = planning, postroom, clock
        self._retention, self._replies = retention, replies

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
        machine = message.nature is not Nature.PERSONAL
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
    ) -> Case:
        """A person says what was asked and by whom; one request per right, all dated at once."""
        now = self._clock()
        case = self._register.case(case_id)
        self._controllers.require_cases_allowed(case.controller)
        profile = self._controllers.in_force(case.controller)
        person = Person(identifiers=identifiers)
        sealed = self._vault.seal(
            case_id, Compartment.CORRESPONDENCE, dossier.PERSON.dump_json(person)
        )
        case.confirm(rights=rights, language=language, person=sealed.ref, by=by, at=now)
        also: list[Also] = [
            *sealed.also,
            *self._vault.index(case.controller, case_id, identifiers),
        ]
        requests = [self._request(case, right, profile, sealed, now) for right in case.rights]
        self._link(case, requests, identifiers, now)
        planned = self._planning.plan_at_once(case, requests, profile, at=now)
        letters = self._postroom.acknowledge(case, requests, profile, person, at=now)
        self._register.save_all(
            [case, *requests, *planned.aggregates], [*also, *planned.also, *letters]
        )
        return case

    @again_on_conflict
    def set_aside(self, case_id: UUID, *, kind: TriageKind, by: str) -> None:
        case = self._register.case(case_id)
        now = self._clock()
        case.set_aside(kind=kind, by=by, at=now)
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
            return dossier.PERSON.validate_json(self._vault.open(case.person)).identifiers
        message = dossier.MESSAGE.validate_json(self._vault.open(case.message))
        found = []
        if message.sender_address:
            found.append(Identifier(IdentifierKind.EMAIL, message.sender_address))
        if message.sender_name:
            found.append(Identifier(IdentifierKind.NAME, message.sender_name))
        return tuple(found)

    def _link(
        self,
        case: Case,
        requests: Sequence[DataSubjectRequest],
        identifiers: Sequence[Identifier],
        now: datetime,
    ) -> None:
        """Point from each request to one that asks the same and is not answered yet."""
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
                if theirs in other.request_ids and self._register.request(theirs).status.is_open:
                    request.link(to=theirs, by=MACHINE, at=now)

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
        sealed = self._vault.seal(
            case_id, Compartment.CORRESPONDENCE, dossier.MESSAGE.dump_json(message)
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
        return case, [*sealed.also, *(also for upload in uploads for also in upload.also)]

    def _request(
        self, case: Case, right: Right, profile: Profile, person: Sealed, at: datetime
    ) -> DataSubjectRequest:
        calendar = load_calendar(profile.country)
        day = received_on(case.received_at, profile.country)
        return DataSubjectRequest(
            case_id=case.id,
            controller=case.controller,
            profile_version=profile.digest,
            country=profile.country,
            right=right,
            channel=case.channel,
            language=case.language,
            requester=person.ref,
            received_at=case.received_at,
            received_on=day,
            promise_days=profile.promise_days,
            dates=deadlines(day, calendar, profile.promise_days),
            act_by=act_by(day, calendar) if right.acts_at_once else None,
            not_in_policy=right not in profile.rights,
            archive_first=profile.is_public,
            timestamp=at,
        )
