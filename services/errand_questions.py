"""What is asked through a link: exactly what its holder needs, and nothing more (Art. 5(1)(c)).

A system's owner sees by what to search, or which records to erase; an organiser sees only the
records that name it, and of those only what was passed on to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.errand import Errand
from domain.fulfilment import SystemState
from domain.policy import Profile
from domain.request import DataSubjectRequest
from domain.vocabulary import Action, Decision, IdentifierKind, Language, Right
from services import dossier
from services.contacts import Contact, recipient_of, system_of
from services.controllers import Controllers
from services.errands import Errands
from services.ports import Erased, Identifier, Record, Vault
from services.register import Register

NEEDED_TO_FIND = (
    IdentifierKind.EMAIL,
    IdentifierKind.PHONE,
    IdentifierKind.NAME,
    IdentifierKind.CUSTOMER_NUMBER,
    IdentifierKind.ORDER_NUMBER,
)
"""What a person is looked for by. A national number is matched with by machines only (E-10)."""


@dataclass(frozen=True, slots=True)
class Line:
    """One record that something is to be done with, as its holder knows it."""

    record_id: UUID
    kind: str
    key: str
    keeps: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """One errand with everything that its holder needs, and nothing more."""

    errand: Errand
    right: Right
    profile: Profile
    language: Language
    identifiers: tuple[Identifier, ...]
    lines: tuple[Line, ...]


class ErrandQuestions:
    """Reads what a holder has to be told."""

    def __init__(
        self, register: Register, vault: Vault, controllers: Controllers, errands: Errands
    ) -> None:
        self._register, self._vault = register, vault
        self._controllers, self._errands = controllers, errands

    def of(self, errand: Errand) -> Question | None:
        """None where nothing is asked any more: somebody has answered, or the content is gone."""
        contact = self._errands.contact_of(errand)
        if contact is None or not self._errands.still_waits(errand):
            return None
        request = self._register.request(errand.request_id)
        profile = self._controllers.in_force(errand.controller)
        state = self._register.fulfilment(errand.request_id).systems[errand.system]
        try:
            return Question(
                errand=errand,
                right=request.right,
                profile=profile,
                language=contact.language,
                identifiers=tuple(self._identifiers(errand, request, profile)),
                lines=tuple(self._lines(errand, request, state, profile, contact)),
            )
        except Erased:
            return None

    def _identifiers(
        self, errand: Errand, request: DataSubjectRequest, profile: Profile
    ) -> Iterator[Identifier]:
        """By what the person is found there; where records are named, those say enough."""
        if errand.action is Action.ERASE:
            return
        recipient = recipient_of(profile, errand.system)
        if recipient is not None and recipient.per_record:
            return
        system = system_of(profile, errand.system)
        wanted = set(NEEDED_TO_FIND)
        if system is not None and errand.action is Action.FIND:
            wanted.update(system.searched_by)
        person = dossier.person_in(self._vault, request.requester)
        yield from (one for one in person.identifiers if one.kind in wanted and one.value.strip())

    def _lines(
        self,
        errand: Errand,
        request: DataSubjectRequest,
        state: SystemState,
        profile: Profile,
        contact: Contact,
    ) -> Iterator[Line]:
        if errand.action is Action.ERASE:
            decisions = {one.record_id: one for one in state.decisions if one.touches_the_system}
            wanted = [one for one in state.found if one.record_id in decisions]
            contents = self._vault.open_each(one.content for one in wanted)
            for found, content in zip(wanted, contents, strict=True):
                decision = decisions[found.record_id]
                record = dossier.RECORD.validate_json(content).record
                keeps = decision.keep_fields if decision.decision is not Decision.ERASE else ()
                yield Line(found.record_id, found.kind, record.key, keeps)
            return
        recipient = recipient_of(profile, errand.system)
        if recipient is None or not contact.names:
            return
        own = request.own_records
        contents = self._vault.open_each(one.content for one in own)
        for found, content in zip(own, contents, strict=True):
            record = dossier.RECORD.validate_json(content).record
            if set(contact.names).intersection(record.recipients):
                yield Line(
                    found.record_id,
                    found.kind,
                    record.key,
                    fields=tuple(_passed_on(record, recipient.fields)),
                )


def _passed_on(record: Record, fields: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The fields that went to the recipient, as the policy says; of others nothing is shown."""
    for name in fields:
        value = record.fields.get(name)
        if isinstance(value, str | int | float) and str(value).strip():
            yield name, str(value)
