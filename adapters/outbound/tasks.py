"""The queue of things to do, in PostgreSQL: claimed by lease, at least once, under a stable key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from adapters.outbound.database import Database, Statement
from services.ports import Also, Task

LOOK_FURTHER = 16  # other workers may be taking the first ones at this very moment


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


class PostgresTasks:
    """Keeps `services.ports.Tasks`. Due times and leases go by the database's clock.

    `next_at` is when a task may be claimed: at first when it is due, then when its lease or its
    pause ends. A task that was done stays as a row, so adding its key again changes nothing.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def add(self, task: Task) -> Also:
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

    def claim(
        self, kinds: Sequence[str], *, worker: str, lease_seconds: float, limit: int = 1
    ) -> list[Task]:
        """Take due tasks that nobody holds; attempts counts this one already.

        Systems take turns: whichever has the fewest tasks in hand goes first, so one system's
        backlog keeps no other waiting. A lane is one system of one controller; the index lets us
        walk from lane to lane without reading the backlog.
        """
        rows = self.database.fetch(
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
                SELECT c.key, c.next_at, c.place + held.number AS turn
                FROM lanes CROSS JOIN LATERAL (
                    SELECT count(*) AS number FROM trettio.tasks t
                    WHERE t.lane = lanes.lane AND t.leased_by IS NOT NULL AND t.done_at IS NULL
                      AND t.next_at > statement_timestamp()
                ) held CROSS JOIN LATERAL (
                    SELECT t.key, t.next_at, row_number() OVER (ORDER BY t.next_at) AS place
                    FROM trettio.tasks t
                    WHERE t.lane = lanes.lane AND t.done_at IS NULL AND t.parked_at IS NULL
                      AND t.next_at <= statement_timestamp() AND t.kind = ANY(%(kinds)s)
                    ORDER BY t.next_at LIMIT %(further)s
                ) c
                ORDER BY turn, c.next_at LIMIT %(further)s
            ), taken AS MATERIALIZED (
                SELECT t.key FROM candidates c JOIN trettio.tasks t USING (key)
                WHERE t.done_at IS NULL AND t.parked_at IS NULL
                  AND t.next_at <= statement_timestamp()
                ORDER BY c.turn, c.next_at LIMIT %(limit)s
                FOR UPDATE OF t SKIP LOCKED
            )
            UPDATE trettio.tasks t
            SET next_at = clock_timestamp() + make_interval(secs => %(lease)s),
                leased_by = %(worker)s, attempts = attempts + 1, reason = NULL
            FROM taken WHERE t.key = taken.key
            RETURNING t.*
            """,
            {
                "kinds": list(kinds),
                "worker": worker,
                "lease": lease_seconds,
                "limit": limit,
                "further": limit + LOOK_FURTHER,
            },
        )
        return [_task(row) for row in rows]

    def put_off(self, task: Task, *, seconds: float, reason: str) -> None:
        """Give it back, to be tried again after a pause. No effect once somebody else has it."""
        self.database.run(
            Statement(
                "UPDATE trettio.tasks"
                " SET next_at = clock_timestamp() + make_interval(secs => %s),"
                "     leased_by = NULL, reason = %s"
                " WHERE key = %s AND attempts = %s AND done_at IS NULL AND parked_at IS NULL",
                (seconds, reason, task.key, task.attempts),
            )
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

    def release(self, key: str) -> bool:
        """Let a parked task be claimed again, now; False if there is no such parked task."""
        released = self.database.fetch(
            "UPDATE trettio.tasks"
            " SET parked_at = NULL, reason = NULL, attempts = 0, next_at = clock_timestamp()"
            " WHERE key = %s AND parked_at IS NOT NULL RETURNING key",
            [key],
        )
        return bool(released)

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
