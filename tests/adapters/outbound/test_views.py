"""Read models on PostgreSQL: nothing lost, nothing twice, and the same again from the log."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from eventsourcing.persistence import StoredEvent

from adapters.outbound import refill
from adapters.outbound import views as views_module
from adapters.outbound.database import Database, DatabaseNotUsable, Statement
from adapters.outbound.log_source import LogSource
from adapters.outbound.recorder import LogRecorder
from adapters.outbound.views import READ_MODELS, PostgresView, Views
from domain.fulfilment import fulfilment_id
from projections.projection import Recorded, Rows
from services.follower import Follower
from services.register import Register
from tests.support.histories import CONTROLLERS, History, opened_register, source_of
from tests.support.tallies import TALLIES, Tallies

SELDOM = {"officer_advice", "second_decisions", "breaches"}
"""What random histories do not come to; the tests of these projections do."""


@pytest.fixture
def register(database: Database) -> Iterator[Register]:
    with opened_register(database) as register:
        yield register


@pytest.fixture
def source(database: Database, register: Register) -> LogSource:
    return source_of(database, register)


@pytest.fixture
def views(database: Database, source: LogSource) -> Views:
    views = Views(database)
    views.prepare(source)
    return views


@pytest.fixture
def tallies(database: Database) -> PostgresView:
    view = PostgresView(Tallies(), database)
    view.create()
    return view


def _contents(database: Database) -> dict[str, list[dict[str, Any]]]:
    return {
        table.name: database.fetch(
            f"SELECT * FROM views.{table.name} ORDER BY {', '.join(table.key)}"
        )
        for projection in READ_MODELS
        for table in projection.tables
    } | {
        tally.name: database.fetch(
            f"SELECT * FROM views.{tally.name} WHERE number <> 0 ORDER BY {', '.join(tally.alike)}"
        )
        for projection in READ_MODELS
        for table in projection.tables
        for tally in table.tallies
    }


def _plain_events(database: Database, *, aggregates: int, versions: int) -> None:
    ids = [uuid4() for _ in range(aggregates)]
    recorder = LogRecorder(database)
    for version in range(1, versions + 1):
        recorder.insert_events([StoredEvent(one, version, "plain", b"{}") for one in ids])


def _tallied_wrongly(database: Database) -> list[dict[str, Any]]:
    return database.fetch(
        "SELECT * FROM (SELECT originator_id, count(*) AS events FROM trettio.log GROUP BY 1) log"
        " FULL JOIN views.tallies ON originator_id = aggregate_id"
        " WHERE events IS DISTINCT FROM counted OR events IS DISTINCT FROM version"
    )


# Made again from the log


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rebuilt_views_equal_the_followed_ones_for_a_random_history(
    database: Database, register: Register, source: LogSource, views: Views, seed: int
) -> None:
    history = History(seed, register.save_all)
    follower = Follower(source, views.views, batch=history.chance.randint(1, 50))
    for _ in range(40):
        history.run(history.chance.randint(1, 30))
        follower.drain()
    followed = _contents(database)
    assert views.parked() == []
    assert all(rows for name, rows in followed.items() if name not in SELDOM)

    for projection in READ_MODELS:
        views.rebuild(projection.name, source)

    assert _contents(database) == followed


@pytest.mark.parametrize("seed", [5, 6])
def test_a_rebuild_that_has_no_room_for_all_rows_makes_the_same(
    database: Database,
    register: Register,
    source: LogSource,
    views: Views,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    monkeypatch.setattr(refill, "MOST_EVENTS", 60)
    monkeypatch.setattr(views_module, "REBUILD_BATCH", 25)
    History(seed, register.save_all).run(1_200)
    Follower(source, views.views).drain()
    followed = _contents(database)

    views.rebuild_all(source)

    assert _contents(database) == followed
    assert views.parked() == []


def test_rows_say_what_the_aggregates_say(
    database: Database, register: Register, source: LogSource, views: Views
) -> None:
    history = History(4, register.save_all)
    history.run(1500)
    Follower(source, views.views).drain()

    works = {
        row["request_id"]: row for row in database.fetch("SELECT * FROM views.deadline_worklist")
    }
    tasks = database.fetch("SELECT * FROM views.connector_tasks")
    kept = {row["request_id"]: row for row in database.fetch("SELECT * FROM views.dashboard")}
    assert set(works) == set(kept) == {request.id for request in history.requests}
    for known in history.requests:
        request, work = register.request(known.id), works[known.id]
        dates = request.dates
        assert work["status"] == request.status.value
        assert work["clock_runs"] == kept[known.id]["clock_runs"] == request.status.is_open
        # A breach outlives its request: it stays on the work list until it has been dealt with.
        assert set(work["breaches"]) == {str(one.report.id) for one in request.open_breaches}
        assert work["closed"] == (request.closed_at is not None and not request.open_breaches)
        assert (work["statutory_due"], work["promise_due"], work["target_due"]) == (
            dates.statutory_due,
            dates.promise_due,
            dates.extended_target_due or dates.target_due,
        )
        assert (work["act_by"], work["assigned_to"]) == (request.act_by, request.assigned_to)
        assert work["subject_right"] == request.right.value
        assert work["extended"] == request.extended
        assert work["delivery_failed"] == request.delivery_failed
        assert set(work["missed"]) == {missed.value for missed in request.missed}
        assert set(work["paused_for"]) == {reason.value for reason in request.open_pauses}
        assert set(work["matches_to_review"]) == {
            record.record_id for record in request.undecided_matches
        }
        consulted = [(c.question.id, c) for c in request.consultations.values()]
        assert set(work["advice_awaited"]) == {one for one, c in consulted if c.advice is None}
        assert set(work["advice_to_weigh"]) == {
            one for one, c in consulted if c.advice is not None and c.followed is None
        }
        assert (kept[known.id]["answered_on"] is not None) == (request.answered_at is not None)
    for task in tasks:
        state = register.fulfilment(task["request_id"]).systems[task["system"]]
        work = works[task["request_id"]]
        assert task["fulfilment_id"] == fulfilment_id(task["request_id"])
        assert (task["action"], task["state"]) == (state.action.value, state.status.value)
        assert task["attempts"] == state.attempts
        assert work["systems"][task["system"]]["status"] == state.status.value


def test_a_rebuild_runs_behind_the_view_in_use_while_the_log_grows(
    database_url: str, database: Database, register: Register, source: LogSource, views: Views
) -> None:
    History(5, register.save_all).run(400)
    stop = threading.Event()

    def write() -> None:
        history = History(6, register.save_all)
        while not stop.is_set():
            history.step()

    def follow() -> None:
        Follower(source_of(database, register), Views(database).views, batch=20).run(stop)

    threads = [threading.Thread(target=write), threading.Thread(target=follow)]
    for thread in threads:
        thread.start()
    try:
        for projection in READ_MODELS:
            before = database.fetch("SELECT position FROM views.positions ORDER BY view")
            views.rebuild(projection.name, source)
            after = database.fetch("SELECT position FROM views.positions ORDER BY view")
            pairs = zip(before, after, strict=True)
            assert all(old["position"] <= new["position"] for old, new in pairs)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    fresh = Views(database)
    Follower(source, fresh.views).drain()
    followed = _contents(database)
    for projection in READ_MODELS:
        fresh.rebuild(projection.name, source)

    assert _contents(database) == followed
    assert fresh.parked() == []


def test_a_changed_definition_is_rebuilt_at_start_and_fences_the_old_program(
    database: Database, source: LogSource
) -> None:
    _plain_events(database, aggregates=3, versions=2)
    old = Views(database, [Tallies()])
    assert old.prepare(source) == ["tallies"]
    assert old.prepare(source) == []

    class Newer(Tallies):
        version = 2

    assert Views(database, [Newer()]).prepare(source) == ["tallies"]
    assert _tallied_wrongly(database) == []

    _plain_events(database, aggregates=1, versions=1)
    events, upto = source.read(6, 10)
    assert not old.views[0].take(events, 6, upto)


def test_whoever_may_read_a_view_may_read_the_rebuilt_one(
    database: Database, source: LogSource, views: Views
) -> None:
    role = f"reader_{uuid4().hex}"
    database.run(Statement(f"CREATE ROLE {role}"))
    try:
        database.run(Statement(f"GRANT SELECT ON views.inbox TO {role}"))
        database.run(Statement("GRANT SELECT ON views.inbox TO PUBLIC"))
        views.rebuild("deadline_worklist", source)

        (may,) = database.fetch("SELECT relacl::text AS acl FROM pg_class WHERE relname = 'inbox'")
        assert f"{role}=r/" in may["acl"]
        assert ",=r/" in may["acl"]
    finally:
        database.run(Statement(f"DROP OWNED BY {role}"))
        database.run(Statement(f"DROP ROLE {role}"))


def test_a_rebuild_that_would_break_somebodys_own_view_says_so_and_changes_nothing(
    database: Database, source: LogSource, views: Views
) -> None:
    database.run(Statement("CREATE VIEW mine AS SELECT case_id FROM views.inbox"))
    with pytest.raises(DatabaseNotUsable, match="depends on the tables of deadline_worklist"):
        views.rebuild("deadline_worklist", source)

    assert database.fetch("SELECT * FROM mine") == []


def test_a_view_that_does_not_exist_cannot_be_rebuilt(source: LogSource, views: Views) -> None:
    with pytest.raises(ValueError, match="the views are case_file, connector_tasks"):
        views.rebuild("nonsense", source)


def test_every_table_and_column_is_described(database: Database, views: Views) -> None:
    undescribed = database.fetch(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'views' AND col_description("
        "  format('%I.%I', table_schema, table_name)::regclass, ordinal_position) IS NULL"
        " UNION ALL SELECT relname, NULL FROM pg_class"
        " WHERE relnamespace = 'views'::regnamespace AND relkind = 'r'"
        " AND obj_description(oid) IS NULL"
    )
    assert undescribed == []


# Killed, and run twice


@contextmanager
def _following(url: str) -> Iterator[subprocess.Popen[bytes]]:
    runner = subprocess.Popen(
        [sys.executable, "-m", "tests.support.tallies", url], stdout=subprocess.DEVNULL
    )
    try:
        yield runner
    finally:
        runner.kill()
        runner.wait()


def _wait(database: Database, position: int, *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        (row,) = database.fetch("SELECT position FROM views.positions WHERE view = 'tallies'")
        if row["position"] >= position:
            return
        time.sleep(0.01)
    pytest.fail(f"the follower did not get beyond {row['position']}")


def test_a_follower_killed_in_the_middle_loses_nothing_and_counts_nothing_twice(
    database_url: str, database: Database, tallies: PostgresView
) -> None:
    _plain_events(database, aggregates=40, versions=50)
    chance = random.Random(7)
    for target in (300, 600, 900, 1200):
        with _following(database_url):
            _wait(database, target)
            time.sleep(chance.random() / 20)  # wherever it is now, it is killed there
    with _following(database_url):
        _wait(database, 2000)

    assert _tallied_wrongly(database) == []
    assert database.fetch("SELECT count(*) AS seen FROM views.seen") == [{"seen": 2000}]
    assert database.fetch("SELECT * FROM views.parked") == []


def test_two_runners_never_both_take_an_event_and_one_goes_on_alone(
    database_url: str, database: Database, tallies: PostgresView
) -> None:
    _plain_events(database, aggregates=20, versions=40)
    with _following(database_url):
        with _following(database_url):
            _wait(database, 400)
            _plain_events(database, aggregates=20, versions=20)
            _wait(database, 800)
        _wait(database, 1200)  # whichever of them did the work: the other one has it within 10 s

    assert _tallied_wrongly(database) == []
    assert database.fetch("SELECT count(*) AS seen FROM views.seen") == [{"seen": 1200}]


def test_a_batch_that_somebody_holds_is_not_taken(
    database: Database, source: LogSource, tallies: PostgresView
) -> None:
    _plain_events(database, aggregates=1, versions=3)
    events, upto = source.read(0, 10)
    with database.transaction() as other:
        other.execute("SELECT 1 FROM views.positions WHERE view = 'tallies' FOR UPDATE")
        assert not tallies.take(events, 0, upto)
    assert tallies.take(events, 0, upto)
    assert not tallies.take(events, 0, upto)

    assert _tallied_wrongly(database) == []


# Parked


def test_an_aggregate_whose_event_cannot_be_taken_is_parked_and_the_others_go_on(
    database: Database, source: LogSource
) -> None:
    class Troubled(Tallies):
        trouble = frozenset({5})

    _plain_events(database, aggregates=3, versions=4)  # positions 2, 5, 8, 11 are one aggregate's
    views = Views(database, [Troubled()])
    views.views[0].create()
    Follower(source, views.views, batch=6).drain()

    (parked,) = views.parked()
    assert (parked.view, parked.position, parked.topic) == ("tallies", 5, "plain")
    assert parked.reason == "ValueError"
    assert views.states()[0].parked == 1
    counted = database.fetch("SELECT aggregate_id, counted, version FROM views.tallies")
    assert sorted(row["counted"] for row in counted) == [1, 4, 4]
    (behind,) = [row for row in counted if row["aggregate_id"] == parked.aggregate_id]
    assert (behind["counted"], behind["version"]) == (1, 1)  # nothing of the failed event stays

    cured = Views(database, [Tallies()])
    cured.rebuild("tallies", source)
    assert cured.parked() == []
    assert _tallied_wrongly(database) == []


def test_an_aggregate_whose_row_the_database_refuses_is_parked_and_the_others_go_on(
    database: Database, source: LogSource
) -> None:
    class Unwritable(Tallies):
        def apply(self, recorded: Recorded, rows: Rows) -> None:
            super().apply(recorded, rows)
            if recorded.position == 11:
                for tally in rows.changing(TALLIES, recorded.originator_id):
                    tally.version = None  # type: ignore[assignment]  # what no column takes

    _plain_events(database, aggregates=3, versions=4)
    views = Views(database, [Unwritable()])
    views.views[0].create()
    for _ in range(2):
        Follower(source, views.views, batch=6).drain()
        (parked,) = views.parked()
        assert (parked.position, parked.reason) == (11, "NotNullViolation")
        counted = database.fetch("SELECT counted FROM views.tallies")
        assert sorted(row["counted"] for row in counted) == [3, 4, 4]
        views.rebuild("tallies", source)  # once more, anew


def test_an_event_that_cannot_be_read_parks_its_aggregate_only_where_it_is_needed(
    database: Database, register: Register, source: LogSource, views: Views
) -> None:
    history = History(8, register.save_all)
    history.run(150)
    broken = history.requests[0]
    LogRecorder(database).insert_events(
        [
            StoredEvent(broken.id, 1_000, "request.assigned", b"not what it was"),
            StoredEvent(uuid4(), 1, "case.from-the-future", b"{}"),
        ]
    )
    history.run(150)
    Follower(source, views.views).drain()

    parked = [(one.view, one.topic) for one in views.parked()]
    assert parked == [
        ("case_file", "request.assigned"),
        ("deadline_worklist", "request.assigned"),
        ("case_file", "case.from-the-future"),
    ]
    assert {one.aggregate_id for one in views.parked()} >= {broken.id}
    assert all(state.behind == 0 for state in views.states())

    followed = _contents(database)
    views.rebuild_all(source)
    assert [(one.view, one.topic) for one in views.parked()] == parked
    assert _contents(database) == followed


def test_a_missing_table_parks_nothing_and_moves_nothing(
    database: Database, source: LogSource, tallies: PostgresView
) -> None:
    _plain_events(database, aggregates=2, versions=2)
    database.run(Statement("DROP TABLE views.tallies"))
    events, upto = source.read(0, 10)
    with pytest.raises(Exception, match=r"views\.tallies"):
        tallies.take(events, 0, upto)

    assert tallies.position() == 0
    assert database.fetch("SELECT * FROM views.parked") == []


# Reading one's own writes


def test_a_page_can_wait_for_what_was_just_saved(
    database: Database, register: Register, source: LogSource, views: Views
) -> None:
    History(9, register.save_all).run(50)
    assert not views.wait_until(timeout=0.05)

    stop = threading.Event()
    runner = threading.Thread(
        target=lambda: Follower(source_of(database, register), Views(database).views).run(stop)
    )
    runner.start()
    try:
        assert views.wait_until(timeout=10)
        History(10, register.save_all).run(5)
        assert views.wait_until(timeout=10)
        assert views.wait_until(1, timeout=0)
    finally:
        stop.set()
        runner.join()
    assert {state.behind for state in views.states()} == {0}


def test_read_models_belong_to_known_controllers_and_hold_no_free_text(
    database: Database, register: Register, source: LogSource, views: Views
) -> None:
    """Design 5: read models never hold directly identifying data."""
    History(11, register.save_all).run(300)
    Follower(source, views.views).drain()

    for rows in _contents(database).values():
        for row in rows:
            assert row.get("controller", "concert-hall") in CONTROLLERS
            for value in row.values():
                assert not isinstance(value, str) or " " not in value


def test_a_view_of_another_log_is_fenced_and_made_anew_at_start(
    database: Database, source: LogSource, register: Register
) -> None:
    _plain_events(database, aggregates=3, versions=2)
    views = Views(database, [Tallies()])
    views.prepare(source)
    (view,) = views.views
    database.fetch("UPDATE trettio.incarnation SET id = gen_random_uuid()")

    assert not view.take([], view.position(), view.position() + 1)
    assert views.prepare(source_of(database, register)) == ["tallies"]
    assert view.take([], 6, 7)
