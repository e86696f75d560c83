"""The dates of one request on a day: what counts, what would if pauses did, and why (B.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from adapters.inbound.web.case_parts import Due, World
from domain.calendar import calendar_named
from domain.explanation import Step, explain
from domain.request import DataSubjectRequest
from domain.vocabulary import Language


def dates_of(request: DataSubjectRequest, today: date) -> Iterator[Due]:
    dates = request.both_worlds_on(today)
    named = (
        ("act_by", request.act_by),
        ("target", request.aim_on(today)),
        ("promise", dates.promise_due),
        ("law", dates.statutory_due),
        ("extended", dates.extended_due),
        ("suspended", dates.statutory_due_if_suspended),
    )
    for name, day in named:
        if day is not None:
            yield Due(name, day, (day - today).days)


def worlds_of(request: DataSubjectRequest, today: date) -> Iterator[World]:
    """Both ways of counting side by side; none where the person kept nobody waiting for a day."""
    closed = (ended_on - opened_on for _, opened_on, ended_on in request.ledger)
    still = (today - opened_on for opened_on in request.open_pauses.values())
    if not any(waited.days >= 1 for waited in (*closed, *still)):
        return
    dates = request.both_worlds_on(today)
    pairs = (
        ("target", dates.aim(), dates.target_due_if_suspended),
        ("promise", dates.promise_due, dates.promise_due),
        ("law", dates.last_day(), dates.statutory_due_if_suspended),
    )
    for name, without, paused in pairs:
        if without is not None:
            yield World(name, without, paused or without)


def why(request: DataSubjectRequest, today: date, language: Language) -> Sequence[Step]:
    """How each date came about, step by step."""
    return explain(
        request.received_on,
        calendar_named(request.dates.calendar),
        request.promise_days,
        language,
        pauses=request.pauses_on(today),
        extension=request.dates.extended_due is not None,
        statutory=request.right.is_statutory,
        relied=request.suspension_relied_on,
        earlier_receipts=request.earlier_receipts,
        earlier_dates=request.earlier_dates,
    )
