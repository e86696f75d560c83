"""Which rights reach beyond our own systems, and which are looked for first (no database)."""

from __future__ import annotations

from domain.vocabulary import Right
from services.planning import SEARCHES, TOLD_TO_RECIPIENTS


def test_recipients_hear_of_whatever_changes_what_they_hold() -> None:
    """AK-23, MU-15, B.1 row 19: erased, rectified, restricted, and stopped by an objection."""
    told = {Right.ERASURE, Right.RECTIFICATION, Right.RESTRICTION, Right.OBJECTION}

    assert told == TOLD_TO_RECIPIENTS


def test_what_is_about_the_records_is_looked_for_in_every_system() -> None:
    """GK-04, OK-05: a copy is complete, and an erasure reaches all registers."""
    assert {Right.ACCESS, Right.ERASURE, Right.RECTIFICATION} <= SEARCHES
    assert not {Right.OBJECTION_TO_MARKETING, Right.WITHDRAWAL} & SEARCHES
