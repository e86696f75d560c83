"""Whom to complain to: from a country table, never from a policy (X-05, E-03, E-04)."""

from __future__ import annotations

from datetime import date

import pytest

from domain.authorities import appeals_to_administrative_court, authority
from domain.policy import BodyType
from domain.vocabulary import Country, Language

ON = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("country", "address", "word"),
    [
        (Country.NO, "0105 Oslo", "Datatilsynet"),
        (Country.SE, "104 20 Stockholm", "Integritetsskyddsmyndigheten"),
    ],
)
def test_each_country_has_its_authority_with_a_postal_address(
    country: Country, address: str, word: str
) -> None:
    """E-03, X-05, B.1 row 77."""
    here = authority(country)

    assert here.address[-1] == address
    for language in Language:
        assert word in here.name[language]
        assert word in here.complaint[language]
        assert here.remedy[language]
        assert here.by_post[language]


def test_a_renamed_authority_is_recognised_by_its_old_name() -> None:
    """AO-18: renamed on 1 January 2021."""
    former = authority(Country.SE).former_name_in("klagomål till Datainspektionen.", ON)

    assert former is not None
    assert former.until == date(2020, 12, 31)
    assert authority(Country.SE).former_name_in("Datainspektionen", date(2020, 6, 1)) is None
    assert authority(Country.SE).is_named_in("klaga hos IMY")
    assert not authority(Country.SE).is_named_in("Datainspektionen")


def test_only_a_swedish_public_authority_is_appealed_at_the_administrative_court() -> None:
    """E-04: a municipal company is none, and Norway goes another way."""
    assert appeals_to_administrative_court(Country.SE, BodyType.PUBLIC_BODY)
    assert not appeals_to_administrative_court(Country.SE, BodyType.PUBLIC_COMPANY)
    assert not appeals_to_administrative_court(Country.SE, BodyType.COMPANY)
    assert not appeals_to_administrative_court(Country.NO, BodyType.PUBLIC_BODY)


def test_the_sentences_for_letters_stay_short() -> None:
    """E-07: no sentence over 25 words."""
    for country in Country:
        here = authority(country)
        for text in (here.complaint, here.by_post, here.remedy):
            for language in Language:
                for sentence in text[language].split(". "):
                    assert len(sentence.split()) <= 25, sentence
