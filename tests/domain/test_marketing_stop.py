"""One click stops marketing system by system, without a case unless a person is needed (GK-18)."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from domain.marketing_stop import MarketingStop
from domain.vocabulary import Outcome

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
CASE = UUID(int=7)


@pytest.fixture
def asked() -> MarketingStop:
    stop = MarketingStop(
        id=uuid4(), controller="fjordscenen", systems=("mailing", "sms"), timestamp=AT
    )
    stop.collect_events()
    return stop


def test_it_is_done_when_every_system_has_stopped(asked: MarketingStop) -> None:
    """GK-18."""
    asked.stop_at(system="mailing", outcome=Outcome.SUPPRESSED, at=AT)
    assert not asked.is_done

    asked.stop_at(system="sms", outcome=Outcome.NOT_FOUND, at=AT)

    assert asked.is_done
    assert asked.case_id is None


def test_a_system_stops_once_and_a_person_is_told_once(asked: MarketingStop) -> None:
    for _ in range(2):
        asked.stop_at(system="mailing", outcome=Outcome.SUPPRESSED, at=AT)
        asked.hand_over(case_id=CASE, reason="system-refused", at=AT)

    assert [type(event) for event in asked.collect_events()] == [
        MarketingStop.SystemStopped,
        MarketingStop.HandedOver,
    ]
    assert asked.is_done


def test_whoever_was_imported_anew_is_stopped_anew(asked: MarketingStop) -> None:
    for _ in range(2):
        asked.stop_again(system="mailing", at=AT)
    assert len(asked.collect_events()) == 2
