"""Staff who sign in with an OpenID provider: known people, and groups that a setting gives a role.

Code flow with PKCE, state and nonce as for data subjects (OIDC Core 1.0, RFC 9207, RFC 9700). What
groups give holds for the session; what was granted here holds beside it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from psycopg.types.json import Jsonb

from adapters.outbound.database import Database, Statement
from adapters.outbound.grants import grants_as
from adapters.outbound.oidc import Client, RelyingParty, new_secret, words_of
from adapters.settings import Settings, SettingsWrong
from domain.access import Grant, Role
from domain.errors import DomainError
from domain.identity_providers import Assurance, Authentication, IdentityProvider
from domain.vocabulary import IdentityMethod
from services.ports import Begun, ProofRefused, Vouched

BACK = "/desk/sign-in/back"
VALID_FOR = timedelta(minutes=10)


class NotKnownHere(Exception):
    """The provider vouches for somebody whom nobody has given a role here."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """Whom the provider vouches for, by our id, and the roles that their groups give."""

    staff_id: str
    grants: tuple[Grant, ...]


class StaffProvider:
    """The provider of this installation's staff."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database, self._settings = database, settings
        if settings.staff_oidc_issuer and not settings.staff_oidc_client_id:
            raise SettingsWrong("TRETTIO_STAFF_OIDC_CLIENT_ID is needed beside its issuer")
        self._roles = roles_in(settings.staff_oidc_roles)

    @property
    def name(self) -> str:
        """What staff know it by; empty where there is none."""
        return self._settings.staff_oidc_name if self._settings.staff_oidc_issuer else ""

    # There and back

    def begin(self, *, language: str) -> Begun:
        secret = new_secret()
        words = words_of(secret)
        address = self._party.address(words, language=language)
        self._database.run(
            Statement("DELETE FROM trettio.sign_in_attempts WHERE expires_at < clock_timestamp()"),
            Statement(
                "INSERT INTO trettio.sign_in_attempts (digest, expires_at)"
                " VALUES (%s, clock_timestamp() + %s)",
                [_digest(words.state), VALID_FOR],
            ),
        )
        return Begun(address, secret)

    def finish(self, secret: str, *, state: str, code: str, issuer: str | None) -> Arrived:
        """Who came back: once, in time, and with the browser that set out."""
        words = words_of(secret)
        if not hmac.compare_digest(words.state.encode(), state.encode(errors="replace")):
            raise ProofRefused("state")
        taken = self._database.fetch(
            "UPDATE trettio.sign_in_attempts SET used_at = clock_timestamp()"
            " WHERE digest = %s AND used_at IS NULL AND expires_at > clock_timestamp()"
            " RETURNING digest",
            [_digest(state)],
        )
        if not taken:
            raise ProofRefused("state")
        return self._arrived(self._party.vouched(code, words, said_issuer=issuer))

    def leaving(self) -> str | None:
        """Where the browser goes to be signed out there too."""
        return self._party.leaving(self._settings.address + "/desk/sign-in")

    # Who it is

    def _arrived(self, vouched: Vouched) -> Arrived:
        grants = self._granted(vouched.claims)
        staff_id = self._known(vouched) or (self._new(vouched) if grants else None)
        if staff_id is None:
            raise NotKnownHere
        self._database.run(_last_vouched(vouched, grants))
        return Arrived(staff_id, grants)

    def _granted(self, claims: Mapping[str, Any]) -> tuple[Grant, ...]:
        said = claims.get(self._settings.staff_oidc_groups_claim)
        groups = said if isinstance(said, list) else [said]
        ends = datetime.now(UTC) + timedelta(hours=self._settings.session_hours)
        return tuple(one.until(ends) for group in groups for one in self._roles.get(str(group), ()))

    def _known(self, vouched: Vouched) -> str | None:
        """By what the provider called them before; the first time by an address it has verified."""
        issuer, subject = vouched.subject.split("\n", 1)
        rows = self._database.fetch(
            "SELECT staff_id FROM trettio.staff_identities WHERE issuer = %s AND subject = %s",
            [issuer, subject],
        )
        if rows:
            return str(rows[0]["staff_id"])
        address = vouched.claims.get("email")
        if not isinstance(address, str) or vouched.claims.get("email_verified") is not True:
            return None
        rows = self._database.fetch(
            "SELECT id FROM trettio.staff WHERE lower(email) = lower(%s)"
            " AND deactivated_at IS NULL",
            [address],
        )
        if len(rows) != 1:
            return None
        staff_id = str(rows[0]["id"])
        self._database.run(_identity(issuer, subject, staff_id))
        return staff_id

    def _new(self, vouched: Vouched) -> str:
        """Somebody whom a group lets in: known from now on, under an id that says nothing."""
        issuer, subject = vouched.subject.split("\n", 1)
        staff_id = f"staff-{hashlib.sha256(vouched.subject.encode()).hexdigest()[:10]}"
        name = vouched.claims.get("name")
        self._database.run(
            Statement(
                "INSERT INTO trettio.staff (id, name) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                [staff_id, name if isinstance(name, str) and name.strip() else staff_id],
            ),
            _identity(issuer, subject, staff_id),
        )
        return staff_id

    @cached_property
    def _party(self) -> RelyingParty:
        said = self._settings
        if not said.staff_oidc_issuer or not said.staff_oidc_client_id:
            raise DomainError("no provider for staff is set up: set TRETTIO_STAFF_OIDC_ISSUER")
        secret = said.staff_oidc_client_secret
        provider = IdentityProvider(
            id="staff",
            name=said.staff_oidc_name,
            issuer=said.staff_oidc_issuer,
            method=IdentityMethod.LOGIN,
            scopes=tuple(said.staff_oidc_scopes.split()),
            acr_values=(),
            acr={},
            least=Assurance.LOW,
            authentication=Authentication.BASIC,
            claims={},
            userinfo=True,
        )
        client = Client(said.staff_oidc_client_id, secret.get_secret_value() if secret else None)
        return RelyingParty(provider, client, redirect_uri=said.address + BACK, prompt="")


# Groups and roles


@dataclass(frozen=True, slots=True)
class _Mapped:
    role: Role
    controller: str | None
    system: str | None

    def until(self, ends: datetime) -> Grant:
        """An auditor's role ends with the session, if nobody has said an earlier day."""
        end = ends if self.role is Role.AUDITOR else None
        return Grant(self.role, self.controller, self.system, end)


def roles_in(said: str) -> Mapping[str, Sequence[_Mapped]]:
    """`group=role@controller/system`, separated by commas."""
    found: dict[str, tuple[_Mapped, ...]] = {}
    for part in filter(None, (one.strip() for one in said.split(","))):
        group, equals, granted = part.rpartition("=")
        role, _, where = granted.strip().partition("@")
        controller, _, system = where.strip().partition("/")
        try:
            mapped = _Mapped(Role(role.strip()), controller or None, system or None)
            mapped.until(datetime.max.replace(tzinfo=UTC))
        except (ValueError, DomainError):
            equals = ""
        if not equals or not group.strip():
            roles = ", ".join(one.value for one in Role)
            raise SettingsWrong(
                f"TRETTIO_STAFF_OIDC_ROLES is wrong at {part!r}: it expects group=role@controller,"
                f" with a role of: {roles}"
            )
        found[group.strip()] = (*found.get(group.strip(), ()), mapped)
    return found


def _identity(issuer: str, subject: str, staff_id: str) -> Statement:
    return Statement(
        "INSERT INTO trettio.staff_identities (issuer, subject, staff_id) VALUES (%s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        [issuer, subject, staff_id],
    )


def _last_vouched(vouched: Vouched, grants: Sequence[Grant]) -> Statement:
    """So that others know whose colleague it is, signed in or not."""
    issuer, subject = vouched.subject.split("\n", 1)
    return Statement(
        "UPDATE trettio.staff_identities SET grants = %s WHERE issuer = %s AND subject = %s",
        [Jsonb(grants_as(grants)), issuer, subject],
    )


def _digest(state: str) -> bytes:
    return hashlib.sha256(state.encode()).digest()
