"""Addresses with a secret, in PostgreSQL: only the secret's hash is kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from adapters.outbound.database import Database, Statement
from services.ports import Also, Link


class PostgresLinks:
    """Keeps `services.ports.Links`. Ends are judged by the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def issue(
        self, subject_id: UUID, *, purpose: str, valid_for: timedelta
    ) -> tuple[str, tuple[Also, ...]]:
        secret = secrets.token_urlsafe(32)
        return secret, (
            Statement(
                "INSERT INTO trettio.links (secret_hash, subject_id, purpose, expires_at)"
                " VALUES (%s, %s, %s, clock_timestamp() + %s)",
                [_hash(secret), subject_id, purpose, valid_for],
            ),
        )

    def follow(self, secret: str, *, purpose: str) -> Link | None:
        rows = self._database.fetch(
            "SELECT subject_id, purpose, expires_at FROM trettio.links"
            " WHERE secret_hash = %s AND purpose = %s AND withdrawn_at IS NULL"
            " AND expires_at > clock_timestamp()",
            [_hash(secret), purpose],
        )
        return Link(**rows[0]) if rows else None

    def withdraw(self, subject_id: UUID, *, purpose: str) -> Also:
        return Statement(
            "UPDATE trettio.links SET withdrawn_at = clock_timestamp()"
            " WHERE subject_id = %s AND purpose = %s AND withdrawn_at IS NULL",
            [subject_id, purpose],
        )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="replace")).digest()
