"""Attention: what needs somebody now, counted for the board and listed behind each number.

Nothing here is personal: a case has its reference, and what waits its code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from projections.projection import Reader

MOST = 100


@dataclass(frozen=True, slots=True)
class Needs:
    """How much waits for somebody, apart from what is late; that is among the figures."""

    messages: int
    oldest_message_at: datetime | None
    second_person: int
    officer: int
    breaches: int
    next_breach_by: datetime | None
    """When the first 72 hours end, or ended: the authority has not been told yet."""
    parked_tasks: int
    suspended_systems: int
    unavailable: int
    """Systems that do not answer for a request, whether suspended or not."""
    by_hand: int
    """What people have to do in or for connected systems."""


@dataclass(frozen=True, slots=True)
class WaitingCase:
    """A case behind a number: what waits in it, since when, and until when if that is said."""

    case_id: UUID
    request_id: UUID
    controller: str
    subject_right: str
    why: str
    since: datetime
    until: datetime | None
    system: str | None


def needs(sql: Reader, controllers: Sequence[str]) -> Needs:
    (row,) = sql.fetch(_NEEDS, {"controllers": list(controllers)})
    return Needs(**row)


def waiting_cases(
    sql: Reader,
    what: str,
    controllers: Sequence[str],
    *,
    system: str | None = None,
) -> list[WaitingCase]:
    """Behind one of `CASES`: the most pressing first; of one system, where systems are meant."""
    params: dict[str, Any] = {
        "controllers": list(controllers),
        "system": system,
        "most": MOST,
    }
    return [WaitingCase(**row) for row in sql.fetch(CASES[what], params)]


def cases_of(sql: Reader, aggregate_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The cases that requests, fulfilments and the like belong to; and a case to itself."""
    found = sql.fetch(
        "SELECT aggregate_id, case_id FROM views.case_members WHERE aggregate_id = ANY(%s)",
        [list(aggregate_ids)],
    )
    return {row["aggregate_id"]: row["case_id"] for row in found}


_NEEDS: LiteralString = """
    SELECT inbox.number AS messages, inbox.oldest AS oldest_message_at,
        (SELECT count(*) FROM views.second_decisions JOIN views.dashboard USING (request_id)
         WHERE standing = 'proposed' AND clock_runs AND controller = ANY(%(controllers)s)
        ) AS second_person,
        (SELECT count(*) FROM views.officer_advice JOIN views.dashboard USING (request_id)
         WHERE advised_at IS NULL AND clock_runs AND controller = ANY(%(controllers)s)
        ) AS officer,
        breaches.number AS breaches, breaches.first AS next_breach_by,
        (SELECT coalesce(sum(parked), 0)::bigint FROM views.tasks_waiting
         WHERE parked > 0 AND controller = ANY(%(controllers)s)) AS parked_tasks,
        (SELECT count(*) FROM views.systems_failing
         WHERE suspended_at IS NOT NULL AND controller = ANY(%(controllers)s)
        ) AS suspended_systems,
        (SELECT coalesce(sum(number), 0)::bigint FROM views.connector_answers
         WHERE state = 'unavailable' AND NOT dropped AND controller = ANY(%(controllers)s)
        ) AS unavailable,
        (SELECT coalesce(sum(number), 0)::bigint FROM views.connector_answers
         WHERE state = 'waiting-for-person' AND NOT dropped AND controller = ANY(%(controllers)s)
        ) AS by_hand
    FROM (SELECT count(*) AS number, min(received_at) AS oldest FROM views.inbox
          WHERE status = 'waiting' AND controller = ANY(%(controllers)s)) inbox,
         (SELECT count(*) AS number, min(tell_authority_by) AS first
          FROM views.breaches JOIN views.dashboard USING (request_id)
          WHERE tell_authority_by IS NOT NULL AND authority_settled_at IS NULL
            AND controller = ANY(%(controllers)s)) breaches
"""
CASES: Mapping[str, LiteralString] = {
    "second-person": """
        SELECT case_id, request_id, controller, subject_right, ground AS why,
            proposed_at AS since, NULL::timestamptz AS until, NULL AS system
        FROM views.second_decisions JOIN views.dashboard USING (request_id)
        WHERE standing = 'proposed' AND clock_runs AND controller = ANY(%(controllers)s)
        ORDER BY proposed_at, request_id LIMIT %(most)s
    """,
    "officer": """
        SELECT case_id, request_id, controller, subject_right, about AS why,
            asked_at AS since, NULL::timestamptz AS until, NULL AS system
        FROM views.officer_advice JOIN views.dashboard USING (request_id)
        WHERE advised_at IS NULL AND clock_runs AND controller = ANY(%(controllers)s)
        ORDER BY asked_at, request_id LIMIT %(most)s
    """,
    "breaches": """
        SELECT case_id, request_id, controller, subject_right, 'disclosure' AS why,
            coalesce(known_at, reported_at) AS since, tell_authority_by AS until, NULL AS system
        FROM views.breaches JOIN views.dashboard USING (request_id)
        WHERE tell_authority_by IS NOT NULL AND authority_settled_at IS NULL
            AND controller = ANY(%(controllers)s)
        ORDER BY tell_authority_by, request_id LIMIT %(most)s
    """,
    "unavailable": """
        SELECT asked.case_id, request_id, asked.controller, subject_right, asked.action AS why,
            since, next_try_at AS until, system
        FROM views.connector_tasks asked JOIN views.dashboard USING (request_id)
        WHERE state = 'unavailable' AND NOT dropped AND asked.controller = ANY(%(controllers)s)
          AND (%(system)s::text IS NULL OR system = %(system)s::text)
        ORDER BY since, request_id, system LIMIT %(most)s
    """,
    "by-hand": """
        SELECT asked.case_id, request_id, asked.controller, subject_right,
            coalesce(waits_for, asked.action) AS why, since, NULL::timestamptz AS until, system
        FROM views.connector_tasks asked JOIN views.dashboard USING (request_id)
        WHERE state = 'waiting-for-person' AND NOT dropped
          AND asked.controller = ANY(%(controllers)s)
          AND (%(system)s::text IS NULL OR system = %(system)s::text)
        ORDER BY since, request_id, system LIMIT %(most)s
    """,
}
"""By the name of what waits."""
