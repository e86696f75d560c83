"""On what a request may be refused, each reason with its law (Art. 11, 12(5), 15 to 22, 23).

The reasons are data, in `refusals.toml`. What is offered depends on the right, the country and the
kind of body; for an erasure the promise may rule out what the law would allow. Effort, rudeness,
missing reasons or a dispute to come are no reasons, so nobody can choose them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from domain.deadlines import add_months
from domain.errors import DomainError
from domain.policy import BodyType, Profile, Text
from domain.vocabulary import Country, Language, RefusalGround, Right

REPETITIVE: Final = "repetitive"
AUTHORITY: Final = "authority"
NEVER_EXCESSIVE_AFTER_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class RefusalReason:
    """One reason by its code. No countries or bodies named: it is the same everywhere."""

    code: str
    ground: RefusalGround
    rights: frozenset[Right]
    countries: frozenset[Country]
    bodies: frozenset[BodyType]
    kind: str
    article: str
    law: str
    read_on: date
    contested: bool
    title: Text

    def is_open_to(self, profile: Profile, right: Right, *, for_another: bool) -> bool:
        """Whether the law offers it here, and the promise does not take it away (X-02, AK-06)."""
        allowed = profile.allowed_exceptions
        return (
            right in self.rights
            and (for_another or self.kind != AUTHORITY)
            and (not self.countries or profile.country in self.countries)
            and (not self.bodies or profile.body_type in self.bodies)
            and (
                right is not Right.ERASURE
                or self.ground is not RefusalGround.NOT_ENTITLED
                or self.kind == AUTHORITY  # then the person has not asked at all
                or allowed is None
                or self.kind in allowed
            )
        )


def available(
    profile: Profile, right: Right, *, for_another: bool = False
) -> tuple[RefusalReason, ...]:
    """What a request for this right may be refused on, by this controller.

    Authority has to be shown only `for_another`: by whoever asks for somebody else.
    """
    return tuple(
        one
        for one in _reasons().values()
        if one.is_open_to(profile, right, for_another=for_another)
    )


def chosen(
    profile: Profile,
    right: Right,
    ground: RefusalGround,
    code: str = "",
    *,
    for_another: bool = False,
) -> RefusalReason:
    """The reason with this code or law; without one, the only one that the ground leaves."""
    open_to = available(profile, right, for_another=for_another)
    offered = [one for one in open_to if one.ground is ground]
    wanted = [one for one in offered if code in {one.code, one.law}] if code else offered
    if len(wanted) != 1 and not (wanted and len({one.law for one in wanted}) == 1):
        names = ", ".join(one.code for one in offered) or "none for this right and controller"
        raise DomainError(
            f"name the law on which it is refused, as one of the reasons there are: {names}"
        )
    return wanted[0]


def named(code: str) -> RefusalReason | None:
    """The reason with this code, whoever may use it."""
    return _reasons().get(code)


def require_too_frequent(received_on: date, earlier: Iterable[date]) -> None:
    """An interval of a year or more is never excessive (EDPB 01/2022, 185), nor is a first one."""
    before = [day for day in earlier if day <= received_on]
    if not before:
        raise DomainError("this person has not asked before: a first request is not repetitive")
    if add_months(max(before), NEVER_EXCESSIVE_AFTER_MONTHS) <= received_on:
        raise DomainError(
            f"the last such request came on {max(before)}: after a year or more none is excessive"
        )


@cache
def _reasons() -> Mapping[str, RefusalReason]:
    text = Path(__file__).with_name("refusals.toml").read_text(encoding="utf-8")
    return {code: _reason(code, entry) for code, entry in tomllib.loads(text)["refusals"].items()}


def _reason(code: str, entry: Mapping[str, Any]) -> RefusalReason:
    return RefusalReason(
        code=code,
        ground=RefusalGround(entry["ground"]),
        rights=frozenset(map(Right, entry["rights"])),
        countries=frozenset(map(Country, entry.get("countries", ()))),
        bodies=frozenset(map(BodyType, entry.get("bodies", ()))),
        kind=entry["kind"],
        article=entry["article"],
        law=entry["law"],
        read_on=entry["read_on"],
        contested=entry.get("contested", False),
        title={Language(language): words for language, words in entry["title"].items()},
    )
