"""What the columns of a system's exports mean, as somebody has said it once at the desk."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from psycopg.types.json import Jsonb

from adapters.outbound.database import Database, Statement


class ExportColumns:
    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, controller: str, system: str) -> Mapping[str, str]:
        """The configuration that a CSV connector would have; empty where nobody has said it."""
        rows = self._database.ask(
            "SELECT options FROM trettio.export_columns WHERE controller = %s AND system = %s",
            [controller, system],
        )
        found: Mapping[str, str] = rows[0][0] if rows else {}
        return found

    def remember(
        self, controller: str, system: str, options: Mapping[str, str], *, by: str, at: datetime
    ) -> None:
        """Said anew, the newest counts."""
        self._database.run(
            Statement(
                "INSERT INTO trettio.export_columns (controller, system, options, said_by, said_at)"
                " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (controller, system) DO UPDATE"
                " SET options = excluded.options, said_by = excluded.said_by,"
                " said_at = excluded.said_at",
                [controller, system, Jsonb(dict(options)), by, at],
            )
        )
