"""Signing keys: what signs the evidence chain (Ed25519, RFC 8032), kept as master keys are.

Whoever has the database but not this key can change what it says, and cannot hide that. So the key
belongs to nobody who administers the database, and its public half to whoever is to check.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapters.outbound.master_keys import MasterKeys


class SigningKey:
    """One private key; its fingerprint is the SHA-256 of its public half."""

    def __init__(self, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._private.public_key().public_bytes_raw()
        self.fingerprint = hashlib.sha256(self.public).hexdigest()

    def sign(self, text: str) -> str:
        return self._private.sign(text.encode()).hex()

    @property
    def pem(self) -> str:
        """The public half, for whoever checks."""
        public = self._private.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The key that signs, and older ones that can still vouch for it."""

    current: SigningKey
    older: tuple[SigningKey, ...] = ()

    @classmethod
    def of(cls, ring: MasterKeys) -> SigningKeys:
        return cls(SigningKey(ring.current.key), tuple(SigningKey(one.key) for one in ring.older))

    def find(self, fingerprint: str) -> SigningKey | None:
        return next(
            (one for one in (self.current, *self.older) if one.fingerprint == fingerprint), None
        )


Keys = Callable[[], SigningKeys]
"""Reads the keys as they are given now: a file may have got a new one meanwhile."""
