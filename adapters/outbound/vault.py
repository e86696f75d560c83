"""The vault: personal data sealed per case and compartment, destroyed with its key (Art. 17, 32).

Every compartment of a case has a random key, which the master key wraps. What is sealed is bound
to its reference, its case and its compartment, so a row moved elsewhere does not open.
"""

from __future__ import annotations

import fcntl
import hmac
import os
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID, uuid4

from eventsourcing.persistence import IntegrityError

from adapters.outbound.database import Database, Statement
from adapters.outbound.durable import sync_directory
from adapters.outbound.master_keys import MasterKey as MasterKey
from adapters.outbound.master_keys import MasterKeys as MasterKeys
from adapters.outbound.master_keys import WrongMasterKey as WrongMasterKey
from adapters.outbound.master_keys import load_master_keys as load_master_keys
from adapters.outbound.recorder import ConstraintViolated
from adapters.outbound.rotation import require_every_key
from adapters.outbound.sealing import SECRET, Ring, bound_to, decrypt, encrypt
from domain.personal import PersonalRef
from domain.vocabulary import Compartment, Country, IdentifierKind
from services.ports import Also, Destruction, Erased, Identifier, Sealed

KEY_BYTES = 32
KEY_IS_THERE = "vault_rows_key_id_fkey"
ROWS_PER_READING = 64
CALLING_CODES = {Country.NO: "47", Country.SE: "46"}

_NOTE = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) ")


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
        reread: Callable[[], MasterKeys] | None = None,
    ) -> None:
        """`destroyed_keys` is a file outside the database: it outlives a restore of it.

        `countries` says per controller how a phone number without country code is meant.
        `reread` answers the master keys as they are given now, when one is met that was not.
        Raises `WrongMasterKey` when the master keys do not open all of this vault.
        """
        self.database = database
        self.destroyed_keys = destroyed_keys
        self.ring = Ring(master_keys, reread)
        self._countries = countries or {}
        require_every_key(database, self.ring)
        self._master, self._token_secret = self._open_secret()
        self._beginning: dict[tuple[UUID, Compartment], tuple[UUID, bytes]] = {}

    # Sealing and opening

    @contextmanager
    def beginning(self, case_id: UUID, compartment: Compartment) -> Iterator[Also]:
        """The first key of a compartment of a new case, as a write that goes first in its save.

        Nobody else knows the case yet, so nothing has to be asked before, and nothing is left
        behind if it is not saved. When another master key was put in force meanwhile, the save
        fails as one that somebody else was faster with.
        """
        key_id, key, master = uuid4(), secrets.token_bytes(KEY_BYTES), self._master
        wrapped = encrypt(master.key, key, bound_to(key_id, case_id, compartment.value))
        self._beginning[case_id, compartment] = key_id, key
        try:
            yield Statement(
                "INSERT INTO trettio.vault_keys (id, case_id, compartment, master_key_id, wrapped)"
                " SELECT %s, %s, %s, master_key_id, %s FROM trettio.vault_secret"
                " WHERE master_key_id = %s",
                (key_id, case_id, compartment.value, wrapped, master.id),
            )
        except ConstraintViolated as error:
            if error.constraint != KEY_IS_THERE:
                raise
            self._master, self._token_secret = self._open_secret()
            raise IntegrityError("another master key is in force by now") from error
        finally:
            del self._beginning[case_id, compartment]

    def seal(self, case_id: UUID, compartment: Compartment, content: bytes) -> Sealed:
        ref = PersonalRef(uuid4())
        key_id, key = self._key(case_id, compartment)
        sealed = encrypt(key, content, bound_to(ref.id, case_id, compartment.value))
        row = Statement(
            "INSERT INTO trettio.vault_rows (id, key_id, sealed) VALUES (%b, %b, %b)",
            (ref.id, key_id, sealed),
        )
        return Sealed(ref, (row,))

    def forget(self, ref: PersonalRef) -> Also:
        return Statement("DELETE FROM trettio.vault_rows WHERE id = %b", (ref.id,))

    def open(self, ref: PersonalRef) -> bytes:
        return next(self.open_each([ref]))

    def open_each(self, refs: Iterable[PersonalRef]) -> Iterator[bytes]:
        waiting = iter(refs)
        while some := list(islice(waiting, ROWS_PER_READING)):
            rows = self._rows(some)
            keys: dict[UUID, bytes] = {}
            for ref in some:
                if ref.id not in rows:
                    raise Erased(f"the personal data behind {ref} has been erased")
                sealed, key_id, case_id, compartment, master_key_id, wrapped = rows[ref.id]
                if key_id not in keys:
                    bound = bound_to(key_id, case_id, compartment)
                    keys[key_id] = self.ring.unwrap(master_key_id, wrapped, bound)
                yield decrypt(keys[key_id], sealed, bound_to(ref.id, case_id, compartment))

    def _rows(self, refs: Sequence[PersonalRef]) -> dict[UUID, Sequence[Any]]:
        """Each row with its key as it is wrapped now: what is destroyed is not there."""
        asked = [ref.id for ref in refs]
        # Few different statements, so that each is prepared once.
        asked += asked[-1:] * ((1 << (len(asked) - 1).bit_length()) - len(asked))
        return {row[0]: row[1:] for row in self.database.ask(_open_sql(len(asked)), asked)}

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
        rows = self.database.ask(
            "SELECT case_id FROM trettio.match_tokens WHERE controller = %s AND token = %s"
            " ORDER BY case_id",
            [controller, self.token(controller, identifier)],
        )
        return tuple(case_id for (case_id,) in rows)

    def token(self, controller: str, identifier: Identifier) -> bytes:
        """What equality of an identifier is searched by; means nothing to another controller."""
        key = derived(self._token_secret, b"trettio match token/" + controller.encode())
        country = self._countries.get(controller, Country.NO)
        text = f"{identifier.kind.value}:{normalised(identifier, country)}"
        return hmac.digest(key, text.encode(), "sha256")

    def digest(self, case_id: UUID, text: str) -> str:
        """Compares what lies sealed within one case; means nothing to another."""
        key = derived(self._token_secret, b"trettio record digest/" + case_id.bytes)
        return hmac.digest(key, text.encode(), "sha256").hex()[:32]

    def key_for(self, purpose: str) -> bytes:
        """A key of this vault for one other purpose; a new master key does not change it."""
        return derived(self._token_secret, b"trettio " + purpose.encode())

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
            connection.execute(f"{_PROOF} WHERE k.id = %s ON CONFLICT DO NOTHING", [row[0]])
            connection.execute("DELETE FROM trettio.vault_keys WHERE id = %s", [row[0]])

    def destructions(self, case_id: UUID) -> tuple[Destruction, ...]:
        """What of a case has been destroyed, the oldest first."""
        rows = self.database.fetch(
            "SELECT key_id, compartment, items, destroyed_at FROM trettio.destructions"
            " WHERE case_id = %s ORDER BY destroyed_at, key_id",
            [case_id],
        )
        return tuple(
            Destruction(**{**row, "compartment": Compartment(row["compartment"])}) for row in rows
        )

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
            noted = self._destroyed()
            connection.execute(f"{_PROOF} WHERE k.id = ANY(%s) ON CONFLICT DO NOTHING", [noted])
            deleted = connection.execute(
                "DELETE FROM trettio.vault_keys WHERE id = ANY(%s)", [noted]
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
            sync_directory(self.destroyed_keys.parent)

    def _destroyed(self) -> list[UUID]:
        return list(self.noted())

    def noted(self) -> Iterator[UUID]:
        """The destroyed keys that the file outside the database knows, one by one."""
        if not self.destroyed_keys.exists():
            return
        with self.destroyed_keys.open(encoding="ascii", errors="replace") as lines:
            for line in lines:
                if found := _NOTE.match(line):
                    yield UUID(found[1])

    # Keys

    def require_every_key(self) -> None:
        """Refuse to go on without a master key that still wraps something."""
        require_every_key(self.database, self.ring)

    def opens(
        self, key_id: UUID, case_id: UUID, compartment: str, master_key_id: str, wrapped: bytes
    ) -> bool:
        """Whether the master keys at hand open a wrapped key, as the database holds it."""
        try:
            self.ring.unwrap(master_key_id, wrapped, bound_to(key_id, case_id, compartment))
        except WrongMasterKey:
            return False
        return True

    def _key(self, case_id: UUID, compartment: Compartment) -> tuple[UUID, bytes]:
        """The compartment's key, made if there is none. Never remembered: it may be destroyed."""
        begun = self._beginning.get((case_id, compartment))
        if begun is not None:
            return begun
        while True:
            for key_id, master_key_id, wrapped in self.database.ask(
                "SELECT id, master_key_id, wrapped FROM trettio.vault_keys"
                " WHERE case_id = %s AND compartment = %s",
                [case_id, compartment.value],
            ):
                bound = bound_to(key_id, case_id, compartment.value)
                return key_id, self.ring.unwrap(master_key_id, wrapped, bound)
            key_id, key, master = uuid4(), secrets.token_bytes(KEY_BYTES), self._master
            wrapped = encrypt(master.key, key, bound_to(key_id, case_id, compartment.value))
            if self.database.ask(
                "INSERT INTO trettio.vault_keys (id, case_id, compartment, master_key_id, wrapped)"
                " SELECT %s, %s, %s, master_key_id, %s FROM trettio.vault_secret"
                " WHERE master_key_id = %s ON CONFLICT (case_id, compartment) DO NOTHING"
                " RETURNING id",
                [key_id, case_id, compartment.value, wrapped, master.id],
            ):
                return key_id, key
            # Somebody was faster, or another master key is in force by now.
            self._master, self._token_secret = self._open_secret()

    def _open_secret(self) -> tuple[MasterKey, bytes]:
        """The master key in force, and the secret that it wraps; both are made in a new vault."""
        while True:
            for row in self.database.fetch(
                "SELECT master_key_id, wrapped FROM trettio.vault_secret"
            ):
                secret = self.ring.unwrap(row["master_key_id"], row["wrapped"], SECRET)
                master = self.ring.find(row["master_key_id"])
                assert master is not None
                return master, secret
            master = self.ring.keys.current
            self.database.fetch(
                "INSERT INTO trettio.vault_secret (master_key_id, wrapped) VALUES (%s, %s)"
                " ON CONFLICT DO NOTHING",
                [master.id, encrypt(master.key, secrets.token_bytes(KEY_BYTES), SECRET)],
            )


_PROOF: LiteralString = (
    "INSERT INTO trettio.destructions (key_id, case_id, compartment, master_key_id, items)"
    " SELECT k.id, k.case_id, k.compartment, k.master_key_id,"
    " (SELECT count(*) FROM trettio.vault_rows r WHERE r.key_id = k.id) FROM trettio.vault_keys k"
)


def derived(secret: bytes, purpose: bytes) -> bytes:
    """A key of 32 bytes by HKDF-SHA-256 without a salt (RFC 5869): one block, so two digests."""
    return hmac.digest(hmac.digest(bytes(32), secret, "sha256"), purpose + b"\x01", "sha256")


@lru_cache
def _open_sql(rows: int) -> LiteralString:
    return (
        "SELECT r.id, r.sealed, k.id, k.case_id, k.compartment, k.master_key_id, k.wrapped"  # noqa: S608
        " FROM trettio.vault_rows r JOIN trettio.vault_keys k ON k.id = r.key_id"
        f" WHERE r.id IN ({', '.join(['%b'] * rows)})"
    )


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
    """Digits with country code: +46 (0)70-174 06 05, 0046701740605 and 070-1740605 are one."""
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
