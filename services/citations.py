"""Articles of the GDPR as each language cites them: the log has one form, readers have four."""

from __future__ import annotations

import re

from domain.vocabulary import Language

_ARTICLES = re.compile(
    r"(?P<gdpr>GDPR )?Art\. (?P<first>\d+(?:\(\w\))*)(?P<more>(?:, (?:\d+)?(?:\(\w\))+|, \d+\b)*)"
)
_BOUND = "\N{NO-BREAK SPACE}"
_PARTS = re.compile(r"(?P<article>\d+)?(?P<parts>(?:\(\w\))*)")


def cited(law: str, language: Language) -> str:
    """The same law with every article of the GDPR in the reader's form; other words stay."""
    return _ARTICLES.sub(lambda found: _rewritten(found, language), law)


def _rewritten(found: re.Match[str], language: Language) -> str:
    places = [found["first"], *filter(None, found["more"].split(", "))]
    said = [_place(place, language) for place in places]
    word = {Language.NB: "artikkel", Language.NN: "artikkel", Language.SV: "artikel"}.get(
        language, "Article"
    )
    return f"{found['gdpr'] or ''}{word}{_BOUND}{', '.join(said)}"


def _place(place: str, language: Language) -> str:
    found = _PARTS.fullmatch(place)
    if found is None or language is Language.EN:
        return place
    article = found["article"] or ""
    parts = re.findall(r"\((\w)\)", found["parts"])
    number = next((part for part in parts if part.isdigit()), None)
    letter = next((part for part in parts if part.isalpha()), None)
    if language is Language.SV:
        whole = ".".join(filter(None, [article, number]))
        return _BOUND.join(filter(None, [whole, letter]))
    return _BOUND.join(
        filter(
            None,
            [article, number and f"nr.{_BOUND}{number}", letter and f"bokstav{_BOUND}{letter}"],
        )
    )
