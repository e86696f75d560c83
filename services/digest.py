"""Digest: what waits for each of the controller's people, as a mail every working morning.

Counts and case references, and not a word about anybody who asked. Each day's mail is one task
under a key of its own, so however many processes plan it, it is sent once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from pathlib import Path
from zoneinfo import ZoneInfo

from domain.calendar import Calendar, load_calendar
from domain.case import reference
from domain.controller import controller_id
from domain.deadlines import received_on
from domain.vocabulary import Country, StaffMail
from projections.incoming import inbox
from projections.projection import Reader
from projections.work import Work
from projections.worklist import entries
from services.controllers import Controllers
from services.ports import Clock, Mailer, Member, OutgoingMail, Staff, Task, Tasks
from services.postroom import sender_of
from services.register import Register
from services.wording import Wording, wording

TEXTS = Path(__file__).with_name("digest_texts")
FROM_HOUR = 6
MOST_REQUESTS = 500
MOST_NAMED = 25
SOON_DAYS = 7


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to be told: what, how many, and the first of the cases."""

    what: str
    references: tuple[str, ...]
    count: int


class Digests:
    """Plans the mails of a day and sends each."""

    def __init__(
        self,
        register: Register,
        staff: Staff,
        tasks: Tasks,
        controllers: Controllers,
        mailer: Mailer,
        views: Reader,
        clock: Clock,
        *,
        address: str,
    ) -> None:
        self._register, self._staff, self._tasks = register, staff, tasks
        self._controllers, self._mailer, self._views = controllers, mailer, views
        self._clock, self._address = clock, address.rstrip("/")
        self._planned: set[str] = set()

    def plan(self) -> int:
        """Queue what this morning owes; answers how many mails this process planned."""
        now = self._clock()
        planned = [task for member in self._recipients() for task in self._due(member, now)]
        new = [task for task in planned if task.key not in self._planned]
        if new:
            self._register.save_all([], [self._tasks.add(task) for task in new])
        self._planned = {task.key for task in planned}
        return len(new)

    def send(self, task: Task) -> None:
        """Send one; what could not leave on its day is old news."""
        member = self._staff.members().get(task.payload["staff"])
        today = received_on(self._clock(), Country(task.payload["country"]))
        if member is not None and member.email and task.payload["day"] == today.isoformat():
            lines = list(self._lines(member, today))
            if lines:
                self._mailer.send(self._mail(task, member, member.email, lines))
        self._register.save_all([], [self._tasks.done(task)])

    def _recipients(self) -> Iterator[Member]:
        return (member for member in self._staff.members().values() if member.email)

    def _due(self, member: Member, now: datetime) -> Iterator[Task]:
        controllers = self._controllers_of(member)
        if not controllers:
            return
        country = self._controllers.in_force(controllers[0]).country
        today = received_on(now, country)
        if now.astimezone(ZoneInfo(country.zone)).hour < FROM_HOUR:
            return
        calendar: Calendar = load_calendar(country)
        if not calendar.is_office_day(today) or member.id in self._staff.away(today):
            return
        yield Task(
            key=f"digest/{member.id}/{today.isoformat()}",
            kind="digest",
            subject_id=controller_id(controllers[0]),
            due_at=now,
            controller=controllers[0],
            payload={"staff": member.id, "day": today.isoformat(), "country": country.value},
        )

    def _controllers_of(self, member: Member) -> list[str]:
        return [name for name in self._controllers.names() if member.sees(name)]

    def _lines(self, member: Member, today: date) -> Iterator[Line]:
        controllers = self._controllers_of(member)
        if not controllers:
            return
        works = entries(self._views, controllers, limit=MOST_REQUESTS)
        running = [work for work in works if work.clock_runs]
        mine = [work for work in running if work.assigned_to == member.id]
        yield from _by_date(mine, today, "")
        yield from _line("silence", [work for work in mine if work.silent_about])
        yield from _line("more-time", [work for work in mine if _may_need_more_time(work)])
        theirs = {one.id for one in self._staff.members().values() if one.deputy == member.id}
        near = [
            work
            for work in running
            if work.assigned_to in theirs and _left(work, today) <= SOON_DAYS // 3
        ]
        yield from _line("deputy", near)
        yield from _line("nobody", [work for work in running if work.assigned_to is None])
        if member.is_officer:
            yield from _by_date(running, today, "all-")
            yield from _line("missed", [work for work in works if work.missed])
        waiting = inbox(self._views, controllers, limit=MOST_REQUESTS)
        if waiting:
            found = tuple(one.reference for one in waiting[:MOST_NAMED])
            yield Line("inbox", found, len(waiting))

    def _mail(self, task: Task, member: Member, email: str, lines: Sequence[Line]) -> OutgoingMail:
        words = wording(TEXTS, member.language)
        controllers = self._controllers_of(member)
        told = [_told(words, line) for line in lines]
        text = "\n\n".join(
            [
                words.say("mail.intro"),
                *told,
                words.say("mail.where", address=f"{self._address}/desk"),
            ]
        )
        paragraphs = "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n"))
        html = (
            f'<!doctype html><html lang="{member.language.value}"><head><meta charset="utf-8">'
            f"<title>Trettio</title></head><body>{paragraphs}</body></html>"
        )
        return OutgoingMail(
            key=task.key,
            sender=sender_of(self._controllers.in_force(controllers[0])),
            recipient=email,
            subject=words.say("mail.subject", count=sum(line.count for line in lines)),
            text=f"{text}\n",
            html=html,
            kind=StaffMail.DIGEST,
        )


def _may_need_more_time(work: Work) -> bool:
    """Five working days before the target somebody has to say so, or never (Art. 12(3))."""
    return not work.extended and (work.reminder or "").startswith("five-working-days")


def _by_date(works: Sequence[Work], today: date, prefix: str) -> Iterator[Line]:
    yield from _line(f"{prefix}late", [work for work in works if _left(work, today) < 0])
    yield from _line(f"{prefix}today", [work for work in works if _left(work, today) == 0])
    soon = [work for work in works if 0 < _left(work, today) <= SOON_DAYS]
    yield from _line(f"{prefix}soon", soon)


def _line(what: str, works: Sequence[Work]) -> Iterator[Line]:
    if works:
        names = dict.fromkeys(reference(work.case_id) for work in works)
        yield Line(what, tuple(names)[:MOST_NAMED], len(works))


def _left(work: Work, today: date) -> int:
    return work.days_left(dict.fromkeys(Country, today))


def _told(words: Wording, line: Line) -> str:
    named = ", ".join(line.references)
    more = line.count > len(line.references)
    return f"{words.say(f'line.{line.what}')}: {line.count} ({named}{' …' if more else ''})"
