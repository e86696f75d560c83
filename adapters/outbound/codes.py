"""One-time codes in PostgreSQL: keyed digests with a salt of their own, five tries, an end.

Eight digits are quickly guessed from any hash, however slow. Only a key that whoever
reads the table does not have keeps a code from them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
from datetime import timedelta
from uuid import UUID

from adapters.outbound.database import Database, Statement
from services.ports import Also, CodeCheck

DIGITS = 8
TRIES = 5
KEYED = b"keyed:"


class PostgresCodes:
    """Keeps `services.ports.Codes`. Ends are judged by the database's clock."""

    def __init__(self, database: Database, key: bytes) -> None:
        """`key` belongs to this installation and lies nowhere in the clear."""
        self._database, self._key = database, key

    def issue(self, subject_id: UUID, *, valid_for: timedelta) -> tuple[str, tuple[Also, ...]]:
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        salt = secrets.token_bytes(16)
        earlier_ones = Statement(
            "UPDATE trettio.codes SET tries_left = 0 WHERE subject_id = %s AND used_at IS NULL",
            [subject_id],
        )
        this_one = Statement(
            "INSERT INTO trettio.codes (subject_id, code_hash, salt, tries_left, expires_at)"
            " VALUES (%s, %s, %s, %s, clock_timestamp() + %s)",
            [subject_id, self._digest(code, salt), salt, TRIES, valid_for],
        )
        return code, (earlier_ones, this_one)

    def check(self, subject_id: UUID, code: str) -> CodeCheck:
        with self._database.transaction() as connection:
            row = connection.execute(
                "SELECT id, code_hash, salt, tries_left, used_at IS NOT NULL,"
                " expires_at <= clock_timestamp() FROM trettio.codes"
                " WHERE subject_id = %s ORDER BY id DESC LIMIT 1 FOR UPDATE",
                [subject_id],
            ).fetchone()
            if row is None:
                return CodeCheck.WRONG
            code_id, code_hash, salt, tries_left, used, expired = row
            if used or tries_left <= 0:
                return CodeCheck.SPENT
            if expired:
                return CodeCheck.EXPIRED
            typed = "".join(character for character in code[:100] if character in string.digits)
            if self._matches(typed, salt, code_hash):
                return CodeCheck.RIGHT
            connection.execute(
                "UPDATE trettio.codes SET tries_left = tries_left - 1 WHERE id = %s", [code_id]
            )
            return CodeCheck.SPENT if tries_left == 1 else CodeCheck.WRONG

    def use(self, subject_id: UUID) -> Also:
        return Statement(
            "UPDATE trettio.codes SET used_at = clock_timestamp()"
            " WHERE subject_id = %s AND used_at IS NULL",
            [subject_id],
        )

    def issued(self, subject_id: UUID, *, within: timedelta) -> int:
        (row,) = self._database.fetch(
            "SELECT count(*) FROM trettio.codes"
            " WHERE subject_id = %s AND created_at > clock_timestamp() - %s",
            [subject_id, within],
        )
        return int(row["count"])

    def _digest(self, code: str, salt: bytes) -> bytes:
        return KEYED + hmac.digest(self._key, salt + code.encode(), "sha256")

    def _matches(self, typed: str, salt: bytes, code_hash: bytes) -> bool:
        if code_hash.startswith(KEYED):
            return hmac.compare_digest(self._digest(typed, salt), code_hash)
        # A code that version 0.1 issued; it ends half an hour after the upgrade at the latest.
        earlier = hashlib.scrypt(typed.encode(), salt=salt, n=2**12, r=8, p=1, dklen=32)
        return hmac.compare_digest(earlier, code_hash)
