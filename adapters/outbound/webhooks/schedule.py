"""When a delivery is tried again: the schedule of Standard Webhooks, 75 hours with some jitter."""

from __future__ import annotations

import secrets
from collections.abc import Callable

MINUTE, HOUR = 60.0, 3_600.0
PAUSES = (
    *(5.0, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR),
    *(10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR),
)
JITTER = 0.1
"""So much later at most, or all that waited for one host would come at the same moment."""
LONGEST_WISH = 24 * HOUR


def next_pause(
    attempt: int, random: Callable[[], float], *, wish: float | None = None
) -> float | None:
    """Seconds until the try after this one, never sooner than the system wishes; None: no more.

    `attempt` counts from 1; `random` answers 0 to 1.
    """
    if not 1 <= attempt <= len(PAUSES):
        return None
    pause = PAUSES[attempt - 1] * (1.0 + JITTER * random())
    return max(pause, min(wish or 0.0, LONGEST_WISH))


def pause_before(attempt: int, wish: float | None) -> float | None:
    """The same, with a jitter of this moment."""
    return next_pause(attempt, lambda: secrets.randbelow(1_000) / 1_000, wish=wish)
