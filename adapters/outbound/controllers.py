"""The names of the controllers that this installation serves."""

from __future__ import annotations

from adapters.outbound.database import Database, Statement
from services.ports import Also


class ControllerNames:
    """Keeps `services.ports.Names`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str) -> Also:
        return Statement(
            "INSERT INTO trettio.controllers (name) VALUES (%s) ON CONFLICT DO NOTHING", [name]
        )

    def all(self) -> tuple[str, ...]:
        rows = self._database.fetch("SELECT name FROM trettio.controllers ORDER BY name")
        return tuple(row["name"] for row in rows)
