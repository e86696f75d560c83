"""Writing: a message to the person that no law prescribes, from whoever has the case (Art. 12(2)).

It goes the way of every letter: sealed, queued, recalled as long as it waits, and kept with the
case. It is no answer and moves no date.
"""

from __future__ import annotations

from uuid import UUID

from domain.case import Case, CaseStatus
from domain.errors import DomainError, NotAllowedNow
from domain.staff import human
from domain.vocabulary import LetterKind
from services import dossier
from services.addressees import address_of
from services.controllers import Controllers
from services.letters import ComposedLetter, LetterFacts, compose
from services.ports import Clock, Vault
from services.postroom import Postroom
from services.register import Register, again_on_conflict


class Writing:
    """Messages from the desk to the person."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        controllers: Controllers,
        postroom: Postroom,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._controllers = register, vault, controllers
        self._postroom, self._clock = postroom, clock

    @again_on_conflict
    def message(self, case_id: UUID, *, words: str, by: str) -> UUID:
        """Write to the person; answers the letter's id."""
        human(by)
        if not words.strip():
            raise DomainError(
                "write the message first: it is what the letter says", key="words-needed"
            )
        case = self._register.case(case_id)
        if case.status is not CaseStatus.CONFIRMED or case.person is None:
            raise NotAllowedNow(f"case {case.reference} is not confirmed: nobody is known to write")
        self._controllers.require_letters_allowed(case.controller)
        known = set(case.letters)
        letter = self._postroom.queue(
            case,
            self._composed(case, words),
            self._controllers.in_force(case.controller),
            self._address(case),
            requests=case.request_ids,
            at=self._clock(),
        )
        self._register.save_all([case], letter)
        (letter_id,) = set(case.letters) - known
        return letter_id

    def _composed(self, case: Case, words: str) -> ComposedLetter:
        facts = LetterFacts(
            profile=self._controllers.in_force(case.controller),
            language=case.language,
            case_reference=case.reference,
            free_text=words.strip(),
        )
        return compose(LetterKind.MESSAGE, facts)

    def _address(self, case: Case) -> str | None:
        """The newest address of the person: one that was corrected, or proven, before the first."""
        requests = self._register.requests_of(case)
        ref = requests[0].requester if requests else case.person
        return address_of(dossier.person_in(self._vault, ref)) if ref is not None else None
