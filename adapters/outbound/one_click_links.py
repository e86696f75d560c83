"""Secrets of one-click links: an address sealed with AES-SIV (RFC 5297), for nobody else to read.

The same address makes the same secret, and nothing is stored: a link works for as long as the mail
that carries it is kept, and a mailing system may ask for its links as often as it likes.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from services.one_click import Subscriber

_ABOUT = [b"trettio one-click link 1"]
LONGEST_SECRET = 1_000


class SealedLinks:
    """Keeps `services.one_click.Sealer`."""

    def __init__(self, key_for: Callable[[str], bytes]) -> None:
        self._cipher = AESSIV(key_for("one-click links 1") + key_for("one-click links 2"))
        self._digests = key_for("one-click digests")

    def seal(self, subscriber: Subscriber) -> str:
        content = f"{subscriber.controller}\n{subscriber.address.strip()}".encode()
        return _written(self._cipher.encrypt(content, _ABOUT))

    def open(self, secret: str) -> Subscriber | None:
        if len(secret) > LONGEST_SECRET or not secret.isascii():
            return None
        try:
            sealed = base64.b64decode(secret + "=" * (-len(secret) % 4), b"-_", validate=True)
            if _written(sealed) != secret:  # the last letter has bits that mean nothing
                return None
            content = self._cipher.decrypt(sealed, _ABOUT).decode()
        except (binascii.Error, ValueError, InvalidTag):
            return None
        controller, _, address = content.partition("\n")
        return Subscriber(controller, address)

    def digest(self, text: str) -> str:
        return hmac.digest(self._digests, text.encode(), "sha256").hex()


def _written(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")
