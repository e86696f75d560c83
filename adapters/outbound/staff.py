"""Staff, by the ids that events hold: names for letters, deputies, absences, mail addresses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from adapters.outbound.database import Database, Statement
from adapters.outbound.grants import invitations_ended, sessions_ended
from adapters.outbound.tokens import SCOPES, Scope, allowed_by
from domain.access import PERMISSIONS, Access, Allowed, Role
from domain.vocabulary import Language
from services.ports import Absence, Member


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

    def members(self) -> Mapping[str, Member]:
        rows = self._database.fetch(
            "SELECT id, name, email, language, deputy, controllers, is_officer"
            " FROM trettio.staff WHERE deactivated_at IS NULL ORDER BY id"
        )
        return {row["id"]: _member(row) for row in rows}

    def access(self) -> Mapping[str, Access]:
        """What roles, groups and tokens open now for whoever was ever given any."""
        found = self._granted()
        for row in self._database.fetch(
            "SELECT DISTINCT staff_id, scopes, controllers, revoked_at IS NULL"
            " AND coalesce(expires_at > clock_timestamp(), true) AS holds"
            " FROM trettio.api_tokens WHERE scopes && %s::text[]",
            [[scope.value for scope, permissions in SCOPES.items() if permissions]],
        ):
            theirs = found.setdefault(row["staff_id"], [])
            if row["holds"]:
                theirs += allowed_by(map(Scope, row["scopes"]), row["controllers"])
        return {staff_id: Access(allowed) for staff_id, allowed in found.items()}

    def granted(self, staff_id: str) -> Access:
        """What roles and groups open now to somebody, by whatever way they sign in."""
        return Access(self._granted().get(staff_id, ()))

    def _granted(self) -> dict[str, list[Allowed]]:
        found: dict[str, list[Allowed]] = {}
        for row in self._database.fetch(
            "SELECT staff_id, role, controller, system,"
            " revoked_at IS NULL AND coalesce(until > clock_timestamp(), true) AS holds"
            " FROM trettio.grants UNION ALL"
            " SELECT i.staff_id, g.role, g.controller, g.system,"
            " g.role IS NOT NULL AND coalesce(g.until > clock_timestamp(), true)"
            " FROM trettio.staff_identities i LEFT JOIN LATERAL jsonb_to_recordset(i.grants)"
            " AS g(role text, controller text, system text, until timestamptz) ON true"
        ):
            theirs = found.setdefault(row["staff_id"], [])
            if row["holds"]:
                permissions = PERMISSIONS[Role(row["role"])]
                theirs.append(Allowed(permissions, row["controller"], row["system"]))
        return found

    def everybody(self) -> list[tuple[Member, datetime | None]]:
        """Those too who have left, with since when."""
        rows = self._database.fetch(
            "SELECT id, name, email, language, deputy, controllers, is_officer, deactivated_at"
            " FROM trettio.staff ORDER BY deactivated_at IS NOT NULL, id"
        )
        return [(_member(row), row["deactivated_at"]) for row in rows]

    def deactivate(self, staff_id: str) -> None:
        """Whoever has left opens nothing any more, by whatever door; what was decided stays."""
        self._database.run(
            Statement(
                "UPDATE trettio.staff SET deactivated_at = clock_timestamp()"
                " WHERE id = %s AND deactivated_at IS NULL",
                [staff_id],
            ),
            Statement(
                "UPDATE trettio.api_tokens SET revoked_at = clock_timestamp()"
                " WHERE staff_id = %s AND revoked_at IS NULL",
                [staff_id],
            ),
            invitations_ended(staff_id),
            sessions_ended(staff_id),
        )

    def reactivate(self, staff_id: str) -> None:
        """Roles and account are as before; tokens are made anew."""
        self._database.run(
            Statement("UPDATE trettio.staff SET deactivated_at = NULL WHERE id = %s", [staff_id])
        )

    def away(self, on: date) -> frozenset[str]:
        rows = self._database.fetch(
            "SELECT DISTINCT staff_id FROM trettio.absences WHERE %s BETWEEN first_on AND last_on",
            [on],
        )
        return frozenset(row["staff_id"] for row in rows)

    def absences(self, *, until: date) -> list[Absence]:
        """What is not over by that day, the next to begin first."""
        rows = self._database.fetch(
            "SELECT staff_id, first_on, last_on FROM trettio.absences WHERE last_on >= %s"
            " ORDER BY first_on, staff_id",
            [until],
        )
        return [Absence(**row) for row in rows]

    def set(self, member: Member) -> Statement:
        """Record or correct everything about somebody."""
        return Statement(
            "INSERT INTO trettio.staff"
            " (id, name, email, language, deputy, controllers, is_officer)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (id) DO UPDATE SET name = excluded.name, email = excluded.email,"
            " language = excluded.language, deputy = excluded.deputy,"
            " controllers = excluded.controllers, is_officer = excluded.is_officer",
            [
                member.id,
                member.name,
                member.email,
                member.language.value,
                member.deputy,
                sorted(member.controllers),
                member.is_officer,
            ],
        )

    def absent(self, absence: Absence) -> Statement:
        """Record an absence, or that one that begins that day ends on another."""
        return Statement(
            "INSERT INTO trettio.absences (staff_id, first_on, last_on) VALUES (%s, %s, %s)"
            " ON CONFLICT (staff_id, first_on) DO UPDATE SET last_on = excluded.last_on",
            [absence.staff_id, absence.first_on, absence.last_on],
        )

    def present(self, staff_id: str, first_on: date) -> Statement:
        """Take an absence back."""
        return Statement(
            "DELETE FROM trettio.absences WHERE staff_id = %s AND first_on = %s",
            [staff_id, first_on],
        )


def _member(row: Mapping[str, Any]) -> Member:
    return Member(
        id=row["id"],
        name=row["name"],
        email=row["email"],
        language=Language(row["language"]),
        deputy=row["deputy"],
        controllers=frozenset(row["controllers"]),
        is_officer=row["is_officer"],
    )
