"""A code opens only what is filed under the address it was sent to (design 2; Art. 12(6))."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.vocabulary import IdentifierKind, Match
from services.matching import match_level, normal_email, normal_name, normal_phone
from services.ports import Identifier, Person


def person(*, verified: str = "", email: str = "", phone: str = "", name: str = "") -> Person:
    given_ones = (
        (IdentifierKind.EMAIL, verified, True),
        (IdentifierKind.EMAIL, email, False),
        (IdentifierKind.PHONE, phone, False),
        (IdentifierKind.NAME, name, False),
    )
    return Person(tuple(Identifier(k, v, verified=proven) for k, v, proven in given_ones if v))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Kari@Post.example", " kari@post.example "),
        ("KÅRE@post.example", "kåre@post.example"),
        ("a\u030ase@post.example", "åse@post.example"),
        ("kari@blåbær.example", "kari@xn--blbr-roah.example"),
        ("O'Brien+Test@post.example", "o'brien+test@post.example"),
    ],
)
def test_two_spellings_of_one_mailbox_are_equal(one: str, other: str) -> None:
    assert normal_email(one) == normal_email(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("kari+cinema@post.example", "kari@post.example"),
        ("ka.ri@post.example", "kari@post.example"),
        ("\u212aari@post.example", "kari@post.example"),
        ("ｋari@post.example", "kari@post.example"),
        ("kari@post.example", "kari@post2.example"),
        ("straße@post.example", "strasse@post.example"),
    ],
)
def test_different_mailboxes_stay_different(one: str, other: str) -> None:
    assert normal_email(one) != normal_email(other)


@given(st.text())
def test_normal_forms_are_final_whatever_is_typed(text: str) -> None:
    assert normal_email(normal_email(text)) == normal_email(text)
    assert normal_name(normal_name(text)) == normal_name(text)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("+47 400 00 000", "+4740000000"),
        ("40 00 00 00", "+4740000000"),
        ("0047 40000000", "+4740000000"),
        ("4740000000", "+4740000000"),
        ("070-174 06 05", "+46701740605"),
        ("+46 (0)70-174 06 05", "+46701740605"),
        ("+46070-1740605", "+46701740605"),
        ("46701740605", "+46701740605"),
        ("+45 12 34 56 78", "+4512345678"),
        ("116117", "116117"),
        ("", ""),
        ("none", ""),
    ],
)
def test_a_telephone_number_has_one_form(written: str, expected: str) -> None:
    assert normal_phone(written) == expected


def test_a_name_is_equal_in_any_order() -> None:
    assert normal_name("Vik, Anne-Lise") == normal_name("Anne Lise  VIK")
    assert normal_name("Anne Vik") != normal_name("Anne Lise Vik")


def test_a_proven_address_beats_everything_else() -> None:
    """OK-08, B.2.8."""
    asking = person(verified="kari@post.example", phone="40000000", name="Kari Vik")

    assert match_level(
        asking, emails=["KARI@post.example"], phones=["+4740000000"], names=["Kari Vik"]
    ) == (Match.VERIFIED_IDENTIFIER, IdentifierKind.EMAIL)


def test_an_address_that_nobody_proved_is_weak() -> None:
    """B.2.8: identification is not authentication."""
    asking = person(verified="kari@post.example", email="kari@old.example", phone="40000000")

    assert match_level(asking, emails=["kari@old.example"]) == (
        Match.UNVERIFIED_IDENTIFIER,
        IdentifierKind.EMAIL,
    )
    assert match_level(asking, phones=["+47 40 00 00 00"]) == (
        Match.UNVERIFIED_IDENTIFIER,
        IdentifierKind.PHONE,
    )


def test_a_name_alone_is_weak_even_when_it_was_proven() -> None:
    asking = Person((Identifier(IdentifierKind.NAME, "Kari Vik", verified=True),))

    assert match_level(asking, names=["Vik, Kari"]) == (Match.SAME_NAME, IdentifierKind.NAME)


def test_a_strangers_record_and_an_empty_one_match_nobody() -> None:
    asking = person(verified="kari@post.example", phone="none", name="-")

    assert match_level(asking, emails=["ola@post.example"], names=["Ola Vik"]) is None
    assert match_level(asking, emails=[""], phones=["", "-"], names=["", "-"]) is None
    assert match_level(Person(()), emails=["kari@post.example"], names=["Kari Vik"]) is None


def test_a_cookie_that_was_given_is_something_to_search_by() -> None:
    """AK-26, AO-19, OK-14, GK-14: an identifier from a browser finds what is filed under it."""
    asking = Person((Identifier(IdentifierKind.COOKIE, "ga.1.2.33"),))

    assert match_level(asking, others={IdentifierKind.COOKIE: ["GA.1.2.33"]}) == (
        Match.UNVERIFIED_IDENTIFIER,
        IdentifierKind.COOKIE,
    )
    assert match_level(asking, others={IdentifierKind.COOKIE: ["ga.1.2.34"]}) is None


def test_numbers_match_and_shared_facts_do_not() -> None:
    """GK-11: a date of birth proves nobody and finds nobody by itself."""
    asking = Person(
        (
            Identifier(IdentifierKind.CUSTOMER_NUMBER, "ab 12", verified=True),
            Identifier(IdentifierKind.BIRTH_DATE, "1980-01-01", verified=True),
        )
    )

    assert match_level(asking, others={IdentifierKind.CUSTOMER_NUMBER: ["AB12"]}) == (
        Match.VERIFIED_IDENTIFIER,
        IdentifierKind.CUSTOMER_NUMBER,
    )
    assert match_level(asking, others={IdentifierKind.BIRTH_DATE: ["1980-01-01"]}) is None
