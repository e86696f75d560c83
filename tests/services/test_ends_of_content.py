"""When our own case content goes, by the controller's profile (no database)."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

from domain.vocabulary import Compartment
from services.retention import ends_of_content
from tests.support.policies import POLICIES

CLOSED = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


def test_uploads_go_at_once_copies_after_thirty_days_and_letters_after_three_years() -> None:
    """MU-16, B.2.9, B.7 row case-file: the careful default."""
    ends = ends_of_content(POLICIES["MU"], CLOSED)

    assert set(ends) == set(Compartment) - {Compartment.HOLD}
    assert ends[Compartment.UPLOAD] == CLOSED
    assert ends[Compartment.PACKAGE] == CLOSED + timedelta(days=30)
    assert ends[Compartment.CORRESPONDENCE].date().isoformat() == "2029-11-30"


def test_the_controller_may_choose_other_periods() -> None:
    """B.7 row case-file: both are configurable."""
    profile = dataclasses.replace(POLICIES["MU"], content_days=60, correspondence_months=24)

    ends = ends_of_content(profile, CLOSED)

    assert ends[Compartment.PACKAGE] == CLOSED + timedelta(days=60)
    assert ends[Compartment.CORRESPONDENCE].date().isoformat() == "2028-11-30"
