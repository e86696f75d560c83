"""Open requests as the passing of time sees them: read from the rows of the work list."""

from __future__ import annotations

from uuid import UUID

from domain.vocabulary import Country
from projections.projection import Reader


def open_requests(sql: Reader) -> dict[UUID, tuple[object, ...] | None]:
    """Every request that is not closed, of all controllers, with the facts its reminders hang on.

    Nothing is known of one whose row this view has given up following; it may be open all the same.
    """
    found = sql.fetch(
        """
        SELECT request_id, status, received_on, act_by, statutory_due, extended_due, promise_due,
            target_due, assigned_to, paused_for, suspension_relied_on, silent_about
        FROM views.deadline_worklist WHERE NOT closed AND status <> 'closed' ORDER BY target_due
        """
    )
    parked = sql.fetch(
        "SELECT aggregate_id FROM views.parked"
        " WHERE view = 'deadline_worklist' AND topic LIKE 'request.%'"
    )
    return {row.pop("request_id"): tuple(row.values()) for row in found} | {
        row["aggregate_id"]: None for row in parked
    }


def in_hand(sql: Reader) -> list[tuple[UUID, Country, str]]:
    """Every open request that somebody has, whose calendar it goes by, and who has it."""
    found = sql.fetch(
        "SELECT request_id, country, assigned_to FROM views.deadline_worklist"
        " WHERE NOT closed AND status <> 'closed' AND assigned_to IS NOT NULL"
        " ORDER BY target_due, request_id"
    )
    return [(row["request_id"], Country(row["country"]), row["assigned_to"]) for row in found]
