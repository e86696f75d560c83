"""The queue of things to do, in PostgreSQL: claimed by lease, at least once, under a stable key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import local
from typing import Any

import structlog
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from adapters.outbound.database import Database, Statement
from services.ports import Also, PutOff, Task

LOOK_FURTHER = 16  # other workers may be taking the first ones at this very moment
AT_ONCE = 8
"""So many tasks of one system may be in hand at a time, in all processes together."""
FEW, MANY = 3, 5
"""A system is suspended when so many different tasks failed, or one task so many times."""
SHORTEST_SUSPENSION, LONGEST_SUSPENSION, LONGEST_WISH = 2.0, 60.0, 3_600.0
KEPT_DAYS = 100
REPEATED_WITHIN_DAYS = 30
"""So long after a command its `Idempotency-Key` is known; a client that was away repeats sooner."""
MOST_PURGED = 5_000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ParkedTask:
    """A task that waits for a person, and why."""

    task: Task
    reason: str
    parked_at: datetime


@dataclass(frozen=True, slots=True)
class TaskCount:
    """How many tasks of one kind for one system wait, are being done, or are parked."""

    controller: str
    system: str | None
    kind: str
    due: int
    later: int
    leased: int
    parked: int


@dataclass(frozen=True, slots=True)
class FailingSystem:
    """A system (or, where it has no name, the mail relay) that fails, and since when."""

    controller: str
    system: str | None
    failures: int
    failing_since: datetime
    suspended_at: datetime | None
    probe_at: datetime | None
    reason: str
    tasks_waiting: int


@dataclass(slots=True)
class _Lane:
    """One system of one controller; `wait` is the time until a task may be its probe."""

    lane: str
    failures: int
    failed: list[str]
    suspended: bool
    pauses: int
    wait: float | None

    def fail(self, key: str, wish: float) -> None:
        """One more failure; when there are enough of them, the next pause begins.

        What was in hand already when a pause began makes it no longer.
        """
        self.failures += 1
        if key not in self.failed and len(self.failed) < FEW:
            self.failed.append(key)
        if self.wait is not None and self.wait > 0:
            return
        if len(self.failed) >= FEW or self.failures >= MANY:
            pause = SHORTEST_SUSPENSION * 2.0 ** min(self.pauses, 20)
            self.wait = max(min(pause, LONGEST_SUSPENSION), min(wish, LONGEST_WISH))
            self.suspended, self.pauses = True, self.pauses + 1


@dataclass(slots=True)
class _Following:
    """Who claims at once what it adds, and what that was."""

    kinds: frozenset[str]
    worker: str
    lease_seconds: float
    claimed: list[Task] = field(default_factory=list)

    def add(self, task: Task) -> Also:
        def then(rows: Sequence[tuple[Any, ...]]) -> None:
            if rows == [(True,)]:
                self.claimed.append(replace(task, attempts=1))

        return Statement(
            "INSERT INTO trettio.tasks (key, kind, subject_id, controller, system, payload, due_at,"
            " next_at, leased_by, attempts)"
            " SELECT %(key)s, %(kind)s, %(subject)s, %(controller)s, %(system)s, %(payload)s,"
            " %(due)s,"
            " CASE WHEN free THEN clock_timestamp() + make_interval(secs => %(lease)s)"
            " ELSE %(due)s END, CASE WHEN free THEN %(worker)s END, free::integer"
            " FROM (SELECT %(due)s <= clock_timestamp() AND NOT EXISTS (SELECT FROM trettio.lanes"
            "  WHERE controller = %(controller)s AND system IS NOT DISTINCT FROM %(system)s"
            "  AND failures > 0)) AS now (free)"
            " ON CONFLICT (key) DO NOTHING RETURNING leased_by IS NOT NULL",
            {
                "key": task.key,
                "kind": task.kind,
                "subject": task.subject_id,
                "controller": task.controller,
                "system": task.system,
                "payload": Jsonb(dict(task.payload)),
                "due": task.due_at,
                "lease": self.lease_seconds,
                "worker": self.worker,
            },
            then,
        )


class _Thread(local):
    """What one thread is in the middle of."""

    def __init__(self) -> None:
        self.following: _Following | None = None


class PostgresTasks:
    """Keeps `services.ports.Tasks`. Due times and leases go by the database's clock.

    `next_at` is when a task may be claimed: at first when it is due, then when its lease or its
    pause ends. A task that was done stays as a row, so adding its key again changes nothing.
    """

    def __init__(self, database: Database, at_once: Callable[[], Mapping[str, int]] = dict) -> None:
        """`at_once` tells, by lane, how many tasks may be in hand where it is not the usual."""
        self.database, self._at_once = database, at_once
        self._thread = _Thread()

    def add(self, task: Task) -> Also:
        following = self._thread.following
        if following is not None and task.kind in following.kinds:
            return following.add(task)
        return Statement(
            "INSERT INTO trettio.tasks"
            " (key, kind, subject_id, controller, system, payload, due_at, next_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (key) DO NOTHING",
            (
                *(task.key, task.kind, task.subject_id, task.controller, task.system),
                *(Jsonb(dict(task.payload)), task.due_at, task.due_at),
            ),
        )

    def again(self, task: Task) -> tuple[Also, ...]:
        """An open one that waits, or is parked, becomes due; only without any is this one added."""
        like_it = (task.kind, task.subject_id, task.system, Jsonb(dict(task.payload)))
        hurry = Statement(
            "UPDATE trettio.tasks SET next_at = clock_timestamp(), parked_at = NULL, reason = NULL,"
            " attempts = 0 WHERE kind = %s AND subject_id = %s AND system IS NOT DISTINCT FROM %s"
            " AND payload = %s AND done_at IS NULL AND leased_by IS NULL",
            like_it,
        )
        add = Statement(
            "INSERT INTO trettio.tasks"
            " (key, kind, subject_id, controller, system, payload, due_at, next_at)"
            " SELECT %s, %s, %s, %s, %s, %s, %s, %s WHERE NOT EXISTS"
            " (SELECT FROM trettio.tasks WHERE kind = %s AND subject_id = %s"
            "  AND system IS NOT DISTINCT FROM %s AND payload = %s AND done_at IS NULL)"
            " ON CONFLICT (key) DO NOTHING",
            (
                *(task.key, task.kind, task.subject_id, task.controller, task.system),
                *(Jsonb(dict(task.payload)), task.due_at, task.due_at),
                *like_it,
            ),
        )
        return hurry, add

    def done(self, task: Task) -> Also:
        return Statement(
            "UPDATE trettio.tasks SET done_at = clock_timestamp(), leased_by = NULL"
            " WHERE key = %s AND done_at IS NULL",
            (task.key,),
        )

    @contextmanager
    def following_up(
        self, kinds: Collection[str], *, worker: str, lease_seconds: float
    ) -> Iterator[Sequence[Task]]:
        """Within it, what this thread adds of these kinds and is due, it claims in the same save.

        It takes the place of the task that it follows, so a lane has no more in hand than before.
        """
        following = _Following(frozenset(kinds), worker, lease_seconds)
        self._thread.following = following
        try:
            yield following.claimed
        finally:
            self._thread.following = None

    def claim(
        self, kinds: Sequence[str], *, worker: str, lease_seconds: float, limit: int = 1
    ) -> list[Task]:
        """Take due tasks that nobody holds; attempts counts this one already.

        Systems take turns: whichever has the fewest tasks in hand goes first, so one system's
        backlog keeps no other waiting. A lane is one system of one controller; the index lets us
        walk from lane to lane without reading the backlog.

        Of a lane only the first few are candidates, as many as it may yet have in hand. Whoever
        reads an older count meets the same first few, and each of them is locked once: so the
        bound holds without a lock on the lane.
        """
        rows = self.database.ask(
            """
            WITH RECURSIVE lanes AS (
                (SELECT lane FROM trettio.tasks WHERE done_at IS NULL AND parked_at IS NULL
                 ORDER BY lane LIMIT 1)
                UNION ALL
                SELECT (SELECT t.lane FROM trettio.tasks t
                        WHERE t.done_at IS NULL AND t.parked_at IS NULL AND t.lane > lanes.lane
                        ORDER BY t.lane LIMIT 1)
                FROM lanes WHERE lanes.lane IS NOT NULL
            ), candidates AS MATERIALIZED (
                SELECT c.key, c.next_at, c.place + held.number AS turn,
                    coalesce(state.failures, 0) > 0 AS failing
                FROM lanes LEFT JOIN trettio.lanes state USING (lane)
                CROSS JOIN LATERAL (
                    SELECT count(*) AS number FROM trettio.tasks t
                    WHERE t.lane = lanes.lane AND t.leased_by IS NOT NULL AND t.done_at IS NULL
                      AND t.next_at > statement_timestamp()
                ) held CROSS JOIN LATERAL (
                    SELECT CASE
                        WHEN state.probe_at > statement_timestamp() THEN 0
                        WHEN state.suspended_at IS NOT NULL THEN 1
                        WHEN right(lanes.lane, 1) = '/' THEN %(further)s + held.number
                        ELSE coalesce((%(at_once)s ->> lanes.lane)::integer, %(usual)s)
                    END - held.number AS room
                ) bound CROSS JOIN LATERAL (
                    SELECT t.key, t.next_at, row_number() OVER (ORDER BY t.next_at) AS place
                    FROM trettio.tasks t
                    WHERE t.lane = lanes.lane AND t.done_at IS NULL AND t.parked_at IS NULL
                      AND t.next_at <= statement_timestamp() AND t.kind = ANY(%(kinds)s)
                    ORDER BY t.next_at
                    LIMIT greatest(0, least(%(further)s, bound.room))
                ) c
                ORDER BY turn, c.next_at LIMIT %(further)s
            ), taken AS MATERIALIZED (
                SELECT locked.key, c.failing
                FROM (SELECT * FROM candidates ORDER BY turn, next_at) c
                -- One by one, by key: a join would read the whole backlog.
                CROSS JOIN LATERAL (
                    SELECT t.key FROM trettio.tasks t
                    WHERE t.key = c.key AND t.done_at IS NULL AND t.parked_at IS NULL
                      AND t.next_at <= statement_timestamp()
                    FOR UPDATE SKIP LOCKED
                ) locked
                LIMIT %(limit)s
            )
            UPDATE trettio.tasks t
            SET next_at = clock_timestamp() + make_interval(secs => %(lease)s),
                leased_by = %(worker)s, attempts = attempts + 1, reason = NULL
            FROM taken WHERE t.key = taken.key
            RETURNING t.key, t.kind, t.subject_id, t.due_at, t.controller, t.system, t.payload,
                t.attempts, taken.failing
            """,
            {
                "kinds": list(kinds),
                "worker": worker,
                "lease": lease_seconds,
                "limit": limit,
                "further": limit + LOOK_FURTHER,
                "at_once": Jsonb(dict(self._at_once())),
                "usual": AT_ONCE,
            },
        )
        return [Task(*row) for row in rows]

    def renew(self, tasks: Sequence[Task], *, lease_seconds: float) -> None:
        """Go on holding tasks that take long; one that somebody else took over stays theirs."""
        self.database.run(
            Statement(
                "UPDATE trettio.tasks t SET next_at = clock_timestamp() + make_interval(secs => %s)"
                " FROM unnest(%s::text[], %s::integer[]) AS held (key, attempts)"
                " WHERE t.key = held.key AND t.attempts = held.attempts"
                "   AND t.leased_by IS NOT NULL AND t.done_at IS NULL AND t.parked_at IS NULL",
                (lease_seconds, [t.key for t in tasks], [t.attempts for t in tasks]),
            )
        )

    def put_off(self, task: Task, *, seconds: float, reason: str) -> None:
        """Give it back, to be tried again after a pause. No effect once somebody else has it."""
        self.database.run(self._put_off(task, seconds, reason))

    # Systems that fail

    def unavailable(self, task: Task, *, seconds: float, reason: str, wish: float = 0.0) -> PutOff:
        """Give it back because its system failed; one that keeps failing is suspended."""
        with self.database.transaction() as connection:
            connection.execute(
                "INSERT INTO trettio.lanes (lane, controller, system, reason)"
                " SELECT lane, controller, system, %s FROM trettio.tasks WHERE key = %s"
                " ON CONFLICT (lane) DO NOTHING",
                (reason, task.key),
            )
            cursor = connection.cursor(row_factory=class_row(_Lane))
            lane = cursor.execute(
                "SELECT lane, failures, failed, suspended_at IS NOT NULL AS suspended, pauses,"
                " extract(epoch FROM probe_at - clock_timestamp())::float AS wait"
                " FROM trettio.lanes"
                " WHERE lane = (SELECT lane FROM trettio.tasks WHERE key = %s) FOR UPDATE",
                (task.key,),
            ).fetchone()
            assert lane is not None  # tasks are forgotten only when they are done
            was_suspended = lane.suspended
            lane.fail(task.key, wish)
            connection.execute(
                "UPDATE trettio.lanes SET failures = %s, failed = %s, reason = %s, pauses = %s,"
                " failures_ever = failures_ever + 1,"
                " failing_since = coalesce(failing_since, clock_timestamp()),"
                " suspensions_ever = suspensions_ever + (%s AND suspended_at IS NULL)::integer,"
                " suspended_at = CASE WHEN %s THEN coalesce(suspended_at, clock_timestamp()) END,"
                " probe_at = clock_timestamp() + make_interval(secs => %s)"
                " WHERE lane = %s",
                (
                    *(lane.failures, lane.failed, reason, lane.pauses),
                    *(lane.suspended, lane.suspended, lane.wait, lane.lane),
                ),
            )
            pause = lane.wait if lane.wait is not None else seconds
            put_off = self._put_off(task, pause, reason)
            connection.execute(put_off.sql, put_off.params)
        if lane.suspended and not was_suspended:
            log.warning("system_suspended", lane=lane.lane, reason=reason, seconds=pause)
        return PutOff(pause, lane.suspended)

    def answered(self, task: Task) -> None:
        """Its system answers again: what was put off because of it becomes due.

        Without a suspension nothing is hurried, or one person's record at which a system stumbles
        would be asked for again with every answer about others.
        """
        (lane,) = self.database.fetch(
            """
            WITH before AS (
                SELECT lane, suspended_at FROM trettio.lanes
                WHERE lane = (SELECT lane FROM trettio.tasks WHERE key = %s) FOR UPDATE
            ), resumed AS (
                UPDATE trettio.lanes l SET failures = 0, failed = '{}', pauses = 0, probe_at = NULL,
                    failing_since = NULL, suspended_at = NULL, answered_at = clock_timestamp()
                FROM before WHERE l.lane = before.lane
            ), hurried AS (
                UPDATE trettio.tasks t SET next_at = clock_timestamp()
                FROM before WHERE t.lane = before.lane AND before.suspended_at IS NOT NULL
                  AND t.done_at IS NULL AND t.parked_at IS NULL AND t.leased_by IS NULL
                  AND t.reason IS NOT NULL AND t.next_at > clock_timestamp()
                RETURNING t.key
            )
            SELECT max(lane) AS lane, max(suspended_at) AS suspended_at,
                (SELECT count(*) FROM hurried) AS hurried FROM before
            """,
            [task.key],
        )
        if lane["suspended_at"] is not None:
            log.info("system_resumed", lane=lane["lane"], hurried=lane["hurried"])

    def hurry(self, *, reason: str) -> None:
        """Let what was put off for this reason be tried now."""
        self.database.run(
            Statement(
                "UPDATE trettio.tasks SET next_at = clock_timestamp() WHERE reason = %s"
                " AND done_at IS NULL AND parked_at IS NULL AND leased_by IS NULL"
                " AND next_at > clock_timestamp()",
                (reason,),
            )
        )

    def failing(self) -> list[FailingSystem]:
        """The systems that failed when they were last asked, and for which something waits."""
        rows = self.database.fetch(
            "SELECT controller, system, failures, failing_since, suspended_at, probe_at, reason,"
            " tasks_waiting FROM views.systems_failing WHERE failures > 0 AND tasks_waiting > 0"
            " ORDER BY failing_since"
        )
        return [FailingSystem(**row) for row in rows]

    # What is over

    def purge(self) -> int:
        """Forget what was done, `KEPT_DAYS` later and only for cases that are over.

        While a case lives its keys stay, so that nothing in it is done a second time. A request
        is over when nothing of it is left to do or keep, a case when its last secret is destroyed.
        """
        gone = self.database.fetch(
            """
            DELETE FROM trettio.tasks WHERE ctid = ANY(ARRAY(
                SELECT t.ctid FROM trettio.tasks t
                WHERE t.done_at < clock_timestamp() - make_interval(days => %(days)s)
                  AND NOT EXISTS (SELECT FROM trettio.tasks o
                                  WHERE o.subject_id = t.subject_id AND o.done_at IS NULL)
                  AND CASE WHEN EXISTS (SELECT FROM trettio.log e WHERE e.originator_id =
                                        t.subject_id AND e.originator_version = 1
                                        AND e.topic = 'request.received')
                      THEN EXISTS (SELECT FROM trettio.log e WHERE e.originator_id = t.subject_id
                                   AND e.topic = 'request.ended')
                      ELSE NOT EXISTS (SELECT FROM trettio.vault_keys k
                                       WHERE k.case_id = t.subject_id) END
                LIMIT %(most)s
            )) AND done_at IS NOT NULL RETURNING key
            """,
            {"days": KEPT_DAYS, "most": MOST_PURGED},
        )
        self.database.fetch(
            "DELETE FROM trettio.idempotency_keys"
            " WHERE created_at < clock_timestamp() - make_interval(days => %s)",
            [REPEATED_WITHIN_DAYS],
        )
        return len(gone)

    @staticmethod
    def _put_off(task: Task, seconds: float, reason: str) -> Statement:
        return Statement(
            "UPDATE trettio.tasks"
            " SET next_at = clock_timestamp() + make_interval(secs => %s),"
            "     leased_by = NULL, reason = %s"
            " WHERE key = %s AND attempts = %s AND done_at IS NULL AND parked_at IS NULL",
            (seconds, reason, task.key, task.attempts),
        )

    def park(self, task: Task, *, reason: str) -> None:
        """Give it up; it stays visible until a person releases it."""
        self.database.run(
            Statement(
                "UPDATE trettio.tasks"
                " SET parked_at = clock_timestamp(), leased_by = NULL, reason = %s"
                " WHERE key = %s AND attempts = %s AND done_at IS NULL AND parked_at IS NULL",
                (reason, task.key, task.attempts),
            )
        )

    def hold(self, task: Task, *, reason: str) -> bool:
        """Park what is like this task, unless a worker has any of it in hand."""
        with self.database.transaction() as connection:
            found = connection.execute(
                "SELECT leased_by FROM trettio.tasks WHERE kind = %s AND subject_id = %s"
                " AND payload = %s AND done_at IS NULL FOR UPDATE",
                (task.kind, task.subject_id, Jsonb(dict(task.payload))),
            ).fetchall()
            if not found or any(row[0] is not None for row in found):
                return False
            connection.execute(
                "UPDATE trettio.tasks SET parked_at = clock_timestamp(), reason = %s"
                " WHERE kind = %s AND subject_id = %s AND payload = %s AND done_at IS NULL",
                (reason, task.kind, task.subject_id, Jsonb(dict(task.payload))),
            )
            return True

    def due_at(self, task: Task) -> datetime | None:
        """When a worker may take what is like this task; None where none waits."""
        rows = self.database.fetch(
            "SELECT next_at FROM trettio.tasks WHERE kind = %s AND subject_id = %s"
            " AND payload = %s AND done_at IS NULL ORDER BY next_at LIMIT 1",
            [task.kind, task.subject_id, Jsonb(dict(task.payload))],
        )
        return rows[0]["next_at"] if rows else None

    def drop(self, task: Task) -> tuple[Also, ...]:
        return (
            Statement(
                "UPDATE trettio.tasks SET done_at = clock_timestamp(), parked_at = NULL,"
                " reason = NULL WHERE kind = %s AND subject_id = %s AND payload = %s"
                " AND done_at IS NULL AND leased_by IS NULL",
                (task.kind, task.subject_id, Jsonb(dict(task.payload))),
            ),
        )

    def release(self, key: str) -> bool:
        """Let a parked task be claimed again, now; False if there is no such parked task."""
        released = self.database.fetch(
            "UPDATE trettio.tasks"
            " SET parked_at = NULL, reason = NULL, attempts = 0, next_at = clock_timestamp()"
            " WHERE key = %s AND parked_at IS NOT NULL RETURNING key",
            [key],
        )
        return bool(released)

    def releasing(self, key: str) -> Also:
        """The write that releases a parked task, for whoever has more to write with it."""
        return Statement(
            "UPDATE trettio.tasks"
            " SET parked_at = NULL, reason = NULL, attempts = 0, next_at = clock_timestamp()"
            " WHERE key = %s AND parked_at IS NOT NULL",
            [key],
        )

    def parked(self) -> list[ParkedTask]:
        """What waits for a person, the oldest first."""
        rows = self.database.fetch(
            "SELECT * FROM trettio.tasks WHERE parked_at IS NOT NULL ORDER BY parked_at"
        )
        return [ParkedTask(_task(row), row["reason"], row["parked_at"]) for row in rows]

    def counts(self) -> list[TaskCount]:
        rows = self.database.fetch(
            """
            SELECT controller, system, kind,
                count(*) FILTER (WHERE parked_at IS NULL AND next_at <= now) AS due,
                count(*) FILTER (WHERE parked_at IS NULL AND next_at > now
                                 AND leased_by IS NULL) AS later,
                count(*) FILTER (WHERE parked_at IS NULL AND next_at > now
                                 AND leased_by IS NOT NULL) AS leased,
                count(parked_at) AS parked
            FROM trettio.tasks, clock_timestamp() AS now
            WHERE done_at IS NULL
            GROUP BY controller, system, kind ORDER BY controller, system, kind
            """
        )
        return [TaskCount(**row) for row in rows]


def _task(row: Mapping[str, Any]) -> Task:
    return Task(
        key=row["key"],
        kind=row["kind"],
        subject_id=row["subject_id"],
        due_at=row["due_at"],
        controller=row["controller"],
        system=row["system"],
        payload=row["payload"],
        attempts=row["attempts"],
    )
