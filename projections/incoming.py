"""What came in: messages that nobody has confirmed yet, replies, and cases by their ids.

Reads the table `views.inbox`.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from projections.deadline_worklist import Message, inbox
from projections.projection import Reader

AHEAD = 5
MOST_COUNTED = 1_000
"""Where more waits, nobody waits until it has been counted."""


def waiting(sql: Reader, controllers: Sequence[str]) -> int:
    """How many messages nobody has confirmed yet, of as many as are counted."""
    (found,) = sql.fetch(
        "SELECT count(*) AS number FROM (SELECT 1 FROM views.inbox WHERE status = 'waiting'"
        " AND controller = ANY(%(controllers)s) LIMIT %(limit)s) waiting",
        {"controllers": list(controllers), "limit": MOST_COUNTED},
    )
    return int(found["number"])


def following(sql: Reader, controllers: Sequence[str], *, after: Message) -> list[Message]:
    """The messages that wait next after one of them; after the last one come the first."""
    place = (after.received_at, after.case_id)
    found = inbox(sql, controllers, after=place, limit=AHEAD)
    found += inbox(sql, controllers, limit=AHEAD)
    return list({one.case_id: one for one in found if one.case_id != after.case_id}.values())


def replies(sql: Reader, controllers: Sequence[str], *, limit: int) -> list[Message]:
    """Cases to which somebody wrote again, and nobody has answered or looked; the oldest first."""
    found = sql.fetch(
        "SELECT * FROM views.inbox WHERE replied_at IS NOT NULL AND controller = ANY(%s)"
        " ORDER BY replied_at, case_id LIMIT %s",
        [list(controllers), limit],
    )
    return [Message(**row) for row in found]


def cases(
    sql: Reader, controllers: Sequence[str], case_ids: Sequence[UUID], *, limit: int
) -> list[Message]:
    """The first message of each of these cases, the newest first."""
    found = sql.fetch(
        "SELECT * FROM views.inbox WHERE case_id = ANY(%s) AND controller = ANY(%s)"
        " ORDER BY received_at DESC, case_id LIMIT %s",
        [list(case_ids), list(controllers), limit],
    )
    return [Message(**row) for row in found]
