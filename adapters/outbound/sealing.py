"""How the vault seals: AES-256-GCM bound to what a row is, and keys wrapped by a master key."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from uuid import UUID

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.outbound.master_keys import MasterKey, MasterKeys, UnknownMasterKey, WrongMasterKey

NONCE_BYTES = 12
SECRET = b"trettio vault secret"
"""What the vault's own secret is bound to."""

log = structlog.get_logger()


def bound_to(row_id: UUID, case_id: UUID, compartment: str) -> bytes:
    return b"trettio vault 1" + row_id.bytes + case_id.bytes + compartment.encode()


def encrypt(key: bytes, content: bytes, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, bound)


def decrypt(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound)
    except InvalidTag:
        raise WrongMasterKey(
            "something in the vault does not open: its row was changed or moved"
        ) from None


class Ring:
    """The master keys of this process, read again when one is asked for that it lacks."""

    def __init__(self, keys: MasterKeys, reread: Callable[[], MasterKeys] | None = None) -> None:
        self.keys, self._reread = keys, reread

    def refresh(self) -> MasterKeys:
        """The keys as they are given now; a file may have got another one since the start.

        What was given before still opens: a file that is being changed, or was spoilt, takes
        nothing from a process that runs.
        """
        if self._reread is None:
            return self.keys
        try:
            now, before = self._reread(), self.keys
        except WrongMasterKey as error:
            log.warning("master_keys_not_read_again", error=type(error).__name__)
            return self.keys
        kept = [key for key in (before.current, *before.older) if now.by_id(key.id) is None]
        self.keys = MasterKeys(now.current, (*now.older, *kept))
        return self.keys

    def find(self, key_id: str) -> MasterKey | None:
        return self.keys.by_id(key_id) or self.refresh().by_id(key_id)

    def unwrap(self, key_id: str, wrapped: bytes, bound: bytes) -> bytes:
        master = self.find(key_id)
        if master is None:
            raise UnknownMasterKey(
                f"this vault was sealed with master key {key_id}, which is not given; given is "
                + ", ".join(self.keys.ids)
            )
        return decrypt(master.key, wrapped, bound)
