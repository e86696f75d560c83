"""Answering: the letter and the package that end a request, and what follows from their arrival.

An access answer is a package behind a link that ends; the link opens with a code sent to the
proven address. Whatever was kept or refused is in the letter with law, date and remedy, or the
letter cannot be made (Art. 12(4)).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from uuid import UUID, uuid4

from domain.aggregate import Aggregate
from domain.balancing import Balancing
from domain.case import Case
from domain.deadlines import received_on
from domain.errors import NotAllowedNow
from domain.fulfilment import Fulfilment
from domain.letters import answering_letter
from domain.personal import PersonalRef
from domain.policy import Profile
from domain.request import DataSubjectRequest, Status
from domain.values import LetterSent, QueuedLetter, SystemOutcome
from domain.vocabulary import Compartment, LetterKind, Outcome, Right
from services import dossier
from services.addressees import Addressees
from services.controllers import Controllers
from services.copies import Copies
from services.disclosing import Disclosing
from services.extending import notice_is_wanted, notice_left
from services.informing import IN_WORDS
from services.letters import CategoryOutcome, ComposedLetter, LetterFacts, compose
from services.meanwhile import ANNOUNCE, restriction_task
from services.outcomes import hidden_places, system_outcomes
from services.package import AnswerFacts, Authority, build_package
from services.planning import Planning, answer_task
from services.porting import Porting
from services.ports import (
    Also,
    Clock,
    CodeCheck,
    Codes,
    Links,
    Residual,
    Sealed,
    Staff,
    Task,
    Tasks,
    Vault,
)
from services.postroom import Postroom, letter_task
from services.recipient_ledger import Recipients
from services.register import Register, again_on_conflict
from services.retention import Retention
from services.wording import LETTERS, wording

LINK_VALID_FOR = timedelta(days=30)
CODE_VALID_FOR = timedelta(minutes=30)
ANSWER_LINK = "answer"
WITHHELD = "withheld-recipient"
MOST_CODES_AN_HOUR = 5
"""Whoever has a link can ask for codes; the person's mailbox is not for them to fill."""


class Answering:
    """From work done to a person who knows about it."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        tasks: Tasks,
        controllers: Controllers,
        planning: Planning,
        porting: Porting,
        recipients: Recipients,
        disclosing: Disclosing,
        postroom: Postroom,
        retention: Retention,
        links: Links,
        codes: Codes,
        staff: Staff,
        clock: Clock,
        *,
        address: str,
    ) -> None:
        self._register, self._vault, self._tasks = register, vault, tasks
        self._controllers, self._planning, self._postroom = controllers, planning, postroom
        self._porting, self._recipients = porting, recipients
        self._disclosing = disclosing
        self._retention, self._links, self._codes = retention, links, codes
        self._staff, self._addressees = staff, Addressees(register, vault)
        self._copies = Copies(register, vault)
        self._clock, self._address = clock, address.rstrip("/")

    # Writing the answer

    @again_on_conflict
    def answer(self, task: Task) -> None:
        """Write the answer of one request and have it sent."""
        now = self._clock()
        self._register.look_at(task.subject_id)
        request = self._register.request(task.subject_id)
        case = self._register.case(request.case_id)
        if request.status not in {Status.APPROVED, Status.VERIFIED} or _is_under_way(case, request):
            self._register.save_all([], [self._tasks.done(task)])
            return
        self._controllers.require_letters_allowed(case.controller)
        profile = self._controllers.in_force(case.controller)
        fulfilment = self._register.fulfilment(request.id)
        redaction = self._register.find_redaction(request.id)
        request.require_looked_at(
            redaction.looked_at(request.own_records) if redaction else frozenset()
        )
        transfer = self._register.find_direct_transfer(request.id)
        decided = self._register.decided(request)
        outcomes = (
            *self._hiding(
                request,
                system_outcomes(request, fulfilment, profile, redaction, transfer, decided),
            ),
            *self._withheld(request),
        )
        also: list[Also] = [self._tasks.done(task)]
        by_post = task.payload.get("how") == "post"
        address = None if by_post else self._addressees.of_answer(case, request)
        link = None
        documents = list(self._documents(request))
        attached = request.id in case.unencrypted and address is not None and not case.protected
        if request.right.gives_a_copy:
            content = self._package(case, request, profile, also, now)
            if attached:
                documents.append(self._attachment(case, content, also))
            elif address is not None:
                link = self._link(request, also)
        explains = tuple(
            sorted({told for o in outcomes for told in o.to_explain}, key=list(Outcome).index)
        )
        kind = answering_letter(explains)
        facts = self._facts(case, request, profile, fulfilment, outcomes, link, now)
        if isinstance(decided, Balancing):
            kind, facts = _about_an_objection(decided, kind, facts)
        letter = compose(kind, facts)
        also += self._postroom.queue(
            case,
            letter,
            profile,
            address,
            requests=(request.id,),
            explains=explains,
            documents=tuple(documents),
            attached=attached and request.right.gives_a_copy,
            at=now,
        )
        self._register.save_all([case], also)

    def _hiding(
        self, request: DataSubjectRequest, said: tuple[SystemOutcome, ...]
    ) -> tuple[SystemOutcome, ...]:
        """What is said, and that a protected identity hides places in what is given."""
        if not request.right.gives_a_copy:
            return said
        return (*said, *hidden_places(request, self._copies.without_places(request), said))

    def _documents(self, request: DataSubjectRequest) -> tuple[PersonalRef, ...]:
        if request.right not in IN_WORDS:
            return ()
        information = self._register.find_information(request.id)
        return information.documents if information is not None else ()

    def preview(self, request_id: UUID, *, by: str, words: str | None = None) -> ComposedLetter:
        """The answer as it would be written now; nothing is changed, and its link leads nowhere.

        `words` are those that would be approved with it.
        """
        now = self._clock()
        request = self._register.request(request_id)
        case = self._register.case(request.case_id)
        profile = self._controllers.in_force(case.controller)
        fulfilment = self._register.fulfilment(request.id)
        redaction = self._register.find_redaction(request.id)
        transfer = self._register.find_direct_transfer(request.id)
        decided = self._register.decided(request)
        outcomes = (
            *self._hiding(
                request,
                system_outcomes(request, fulfilment, profile, redaction, transfer, decided),
            ),
            *self._withheld(request),
        )
        link = f"{self._address}/answer/…" if request.right.gives_a_copy else None
        facts = self._facts(case, request, profile, fulfilment, outcomes, link, now)
        if not facts.decided_by:
            facts = replace(facts, decided_by=self._staff.name(by))
        if words is not None:
            facts = replace(facts, free_text=words.strip() or None)
        kind = answering_letter({told for one in outcomes for told in one.to_explain})
        if isinstance(decided, Balancing):
            kind, facts = _about_an_objection(decided, kind, facts)
        return compose(kind, facts)

    def _withheld(self, request: DataSubjectRequest) -> Iterator[SystemOutcome]:
        """That a recipient is left out of the copy is said with its law (Art. 12(4), 23)."""
        if request.right is Right.ACCESS:
            for law in self._disclosing.withheld_by(request.case_id):
                yield SystemOutcome("", "", Outcome.REFUSED, 0, explanation=WITHHELD, law=law)

    def _facts(
        self,
        case: Case,
        request: DataSubjectRequest,
        profile: Profile,
        fulfilment: Fulfilment,
        outcomes: Sequence[SystemOutcome],
        link: str | None,
        now: datetime,
    ) -> LetterFacts:
        note = request.approval_note
        return LetterFacts(
            profile=profile,
            language=case.language,
            case_reference=case.reference,
            received_on=request.received_on,
            rights=(request.right,),
            free_text=dossier.note_in(self._vault, note) if note else None,
            deadlines=request.dates if request.right.is_statutory else None,
            act_by=request.act_by,
            outcomes=tuple(self._told(case, request, outcome) for outcome in outcomes),
            recipients=self._recipients.notices(request),
            link_url=link,
            link_ends_on=received_on(now + LINK_VALID_FOR, request.country) if link else None,
            enclosed=request.right.gives_a_copy and link is None,
            decided_by=self._staff.name(request.approved_by) if request.approved_by else None,
            covered=request.right.gives_a_copy and self._copies.tells_of_others(request),
            unsearchable=fulfilment.unsearchable,
        )

    def _package(
        self,
        case: Case,
        request: DataSubjectRequest,
        profile: Profile,
        also: list[Also],
        now: datetime,
    ) -> bytes:
        """Build and seal the package; links to an earlier one end."""
        content = (
            self._porting.written(request, at=now)
            if request.right is Right.PORTABILITY
            else self._copy(case, request, profile, now)
        )
        sealed: Sealed = self._vault.seal(case.id, Compartment.PACKAGE, content)
        also.extend(sealed.also)
        also.append(self._links.withdraw(request.id, purpose=ANSWER_LINK))
        case.pack(request_id=request.id, package=sealed.ref, at=now)
        return content

    def _attachment(self, case: Case, content: bytes, also: list[Also]) -> PersonalRef:
        """The copy to go with the letter as it is: somebody has decided so (GK-28)."""
        document = dossier.SealedDocument(f"{case.reference}.zip", "application/zip", content)
        sealed = self._vault.seal(
            case.id, Compartment.PACKAGE, dossier.DOCUMENT.dump_json(document)
        )
        also.extend(sealed.also)
        return sealed.ref

    def _link(self, request: DataSubjectRequest, also: list[Also]) -> str:
        secret, written = self._links.issue(
            request.id, purpose=ANSWER_LINK, valid_for=LINK_VALID_FOR
        )
        also.extend(written)
        return f"{self._address}/answer/{secret}"

    def _copy(
        self, case: Case, request: DataSubjectRequest, profile: Profile, now: datetime
    ) -> bytes:
        out = BytesIO()
        build_package(
            AnswerFacts(
                profile=profile,
                language=case.language,
                case_reference=case.reference,
                received_on=request.received_on,
                answered_on=received_on(now, request.country),
                records=self._copies.of(request),
                full_cards=request.full_cards,
                authorities=tuple(
                    Authority(one.authority, one.given.categories, one.given.given_on)
                    for one in self._disclosing.told(case.id)
                    if one.authority
                ),
                unsearchable=self._register.fulfilment(request.id).unsearchable,
                told=self._recipients.told(case.id),
            ),
            out,
        )
        return out.getvalue()

    def _told(
        self, case: Case, request: DataSubjectRequest, outcome: SystemOutcome
    ) -> CategoryOutcome:
        note = outcome.note
        if outcome.outcome in {Outcome.COVERED, Outcome.REFUSED} and request.right.gives_a_copy:
            words = wording(LETTERS, case.language)
            return CategoryOutcome(
                right=request.right,
                category=outcome.category,
                system=outcome.system,
                outcome=outcome.outcome,
                count=outcome.count,
                law=outcome.law,
                why=words.say(f"not_in_copy.{outcome.explanation}"),
            )
        is_balance = request.right is Right.OBJECTION and not outcome.category
        return CategoryOutcome(
            right=request.right,
            category=outcome.category,
            system=outcome.system,
            outcome=outcome.outcome,
            count=outcome.count,
            ground=outcome.ground,
            law=outcome.law if outcome.ground is None else None,
            until=outcome.until,
            why=dossier.note_in(self._vault, note) if note else None,
            residuals=tuple(Residual(r.what, r.why, r.until) for r in outcome.residuals),
            keep_fields=() if request.right is Right.RECTIFICATION else outcome.keep_fields,
            fields=outcome.keep_fields if request.right is Right.RECTIFICATION else outcome.fields,
            purpose=outcome.explanation if is_balance else "",
        )

    @again_on_conflict
    def answer_again(self, request_id: UUID, *, by: str, by_post: bool = False) -> None:
        """Write the answer anew after it did not arrive: with a new link, or to be posted."""
        if not by:
            raise NotAllowedNow("say who has the answer sent again")
        request = self._register.request(request_id)
        if request.delivery_failed is None:
            raise NotAllowedNow(f"the answer of request {request_id} has not failed to arrive")
        task = answer_task(request, at=self._clock(), again=uuid4().hex, by_post=by_post)
        self._register.save_all([], self._tasks.again(task))

    @again_on_conflict
    def allow_unencrypted(self, request_id: UUID, *, reason: str, by: str) -> None:
        """Have the copy go as an attachment by plain mail, with who decided it and why (GK-28)."""
        request = self._register.request(request_id)
        case = self._register.case(request.case_id)
        if not request.right.gives_a_copy:
            raise NotAllowedNow("the answer to this request has no copy that could be attached")
        case.allow_unencrypted(request_id=request_id, reason=reason, by=by, at=self._clock())
        self._register.save_all([case], [])

    def package(self, request_id: UUID) -> bytes:
        """The package of an access answer, for whoever prints and encloses it."""
        request = self._register.request(request_id)
        case = self._register.case(request.case_id)
        if request_id not in case.packages:
            raise NotAllowedNow(f"request {request_id} has no package yet")
        return self._vault.open(case.packages[request_id])

    # What follows when a letter left

    def is_wanted(self, case: Case, letter_id: UUID) -> bool:
        """Whether a letter that has not left still should: an answer needs somebody to wait."""
        letter = case.letters[letter_id]
        if letter_id in case.recalled:
            return False
        if letter.kind is LetterKind.EXTENSION:  # too late, it would tell what is not so
            requests = (self._register.request(request_id) for request_id in letter.requests)
            return any(notice_is_wanted(request, self._clock()) for request in requests)
        return letter.kind not in ANSWERS or any(
            _expects_answer(self._register.request(request_id)) for request_id in letter.requests
        )

    @again_on_conflict
    def letter_left(
        self,
        case_id: UUID,
        letter_id: UUID,
        *,
        how: str,
        by: str | None = None,
        proof: Sealed | None = None,
        task: Task | None = None,
    ) -> None:
        """Record that a letter left, and everything that follows from it, in one save."""
        now = self._clock()
        self._register.look_at(case_id)
        case = self._register.case(case_id)
        evidence = proof.ref if proof is not None else None
        letter = case.letter_left(letter_id=letter_id, how=how, by=by, proof=evidence, at=now)
        also: list[Also] = [self._tasks.done(task)] if task is not None else []
        if letter is None:
            self._register.save_all([], also)
            return
        requests = self._register.requests_of(case)
        changed: list[Aggregate] = [case, *requests]
        concerned = [request for request in requests if request.id in letter.requests]
        also += proof.also if proof is not None else ()
        sent = LetterSent(letter.kind, how, letter.text, letter.explains, evidence)
        if letter.kind is LetterKind.ACKNOWLEDGEMENT:
            for request in concerned:
                request.acknowledge(sent=sent, at=now)
        elif letter.kind is LetterKind.EXTENSION:
            for request in concerned:
                notice_left(case, request, letter, at=now)
        elif letter.kind in ANSWERS or letter.kind is LetterKind.OTHER_CONTROLLER:
            for request in filter(_expects_answer, concerned):
                self._answered(case, request, letter, sent, now)
                also += self._restriction_ends(request, now)
            for request in concerned:
                if request.status is Status.REFERRED:
                    request.close(at=now)
            planned = self._planning.plan_verified(case, requests, at=now)
            changed += planned.aggregates
            also += planned.also
            also += self._retention.when_closed(case, requests, at=now)
        self._register.save_all(changed, also)

    def _restriction_ends(self, request: DataSubjectRequest, now: datetime) -> list[Also]:
        """What was restricted until this was decided is so no longer; the person is told first."""
        if request.right not in {Right.OBJECTION, Right.RECTIFICATION}:
            return []
        restriction = self._register.find_restriction(request.id)
        if restriction is None or not restriction.stands:
            return []
        return [self._tasks.add(restriction_task(restriction, ANNOUNCE, at=now))]

    def _answered(
        self,
        case: Case,
        request: DataSubjectRequest,
        letter: QueuedLetter,
        sent: LetterSent,
        now: datetime,
    ) -> None:
        profile = self._controllers.in_force(case.controller)
        request.send_answer(sent=sent, profile_version=profile.digest, at=now)
        if request.refusal is not None:
            request.close(at=now)
            return
        fulfilment = self._register.fulfilment(request.id)
        redaction = self._register.find_redaction(request.id)
        transfer = self._register.find_direct_transfer(request.id)
        decided = self._register.decided(request)
        outcomes = system_outcomes(request, fulfilment, profile, redaction, transfer, decided)
        if Outcome.COVERED in letter.explains:
            outcomes = self._hiding(request, outcomes)
        request.fulfil(outcomes=outcomes, at=now)
        if not request.right.gives_a_copy or letter.printed or letter.attached:
            request.close(at=now)

    @again_on_conflict
    def letter_failed(
        self, case_id: UUID, letter_id: UUID, *, reason: str, task: Task | None = None
    ) -> None:
        """The relay refused it: a person sees the letter, and why, and can send it again."""
        case = self._register.case(case_id)
        case.letter_failed(letter_id=letter_id, reason=reason, at=self._clock())
        self._register.save_all([case], [self._tasks.done(task)] if task is not None else [])

    @again_on_conflict
    def send_again(self, case_id: UUID, letter_id: UUID) -> None:
        case = self._register.case(case_id)
        letter = case.letters.get(letter_id)
        if letter is None or not case.waits_to_leave(letter_id) or letter.printed:
            raise NotAllowedNow("this letter does not wait to be sent by mail")
        task = letter_task(case, letter_id, at=self._clock(), again=uuid4().hex)
        self._register.save_all([], self._tasks.again(task))

    # Fetching the answer

    def request_behind(self, secret: str) -> DataSubjectRequest | None:
        """The request whose answer a link leads to; None when the link has ended."""
        link = self._links.follow(secret, purpose=ANSWER_LINK)
        return self._register.request(link.subject_id) if link is not None else None

    def link_ends_at(self, secret: str) -> datetime | None:
        """Until when the answer can be fetched; None when the link has ended."""
        link = self._links.follow(secret, purpose=ANSWER_LINK)
        return link.expires_at if link is not None else None

    @again_on_conflict
    def send_code(self, secret: str) -> None:
        """Send a code to the proven address; whoever asks learns nothing from it."""
        request = self.request_behind(secret)
        if request is None:
            return
        if self._codes.issued(request.id, within=timedelta(hours=1)) >= MOST_CODES_AN_HOUR:
            return
        case = self._register.case(request.case_id)
        address = self._addressees.of_answer(case, request)
        if address is None:
            return
        code, written = self._codes.issue(request.id, valid_for=CODE_VALID_FOR)
        letter = self._postroom.identity_code(
            case,
            self._controllers.in_force(case.controller),
            address,
            code=code,
            valid_for=CODE_VALID_FOR,
            language=case.language,
            at=self._clock(),
        )
        self._register.save_all([case], [*written, *letter])

    def fetch(self, secret: str, code: str) -> tuple[CodeCheck, bytes]:
        """The package, for a link and its code; the person's having it is recorded."""
        request = self.request_behind(secret)
        if request is None:
            return CodeCheck.EXPIRED, b""
        check = self._codes.check(request.id, code)
        if check is not CodeCheck.RIGHT:
            return check, b""
        content = self.package(request.id)
        self._has_arrived(request)
        self._fetched(request.id)
        return check, content

    def _has_arrived(self, request: DataSubjectRequest) -> None:
        """Who has the link has the letter, even when we fell between sending and recording it."""
        case = self._register.case(request.case_id)
        for letter in case.letters.values():
            is_its = letter.kind in ANSWERS and request.id in letter.requests
            if is_its and case.waits_to_leave(letter.id):
                self.letter_left(case.id, letter.id, how="mail")

    @again_on_conflict
    def _fetched(self, request_id: UUID) -> None:
        now = self._clock()
        self._register.look_at(request_id)
        request = self._register.request(request_id)
        case = self._register.case(request.case_id)
        request.fetch_answer(at=now)
        if request.status is Status.FULFILLED:
            request.close(at=now)
        others = tuple(
            request if other_id == request_id else self._register.request(other_id)
            for other_id in case.request_ids
        )
        also = self._retention.when_closed(case, others, at=now)
        self._register.save_all([request], [self._codes.use(request_id), *also])


ANSWERS = frozenset(kind for kind in LetterKind if kind.answers)


def _about_an_objection(
    balancing: Balancing, kind: LetterKind, facts: LetterFacts
) -> tuple[LetterKind, LetterFacts]:
    """An objection that was upheld, or dismissed, as a whole has letters of its own."""
    if not balancing.weighed:
        return kind, facts
    purposes = tuple(balancing.weighed)
    if not balancing.continued and kind is LetterKind.ANSWER:
        return LetterKind.OBJECTION_UPHELD, replace(facts, purposes=purposes)
    if not balancing.stopped:
        return LetterKind.OBJECTION_DISMISSED, replace(facts, purposes=purposes)
    return kind, facts


def _is_under_way(case: Case, request: DataSubjectRequest) -> bool:
    """Whether an answer is written already and only has to leave."""
    return any(
        request.id in letter.requests and letter.kind in ANSWERS and case.waits_to_leave(letter.id)
        for letter in case.letters.values()
    )


def _expects_answer(request: DataSubjectRequest) -> bool:
    if request.right.acts_at_once and request.status is Status.VERIFIED:
        return True
    return request.status in {Status.APPROVED, Status.REFUSED}
