"""Passing on: what a message is when it is no request, who deals with it, and the way back.

Customer service and document access are no data-subject requests and never wait in the list of
thirty days (E-06); what belongs to another controller is referred to it, or passed on where the
message came to us as its processor (Art. 28(3)(e)). The person is told who, and each of these can
be taken back: the receipt stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.aggregate import Aggregate
from domain.case import Case, CaseStatus
from domain.deadlines import received_on
from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef
from domain.policy import ChannelKind, Profile
from domain.vocabulary import Compartment, LetterKind, TriageKind
from services import dossier
from services.controllers import Controllers
from services.intake import Intake, due_at_once
from services.letters import Elsewhere, LetterFacts, compose
from services.planning import Steps
from services.ports import Also, Clock, Erased, Staff, Vault
from services.postroom import Postroom
from services.register import Register, again_on_conflict
from services.retention import Retention
from services.wording import LETTERS, wording

LETTER_OF = {
    TriageKind.CUSTOMER_SERVICE: LetterKind.CUSTOMER_SERVICE_PASSED_ON,
    TriageKind.DOCUMENT_ACCESS: LetterKind.DOCUMENT_ACCESS_PASSED_ON,
    TriageKind.OTHER_CONTROLLER: LetterKind.OTHER_CONTROLLER,
    TriageKind.DECEASED: LetterKind.DECEASED,
}


@dataclass(frozen=True, slots=True)
class Somebody:
    """Who deals with it instead: a recipient of the profile by its id, or a name and a contact."""

    recipient: str = ""
    name: str = ""
    contact: str = ""


class PassingOn:
    """What becomes of messages that are no requests of ours."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        controllers: Controllers,
        intake: Intake,
        postroom: Postroom,
        retention: Retention,
        staff: Staff,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._controllers = register, vault, controllers
        self._intake, self._postroom, self._retention = intake, postroom, retention
        self._staff, self._clock = staff, clock

    @again_on_conflict
    def set_aside(
        self,
        case_id: UUID,
        *,
        kind: TriageKind,
        by: str,
        to: Somebody | None = None,
        as_processor: bool = False,
        notify: bool = True,
        words: str = "",
    ) -> None:
        """Say what the message is; pass it on where we can, and tell the person in the same save.

        `to` is who has it instead, where the profile does not say; `words` go into the letter.
        """
        case, now = self._register.case(case_id), self._clock()
        profile = self._controllers.in_force(case.controller)
        there = self._there(case, profile, kind, to, as_processor)
        also: list[Also] = []
        case.set_aside(
            kind=kind,
            by=by,
            recipient=to.recipient if to else "",
            elsewhere=self._sealed(case, there, also),
            as_processor=as_processor,
            due_on=due_at_once(kind, profile, now),
            at=now,
        )
        also += self._told(case, profile, kind, there, by, notify, words, now)
        also += self._retention.when_set_aside(case, at=now)
        self._register.save_all([case], also)

    @again_on_conflict
    def settle(self, case_id: UUID, *, how: str, by: str) -> None:
        """Document access was dealt with: it leaves the list of what is due today."""
        case = self._register.case(case_id)
        case.settle_outcome(how=how, by=by, at=self._clock())
        self._register.save_all([case])

    @again_on_conflict
    def undo(self, case_id: UUID, *, reason: str, by: str) -> None:
        """It was a mistake: the message waits again, from the day on which it arrived."""
        case = self._register.case(case_id)
        try:
            self._vault.open(case.message)
        except Erased:
            raise NotAllowedNow(
                f"the message of case {case.reference} has been destroyed: ask the person to write"
                " again, and say when they first wrote"
            ) from None
        case.undo_outcome(reason=reason, by=by, at=self._clock())
        self._register.save_all([case])

    @again_on_conflict
    def hand_over(self, case_id: UUID, *, controller: str, by: str, notify: bool = True) -> UUID:
        """It was meant for another controller of this house: a case there, of the same receipt.

        The messages are sealed anew, so nothing of one controller opens with the other's key. What
        was confirmed is confirmed there too, by its profile in force at receipt.
        """
        case, now = self._register.case(case_id), self._clock()
        if case.handed_over_to is not None:
            return case.handed_over_to
        profile = self._controllers.in_force(case.controller)
        theirs = self._controllers.in_force(controller)
        new_id = Case.id_for(controller, f"handed-over/{case.id}")
        case.hand_over(controller=controller, case_id=new_id, by=by, at=now)
        new, also = self._copied(case, new_id, controller, by, now)
        changed: list[Aggregate] = [case]
        there = Elsewhere(theirs.controller.name, _contact_of(theirs), passed_on=True)
        about = tuple(case.request_ids)
        for request in self._register.requests_of(case):
            if request.status.is_open:
                request.refer(to=controller, by=by, at=now)
            changed.append(request)
        begun = self._begun(case, new, by, now)
        changed += begun.aggregates
        also += begun.also
        if case.status is CaseStatus.WAITING:
            case.set_aside(
                kind=TriageKind.OTHER_CONTROLLER,
                by=by,
                elsewhere=self._sealed(case, there, also),
                at=now,
            )
            also += self._retention.when_set_aside(case, at=now)
        kind = TriageKind.OTHER_CONTROLLER
        # A request is over when its letter has left, so what was confirmed always has one.
        if about or (notify and self._can_be_written_to(case)):
            also += self._letter(case, profile, kind, there, by, "", now, about)
        self._register.save_all(changed, also)
        return new_id

    def _begun(self, case: Case, new: Case, by: str, now: datetime) -> Steps:
        """What was confirmed is confirmed; nothing was proven there yet, and nobody represents.

        Who asks for somebody else has to be looked at anew, so such a case waits for a person.
        """
        representation = self._register.find_representation(case.id)
        if case.status is not CaseStatus.CONFIRMED or representation is not None:
            return Steps([new])
        known = self._intake.proposed_identifiers(case.id)
        return self._intake.begin(
            new,
            rights=case.rights,
            language=case.language,
            identifiers=tuple(replace(one, verified=False) for one in known),
            by=by,
            at=now,
        )

    def elsewhere(self, case: Case) -> dossier.SealedElsewhere | None:
        """Who has it instead; None where nobody has, or where it is destroyed."""
        if case.elsewhere is None:
            return None
        try:
            return dossier.ELSEWHERE.validate_json(self._vault.open(case.elsewhere))
        except Erased:
            return None

    # Who has it instead

    def _there(
        self,
        case: Case,
        profile: Profile,
        kind: TriageKind,
        to: Somebody | None,
        as_processor: bool,
    ) -> Elsewhere | None:
        say = wording(LETTERS, case.language).say
        name = profile.controller.trade_name or profile.controller.name
        if kind is TriageKind.CUSTOMER_SERVICE:
            address = profile.customer_service or _contact_of(profile, ChannelKind.CUSTOMER_SERVICE)
            known = Elsewhere(say("elsewhere.customer_service", controller=name), address)
        elif kind is TriageKind.DOCUMENT_ACCESS:
            address = profile.document_access or _contact_of(profile)
            known = Elsewhere(say("elsewhere.document_access", controller=name), address)
        elif kind is TriageKind.OTHER_CONTROLLER and to is not None:
            known = somebody_else(profile, to)
        else:
            return None
        if to is not None and kind is not TriageKind.OTHER_CONTROLLER and to.contact:
            known = Elsewhere(to.name or known.name, to.contact)
        passes = {
            TriageKind.CUSTOMER_SERVICE: known.contact == profile.customer_service,
            TriageKind.DOCUMENT_ACCESS: known.contact == profile.document_access,
            TriageKind.OTHER_CONTROLLER: as_processor,
        }[kind]
        if as_processor and "@" not in known.contact:
            raise DomainError(
                "give the controller's e-mail address: the message goes on to it",
                key="address-of-controller",
            )
        # Where a protected identity's message goes, a person decides and sees to (E-10).
        return Elsewhere(known.name, known.contact, passed_on=passes and not case.protected)

    def _sealed(self, case: Case, there: Elsewhere | None, also: list[Also]) -> PersonalRef | None:
        if there is None:
            return None
        content = dossier.SealedElsewhere(there.name, there.contact, there.passed_on)
        sealed = self._vault.seal(
            case.id, Compartment.CORRESPONDENCE, dossier.ELSEWHERE.dump_json(content)
        )
        also.extend(sealed.also)
        return sealed.ref

    # Letters

    def _told(
        self,
        case: Case,
        profile: Profile,
        kind: TriageKind,
        there: Elsewhere | None,
        by: str,
        notify: bool,
        words: str,
        now: datetime,
    ) -> list[Also]:
        also: list[Also] = []
        if there is not None and there.passed_on:
            letter = LETTER_OF[kind]
            also += self._postroom.pass_on(case, letter, profile, there.contact, at=now)
        if not notify or kind not in LETTER_OF or not self._can_be_written_to(case):
            return also
        if kind.goes_on_elsewhere and there is None:
            raise DomainError(
                "say whose it is, so that the letter can, or write to nobody", key="say-whose-it-is"
            )
        return also + self._letter(case, profile, kind, there, by, words, now, ())

    def _letter(
        self,
        case: Case,
        profile: Profile,
        kind: TriageKind,
        there: Elsewhere | None,
        by: str,
        words: str,
        now: datetime,
        about: tuple[UUID, ...],
    ) -> list[Also]:
        self._controllers.require_letters_allowed(case.controller)
        decided = kind is TriageKind.OTHER_CONTROLLER
        facts = LetterFacts(
            profile=profile,
            language=case.language,
            case_reference=case.reference,
            received_on=received_on(case.received_at, profile.country),
            free_text=words.strip() or None,
            elsewhere=there,
            decided_by=self._staff.name(by) if decided else None,
        )
        letter = compose(LETTER_OF[kind], facts)
        address = self._message(case).sender_address or None
        return self._postroom.queue(case, letter, profile, address, requests=about, at=now)

    def _can_be_written_to(self, case: Case) -> bool:
        message = self._message(case)
        return bool(message.sender_address or message.sender_name)

    def _message(self, case: Case) -> dossier.SealedMessage:
        return dossier.MESSAGE.validate_json(self._vault.open(case.message))

    # Another controller's case

    def _copied(
        self, case: Case, new_id: UUID, controller: str, by: str, now: datetime
    ) -> tuple[Case, list[Also]]:
        also: list[Also] = []

        def anew(ref: PersonalRef, compartment: Compartment) -> PersonalRef:
            sealed = self._vault.seal(new_id, compartment, self._vault.open(ref))
            also.extend(sealed.also)
            return sealed.ref

        new = Case(
            id=new_id,
            controller=controller,
            channel=case.channel,
            received_at=case.received_at,
            receipt_source=case.receipt_source,
            message=anew(case.message, Compartment.CORRESPONDENCE),
            attachments=tuple(anew(one, Compartment.UPLOAD) for one in case.attachments),
            proposed_kind=TriageKind.RIGHTS_REQUEST if case.rights else case.kind,
            proposed_rights=case.rights,
            proposed_language=case.language,
            evidence=(),
            certain=False,
            timestamp=now,
        )
        for message in case.messages[1:]:
            ref = anew(message, Compartment.CORRESPONDENCE)
            new.add_message(message=ref, received_at=case.arrivals[message], at=now)
        if case.protected:
            new.protect_identity(reason="protected-before", by=by, at=now)
        return new, also


def somebody_else(profile: Profile, to: Somebody) -> Elsewhere:
    if to.recipient:
        known = next((one for one in profile.recipients if one.id == to.recipient), None)
        if known is None:
            names = ", ".join(sorted(one.id for one in profile.recipients)) or "none"
            raise DomainError(f"the profile has no recipient {to.recipient!r}; there are: {names}")
        return Elsewhere(to.name or known.name, to.contact or known.contact or "")
    if not to.name.strip():
        raise DomainError(
            "say whose it is: a recipient of the profile, or a name", key="say-whose-it-is"
        )
    return Elsewhere(to.name.strip(), to.contact.strip())


def _contact_of(profile: Profile, kind: ChannelKind | None = None) -> str:
    """The channel of that kind, else the first address that mail reaches, else the first one."""
    wanted = [one for one in (kind, ChannelKind.EMAIL) if one is not None]
    for one in wanted:
        found = next((channel.address for channel in profile.channels if channel.kind is one), None)
        if found:
            return found
    return next((channel.address for channel in profile.channels), "")
