"""Passwords of local accounts: long rather than contrived, and no common one (NIST SP 800-63B).

Hashed with Argon2id as RFC 9106 advises; a few at a time, because each takes its memory.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.errors import DomainError

SHORTEST, LONGEST = 12, 256
AT_ONCE = 2
_DATA = Path(__file__).with_name("common_passwords.txt")
_BESIDE_LETTERS = re.compile(r"[\W\d_]+")


class PasswordRefused(DomainError):
    """`reason` is a code: what is wrong with a password that somebody wants."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def normal(password: str) -> str:
    """One form for what keyboards write in several."""
    return unicodedata.normalize("NFKC", password)


def require_good(password: str, *names: str) -> None:
    """Nothing is asked of a password but length, and that nobody would guess it first."""
    said = normal(password)
    if len(said) < SHORTEST:
        raise PasswordRefused("short", f"a password has at least {SHORTEST} characters")
    if len(said) > LONGEST:
        raise PasswordRefused("long", f"a password has at most {LONGEST} characters")
    bare = said.casefold()
    words = _BESIDE_LETTERS.sub("", bare)
    theirs = {part for name in names for part in re.split(r"\W+", name.casefold()) if part}
    if len(set(bare)) < 4 or bare in _common() or words in _common() | theirs:
        raise PasswordRefused("common", "this password is easily guessed: choose another")


class Passwords:
    """Hashes and checks. An account that is not there costs as much as one that is."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._free = BoundedSemaphore(AT_ONCE)
        self._nobodys: str | None = None

    def hashed(self, password: str) -> str:
        with self._free:
            return self._hasher.hash(normal(password))

    def holds(self, password: str, known: str | None) -> bool:
        """Whether it is the one behind a hash; without a hash it is not, after the same work."""
        if self._nobodys is None:
            self._nobodys = self.hashed("nobody's password, compared with for the time it takes")
        with self._free:
            try:
                return self._hasher.verify(known or self._nobodys, normal(password)) and bool(known)
            except (VerificationError, InvalidHashError):
                return False

    def is_outdated(self, known: str) -> bool:
        """Hashed with less than is asked for by now."""
        return self._hasher.check_needs_rehash(known)


@cache
def _common() -> frozenset[str]:
    return frozenset(_DATA.read_text("utf-8").split())
