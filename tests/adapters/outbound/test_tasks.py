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

from adapters.outbound import tasks as module
from adapters.outbound.database import Database, Statement
from adapters.outbound.recorder import LogRecorder
from adapters.outbound.tasks import FEW, MANY, PostgresTasks, TaskCount
from services.ports import PutOff, Task, Tasks

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


def test_what_follows_is_claimed_in_the_save_that_adds_it(tasks: PostgresTasks) -> None:
    later = _task("later", kind="read-back", due_at=datetime(2999, 1, 1, tzinfo=UTC))
    with tasks.following_up({"read-back"}, worker="w", lease_seconds=60) as following:
        _add(tasks, _task("find"), _task("back", kind="read-back"), later)
        _add(tasks, _task("back", kind="read-back"))

    assert following == [replace(_task("back", kind="read-back"), attempts=1)]
    assert [
        task.key
        for task in tasks.claim(["find", "read-back"], worker="v", lease_seconds=60, limit=10)
    ] == ["find"]
    tasks.database.run(
        Statement("UPDATE trettio.tasks SET next_at = clock_timestamp() WHERE key = 'back'")
    )
    (again,) = tasks.claim(["read-back"], worker="v", lease_seconds=60, limit=10)
    assert (again.key, again.attempts) == ("back", 2)


def test_what_follows_waits_its_turn_where_the_system_fails(tasks: PostgresTasks) -> None:
    _add(tasks, _task("one"))
    (failed,) = _claim(tasks)
    tasks.unavailable(failed, seconds=0, reason="down")
    with tasks.following_up({"read-back"}, worker="w", lease_seconds=60) as following:
        _add(tasks, _task("back", kind="read-back"))

    assert following == []
    (claimed,) = tasks.claim(["read-back"], worker="v", lease_seconds=60)
    assert claimed.failing


def test_nothing_is_claimed_by_a_save_that_fails(tasks: PostgresTasks, database: Database) -> None:
    event = StoredEvent(uuid4(), 1, "topic", b"{}")
    recorder = LogRecorder(database)
    recorder.insert_events([event])
    with tasks.following_up({"find"}, worker="w", lease_seconds=60) as following:
        with pytest.raises(IntegrityError):
            recorder.insert_events([event], also=[tasks.add(_task("one"))])
        assert following == []
        recorder.insert_events(
            [replace(event, originator_version=2)], also=[tasks.add(_task("one"))]
        )

    assert [task.key for task in following] == ["one"]


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


# Leases of what takes long


def test_a_renewed_lease_keeps_others_away_and_a_lost_one_is_not_renewed(
    tasks: PostgresTasks,
) -> None:
    _add(tasks, _task("one"))
    (first,) = _claim(tasks, lease_seconds=0.2)
    tasks.renew([first], lease_seconds=60)
    time.sleep(0.25)
    assert _claim(tasks) == []

    tasks.renew([first], lease_seconds=0.01)
    time.sleep(0.02)
    (second,) = _claim(tasks, lease_seconds=0.2)
    tasks.renew([first], lease_seconds=60)
    time.sleep(0.25)
    (third,) = _claim(tasks)
    assert (second.attempts, third.attempts) == (2, 3)


def test_a_task_that_was_given_back_is_not_held_by_renewing_it(tasks: PostgresTasks) -> None:
    _add(tasks, _task("one"))
    (claimed,) = _claim(tasks)
    tasks.put_off(claimed, seconds=0, reason="conflict")
    tasks.renew([claimed], lease_seconds=60)

    assert len(_claim(tasks)) == 1


# How much a system is asked at once


def test_a_system_has_no_more_in_hand_than_it_may(database: Database) -> None:
    tasks = PostgresTasks(database, lambda: {"a/narrow": 2})
    _add(tasks, *(_task(f"n{n}", system="narrow") for n in range(9)))
    _add(tasks, *(_task(f"w{n}", system="wide") for n in range(30)))
    _add(tasks, *(_task(f"own{n}", system=None) for n in range(30)))

    held = Counter(task.system for _ in range(50) for task in _claim(tasks))

    assert held == {"narrow": 2, "wide": module.AT_ONCE, None: 30}


def test_a_bound_of_one_holds_across_racing_processes(database_url: str) -> None:
    """Connections of their own stand for processes: the claim alone keeps the bound."""
    in_hand, most, seen = Counter[str](), Counter[str](), Counter[str]()
    lock = threading.Lock()
    with Database(database_url) as database:
        _add(PostgresTasks(database), *(_task(f"t{n}", system=f"s{n % 2}") for n in range(120)))

    def work(name: str) -> None:
        with Database(database_url) as database:
            tasks = PostgresTasks(database, lambda: {"a/s0": 1, "a/s1": 2})
            while sum(seen.values()) < 120:
                for task in tasks.claim(["find"], worker=name, lease_seconds=60):
                    assert task.system is not None
                    with lock:
                        in_hand[task.system] += 1
                        most[task.system] = max(most[task.system], in_hand[task.system])
                    time.sleep(0.002)
                    with lock:
                        in_hand[task.system] -= 1
                        seen[task.key] += 1
                    database.run(tasks.done(task))

    workers = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert most == {"s0": 1, "s1": 2}
    assert set(seen.values()) == {1}


def test_letters_have_a_lane_of_their_own(tasks: PostgresTasks, database: Database) -> None:
    _add(tasks, *(_task(f"m{n}", kind="send-letter", system=None) for n in range(20)))
    _add(tasks, _task("answer", kind="answer", system=None))

    claimed = [
        task.kind
        for _ in range(30)
        for task in tasks.claim(["send-letter", "answer"], worker="w", lease_seconds=60)
    ]

    assert Counter(claimed) == {"send-letter": module.AT_ONCE, "answer": 1}


# Systems that fail


def _fail(tasks: PostgresTasks, *, seconds: float = 0.0, wish: float = 0.0) -> PutOff:
    (task,) = _claim(tasks)
    return tasks.unavailable(task, seconds=seconds, reason="GET /x answered 503", wish=wish)


def _let_probe(tasks: PostgresTasks) -> None:
    tasks.database.fetch("UPDATE trettio.lanes SET probe_at = clock_timestamp()")


def test_a_system_with_which_different_tasks_fail_is_suspended(tasks: PostgresTasks) -> None:
    _add(tasks, *(_task(f"t{n}") for n in range(9)))

    assert [_fail(tasks).suspended for _ in range(FEW)] == [False] * (FEW - 1) + [True]
    (lane,) = tasks.failing()
    assert (lane.system, lane.failures, lane.tasks_waiting) == ("shop", FEW, 9)
    assert lane.suspended_at is not None
    assert _claim(tasks, 10) == []


def test_one_task_alone_that_fails_suspends_its_system_later(tasks: PostgresTasks) -> None:
    _add(tasks, _task("one"))

    assert [_fail(tasks).suspended for _ in range(MANY)] == [False] * (MANY - 1) + [True]


def _suspended(tasks: PostgresTasks, many: int = 9) -> None:
    _add(tasks, *(_task(f"t{n}") for n in range(many)))
    for _ in range(FEW):
        _fail(tasks, seconds=3_000)


def test_a_suspended_system_is_probed_with_one_task_at_a_time(tasks: PostgresTasks) -> None:
    _suspended(tasks)
    _let_probe(tasks)
    (probe,) = _claim(tasks, 10)

    assert probe.failing
    assert _claim(tasks, 10) == []


def test_pauses_between_probes_grow_and_the_probe_is_another_task_each_time(
    tasks: PostgresTasks,
) -> None:
    _suspended(tasks, 20)
    pauses, probes = [], set()
    for _ in range(10):
        _let_probe(tasks)
        (probe,) = _claim(tasks)
        probes.add(probe.key)
        pauses.append(tasks.unavailable(probe, seconds=0, reason="x").seconds)

    assert pauses == [4, 8, 16, 32, *[60] * 6]
    assert len(probes) == 10


def test_what_was_in_hand_when_a_pause_began_makes_it_no_longer(tasks: PostgresTasks) -> None:
    _add(tasks, *(_task(f"t{n}") for n in range(8)))
    held = _claim(tasks, 8)
    assert len(held) == 8
    put_off = [tasks.unavailable(task, seconds=60, reason="x").seconds for task in held]

    assert put_off[: FEW - 1] == [60] * (FEW - 1)
    assert all(1 < seconds <= 2 for seconds in put_off[FEW - 1 :])


def test_a_systems_own_wish_is_heard_for_all_its_tasks_within_reason(tasks: PostgresTasks) -> None:
    _add(tasks, *(_task(f"t{n}") for n in range(3)))
    assert [_fail(tasks, wish=80_000).seconds for _ in range(3)][-1] == module.LONGEST_WISH


def test_after_the_first_answer_everything_that_was_put_off_is_due_and_nothing_else(
    tasks: PostgresTasks,
) -> None:
    """A peer's fault: tasks stay failed after an outage has ended."""
    _suspended(tasks)
    _add(tasks, _task("later", due_at=FAR_AWAY))
    _let_probe(tasks)
    (probe,) = _claim(tasks)
    tasks.answered(probe)
    tasks.database.run(tasks.done(probe))

    assert tasks.failing() == []
    claimed = _claim(tasks, 20)
    assert len(claimed) == module.AT_ONCE
    assert not any(task.failing for task in claimed)
    tasks.database.run(*(tasks.done(task) for task in claimed))
    assert _claim(tasks) == []


def test_an_answer_between_failures_prevents_the_suspension_and_hurries_nobody(
    tasks: PostgresTasks,
) -> None:
    """One person's record at which a system stumbles is not asked for with every other answer."""
    _add(tasks, *(_task(f"t{n}") for n in range(9)))
    for _ in range(3):
        for _ in range(FEW - 1):
            assert not _fail(tasks, seconds=3_000).suspended
        (good,) = _claim(tasks)
        assert good.failing
        tasks.answered(good)
        tasks.database.run(tasks.done(good))

    assert _claim(tasks) == []
    assert tasks.counts()[0].later == 6


def test_one_controllers_outage_is_not_anothers(tasks: PostgresTasks) -> None:
    _suspended(tasks)
    _add(tasks, _task("theirs", controller="b"))

    assert [task.controller for task in _claim(tasks, 9)] == ["b"]


def test_failing_systems_are_told_to_other_tools(tasks: PostgresTasks) -> None:
    _suspended(tasks)

    (row,) = tasks.database.fetch("SELECT * FROM views.systems_failing")
    assert (row["failures_ever"], row["suspensions_ever"], row["tasks_waiting"]) == (3, 1, 9)


def test_a_system_from_which_nothing_is_wanted_any_more_is_not_told_to_fail(
    tasks: PostgresTasks,
) -> None:
    """The requests were taken back: nobody will ever know whether it answers again."""
    _suspended(tasks)
    tasks.database.fetch("UPDATE trettio.tasks SET done_at = now(), leased_by = NULL")

    assert tasks.failing() == []


def test_what_waits_for_settings_is_tried_at_the_next_start(tasks: PostgresTasks) -> None:
    _add(tasks, _task("one"), _task("two"))
    for reason in ("not-set-up", "conflict"):
        (task,) = _claim(tasks)
        tasks.put_off(task, seconds=60, reason=reason)
    tasks.hurry(reason="not-set-up")

    assert [task.key for task in _claim(tasks, 10)] == ["one"]


# What is over


def test_tasks_are_forgotten_when_their_case_is_over_and_not_before(
    tasks: PostgresTasks, database: Database
) -> None:
    ended, living, case, kept_case = (uuid4() for _ in range(4))
    recorder = LogRecorder(database)
    recorder.insert_events(
        [
            StoredEvent(ended, 1, "request.received", b"{}"),
            StoredEvent(ended, 2, "request.ended", b"{}"),
            StoredEvent(living, 1, "request.received", b"{}"),
        ]
    )
    database.fetch(
        "INSERT INTO trettio.vault_keys (id, case_id, compartment, master_key_id, wrapped)"
        " VALUES (gen_random_uuid(), %s, 'package', 'x', '')",
        [kept_case],
    )
    subjects = {"ended": ended, "living": living, "case": case, "kept": kept_case}
    _add(tasks, *(replace(_task(n), subject_id=s) for n, s in subjects.items()))
    _add(tasks, replace(_task("young"), subject_id=ended))
    database.fetch("UPDATE trettio.tasks SET done_at = now() - interval '101 days'")
    database.fetch("UPDATE trettio.tasks SET done_at = now() WHERE key = 'young'")

    assert tasks.purge() == 2
    left = database.fetch("SELECT key FROM trettio.tasks ORDER BY key")
    assert [row["key"] for row in left] == ["kept", "living", "young"]

    _add(tasks, replace(_task("living"), subject_id=living))
    assert _claim(tasks) == [], "what was done once in a living case is not done again"


def test_nothing_of_a_case_with_open_tasks_is_forgotten(
    tasks: PostgresTasks, database: Database
) -> None:
    _add(tasks, _task("open"), _task("done"))
    database.fetch(
        "UPDATE trettio.tasks SET done_at = now() - interval '101 days' WHERE key = 'done'"
    )

    assert tasks.purge() == 0


def test_old_commands_keys_are_forgotten(tasks: PostgresTasks, database: Database) -> None:
    database.fetch(
        "INSERT INTO trettio.idempotency_keys (key, scope, request_digest, created_at) VALUES"
        " ('old', 's', '', now() - interval '31 days'), ('new', 's', '', now())"
    )
    tasks.purge()

    assert database.fetch("SELECT key FROM trettio.idempotency_keys") == [{"key": "new"}]
