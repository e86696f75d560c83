"""What the page of a case shows, put together from the log's newest state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from adapters.inbound.web.case_parts import (
    CaseView,
    DecisionView,
    Due,
    Happened,
    LetterView,
    NextStep,
    RecipientView,
    RecordView,
    RequestView,
    SystemView,
)
from adapters.inbound.web.clock_view import clock_view
from adapters.inbound.web.look import Look
from adapters.inbound.web.rights_view import own_way
from adapters.inbound.web.session import Desk
from adapters.outbound.connectors.csv_file import CsvFile
from adapters.outbound.tasks import ParkedTask
from domain.balancing import balancing_id
from domain.calendar import calendar_named
from domain.case import Case, CaseStatus
from domain.deadlines import received_on
from domain.decisions import Step as ReasonStep
from domain.disclosure import disclosures_id
from domain.erasure_wish import erasure_wish_id
from domain.errors import DomainError
from domain.explanation import Step, explain
from domain.fulfilment import Fulfilment, SystemState, SystemStatus, fulfilment_id
from domain.grounds import ground, say
from domain.information import information_id
from domain.personal import PersonalRef
from domain.policy import Category, LegalBasis, System
from domain.portability import direct_transfer_id
from domain.rectification import rectification_id
from domain.redaction import redaction_id
from domain.refusal import Refusal
from domain.refusals import available
from domain.relation import MarketingStop
from domain.representation import representation_id
from domain.request import DataSubjectRequest, Status
from domain.restriction import restriction_id
from domain.values import FoundRecord, QueuedLetter
from domain.vocabulary import Action, Decision, LetterKind, Outcome, RefusalGround, Right
from domain.withdrawal import withdrawal_id
from projections import holds as on_hold
from projections.case_file import facts
from services import dossier
from services.addressees import Addressees
from services.places import shown_identifiers
from services.planning import OTHER_RECIPIENTS, RECIPIENT
from services.ports import Erased, Identifier, Record, Refused
from services.recipient_ledger import label
from services.redacting import leaves
from services.showing import places_in, shown_message
from services.wording import in_language

ANSWERS = {"ask_person_to_give_up": "given_up"}
"""Questions that a tick answers, and the fact which the tick stands for."""

CONTENT_NEEDED = frozenset({"matches", "approval", "person-task"})
"""Steps that nobody can take without reading what is in the records."""

BY_HAND = frozenset({"look-up", "erase-by-hand", "suppress-by-hand"})
"""What a system waits for that asking it again would not help."""

OUTCOMES = {
    Action.ERASE: (
        Outcome.ERASED,
        Outcome.ANONYMISED,
        Outcome.NOT_FOUND,
        Outcome.KEPT,
        Outcome.REFUSED,
    ),
    Action.SUPPRESS: (Outcome.SUPPRESSED, Outcome.NOT_FOUND),
    Action.INFORM: (Outcome.INFORMED, Outcome.NOT_FOUND),
}
HANDLED = {
    Right.RECTIFICATION: Outcome.RECTIFIED,
    Right.RESTRICTION: Outcome.RESTRICTED,
}


TOLD = {
    "action": ("action",),
    "outcome": ("outcome",),
    "method": ("method",),
    "reason": ("reason", "failure", "waits", "pause"),
    "how": ("how",),
    "kind": ("letter_kind", "kind"),
}
"""What a line of the timeline tells of an event, and where the words for it are."""


BESIDE_A_REQUEST: tuple[Callable[[UUID], UUID], ...] = (
    fulfilment_id,
    redaction_id,
    direct_transfer_id,
    erasure_wish_id,
    rectification_id,
    restriction_id,
    balancing_id,
    information_id,
    withdrawal_id,
    Refusal.create_id,
)
BESIDE_A_CASE: tuple[Callable[[UUID], UUID], ...] = (representation_id, disclosures_id)
"""Where the rest of what happened lies; holds have no one place and are asked for."""


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
        self._now = desk.installation.clock()
        self._addressees = Addressees(desk.installation.register, desk.installation.vault)

    def view(self) -> CaseView:
        requests = self._installation.register.requests_of(self._case)
        views = tuple(self._request(one) for one in requests)
        message = self._opened(self._case.message)
        replies = map(self._opened, self._case.messages[1:])
        stuck = tuple(self._stuck())
        return CaseView(
            case=self._case,
            profile=self._profile,
            message=message,
            message_gone=self._content and message is None,
            replies=tuple(reply for reply in replies if reply is not None),
            identifiers=self._identifiers(),
            requests=views,
            letters=tuple(self._letter(one) for one in self._case.letters.values()),
            timeline=tuple(self._timeline(requests)),
            next_steps=tuple(self._next_steps(views, stuck)),
            stuck=stuck,
            representation=self._installation.representing.of_case(self._case.id),
            number_held=self._case.number is not None,
            recipients=tuple(self._recipients()) if self._content else (),
            has_recipients=any(one.systems for one in views),
            disclosures=self._installation.disclosing.of_case(self._case.id)
            if self._content
            else (),
            disclosable=tuple((c.id, self._category_name(c.id)) for c in self._profile.categories),
            exceptions=tuple(
                (one.code, self._text(one.title))
                for one in available(self._profile, Right.ACCESS)
                if one.ground is RefusalGround.NATIONAL_EXCEPTION
            ),
        )

    def _recipients(self) -> Iterator[RecipientView]:
        for entry in self._installation.recipients.ledger(self._case.id):
            categories = tuple(map(self._category_name, entry.categories))
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

    def _identifiers(self) -> tuple[Identifier, ...]:
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
        return RequestView(
            request=request,
            dates=tuple(self._dates(request, today)),
            why=tuple(self._why(request, today)),
            systems=tuple(self._systems(request, fulfilment)),
            records=tuple(self._records(request)),
            decisions=decisions,
            cannot_decide=cannot,
            can_approve=own is None
            and request.status is Status.COLLECTED
            and not request.undecided_matches,
            own=own,
            can_end=request.status in {Status.RECEIVED, Status.VERIFIED, Status.COLLECTED},
            by_mail=self._by_mail(request),
            enclosed=self._is_enclosed(request),
            wish=self._installation.register.find_erasure_wish(request.id),
            categories={one.id: self._text(one.name) for one in self._profile.categories},
            clock=clock_view(self._installation, request, today, content=self._content),
            transfer=self._installation.register.find_direct_transfer(request.id),
            transfer_to=self._transfer_to(request),
            marketing_ends=self._marketing_ends(request, today),
        )

    def _marketing_ends(
        self, request: DataSubjectRequest, today: date
    ) -> Mapping[str, MarketingStop]:
        if not self._content or request.status is not Status.COLLECTED:
            return {}
        try:
            found = self._installation.deciding.written_to_no_more(request, today)
        except Erased:
            return {}
        return {self._named(system): why for system, why in found.items()}

    def _transfer_to(self, request: DataSubjectRequest) -> str:
        wished = self._installation.register.find_direct_transfer(request.id)
        if wished is None or not self._content:
            return ""
        try:
            return self._installation.porting.recipient(request.id)
        except Erased:
            return ""

    @staticmethod
    def _dates(request: DataSubjectRequest, today: date) -> Iterator[Due]:
        dates = request.both_worlds_on(today)
        named = (
            ("act_by", request.act_by),
            ("target", request.aim_on(today)),
            ("promise", dates.promise_due),
            ("law", dates.statutory_due),
            ("extended", dates.extended_due),
            ("suspended", dates.statutory_due_if_suspended),
        )
        for name, day in named:
            if day is not None:
                yield Due(name, day, (day - today).days)

    def _why(self, request: DataSubjectRequest, today: date) -> Sequence[Step]:
        return explain(
            request.received_on,
            calendar_named(request.dates.calendar),
            request.promise_days,
            self._look.language,
            pauses=request.pauses_on(today),
            extension=request.dates.extended_due is not None,
            statutory=request.right.is_statutory,
            relied=request.suspension_relied_on,
            earlier_receipts=request.earlier_receipts,
            earlier_dates=request.earlier_dates,
        )

    def _by_mail(self, request: DataSubjectRequest) -> bool:
        try:
            return self._addressees.of_answer(self._case, request) is not None
        except Erased:
            return False

    def _is_enclosed(self, request: DataSubjectRequest) -> bool:
        """Whether the copy has to be printed and put into the envelope with the letter."""
        return request.id in self._case.packages and any(
            letter.printed and request.id in letter.requests and letter.id not in self._case.left
            for letter in self._case.letters.values()
        )

    # Systems

    def _systems(
        self, request: DataSubjectRequest, fulfilment: Fulfilment | None
    ) -> Iterator[SystemView]:
        if fulfilment is None:
            return
        for name, state in fulfilment.systems.items():
            known = self._known(name)
            waits = state.status is SystemStatus.WAITING_FOR_PERSON
            stuck = request.status not in _ENDED and (
                waits or state.status is SystemStatus.UNAVAILABLE
            )
            searched = state.status is SystemStatus.FOUND and request.status in {
                Status.VERIFIED,
                Status.COLLECTED,
            }
            by_hand = state.plan.connector == "manual"
            yield SystemView(
                id=name,
                name=self._named(name),
                state=state,
                look_for=self._text(known.look_for) if known else "",
                answer=_answer_form(state) if stuck or (searched and by_hand) else None,
                can_try_again=not by_hand
                and (stuck or searched)
                and state.action in {Action.FIND, Action.ERASE, Action.SUPPRESS}
                and state.waits_for not in BY_HAND,
                waits=stuck,
                has_list=stuck
                and waits
                and state.action is Action.ERASE
                and self._makes_lists(request.controller, name),
                outcomes=_outcomes(request.right, state.action),
                kinds=tuple(self._kinds(known)),
                to_erase=_to_erase(state),
                anchors=self._anchors(known),
                flags=self._flags(known),
            )

    def _known(self, name: str) -> System | None:
        return next((one for one in self._profile.systems if one.id == name), None)

    def _named(self, name: str) -> str:
        known = self._known(name)
        if known is not None:
            return known.name
        wanted = name.removeprefix(RECIPIENT)
        if wanted == OTHER_RECIPIENTS:
            return self._look.say("recipients.others")
        return next((r.name for r in self._profile.recipients if r.id == wanted), name)

    def _kinds(self, system: System | None) -> Iterator[tuple[str, str]]:
        for holding in system.holdings if system else ():
            yield holding.kind, self._category_name(holding.category)

    def _held(self, system: System | None) -> list[Category]:
        holdings = system.holdings if system else ()
        return [self._profile.category(holding.category) for holding in holdings]

    def _anchors(self, system: System | None) -> tuple[str, ...]:
        named = [anchor for one in self._held(system) for anchor in one.retention.anchors]
        vouchers = any(holding.voucher for holding in (system.holdings if system else ()))
        consents = any(
            LegalBasis.CONSENT in self._profile.bases(category) for category in self._held(system)
        )
        more = [*(["voucher"] if vouchers else []), *(["consent_given"] if consents else [])]
        return tuple(dict.fromkeys([*named, *more]))

    def _flags(self, system: System | None) -> tuple[str, ...]:
        named = [flag for one in self._held(system) for flag in one.retention.open_while]
        return tuple(dict.fromkeys(named))

    def _makes_lists(self, controller: str, system: str) -> bool:
        try:
            connector = self._installation.systems.connector(controller, system)
        except (Refused, StopIteration):
            return False
        return isinstance(connector, CsvFile)

    # Records

    def _records(self, request: DataSubjectRequest) -> Iterator[RecordView]:
        content: Mapping[UUID, Record] = {}
        if self._content:
            try:
                content = self._installation.deciding.records(request)
            except Erased:
                content = {}
        redacting = self._installation.redacting
        redaction = self._installation.register.find_redaction(request.id)
        looked_at = redaction.looked_at(request.own_records) if redaction else frozenset()
        for found in request.found.values():
            record = content.get(found.record_id)
            yield RecordView(
                found=found,
                system=self._named(found.system),
                category=self._category_name(found.category),
                theirs=request.matches.get(found.record_id, None if found.needs_a_person else True),
                fields=tuple(
                    (self._look.field(name), value, name in record.masked)
                    for name, value in record.fields.items()
                )
                if record
                else (),
                key=record.key if record else "",
                paths=tuple(dict.fromkeys(leaf.path for leaf in leaves(record.fields)))
                if record
                else (),
                covered=redacting.covered(request, found) if record else (),
                to_read=found.mentions_others and found.record_id not in looked_at,
            )

    def _category_name(self, category: str) -> str:
        known = next((one for one in self._profile.categories if one.id == category), None)
        return self._text(known.name) if known else self._look.say("record.unmapped")

    # Decisions

    def _decisions(
        self, request: DataSubjectRequest, fulfilment: Fulfilment | None, today: date
    ) -> tuple[tuple[DecisionView, ...], str]:
        if request.right is not Right.ERASURE:
            return (), ""
        if request.decisions:
            return tuple(self._decided(request, fulfilment)), ""
        if request.status is not Status.COLLECTED:
            return (), ""
        try:
            return tuple(self._previewed(request, today)), ""
        except (DomainError, Erased) as error:
            return (), str(error)

    def _previewed(self, request: DataSubjectRequest, today: date) -> Iterator[DecisionView]:
        previews = self._installation.deciding.preview(request, today, answers=self._answers)
        for preview in previews:
            verdict = preview.verdict
            yield DecisionView(
                record_id=preview.found.record_id,
                category=self._category_name(preview.found.category),
                system=self._named(preview.found.system),
                kind=preview.found.kind,
                decision=verdict.decision,
                why=say(verdict.explanation, self._look.language),
                law=verdict.law,
                until=verdict.until,
                keep_fields=tuple(map(self._look.field, verdict.keep_fields)),
                questions=tuple(self._questions(verdict.asks, verdict.decision)),
                notices=tuple(say(one, self._look.language) for one in verdict.notices),
                steps=tuple(map(self._reason, verdict.steps)),
            )

    def _decided(
        self, request: DataSubjectRequest, fulfilment: Fulfilment | None
    ) -> Iterator[DecisionView]:
        outcomes = fulfilment.outcomes if fulfilment else {}
        for decision in request.decisions.values():
            found = request.found[decision.record_id]
            treated = outcomes.get(decision.record_id)
            yield DecisionView(
                record_id=decision.record_id,
                category=self._category_name(found.category),
                system=self._named(found.system),
                kind=found.kind,
                decision=decision.decision,
                why=say(decision.explanation, self._look.language),
                law=decision.law,
                until=decision.until,
                keep_fields=tuple(map(self._look.field, decision.keep_fields)),
                questions=(),
                notices=(),
                steps=(),
                outcome=treated.outcome if treated else None,
            )

    def _questions(
        self, asks: Sequence[str], decision: Decision
    ) -> Iterator[tuple[str, str, str | None]]:
        """Each question with its words and, where a tick answers it, the fact behind the tick."""
        for ask in asks:
            yield ask, say(ask, self._look.language), ANSWERS.get(ask)

    def _reason(self, step: ReasonStep) -> str:
        words = say(step.code, self._look.language)
        day = self._look.day(step.day) if step.day else self._look.say("dates.unknown")
        detail = self._look.word("fact", step.detail)
        if step.code == "promise_rules_out":
            detail = ground(step.detail).law
        return words.format(day=day, detail=detail)

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

    # What happened, and what comes next

    def _timeline(self, requests: Sequence[DataSubjectRequest]) -> list[Happened]:
        lines = list(self._events(self._case.id, None))
        for beside in BESIDE_A_CASE:
            lines += self._events(beside(self._case.id), None)
        rights = {request.id: request.right for request in requests}
        for request_id, right in rights.items():
            lines += self._events(request_id, right)
            for beside in BESIDE_A_REQUEST:
                lines += self._events(beside(request_id), right)
        for hold in on_hold.of_case(self._installation.database, self._case.id):
            lines += self._events(hold.hold_id, rights.get(hold.request_id))
        return sorted(lines, key=lambda line: line.at)

    def _events(self, originator_id: UUID, right: Right | None) -> Iterator[Happened]:
        register = self._installation.register
        for event in register.events.get(originator_id):
            found: Any = event
            said = orjson.loads(register.mapper.to_stored_event(event).state)
            yield Happened(
                at=found.timestamp,
                topic=found.TOPIC,
                right=right,
                by=getattr(found, "by", None),
                details=tuple(self._details(facts(said))),
            )

    def _details(self, known: Mapping[str, Any]) -> Iterator[str]:
        for name, value in known.items():
            if name == "system":
                yield self._named(value)
            elif name in TOLD and isinstance(value, str):
                words = (self._look.word(table, value) for table in TOLD[name])
                yield next((word for word in words if word != value), value)

    def _stuck(self) -> Iterator[ParkedTask]:
        """What was given up for this case and waits for somebody to release it."""
        ours = {self._case.id, *self._case.request_ids}
        for parked in self._installation.tasks.parked():
            if parked.task.subject_id in ours:
                yield parked

    def _next_steps(
        self, requests: Sequence[RequestView], stuck: Sequence[ParkedTask]
    ) -> Iterator[NextStep]:
        if stuck:
            yield NextStep("stuck", None, "stuck")
        if self._case.status is CaseStatus.WAITING:
            yield NextStep("confirm", None, "confirm" if self._content else "purpose")
        for letter in self._case.letters.values():
            if letter.id in self._case.left and letter.id not in self._case.failed:
                continue
            if letter.id in self._case.left and letter.kind.answers:
                continue  # its request says so
            if letter.printed and letter.id not in self._case.left:
                yield NextStep("letter-to-print", None, f"letter-{letter.id}")
            elif letter.id in self._case.failed:
                yield NextStep("letter-failed", None, f"letter-{letter.id}")
        if any(one.request.status is Status.RECEIVED for one in requests):
            asked = any(one.request.identity_requested_at for one in requests)
            yield NextStep("identity" if asked else "identity-to-ask", None, "identity")
        if any(one.request.authority_awaited for one in requests):
            yield NextStep("authority", None, "people")
        for one in requests:
            if one.own is not None and one.own.waits:
                place = f"restriction-{one.request.right.value}"
                yield NextStep("person-task", one.request.right, place)
            code = _standing(one)
            if code is not None:
                place = f"request-{one.request.right.value}"
                hidden = code in CONTENT_NEEDED and not self._content
                yield NextStep(code, one.request.right, "purpose" if hidden else place)

    def _text(self, text: Mapping[Any, str]) -> str:
        return in_language(text, self._look.language, self._profile)


def _standing(one: RequestView) -> str | None:
    """What this request waits for, by the codes of the work list."""
    request = one.request
    states = [system.state for system in one.systems]
    if request.delivery_failed:
        return "delivery-failed"
    if request.authority_awaited and request.status is Status.VERIFIED:
        return None
    if one.own is not None and one.own.waits and request.status is not Status.COLLECTED:
        return None
    if request.status in {Status.VERIFIED, Status.APPROVED}:
        if not one.systems and request.status is Status.VERIFIED:
            return "access-first"
        if any(state.status is SystemStatus.WAITING_FOR_PERSON for state in states):
            return "person-task"
        pending = {SystemStatus.ASKED, SystemStatus.UNAVAILABLE, SystemStatus.TREATED}
        if any(s.status in pending and s.action is not Action.INFORM for s in states):
            return "systems"
        if any(state.status is SystemStatus.PENDING_AT_VENDOR for state in states):
            return "vendor"
        return "answer"
    if request.status is Status.COLLECTED:
        return "matches" if request.undecided_matches else "approval"
    if request.status is Status.FULFILLED:
        return "answer-to-fetch"
    return None


def _answer_form(state: SystemState) -> str | None:
    """Which form a person answers with."""
    return {Action.FIND: "found", Action.ERASE: "erased"}.get(state.action, "done")


def _outcomes(right: Right, action: Action) -> tuple[Outcome, ...]:
    if action is not Action.HANDLE:
        return OUTCOMES.get(action, ())
    done = HANDLED.get(right, Outcome.MANUAL)
    return (done, Outcome.REFERRED, Outcome.NOT_FOUND)


_ENDED = frozenset({Status.REFUSED, Status.REFERRED, Status.WITHDRAWN, Status.CLOSED})
"""No system is needed any more, whatever it was being asked."""


def _to_erase(state: SystemState) -> tuple[FoundRecord, ...]:
    touched = {d.record_id for d in state.decisions if d.touches_the_system}
    return tuple(found for found in state.found if found.record_id in touched)
