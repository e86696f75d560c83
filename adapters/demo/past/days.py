"""How time passes in a life of the past: tasks come due, and each morning brings its reminders."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

from adapters.bootstrap import Installation
from adapters.demo.past.moment import Moment
from adapters.demo.past.plan import Plan
from domain.calendar import load_calendar
from domain.case import Case
from domain.request import DataSubjectRequest
from domain.vocabulary import Right
from services.retention import FOR_ARCHIVE
from services.worker import Worker

OFFICE_OPENS, OFFICE_CLOSES = 8, 16
MORNING = time(7, 30)


class Present(Exception):
    """The next step would lie in the future: it is for whoever works today."""


class Days:
    """The case of one plan, and the clock on which it is lived."""

    def __init__(
        self,
        plan: Plan,
        installation: Installation,
        moment: Moment,
        ends: datetime,
        chance: Random,
    ) -> None:
        self.plan, self.trettio, self.chance = plan, installation, chance
        self._moment, self._ends = moment, ends
        self._worker: Worker = installation.worker(f"past-{plan.number}")
        self._zone = ZoneInfo(plan.country.zone)
        self._calendar = load_calendar(plan.country)
        self.case_id: UUID | None = None

    @property
    def case(self) -> Case:
        assert self.case_id is not None  # whatever asks comes after the arrival
        return self.trettio.register.case(self.case_id)

    @property
    def requests(self) -> tuple[DataSubjectRequest, ...]:
        return self.trettio.register.requests_of(self.case)

    def request(self, right: Right) -> DataSubjectRequest:
        return self.trettio.register.request(self.case.request_id(right))

    @property
    def now(self) -> datetime:
        return self._moment()

    @property
    def today(self) -> date:
        return self.now.astimezone(self._zone).date()

    def until(self, at: datetime) -> None:
        """Let time pass: tasks come due, mornings bring reminders. It ends with the present."""
        last, is_open = min(at, self._ends), True
        while self.now < last:
            due = self._next_due(last)
            morning = self._next_morning() if is_open else last
            step = min(one for one in (morning, due, last) if one is not None)
            self._moment.set(max(step, self.now))
            if step == due:
                self._worker.drain()
            if step == morning and is_open:
                is_open = self._remind()
        self._worker.drain()
        if at > self._ends:
            raise Present

    def finish(self) -> None:
        """What comes by itself until the present."""
        self.until(self._ends)

    def office(self, days: int) -> None:
        """An hour at work, so many days later or on the next day when somebody is there."""
        day = self.today + timedelta(days=days)
        while not self._calendar.is_office_day(day):
            day += timedelta(days=1)
        hour = self.chance.randint(OFFICE_OPENS, OFFICE_CLOSES - 1)
        minute, second = self.chance.randint(0, 59), self.chance.randint(0, 59)
        at = datetime.combine(day, time(hour, minute, second), self._zone)
        self.until(max(at, self.now + timedelta(minutes=self.chance.randint(2, 20))))

    def later(self, *, minutes: int = 0, hours: int = 0, days: int = 0) -> None:
        """Any time of the day: people who ask keep no office hours."""
        seconds = self.chance.randint(1, 59)
        self.until(self.now + timedelta(minutes=minutes, hours=hours, days=days, seconds=seconds))

    def answer_day(self) -> None:
        """The day on which whoever handles it gets round to it."""
        due = self.plan.arrives.astimezone(self._zone).date() + timedelta(days=self.plan.pace)
        self.office(max(0, (due - self.today).days))

    def _next_due(self, last: datetime) -> datetime | None:
        subjects = [self.case_id, *self.case.request_ids] if self.case_id else []
        (row,) = self.trettio.database.ask(
            "SELECT min(next_at) FROM trettio.tasks WHERE subject_id = ANY(%s)"
            " AND done_at IS NULL AND parked_at IS NULL AND next_at <= %s"
            # What a public archive has yet to take over is asked for each day, for years.
            " AND reason IS DISTINCT FROM %s",
            [subjects, last, FOR_ARCHIVE],
        )
        due: datetime | None = row[0]
        return max(due, self.now) if due is not None else None

    def _next_morning(self) -> datetime:
        morning = datetime.combine(self.today, MORNING, self._zone)
        if morning <= self.now:
            morning = datetime.combine(self.today + timedelta(days=1), MORNING, self._zone)
        return morning

    def _remind(self) -> bool:
        """What a morning brings; answers whether the next one may bring something too."""
        versions = {one.id: one.version for one in self.requests if one.closed_at is None}
        if self.trettio.reminders.pass_over(versions):
            self._worker.drain()
        return bool(versions)
