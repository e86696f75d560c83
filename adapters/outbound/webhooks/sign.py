"""Signatures of Standard Webhooks 1.0: `v1` by a shared secret, `v1a` by a key of ours (Ed25519).

Signed is what was sent to the byte, with its id and its moment, so that nobody can change one, send
it again as another, or keep it for later.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SECRET, PUBLIC = "whsec_", "whpk_"
SECRET_BYTES = 32
TOLERANCE = timedelta(minutes=5)
MOST_SIGNATURES = 10
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"

_ID = re.compile(r"[\x21-\x2d\x2f-\x7e]{1,255}")  # visible, and no full stop, which divides
_SECONDS = re.compile(r"[0-9]{1,12}")


class NotGenuine(Exception):
    """A message that is not signed by whom it should be, or not now. `reason` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """What one system and we sign with: a secret that both have, and a key of which it has half."""

    secret: bytes
    seed: bytes

    @classmethod
    def new(cls) -> Self:
        return cls(secrets.token_bytes(SECRET_BYTES), secrets.token_bytes(SECRET_BYTES))

    @property
    def shown(self) -> str:
        """The secret as the system's owner gets it."""
        return SECRET + base64.b64encode(self.secret).decode()

    @property
    def public(self) -> str:
        """What a system needs that would rather keep no secret."""
        key = Ed25519PrivateKey.from_private_bytes(self.seed).public_key()
        return PUBLIC + base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def signed(keys: Iterable[Key], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a message, signed with every key that is good at the moment."""
    moment = str(int(at.timestamp()))
    content = _content(message_id, moment, body)
    signatures = [
        word
        for key in keys
        for word in (f"v1,{_v1(key.secret, content)}", f"v1a,{_v1a(key.seed, content)}")
    ]
    return {ID: message_id, TIMESTAMP: moment, SIGNATURE: " ".join(signatures)}


def verify(keys: Iterable[Key], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The id of a message that one of the keys signed a moment ago; raises `NotGenuine`.

    `headers` are by lower-case name.
    """
    message_id, moment = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    if not _ID.fullmatch(message_id) or not _SECONDS.fullmatch(moment):
        raise NotGenuine("headers-missing")
    if abs(now.timestamp() - int(moment)) > TOLERANCE.total_seconds():
        raise NotGenuine("timestamp-too-far-off")
    content = _content(message_id, moment, body)
    expected = [_v1(key.secret, content).encode() for key in keys]
    given = headers.get(SIGNATURE, "").split(" ")[:MOST_SIGNATURES]
    claimed = [word.removeprefix("v1,").encode() for word in given if word.startswith("v1,")]
    # All are compared, and each in the same time, whichever it is that fits.
    fits = [hmac.compare_digest(one, another) for one in expected for another in claimed]
    if not any(fits):
        raise NotGenuine("signature-wrong")
    return message_id


def _content(message_id: str, moment: str, body: bytes) -> bytes:
    return f"{message_id}.{moment}.".encode() + body


def _v1(secret: bytes, content: bytes) -> str:
    return base64.b64encode(hmac.digest(secret, content, "sha256")).decode()


def _v1a(seed: bytes, content: bytes) -> str:
    return base64.b64encode(Ed25519PrivateKey.from_private_bytes(seed).sign(content)).decode()
