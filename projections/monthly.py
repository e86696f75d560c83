"""A month's figures for the officer's report: as of the last event recorded, nothing personal.

What was received is followed to where it stands now; extensions, refusals, failures, advice and
breaches are those of the month itself, whenever their requests were received.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, LiteralString
from zoneinfo import ZoneInfo

from domain.deadlines import add_months
from domain.vocabulary import Country
from projections.board import Selection
from projections.connector_tasks import Failures, failures
from projections.figures import Figures, figures
from projections.projection import Reader, civil_dates


@dataclass(frozen=True, slots=True)
class Counted:
    """How often one thing was the reason, or the ground with its law."""

    code: str
    law: str | None
    number: int


@dataclass(frozen=True, slots=True)
class Advised:
    """What the officer was asked about one thing, and what became of the advice."""

    about: str
    asked: int
    advised: int
    followed: int
    not_followed: int


@dataclass(frozen=True, slots=True)
class SystemMonth:
    """One connected system: what was asked of it in the month, and how often it failed in it."""

    failures: Failures
    failed: int


@dataclass(frozen=True, slots=True)
class Breaches:
    """Answers that reached somebody else, as they were reported in the month."""

    reported: int
    fetched: int
    authority_told: int
    authority_need_not: int
    authority_open: int
    person_told: int


@dataclass(frozen=True, slots=True)
class Month:
    """Everything the report tells."""

    controller: str
    month: date
    as_of: datetime
    position: int
    figures: Figures
    answered: int
    """How many answers left in the month, whenever they had been asked for."""
    extensions: tuple[Counted, ...]
    refusals: tuple[Counted, ...]
    systems: tuple[SystemMonth, ...]
    advice: tuple[Advised, ...]
    breaches: Breaches


def month_of(
    sql: Reader,
    controller: str,
    country: Country,
    month: date,
    *,
    as_of: datetime,
    position: int,
) -> Month:
    zone = ZoneInfo(country.zone)
    following = add_months(month, 1)
    params: dict[str, Any] = {
        "controller": controller,
        "first": month,
        "following": following,
        "begins": datetime.combine(month, time(), zone),
        "ends": datetime.combine(following, time(), zone),
        "name": f"{month:%Y-%m}",
    }
    (answered,) = sql.fetch(_ANSWERED, params)
    failed = {row["system"]: int(row["failed"]) for row in sql.fetch(_FAILED, params)}
    asked = {one.system: one for one in failures(sql, [controller], month=month)}
    (breaches,) = sql.fetch(_BREACHES, params)
    return Month(
        controller=controller,
        month=month,
        as_of=as_of,
        position=position,
        figures=figures(sql, Selection((controller,), month=month), civil_dates(as_of)),
        answered=int(answered["number"]),
        extensions=tuple(Counted(**row) for row in sql.fetch(_EXTENSIONS, params)),
        refusals=tuple(Counted(**row) for row in sql.fetch(_REFUSALS, params)),
        systems=tuple(
            SystemMonth(one, failed.get(name, 0))
            for name, one in sorted(asked.items())
            if one.asked or failed.get(name)
        ),
        advice=tuple(Advised(**row) for row in sql.fetch(_ADVICE, params)),
        breaches=Breaches(**breaches),
    )


_ANSWERED: LiteralString = """
    SELECT count(*) AS number FROM views.dashboard
    WHERE controller = %(controller)s AND answered_on >= %(first)s AND answered_on < %(following)s
"""
_EXTENSIONS: LiteralString = """
    SELECT reason AS code, NULL AS law, count(*) AS number
    FROM views.dashboard, unnest(string_to_array(extended_for, '/')) AS reason
    WHERE controller = %(controller)s AND extended_on >= %(first)s AND extended_on < %(following)s
    GROUP BY reason ORDER BY number DESC, reason
"""
_REFUSALS: LiteralString = """
    SELECT refused_for AS code, refused_by_law AS law, count(*) AS number
    FROM views.dashboard
    WHERE controller = %(controller)s AND refused_on >= %(first)s AND refused_on < %(following)s
    GROUP BY 1, 2 ORDER BY number DESC, 1, 2
"""
_FAILED: LiteralString = """
    SELECT system, sum((failures_by_month ->> %(name)s)::bigint) AS failed
    FROM views.connector_tasks
    WHERE controller = %(controller)s AND failures > 0 AND failures_by_month ? %(name)s
    GROUP BY system
"""
_ADVICE: LiteralString = """
    SELECT about, count(*) AS asked, count(advised_at) AS advised,
        count(*) FILTER (WHERE followed) AS followed,
        count(*) FILTER (WHERE NOT followed) AS not_followed
    FROM views.officer_advice JOIN views.dashboard USING (request_id)
    WHERE controller = %(controller)s AND asked_at >= %(begins)s AND asked_at < %(ends)s
    GROUP BY about ORDER BY about
"""
_BREACHES: LiteralString = """
    SELECT count(*) AS reported, count(*) FILTER (WHERE fetched) AS fetched,
        count(*) FILTER (WHERE authority_told) AS authority_told,
        count(*) FILTER (WHERE NOT authority_told) AS authority_need_not,
        count(*) FILTER (WHERE authority_told IS NULL) AS authority_open,
        count(*) FILTER (WHERE person_told) AS person_told
    FROM views.breaches JOIN views.dashboard USING (request_id)
    WHERE controller = %(controller)s AND reported_at >= %(begins)s AND reported_at < %(ends)s
"""
