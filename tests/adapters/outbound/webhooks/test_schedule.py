"""The schedule of Standard Webhooks: ten tries in 75 hours, and a wish to be left alone."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.outbound.webhooks.schedule import next_pause

ORACLE = [
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
]
"""As the standard's table has it."""


def test_ten_tries_in_75_hours() -> None:
    pauses = [next_pause(attempt, lambda: 0.0) for attempt in range(1, 11)]

    assert pauses == [*(pause.total_seconds() for pause in ORACLE), None]
    assert sum(filter(None, pauses)) == timedelta(hours=75, minutes=35, seconds=5).total_seconds()


@settings(max_examples=40)
@given(st.integers(1, 9), st.floats(0, 1), st.none() | st.floats(0, 1e9))
def test_never_sooner_than_the_table_or_the_wish(
    attempt: int, jitter: float, wish: float | None
) -> None:
    table = ORACLE[attempt - 1].total_seconds()

    pause = next_pause(attempt, lambda: jitter, wish=wish)

    assert pause is not None
    assert max(table, min(wish or 0, 86_400)) <= pause <= max(table * 1.1, 86_400 * 1.1)


@settings(max_examples=40)
@given(st.integers())
def test_there_is_an_end(attempt: int) -> None:
    assert (next_pause(attempt, lambda: 0.5) is None) == (attempt not in range(1, 10))
