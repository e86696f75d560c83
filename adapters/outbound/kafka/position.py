"""How far the log has been published: one row that is election, fencing and position in one.

Whoever holds the row publishes. It is held until all of a batch was acknowledged and moves in the
same transaction, which waits for the disk: what has been published is never forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from adapters.outbound.database import Database
from adapters.outbound.recorder import incarnation
from services.follower import AnotherLog

HOLD_MILLISECONDS = 9_000
"""So long a publisher that is frozen keeps the log from the next one, who has ten seconds."""

RESTORED = (
    "the log was restored from a backup: what was published since then is published again, under"
    " other ids, once you run: trettio publish --after-restore"
)


class Trouble(Enum):
    """Why nothing is published: codes that /health, metrics and the log say."""

    KAFKA_AWAY = "kafka-away"
    NOT_ALLOWED = "not-allowed"
    TOPICS_NOT_USABLE = "topics-not-usable"
    UNREADABLE = "unreadable"
    ANOTHER_LOG = "another-log"


OF_KAFKA = (Trouble.KAFKA_AWAY, Trouble.NOT_ALLOWED, Trouble.TOPICS_NOT_USABLE)


class PublishedUpTo:
    """The row of one publication."""

    def __init__(self, database: Database, name: str) -> None:
        self._database, self.name = database, name
        self.incarnation: UUID = incarnation(database)

    def begin(self) -> None:
        """Make the row, or raise `AnotherLog` when it tells of a history that is not this one."""
        self._database.fetch(
            "INSERT INTO trettio.publications (name, incarnation) VALUES (%s, %s)"
            " ON CONFLICT (name) DO NOTHING",
            [self.name, self.incarnation],
        )
        (row,) = self._database.fetch(
            "SELECT incarnation FROM trettio.publications WHERE name = %s", [self.name]
        )
        if row["incarnation"] != self.incarnation:
            self.say(Trouble.ANOTHER_LOG)
            raise AnotherLog(RESTORED)

    def follow_restored(self) -> None:
        """Go on in the history that the log now tells, from where it had been published."""
        self._database.fetch(
            "UPDATE trettio.publications SET incarnation = %s, trouble = NULL,"
            " trouble_position = NULL, trouble_since = NULL, moved_at = clock_timestamp(),"
            " position = least(position,"
            "  (SELECT coalesce(max(notification_id), 0) FROM trettio.log))"
            " WHERE name = %s AND incarnation <> %s",
            [self.incarnation, self.name, self.incarnation],
        )

    def read(self) -> int:
        (row,) = self._database.fetch(
            "SELECT position FROM trettio.publications WHERE name = %s", [self.name]
        )
        return int(row["position"])

    @contextmanager
    def held(self, after: int) -> Iterator[Connection[TupleRow] | None]:
        """A transaction that holds the row; None when another holds it, or moved it."""
        connection = self._database.connection
        with connection.transaction():
            # Its time begins anew only if there was none before.
            connection.execute(
                "SELECT set_config('transaction_timeout', '0', true),"
                " set_config('transaction_timeout', %s, true)",
                [str(HOLD_MILLISECONDS)],
            )
            found = connection.execute(
                "SELECT 1 FROM trettio.publications WHERE name = %s AND position = %s"
                " AND incarnation = (SELECT id FROM trettio.incarnation) FOR UPDATE SKIP LOCKED",
                [self.name, after],
            ).fetchone()
            yield connection if found else None

    def move(self, connection: Connection[TupleRow], upto: int, messages: int) -> None:
        connection.execute(
            "UPDATE trettio.publications SET position = %s, published = published + %s,"
            " moved_at = clock_timestamp(),"
            " trouble = NULL, trouble_position = NULL, trouble_since = NULL WHERE name = %s",
            [upto, messages, self.name],
        )

    def can_begin(self) -> None:
        """Kafka is there and as it should be: what an earlier start said of it is over."""
        self._database.fetch(
            "UPDATE trettio.publications SET trouble = NULL, trouble_position = NULL,"
            " trouble_since = NULL WHERE name = %s AND trouble = ANY(%s)",
            [self.name, [one.value for one in OF_KAFKA]],
        )

    def say(self, trouble: Trouble, *, after: int | None = None, at: int | None = None) -> None:
        """Put down what stands in the way, unless somebody has got past it meanwhile."""
        self._database.fetch(
            "UPDATE trettio.publications SET trouble = %(code)s, trouble_position = %(at)s,"
            " trouble_since = CASE WHEN trouble = %(code)s THEN trouble_since"
            "  ELSE clock_timestamp() END"
            " WHERE name = %(name)s AND (%(after)s::bigint IS NULL OR position = %(after)s)",
            {"code": trouble.value, "at": at, "name": self.name, "after": after},
        )
