"""Delivery: a letter on paper, in somebody's hand or read aloud, each with its proof (Art. 12(1)).

What shows it (the day, a registered number, how the person showed who they are) may name people
and lies in the vault; the log knows that it is there. The encrypted download proves itself: the
link and the code to the proven address (`services.answering`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

from domain.case import Case
from domain.deadlines import received_on
from domain.errors import DomainError, NotAllowedNow
from domain.explanation import written_date
from domain.letters import Block
from domain.staff import human
from domain.vocabulary import Compartment, DeliveryWay, IdentifierKind, LetterKind
from services import dossier
from services.answering import Answering
from services.controllers import Controllers
from services.documents import Document
from services.letter_paper import plain_document
from services.letters import ComposedLetter
from services.ports import Clock, PdfStandard, Typesetter, Vault
from services.register import Register


class Delivery:
    """Prints letters, and records how they reached the person."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        controllers: Controllers,
        answering: Answering,
        typesetter: Typesetter,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._controllers = register, vault, controllers
        self._answering, self._typesetter, self._clock = answering, typesetter, clock

    def pdf(self, case_id: UUID, letter_id: UUID) -> bytes:
        """A letter as accessible PDF, with the address in the window unless it is protected."""
        case = self._register.case(case_id)
        letter = case.letters.get(letter_id)
        if letter is None:
            raise DomainError("there is no such letter in this case")
        if letter.kind is LetterKind.IDENTITY_CODE:
            raise NotAllowedNow("this letter holds a code that only the person may read")
        sealed = dossier.LETTER.validate_json(self._vault.open(letter.text))
        document = sealed.paper or plain_document(
            sealed.subject, sealed.text, case.language, reference=case.reference
        )
        names_nobody = letter.kind is LetterKind.HOLD_RELEASED
        return self._set(case, document, names_nobody=names_nobody)

    def preview_pdf(self, case_id: UUID, letter: ComposedLetter) -> bytes:
        """A letter that is not written yet, as it would look on paper."""
        case = self._register.case(case_id)
        names_nobody = Block.CONTROLLER not in letter.letter.blocks
        return self._set(case, letter.document(case.reference), names_nobody=names_nobody)

    def delivered(
        self,
        case_id: UUID,
        letter_id: UUID,
        *,
        way: DeliveryWay,
        on: date,
        by: str,
        tracking: str = "",
        seen: str = "",
    ) -> None:
        """Record that a letter was posted, handed over or read aloud, and what shows it."""
        case = self._register.case(case_id)
        self._require(case, letter_id, way, on, seen)
        proof = dossier.SealedDelivery(on, human(by), tracking.strip(), seen.strip())
        sealed = self._vault.seal(
            case.id, Compartment.CORRESPONDENCE, dossier.DELIVERY.dump_json(proof)
        )
        self._answering.letter_left(case_id, letter_id, how=way.value, by=by, proof=sealed)

    def _require(self, case: Case, letter_id: UUID, way: DeliveryWay, on: date, seen: str) -> None:
        letter = case.letters.get(letter_id)
        if letter is None:
            raise DomainError("there is no such letter in this case")
        if way is DeliveryWay.MAIL:
            raise DomainError("mail is sent from here and proves itself: say how else it got there")
        country = self._controllers.in_force(case.controller).country
        if on > received_on(self._clock(), country):
            raise DomainError("that day has not come yet: write down what has happened")
        if not way.meets_the_person:
            return
        if not seen.strip():
            raise DomainError("write down how the person showed who they are (no copy, no number)")
        answers = [self._register.request(one) for one in letter.requests]
        if letter.kind.answers and not all(r.is_identified or r.refusal for r in answers):
            raise NotAllowedNow("identity is not proven: nothing is handed over or read aloud yet")

    def _set(self, case: Case, document: Document, *, names_nobody: bool) -> bytes:
        profile = self._controllers.in_force(case.controller)
        today = received_on(self._clock(), profile.country)
        dated = replace(
            document,
            country=profile.country,
            date=written_date(today, case.language),
            recipient=() if names_nobody else self._recipient(case),
        )
        return self._typesetter.pdf(dated, PdfStandard.ACCESSIBLE)

    def _recipient(self, case: Case) -> tuple[str, ...]:
        """Name and postal address as the person gave them; nothing of a protected identity."""
        if case.person is None or case.protected:
            return ()
        person = dossier.person_in(self._vault, case.person)
        address = next(iter(person.all(IdentifierKind.POSTAL_ADDRESS)), "")
        if not address:
            return ()
        name = next(iter(person.all(IdentifierKind.NAME)), "")
        lines = [name, *address.replace(",", "\n").split("\n")]
        return tuple(line.strip() for line in lines if line.strip())
