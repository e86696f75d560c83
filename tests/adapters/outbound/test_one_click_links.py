"""Secrets of one-click links: one per address, opaque, and no other opens anything."""

from __future__ import annotations

import string
from hashlib import sha256

import pytest

from adapters.outbound.one_click_links import SealedLinks
from services.one_click import Subscriber

KARI = Subscriber("fjordscenen", "kari.testesen@person.example")


@pytest.mark.parametrize("number", range(20))
def test_only_the_very_secret_opens(number: int) -> None:
    links = SealedLinks(lambda purpose: sha256(f"{number}{purpose}".encode()).digest())
    secret = links.seal(KARI)
    assert links.seal(KARI) == secret
    assert links.open(secret) == KARI
    assert "kari" not in secret

    for place in (0, len(secret) // 2, len(secret) - 1):
        for letter in set(string.ascii_letters + string.digits + "-_") - {secret[place]}:
            assert links.open(secret[:place] + letter + secret[place + 1 :]) is None
    for wrong in ("", "=", secret + "=", secret + "A", "é", "a" * 2_000):
        assert links.open(wrong) is None
    assert SealedLinks(lambda purpose: b"o" * 32).open(secret) is None
