"""What came in: messages that nobody has confirmed yet, replies, and cases by their ids.

A row of the table `inbox` is one message that a person has yet to confirm or has set aside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, LiteralString
from uuid import UUID

from domain.case import CaseStatus
from projections.projection import Reader, Row, Table

AHEAD = 5
MOST_COUNTED = 1_000
"""Where more waits, nobody waits until it has been counted."""


@dataclass(slots=True, kw_only=True)
class Message(Row):
    """One message that came in."""

    case_id: Annotated[UUID, "The case it opened"]
    reference: Annotated[str, "The case's short name, as people say it on the phone"]
    controller: Annotated[str, "Which controller it reached, by the id of its profile"]
    channel: Annotated[str, "How it came: mail, portal, phone, …"]
    received_at: Annotated[datetime, "When it reached the controller"]
    receipt_source: Annotated[str, "Where that moment was read"]
    kind: Annotated[str, "What it was taken for"]
    rights: Annotated[list[str], "Which rights it seems to use"]
    language: Annotated[str, "Language it seems to be written in"]
    certain: Annotated[bool, "Whether its own words leave little doubt"]
    status: Annotated[str, "waiting, confirmed or set-aside"] = CaseStatus.WAITING.value
    messages: Annotated[int, "How many messages the case holds"] = 1
    due_on: Annotated[date | None, "Document access: the day on which it has to be dealt with"] = (
        None
    )
    replied_at: Annotated[
        datetime | None, "When the person wrote again, while nobody has answered or looked"
    ] = None
    letters: Annotated[
        dict[str, dict[str, Any]], "Its letters that have not left: for which requests, and how"
    ] = field(default_factory=dict)


INBOX = Table(
    "inbox",
    Message,
    key=("case_id",),
    found_by=("case_id",),
    comment="One row per message: what it seems to ask, until a person has confirmed it",
    indexes=(
        "(controller, status, received_at, case_id)",
        "(reference)",
        "(controller, due_on) WHERE due_on IS NOT NULL",
        "(controller, replied_at) WHERE replied_at IS NOT NULL",
    ),
)


# Queries


def inbox(
    sql: Reader,
    controllers: Sequence[str],
    *,
    status: CaseStatus = CaseStatus.WAITING,
    after: tuple[datetime, UUID] | None = None,
    limit: int = 100,
) -> list[Message]:
    """Messages that wait for a person to confirm them, the oldest first.

    `after` is arrival and id of the last message of the page before.
    """
    arrived, case_id = after or (None, None)
    wanted: LiteralString = "status = %(status)s AND controller = served.controller"
    if after is not None:
        wanted += " AND (received_at, case_id) > (%(arrived)s::timestamptz, %(case_id)s::uuid)"
    found = sql.fetch(
        "SELECT message.* FROM unnest(%(controllers)s::text[]) served (controller), LATERAL ("  # noqa: S608
        f" SELECT * FROM views.inbox WHERE {wanted}"
        " ORDER BY received_at, case_id LIMIT %(limit)s) message"
        " ORDER BY received_at, case_id LIMIT %(limit)s",
        {
            "status": status.value,
            "controllers": sorted(set(controllers)),
            "arrived": arrived,
            "case_id": case_id,
            "limit": limit,
        },
    )
    return [Message(**row) for row in found]


def due_at_once(sql: Reader, controllers: Sequence[str], *, limit: int = 200) -> list[Message]:
    """Document access that nobody has dealt with yet, the oldest first; never in a month (E-06)."""
    found = sql.fetch(
        "SELECT * FROM views.inbox WHERE due_on IS NOT NULL AND controller = ANY(%s)"
        " ORDER BY due_on, received_at, case_id LIMIT %s",
        [list(controllers), limit],
    )
    return [Message(**row) for row in found]


def case_called(sql: Reader, controllers: Sequence[str], words: str) -> UUID | None:
    """The case with this reference, however it was typed."""
    letters = "".join(letter for letter in words.upper() if letter.isalnum())
    typed = letters.replace("O", "0").replace("I", "1")
    found = sql.fetch(
        "SELECT case_id FROM views.inbox WHERE reference = %s AND controller = ANY(%s)",
        [f"{typed[:4]}-{typed[4:]}", list(controllers)],
    )
    return found[0]["case_id"] if found else None


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
