"""Tokens per system: one system's messages mean nothing to another (Art. 25, 32)."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.database import Database
from adapters.outbound.system_keys import SystemKeys, token
from domain.vocabulary import Country, IdentifierKind
from services.ports import Identifier

EMAIL = IdentifierKind.EMAIL
SECRET = b"s" * 32


def key_for(purpose: str) -> bytes:
    return HKDF(hashes.SHA256(), 32, None, purpose.encode()).derive(SECRET)


@pytest.fixture
def keys(database: Database) -> SystemKeys:
    return SystemKeys(database, key_for, {"svensk": Country.SE})


def test_ten_thousand_addresses_tried_with_one_systems_key_hit_nothing_of_anothers(
    keys: SystemKeys,
) -> None:
    people = [Identifier(EMAIL, f"person{n}@person.example") for n in range(10_000)]
    told = {one.value for one in keys.of("fjordscenen", "mailing", people)}
    ours = keys.current("fjordscenen", "mailing").key
    foreign = [
        keys.current(*place).key
        for place in (("fjordscenen", "shop"), ("svensk", "mailing"), ("fjordscenen\nm", "ailing"))
    ]

    assert len(told) == 10_000
    assert token(ours, people[0], Country.NO) in told
    for key in foreign:
        assert not {token(key, one, Country.NO) for one in people} & told


def test_a_systems_owner_computes_the_same_with_nothing_but_the_key(keys: SystemKeys) -> None:
    key = keys.current("fjordscenen", "mailing").key
    (told,) = keys.of("fjordscenen", "mailing", [Identifier(EMAIL, "Kari@Person.Example ")])

    theirs = hmac.new(key, b"email:kari@person.example", hashlib.sha256).hexdigest()

    assert (told.kind, told.version, told.value) == (EMAIL, 1, theirs)


def test_after_a_rotation_both_versions_are_told_until_the_old_ones_end(
    keys: SystemKeys, database: Database
) -> None:
    kari = [Identifier(EMAIL, "kari@person.example")]
    (first,) = keys.of("fjordscenen", "mailing", kari)
    assert keys.rotate("fjordscenen", "mailing").version == 2

    both = keys.of("fjordscenen", "mailing", kari)
    assert [one.version for one in both] == [1, 2]
    assert both[0] == first
    assert both[1].value != first.value
    assert [one.version for one in keys.of("fjordscenen", "shop", kari)] == [1]

    database.fetch(
        "UPDATE trettio.system_keys SET until = since WHERE until IS NOT NULL RETURNING 1"
    )
    assert [one.version for one in keys.of("fjordscenen", "mailing", kari)] == [2]


def test_names_days_of_birth_and_national_numbers_are_no_tokens(keys: SystemKeys) -> None:
    """E-10: a number goes once it has been matched with; a topic would keep it."""
    kinds = (IdentifierKind.NAME, IdentifierKind.BIRTH_DATE, IdentifierKind.NATIONAL_NUMBER)

    assert keys.of("fjordscenen", "mailing", [Identifier(kind, "1") for kind in kinds]) == ()
    assert keys.of("fjordscenen", "mailing", [Identifier(EMAIL, "  ")]) == ()


LOCALS = st.text("abcdefghijåøæ.+-0123456789", min_size=1, max_size=12)


@given(local=LOCALS, upper=st.booleans(), spaces=st.integers(0, 2))
def test_every_spelling_of_an_address_gives_one_token(local: str, upper: bool, spaces: int) -> None:
    for domain, same in (("person.example", "PERSON.example"), ("blåbær.example",) * 2):
        plain = Identifier(EMAIL, f"{local}@{domain}")
        spelt = f"{local.upper() if upper else local}@{same}"
        other = Identifier(EMAIL, " " * spaces + spelt + " ")
        assert token(SECRET, other, Country.NO) == token(SECRET, plain, Country.NO)
    punycode = Identifier(EMAIL, f"{local}@xn--blbr-roah.example")
    assert token(SECRET, punycode, Country.NO) == token(SECRET, plain, Country.NO)


@pytest.mark.parametrize("spelt", ["+46 70 174 06 05", "0046701740605", "070-174 06 05"])
def test_every_spelling_of_a_number_gives_one_token(keys: SystemKeys, spelt: str) -> None:
    (told,) = keys.of("svensk", "mailing", [Identifier(IdentifierKind.PHONE, spelt)])
    key = keys.current("svensk", "mailing").key

    assert told.value == hmac.new(key, b"phone:46701740605", hashlib.sha256).hexdigest()
