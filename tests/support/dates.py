"""Dates that a test knows to be there."""

from __future__ import annotations

from datetime import date

from domain.deadlines import Deadlines


def by_law(dates: Deadlines) -> date:
    """The last day by Art. 12(3) of a right that has one."""
    assert dates.statutory_due is not None
    return dates.statutory_due
