"""Which requests a figure of the board is about, and the list of them.

Every figure can be asked for its requests: a `Selection` says which, with the parameters
`controller, right, channel, system, month=YYYY-MM, since=YYYY-MM, outcome,
missed=target|promise|statutory, open=all|late|today|0-2|3-7|8-14|15+`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, LiteralString
from uuid import UUID

from domain.vocabulary import Country
from projections.dashboard import Kept
from projections.projection import Reader, Today

# What is selected

MISSED = ("target", "promise", "statutory")
OPEN: Mapping[str, LiteralString] = {
    "all": "true",
    "late": "target_due < day",
    "today": "target_due = day",
    "0-2": "target_due - day BETWEEN 0 AND 2",
    "3-7": "target_due - day BETWEEN 3 AND 7",
    "8-14": "target_due - day BETWEEN 8 AND 14",
    "15+": "target_due - day >= 15",
}
"""Open requests by the days that are left until their target."""

_DUE: Mapping[str, LiteralString] = {
    "target": "(target_kept IS FALSE OR clock_runs AND answered_on IS NULL AND target_due < day)",
    "promise": "(promise_kept IS FALSE OR clock_runs AND answered_on IS NULL"
    " AND promise_due < day)",
    "statutory": "(statutory_kept IS FALSE OR clock_runs AND answered_on IS NULL"
    " AND statutory_due < day)",
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which requests a figure, or the list behind it, is about.

    `since` leaves out what was received in months before, except what is still open; `month` is
    the one month of receipt. Both are the first day of a month.
    """

    controllers: tuple[str, ...]
    right: str | None = None
    channel: str | None = None
    system: str | None = None
    month: date | None = None
    since: date | None = None
    outcome: str | None = None
    missed: str | None = None
    open: str | None = None

    def __post_init__(self) -> None:
        if self.missed is not None and self.missed not in MISSED:
            raise ValueError(f"missed is one of {', '.join(MISSED)}")
        if self.open is not None and self.open not in OPEN:
            raise ValueError(f"open is one of {', '.join(OPEN)}")

    @classmethod
    def asked(cls, controllers: Sequence[str], params: Mapping[str, str]) -> Selection:
        """What an address asks for, among controllers that may be seen; what is odd is left out."""
        named = params.get("controller")
        return cls(
            controllers=tuple(one for one in controllers if not named or one == named),
            right=params.get("right") or None,
            channel=params.get("channel") or None,
            system=params.get("system") or None,
            month=month_named(params.get("month")),
            since=month_named(params.get("since")),
            outcome=params.get("outcome") or None,
            missed=_known(params.get("missed"), MISSED),
            open=_known(params.get("open"), OPEN),
        )

    def params(self) -> dict[str, str]:
        """The same as parameters of an address, without the controllers."""
        said = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "controllers"}
        return {
            name: f"{value:%Y-%m}" if isinstance(value, date) else str(value)
            for name, value in said.items()
            if value is not None
        }


def month_named(word: str | None) -> date | None:
    """The first day of a month as `YYYY-MM` names it."""
    try:
        return date.fromisoformat(f"{word}-01") if word and len(word) == 7 else None
    except ValueError:
        return None


def _known(word: str | None, known: Sequence[str] | Mapping[str, object]) -> str | None:
    return word if word in known else None


# The requests behind a figure


def requests_behind(
    sql: Reader,
    selection: Selection,
    today: Today,
    *,
    after: tuple[date, UUID] | None = None,
    limit: int = 100,
) -> list[Kept]:
    """The newest first; `after` is receipt and id of the last one of the page before."""
    where = where_of(selection)
    if after is not None:
        where += " AND (received_on, request_id) < (%(after_day)s::date, %(after_id)s::uuid)"
    # Controller by controller, because an index is in order within one of them only.
    found = sql.fetch(
        _ROWS + where + _THE_NEWEST,
        {
            **params_of(selection, today),
            "limit": limit,
            "after_day": after[0] if after else None,
            "after_id": after[1] if after else None,
        },
    )
    return [Kept(**row) for row in found]


def count_behind(
    sql: Reader, selection: Selection, today: Today, *, most: int | None = None
) -> int:
    """How many there are; with `most`, no more than so many of each controller are counted."""
    (row,) = sql.fetch(
        _NUMBER + where_of(selection) + " LIMIT %(most)s) found",
        {**params_of(selection, today), "most": most},
    )
    return int(row["number"])


DAY: LiteralString = """
    CROSS JOIN LATERAL (SELECT CASE country WHEN 'SE' THEN %(se)s::date ELSE %(no)s::date END) now
        (day)
"""
# The ids come from the index alone; a row is fetched when it is known to be on the page.
_ROWS: LiteralString = (
    "SELECT kept.* FROM ("  # noqa: S608
    "SELECT newest.* FROM unnest(%(controllers)s::text[]) served (controller), LATERAL ("
    "SELECT received_on, request_id FROM views.dashboard"
    + DAY
    + " WHERE controller = served.controller"
)
_THE_NEWEST: LiteralString = (
    " ORDER BY received_on DESC, request_id DESC LIMIT %(limit)s) newest"
    " ORDER BY received_on DESC, request_id DESC LIMIT %(limit)s) page"
    " JOIN views.dashboard kept USING (request_id)"
    " ORDER BY page.received_on DESC, request_id DESC"
)
_NUMBER: LiteralString = (
    "SELECT count(*) AS number FROM unnest(%(controllers)s::text[]) served (controller), LATERAL ("  # noqa: S608
    "SELECT 1 FROM views.dashboard" + DAY + " WHERE controller = served.controller"
)


def where_of(selection: Selection) -> LiteralString:
    where = of_dimensions(selection)
    if selection.since is not None:
        where += " AND (received_month >= %(since)s OR clock_runs)"
    if selection.outcome == "open":
        where += " AND clock_runs"
    elif selection.outcome is not None:
        where += " AND outcome = %(outcome)s"
    if selection.missed is not None:
        where += " AND " + _DUE[selection.missed]
    if selection.open is not None:
        where += " AND clock_runs AND " + OPEN[selection.open]
    return where


def of_dimensions(selection: Selection) -> LiteralString:
    where: LiteralString = ""
    if selection.right is not None:
        where += " AND subject_right = %(right)s"
    if selection.channel is not None:
        where += " AND channel = %(channel)s"
    if selection.system is not None:
        where += " AND %(system)s = ANY(systems)"
    if selection.month is not None:
        where += " AND received_month = %(month)s"
    return where


def params_of(selection: Selection, today: Today) -> dict[str, Any]:
    said = {f.name: getattr(selection, f.name) for f in fields(selection)}
    days = {"no": today[Country.NO], "se": today[Country.SE]}
    return {**said, **days, "controllers": list(selection.controllers)}
