"""Misdirected: a letter that reached the wrong person, from one button to the closed breach note.

At once the link ends and what was reachable is written down; then the note says what happened, who
was told and why or why not (Art. 33, 34; EDPB guidelines 9/2022). The person still has no answer,
so the clock runs on until it has been sent anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.case import Case
from domain.deadlines import received_on
from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef
from domain.request import DataSubjectRequest
from domain.request_breach import WRONG_PERSON
from domain.request_state import Breach
from domain.staff import human
from domain.values import QueuedLetter
from domain.vocabulary import Compartment, IdentifierKind, LetterKind
from services import dossier
from services.addressees import Addressees
from services.answering import ANSWER_LINK
from services.controllers import Controllers
from services.letters import Disclosure, LetterFacts, compose
from services.ports import Also, Clock, Erased, Identifier, Links, Person, Sealed, Vault
from services.postroom import Postroom
from services.register import Register, again_on_conflict

AUTHORITY_WITHIN = timedelta(hours=72)
_PARTS = "\n\N{INFORMATION SEPARATOR TWO}\n"
"""Between the parts of a note; people may write empty lines in each of them."""


@dataclass(frozen=True, slots=True)
class BreachNote:
    """A breach with what was written about it; personal data."""

    request: DataSubjectRequest
    breach: Breach
    notes: tuple[str, str, str]
    authority_reasons: str
    person_reasons: str


class Misdirected:
    """What follows when a letter went to somebody else."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        controllers: Controllers,
        postroom: Postroom,
        links: Links,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._controllers = register, vault, controllers
        self._postroom, self._links, self._clock = postroom, links, clock
        self._addressees = Addressees(register, vault)

    @again_on_conflict
    def report(
        self, case_id: UUID, letter_id: UUID, *, by: str, known_at: datetime | None = None
    ) -> datetime:
        """One button: the link ends, the answer counts as missing, the 72 hours begin.

        Answers by when the authority has to know. Pressed twice it is one breach.
        """
        human(by)
        now = self._clock()
        case = self._register.case(case_id)
        letter = case.letters.get(letter_id)
        if letter is None or letter_id not in case.left:
            raise NotAllowedNow(
                "this letter has not left: take it back instead", key="letter-not-left"
            )
        concerned = [
            one
            for one in self._register.requests_of(case)
            if one.id in letter.requests or not letter.requests
        ]
        if not concerned:
            raise NotAllowedNow("this letter belongs to no request: write down what happened")
        first = next((one for one in concerned if _breach_of(one, letter_id)), concerned[0])
        known = _breach_of(first, letter_id)
        if known is not None and known.tell_by is not None:
            return known.tell_by
        also = self._opened(first, letter, by, known_at or now, now)
        if letter.kind.answers:
            for request in concerned:
                also.append(self._links.withdraw(request.id, purpose=ANSWER_LINK))
                if request.answer is not None and request.answer.letter == letter.text:
                    # What is destroyed cannot be sent again; the breach is one all the same.
                    with suppress(NotAllowedNow):
                        request.misdirect(reason=WRONG_PERSON, at=now)
        self._register.save_all([one for one in concerned if one.pending_events], also)
        return (known_at or now) + AUTHORITY_WITHIN

    def _opened(
        self,
        request: DataSubjectRequest,
        letter: QueuedLetter,
        by: str,
        known_at: datetime,
        now: datetime,
    ) -> list[Also]:
        if known_at > now:
            raise DomainError(
                "nobody knows of it later than now: check when it became known", key="known-by-now"
            )
        copy = letter.kind.answers and request.right.gives_a_copy
        records = tuple(request.own_records) if copy else ()
        note = dossier.seal_note(self._vault, request.case_id, letter.kind.value, by, now)
        request.report_disclosure(
            report=note.ref,
            by=human(by),
            known_at=known_at,
            tell_authority_by=known_at + AUTHORITY_WITHIN,
            letter=letter.id,
            categories=tuple(sorted({one.category for one in records})),
            records=len(records),
            link_withdrawn=copy and not letter.printed and not letter.attached,
            fetched_at=request.fetched_at if copy else None,
            described=False,
            at=now,
        )
        return list(note.also)

    # The note (Art. 33(5))

    @again_on_conflict
    def describe(
        self,
        request_id: UUID,
        breach: UUID,
        *,
        what: str,
        consequences: str,
        measures: str,
        by: str,
    ) -> None:
        """The facts, the effects, the remedies; every version of them stays."""
        if not (what.strip() and consequences.strip() and measures.strip()):
            raise DomainError(
                "say what happened, what may follow, and what is done about it", key="what-happened"
            )
        request = self._register.request(request_id)
        note = self._note(request, _PARTS.join(map(str.strip, (what, consequences, measures))), by)
        request.describe_breach(breach=breach, note=note.ref, by=by, at=self._clock())
        self._register.save_all([request], note.also)

    @again_on_conflict
    def settle_with_authority(
        self,
        request_id: UUID,
        breach: UUID,
        *,
        told_at: datetime | None,
        reasons: str,
        by: str,
    ) -> None:
        """When the authority was told; or that it was not, because no risk is likely."""
        request = self._register.request(request_id)
        note = self._note(request, reasons, by) if reasons.strip() else None
        request.settle_breach_with_authority(
            breach=breach,
            told_at=told_at,
            reasons=note.ref if note else None,
            by=by,
            at=self._clock(),
        )
        self._register.save_all([request], note.also if note else ())

    @again_on_conflict
    def settle_with_person(
        self, request_id: UUID, breach: UUID, *, told: bool, reasons: str, by: str
    ) -> None:
        """The person was told another way than by our letter, or need not be."""
        request = self._register.request(request_id)
        note = self._note(request, reasons, by) if reasons.strip() else None
        request.settle_breach_with_person(
            breach=breach, told=told, reasons=note.ref if note else None, by=by, at=self._clock()
        )
        self._register.save_all([request], note.also if note else ())

    @again_on_conflict
    def write_to_person(self, request_id: UUID, breach: UUID, *, by: str) -> None:
        """The letter of Art. 34, from what the note says; never to where it went wrong."""
        now = self._clock()
        request = self._register.request(request_id)
        case = self._register.case(request.case_id)
        self._controllers.require_letters_allowed(case.controller)
        known = request.breaches.get(breach)
        if known is None or not known.notes:
            raise NotAllowedNow(
                "write down first what happened: the letter is made from it", key="what-happened"
            )
        what, consequences, measures = self.parts(known)
        if not (what and consequences and measures):
            raise NotAllowedNow("the note has been destroyed: write down again what happened")
        address = self._addressees.of_answer(case, request)
        if address is not None and address == self._went_to(case, known):
            raise NotAllowedNow(
                "that is the address it went to: put the address right first,"
                " or tell the person another way"
            )
        on = received_on(known.known_at or now, request.country)
        profile = self._controllers.in_force(case.controller)
        facts = LetterFacts(
            profile=profile,
            language=case.language,
            case_reference=case.reference,
            rights=(request.right,),
            disclosure=Disclosure(on, what, consequences, measures),
        )
        letter = self._postroom.queue(
            case,
            compose(LetterKind.DISCLOSURE_NOTICE, facts),
            profile,
            address,
            requests=(request.id,),
            at=now,
        )
        request.settle_breach_with_person(breach=breach, told=True, reasons=None, by=by, at=now)
        self._register.save_all([case, request], letter)

    @again_on_conflict
    def correct_address(self, case_id: UUID, *, address: str, by: str) -> None:
        """Where the person is reached from now on; the address it went to is dropped."""
        human(by)
        if "@" not in address.strip().strip("@"):
            raise DomainError(
                "write the e-mail address of the person: name@place.example", key="address-form"
            )
        case = self._register.case(case_id)
        requests = [one for one in self._register.requests_of(case) if not one.ended]
        also: list[Also] = []
        identifier = Identifier(IdentifierKind.EMAIL, address.strip())
        for request in requests:
            person = dossier.person_in(self._vault, request.requester)
            others = (one for one in person.identifiers if one.kind is not IdentifierKind.EMAIL)
            sealed = self._vault.seal(
                case.id,
                Compartment.CORRESPONDENCE,
                dossier.PERSON.dump_json(Person((identifier, *others))),
            )
            also += sealed.also
            request.correct_address(person=sealed.ref, by=by, at=self._clock())
        also += self._vault.index(case.controller, case.id, [identifier])
        self._register.save_all(requests, also)

    # What is known of it

    def of_case(self, case: Case) -> Iterator[BreachNote]:
        """Every breach of a case with its words, for whoever may read them."""
        for request in self._register.requests_of(case):
            for breach in request.breaches.values():
                yield BreachNote(
                    request,
                    breach,
                    self.parts(breach),
                    self._said(breach.authority_reasons),
                    self._said(breach.person_reasons),
                )

    def parts(self, breach: Breach) -> tuple[str, str, str]:
        """What happened, what may follow, what is done about it: as it was written down last."""
        said = self._said(breach.notes[-1]) if breach.notes else ""
        between = _PARTS if _PARTS in said else "\n\n"
        what, _, rest = said.partition(between)
        consequences, _, measures = rest.partition(between)
        return what, consequences, measures

    def _went_to(self, case: Case, breach: Breach) -> str | None:
        letter = case.letters.get(breach.letter) if breach.letter else None
        if letter is None:
            return None
        try:
            return dossier.LETTER.validate_json(self._vault.open(letter.text)).recipient
        except Erased:
            return None

    def _said(self, ref: PersonalRef | None) -> str:
        try:
            return dossier.note_in(self._vault, ref) if ref else ""
        except Erased:
            return ""

    def _note(self, request: DataSubjectRequest, words: str, by: str) -> Sealed:
        return dossier.seal_note(self._vault, request.case_id, words.strip(), by, self._clock())


def _breach_of(request: DataSubjectRequest, letter_id: UUID) -> Breach | None:
    return next((one for one in request.breaches.values() if one.letter == letter_id), None)
