"""What the page of a case shows, put together from the log's newest state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from uuid import UUID

from adapters.inbound.web.case_dates import dates_of, why, worlds_of
from adapters.inbound.web.case_decisions import decided, grouped, previewed, tally_of
from adapters.inbound.web.case_history import history
from adapters.inbound.web.case_next import next_steps
from adapters.inbound.web.case_parts import (
    CaseView,
    DecisionView,
    Due,
    LetterView,
    RecipientView,
    RequestView,
    Sheet,
    SystemView,
)
from adapters.inbound.web.case_records import ON_CASE_PAGE, sheet_of
from adapters.inbound.web.case_systems import systems_of
from adapters.inbound.web.case_words import Names
from adapters.inbound.web.clock_view import clock_view
from adapters.inbound.web.look import Look
from adapters.inbound.web.rights_view import own_way
from adapters.inbound.web.session import Desk
from adapters.inbound.web.trouble import NO_TROUBLE, Trouble, trouble_of
from adapters.outbound.tasks import ParkedTask
from domain.case import Case
from domain.deadlines import received_on
from domain.errors import DomainError
from domain.fulfilment import Fulfilment
from domain.personal import PersonalRef
from domain.refusals import available
from domain.relation import MarketingStop
from domain.request import DataSubjectRequest, Status
from domain.values import QueuedLetter
from domain.vocabulary import LetterKind, RefusalGround, Right
from services import dossier
from services.addressees import Addressees
from services.places import shown_identifiers
from services.ports import Erased, Identifier, Person
from services.recipient_ledger import label
from services.related import RelatedCases
from services.showing import places_in, shown_message


class Reading:
    """Reads one case for one reader. With `content` personal data is opened, else it is not."""

    def __init__(
        self,
        desk: Desk,
        case: Case,
        look: Look,
        *,
        content: bool,
        answers: Mapping[UUID, frozenset[str]] | None = None,
    ) -> None:
        self._case, self._look, self._content = case, look, content
        self._answers = answers or {}
        self._installation = desk.installation
        self._profile = desk.profile(case.controller)
        self._names = Names(self._profile, look)
        self._now = desk.installation.clock()
        self._addressees = Addressees(desk.installation.register, desk.installation.vault)

    def view(self) -> CaseView:
        requests = self._installation.register.requests_of(self._case)
        views = tuple(self._request(one) for one in requests)
        message = self._opened(self._case.message)
        replies = map(self._opened, self._case.messages[1:])
        stuck = tuple(self._stuck())
        filing = self._installation.filing
        folder = self._installation.register.find_folder(self._case.id)
        return CaseView(
            case=self._case,
            profile=self._profile,
            message=message,
            message_gone=self._content and message is None,
            replies=tuple(reply for reply in replies if reply is not None),
            identifiers=self.identifiers,
            requests=views,
            letters=tuple(self._letter(one) for one in self._case.letters.values()),
            timeline=tuple(history(self._installation, self._case, requests, self._names)),
            next_steps=tuple(next_steps(self._case, views, stuck, content=self._content)),
            stuck=stuck,
            representation=self._installation.representing.of_case(self._case.id),
            number_held=self._case.number is not None,
            recipients=tuple(self._recipients()) if self._content else (),
            has_recipients=any(one.systems for one in views),
            notes=tuple(filing.notes(self._case.id)) if self._content else (),
            notes_hidden=len(folder.notes) if folder and not self._content else 0,
            files=tuple(filing.files(self._case.id)) if self._content else (),
            files_hidden=len(folder.files) if folder and not self._content else 0,
            related=RelatedCases(self._installation.register, self._installation.vault).of(
                self._case, self.identifiers
            )
            if self._content
            else (),
            disclosures=self._installation.disclosing.of_case(self._case.id)
            if self._content
            else (),
            disclosable=tuple((c.id, self._names.category(c.id)) for c in self._profile.categories),
            exceptions=tuple(
                (one.code, self._names.text(one.title))
                for one in available(self._profile, Right.ACCESS)
                if one.ground is RefusalGround.NATIONAL_EXCEPTION
            ),
        )

    def _recipients(self) -> Iterator[RecipientView]:
        for entry in self._installation.recipients.ledger(self._case.id):
            categories = tuple(map(self._names.category, entry.categories))
            yield RecipientView(entry, label(self._profile, entry), categories)

    # The message and the person

    def _opened(self, ref: PersonalRef) -> dossier.SealedMessage | None:
        if not self._content:
            return None
        try:
            message = dossier.MESSAGE.validate_json(self._installation.vault.open(ref))
        except Erased:
            return None
        return shown_message(message, places_in(self._installation.vault, self._case))

    @cached_property
    def identifiers(self) -> tuple[Identifier, ...]:
        if not self._content:
            return ()
        try:
            for request in self._installation.register.requests_of(self._case):
                raw = self._installation.vault.open(request.requester)
                found = dossier.PERSON.validate_json(raw).identifiers
                return shown_identifiers(found) if self._case.protected else found
            return self._installation.intake.proposed_identifiers(self._case.id)
        except Erased:
            return ()

    # One request

    def _request(self, request: DataSubjectRequest) -> RequestView:
        today = received_on(self._now, request.country)
        fulfilment = self._installation.register.find_fulfilment(request.id)
        decisions, cannot = self._decisions(request, fulfilment, today)
        own = own_way(self._installation, request, self._profile, self._look, content=self._content)
        can_approve = (
            own is None and request.status is Status.COLLECTED and not request.undecided_matches
        )
        return RequestView(
            request=request,
            dates=tuple(dates_of(request, today)),
            worlds=tuple(worlds_of(request, today)),
            why=tuple(why(request, today, self._look.language)),
            systems=tuple(systems_of(self._installation, request, fulfilment, self._names)),
            sheet=self.sheet(request),
            groups=grouped(decisions, self._answers, self._look),
            tally=tally_of(decisions),
            cannot_decide=cannot,
            can_approve=can_approve,
            own=own,
            can_end=request.status in {Status.RECEIVED, Status.VERIFIED, Status.COLLECTED},
            by_mail=self._by_mail(request),
            enclosed=self._is_enclosed(request),
            wish=self._installation.register.find_erasure_wish(request.id),
            categories={one.id: self._names.text(one.name) for one in self._profile.categories},
            clock=clock_view(self._installation, request, today, content=self._content),
            proposed_by=self._proposed_by(request),
            transfer=self._installation.register.find_direct_transfer(request.id),
            transfer_to=self._transfer_to(request),
            can_search_again=request.refusal is RefusalGround.CANNOT_IDENTIFY
            or (
                fulfilment is not None
                and bool(fulfilment.unsearchable)
                and request.status in {Status.COLLECTED, Status.FULFILLED, Status.CLOSED}
            ),
            restricted_elsewhere=can_approve
            and any(
                code == "ask_person_about_restriction"
                for one in decisions
                for code, _, _ in one.questions
            ),
            marketing_ends=self._marketing_ends(request, today),
        )

    def sheet(
        self,
        request: DataSubjectRequest,
        *,
        start: int = 0,
        most: int = ON_CASE_PAGE,
        only: UUID | None = None,
    ) -> Sheet:
        """What was found for a request: some of it, or one record."""
        return sheet_of(
            self._installation,
            request,
            self._names,
            Person(self.identifiers),
            content=self._content,
            start=start,
            most=most,
            only=only,
        )

    def system(self, request: DataSubjectRequest, name: str) -> SystemView:
        """One system of a request that was planned for it."""
        fulfilment = self._installation.register.find_fulfilment(request.id)
        views = systems_of(self._installation, request, fulfilment, self._names)
        return next(one for one in views if one.id == name)

    def due(self, request: DataSubjectRequest) -> Due:
        """The day that a request is worked towards."""
        today = received_on(self._now, request.country)
        return next(iter(dates_of(request, today)))

    def _marketing_ends(
        self, request: DataSubjectRequest, today: date
    ) -> Mapping[str, MarketingStop]:
        if not self._content or request.status is not Status.COLLECTED:
            return {}
        try:
            found = self._installation.deciding.written_to_no_more(request, today)
        except Erased:
            return {}
        return {self._names.system(system): why for system, why in found.items()}

    def _transfer_to(self, request: DataSubjectRequest) -> str:
        wished = self._installation.register.find_direct_transfer(request.id)
        if wished is None or not self._content:
            return ""
        try:
            return self._installation.porting.recipient(request.id)
        except Erased:
            return ""

    def _proposed_by(self, request: DataSubjectRequest) -> str | None:
        refusal = self._installation.register.find_refusal(request.id)
        return refusal.by if refusal is not None and refusal.is_open else None

    def _by_mail(self, request: DataSubjectRequest) -> bool:
        try:
            return self._addressees.of_answer(self._case, request) is not None
        except Erased:
            return False

    def _is_enclosed(self, request: DataSubjectRequest) -> bool:
        """Whether the copy has to be printed and put into the envelope with the letter."""
        return request.id in self._case.packages and any(
            letter.printed
            and request.id in letter.requests
            and self._case.waits_to_leave(letter.id)
            for letter in self._case.letters.values()
        )

    # Records

    # Decisions

    def _decisions(
        self, request: DataSubjectRequest, fulfilment: Fulfilment | None, today: date
    ) -> tuple[tuple[DecisionView, ...], Trouble]:
        if request.right is not Right.ERASURE:
            return (), NO_TROUBLE
        if request.decisions:
            return tuple(decided(request, fulfilment, self._names)), NO_TROUBLE
        if request.status is not Status.COLLECTED:
            return (), NO_TROUBLE
        try:
            return tuple(
                previewed(self._installation, request, today, self._names, self._answers)
            ), NO_TROUBLE
        except (DomainError, Erased) as error:
            return (), trouble_of(error)

    # Letters

    def _letter(self, letter: QueuedLetter) -> LetterView:
        # Whoever could read the code here could prove to be somebody else.
        holds_code = letter.kind is LetterKind.IDENTITY_CODE
        content = None
        if self._content and not holds_code:
            try:
                content = dossier.LETTER.validate_json(self._installation.vault.open(letter.text))
            except Erased:
                content = None
        return LetterView(
            letter=letter,
            left_at=self._case.left.get(letter.id),
            failed=self._case.failed.get(letter.id),
            content=content,
            holds_code=holds_code,
        )

    def _stuck(self) -> Iterator[ParkedTask]:
        """What was given up for this case and waits for somebody to release it."""
        ours = {self._case.id, *self._case.request_ids}
        for parked in self._installation.tasks.parked():
            if parked.task.subject_id in ours:
                yield parked
