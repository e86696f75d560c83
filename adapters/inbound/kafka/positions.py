"""How far receipts were taken, and which were refused: saved with the effect, never apart from it.

Kafka's own offsets are for the eyes of its tools. Whoever reads a partition begins where these rows
say, and a reader that lost the partition without noticing is refused at its next save.
"""

from __future__ import annotations

from enum import Enum
from uuid import UUID

from adapters.outbound.database import Database, Statement

MOVED_BY_ANOTHER = "receipt_positions_moved_by_another"


class Reason(Enum):
    """Why a receipt had no effect: codes for /health, metrics and whoever looks at the rows."""

    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    FOREIGN = "foreign"
    SENSELESS = "senseless"
    LOST = "lost"
    FAILED = "failed"


class ReceiptPositions:
    """The rows of one topic."""

    def __init__(self, database: Database, topic: str, topic_id: UUID) -> None:
        self._database, self._topic, self._topic_id = database, topic, topic_id

    def begin(self, partition: int, *, first: int, end: int) -> int:
        """From where to read. `first` and `end` are what the partition still holds.

        What Kafka dropped before it was read is put down as lost. A topic that was made anew, or
        that ends before what was taken from it, is read from its beginning: nothing counts twice.
        """
        self._database.fetch(
            "INSERT INTO trettio.receipt_positions (topic, partition, topic_id, next_offset)"
            " VALUES (%(topic)s, %(partition)s, %(topic_id)s, %(first)s)"
            " ON CONFLICT (topic, partition) DO UPDATE"
            " SET topic_id = excluded.topic_id, next_offset = excluded.next_offset"
            " WHERE receipt_positions.topic_id <> excluded.topic_id"
            " OR receipt_positions.next_offset > %(end)s",
            {**self._here(partition), "first": first, "end": end},
        )
        (row,) = self._database.fetch(
            "SELECT next_offset FROM trettio.receipt_positions"
            " WHERE topic = %(topic)s AND partition = %(partition)s",
            self._here(partition),
        )
        position = int(row["next_offset"])
        if position < first:
            self._database.run(
                self.moved(partition, after=position, to=first),
                self.refused(partition, position, Reason.LOST),
            )
            return first
        return position

    def moved(self, partition: int, *, after: int, to: int, end: int = 0) -> Statement:
        """One message further, in the save of its effect; refused where somebody else was there."""
        return Statement(
            "UPDATE trettio.receipt_positions SET"
            " next_offset = CASE WHEN next_offset = %(after)s AND topic_id = %(topic_id)s"
            "  THEN %(to)s ELSE -1 END,"
            " taken = taken + 1, end_offset = greatest(%(to)s, %(end)s),"
            " moved_at = clock_timestamp(), trouble = NULL, trouble_since = NULL"
            " WHERE topic = %(topic)s AND partition = %(partition)s",
            {**self._here(partition), "after": after, "to": to, "end": end},
        )

    def refused(
        self,
        partition: int,
        offset: int,
        reason: Reason,
        *,
        instruction: UUID | None = None,
        whose: tuple[str, str] | None = None,
    ) -> Statement:
        """A message that had no effect. What it said is not kept: it may be anything."""
        controller, system = whose or (None, None)
        return Statement(
            "INSERT INTO trettio.refused_receipts (topic, partition, topic_id, message_offset,"
            " reason, controller, system, instruction) VALUES (%(topic)s, %(partition)s,"
            " %(topic_id)s, %(offset)s, %(reason)s, %(controller)s, %(system)s, %(instruction)s)"
            " ON CONFLICT DO NOTHING",
            {
                **self._here(partition),
                "offset": offset,
                "reason": reason.value,
                "controller": controller,
                "system": system,
                "instruction": instruction,
            },
        )

    def ends(self, partition: int, end: int) -> None:
        """Where the partition ends now, so that others can see how far behind we are."""
        self._database.fetch(
            "UPDATE trettio.receipt_positions SET end_offset = greatest(next_offset, %(end)s)"
            " WHERE topic = %(topic)s AND partition = %(partition)s",
            {**self._here(partition), "end": end},
        )

    def say(self, trouble: str | None) -> None:
        """What keeps receipts from being taken, or that nothing does any more."""
        self._database.fetch(
            "UPDATE trettio.receipt_positions SET trouble = %(trouble)s, trouble_since = CASE"
            " WHEN trouble = %(trouble)s THEN trouble_since"
            " WHEN %(trouble)s::text IS NULL THEN NULL ELSE clock_timestamp() END"
            " WHERE topic = %(topic)s AND trouble IS DISTINCT FROM %(trouble)s",
            {"topic": self._topic, "trouble": trouble},
        )

    def _here(self, partition: int) -> dict[str, object]:
        return {"topic": self._topic, "partition": partition, "topic_id": self._topic_id}
