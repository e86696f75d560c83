"""The queue of things to do: nothing twice at once, nothing lost, nobody kept waiting."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent

from adapters.outbound.database import Database
from adapters.outbound.recorder import LogRecorder
from adapters.outbound.tasks import PostgresTasks, TaskCount
from services.ports import Task, Tasks

PORT: type[Tasks] = PostgresTasks
SUBJECT = UUID(int=5)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAR_AWAY = datetime(2999, 1, 1, tzinfo=UTC)


@pytest.fixture
def tasks(database: Database) -> PostgresTasks:
    return PostgresTasks(database)


def _task(
    key: str,
    *,
    kind: str = "find",
    due_at: datetime = LONG_AGO,
    controller: str = "a",
    system: str | None = "shop",
    payload: Mapping[str, str] | None = None,
) -> Task:
    return Task(key, kind, SUBJECT, due_at, controller, system, payload or {})


def _add(tasks: PostgresTasks, *added: Task) -> None:
    tasks.database.run(*(tasks.add(task) for task in added))


def _claim(tasks: PostgresTasks, limit: int = 1, lease_seconds: float = 60) -> list[Task]:
    return tasks.claim(["find"], worker="w", lease_seconds=lease_seconds, limit=limit)


def test_a_due_task_is_claimed_once_and_comes_back_as_it_was(tasks: PostgresTasks) -> None:
    added = _task("one", payload={"step": "2"})
    _add(tasks, added)

    assert _claim(tasks) == [replace(added, attempts=1)]
    assert _claim(tasks) == []


def test_a_task_joins_the_save_it_belongs_to(tasks: PostgresTasks, database: Database) -> None:
    event = StoredEvent(uuid4(), 1, "topic", b"{}")
    recorder = LogRecorder(database)
    recorder.insert_events([event], also=[tasks.add(_task("one"))])
    with pytest.raises(IntegrityError):
        recorder.insert_events([event], also=[tasks.add(_task("two"))])

    assert [task.key for task in _claim(tasks, 10)] == ["one"]


def test_adding_the_same_key_twice_is_harmless_even_after_it_was_done(
    tasks: PostgresTasks,
) -> None:
    _add(tasks, _task("one"), _task("one"))
    (claimed,) = _claim(tasks, 10)
    tasks.database.run(tasks.done(claimed))
    _add(tasks, _task("one"))

    assert _claim(tasks) == []
    assert tasks.counts() == []


def test_only_due_tasks_of_the_kinds_asked_for_are_claimed(tasks: PostgresTasks) -> None:
    _add(tasks, _task("later", due_at=FAR_AWAY), _task("other", kind="mail"), _task("mine"))

    assert [task.key for task in _claim(tasks, 10)] == ["mine"]
    assert [t.key for t in tasks.claim(["mail"], worker="w", lease_seconds=1)] == ["other"]


def test_due_times_go_by_the_databases_clock(tasks: PostgresTasks, database: Database) -> None:
    now = database.fetch("SELECT clock_timestamp() AS now")[0]["now"]
    _add(tasks, _task("soon", due_at=now + timedelta(seconds=0.3)))

    assert _claim(tasks) == []
    time.sleep(0.35)
    assert [task.key for task in _claim(tasks)] == ["soon"]


def test_an_expired_lease_is_claimed_again_and_counted(tasks: PostgresTasks) -> None:
    _add(tasks, _task("one"))
    (first,) = _claim(tasks, lease_seconds=0.2)
    assert _claim(tasks) == []
    time.sleep(0.25)
    (second,) = _claim(tasks)

    assert (first.attempts, second.attempts) == (1, 2)


def test_a_worker_whose_lease_expired_cannot_take_the_task_from_its_successor(
    tasks: PostgresTasks,
) -> None:
    _add(tasks, _task("one"))
    (late,) = _claim(tasks, lease_seconds=0.01)
    time.sleep(0.02)
    (_,) = _claim(tasks)

    tasks.put_off(late, seconds=0, reason="unavailable")
    tasks.park(late, reason="refused")
    assert _claim(tasks) == []
    assert tasks.parked() == []


def test_a_task_put_off_waits_as_long_as_it_was_told(tasks: PostgresTasks) -> None:
    _add(tasks, _task("one"))
    (claimed,) = _claim(tasks)
    tasks.put_off(claimed, seconds=0.2, reason="unavailable")

    assert _claim(tasks) == []
    time.sleep(0.25)
    assert [task.attempts for task in _claim(tasks)] == [2]


def test_a_parked_task_is_visible_until_a_person_releases_it(tasks: PostgresTasks) -> None:
    _add(tasks, _task("one"))
    (claimed,) = _claim(tasks)
    tasks.park(claimed, reason="refused: 403")

    assert _claim(tasks) == []
    (parked,) = tasks.parked()
    assert (parked.task.key, parked.reason) == ("one", "refused: 403")
    assert not tasks.release("unknown")
    assert tasks.release("one")
    assert not tasks.release("one")
    assert [task.attempts for task in _claim(tasks)] == [1]


def test_counts_tell_what_waits_where(tasks: PostgresTasks) -> None:
    _add(tasks, *(_task(f"s{n}") for n in range(4)), _task("later", due_at=FAR_AWAY))
    _add(tasks, _task("mail", kind="mail", system=None))
    one, two = _claim(tasks, 2)
    tasks.park(one, reason="refused")
    tasks.put_off(two, seconds=60, reason="unavailable")
    _claim(tasks)

    assert tasks.counts() == [
        TaskCount("a", "shop", "find", due=1, later=2, leased=1, parked=1),
        TaskCount("a", None, "mail", due=1, later=0, leased=0, parked=0),
    ]


def test_one_systems_backlog_keeps_no_other_system_waiting(tasks: PostgresTasks) -> None:
    _add(tasks, *(_task(f"busy{n}", system="busy") for n in range(200)))
    _add(tasks, _task("b", system="quiet", due_at=LONG_AGO + timedelta(days=1)))
    _add(tasks, _task("c", system="quiet", controller="b", due_at=LONG_AGO + timedelta(days=2)))

    assert {task.key for task in _claim(tasks, 3)} >= {"b", "c"}


def test_a_system_with_tasks_in_hand_lets_the_others_go_first(tasks: PostgresTasks) -> None:
    _add(tasks, *(_task(f"busy{n}", system="busy") for n in range(9)))
    assert len(_claim(tasks, 3)) == 3
    _add(tasks, *(_task(f"new{n}", system="new", due_at=datetime.now(UTC)) for n in range(3)))

    assert [_claim(tasks)[0].system for _ in range(3)] == ["new", "new", "new"]


def test_racing_workers_never_hold_the_same_task_and_leave_none(database_url: str) -> None:
    everything = [_task(f"t{n}", system=f"s{n % 5}") for n in range(300)]
    claimed: Counter[str] = Counter()
    with Database(database_url) as database:
        _add(PostgresTasks(database), *everything)

    def work(name: str) -> None:
        with Database(database_url) as database:
            tasks = PostgresTasks(database)
            idle = 0
            while idle < 3:
                found = tasks.claim(["find"], worker=name, lease_seconds=60, limit=3)
                idle = 0 if found else idle + 1
                claimed.update(task.key for task in found)
                database.run(*(tasks.done(task) for task in found))

    workers = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert set(claimed.values()) == {1}
    assert set(claimed) == {task.key for task in everything}


def test_claiming_stays_quick_beside_a_long_backlog(tasks: PostgresTasks) -> None:
    tasks.database.fetch(
        "INSERT INTO trettio.tasks (key, kind, subject_id, controller, system, payload, due_at,"
        " next_at) SELECT 'k' || n, 'find', gen_random_uuid(), 'a', 's' || n % 20, '{}',"
        " now(), now() FROM generate_series(1, 50000) n"
    )
    tasks.database.fetch("ANALYZE trettio.tasks")
    _claim(tasks)
    began = time.perf_counter()
    for _ in range(20):
        assert _claim(tasks)
    assert (time.perf_counter() - began) / 20 < 0.05
