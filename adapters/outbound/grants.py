"""Who holds which role: rows that are ended, never taken away, so that any past day can be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.outbound.database import Database, Statement
from domain.access import Grant, Role
from domain.staff import human


@dataclass(frozen=True, slots=True)
class Held:
    """A role somebody holds or held: given by whom and when, and how it ended."""

    staff_id: str
    grant: Grant
    granted_by: str
    granted_at: datetime
    revoked_by: str | None
    revoked_at: datetime | None


class Grants:
    """The roles of all staff. A change ends the sessions of the person whom it concerns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, staff_id: str) -> tuple[Grant, ...]:
        """The roles that were not taken back; whether they still hold, time tells."""
        rows = self._database.fetch(
            "SELECT * FROM trettio.grants WHERE revoked_at IS NULL AND staff_id = %s ORDER BY id",
            [staff_id],
        )
        return tuple(_held(row).grant for row in rows)

    def all(self) -> Mapping[str, tuple[Grant, ...]]:
        """Alike, of everybody who holds one."""
        found: dict[str, tuple[Grant, ...]] = {}
        for row in self._database.fetch(
            "SELECT * FROM trettio.grants WHERE revoked_at IS NULL ORDER BY staff_id, id"
        ):
            one = _held(row)
            found[one.staff_id] = (*found.get(one.staff_id, ()), one.grant)
        return found

    def history(self, *, most: int) -> list[Held]:
        """What was given and taken back, the newest first."""
        return [
            _held(row)
            for row in self._database.fetch(
                "SELECT * FROM trettio.grants"
                " ORDER BY greatest(granted_at, revoked_at) DESC, id DESC LIMIT %s",
                [most],
            )
        ]

    def grant(self, staff_id: str, grant: Grant, *, by: str) -> None:
        """Give a role; given again with another end, it ends then."""
        taken_back = self._ended(staff_id, grant, human(by))
        given = Statement(
            "INSERT INTO trettio.grants (staff_id, role, controller, system, until, granted_by)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [staff_id, grant.role.value, grant.controller, grant.system, grant.until, by],
        )
        self._database.run(taken_back, given, sessions_ended(staff_id))

    def revoke(self, staff_id: str, grant: Grant, *, by: str) -> None:
        """Take a role back; one that is not held changes nothing."""
        self._database.run(self._ended(staff_id, grant, human(by)), sessions_ended(staff_id))

    @staticmethod
    def _ended(staff_id: str, grant: Grant, by: str) -> Statement:
        return Statement(
            "UPDATE trettio.grants SET revoked_by = %s, revoked_at = clock_timestamp()"
            " WHERE staff_id = %s AND role = %s AND controller IS NOT DISTINCT FROM %s"
            " AND system IS NOT DISTINCT FROM %s AND revoked_at IS NULL",
            [by, staff_id, grant.role.value, grant.controller, grant.system],
        )


def sessions_ended(staff_id: str) -> Statement:
    """Whoever is signed in while their roles change signs in anew, with what holds then."""
    return Statement("DELETE FROM trettio.sessions WHERE staff_id = %s", [staff_id])


def invitations_ended(staff_id: str) -> Statement:
    """A link that was not used opens nothing any more; that it was made stays on record."""
    return Statement(
        "UPDATE trettio.invitations SET expires_at = clock_timestamp()"
        " WHERE staff_id = %s AND used_at IS NULL AND expires_at > clock_timestamp()",
        [staff_id],
    )


def grants_from(rows: Iterable[Mapping[str, Any]]) -> list[Grant]:
    """Grants as JSON in the database has them."""
    return [
        Grant(
            Role(row["role"]),
            row.get("controller"),
            row.get("system"),
            datetime.fromisoformat(row["until"]) if row.get("until") else None,
        )
        for row in rows
    ]


def grants_as(grants: Iterable[Grant]) -> list[dict[str, str | None]]:
    """Alike, the other way round."""
    return [
        {
            "role": one.role.value,
            "controller": one.controller,
            "system": one.system,
            "until": one.until.isoformat() if one.until else None,
        }
        for one in grants
    ]


def _held(row: Mapping[str, Any]) -> Held:
    return Held(
        row["staff_id"],
        Grant(Role(row["role"]), row["controller"], row["system"], row["until"]),
        row["granted_by"],
        row["granted_at"],
        row["revoked_by"],
        row["revoked_at"],
    )
