"""Names of staff, by the ids that events hold: a letter needs a human name, the log must not."""

from __future__ import annotations

from adapters.outbound.database import Database, Statement


class PostgresStaff:
    """Keeps `services.ports.Staff`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def name(self, staff_id: str) -> str:
        rows = self._database.fetch("SELECT name FROM trettio.staff WHERE id = %s", [staff_id])
        return str(rows[0]["name"]) if rows else staff_id

    def know(self, staff_id: str, name: str) -> None:
        """Record or correct the name behind an id."""
        self._database.run(
            Statement(
                "INSERT INTO trettio.staff (id, name) VALUES (%s, %s)"
                " ON CONFLICT (id) DO UPDATE SET name = excluded.name",
                [staff_id, name],
            )
        )
