"""Identity: proportionate proof that the person who asks is the person asked about (Art. 12(6)).

A code proves control of the address it was sent to, and of nothing else: it opens what is filed
under that address. No answer of ours tells whether an address is known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from domain.aggregate import Aggregate
from domain.case import Case
from domain.errors import DomainError, NotAllowedNow
from domain.identity_providers import Assurance, IdentityProvider
from domain.ladder import OFFERED, PROVES, Doubt, doubt_named, without_an_address
from domain.personal import PersonalRef
from domain.representation import Representation
from domain.request import DataSubjectRequest, Status
from domain.staff import MACHINE
from domain.vocabulary import Compartment, IdentifierKind, IdentityMethod, LetterKind
from services import dossier, numbers
from services.controllers import Controllers
from services.letters import LetterFacts, compose
from services.matching import may_be_same_name
from services.planning import Planning
from services.ports import (
    Also,
    Clock,
    CodeCheck,
    Codes,
    Identifier,
    Links,
    Person,
    Vault,
    Vouched,
)
from services.postroom import Postroom
from services.register import Register, again_on_conflict

_WHY_ASKED = {
    Doubt.UNKNOWN_SENDER: "address-unknown",
    Doubt.OTHER_ADDRESS: "details-differ",
    Doubt.OTHER_NAME: "details-differ",
    Doubt.SEVERAL_PEOPLE: "several-people",
    Doubt.SENSITIVE_CONTENT: "much-at-stake",
    Doubt.ASKS_FOR_ANOTHER: "somebody-else",
    Doubt.NO_ADDRESS: "no-address",
    Doubt.LIGHTER_PROOF_FAILED: "not-enough",
}
"""Why the letter says that it asks."""

CODE_VALID_FOR = timedelta(minutes=30)
PROOF_LINK = "identity"


class Identity:
    """From doubt to certainty, for all requests of a case at once."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        controllers: Controllers,
        planning: Planning,
        postroom: Postroom,
        codes: Codes,
        links: Links,
        clock: Clock,
        *,
        address: str,
    ) -> None:
        self._register, self._vault, self._controllers = register, vault, controllers
        self._planning, self._postroom, self._codes = planning, postroom, codes
        self._links, self._clock, self._address = links, clock, address.rstrip("/")

    @again_on_conflict
    def ask(self, case_id: UUID, *, reason: str, by: str) -> None:
        """Send a code to the first address of the person; an earlier code stops working.

        Without one a letter asks for another proof; it waits to be printed and posted.
        """
        if not by:
            raise DomainError("say who asks the person to prove who they are")
        now = self._clock()
        self._register.look_at(case_id)
        case = self._register.case(case_id)
        doubt = doubt_named(reason)
        person = self.asker(case)
        waiting = self._waiting(case)
        if not waiting:
            raise NotAllowedNow(f"no request of case {case.reference} waits for proof of identity")
        addresses = person.all(IdentifierKind.EMAIL)
        if not addresses:
            self._ask_by_post(case, waiting, doubt, at=now)
            return
        for request in waiting:
            request.request_identity(method=IdentityMethod.CODE_TO_ADDRESS, reason=reason, at=now)
        code, written = self._codes.issue(case_id, valid_for=CODE_VALID_FOR)
        secret, linked = self._links.issue(case_id, purpose=PROOF_LINK, valid_for=CODE_VALID_FOR)
        profile = self._controllers.in_force(case.controller)
        letter = self._postroom.identity_code(
            case,
            profile,
            addresses[0],
            code=code,
            valid_for=CODE_VALID_FOR,
            language=case.language,
            link=f"{self._address}/prove/{secret}",
            at=now,
        )
        self._register.save_all([case, *waiting], [*written, *linked, *letter])

    def _ask_by_post(
        self, case: Case, waiting: Sequence[DataSubjectRequest], doubt: Doubt, *, at: datetime
    ) -> None:
        method = without_an_address(doubt)
        for request in waiting:
            request.request_identity(method=method, reason=doubt.value, at=at)
        profile = self._controllers.in_force(case.controller)
        facts = LetterFacts(
            profile=profile,
            language=case.language,
            case_reference=case.reference,
            received_on=waiting[0].received_on,
            rights=tuple(request.right for request in waiting),
            doubt=_WHY_ASKED[doubt],
            ways=OFFERED[method],
        )
        letter = self._postroom.queue(
            case,
            compose(LetterKind.IDENTITY_QUESTION, facts),
            profile,
            None,
            requests=tuple(request.id for request in waiting),
            at=at,
        )
        self._register.save_all([case, *waiting], letter)

    def case_behind(self, secret: str) -> Case | None:
        """The case whose identity check a link leads to; None when the link has ended."""
        link = self._links.follow(secret, purpose=PROOF_LINK)
        return self._register.case(link.subject_id) if link is not None else None

    def check_code(self, case_id: UUID, code: str) -> CodeCheck:
        """Try a code. A right one verifies every request of the case and plans what can begin.

        The code itself is tried once, however often a conflict has the rest repeated.
        """
        answer = self.try_code(case_id, code)
        self.follow_code(case_id, answer)
        return answer

    def try_code(self, case_id: UUID, code: str) -> CodeCheck:
        """What a code is worth. A wrong one has used up one of the tries."""
        if self._is_barred(case_id):
            return CodeCheck.SPENT
        return self._codes.check(case_id, code)

    def follow_code(self, case_id: UUID, answer: CodeCheck) -> None:
        """Record what a code was worth, and what follows from it."""
        if answer is CodeCheck.RIGHT:
            self._code_was_right(case_id)
        elif not self._is_barred(case_id):
            self._code_was_not(case_id, answer)

    def _is_barred(self, case_id: UUID) -> bool:
        """Whether so many codes were wrong that none proves anything any more."""
        waiting = self._waiting(self._register.case(case_id))
        return any(request.failed_too_often for request in waiting)

    @again_on_conflict
    def _code_was_right(self, case_id: UUID) -> None:
        self._register.look_at(case_id)
        case = self._register.case(case_id)
        person = self.asker(case)
        address = person.all(IdentifierKind.EMAIL)[0]
        proven = dossier.with_verified(person, IdentifierKind.EMAIL, address)
        used = self._codes.use(case_id)
        self._verify(case, proven, IdentityMethod.CODE_TO_ADDRESS, None, used)

    @again_on_conflict
    def _code_was_not(self, case_id: UUID, answer: CodeCheck) -> None:
        waiting = self._waiting(self._register.case(case_id))
        for request in waiting:
            request.fail_identity(
                method=IdentityMethod.CODE_TO_ADDRESS,
                reason=f"code-{answer.value}",
                at=self._clock(),
            )
        self._register.save_all(waiting)

    @again_on_conflict
    def verify_by_hand(self, case_id: UUID, *, method: IdentityMethod, by: str) -> None:
        """A person checked it another way: eID shown, document seen and not kept, in person.

        What was shown proves what it shows: somebody's passport says nothing about an address.
        """
        if not by:
            raise DomainError("say who checked the person's identity")
        if method is IdentityMethod.CODE_TO_ADDRESS:
            raise DomainError("a code is checked by entering it")
        self._register.look_at(case_id)
        case = self._register.case(case_id)
        person = self.asker(case)
        if not self._waiting(case):
            raise NotAllowedNow(f"no request of case {case.reference} waits for proof of identity")
        self._verify(case, dossier.with_kinds_verified(person, PROVES[method]), method, by)

    @again_on_conflict
    def vouched_for(
        self, case_id: UUID, provider: IdentityProvider, vouched: Vouched, assurance: Assurance
    ) -> bool:
        """A provider vouches for the person; what it says is compared with what they said.

        False when it vouches for somebody else. Only who (as a digest), how surely and when stays.
        """
        now = self._clock()
        self._register.look_at(case_id)
        case = self._register.case(case_id)
        if not self._waiting(case):
            return True  # verified meanwhile, by another way or by the same one in another window
        person = self.asker(case)
        said = dict(provider.identifiers(vouched.claims))
        number = said.pop(IdentifierKind.NATIONAL_NUMBER, None)
        known = None if self._represented(case) else numbers.known(self._vault, case)
        if not _may_be_the_same(person, said) or (
            number is not None and known is not None and not numbers.same(known.value, number)
        ):
            self.proof_failed(case_id, provider.method, reason="somebody-else")
            return False
        for kind, value in said.items():
            person = dossier.with_proven(person, kind, value)
        proof = dossier.SealedVoucher(
            provider=provider.id,
            subject=self._vault.digest(case_id, vouched.subject),
            acr=str(vouched.acr or ""),
            at=now,
        )
        sealed = self._vault.seal(
            case_id, Compartment.CORRESPONDENCE, dossier.VOUCHER.dump_json(proof)
        )
        also = list(sealed.also)
        if number is not None and self._represented(case) is None:
            proven = Identifier(IdentifierKind.NATIONAL_NUMBER, number, verified=True)
            also += numbers.take(self._vault, case, proven, at=now)
        self._verify(
            case, person, provider.method, None, *also, assurance=assurance, proof=sealed.ref
        )
        return True

    def waits(self, case: Case) -> bool:
        """Whether somebody's identity is still to be proven in this case."""
        return bool(self._waiting(case))

    @again_on_conflict
    def knows_order(self, case_id: UUID, order: Identifier) -> None:
        """The person knew an order: it opens what is filed under its number, and nothing else."""
        self._register.look_at(case_id)
        case = self._register.case(case_id)
        if self._waiting(case):
            person = dossier.with_proven(self.asker(case), order.kind, order.value)
            self._verify(case, person, IdentityMethod.ORDER_KNOWLEDGE, MACHINE)

    @again_on_conflict
    def destroy_document(self, case_id: UUID, attachment: PersonalRef, *, by: str) -> None:
        """Destroy a copy of an identity document that somebody sent; "seen" is all that stays."""
        case = self._register.case(case_id)
        case.destroy_document(
            attachment=attachment, reason="identity-document", by=by, at=self._clock()
        )
        self._register.save_all([case], [self._vault.forget(attachment)])

    @again_on_conflict
    def proof_failed(self, case_id: UUID, method: IdentityMethod, *, reason: str) -> None:
        """Record that a proof did not hold; a person sees it and finds another way."""
        waiting = self._waiting(self._register.case(case_id))
        for request in waiting:
            request.fail_identity(method=method, reason=reason, at=self._clock())
        self._register.save_all(waiting)

    def _verify(
        self,
        case: Case,
        person: Person,
        method: IdentityMethod,
        by: str | None,
        *more: Also,
        assurance: Assurance | None = None,
        proof: PersonalRef | None = None,
    ) -> None:
        now = self._clock()
        requests = self._register.requests_of(case)
        sealed = self._vault.seal(
            case.id, Compartment.CORRESPONDENCE, dossier.PERSON.dump_json(person)
        )
        also: list[Also] = [*more, *sealed.also]
        changed: list[Aggregate] = [case, *requests]
        representation = self._represented(case)
        if representation is not None:
            representation.identify(method=method, representative=sealed.ref, by=by, at=now)
            changed.append(representation)
        elif proof is None and IdentifierKind.NATIONAL_NUMBER in PROVES[method]:
            also += numbers.prove(self._vault, case, at=now)
        for request in requests:
            if request.status is Status.RECEIVED:
                # Who asks for somebody else has shown nothing about the person asked about.
                whose = sealed.ref if representation is None else request.requester
                request.verify_identity(
                    method=method,
                    person=whose,
                    by=by,
                    assurance=assurance,
                    proof=proof,
                    at=now,
                )
        planned = self._planning.plan_verified(case, requests, at=now)
        self._register.save_all([*changed, *planned.aggregates], [*also, *planned.also])

    def _waiting(self, case: Case) -> tuple[DataSubjectRequest, ...]:
        return tuple(
            request
            for request in self._register.requests_of(case)
            if request.status is Status.RECEIVED
        )

    def _represented(self, case: Case) -> Representation | None:
        """Who asks for somebody else, where it is so."""
        found = self._register.find_representation(case.id)
        return found if found is not None and found.asks_for_another else None

    def asker(self, case: Case) -> Person:
        """Whoever wrote: it is they who prove who they are."""
        if case.person is None:
            raise DomainError("confirm the case first: it has no person yet")
        representation = self._represented(case)
        ref: PersonalRef = representation.representative if representation else case.person
        return dossier.person_in(self._vault, ref)


def _may_be_the_same(person: Person, said: Mapping[IdentifierKind, str]) -> bool:
    """Whether what a provider says agrees with what the person said, where both say anything."""
    names, born = person.all(IdentifierKind.NAME), person.all(IdentifierKind.BIRTH_DATE)
    name, birth_date = said.get(IdentifierKind.NAME), said.get(IdentifierKind.BIRTH_DATE)
    if name and names and not any(may_be_same_name(name, one) for one in names):
        return False
    return not (birth_date and born and birth_date not in born)
