"""Bearer tokens for the API and the desk: scopes and controllers, hashed at rest (RFC 6750)."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from adapters.outbound.database import Database, Statement
from domain.access import PERMISSIONS, Access, Allowed, Permission, Role
from domain.errors import DomainError

PREFIX = "trt_"
REMEMBERED_SECONDS = 2.0
"""So long a process believes what it has read; a revoked token opens nothing after that."""
MOST_REMEMBERED = 10_000


class Scope(Enum):
    """What the bearer may do."""

    INBOX = "inbox"
    READ = "read"
    DESK = "desk"
    ADMIN = "admin"
    METRICS = "metrics"
    SYSTEM = "system"
    """A connected system: its own instructions, and nothing else."""


# A desk token stands for a handler who may also be the second person, as it always has; answering
# what is asked about a profile has always taken the scope admin.
SCOPES: dict[Scope, frozenset[Permission]] = {
    Scope.INBOX: frozenset(),
    Scope.READ: frozenset(),
    Scope.DESK: PERMISSIONS[Role.HANDLER] | {Permission.APPROVE, Permission.ADVISE},
    Scope.ADMIN: PERMISSIONS[Role.OPERATOR] | {Permission.ADOPT, Permission.AUDIT},
    Scope.METRICS: frozenset(),
    Scope.SYSTEM: frozenset(),
}
"""What each scope opens at the desk; `/v1` asks for the scopes themselves."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who comes with a token. `controllers` empty means all of this installation."""

    id: str
    name: str
    staff_id: str
    scopes: frozenset[Scope]
    controllers: frozenset[str]
    access: Access = field(default_factory=Access)
    system: str | None = None

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes

    def sees(self, controller: str) -> bool:
        return not self.controllers or controller in self.controllers


@dataclass(frozen=True, slots=True)
class Listed:
    """A token as it can be told without being known: by the beginning of its hash."""

    id: str
    name: str
    staff_id: str
    scopes: frozenset[Scope]
    controllers: frozenset[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class Tokens:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._remembered: dict[bytes, tuple[Bearer, float]] = {}

    def create(
        self,
        *,
        name: str,
        staff_id: str,
        scopes: frozenset[Scope],
        controllers: frozenset[str] = frozenset(),
        system: str | None = None,
        expires_at: datetime | None = None,
    ) -> str:
        """A fresh token; it is shown now and never again."""
        if system is not None and (scopes != {Scope.SYSTEM} or len(controllers) != 1):
            raise DomainError(
                "a system's token has the scope system and no other, and is for one controller"
            )
        token = PREFIX + secrets.token_urlsafe(32)
        self._database.run(
            Statement(
                "INSERT INTO trettio.api_tokens"
                " (token_hash, name, staff_id, scopes, controllers, system, expires_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [
                    token_hash(token),
                    name,
                    staff_id,
                    sorted(scope.value for scope in scopes),
                    sorted(controllers),
                    system,
                    expires_at,
                ],
            )
        )
        return token

    def remembered(self, token: str) -> Bearer | None:
        """Whose token it is, if that was asked a moment ago; None says nothing about it."""
        bearer, until = self._remembered.get(token_hash(token), (None, 0.0))
        return bearer if time.monotonic() < until else None

    def bearer(self, token: str) -> Bearer | None:
        """Whose token it is; None when there is none, or it has ended or was revoked."""
        return self.bearer_of(token_hash(token))

    def bearer_of(self, hashed: bytes) -> Bearer | None:
        """Alike, for a session that was begun with a token and knows no more than its hash."""
        rows = self._database.fetch(
            "SELECT name, staff_id, scopes, controllers, system,"
            " coalesce(last_used_at < clock_timestamp() - interval '1 minute', true) AS stale"
            " FROM trettio.api_tokens WHERE token_hash = %s AND revoked_at IS NULL"
            " AND (expires_at IS NULL OR expires_at > clock_timestamp())",
            [hashed],
        )
        if not rows:
            return None
        row = rows[0]
        if row["stale"]:  # once a minute: reading should not cost a write each time
            self._database.fetch(
                "UPDATE trettio.api_tokens SET last_used_at = clock_timestamp()"
                " WHERE token_hash = %s",
                [hashed],
            )
        scopes = frozenset(Scope(scope) for scope in row["scopes"])
        bearer = Bearer(
            id=hashed.hex(),
            name=row["name"],
            staff_id=row["staff_id"],
            scopes=scopes,
            controllers=frozenset(row["controllers"]),
            access=Access(allowed_by(scopes, row["controllers"])),
            system=row["system"],
        )
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered = {}
        self._remembered[hashed] = (bearer, time.monotonic() + REMEMBERED_SECONDS)
        return bearer

    def open(self) -> list[Listed]:
        """Those that open something still, the newest first."""
        return [
            Listed(
                id=row["id"],
                name=row["name"],
                staff_id=row["staff_id"],
                scopes=frozenset(Scope(scope) for scope in row["scopes"]),
                controllers=frozenset(row["controllers"]),
                created_at=row["created_at"],
                expires_at=row["expires_at"],
                last_used_at=row["last_used_at"],
            )
            for row in self._database.fetch(
                "SELECT left(encode(token_hash, 'hex'), 16) AS id, name, staff_id, scopes,"
                " controllers, created_at, expires_at, last_used_at FROM trettio.api_tokens"
                " WHERE revoked_at IS NULL AND (expires_at IS NULL"
                " OR expires_at > clock_timestamp()) ORDER BY created_at DESC LIMIT 500"
            )
        ]

    def has_system(self, controller: str, system: str) -> bool:
        """Whether a connected system has a token that opens something still."""
        return bool(
            self._database.ask(
                "SELECT 1 FROM trettio.api_tokens WHERE system = %s AND controllers = %s"
                " AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())"
                " LIMIT 1",
                [system, [controller]],
            )
        )

    def revoke_one(self, token_id: str) -> None:
        """Revoke one token; one that is revoked already stays so."""
        self._remembered = {}
        self._database.run(
            Statement(
                "UPDATE trettio.api_tokens SET revoked_at = clock_timestamp()"
                " WHERE left(encode(token_hash, 'hex'), 16) = %s AND revoked_at IS NULL",
                [token_id],
            )
        )

    def revoke(self, name: str) -> int:
        """Revoke every token of this name; answers how many there were."""
        self._remembered = {}
        return len(
            self._database.fetch(
                "UPDATE trettio.api_tokens SET revoked_at = clock_timestamp()"
                " WHERE name = %s AND revoked_at IS NULL RETURNING name",
                [name],
            )
        )


def allowed_by(scopes: Iterable[Scope], controllers: Sequence[str]) -> list[Allowed]:
    """What the scopes of a token stand for, for its controllers."""
    permissions = frozenset(one for scope in scopes for one in SCOPES[scope])
    return [Allowed(permissions, name) for name in controllers or (None,)] if permissions else []


def token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
