"""Time as it really passes: clocks that jump, nights that are an hour short, processes that sleep.

Each reminder once, none skipped, none early (Art. 12(3)); each beside an oracle of its own.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import IO, Any, LiteralString
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, example, given, seed, settings
from hypothesis import strategies as st

from domain.deadlines import received_on
from domain.request import DataSubjectRequest
from domain.vocabulary import Channel, Country, IdentifierKind, Language, PauseReason, Right
from projections.open_requests import open_requests
from services.ports import Identifier
from services.reminders import Reminders
from tests.support.asking import mail
from tests.support.house import KARI, NORWAY, SWEDEN, House, open_house
from tests.support.reminder_oracle import last_sunday, local_day, midnight, owed

pytestmark = pytest.mark.survival

ROOT = Path(__file__).parents[2]
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
CONTROLLER = {Country.NO: NORWAY, Country.SE: SWEDEN}
_texts = count()


@dataclass
class Hands:
    """A clock that shows what it is told to."""

    at: datetime = datetime(2020, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


@contextmanager
def house_in_time(database_url: str, home: Path) -> Iterator[tuple[House, Hands]]:
    clock = Hands()
    with open_house(database_url, home, clock=clock) as house:
        yield house, clock


def asked(house: House, clock: Hands, country: Country, right: Right, at: datetime) -> UUID:
    """Somebody asks at that moment; a person confirms it, and nobody ever answers."""
    clock.at = at
    intake = house.installation.intake
    message = mail(f"Hei {next(_texts)}", received_at=at)
    case_id = intake.receive(CONTROLLER[country], message, channel=Channel.MAIL)
    identifiers = (Identifier(IdentifierKind.EMAIL, KARI),)
    intake.confirm(
        case_id, rights=(right,), language=Language.NB, identifiers=identifiers, by="ola"
    )
    return house.case(case_id).request_id(right)


def recorded(house: House, request_id: UUID) -> Counter[str]:
    """What was recorded about a request because time passed, from the log itself."""
    names: Counter[str] = Counter()
    for event in house.installation.register.events.get(request_id):
        if isinstance(event, DataSubjectRequest.ReminderDue):
            if event.reminder.startswith("late-"):
                continue  # each day after has one of its own
            names[event.reminder] += 1
        elif type(event).__name__.endswith("Missed"):
            names[f"{type(event).__name__.removesuffix('Missed').lower()} missed"] += 1
    return names


def late_days(house: House, requests: Iterable[UUID]) -> int:
    """How often somebody was reminded of a target that had passed: at most once for each day."""
    count = 0
    for request_id in requests:
        names = [
            event.reminder
            for event in house.installation.register.events.get(request_id)
            if isinstance(event, DataSubjectRequest.ReminderDue)
            and event.reminder.startswith("late-")
        ]
        assert len(names) == len(set(names))
        count += len(names)
    return count


def due_by(first: dict[str, date], latest: date) -> Counter[str]:
    return Counter(name for name, day in first.items() if day <= latest)


def all_owed(house: House, request_id: UUID) -> dict[str, date]:
    request = house.installation.register.request(request_id)
    received = local_day(request.received_at)
    return owed(
        request.country.value,
        received,
        request.promise_days,
        at_once=request.right.acts_at_once,
    )


# One process after another, by clocks that do as they please

_YEARS = st.integers(2020, 2036)
AWKWARD_DAYS = st.one_of(
    _YEARS.map(lambda year: last_sunday(year, 3)),
    _YEARS.map(lambda year: last_sunday(year, 10)),
    st.builds(date, _YEARS, st.just(2), st.integers(26, 28)),
    st.builds(date, st.sampled_from([2020, 2024, 2028, 2032, 2036]), st.just(2), st.just(29)),
    st.builds(date, _YEARS, st.just(1), st.sampled_from([1, 2, 29, 30, 31])),
    st.builds(date, _YEARS, st.just(12), st.integers(22, 31)),
    st.builds(date, _YEARS, st.integers(3, 6), st.integers(1, 30)),
)
HOURS = st.one_of(st.integers(-3, 5), st.integers(19, 27))
MOMENTS = st.builds(
    lambda day, hour, minute: midnight(day) + timedelta(hours=hour, minutes=minute),
    AWKWARD_DAYS,
    HOURS,
    st.sampled_from([-1, 0, 1, 30, 59]),
)


@dataclass(frozen=True)
class Look:
    """One process looks: so long after the look before it, or just before or after a day breaks."""

    after: timedelta = timedelta()
    at_dawn: int | None = None
    minutes: int = 0
    process: int = 0
    view_is_behind: bool = False


LOOKS = st.lists(
    st.builds(
        Look,
        after=st.one_of(
            st.integers(1, 12).map(lambda days: timedelta(days=days)),
            st.just(timedelta(hours=63)),
            st.integers(-30, 30).map(lambda hours: timedelta(hours=hours)),
            st.integers(-9, -1).map(lambda days: timedelta(days=days)),
        ),
        at_dawn=st.one_of(st.none(), st.integers(0, 9)),
        minutes=st.integers(-3, 3),
        process=st.integers(0, 1),
        view_is_behind=st.booleans(),
    ),
    min_size=3,
    max_size=12,
)
MARCH = datetime(2026, 3, 28, 22, 59, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 24, 21, 59, tzinfo=UTC)
EVERY_DAWN = [Look(at_dawn=n, minutes=m, process=n % 2) for n in range(10) for m in (-1, 1)]


@dataclass
class Visits:
    """One request, looked at by processes with clocks and memories of their own."""

    house: House
    clock: Hands
    request_id: UUID
    first: dict[str, date]
    now: datetime
    latest: date = date.min

    def __post_init__(self) -> None:
        home = self.house.installation
        self.processes = [
            Reminders(home.register, home.questions, home.assigning, self.clock) for _ in range(2)
        ]
        self.dawns = sorted(set(self.first.values()))

    def look(self, look: Look) -> None:
        if look.at_dawn is not None:
            self.now = midnight(self.dawns[look.at_dawn % len(self.dawns)])
        self.now = max(self.now + look.after, self.clock.at - timedelta(days=30))
        self.clock.at = self.now + look.minutes * MINUTE
        if not look.view_is_behind:
            self.house.installation.follower().drain()
        waiting = open_requests(self.house.installation.database)
        if self.request_id in waiting:
            mine = {self.request_id: waiting[self.request_id]}
            self.processes[look.process].pass_over(mine)
            self.latest = max(self.latest, local_day(self.clock.at))
        assert recorded(self.house, self.request_id) == due_by(self.first, self.latest)


def test_each_reminder_once_whatever_the_clocks_do(
    database_url: str, tmp_path: Path, seed_of_run: int
) -> None:
    """Art. 12(3), MU-09, GK-07: short and long nights, leap days, year ends, jumps and sleep."""
    with house_in_time(database_url, tmp_path) as (house, clock):

        @seed(seed_of_run)
        @settings(
            max_examples=40,
            deadline=None,
            database=None,
            phases=(Phase.explicit, Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @example(Country.NO, Right.ACCESS, MARCH, EVERY_DAWN)
        @example(Country.SE, Right.ERASURE, OCTOBER, EVERY_DAWN)
        @example(Country.NO, Right.OBJECTION_TO_MARKETING, OCTOBER + 2 * MINUTE, EVERY_DAWN)
        @given(
            st.sampled_from(Country),
            st.sampled_from([Right.ACCESS, Right.ERASURE, Right.OBJECTION_TO_MARKETING]),
            MOMENTS,
            LOOKS,
        )
        def holds(country: Country, right: Right, at: datetime, looks: list[Look]) -> None:
            request_id = asked(house, clock, country, right, at)
            house.installation.follower().drain()
            visits = Visits(house, clock, request_id, all_owed(house, request_id), at)
            for look in looks:
                visits.look(look)
            # However long they slept: whoever looks in the end leaves nothing out.
            visits.look(Look(after=timedelta(days=100)))
            assert recorded(house, request_id) == Counter(list(visits.first))

        holds()


@pytest.fixture
def seed_of_run(seed: int) -> int:
    """The fixture under a name that hypothesis's decorator does not shadow."""
    return seed


@pytest.mark.parametrize(
    ("at", "day"),
    [
        # Oslo and Stockholm: 00:00 is 23:00 UTC in winter and 22:00 UTC in summer.
        ("2026-03-28T22:59:00Z", "2026-03-28"),
        ("2026-03-28T23:00:00Z", "2026-03-29"),
        ("2026-03-29T00:59:00Z", "2026-03-29"),
        ("2026-03-29T21:59:00Z", "2026-03-29"),
        ("2026-03-29T22:00:00Z", "2026-03-30"),
        ("2026-10-24T21:59:00Z", "2026-10-24"),
        ("2026-10-24T22:00:00Z", "2026-10-25"),
        ("2026-10-25T22:59:00Z", "2026-10-25"),
        ("2026-10-25T23:00:00Z", "2026-10-26"),
        ("2028-02-28T23:00:00Z", "2028-02-29"),
        ("2026-12-31T23:00:00Z", "2027-01-01"),
    ],
)
@pytest.mark.parametrize("country", Country)
def test_a_day_begins_at_midnight_over_there(at: str, day: str, country: Country) -> None:
    """B.2.1: the oracle, the service and a list written by hand agree."""
    moment = datetime.fromisoformat(at)
    assert local_day(moment) == received_on(moment, country) == date.fromisoformat(day)


def test_clocks_that_disagree_over_midnight_stop_nobody(database_url: str, tmp_path: Path) -> None:
    """One process says 00:01, the next 23:59: identity is asked for and proven all the same."""
    with house_in_time(database_url, tmp_path) as (house, clock):
        new_year = datetime(2025, 12, 31, 23, 1, tzinfo=UTC)
        request_id = asked(house, clock, Country.NO, Right.ACCESS, new_year)
        register, identity = house.installation.register, house.installation.identity
        case_id = register.request(request_id).case_id
        house.worker.drain()

        clock.at = new_year - 2 * MINUTE
        identity.ask(case_id, reason="unknown-sender", by="ola")
        house.worker.drain()
        assert register.request(request_id).open_pauses == {
            PauseReason.IDENTITY: date(2026, 1, 1)
        }, "nobody is asked before the day on which they wrote"
        clock.at = new_year - MINUTE
        identity.check_code(case_id, house.newest_code())

        request = register.request(request_id)
        assert request.is_identified
        assert [(p.opened_on, p.ended_on) for p in request.pauses] == [
            (date(2026, 1, 1), date(2026, 1, 1))
        ]


def test_a_clock_that_is_behind_the_one_that_received_confirms(
    database_url: str, tmp_path: Path
) -> None:
    """Two processes with clocks that differ by minutes: one receives, the other confirms."""
    with house_in_time(database_url, tmp_path) as (house, clock):
        clock.at = at = datetime(2026, 2, 28, 23, 2, tzinfo=UTC)
        intake = house.installation.intake
        case_id = intake.receive(NORWAY, mail("Hei", received_at=at), channel=Channel.MAIL)

        clock.at = at - 5 * MINUTE
        intake.confirm(
            case_id,
            rights=(Right.ACCESS,),
            language=Language.NB,
            identifiers=(Identifier(IdentifierKind.EMAIL, KARI),),
            by="ola",
        )

        request = house.installation.register.request(house.case(case_id).request_ids[0])
        assert (request.received_at, request.received_on) == (at, date(2026, 3, 1))


# Real processes

_PROCESS = """\
import os, signal, sys
from datetime import datetime
from adapters.bootstrap import installation
from adapters.settings import load_settings
from projections.open_requests import open_requests

now = None
with installation(load_settings(), clock=lambda: now) as running:
    saves = 0

    def save_all(*given, **named):
        global saves
        saves += 1
        if saves == int(os.environ.get("KILLED_AT_SAVE", "-1")):
            os.kill(os.getpid(), signal.SIGKILL)
        return saved(*given, **named)

    saved, running.register.save_all = running.register.save_all, save_all
    print("ready", flush=True)
    for line in sys.stdin:
        now = datetime.fromisoformat(line.strip())
        running.follower().drain()
        print(running.reminders.pass_over(open_requests(running.database)), flush=True)
"""


@dataclass
class Process:
    """Reminders in a process of their own, by a clock of its own."""

    database_url: str
    home: Path
    killed_at_save: int = -1

    def __post_init__(self) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "TRETTIO_DATABASE_URL": self.database_url,
            "TRETTIO_HOME": str(self.home),
            "KILLED_AT_SAVE": str(self.killed_at_save),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROCESS],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def said(self) -> str:
        """The next line; nothing when it has died."""
        return _of(self._process.stdout).readline().strip()

    def begin(self, at: datetime) -> None:
        _of(self._process.stdin).write(f"{at.isoformat()}\n")
        _of(self._process.stdin).flush()

    def end(self) -> int:
        if self._process.poll() is None:
            _of(self._process.stdin).close()
        code = self._process.wait(timeout=30)
        _of(self._process.stdout).close()
        return code


def _of(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


@contextmanager
def processes(database_url: str, home: Path, *killed_at_save: int) -> Iterator[Sequence[Process]]:
    started = [Process(database_url, home, save) for save in killed_at_save]
    try:
        for process in started:
            assert process.said() == "ready"
        yield started
    finally:
        for process in started:
            process.end()


def test_two_processes_at_23_59_and_00_01_record_each_reminder_once(
    database_url: str, tmp_path: Path, seed: int
) -> None:
    """They look at the same moment, at the same requests, and believe it is two different days."""
    chance = random.Random(seed)
    evening = datetime(2027, 3, 27, 22, 0, tzinfo=UTC)  # the night that is an hour short follows
    with house_in_time(database_url, tmp_path) as (house, clock):
        requests = {
            asked(
                house,
                clock,
                chance.choice(list(Country)),
                chance.choice([Right.ACCESS, Right.OBJECTION_TO_MARKETING]),
                evening + timedelta(minutes=chance.randrange(180)),
            )
            for _ in range(12)
        }
        first = {request_id: all_owed(house, request_id) for request_id in requests}
        house.installation.follower().drain()
        dawns = sorted({midnight(day) for days in first.values() for day in days.values()})
        with processes(database_url, tmp_path, -1, -1) as (early, late):
            together = 0
            for dawn in dawns:
                early.begin(dawn - MINUTE)
                late.begin(dawn + MINUTE)
                together += int(early.said()) + int(late.said())
                for request_id in requests:
                    by_now = due_by(first[request_id], local_day(dawn))
                    assert recorded(house, request_id) == by_now
            # A weekend is slept through; an hour is gone back; both look at the very same moment.
            for at in (dawns[-1] + timedelta(hours=63), dawns[-1] - timedelta(hours=1)):
                early.begin(at)
                late.begin(at)
                together += int(early.said()) + int(late.said())
        once = sum(len(days) for days in first.values())
        assert together == once + late_days(house, requests)


def test_both_record_the_same_thing_at_the_same_moment_once(
    database_url: str, tmp_path: Path, seed: int
) -> None:
    """Everything is due at once, to both: whoever comes second finds it done."""
    chance = random.Random(seed)
    with house_in_time(database_url, tmp_path) as (house, clock):
        at = datetime(2028, 2, 29, 11, 0, tzinfo=UTC)
        requests = [
            asked(house, clock, chance.choice(list(Country)), Right.ACCESS, at) for _ in range(30)
        ]
        first = {request_id: all_owed(house, request_id) for request_id in requests}
        house.installation.follower().drain()
        with processes(database_url, tmp_path, -1, -1) as both:
            for process in both:
                process.begin(at + timedelta(days=60))
            counts = [int(process.said()) for process in both]
        once = sum(len(days) for days in first.values())
        assert sum(counts) == once + late_days(house, requests) == once + len(requests)
        for request_id, days in first.items():
            assert recorded(house, request_id) == Counter(list(days))


def test_a_pass_that_is_killed_is_finished_by_the_next(
    database_url: str, tmp_path: Path, seed: int
) -> None:
    """kill -9 at any save: nothing twice, nothing left out."""
    chance = random.Random(seed)
    with house_in_time(database_url, tmp_path) as (house, clock):
        at = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)
        requests = [asked(house, clock, Country.SE, Right.ERASURE, at) for _ in range(10)]
        first = {request_id: all_owed(house, request_id) for request_id in requests}
        house.installation.follower().drain()
        doomed = [chance.randint(2, 5), chance.randint(2, 5)]
        with processes(database_url, tmp_path, *doomed, -1) as (one, two, three):
            for process in (one, two):
                process.begin(at + timedelta(days=60))
                assert process.said() == "", "it was killed in the middle"
                assert process.end() == -9
            finished = [r for r in requests if recorded(house, r) == Counter(list(first[r]))]
            assert len(finished) == sum(doomed) - 2
            three.begin(at + timedelta(days=60))
            three.said()
        for request_id, days in first.items():
            assert recorded(house, request_id) == Counter(list(days))


# Many requests


def test_a_pass_costs_what_is_open_and_not_what_was_ever_closed(
    database_url: str, tmp_path: Path
) -> None:
    """100,000 closed requests: the pages that a pass reads are those of the open ones."""
    with house_in_time(database_url, tmp_path) as (house, clock):
        at = datetime(2026, 6, 1, 10, 0, tzinfo=UTC)
        for _ in range(3):
            asked(house, clock, Country.NO, Right.ACCESS, at)
        house.installation.follower().drain()
        before = _pages(house)
        columns = [
            row["column_name"]
            for row in house.installation.database.fetch(
                "SELECT column_name FROM information_schema.columns"
                " WHERE table_schema = 'views' AND table_name = 'deadline_worklist'"
            )
        ]
        fresh = {"request_id": "gen_random_uuid()", "closed": "true", "clock_runs": "false"}
        values = ", ".join(fresh.get(name, name) for name in columns)
        connection = house.installation.database.connection
        connection.execute(
            f"INSERT INTO views.deadline_worklist ({', '.join(columns)}) SELECT {values} FROM"
            " (SELECT * FROM views.deadline_worklist LIMIT 1) AS one,"
            " generate_series(1, 100000)".encode()
        )
        connection.execute("ANALYZE views.deadline_worklist")

        assert len(open_requests(house.installation.database)) == 3
        assert _pages(house) <= before + 20


def _pages(house: House) -> int:
    """How many pages the query behind a pass reads."""
    asked_for: list[LiteralString] = []

    class Noting:
        def fetch(
            self, sql: LiteralString, params: Mapping[str, Any] | Sequence[Any] = ()
        ) -> list[dict[str, Any]]:
            asked_for.append(sql)
            return []

    open_requests(Noting())
    pages = 0
    for sql in asked_for:
        (row,) = house.installation.database.connection.execute(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}".encode()
        ).fetchall()
        plan = row[0][0]["Plan"]
        pages += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return pages
