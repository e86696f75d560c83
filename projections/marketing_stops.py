"""Marketing stopped by one click in a mail, counted by controller and month (Art. 21(3); GK-18).

Whose address it was stands nowhere here: the link and the list of suppressions alone know it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, LiteralString
from uuid import UUID

from domain.deadlines import received_on
from domain.marketing_stop import MarketingStop
from domain.vocabulary import Country
from projections.projection import Projection, Reader, Row, Rows, Table, Tally, when

UNDER_WAY, STOPPED, HANDED_OVER = "under-way", "stopped", "handed-over"
MOST = 120
"""Lines: ten years of one controller."""


@dataclass(slots=True, kw_only=True)
class Stop(Row):
    """One click, and what became of it."""

    stop_id: Annotated[UUID, "The click"]
    controller: Annotated[str, "The controller, by the id of its profile"]
    asked_at: Annotated[datetime, "When it was clicked"]
    asked_month: Annotated[date, "The first day of that month, in Oslo and Stockholm"]
    systems: Annotated[list[str], "The systems that send marketing, by id"]
    stopped: Annotated[list[str], "Those that have stopped"]
    state: Annotated[str, "under-way, stopped, or handed-over to a person in the inbox"] = UNDER_WAY
    case_id: Annotated[UUID | None, "The case in which a person sees to it"] = None
    again: Annotated[int, "How often it was stopped anew after an import"] = 0

    def settle(self) -> None:
        if self.case_id is not None:
            self.state = HANDED_OVER
        elif set(self.systems) <= set(self.stopped):
            self.state = STOPPED


STOPS = Table(
    "marketing_stops",
    Stop,
    key=("stop_id",),
    found_by=("stop_id",),
    comment="One row per click in a mail that stops marketing, without whose it was",
    indexes=("(controller, asked_at)",),
    tallies=(
        Tally(
            "marketing_stops_alike",
            alike=("controller", "asked_month", "state"),
            comment="How many clicks of a month stand alike",
        ),
    ),
)


class MarketingStops(Projection):
    name = "marketing_stops"
    tables = (STOPS,)

    @when(MarketingStop.Asked)
    def asked(self, event: MarketingStop.Asked, rows: Rows) -> None:
        # Norway and Sweden keep the same time, so that one of them tells the day of both.
        day = received_on(event.timestamp, Country.NO)
        rows.add(
            STOPS,
            Stop(
                stop_id=event.originator_id,
                controller=event.controller,
                asked_at=event.timestamp,
                asked_month=day.replace(day=1),
                systems=list(event.systems),
                stopped=[],
            ),
        )

    @when(MarketingStop.SystemStopped)
    def system_stopped(self, event: MarketingStop.SystemStopped, rows: Rows) -> None:
        for stop in rows.changing(STOPS, event.originator_id):
            stop.stopped = [*stop.stopped, event.system]

    @when(MarketingStop.HandedOver)
    def handed_over(self, event: MarketingStop.HandedOver, rows: Rows) -> None:
        for stop in rows.changing(STOPS, event.originator_id):
            stop.case_id = event.case_id

    @when(MarketingStop.StoppedAgain)
    def stopped_again(self, event: MarketingStop.StoppedAgain, rows: Rows) -> None:
        for stop in rows.changing(STOPS, event.originator_id):
            stop.again += 1


# Queries


@dataclass(frozen=True, slots=True)
class Counted:
    """The clicks of a month at a controller, by what became of them."""

    controller: str
    month: date
    asked: int
    stopped: int
    under_way: int
    handed_over: int


def by_month(sql: Reader, controllers: Sequence[str]) -> list[Counted]:
    """The newest first."""
    found = sql.fetch(_BY_MONTH, {"controllers": list(controllers), "most": MOST})
    return [Counted(**row) for row in found]


def number(
    sql: Reader,
    controllers: Sequence[str],
    *,
    month: date | None = None,
    since: date | None = None,
) -> int:
    (row,) = sql.fetch(
        "SELECT coalesce(sum(number), 0)::bigint AS number FROM views.marketing_stops_alike"
        " WHERE controller = ANY(%(controllers)s)"
        " AND (%(month)s::date IS NULL OR asked_month = %(month)s::date)"
        " AND (%(since)s::date IS NULL OR asked_month >= %(since)s::date)",
        {"controllers": list(controllers), "month": month, "since": since},
    )
    return int(row["number"])


_BY_MONTH: LiteralString = """
    SELECT controller, asked_month AS month, sum(number)::bigint AS asked,
        coalesce(sum(number) FILTER (WHERE state = 'stopped'), 0)::bigint AS stopped,
        coalesce(sum(number) FILTER (WHERE state = 'under-way'), 0)::bigint AS under_way,
        coalesce(sum(number) FILTER (WHERE state = 'handed-over'), 0)::bigint AS handed_over
    FROM views.marketing_stops_alike
    WHERE controller = ANY(%(controllers)s) AND number <> 0
    GROUP BY controller, asked_month
    ORDER BY asked_month DESC, controller
    LIMIT %(most)s
"""
