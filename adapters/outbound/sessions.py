"""Sessions of staff at the desk: known by a random secret, of which only the hash is at rest.

Each ends after a while without a page, after so many hours in any case, and whenever the roles of
its person change (NIST SP 800-63B, 7). Ends are judged by the database's clock.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from psycopg.types.json import Jsonb

from adapters.outbound.database import Database, Statement
from adapters.outbound.grants import grants_as, grants_from, sessions_ended
from adapters.outbound.tokens import Bearer, Tokens, token_hash
from domain.access import Access, Grant


class Way(Enum):
    """How somebody signed in."""

    TOKEN = "token"  # noqa: S105 (a way, not a secret)
    PASSWORD = "password"  # noqa: S105
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody at the desk, with what they may do now."""

    id: UUID
    way: Way
    bearer: Bearer


@dataclass(frozen=True, slots=True)
class Listed:
    """One of somebody's own sessions, as far as it helps to tell it from the others."""

    id: UUID
    way: Way
    device: str
    began_at: datetime
    seen_at: datetime


class Sessions:
    def __init__(
        self, database: Database, tokens: Tokens, *, idle: timedelta, longest: timedelta
    ) -> None:
        self._database, self._tokens = database, tokens
        self.idle, self.longest = idle, longest

    def begin(
        self,
        staff_id: str,
        way: Way,
        *,
        device: str = "",
        token: str | None = None,
        vouched: Sequence[Grant] = (),
    ) -> str:
        """A new secret for every sign-in, so that none that was known before is worth anything."""
        secret = secrets.token_urlsafe(32)
        self._database.run(
            Statement(
                "DELETE FROM trettio.sessions WHERE ends_at < clock_timestamp()"
                " OR seen_at < clock_timestamp() - %s",
                [self.idle],
            ),
            Statement(
                "INSERT INTO trettio.sessions"
                " (secret_hash, staff_id, way, token_hash, grants, device, ends_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, clock_timestamp() + %s)",
                [
                    _hash(secret),
                    staff_id,
                    way.value,
                    token_hash(token) if token is not None else None,
                    Jsonb(grants_as(vouched)),
                    device,
                    self.longest,
                ],
            ),
        )
        return secret

    def find(self, secret: str) -> Session | None:
        """Whose it is and what they may do at this moment; None where it has ended."""
        hashed = _hash(secret)
        rows = self._database.fetch(
            "SELECT s.id, s.staff_id, s.way, s.token_hash, s.grants AS vouched,"
            " s.seen_at < clock_timestamp() - interval '1 minute' AS stale,"
            " coalesce(p.name, s.staff_id) AS name, clock_timestamp() AS now,"
            " (SELECT coalesce(jsonb_agg(g), '[]') FROM trettio.grants g"
            "  WHERE g.staff_id = s.staff_id AND g.revoked_at IS NULL) AS held"
            " FROM trettio.sessions s LEFT JOIN trettio.staff p ON p.id = s.staff_id"
            " WHERE s.secret_hash = %s AND s.ends_at > clock_timestamp()"
            " AND s.seen_at > clock_timestamp() - %s AND p.deactivated_at IS NULL",
            [hashed, self.idle],
        )
        if not rows:
            return None
        row = rows[0]
        if row["token_hash"] is not None:
            bearer = self._tokens.bearer_of(row["token_hash"])
        else:
            access = Access.of(grants_from([*row["held"], *row["vouched"]]), row["now"])
            bearer = Bearer(
                id=f"session {row['id']}",
                name=row["name"],
                staff_id=row["staff_id"],
                scopes=frozenset(),
                controllers=access.named,
                access=access,
            )
        if bearer is None or not bearer.access:
            return None
        if row["stale"]:  # once a minute: reading should not cost a write each time
            self._database.run(
                Statement(
                    "UPDATE trettio.sessions SET seen_at = clock_timestamp()"
                    " WHERE secret_hash = %s",
                    [hashed],
                )
            )
        return Session(row["id"], Way(row["way"]), bearer)

    def of(self, staff_id: str) -> list[Listed]:
        """Somebody's open sessions, the one used last first."""
        rows = self._database.fetch(
            "SELECT id, way, device, began_at, seen_at FROM trettio.sessions"
            " WHERE staff_id = %s AND ends_at > clock_timestamp()"
            " AND seen_at > clock_timestamp() - %s ORDER BY seen_at DESC",
            [staff_id, self.idle],
        )
        return [
            Listed(r["id"], Way(r["way"]), r["device"], r["began_at"], r["seen_at"]) for r in rows
        ]

    def end(self, secret: str) -> None:
        self._database.run(
            Statement("DELETE FROM trettio.sessions WHERE secret_hash = %s", [_hash(secret)])
        )

    def end_one(self, staff_id: str, session_id: UUID) -> None:
        """End one of one's own; another's is not touched."""
        self._database.run(
            Statement(
                "DELETE FROM trettio.sessions WHERE staff_id = %s AND id = %s",
                [staff_id, session_id],
            )
        )

    def end_all(self, staff_id: str) -> None:
        """Sign somebody out everywhere."""
        self._database.run(sessions_ended(staff_id))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="replace")).digest()
