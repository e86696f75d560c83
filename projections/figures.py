"""The board's figures: how controllers keep their dates, and where they are at risk (Art. 12(3)).

The shares answered within one and three months are what 32 authorities asked 764 controllers for
in 2025. What is over is read from tallies, what is open from its rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from math import ceil
from typing import Any, LiteralString

from projections.board import DAY, OPEN, Selection, of_dimensions, params_of, where_of
from projections.projection import Reader, Today


@dataclass(frozen=True, slots=True)
class Share:
    """How many answers came in time, of those of which it is known."""

    kept: int
    missed: int

    @property
    def ratio(self) -> float | None:
        known = self.kept + self.missed
        return self.kept / known if known else None


@dataclass(frozen=True, slots=True)
class Measures:
    """How a group of requests stands; `of` says what they share, None where they are all."""

    of: str | None
    received: int
    open: int
    open_late: int
    open_today: int
    open_0_to_2_days: int
    open_3_to_7_days: int
    open_8_to_14_days: int
    open_15_days_or_more: int
    past_promise: int
    past_statutory: int
    statutory: Share
    promise: Share
    target: Share
    within_one_month: Share
    within_three_months: Share
    median_days: float | None
    ninety_percent_days: float | None
    risk_days: int
    """Days between the target and the answer, or today, of everything that came too late."""
    in_full: int
    in_part: int
    refused: int
    referred: int
    withdrawn: int
    closed: int
    """Answered; something may still be kept."""
    ended: int
    """Nothing is left to do or to keep."""


@dataclass(frozen=True, slots=True)
class Figures:
    """All together, and by what can be told apart; each group in its natural order."""

    all: Measures
    by_controller: tuple[Measures, ...]
    by_right: tuple[Measures, ...]
    by_channel: tuple[Measures, ...]
    by_month: tuple[Measures, ...]


DIMENSIONS = ("controller", "subject_right", "channel", "received_month")


def figures(sql: Reader, selection: Selection, today: Today) -> Figures:
    """A request that is open after its date has missed it; one that was withdrawn or referred has
    no answer and counts in no share.
    """
    params = params_of(selection, today)
    sums: dict[tuple[str, str | None], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    days: dict[tuple[str, str | None], dict[int, int]] = defaultdict(dict)
    for found in sql.fetch(_open_sql(selection), params), sql.fetch(_over_sql(selection), params):
        for row in found:
            group = sums[_group(row)]
            for name, number in row.items():
                group[name] += int(number or 0)
    for row in sql.fetch(_days_sql(selection), params):
        number, taken = row.pop("number"), row.pop("days_taken")
        days[_group(row)][taken] = int(number)

    def measured(dimension: str) -> tuple[Measures, ...]:
        groups = sorted(of for of in sums if of[0] == dimension)
        return tuple(_measured(sums[of], days[of], of[1]) for of in groups)

    return Figures(
        _measured(sums["all", None], days["all", None], None),
        *(measured(dimension) for dimension in DIMENSIONS),
    )


def _group(row: dict[str, Any]) -> tuple[str, str | None]:
    """Which group a row of `GROUPING SETS` is about; its names are taken out of the row."""
    level = row.pop("level")
    names = [row.pop(dimension) for dimension in DIMENSIONS]
    for place, dimension in enumerate(DIMENSIONS):
        if not level & (1 << (len(DIMENSIONS) - 1 - place)):
            value = names[place]
            return dimension, f"{value:%Y-%m}" if isinstance(value, date) else value
    return "all", None


_LEVELS: LiteralString = (
    "SELECT GROUPING(controller, subject_right, channel, received_month) AS level,"
    " controller, subject_right, channel, received_month, "
)
_SETS: LiteralString = (
    " GROUP BY GROUPING SETS ((), (controller), (subject_right), (channel), (received_month))"
)
_DAYS_SETS: LiteralString = (
    " GROUP BY days_taken, GROUPING SETS"
    " ((), (controller), (subject_right), (channel), (received_month))"
)


def _open_sql(selection: Selection) -> LiteralString:
    """What is open today, with the dates that it has missed unanswered."""
    open_: LiteralString = "answered_on IS NULL AND "
    missed: LiteralString = ", ".join(
        "count(*) FILTER (WHERE " + open_ + due + " < day) AS " + name + "_missed"
        for name, due in _MISSED_BY
    )
    buckets: LiteralString = ", ".join(
        "count(*) FILTER (WHERE " + OPEN[word] + ") AS " + name for word, name in _BUCKETS
    )
    wanted = where_of(replace(selection, since=None))
    return (
        _LEVELS
        + "count(*) AS received, count(*) AS open, "
        + buckets
        + ", "
        + missed
        + ", count(*) FILTER (WHERE promise_due < day) AS past_promise,"
        " count(*) FILTER (WHERE statutory_due < day) AS past_statutory,"
        " sum(greatest(day - target_due, 0)) FILTER (WHERE answered_on IS NULL) AS risk_days,"
        " count(*) FILTER (WHERE outcome = 'refused') AS refused,"
        " count(*) FILTER (WHERE outcome = 'in-part') AS in_part,"
        " count(*) FILTER (WHERE outcome = 'in-full') AS in_full,"
        " count(*) FILTER (WHERE outcome = 'referred') AS referred,"
        " count(*) FILTER (WHERE outcome = 'withdrawn') AS withdrawn"
        " FROM views.dashboard "
        + DAY
        + " WHERE controller = ANY(%(controllers)s) AND clock_runs"
        + wanted
        + _SETS
    )


_MISSED_BY: tuple[tuple[LiteralString, LiteralString], ...] = (
    ("statutory", "statutory_due"),
    ("promise", "promise_due"),
    ("target", "target_due"),
    ("month", "month_due"),
    ("three_months", "CASE WHEN month_due IS NOT NULL THEN received_on + interval '3 months' END"),
)
_BUCKETS: tuple[tuple[str, LiteralString], ...] = (
    ("late", "open_late"),
    ("today", "open_today"),
    ("0-2", "open_0_to_2_days"),
    ("3-7", "open_3_to_7_days"),
    ("8-14", "open_8_to_14_days"),
    ("15+", "open_15_days_or_more"),
)


def _over_sql(selection: Selection) -> LiteralString:
    """What was answered or dropped. What was opened again counts among the open ones too."""
    kept: LiteralString = ", ".join(
        "sum(number) FILTER (WHERE " + name + "_kept) AS " + name + "_kept,"
        " sum(number) FILTER (WHERE NOT " + name + "_kept) AS " + name + "_missed"
        for name, _ in _MISSED_BY
    )
    over: LiteralString = "sum(number) FILTER (WHERE NOT clock_runs"
    return (
        _LEVELS
        + over
        + ") AS received, "
        + kept
        + ", sum(risk_days) AS risk_days,"
        + over
        + " AND outcome = 'refused') AS refused,"
        + over
        + " AND outcome = 'in-part') AS in_part,"
        + over
        + " AND outcome = 'in-full') AS in_full,"
        + over
        + " AND outcome = 'referred') AS referred,"
        + over
        + " AND outcome = 'withdrawn') AS withdrawn,"
        " sum(number) FILTER (WHERE closed) AS closed, sum(number) FILTER (WHERE ended) AS ended"
        " FROM views.dashboard_over" + _counted(selection, " OR clock_runs") + _SETS
    )


def _days_sql(selection: Selection) -> LiteralString:
    return (
        _LEVELS
        + "days_taken, sum(number) AS number FROM views.dashboard_days"
        + _counted(selection)
        + _DAYS_SETS
    )


def _counted(selection: Selection, even: LiteralString = "") -> LiteralString:
    where: LiteralString = (
        " WHERE controller = ANY(%(controllers)s) AND number <> 0" + of_dimensions(selection)
    )
    if selection.since is not None:
        where += " AND (received_month >= %(since)s" + even + ")"
    return where


def _measured(sums: Mapping[str, int], days: Mapping[int, int], of: str | None) -> Measures:
    def number(name: str) -> int:
        return sums.get(name, 0)

    def share(name: str) -> Share:
        return Share(number(f"{name}_kept"), number(f"{name}_missed"))

    plain = {one.name: number(one.name) for one in fields(Measures) if one.type == "int"}
    return Measures(
        of=of,
        **plain,
        statutory=share("statutory"),
        promise=share("promise"),
        target=share("target"),
        within_one_month=share("month"),
        within_three_months=share("three_months"),
        median_days=percentile(days, 0.5),
        ninety_percent_days=percentile(days, 0.9),
    )


def percentile(days: Mapping[int, int], share: float) -> float | None:
    """As PostgreSQL's `percentile_cont`: between two answers, in proportion."""
    if not days:
        return None
    place = share * (sum(days.values()) - 1)
    lower, upper = _at(days, int(place)), _at(days, ceil(place))
    return lower + (upper - lower) * (place - int(place))


def _at(days: Mapping[int, int], place: int) -> int:
    for number in sorted(days):
        place -= days[number]
        if place < 0:
            return number
    raise IndexError(place)
