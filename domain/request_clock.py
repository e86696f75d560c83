"""The clock of a request: pauses, questions, extension, reminders and missed dates (Art. 12(3))."""

from __future__ import annotations

from datetime import date, datetime

from domain.calendar import Calendar, calendar_named
from domain.deadlines import Deadlines, NoticeWindow, Pause, extension_notice, received_on
from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef, code
from domain.request_advice import RequestAdvice
from domain.request_state import Event, require_country
from domain.staff import human, named
from domain.vocabulary import ConsultedAbout, ExtensionReason, Missed, PauseReason

MOST_QUESTION_REMINDERS = 2


class PauseOpened(Event):
    TOPIC = "request.pause-opened"
    reason: PauseReason
    on: date

    def apply(self, aggregate: RequestClock) -> None:
        aggregate.open_pauses = {**aggregate.open_pauses, self.reason: self.on}
        aggregate.questions_put_on = {self.reason: self.on, **aggregate.questions_put_on}


class PauseEnded(Event):
    TOPIC = "request.pause-ended"
    reason: PauseReason
    on: date
    dates: Deadlines

    def apply(self, aggregate: RequestClock) -> None:
        opened = aggregate.open_pauses[self.reason]
        aggregate.open_pauses = {
            reason: on for reason, on in aggregate.open_pauses.items() if reason != self.reason
        }
        aggregate.pauses = (*aggregate.pauses, Pause(opened, self.on))
        aggregate.ledger = (*aggregate.ledger, (self.reason, opened, self.on))
        aggregate.dates = self.dates
        aggregate.forget_question(self.reason)


class SuspensionReliedOn(Event):
    """The controller counts the pauses, against the careful default (B.2.5, B.7)."""

    TOPIC = "request.suspension-relied-on"
    question: PersonalRef
    reason: str
    dates: Deadlines
    by: str

    def apply(self, aggregate: RequestClock) -> None:
        aggregate.suspension_relied_on = True
        aggregate.dates = self.dates


class QuestionReminded(Event):
    """The person was reminded of a question of ours that is not answered."""

    TOPIC = "request.question-reminded"
    reason: PauseReason
    number: int

    def apply(self, aggregate: RequestClock) -> None:
        before = aggregate.question_reminders.get(self.reason, ())
        on = received_on(self.timestamp, aggregate.country)
        aggregate.question_reminders = {
            **aggregate.question_reminders,
            self.reason: (*before, on),
        }


class SilenceNoticed(Event):
    """Neither reminder was answered: a person decides what follows, never a machine."""

    TOPIC = "request.silence-noticed"
    reason: PauseReason

    def apply(self, aggregate: RequestClock) -> None:
        aggregate.silent_about = aggregate.silent_about | {self.reason}


class ExtensionDecided(Event):
    """A person decided to take two more months; they begin when the notice has left."""

    TOPIC = "request.extension-decided"
    reasons: str
    late_warning: bool
    by: str

    def apply(self, aggregate: RequestClock) -> None:
        aggregate.extension_decided_by = self.by
        aggregate.extension_reasons = _reasons_in(self.reasons)


class DeadlineExtended(Event):
    TOPIC = "request.deadline-extended"
    reasons: str
    notice: PersonalRef
    notice_sent_on: date
    dates: Deadlines
    late_warning: bool
    by: str

    def apply(self, aggregate: RequestClock) -> None:
        aggregate.dates = self.dates
        aggregate.notice_sent_on = self.notice_sent_on
        aggregate.extension_reasons = _reasons_in(self.reasons)


class DeadlineRecomputed(Event):
    TOPIC = "request.deadline-recomputed"
    dates: Deadlines
    old: Deadlines | None = None

    def apply(self, aggregate: RequestClock) -> None:
        if self.old is not None:
            aggregate.earlier_dates = (*aggregate.earlier_dates, self.old)
        aggregate.dates = self.dates


class ReminderDue(Event):
    TOPIC = "request.reminder-due"
    reminder: str
    on: date
    to: str | None = None

    def apply(self, aggregate: RequestClock) -> None:
        aggregate.reminders = aggregate.reminders | {self.reminder}


class TargetMissed(Event):
    TOPIC = "request.target-missed"
    due_on: date

    def apply(self, aggregate: RequestClock) -> None:
        aggregate.missed = aggregate.missed | {Missed.TARGET}


class PromiseMissed(Event):
    TOPIC = "request.promise-missed"
    due_on: date

    def apply(self, aggregate: RequestClock) -> None:
        aggregate.missed = aggregate.missed | {Missed.PROMISE}


class StatutoryMissed(Event):
    TOPIC = "request.statutory-missed"
    due_on: date

    def apply(self, aggregate: RequestClock) -> None:
        aggregate.missed = aggregate.missed | {Missed.STATUTORY}


class RequestClock(RequestAdvice):
    @property
    def awaits_clarification(self) -> bool:
        return PauseReason.SCOPE in self.open_pauses

    @property
    def extended(self) -> bool:
        return self.notice_sent_on is not None

    def dates_on(self, today: date) -> Deadlines:
        """The dates as they stand on a day: while a pause is relied on, they still move."""
        return self.both_worlds_on(today) if self.suspension_relied_on else self.dates

    def both_worlds_on(self, today: date) -> Deadlines:
        """The dates with what the pauses would give if they ended that day (B.2.5)."""
        if not self.open_pauses:
            return self.dates
        return self._dates(calendar_named(self.dates.calendar), pauses=self.pauses_on(today))

    def pauses_on(self, today: date) -> tuple[Pause, ...]:
        """Every time the person kept us waiting; what goes on still ends on that day."""
        still = (Pause(on, max(on, today)) for on in self.open_pauses.values())
        return (*self.pauses, *still)

    def aim_on(self, today: date) -> date:
        """The day to aim for, as it stands on a day."""
        return self.dates_on(today).aim(relied=self.suspension_relied_on)

    # Commands

    def open_pause(self, *, reason: PauseReason, on: date, at: datetime) -> None:
        """From the day the person was asked; waiting for anybody else is no pause (B.2.5)."""
        self._require_open()
        asked = {
            PauseReason.IDENTITY: self.identity_requested_at is not None,
            PauseReason.SCOPE: self.clarification_requested,
            PauseReason.AUTHORITY: True,
        }
        if not asked[reason]:
            raise NotAllowedNow(f"nobody has asked the person about {reason.value}: ask first")
        self._require_past(on, at)
        if reason not in self.open_pauses:
            self.trigger_event(PauseOpened, reason=reason, on=on, timestamp=at)

    def end_pause(self, *, reason: PauseReason, on: date, calendar: Calendar, at: datetime) -> None:
        if reason not in self.open_pauses:
            return
        self._require_past(on, at)
        pauses = (*self.pauses, Pause(self.open_pauses[reason], on))
        dates = self._dates(calendar, pauses=pauses)
        self.trigger_event(PauseEnded, reason=reason, on=on, dates=dates, timestamp=at)

    def rely_on_suspension(
        self, *, question: PersonalRef, reason: str, by: str, at: datetime
    ) -> None:
        """Count the pauses after all: decided by the controller, the officer heard before (B.7).

        Until then alarms, lists and breaches go by the dates without them (EDPB 01/2022, 159).
        """
        self._require_open()
        if self.suspension_relied_on:
            return
        if not self.pauses and not self.open_pauses:
            raise NotAllowedNow("nobody has kept us waiting: there is no pause to rely on")
        asked = self._asked(question)
        if asked.about is not ConsultedAbout.SUSPENSION or asked.advice is None:
            raise NotAllowedNow(
                "consult the officer about the suspension first, and record the advice: "
                "the controller may rely on a pause only after that"
            )
        self._require_not_officer(asked, by)
        if asked.followed is None:
            raise NotAllowedNow(
                "say first whether the advice is followed, and where not, why: "
                "only then may the controller rely on a pause"
            )
        self.trigger_event(
            SuspensionReliedOn,
            question=question,
            reason=code(reason),
            dates=self._dates(calendar_named(self.dates.calendar)),
            by=by,
            timestamp=at,
        )

    def remind_of_question(self, *, reason: PauseReason, at: datetime) -> None:
        """The next of two reminders to the person; a third would be pestering."""
        self._require_open()
        number = len(self.question_reminders.get(reason, ())) + 1
        if reason not in self.open_pauses or number > MOST_QUESTION_REMINDERS:
            raise NotAllowedNow(f"there is nothing more to remind of about {reason.value}")
        self.trigger_event(QuestionReminded, reason=reason, number=number, timestamp=at)

    def notice_silence(self, *, reason: PauseReason, at: datetime) -> None:
        """Both reminders are unanswered; what follows is for a person to decide (Art. 12(4))."""
        if len(self.question_reminders.get(reason, ())) < MOST_QUESTION_REMINDERS:
            raise NotAllowedNow(f"the person has not been reminded twice about {reason.value}")
        if self.status.is_open and reason not in self.silent_about:
            self.trigger_event(SilenceNoticed, reason=reason, timestamp=at)

    def decide_extension(
        self, *, reasons: tuple[ExtensionReason, ...], calendar: Calendar, by: str, at: datetime
    ) -> None:
        """Decide to take two more months; they are taken when the notice has left in time."""
        self._require_open()
        self._require_time_by_law()
        if self.extended or self.extension_decided_by is not None:
            raise NotAllowedNow(f"request {self.id} has been extended already")
        _require_reasons(reasons)
        require_country(calendar, self.country)
        window = extension_notice(self.received_on, self._today(at), calendar)
        self._require_in_time(window)
        self.trigger_event(
            ExtensionDecided,
            reasons=_as_code(reasons),
            late_warning=window is NoticeWindow.WARN,
            by=human(by),
            timestamp=at,
        )

    def extend_deadline(
        self,
        *,
        reasons: tuple[ExtensionReason, ...],
        notice: PersonalRef,
        notice_sent_on: date,
        calendar: Calendar,
        by: str,
        at: datetime,
    ) -> None:
        """Two more months, for complexity and number, with notice in the first (Art. 12(3)).

        It is recorded within that month too: a notice remembered later is no notice.
        """
        self._require_open()
        self._require_time_by_law()
        if self.extended:
            raise NotAllowedNow(f"request {self.id} has been extended already")
        _require_reasons(reasons)
        self._require_past(notice_sent_on, at)
        require_country(calendar, self.country)
        window = extension_notice(self.received_on, notice_sent_on, calendar)
        self._require_in_time(window)
        self._require_in_time(extension_notice(self.received_on, self._today(at), calendar))
        self.trigger_event(
            DeadlineExtended,
            reasons=_as_code(reasons),
            notice=notice,
            notice_sent_on=notice_sent_on,
            dates=self._dates(calendar, notice_sent_on=notice_sent_on),
            late_warning=window is NoticeWindow.WARN,
            by=named(by),
            timestamp=at,
        )

    def recompute_deadlines(self, *, calendar: Calendar, at: datetime) -> None:
        """A new calendar version moves open requests; old and new dates are in the event."""
        require_country(calendar, self.country)
        if not self.status.is_open or calendar.name == self.dates.calendar:
            return
        self.trigger_event(
            DeadlineRecomputed, dates=self._dates(calendar), old=self.dates, timestamp=at
        )

    def remind(self, *, reminder: str, on: date, at: datetime, to: str | None = None) -> None:
        """Each reminder once; `to` is whose turn it is, where somebody has the request."""
        if self.status.is_open and reminder not in self.reminders:
            self.trigger_event(ReminderDue, reminder=reminder, on=on, to=to, timestamp=at)

    def miss(self, *, today: date, at: datetime) -> None:
        """Record each date that has passed without an answer, once, against that date."""
        if not self.status.is_open:
            return
        dates, relied = self.dates_on(today), self.suspension_relied_on
        late = (
            (Missed.TARGET, dates.aim(relied=relied), TargetMissed),
            (Missed.PROMISE, dates.promise_due, PromiseMissed),
            (Missed.STATUTORY, dates.last_day(relied=relied), StatutoryMissed),
        )
        for missed, due_on, event_class in late:
            if due_on is not None and today > due_on and missed not in self.missed:
                self.trigger_event(event_class, due_on=due_on, timestamp=at)

    # Rules

    def put_question(self, reason: PauseReason, at: datetime) -> None:
        """Used by events only: asked anew, the person has as long to answer as at first."""
        self.forget_question(reason)
        self.questions_put_on = {**self.questions_put_on, reason: received_on(at, self.country)}

    def forget_question(self, reason: PauseReason) -> None:
        """Used by events only: answered, or asked anew."""
        self.questions_put_on = {r: on for r, on in self.questions_put_on.items() if r != reason}
        self.question_reminders = {r: n for r, n in self.question_reminders.items() if r != reason}
        self.silent_about = self.silent_about - {reason}

    def _end_pause(self, reason: PauseReason, at: datetime) -> None:
        calendar = calendar_named(self.dates.calendar)
        self.end_pause(reason=reason, on=self._today(at), calendar=calendar, at=at)

    def _require_time_by_law(self) -> None:
        if not self.right.is_statutory:
            raise NotAllowedNow("no law sets a time for this, so there is none to extend (E-14)")

    def _require_in_time(self, window: NoticeWindow) -> None:
        if window is NoticeWindow.REFUSED:
            raise DomainError(
                f"the notice had to be sent by {self.dates.statutory_due}; it is too late to extend"
            )


def _require_reasons(reasons: tuple[ExtensionReason, ...]) -> None:
    """Complexity and number, both (Art. 12(3), EDPB 01/2022, 162-164)."""
    if any(reason.is_complexity for reason in reasons) and any(r.is_number for r in reasons):
        return
    raise DomainError(
        "much work alone extends nothing: name what makes the request complex, and that there are "
        "several requests, or answer within the month"
    )


def _as_code(reasons: tuple[ExtensionReason, ...]) -> str:
    return "/".join(sorted({reason.value for reason in reasons}))


def _reasons_in(words: str) -> tuple[ExtensionReason, ...]:
    """The reasons that an event names; those of before there was a list are passed over."""
    known = {reason.value: reason for reason in ExtensionReason}
    return tuple(known[word] for word in words.split("/") if word in known)
