"""What each event does to the work list and the inbox (Art. 12(3)).

`deadline_worklist` holds a row per request (`projections.work`), `inbox` one per message that a
person has yet to confirm or has set aside (`projections.incoming`).
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from domain.case import Case, CaseStatus, reference
from domain.fulfilment import Fulfilment, SystemStatus, fulfilment_id
from domain.refusal import Refusal
from domain.request import DataSubjectRequest, Missed, PauseReason, Status
from domain.restriction import Restriction, restriction_id
from domain.values import PlannedSystem
from domain.vocabulary import Action, TriageKind
from projections.incoming import INBOX, Message
from projections.projection import Projection, Recorded, Rows, when
from projections.work import WORK, Work

Request = DataSubjectRequest


def _asked(plan: PlannedSystem) -> dict[str, str]:
    """Where a line of a plan stands before anybody has answered."""
    return {
        "status": SystemStatus.ASKED.value,
        "action": plan.action.value,
        "delivery": plan.delivery.value,
        "waits_for": "",
    }


class DeadlineWorklist(Projection):
    name = "deadline_worklist"
    version = 2
    tables = (WORK, INBOX)

    def touches(self, recorded: Recorded) -> Iterator[UUID]:
        yield recorded.originator_id
        if recorded.topic == Request.Received.TOPIC:
            yield recorded.body.case_id

    # Messages

    @when(Case.Arrived)
    def arrived(self, event: Case.Arrived, rows: Rows) -> None:
        rows.add(
            INBOX,
            Message(
                case_id=event.originator_id,
                reference=reference(event.originator_id),
                controller=event.controller,
                channel=event.channel.value,
                received_at=event.received_at,
                receipt_source=event.receipt_source.value,
                kind=event.proposed_kind.value,
                rights=[right.value for right in event.proposed_rights],
                language=event.proposed_language.value,
                certain=event.certain,
                due_on=event.received_at.date()
                if event.proposed_kind is TriageKind.DOCUMENT_ACCESS
                else None,
            ),
        )

    @when(Case.Confirmed)
    def confirmed(self, event: Case.Confirmed, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            message.status, message.due_on = CaseStatus.CONFIRMED.value, None

    @when(Case.SetAside)
    def set_aside(self, event: Case.SetAside, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            message.status, message.kind = CaseStatus.SET_ASIDE.value, event.kind.value
            message.due_on = event.due_on

    @when(Case.OutcomeSettled)
    def outcome_settled(self, event: Case.OutcomeSettled, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            message.due_on = None

    @when(Case.OutcomeUndone)
    def outcome_undone(self, event: Case.OutcomeUndone, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            message.status, message.due_on = CaseStatus.WAITING.value, None

    @when(Case.RightAdded)
    def right_added(self, event: Case.RightAdded, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            message.rights = [*message.rights, event.right.value]

    @when(Case.RightCorrected)
    def right_corrected(self, event: Case.RightCorrected, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            others = [right for right in message.rights if right != event.was.value]
            message.rights = [*others, event.right.value]

    @when(Case.ReceiptCorrected)
    def case_receipt_corrected(self, event: Case.ReceiptCorrected, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            message.received_at = event.received_at

    @when(Case.MessageAdded)
    def message_added(self, event: Case.MessageAdded, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            message.messages += 1
            message.replied_at = message.replied_at or event.timestamp

    @when(Case.RepliesRead)
    def replies_read(self, event: Case.RepliesRead, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            message.replied_at = None

    # Letters

    @when(Case.LetterQueued)
    def letter_queued(self, event: Case.LetterQueued, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            message.letters[str(event.letter.id)] = {
                "kind": event.letter.kind.value,
                "requests": [str(request_id) for request_id in event.letter.requests],
                "printed": event.letter.printed,
                "failed": False,
            }
            message.replied_at = None
            self._tell(message, rows)

    @when(Case.LetterLeft)
    def letter_left(self, event: Case.LetterLeft, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            letter = message.letters.get(str(event.letter_id))
            if letter is not None:
                letter |= {"left": True, "failed": False}
            self._tell(message, rows)

    @when(Case.LetterRecalled)
    def letter_recalled(self, event: Case.LetterRecalled, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            letter = message.letters.get(str(event.letter_id))
            if letter is not None:
                letter |= {"recalled": True, "failed": False}
            self._tell(message, rows)

    @when(Case.LetterFailed)
    def letter_failed(self, event: Case.LetterFailed, rows: Rows) -> None:
        for message in rows.changing(INBOX, event.originator_id):
            if str(event.letter_id) in message.letters:
                message.letters[str(event.letter_id)]["failed"] = True
            self._tell(message, rows)

    @staticmethod
    def _tell(message: Message, rows: Rows) -> None:
        for work in rows.changing(WORK, message.case_id):
            work.take_letters(message.letters)

    # Receiving

    @when(Request.Received)
    def received(self, event: Request.Received, rows: Rows) -> None:
        work = Work(
            request_id=event.originator_id,
            case_id=event.case_id,
            fulfilment_id=fulfilment_id(event.originator_id),
            restriction_id=restriction_id(event.originator_id),
            refusal_id=Refusal.create_id(event.originator_id),
            controller=event.controller,
            subject_right=event.right.value,
            country=event.country.value,
            language=event.language.value,
            received_at=event.received_at,
            received_on=event.received_on,
            statutory_due=event.dates.statutory_due,
            target_due=event.dates.target_due,
            act_by=event.act_by,
        )
        work.take_dates(event.dates)
        # The case is saved first, so its letters may be known before the requests they concern.
        for message in rows.of(INBOX, event.case_id):
            work.take_letters(message.letters)
        rows.add(WORK, work)

    @when(Request.ReceiptCorrected)
    def receipt_corrected(self, event: Request.ReceiptCorrected, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.received_at, work.received_on = event.received_at, event.received_on
            work.act_by = event.act_by
            work.take_dates(event.dates)

    @when(Request.Reclassified)
    def reclassified(self, event: Request.Reclassified, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.subject_right, work.controller = event.right.value, event.controller
            work.act_by = event.act_by
            work.take_dates(event.dates)
            if event.anew:
                work.begin_anew(Status.VERIFIED)

    @when(Request.Assigned)
    def assigned(self, event: Request.Assigned, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.assigned_to = event.to

    # Identity and questions

    @when(Request.IdentityRequested)
    def identity_requested(self, event: Request.IdentityRequested, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.identity_asked = True
            work.answered_question(PauseReason.IDENTITY)

    @when(Request.ClarificationRequested)
    def clarification_requested(self, event: Request.ClarificationRequested, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.answered_question(PauseReason.SCOPE)

    @when(Request.AuthorityAwaited)
    def authority_awaited(self, event: Request.AuthorityAwaited, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.authority_awaited = True

    @when(Request.AuthoritySettled)
    def authority_settled(self, event: Request.AuthoritySettled, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.authority_awaited = not event.accepted

    @when(Request.PauseOpened)
    def pause_opened(self, event: Request.PauseOpened, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.paused_for = [*work.paused_for, event.reason.value]
            work.paused_since = min(work.paused_since or event.on, event.on)

    @when(Request.PauseEnded)
    def pause_ended(self, event: Request.PauseEnded, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.paused_for = [code for code in work.paused_for if code != event.reason.value]
            work.paused_since = work.paused_since if work.paused_for else None
            work.answered_question(event.reason)
            work.take_dates(event.dates)

    @when(Request.SuspensionReliedOn)
    def suspension_relied_on(self, event: Request.SuspensionReliedOn, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.suspension_relied_on = True
            work.take_dates(event.dates)

    @when(Request.SilenceNoticed)
    def silence_noticed(self, event: Request.SilenceNoticed, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.silent_about = [*work.silent_about, event.reason.value]

    @when(Request.ReminderDue)
    def reminder_due(self, event: Request.ReminderDue, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.reminder = event.reminder

    # The clock

    @when(Request.DeadlineExtended)
    def deadline_extended(self, event: Request.DeadlineExtended, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.extended = True
            work.take_dates(event.dates)

    @when(Request.DeadlineRecomputed)
    def deadline_recomputed(self, event: Request.DeadlineRecomputed, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.take_dates(event.dates)

    @when(Request.TargetMissed)
    def target_missed(self, event: Request.TargetMissed, rows: Rows) -> None:
        _missed(event, rows, Missed.TARGET)

    @when(Request.PromiseMissed)
    def promise_missed(self, event: Request.PromiseMissed, rows: Rows) -> None:
        _missed(event, rows, Missed.PROMISE)

    @when(Request.StatutoryMissed)
    def statutory_missed(self, event: Request.StatutoryMissed, rows: Rows) -> None:
        _missed(event, rows, Missed.STATUTORY)

    # Steps

    @when(Request.IdentityVerified, Request.VerificationNotNeeded)
    def verified(self, event: Request.Event, rows: Rows) -> None:
        _stepped(event, rows, Status.VERIFIED)

    @when(Request.Approved)
    def approved(self, event: Request.Approved, rows: Rows) -> None:
        _stepped(event, rows, Status.APPROVED)

    @when(Request.Fulfilled)
    def fulfilled(self, event: Request.Fulfilled, rows: Rows) -> None:
        _stepped(event, rows, Status.FULFILLED)

    @when(Request.Referred)
    def referred(self, event: Request.Referred, rows: Rows) -> None:
        _dropped(event, rows, Status.REFERRED)

    @when(Request.Refused)
    def refused(self, event: Request.Refused, rows: Rows) -> None:
        _dropped(event, rows, Status.REFUSED)

    @when(Request.Withdrawn)
    def withdrawn(self, event: Request.Withdrawn, rows: Rows) -> None:
        _dropped(event, rows, Status.WITHDRAWN)

    @when(Request.DataCollected)
    def data_collected(self, event: Request.DataCollected, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.to(Status.COLLECTED)
            work.planned = True
            decided = set(work.matches_decided)
            weak = {record.record_id for record in event.found if record.needs_a_person}
            work.matches_to_review = sorted(weak - decided)
            work.matches_decided = sorted(
                record.record_id for record in event.found if record.record_id in decided
            )

    @when(Request.MatchConfirmed, Request.MatchRejected)
    def match_decided(
        self, event: Request.MatchConfirmed | Request.MatchRejected, rows: Rows
    ) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.matches_to_review = [i for i in work.matches_to_review if i != event.record_id]
            work.matches_decided = sorted({*work.matches_decided, event.record_id})

    @when(Request.AnswerSent)
    def answer_sent(self, event: Request.AnswerSent, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.status_before_answer = work.status
            work.to(Status.ANSWERED)
            work.delivery_failed = None

    @when(Request.AnswerFetched)
    def answer_fetched(self, event: Request.AnswerFetched, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.to(event.status)
            work.delivery_failed = None

    @when(Request.DeliveryFailed)
    def delivery_failed(self, event: Request.DeliveryFailed, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.to(Status(work.status_before_answer))
            work.delivery_failed = event.reason

    @when(Request.Closed)
    def request_closed(self, event: Request.Closed, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.to(Status.CLOSED)

    @when(Request.Reopened)
    def reopened(self, event: Request.Reopened, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.to(event.status)

    # Mistakes, second people, advice, breaches

    @when(Request.TakenBack)
    def taken_back(self, event: Request.TakenBack, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.to(event.status)
            work.delivery_failed = None

    @when(Request.IdentityRevoked)
    def identity_revoked(self, event: Request.IdentityRevoked, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.begin_anew(Status.RECEIVED)
            work.delivery_failed, work.identity_asked = None, False

    @when(Request.Unlinked)
    def unlinked(self, event: Request.Unlinked, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.received_at, work.received_on = event.received_at, event.received_on
            work.act_by = event.act_by
            work.take_dates(event.dates)

    @when(Refusal.Proposed, Refusal.ProposedAgain)
    def refusal_proposed(self, event: Refusal.Event, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.second_person = True

    @when(Refusal.Confirmed, Refusal.Declined)
    def refusal_decided(self, event: Refusal.Event, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.second_person = False

    @when(Request.OfficerConsulted)
    def officer_consulted(self, event: Request.OfficerConsulted, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            if event.advice is None:
                work.advice_awaited = [*work.advice_awaited, event.question.id]
            else:
                work.advice_to_weigh = [*work.advice_to_weigh, event.question.id]

    @when(Request.OfficerAdvised)
    def officer_advised(self, event: Request.OfficerAdvised, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.advice_awaited = [i for i in work.advice_awaited if i != event.question.id]
            work.advice_to_weigh = [*work.advice_to_weigh, event.question.id]

    @when(Request.AdviceWeighed)
    def advice_weighed(self, event: Request.AdviceWeighed, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.advice_to_weigh = [i for i in work.advice_to_weigh if i != event.question.id]

    @when(Request.DisclosureReported)
    def disclosure_reported(self, event: Request.DisclosureReported, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            lacks = ["note"] if not event.described else []
            lacks += ["authority"] if event.tell_authority_by else []
            lacks += ["person"] if event.person_told is None else []
            work.breaches = {**work.breaches, str(event.report.id): lacks}
            work.tell_authority_by = event.tell_authority_by

    @when(Request.BreachDescribed, Request.BreachAuthoritySettled, Request.BreachPersonSettled)
    def breach_went_on(
        self,
        event: Request.BreachDescribed
        | Request.BreachAuthoritySettled
        | Request.BreachPersonSettled,
        rows: Rows,
    ) -> None:
        done = {
            Request.BreachDescribed.TOPIC: "note",
            Request.BreachAuthoritySettled.TOPIC: "authority",
        }.get(event.TOPIC, "person")
        for work in rows.changing(WORK, event.originator_id):
            work.breaches = {
                report: left
                for report, lacks in work.breaches.items()
                if (left := [w for w in lacks if report != str(event.breach) or w != done])
            }
            if not any("authority" in lacks for lacks in work.breaches.values()):
                work.tell_authority_by = None

    # Systems

    @when(Fulfilment.Planned, Fulfilment.Replanned)
    def planned(self, event: Fulfilment.Planned | Fulfilment.Replanned, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.planned = True
            work.systems = {plan.system: _asked(plan) for plan in event.systems}

    @when(Fulfilment.LineAdded)
    def line_added(self, event: Fulfilment.LineAdded, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.systems = {**work.systems, event.line.system: _asked(event.line)}

    @when(Fulfilment.Instructed)
    def instructed(self, event: Fulfilment.Instructed, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.system(event.system, SystemStatus.ASKED, action=event.action.value)

    @when(Fulfilment.Answered)
    def system_answered(self, event: Fulfilment.Answered, rows: Rows) -> None:
        if event.late:
            return
        stands = {Action.FIND: SystemStatus.FOUND, Action.ERASE: SystemStatus.TREATED}
        for work in rows.changing(WORK, event.originator_id):
            work.system(event.system, stands.get(event.action, SystemStatus.DONE))

    @when(Fulfilment.PendingAtVendor)
    def pending_at_vendor(self, event: Fulfilment.PendingAtVendor, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.system(event.system, SystemStatus.PENDING_AT_VENDOR)

    @when(Fulfilment.Unavailable)
    def unavailable(self, event: Fulfilment.Unavailable, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.system(event.system, SystemStatus.UNAVAILABLE)

    @when(Fulfilment.Escalated)
    def escalated(self, event: Fulfilment.Escalated, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.system(event.system, SystemStatus.WAITING_FOR_PERSON, waits_for=event.reason)

    @when(Fulfilment.ReadBack)
    def read_back(self, event: Fulfilment.ReadBack, rows: Rows) -> None:
        if not event.unexpected:
            for work in rows.changing(WORK, event.originator_id):
                work.system(event.system, SystemStatus.DONE)

    # Restrictions

    @when(Restriction.Escalated)
    def restriction_escalated(self, event: Restriction.Escalated, rows: Rows) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.restricting = {**work.restricting, event.system: event.reason}

    @when(Restriction.SystemRestricted, Restriction.SystemLifted)
    def restriction_answered(
        self, event: Restriction.SystemRestricted | Restriction.SystemLifted, rows: Rows
    ) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.restricting = {k: v for k, v in work.restricting.items() if k != event.system}

    @when(Restriction.Lifted, Restriction.GivenUp)
    def restriction_ended(
        self, event: Restriction.Lifted | Restriction.GivenUp, rows: Rows
    ) -> None:
        for work in rows.changing(WORK, event.originator_id):
            work.restricting = {}


def _stepped(event: Request.Event, rows: Rows, status: Status) -> None:
    for work in rows.changing(WORK, event.originator_id):
        work.to(status)


def _dropped(event: Request.Event, rows: Rows, status: Status) -> None:
    """No system is asked any more, and an answer that may have been sent is taken back."""
    for work in rows.changing(WORK, event.originator_id):
        work.to(status)
        work.delivery_failed = None


def _missed(event: Request.Event, rows: Rows, date_missed: Missed) -> None:
    for work in rows.changing(WORK, event.originator_id):
        work.missed = [*work.missed, date_missed.value]
