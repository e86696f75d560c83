"""Attempts at a proof of identity elsewhere, in PostgreSQL: each comes back once, and soon."""

from __future__ import annotations

from datetime import timedelta

from adapters.outbound.database import Database
from services.ports import Attempt


class PostgresAttempts:
    """Keeps `services.ports.Attempts`. Ends are judged by the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, digest: bytes, attempt: Attempt, *, valid_for: timedelta) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM trettio.identity_attempts"
                " WHERE expires_at < clock_timestamp() - interval '1 day'"
            )
            connection.execute(
                "INSERT INTO trettio.identity_attempts (digest, case_id, provider, expires_at)"
                " VALUES (%s, %s, %s, clock_timestamp() + %s)",
                [digest, attempt.case_id, attempt.provider, valid_for],
            )

    def take(self, digest: bytes) -> Attempt | None:
        rows = self._database.fetch(
            "UPDATE trettio.identity_attempts SET used_at = clock_timestamp()"
            " WHERE digest = %s AND used_at IS NULL AND expires_at > clock_timestamp()"
            " RETURNING case_id, provider",
            [digest],
        )
        return Attempt(**rows[0]) if rows else None
