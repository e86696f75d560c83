"""Local accounts of small organisations: a password and a second factor, begun by an invitation.

The second factor is a time-based code (RFC 6238), each step of which counts once; its secret is
sealed with a key of the vault. Recovery codes stand in for a lost device, each once; beyond them
another member of staff invites anew. Whether there is an account, no answer tells.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyotp

from adapters.outbound.database import Database, Statement
from adapters.outbound.grants import invitations_ended, sessions_ended
from adapters.outbound.passwords import Passwords, require_good
from adapters.outbound.sealing import decrypt, encrypt
from adapters.outbound.throttle import Throttle
from domain.errors import DomainError
from domain.staff import human
from services.ports import Also

VALID_FOR = timedelta(days=3)
RECOVERY_CODES = 10
STEP_SECONDS = 30
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Invitation:
    """Whom a link invites, and the second factor that they set up with it."""

    staff_id: str
    name: str
    second_factor: str

    @property
    def address(self) -> str:
        """What an authenticator reads from the picture."""
        totp = pyotp.TOTP(self.second_factor)
        return totp.provisioning_uri(name=self.staff_id, issuer_name="Trettio")


@dataclass(frozen=True, slots=True)
class Invited:
    """That somebody made a link for an account, and whether it was used."""

    invited_by: str
    created_at: datetime
    used_at: datetime | None


class Accounts:
    def __init__(
        self,
        database: Database,
        key: bytes,
        throttle: Throttle,
        passwords: Passwords,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._key, self._throttle = database, key, throttle
        self._passwords, self._clock = passwords, clock

    # Inviting

    def invite(self, staff_id: str, *, by: str, also: Sequence[Also] = ()) -> str:
        """The secret of a link that makes an account, or a lost one anew; it is shown once."""
        if human(by).casefold() == staff_id.casefold():
            raise DomainError("nobody invites themselves: ask a colleague")
        if not self._database.fetch("SELECT 1 FROM trettio.staff WHERE id = %s", [staff_id]):
            raise DomainError(f"there is nobody with the id {staff_id}: add the person first")
        secret = secrets.token_urlsafe(32)
        sealed = encrypt(self._key, pyotp.random_base32().encode(), staff_id.encode())
        self._database.run(
            invitations_ended(staff_id),
            Statement(
                "INSERT INTO trettio.invitations"
                " (secret_hash, staff_id, second_factor, invited_by, expires_at)"
                " VALUES (%s, %s, %s, %s, clock_timestamp() + %s)",
                [_hash(secret), staff_id, sealed, by, VALID_FOR],
            ),
            *also,
        )
        return secret

    def invitations(self, staff_id: str, *, most: int) -> list[Invited]:
        """Who made links for somebody and when, the newest first."""
        return [
            Invited(**row)
            for row in self._database.fetch(
                "SELECT invited_by, created_at, used_at FROM trettio.invitations"
                " WHERE staff_id = %s ORDER BY created_at DESC LIMIT %s",
                [staff_id, most],
            )
        ]

    def invited(self, secret: str) -> Invitation | None:
        """Whom a link invites; None when it is used, too old, or never was."""
        rows = self._database.fetch(
            "SELECT i.staff_id, i.second_factor, p.name FROM trettio.invitations i"
            " JOIN trettio.staff p ON p.id = i.staff_id WHERE i.secret_hash = %s"
            " AND i.used_at IS NULL AND i.expires_at > clock_timestamp()"
            " AND p.deactivated_at IS NULL",
            [_hash(secret)],
        )
        if not rows:
            return None
        row = rows[0]
        return Invitation(row["staff_id"], row["name"], self._opened(row))

    def accept(self, secret: str, *, password: str, code: str) -> tuple[str, ...]:
        """Make the account, and answer its recovery codes. What was there before has ended."""
        invitation = self.invited(secret)
        if invitation is None:
            raise DomainError("this invitation has ended: ask for another")
        staff_id = invitation.staff_id
        require_good(password, staff_id, invitation.name)
        step = self._step(invitation.second_factor, code)
        if step is None:
            raise WrongCode("this is not the code that the device shows now: try the next one")
        hashed, codes = self._passwords.hashed(password), _recovery_codes()
        sealed = encrypt(self._key, invitation.second_factor.encode(), staff_id.encode())
        with self._database.transaction() as connection:
            used = connection.execute(
                "UPDATE trettio.invitations SET used_at = clock_timestamp()"
                " WHERE secret_hash = %s AND used_at IS NULL RETURNING staff_id",
                [_hash(secret)],
            ).fetchone()
            if used is None:
                raise DomainError("this invitation has ended: ask for another")
            connection.execute("DELETE FROM trettio.accounts WHERE staff_id = %s", [staff_id])
            connection.execute(
                "INSERT INTO trettio.accounts"
                " (staff_id, login, password_hash, second_factor, last_step)"
                " VALUES (%s, %s, %s, %s, %s)",
                [staff_id, staff_id.casefold(), hashed, sealed, step],
            )
            for write in (*self._codes_kept(staff_id, codes), sessions_ended(staff_id)):
                connection.execute(write.sql, write.params)
        return codes

    # Signing in

    def sign_in(self, name: str, password: str, code: str, *, source: str) -> str | None:
        """Whose account it is; whatever is wrong, the answer is None after the same work."""
        limits = self._throttle.limits(name.casefold(), source)
        if self._throttle.is_too_often(limits):
            return None
        staff_id = self._proven(name, password, code)
        if staff_id is None:
            self._throttle.failed(limits)
            return None
        self._throttle.succeeded(limits)
        return staff_id

    def change_password(
        self, staff_id: str, *, old: str, code: str, new: str, name: str, source: str
    ) -> bool:
        """With both factors, as at the door; every session ends with the old password."""
        require_good(new, staff_id, name)
        if self.sign_in(staff_id, old, code, source=source) is None:
            return False
        self._database.run(
            Statement(
                "UPDATE trettio.accounts SET password_hash = %s,"
                " password_changed_at = clock_timestamp() WHERE staff_id = %s",
                [self._passwords.hashed(new), staff_id],
            ),
            sessions_ended(staff_id),
        )
        return True

    def new_recovery_codes(
        self, staff_id: str, password: str, code: str, *, source: str
    ) -> tuple[str, ...] | None:
        """Ten new ones in place of whatever is left."""
        if self.sign_in(staff_id, password, code, source=source) is None:
            return None
        codes = _recovery_codes()
        self._database.run(*self._codes_kept(staff_id, codes))
        return codes

    def has_one(self, staff_id: str) -> bool:
        return bool(
            self._database.fetch("SELECT 1 FROM trettio.accounts WHERE staff_id = %s", [staff_id])
        )

    def any(self) -> bool:
        """Whether anybody can sign in so here."""
        return bool(self._database.fetch("SELECT 1 FROM trettio.accounts LIMIT 1"))

    def codes_left(self, staff_id: str) -> int:
        (row,) = self._database.fetch(
            "SELECT count(*) FROM trettio.recovery_codes WHERE staff_id = %s AND used_at IS NULL",
            [staff_id],
        )
        return int(row["count"])

    def _proven(self, name: str, password: str, code: str) -> str | None:
        rows = self._database.fetch(
            "SELECT a.staff_id, a.password_hash, a.second_factor FROM trettio.accounts a"
            " JOIN trettio.staff p ON p.id = a.staff_id"
            " WHERE a.login = %s AND p.deactivated_at IS NULL",
            [name.casefold().replace("\x00", "")],
        )
        row = rows[0] if rows else None
        right = self._passwords.holds(password, row["password_hash"] if row else None)
        if row is None or not right or not self._second_factor(row, code):
            return None
        staff_id: str = row["staff_id"]
        if self._passwords.is_outdated(row["password_hash"]):
            self._database.run(
                Statement(
                    "UPDATE trettio.accounts SET password_hash = %s WHERE staff_id = %s",
                    [self._passwords.hashed(password), staff_id],
                )
            )
        return staff_id

    def _second_factor(self, row: dict[str, object], code: str) -> bool:
        """A code of the device or a recovery code: each counts once, whoever else sends it too."""
        staff_id = row["staff_id"]
        step = self._step(self._opened(row), code)
        if step is not None:
            return bool(
                self._database.fetch(
                    "UPDATE trettio.accounts SET last_step = %s"
                    " WHERE staff_id = %s AND last_step < %s RETURNING staff_id",
                    [step, staff_id, step],
                )
            )
        return bool(
            self._database.fetch(
                "UPDATE trettio.recovery_codes SET used_at = clock_timestamp()"
                " WHERE staff_id = %s AND code_hash = %s AND used_at IS NULL RETURNING staff_id",
                [staff_id, self._code_hash(str(staff_id), code)],
            )
        )

    def _step(self, second_factor: str, code: str) -> int | None:
        """The time step whose code it is; a device may be half a minute off."""
        said = "".join(code.split())
        totp = pyotp.TOTP(second_factor)
        now = int(self._clock()) // STEP_SECONDS
        right = [
            step
            for step in (now - 1, now, now + 1)
            if hmac.compare_digest(totp.generate_otp(step).encode(), said.encode(errors="replace"))
        ]
        return right[-1] if right else None

    def _opened(self, row: dict[str, object]) -> str:
        sealed, staff_id = row["second_factor"], str(row["staff_id"])
        assert isinstance(sealed, bytes)
        return decrypt(self._key, sealed, staff_id.encode()).decode()

    def _codes_kept(self, staff_id: str, codes: tuple[str, ...]) -> tuple[Statement, ...]:
        return (
            Statement("DELETE FROM trettio.recovery_codes WHERE staff_id = %s", [staff_id]),
            Statement(
                "INSERT INTO trettio.recovery_codes (staff_id, code_hash)"
                " SELECT %s, unnest(%s::bytea[])",
                [staff_id, [self._code_hash(staff_id, code) for code in codes]],
            ),
        )

    def _code_hash(self, staff_id: str, code: str) -> bytes:
        said = "".join(one for one in code.upper() if one.isalnum())
        return hmac.digest(self._key, f"{staff_id}\n{said}".encode(errors="replace"), "sha256")


class WrongCode(DomainError):
    """The device shows another code: it was typed wrongly, or its clock is off."""


def _recovery_codes() -> tuple[str, ...]:
    def half() -> str:
        return "".join(secrets.choice(_ALPHABET) for _ in range(6))

    return tuple(f"{half()}-{half()}" for _ in range(RECOVERY_CODES))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="replace")).digest()
