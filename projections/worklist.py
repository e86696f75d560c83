"""What is open, page by page in order of target; narrowed down, and counted by kind.

Reads the table `views.deadline_worklist`. Nothing here reads more of it than it says: a page, a
case, or the first few thousand entries to count them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

from domain.vocabulary import Country
from projections.projection import Reader, Today
from projections.work import Work

NOBODY = "nobody"
MOST_COUNTED = 5_000
"""Where more is open, nobody waits until it has been counted."""


class Due(Enum):
    """How far away the target is."""

    LATE = "late"
    WEEK = "week"
    LATER = "later"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What of the open requests is asked for; None is all of it.

    `assigned` is a staff id, or `nobody`. `blocked` is a code of what stands in the way, `system`
    one whose answer is waited for, `month` the first day of the month of receipt.
    """

    controller: str | None = None
    right: str | None = None
    turn: str | None = None
    status: str | None = None
    assigned: str | None = None
    due: Due | None = None
    blocked: str | None = None
    system: str | None = None
    language: str | None = None
    month: date | None = None


class Place(NamedTuple):
    """Where an entry stands on the list; enough of it to go on after it."""

    clock_runs: bool
    target_due: date
    request_id: UUID


class Alike(NamedTuple):
    """How many open requests have all of this in common."""

    controller: str
    right: str
    turn: str
    status: str
    language: str
    assigned: str
    due: Due
    number: int


# The civil date until which a request counts: its clock may stand still.
_DAY: LiteralString = (
    "CASE WHEN suspension_relied_on"
    " THEN least(CASE country WHEN 'SE' THEN %(se)s::date ELSE %(no)s::date END, paused_since)"
    " ELSE CASE country WHEN 'SE' THEN %(se)s::date ELSE %(no)s::date END END"
)
_SUNDAY: LiteralString = (
    "CASE country WHEN 'SE' THEN %(se_sunday)s::date ELSE %(no_sunday)s::date END"
)

_DUE: dict[Due, LiteralString] = {
    Due.LATE: f" AND clock_runs AND target_due < {_DAY}",
    Due.WEEK: f" AND clock_runs AND target_due BETWEEN {_DAY} AND {_SUNDAY}",
    Due.LATER: f" AND clock_runs AND target_due > {_SUNDAY} AND target_due >= {_DAY}",
    Due.ANSWERED: " AND NOT clock_runs",
}


def page(
    sql: Reader,
    controllers: Sequence[str],
    today: Today,
    narrowed: Narrowed,
    *,
    after: Place | Work | None = None,
    limit: int,
) -> list[Work]:
    """Open requests in order of target, those that are answered last; after `after`, if given."""
    return _in_order(
        sql,
        _seen(controllers, narrowed),
        _conditions(narrowed),
        _values(narrowed, today),
        after=after,
        limit=limit,
    )


def entries(
    sql: Reader,
    controllers: Sequence[str],
    *,
    turn: str | None = None,
    assigned_to: str | None = None,
    after: Place | Work | None = None,
    limit: int = 100,
) -> list[Work]:
    """The same without a day: `assigned_to` is a staff id and nothing else."""
    wanted: LiteralString = ""
    if turn is not None:
        wanted += " AND turn = %(turn)s"
    if assigned_to is not None:
        wanted += " AND assigned_to = %(assigned_to)s"
    values = {"turn": turn, "assigned_to": assigned_to}
    return _in_order(sql, controllers, wanted, values, after=after, limit=limit)


def _in_order(
    sql: Reader,
    controllers: Sequence[str],
    wanted: LiteralString,
    values: dict[str, Any],
    *,
    after: Place | Work | None,
    limit: int,
) -> list[Work]:
    if after is not None:
        wanted += (
            " AND (NOT clock_runs, target_due, request_id)"
            " > (%(answered)s::boolean, %(target_due)s::date, %(after)s::uuid)"
        )
        values |= {
            "answered": not after.clock_runs,
            "target_due": after.target_due,
            "after": after.request_id,
        }
    # The ids come from the index alone, controller by controller, because it is in order within
    # one of them only; a row is fetched when it is known to be on the page.
    found = sql.fetch(
        "SELECT work.* FROM ("  # noqa: S608
        "SELECT due.* FROM unnest(%(controllers)s::text[]) served (controller), LATERAL ("
        " SELECT NOT clock_runs AS answered, target_due, request_id FROM views.deadline_worklist"
        f" WHERE NOT closed AND controller = served.controller{wanted}"
        " ORDER BY NOT clock_runs, target_due, request_id LIMIT %(limit)s) due"
        " ORDER BY 1, 2, 3 LIMIT %(limit)s) due JOIN views.deadline_worklist work"
        " USING (request_id) ORDER BY due.answered, due.target_due, due.request_id",
        values | {"controllers": sorted(set(controllers)), "limit": limit},
    )
    return [Work(**row) for row in found]


def everything(
    sql: Reader,
    controllers: Sequence[str],
    *,
    closed: bool = True,
    after: UUID | None = None,
    limit: int = 500,
) -> list[Work]:
    """Requests in the order of their ids, closed ones too: for whoever goes through all of them."""
    found = sql.fetch(
        """
        SELECT * FROM views.deadline_worklist
        WHERE controller = ANY(%(controllers)s) AND (%(closed)s OR NOT closed)
          AND (%(after)s::uuid IS NULL OR request_id > %(after)s::uuid)
        ORDER BY request_id LIMIT %(limit)s
        """,
        {"controllers": list(controllers), "closed": closed, "after": after, "limit": limit},
    )
    return [Work(**row) for row in found]


def of_request(sql: Reader, request_id: UUID) -> Work | None:
    found = sql.fetch("SELECT * FROM views.deadline_worklist WHERE request_id = %s", [request_id])
    return Work(**found[0]) if found else None


def of_case(sql: Reader, case_id: UUID) -> list[Work]:
    """Every request of a case, closed ones too."""
    found = sql.fetch(
        "SELECT * FROM views.deadline_worklist WHERE case_id = %s"
        " ORDER BY target_due, subject_right",
        [case_id],
    )
    return [Work(**row) for row in found]


def counted(
    sql: Reader, controllers: Sequence[str], today: Today, narrowed: Narrowed
) -> list[Alike] | None:
    """What is open by what it has in common; None where it is too much to be counted.

    Only `blocked`, `system` and `month` narrow this down; by the rest it can be added up.
    """
    wide = Narrowed(blocked=narrowed.blocked, system=narrowed.system, month=narrowed.month)
    found = sql.fetch(
        "SELECT controller, subject_right, turn, status, language, assigned_to,"  # noqa: S608
        f" CASE WHEN NOT clock_runs THEN 'answered' WHEN target_due < {_DAY} THEN 'late'"
        f" WHEN target_due <= {_SUNDAY} THEN 'week' ELSE 'later' END AS due,"
        " count(*) AS number FROM (SELECT * FROM views.deadline_worklist"
        f" WHERE NOT closed AND controller = ANY(%(controllers)s){_conditions(wide)}"
        " LIMIT %(limit)s) counted GROUP BY 1, 2, 3, 4, 5, 6, 7",
        _values(wide, today) | {"controllers": list(controllers), "limit": MOST_COUNTED + 1},
    )
    if sum(row["number"] for row in found) > MOST_COUNTED:
        return None
    return [
        Alike(
            controller=row["controller"],
            right=row["subject_right"],
            turn=row["turn"],
            status=row["status"],
            language=row["language"],
            assigned=row["assigned_to"] or NOBODY,
            due=Due(row["due"]),
            number=row["number"],
        )
        for row in found
    ]


def number_of(alike: Iterable[Alike], narrowed: Narrowed) -> int:
    """How many of the counted there would be on a list that is narrowed down like this."""
    wanted = [
        (name, getattr(narrowed, name))
        for name in ("controller", "right", "turn", "status", "language", "assigned", "due")
        if getattr(narrowed, name) is not None
    ]
    return sum(
        one.number for one in alike if all(getattr(one, name) == value for name, value in wanted)
    )


def _seen(controllers: Sequence[str], narrowed: Narrowed) -> list[str]:
    return [one for one in controllers if narrowed.controller in {None, one}]


def _conditions(narrowed: Narrowed) -> LiteralString:
    wanted: LiteralString = ""
    if narrowed.right is not None:
        wanted += " AND subject_right = %(right)s"
    if narrowed.turn is not None:
        wanted += " AND turn = %(turn)s"
    if narrowed.status is not None:
        wanted += " AND status = %(status)s"
    if narrowed.assigned == NOBODY:
        wanted += " AND assigned_to IS NULL"
    elif narrowed.assigned is not None:
        wanted += " AND assigned_to = %(assigned)s"
    if narrowed.language is not None:
        wanted += " AND language = %(language)s"
    if narrowed.blocked is not None:
        wanted += " AND %(blocked)s = ANY(blocked_by)"
    if narrowed.system is not None:
        wanted += " AND %(system)s = ANY(systems_answering || person_tasks)"
    if narrowed.month is not None:
        wanted += " AND received_on >= %(month)s AND received_on < %(month)s + interval '1 month'"
    if narrowed.due is not None:
        wanted += _DUE[narrowed.due]
    return wanted


def _values(narrowed: Narrowed, today: Today) -> dict[str, Any]:
    norway, sweden = today[Country.NO], today[Country.SE]
    return {
        "right": narrowed.right,
        "turn": narrowed.turn,
        "status": narrowed.status,
        "assigned": narrowed.assigned,
        "language": narrowed.language,
        "blocked": narrowed.blocked,
        "system": narrowed.system,
        "month": narrowed.month,
        "no": norway,
        "se": sweden,
        "no_sunday": _sunday(norway),
        "se_sunday": _sunday(sweden),
    }


def _sunday(day: date) -> date:
    return day + timedelta(days=6 - day.weekday())
