"""The list of those who must not be written to, in PostgreSQL: keyed tokens, one key version each.

The key is derived for this list alone, so its tokens cannot be joined with those of any case.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from uuid import UUID

from adapters.outbound.database import Database, Statement
from adapters.outbound.vault import normalised
from domain.vocabulary import Country
from services.ports import Also, Identifier

KEY_VERSION = 1
"""Raised when tokens are made in another way; older ones are then looked for as they were made."""


class PostgresSuppressed:
    """Keeps `services.suppressions.Suppressed`."""

    def __init__(self, database: Database, key: bytes, countries: Mapping[str, Country]) -> None:
        self._database, self._key, self._countries = database, key, countries

    def add(self, controller: str, identifier: Identifier, request_id: UUID) -> Also:
        return Statement(
            "INSERT INTO trettio.suppressions (controller, token, key_version, request_id)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (controller, token) DO UPDATE SET"
            " request_id = CASE WHEN suppressions.lifted_at IS NULL"
            "  THEN suppressions.request_id ELSE excluded.request_id END,"
            " since = CASE WHEN suppressions.lifted_at IS NULL"
            "  THEN suppressions.since ELSE excluded.since END,"
            " lifted_at = NULL, lifted_by = NULL, lifted_because = NULL",
            [controller, self._token(controller, identifier), KEY_VERSION, request_id],
        )

    def request_of(self, controller: str, identifier: Identifier) -> UUID | None:
        rows = self._database.ask(
            "SELECT request_id FROM trettio.suppressions"
            " WHERE controller = %s AND token = %s AND lifted_at IS NULL",
            [controller, self._token(controller, identifier)],
        )
        return rows[0][0] if rows else None

    def again(self, controller: str, identifier: Identifier) -> Also:
        return Statement(
            "UPDATE trettio.suppressions SET again = again + 1, again_at = clock_timestamp()"
            " WHERE controller = %s AND token = %s",
            [controller, self._token(controller, identifier)],
        )

    def lift(self, controller: str, identifier: Identifier, *, by: str, because: str) -> Also:
        return Statement(
            "UPDATE trettio.suppressions SET lifted_at = clock_timestamp(), lifted_by = %s,"
            " lifted_because = %s WHERE controller = %s AND token = %s AND lifted_at IS NULL",
            [by, because, controller, self._token(controller, identifier)],
        )

    def _token(self, controller: str, identifier: Identifier) -> bytes:
        country = self._countries.get(controller, Country.NO)
        text = f"{controller}\n{identifier.kind.value}:{normalised(identifier, country)}"
        return hmac.digest(self._key, text.encode(), "sha256")
