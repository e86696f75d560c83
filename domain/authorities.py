"""Whom to complain to, by country and never by policy (GDPR Art. 12(4), 77 to 79)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from domain.policy import BodyType, Text
from domain.vocabulary import Country, Language


@dataclass(frozen=True, slots=True)
class FormerName:
    """What the authority was called until and including a day."""

    name: str
    until: date


@dataclass(frozen=True, slots=True)
class Authority:
    """A country's supervisory authority, and the sentences that letters say about it.

    `known_as` are its names today, `by_post` introduces the address.
    """

    country: Country
    name: Text
    known_as: tuple[str, ...]
    former_names: tuple[FormerName, ...]
    address: tuple[str, ...]
    form_needs_eid: bool
    complaint: Text
    by_post: Text
    remedy: Text

    def is_named_in(self, text: str) -> bool:
        return any(_has_word(text, name) for name in self.known_as)

    def former_name_in(self, text: str, on: date) -> FormerName | None:
        """A name in the text that the authority no longer bore on that day."""
        return next(
            (f for f in self.former_names if f.until < on and _has_word(text, f.name)), None
        )


def authority(country: Country) -> Authority:
    return _authorities()[country]


def appeals_to_administrative_court(country: Country, body_type: BodyType) -> bool:
    """Whether the decision is an authority's that can be appealed (dataskyddslagen 7:2).

    A municipal company is none: public access law binds it, but makes it no authority.
    """
    return country is Country.SE and body_type is BodyType.PUBLIC_BODY


def _has_word(text: str, word: str) -> bool:
    return re.search(rf"\b{re.escape(word)}", text, re.IGNORECASE) is not None


@cache
def _authorities() -> Mapping[Country, Authority]:
    path = Path(__file__).with_name("authorities.toml")
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    return {country: _authority(country, data[country.value]) for country in Country}


def _authority(country: Country, entry: Mapping[str, Any]) -> Authority:
    return Authority(
        country=country,
        name=_text(entry["name"]),
        known_as=tuple(entry["known_as"]),
        former_names=tuple(FormerName(**former) for former in entry["former_names"]),
        address=tuple(entry["address"]),
        form_needs_eid=entry["form_needs_eid"],
        complaint=_text(entry["complaint"]),
        by_post=_text(entry["by_post"]),
        remedy=_text(entry["remedy"]),
    )


def _text(words: Mapping[str, str]) -> Text:
    return {Language(language): sentence for language, sentence in words.items()}
