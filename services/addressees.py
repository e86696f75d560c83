"""Whom a letter goes to: who asked, the person asked about, or nobody by mail (E-08, E-10)."""

from __future__ import annotations

from contextlib import suppress

from domain.case import Case
from domain.personal import PersonalRef
from domain.representation import AnswerTo
from domain.request import DataSubjectRequest
from domain.vocabulary import IdentifierKind, LetterKind
from services import dossier
from services.ports import Person, Vault
from services.register import Register, UnknownHere


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

    def of_letter(self, case: Case, kind: LetterKind, address: str | None) -> str | None:
        """Where a letter really goes that was to go to an address of the person's.

        Whatever is written before authority is accepted goes to whoever asks, and later everything
        but an answer that is the person's own. Nobody writes to an unproven address of a person
        with protected identity: somebody else might read there that there is a case.
        """
        if address is None or kind is LetterKind.IDENTITY_CODE or case.is_unsaved:
            return address
        representation = self._register.find_representation(case.id)
        if representation is not None and representation.asks_for_another:
            to_person = representation.accepted and representation.answer_to is AnswerTo.PERSON
            if not (to_person and kind.answers):
                return self._address(case, representation.representative)
        if not case.protected:
            return address
        return address if self._is_proven(case, address) else None

    def _is_proven(self, case: Case, address: str) -> bool:
        for request_id in case.request_ids:
            with suppress(UnknownHere):  # they begin in this very save, so nothing is proven yet
                if self._address(case, self._register.request(request_id).requester) == address:
                    return True
        return False

    def of_question(self, case: Case, request: DataSubjectRequest) -> str | None:
        """Where questions go: to whoever asked."""
        representation = self._register.find_representation(case.id)
        if representation is not None:
            return self._address(case, representation.representative)
        return self._address(case, request.requester)

    def _address(self, case: Case, ref: PersonalRef) -> str | None:
        person = dossier.person_in(self._vault, ref)
        if not case.protected:
            return address_of(person)
        # An address that nobody has proven may be somebody else's, who would learn of the case.
        return next(iter(person.verified(IdentifierKind.EMAIL)), None)
