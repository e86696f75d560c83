"""Recipients: who got what, what each was told and when; on request the person is told (Art. 19).

Recipients are named as they are, by the records that went to them (C-154/21, MU-18). Where the
content of a case has been destroyed, what is left is what the log says: whom the profile names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from uuid import UUID

from domain.deadlines import received_on
from domain.errors import NotAllowedNow
from domain.fulfilment import Fulfilment, SystemStatus
from domain.policy import Profile, Recipient, Sector
from domain.policy import Told as WhatToTell
from domain.request import DataSubjectRequest
from domain.vocabulary import Action, Country, LetterKind, Outcome, Right, Role
from services import dossier
from services.addressees import Addressees
from services.controllers import Controllers
from services.letters import LetterFacts, RecipientNotice, compose
from services.planning import OTHER_RECIPIENTS, RECIPIENT
from services.ports import Clock, Erased, Record, Vault
from services.postroom import Postroom
from services.recipient_proofs import Proof, Proofs, latest
from services.register import Register, again_on_conflict


class Stage(Enum):
    """How far a recipient is told."""

    NOT_TOLD = "not-told"
    WAITING = "waiting"
    INFORMED = "informed"
    REFERRED = "referred"


@dataclass(frozen=True, slots=True)
class Received:
    """Somebody a record was passed on to, by name, and the profile's entry for them."""

    name: str
    known: Recipient | None
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger: personal data, for a name may be that of a person."""

    recipient: str
    name: str
    stage: Stage
    about: Right
    request_id: UUID
    country: Country
    on: date | None = None
    categories: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    proofs: tuple[Proof, ...] = ()
    """Every time that it was told, and what it answered."""


class Recipients:
    """The ledger of a case, and the letter that tells the person of it."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        controllers: Controllers,
        postroom: Postroom,
        proofs: Proofs,
        clock: Clock,
    ) -> None:
        self._register, self._vault = register, vault
        self._proofs = proofs
        self._controllers, self._postroom, self._clock = controllers, postroom, clock
        self._addressees = Addressees(register, vault)

    def ledger(self, case_id: UUID) -> tuple[Entry, ...]:
        """Who received what, and what each was told when, request by request."""
        case = self._register.case(case_id)
        profile = self._controllers.in_force(case.controller)
        return tuple(
            entry
            for request in self._register.requests_of(case)
            for entry in self._shown(request, profile)
        )

    @again_on_conflict
    def tell_person(self, case_id: UUID, *, by: str) -> UUID:
        """Write to the person who received their data; answers the letter's id."""
        if not by.strip():
            raise NotAllowedNow("say who has the letter written")
        now = self._clock()
        case = self._register.case(case_id)
        requests = self._register.requests_of(case)
        identified = [request for request in requests if request.identity is not None]
        if not identified:
            raise NotAllowedNow("no data may leave before identity is verified")
        self._controllers.require_letters_allowed(case.controller)
        profile = self._controllers.in_force(case.controller)
        address = self._addressees.of_answer(case, identified[0])
        notices = _each_once(
            notice(entry)
            for entry in self.ledger(case_id)
            if entry.stage is not Stage.WAITING or entry.categories or latest(entry.proofs)
        )
        letter = compose(
            LetterKind.RECIPIENTS,
            LetterFacts(
                profile=profile,
                language=case.language,
                case_reference=case.reference,
                recipients=tuple(notices),
            ),
        )
        before = set(case.letters)
        also = self._postroom.queue(case, letter, profile, address, requests=(), at=now)
        self._register.save_all([case], also)
        return next(letter_id for letter_id in case.letters if letter_id not in before)

    def notices(self, request: DataSubjectRequest) -> tuple[RecipientNotice, ...]:
        """Whom the answer to a request names: everybody who was told of it, by name."""
        profile = self._controllers.in_force(request.controller)
        return tuple(
            replace(notice(entry), fields=(), categories=())
            for entry in self._shown(request, profile)
            if entry.stage in {Stage.INFORMED, Stage.REFERRED} and not _works_for(profile, entry)
        )

    def told(self, case_id: UUID) -> tuple[RecipientNotice, ...]:
        """Whom a copy of the data names as told of what was done in this case, and when."""
        return tuple(_each_once(one for one in map(notice, self.ledger(case_id)) if one.on))

    def _shown(self, request: DataSubjectRequest, profile: Profile) -> Iterator[Entry]:
        proofs = self._proofs.of_request(request.id)
        for entry in self._of_request(request, profile):
            yield _as_shown(entry, _shown_by(entry, proofs), request)

    def _of_request(self, request: DataSubjectRequest, profile: Profile) -> Iterator[Entry]:
        fulfilment = self._register.find_fulfilment(request.id)
        if fulfilment is None:
            return
        got = received(profile, self._records(request))
        yield from _processors(request, fulfilment, profile)
        told: Mapping[str, Outcome] = {one.recipient: one.outcome for one in fulfilment.told}
        waiting = {
            line.removeprefix(RECIPIENT)
            for line, state in fulfilment.systems.items()
            if line.startswith(RECIPIENT) and state.status is not SystemStatus.DONE
        }
        concerned = [*told, *(one for one in waiting if one not in told)]
        concerned += [_id(one) for one in got if _id(one) not in concerned]
        for recipient in dict.fromkeys(concerned):
            outcome = told.get(recipient)
            stage = _STAGES.get(outcome, Stage.NOT_TOLD) if outcome else Stage.NOT_TOLD
            if outcome is None and recipient in waiting:
                stage = Stage.WAITING
            moment = fulfilment.told_at.get(recipient)
            theirs = [one for one in got if _id(one) == recipient]
            known = next((r for r in profile.recipients if r.id == recipient), None)
            for one in theirs or [Received(recipient, known, ())]:
                yield Entry(
                    recipient=recipient,
                    name=one.name,
                    stage=stage,
                    about=request.right,
                    request_id=request.id,
                    country=request.country,
                    on=received_on(moment, request.country) if moment else None,
                    categories=one.categories,
                    fields=known.fields if known else (),
                )

    def _records(self, request: DataSubjectRequest) -> Iterator[tuple[str, Record]]:
        own = request.own_records
        try:
            for found, content in zip(
                own, self._vault.open_each(one.content for one in own), strict=True
            ):
                yield found.category, dossier.RECORD.validate_json(content).record
        except Erased:
            return


def _shown_by(entry: Entry, proofs: Sequence[Proof]) -> tuple[Proof, ...]:
    """Of several that one line tells, each has only what it was told itself."""
    lines = {entry.recipient, f"{RECIPIENT}{entry.recipient}"}
    theirs = tuple(one for one in proofs if one.line in lines)
    own = tuple(one for one in theirs if entry.name in one.names)
    return own or tuple(one for one in theirs if not one.names or entry.name == entry.recipient)


def _as_shown(entry: Entry, proofs: tuple[Proof, ...], request: DataSubjectRequest) -> Entry:
    """One of several to be told under one line is told once it has answered its own link."""
    own = [one.answered_at for one in proofs if one.names and one.answered_at]
    if entry.stage is Stage.WAITING and own:
        day = received_on(own[-1], request.country)
        entry = replace(entry, stage=Stage.INFORMED, on=day)
    return replace(entry, proofs=proofs)


def received(profile: Profile, records: Iterable[tuple[str, Record]]) -> tuple[Received, ...]:
    """Everybody whom the records name, with the categories that went to them.

    Organisers a profile knows as a group; it is the records that name each of them.
    """
    named: dict[str, dict[str, None]] = {}
    for category, record in records:
        for name in record.recipients:
            named.setdefault(name, {})[category] = None
    group = next((r for r in profile.recipients if r.sector is Sector.ORGANISER), None)
    systems = _told_elsewhere(profile)
    found = []
    for name, categories in named.items():
        if name in systems:
            continue
        known = next((r for r in profile.recipients if name in {r.id, r.name}), group)
        shown = known.id if known and known is not group else name
        found.append(Received(shown, known, tuple(categories)))
    return tuple(found)


def label(profile: Profile, entry: Entry) -> str:
    """What a recipient is called, for people."""
    names = {one.id: one.name for one in profile.systems}
    names |= {one.id: one.name for one in profile.recipients}
    return names.get(entry.name, entry.name)


def notice(entry: Entry) -> RecipientNotice:
    """What a letter on request says of a recipient."""
    on, told, proof = entry.on, _TOLD[entry.stage], latest(entry.proofs)
    if entry.stage is Stage.WAITING and proof and proof.told_at:
        on, told = received_on(proof.told_at, entry.country), WhatToTell.INFORMED
    # What is referred to a person is told to the person, so nobody else has answered it.
    came = proof if on is not None and told is WhatToTell.INFORMED else None
    return RecipientNotice(
        entry.recipient,
        told,
        name=_own_name(entry),
        on=on if told is WhatToTell.INFORMED else None,
        about=entry.about if on and told is WhatToTell.INFORMED else None,
        fields=entry.fields,
        categories=entry.categories,
        answered=came.reply if came and came.answered_at else None,
        answered_on=received_on(came.answered_at, entry.country)
        if came and came.answered_at
        else None,
        proof=came.reference if came else "",
    )


def _processors(
    request: DataSubjectRequest, fulfilment: Fulfilment, profile: Profile
) -> Iterator[Entry]:
    """Those who work for the controller are recipients too, and told by being instructed."""
    for system in profile.systems:
        state = fulfilment.systems.get(system.id)
        if state is None or system.role in {Role.INTERNAL, Role.INDEPENDENT_CONTROLLER}:
            continue
        if not state.found and state.action is Action.FIND:
            continue
        instructed = state.action is not Action.FIND and state.status is SystemStatus.DONE
        yield Entry(
            recipient=system.id,
            name=system.id,
            stage=Stage.INFORMED if instructed else Stage.NOT_TOLD,
            about=request.right,
            request_id=request.id,
            country=request.country,
            on=received_on(state.treated_at, request.country)
            if instructed and state.treated_at
            else None,
            categories=tuple(dict.fromkeys(found.category for found in state.found)),
        )


def _own_name(entry: Entry) -> str:
    """The name that the records give, where the profile knows only a group."""
    return entry.name if entry.name != entry.recipient else ""


def _id(one: Received) -> str:
    return one.known.id if one.known else OTHER_RECIPIENTS


def _told_elsewhere(profile: Profile) -> set[str]:
    """The names of systems that are told by being instructed, and so by no entry of their own.

    One of a controller of its own is only asked: as a recipient it is told and referred to (E-11).
    """
    recipients = {name for one in profile.recipients for name in (one.id, one.name)}
    return {
        name
        for system in profile.systems
        for name in (system.id, system.name, system.connector)
        if system.role is not Role.INDEPENDENT_CONTROLLER or name not in recipients
    }


def _works_for(profile: Profile, entry: Entry) -> bool:
    """Whether it is a system of the controller's; what was done there the letter says elsewhere."""
    return any(
        system.id == entry.recipient and system.role is not Role.INDEPENDENT_CONTROLLER
        for system in profile.systems
    )


def _each_once(notices: Iterable[RecipientNotice]) -> Iterator[RecipientNotice]:
    """One line for each recipient and what it was told; that it was not goes behind any of them."""
    lines: dict[tuple[str, str], dict[Right | None, RecipientNotice]] = {}
    for one in notices:
        lines.setdefault((one.recipient, one.name), {}).setdefault(one.about, one)
    for of_one in lines.values():
        told = [line for line in of_one.values() if line.on is not None]
        yield from told or of_one.values()


_STAGES = {Outcome.INFORMED: Stage.INFORMED, Outcome.REFERRED: Stage.REFERRED}
_TOLD = {
    Stage.NOT_TOLD: WhatToTell.NOTHING,
    Stage.WAITING: WhatToTell.NOTHING,
    Stage.INFORMED: WhatToTell.INFORMED,
    Stage.REFERRED: WhatToTell.REFERRED,
}
