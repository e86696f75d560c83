"""How long data is needed or must be kept, as pure functions of anchors and law (Art. 5(1)(e)).

Every `until` in Trettio is the last day on which something is kept; the day after, it goes.
"""

from __future__ import annotations

import calendar as civil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from domain.deadlines import add_months
from domain.facts import ENDS
from domain.policy import FiscalYear, Retention
from domain.vocabulary import Country

_DAY = timedelta(days=1)

PERFORMANCE: Final = (
    "open_order",
    "open_ticket",
    "subscription",
    "instalments",
    "refund_open",
    "open_balance",
)
"""Obligations that keep what entry or settlement needs, whatever the policy says or leaves out."""

OWED_BY_THE_PERSON: Final = frozenset({"instalments"})
"""A debt does not end because its debtor gives something up; a ticket does."""


# Bookkeeping


def fiscal_year_end(day: date, fiscal_year: FiscalYear) -> date:
    """The last day of the fiscal year in which the day falls."""
    this_year = _last_day(day.year, fiscal_year)
    return this_year if day <= this_year else _last_day(day.year + 1, fiscal_year)


def bookkeeping_until(country: Country, voucher_on: date, fiscal_year: FiscalYear) -> date:
    """The last day on which the law wants the voucher kept.

    Norway: five years after the fiscal year ended. Sweden: the seventh year, to its end, after the
    calendar year in which the fiscal year ended; so never simply the purchase plus seven years.
    """
    ended = fiscal_year_end(voucher_on, fiscal_year)
    match country:
        case Country.NO:
            return _last_day(ended.year + 5, fiscal_year)
        case Country.SE:
            return date(ended.year + 7, 12, 31)


def _last_day(year: int, fiscal_year: FiscalYear) -> date:
    month = fiscal_year.end_month
    return date(year, month, min(fiscal_year.end_day, civil.monthrange(year, month)[1]))


# The controller's own period


@dataclass(frozen=True, slots=True)
class RetentionEnd:
    """When the controller itself no longer needs a record, and what decided it.

    No `until`: the relation is open (`open_because`), or none of the anchors is known.
    """

    until: date | None
    anchor: str | None = None
    anchored_on: date | None = None
    open_because: tuple[str, ...] = ()

    def is_over(self, on: date) -> bool:
        return self.until is not None and self.until < on


def retention_end(
    retention: Retention,
    anchors: Mapping[str, date],
    flags: Collection[str] = (),
) -> RetentionEnd:
    """The period, counted from the latest anchor the record has, while nothing keeps it open.

    A rights request moves nothing, unless the profile says that it does.
    """
    names = retention.anchors
    if retention.request_resets_anchor:
        names = (*names, "rights_request")
    known = [(anchors[name], name) for name in names if name in anchors]
    open_because = tuple(flag for flag in retention.open_while if flag in flags)
    if not known:
        return RetentionEnd(until=None, open_because=open_because)
    anchored_on, anchor = max(known)
    until = add_months(anchored_on, retention.period.months if retention.period else 0)
    return RetentionEnd(
        until=None if open_because else until,
        anchor=anchor,
        anchored_on=anchored_on,
        open_because=open_because,
    )


# Open obligations


@dataclass(frozen=True, slots=True)
class Obligation:
    """Something still to be performed or settled; `until` is the day after its end, if known."""

    flag: str
    until: date | None


def open_obligations(
    retention: Retention, anchors: Mapping[str, date], flags: Collection[str], on: date
) -> Iterator[Obligation]:
    """What keeps the relation open on that day (tickets, subscriptions, instalments, refunds)."""
    if _came_to_nothing(flags):
        return
    for flag in dict.fromkeys((*PERFORMANCE, *retention.open_while)):
        if "given_up" in flags and flag not in OWED_BY_THE_PERSON:
            continue
        ends = anchors.get(ENDS.get(flag, ""))
        if ends is None:
            if flag in flags:
                yield Obligation(flag, until=None)
        elif on <= ends + _DAY:
            if flag in flags or _is_implied(flag, flags):
                yield Obligation(flag, until=ends + _DAY)
        elif flag in flags and flag in OWED_BY_THE_PERSON:
            # A debt outlives the day on which it was due.
            yield Obligation(flag, until=None)


def unmet(
    retention: Retention, anchors: Mapping[str, date], flags: Collection[str], on: date
) -> tuple[str, ...]:
    """Which of the controller's conditions for an earlier erasure are not known to be met."""
    if _came_to_nothing(flags) or retention_end(retention, anchors, flags).is_over(on):
        return ()
    met = set(flags)
    if "order_completed" in anchors and anchors["order_completed"] < on:
        met.add("contract_completed")
    if "warranty_ends" in anchors and anchors["warranty_ends"] < on:
        met.add("warranty_expired")
    return tuple(flag for flag in retention.erase_early_if if flag not in met)


def _came_to_nothing(flags: Collection[str]) -> bool:
    """An order that was never paid and is off leaves nothing to perform."""
    off = "failed_payment" in flags or "cancelled" in flags
    return off and not {"paid", "invoiced", "refund_open"} & set(flags)


def _is_implied(flag: str, flags: Collection[str]) -> bool:
    """A date to come opens its obligation by itself; a ticket must be paid and not called off."""
    if flag == "open_ticket":
        return "paid" in flags and "cancelled" not in flags
    return True
