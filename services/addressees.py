"""Whom a letter goes to: who asked, the person asked about, or nobody by mail (E-08, E-10)."""

from __future__ import annotations

from domain.case import Case
from domain.personal import PersonalRef
from domain.representation import AnswerTo
from domain.request import DataSubjectRequest
from domain.vocabulary import IdentifierKind
from services import dossier
from services.ports import Person, Vault
from services.register import Register


def address_of(person: Person) -> str | None:
    """The address to write to: a proven one before one that was only given."""
    proven = person.verified(IdentifierKind.EMAIL)
    given = person.all(IdentifierKind.EMAIL)
    return next(iter((*proven, *given)), None)


class Addressees:
    """Where letters of a case go; None where one has to be printed."""

    def __init__(self, register: Register, vault: Vault) -> None:
        self._register, self._vault = register, vault

    def of_answer(self, case: Case, request: DataSubjectRequest) -> str | None:
        """Where the answer goes: to whom authority says, the person by default."""
        representation = self._register.find_representation(case.id)
        if (
            representation is not None
            and representation.asks_for_another
            and (not representation.accepted or representation.answer_to is AnswerTo.REPRESENTATIVE)
        ):
            # Before it is settled only what tells nothing about the person is written: to who asks.
            return self._address(case, representation.representative)
        return self._address(case, request.requester)

    def of_question(self, case: Case, request: DataSubjectRequest) -> str | None:
        """Where questions go: to whoever asked."""
        representation = self._register.find_representation(case.id)
        if representation is not None:
            return self._address(case, representation.representative)
        return self._address(case, request.requester)

    def _address(self, case: Case, ref: PersonalRef) -> str | None:
        person = dossier.PERSON.validate_json(self._vault.open(ref))
        if not case.protected:
            return address_of(person)
        # An address that nobody has proven may be somebody else's, who would learn of the case.
        return next(iter(person.verified(IdentifierKind.EMAIL)), None)
