"""The vault: personal data sealed per case and compartment, destroyed with its key (Art. 17, 32).

Every compartment of a case has a random key, which the master key wraps. What is sealed is bound
to its reference, its case and its compartment, so a row moved elsewhere does not open.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import hmac
import os
import re
import secrets
import stat
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from adapters.outbound.database import Database, Statement
from domain.personal import PersonalRef
from domain.vocabulary import Compartment, Country, IdentifierKind
from services.ports import Also, Erased, Identifier, Sealed

KEY_BYTES = 32
NONCE_BYTES = 12
CALLING_CODES = {Country.NO: "47", Country.SE: "46"}


# Master keys


class WrongMasterKey(Exception):
    """A master key is missing, malformed, or not the one that this vault was sealed with."""


@dataclass(frozen=True, slots=True, repr=False)
class MasterKey:
    key: bytes

    @property
    def id(self) -> str:
        """Names the key without telling anything about it."""
        return hashlib.sha256(b"trettio master key id" + self.key).hexdigest()[:16]


@dataclass(frozen=True, slots=True, repr=False)
class MasterKeys:
    """The key that seals today, and older ones that still open."""

    current: MasterKey
    older: tuple[MasterKey, ...] = ()

    def by_id(self, key_id: str) -> MasterKey | None:
        return next((key for key in (self.current, *self.older) if key.id == key_id), None)


def load_master_keys(
    *, value: str | None = None, path: Path | None = None, generate: bool = False
) -> MasterKeys:
    """Master keys from a value (an environment variable's) or else from a file.

    Either holds one key per line or comma, 32 bytes in base64, the current one first. With
    `generate` a missing file is made, readable by its owner only.
    """
    if value:
        return _parse_keys(value, "TRETTIO_MASTER_KEY")
    if path is None:
        raise WrongMasterKey("no master key is given: neither a value nor a file")
    if generate and not path.exists():
        _generate_key_file(path)
    try:
        mode = path.stat().st_mode
        text = path.read_text("ascii")
    except FileNotFoundError:
        raise WrongMasterKey(
            f"the master key file {path} does not exist: make it, or correct"
            " TRETTIO_MASTER_KEY_FILE"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise WrongMasterKey(f"the master key file {path} cannot be read: {error}") from error
    if stat.S_IMODE(mode) & 0o077:
        raise WrongMasterKey(f"others may read the master key file {path}; run: chmod 600 {path}")
    return _parse_keys(text, f"the master key file {path}")


def _parse_keys(text: str, source: str) -> MasterKeys:
    keys = []
    for word in re.split(r"[\s,]+", text.strip()):
        try:
            key = base64.b64decode(word, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != KEY_BYTES:
            raise WrongMasterKey(f"{source} must be {KEY_BYTES} random bytes in base64")
        keys.append(MasterKey(key))
    return MasterKeys(keys[0], tuple(keys[1:]))


def _generate_key_file(path: Path) -> None:
    """Complete or absent, and never replaced: a link into place fails if somebody was faster."""
    path.parent.mkdir(parents=True, exist_ok=True)
    making = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
        os.fsync(descriptor)
        os.link(making, path)
    except FileExistsError:
        pass
    finally:
        os.close(descriptor)
        making.unlink()
    _sync_directory(path.parent)


# The vault


class PostgresVault:
    """Keeps `services.ports.Vault`. Content is written by the save that `Sealed.also` joins.

    Key rows are written at once and by themselves, so that two threads that seal the first row of
    a compartment agree on one key. A key without rows, left by a save that failed, is harmless: it
    opens nothing, and goes when its compartment is destroyed.
    """

    def __init__(
        self,
        database: Database,
        master_keys: MasterKeys,
        *,
        destroyed_keys: Path,
        countries: Mapping[str, Country] | None = None,
    ) -> None:
        """`destroyed_keys` is a file outside the database: it outlives a restore of it.

        `countries` says per controller how a phone number without country code is meant.
        Raises `WrongMasterKey` when the master key does not open this vault.
        """
        self.database = database
        self.destroyed_keys = destroyed_keys
        self._master_keys = master_keys
        self._countries = countries or {}
        self._token_secret = self._open_secret()

    # Sealing and opening

    def seal(self, case_id: UUID, compartment: Compartment, content: bytes) -> Sealed:
        ref = PersonalRef(uuid4())
        key_id, key = self._key(case_id, compartment)
        sealed = _encrypt(key, content, _bound_to(ref.id, case_id, compartment.value))
        row = Statement(
            "INSERT INTO trettio.vault_rows (id, key_id, sealed) VALUES (%b, %b, %b)",
            (ref.id, key_id, sealed),
        )
        return Sealed(ref, (row,))

    def open(self, ref: PersonalRef) -> bytes:
        with self.database.connection.cursor(binary=True) as cursor:
            row = cursor.execute(
                "SELECT r.sealed, k.id, k.case_id, k.compartment, k.master_key_id, k.wrapped"
                " FROM trettio.vault_rows r JOIN trettio.vault_keys k ON k.id = r.key_id"
                " WHERE r.id = %s",
                [ref.id],
            ).fetchone()
        if row is None:
            raise Erased(f"the personal data behind {ref} has been erased")
        sealed, key_id, case_id, compartment, master_key_id, wrapped = row
        key = self._unwrap(master_key_id, wrapped, _bound_to(key_id, case_id, compartment))
        return _decrypt(key, sealed, _bound_to(ref.id, case_id, compartment))

    # Finding

    def index(
        self, controller: str, case_id: UUID, identifiers: Sequence[Identifier]
    ) -> tuple[Also, ...]:
        key_id, _ = self._key(case_id, Compartment.CORRESPONDENCE)
        tokens = dict.fromkeys(self.token(controller, identifier) for identifier in identifiers)
        return tuple(
            Statement(
                "INSERT INTO trettio.match_tokens (controller, token, case_id, key_id)"
                " VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (controller, token, case_id, key_id),
            )
            for token in tokens
        )

    def cases_of(self, controller: str, identifier: Identifier) -> tuple[UUID, ...]:
        rows = self.database.fetch(
            "SELECT case_id FROM trettio.match_tokens WHERE controller = %s AND token = %s"
            " ORDER BY case_id",
            [controller, self.token(controller, identifier)],
        )
        return tuple(row["case_id"] for row in rows)

    def token(self, controller: str, identifier: Identifier) -> bytes:
        """What equality of an identifier is searched by; means nothing to another controller."""
        derive = HKDF(
            hashes.SHA256(), KEY_BYTES, None, b"trettio match token/" + controller.encode()
        )
        country = self._countries.get(controller, Country.NO)
        text = f"{identifier.kind.value}:{normalised(identifier, country)}"
        return hmac.digest(derive.derive(self._token_secret), text.encode(), "sha256")

    def digest(self, case_id: UUID, text: str) -> str:
        """Compares what lies sealed within one case; means nothing to another."""
        derive = HKDF(hashes.SHA256(), KEY_BYTES, None, b"trettio record digest/" + case_id.bytes)
        return hmac.digest(derive.derive(self._token_secret), text.encode(), "sha256").hex()[:32]

    # Destroying

    def destroy(self, case_id: UUID, compartment: Compartment) -> None:
        """Delete the key and, with it, all rows and tokens of one compartment; no other is touched.

        The key's id goes to the file before the deletion is committed. If we fall in between, the
        file promises too much and the repeated command keeps the promise; the other way round a
        restored backup would bring back what nobody knows to have been destroyed.
        """
        with self.database.transaction() as connection:
            row = connection.execute(
                "SELECT id FROM trettio.vault_keys WHERE case_id = %s AND compartment = %s"
                " FOR UPDATE",
                [case_id, compartment.value],
            ).fetchone()
            if row is None:
                return
            self._note_destroyed(row[0])
            connection.execute("DELETE FROM trettio.vault_keys WHERE id = %s", [row[0]])

    def outstanding(self) -> tuple[UUID, ...]:
        """Keys that were destroyed but are back, because the database was restored."""
        destroyed = self._destroyed()
        rows = self.database.fetch(
            "SELECT id FROM trettio.vault_keys WHERE id = ANY(%s) ORDER BY id", [destroyed]
        )
        return tuple(row["id"] for row in rows)

    def destroy_outstanding(self) -> int:
        """Destroy again what a restore brought back; answers how many compartments."""
        with self.database.transaction() as connection:
            deleted = connection.execute(
                "DELETE FROM trettio.vault_keys WHERE id = ANY(%s)", [self._destroyed()]
            )
            return deleted.rowcount

    def _note_destroyed(self, key_id: UUID) -> None:
        is_new = not self.destroyed_keys.exists()
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self.destroyed_keys, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            size = os.fstat(descriptor).st_size
            # A line that a crash has cut short must not swallow the next one.
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            line = f"{key_id} {datetime.now(UTC).isoformat(timespec='seconds')}\n"
            os.write(descriptor, (b"\n" if torn else b"") + line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            _sync_directory(self.destroyed_keys.parent)

    def _destroyed(self) -> list[UUID]:
        if not self.destroyed_keys.exists():
            return []
        found = re.findall(r"^([0-9a-f-]{36}) ", self.destroyed_keys.read_text(), re.MULTILINE)
        return [UUID(key_id) for key_id in found]

    # Keys

    def _key(self, case_id: UUID, compartment: Compartment) -> tuple[UUID, bytes]:
        """The compartment's key, made if there is none. Never remembered: it may be destroyed."""
        while True:
            for row in self.database.fetch(
                "SELECT id, master_key_id, wrapped FROM trettio.vault_keys"
                " WHERE case_id = %s AND compartment = %s",
                [case_id, compartment.value],
            ):
                bound = _bound_to(row["id"], case_id, compartment.value)
                return row["id"], self._unwrap(row["master_key_id"], row["wrapped"], bound)
            key_id, master = uuid4(), self._master_keys.current
            wrapped = _encrypt(
                master.key,
                secrets.token_bytes(KEY_BYTES),
                _bound_to(key_id, case_id, compartment.value),
            )
            self.database.fetch(
                "INSERT INTO trettio.vault_keys (id, case_id, compartment, master_key_id, wrapped)"
                " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (case_id, compartment) DO NOTHING",
                [key_id, case_id, compartment.value, master.id, wrapped],
            )

    def _unwrap(self, master_key_id: str, wrapped: bytes, bound_to: bytes) -> bytes:
        master = self._master_keys.by_id(master_key_id)
        if master is None:
            raise WrongMasterKey(
                f"this vault was sealed with master key {master_key_id}, which is not given; "
                f"given is {self._master_keys.current.id}"
            )
        return _decrypt(master.key, wrapped, bound_to)

    def _open_secret(self) -> bytes:
        while True:
            for row in self.database.fetch(
                "SELECT master_key_id, wrapped FROM trettio.vault_secret"
            ):
                return self._unwrap(row["master_key_id"], row["wrapped"], b"trettio vault secret")
            master = self._master_keys.current
            secret = _encrypt(master.key, secrets.token_bytes(KEY_BYTES), b"trettio vault secret")
            self.database.fetch(
                "INSERT INTO trettio.vault_secret (master_key_id, wrapped) VALUES (%s, %s)"
                " ON CONFLICT DO NOTHING",
                [master.id, secret],
            )


def _bound_to(row_id: UUID, case_id: UUID, compartment: str) -> bytes:
    return b"trettio vault 1" + row_id.bytes + case_id.bytes + compartment.encode()


def _encrypt(key: bytes, content: bytes, bound_to: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, bound_to)


def _decrypt(key: bytes, sealed: bytes, bound_to: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)
    except InvalidTag:
        raise WrongMasterKey(
            "something in the vault does not open: its row was changed or moved"
        ) from None


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# Equality of identifiers


def normalised(identifier: Identifier, country: Country) -> str:
    """One spelling for everything that means the same address, number or name."""
    text = _folded(identifier.value)
    if identifier.kind is IdentifierKind.EMAIL:
        return _email(text)
    if identifier.kind is IdentifierKind.PHONE:
        return _phone(text, country)
    if identifier.kind is IdentifierKind.NATIONAL_NUMBER:
        return "".join(c for c in text if c.isalnum())
    return text


def _folded(text: str) -> str:
    composed = unicodedata.normalize("NFC", text)
    return unicodedata.normalize("NFC", " ".join(composed.casefold().split()))


def _email(text: str) -> str:
    local, at, domain = text.rpartition("@")
    with suppress(UnicodeError):  # not a name of the DNS: compared as it is
        domain = domain.encode("idna").decode("ascii")
    return f"{local}{at}{domain}"


def _phone(text: str, country: Country) -> str:
    """Digits with country code: +46 (0)70-123 45 67, 0046701234567 and 070-1234567 are one."""
    digits = re.sub(r"\D", "", text.replace("(0)", ""))
    code = CALLING_CODES[country]
    if text.lstrip("( ").startswith("+"):
        return digits
    if digits.startswith("00"):
        return digits[2:]
    if digits.startswith("0"):
        return code + digits[1:]
    # Ten digits or more that begin with the country's code have it already.
    return digits if digits.startswith(code) and len(digits) >= 10 else code + digits
