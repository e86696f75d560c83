"""Whether a processor said it: its certificate names its domain, and its key signed the bytes.

The certificate is one that authorities vouch for, as with any web server (RFC 5280), so whoever
answers for another domain proves nothing here.
"""

from __future__ import annotations

import base64
import binascii
import ssl
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

LARGEST_CERTIFICATE = 64 * 1024


class NotTheProcessor(Exception):
    """Not said by the processor whose domain the profile names. `reason` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def key_of(pem: bytes, domain: str, at: datetime, trusting: str | None = None) -> RSAPublicKey:
    """The key in a processor's certificate; raises `NotTheProcessor` where it is another's.

    `trusting` are authorities (PEM) to believe instead of those that this machine does.
    """
    try:
        leaf, *between = x509.load_pem_x509_certificates(pem)
        verifier = (
            PolicyBuilder()
            .store(Store(_authorities(trusting)))
            .time(at)
            .build_server_verifier(x509.DNSName(domain))
        )
        verifier.verify(leaf, between)
    except (ValueError, VerificationError):
        raise NotTheProcessor("certificate-not-theirs") from None
    key = leaf.public_key()
    if not isinstance(key, RSAPublicKey):
        raise NotTheProcessor("certificate-not-rsa")
    return key


def require_signature(key: RSAPublicKey, signature: str, body: bytes) -> None:
    """RSA with SHA-256 over the very bytes, in base64."""
    try:
        key.verify(base64.b64decode(signature, validate=True), body, PKCS1v15(), SHA256())
    except (binascii.Error, ValueError, InvalidSignature):
        raise NotTheProcessor("signature-wrong") from None


def _authorities(trusting: str | None) -> list[x509.Certificate]:
    if trusting is not None:
        return x509.load_pem_x509_certificates(trusting.encode())
    places = ssl.get_default_verify_paths()
    files = (
        [Path(places.cafile)] if places.cafile else sorted(Path(places.capath or "").glob("*.0"))
    )
    return [one for file in files for one in x509.load_pem_x509_certificates(file.read_bytes())]
