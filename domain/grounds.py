"""Why something stays: the grounds a decision may name, each with its law (Art. 17(1), 17(3)).

There is no other ground. That a history might be useful one day is none of them, so nobody can
choose it. The words are data, in `grounds.toml`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Final

from domain.errors import DomainError
from domain.policy import Profile, Text
from domain.vocabulary import Country, Language

BOOKKEEPING: Final = {Country.NO: "no.bokforing.primary", Country.SE: "se.bokforing"}
ARCHIVE: Final = {Country.NO: "no.archive", Country.SE: "se.archive"}
OPEN_OBLIGATION: Final = "contract.open_obligation"
WARRANTY: Final = "contract.warranty"
REFUND: Final = "contract.refund"
LEGAL_CLAIM: Final = "legal_claim"
RESTRICTION: Final = "restriction"


class ExceptionKind(Enum):
    """What a profile's `allowed_exceptions` may name; a promise can rule some of them out."""

    STATUTORY = "statutory"
    LEGAL_CLAIM = "legal-claim"
    OPEN_OBLIGATION = "open-obligation"
    OWN_WISH = "own-wish"


@dataclass(frozen=True, slots=True)
class Ground:
    """A ground by its code, with its article, its law, and one sentence for a letter.

    `law` is the citation as one writes it in the law's own country; `read_on` is the day on which
    the law was looked up. `text` may hold {until}, `open_ended` serves when there is no date.
    """

    code: str
    kind: ExceptionKind
    article: str
    law: str
    read_on: date
    text: Text
    open_ended: Text


def ground(code: str) -> Ground:
    try:
        return _grounds()[code]
    except KeyError:
        raise DomainError(
            f"{code!r} is no ground for keeping data; there are: {', '.join(sorted(_grounds()))}"
        ) from None


def grounds() -> tuple[Ground, ...]:
    return tuple(_grounds().values())


def is_allowed(code: str, profile: Profile) -> bool:
    """Whether law and promise both leave room for this ground: the intersection, never the sum."""
    kind = ground(code).kind
    if profile.allowed_exceptions is None or kind is ExceptionKind.OWN_WISH:
        return True
    return kind.value in profile.allowed_exceptions


def say(code: str, language: Language) -> str:
    """The sentence behind an explanation, a question or a step of a decision."""
    for table in ("explanations", "questions", "steps"):
        words = _words()[table].get(code)
        if words is not None:
            return str(words[language.value])
    raise DomainError(f"{code!r} is no explanation, question or step of a decision")


def codes(table: str) -> tuple[str, ...]:
    """The codes that can be said, of `explanations`, `questions` or `steps`."""
    return tuple(_words()[table])


@cache
def _grounds() -> Mapping[str, Ground]:
    return {
        code: Ground(
            code=code,
            kind=ExceptionKind(entry["kind"]),
            article=entry["article"],
            law=entry["law"],
            read_on=entry["read_on"],
            text=_text(entry["text"]),
            open_ended=_text(entry["open_ended"]),
        )
        for code, entry in _words()["grounds"].items()
    }


def _text(words: Mapping[str, str]) -> Text:
    return {Language(language): sentence for language, sentence in words.items()}


@cache
def _words() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("grounds.toml").read_text(encoding="utf-8"))
