"""Looks through a finished letter for what no letter may be (E-03, E-04, E-07, E-15, E-17).

It reads what the person will read, whoever wrote the words: texts, authorities, grounds, profile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from domain.authorities import appeals_to_administrative_court, authority
from domain.letters import Block, Explanation, Fact, Group, Items, Paragraph, Said
from domain.policy import Profile
from domain.vocabulary import Country, LetterKind
from services.letters import ComposedLetter
from services.readability import lix, sentences

MOST_LIX = 40
MOST_WORDS = 25
LONGEST_SUBJECT = 78
LEAST_TO_MEASURE = 20
"""Words; of fewer, one long one would make any text a hard one."""

NEVER = re.compile(
    r"compliant|tamper|anonym|guaranteed|garanter|bank-?grade|GDPR-?kompat|manipulasjonssik",
    re.IGNORECASE,
)
"""Words that promise what nobody can keep (E-17)."""

_OPEN = re.compile(r"[{}]|\bNone\b|\w+\.\w+_\w+|Outcome|Right\.|LetterKind")
_DATE = re.compile(r"(\w+)?[ \u00a0](\d{1,2})\.? ([a-zåäö]+|[A-Z][a-z]+) (20\d\d)\b")
_WEEKDAY = re.compile(r"(?:dag|day)$", re.IGNORECASE)
_NATIONAL_NUMBER = re.compile(r"\b\d{6}[ -]?\d{4,5}\b|\b(?:19|20)\d{6}[ -]?\d{4}\b")
_TITLES = re.compile(r"\b(?:Mr|Mrs|Ms|Sir|Madam|Herr|Fru|Frøken|Fröken)\b")
_ENGLISH_CITATION = re.compile(r"\bArt\. ?\d")
_APPEAL = "förvaltningsrätten"


def faults(letter: ComposedLetter, profile: Profile) -> list[str]:
    """What is wrong with the letter, in words; nothing for one that may leave."""
    return [
        *_texts(letter),
        *_measures(letter),
        *_ways_on(letter, profile),
        *_names(letter, profile),
    ]


@dataclass(frozen=True, slots=True)
class Caution:
    """Something in a handler's own words to look at again, as a code, and what it is about."""

    code: str
    about: str = ""


def cautions(words: str) -> Iterator[Caution]:
    """What makes somebody's own words hard to read, or says what a letter should not say."""
    if not words.strip():
        return
    texts = [line for line in words.splitlines() if line.strip()]
    if len(words.split()) >= LEAST_TO_MEASURE and (measured := lix(texts)) >= MOST_LIX:
        yield Caution("hard", f"{measured:.0f}")
    for sentence in sentences(texts):
        if len(sentence) > MOST_WORDS:
            yield Caution("long", f"{' '.join(sentence[:6])} …")
    for found in _DATE.finditer(f" {words}"):
        if not _WEEKDAY.search(found.group(1) or ""):
            yield Caution("weekday", found.group().strip())
    if promise := NEVER.search(words):
        yield Caution("never", promise.group())
    if _NATIONAL_NUMBER.search(words):
        yield Caution("number")


def prose(letter: ComposedLetter) -> list[str]:
    """Everything to be read but addresses, references and other people's own words."""
    texts = [letter.subject, letter.letter.greeting]
    for section in letter.letter.sections:
        if section.block in {Block.CONTROLLER, Block.CONTACT}:
            continue
        texts.append(section.heading)
        for piece in section.pieces:
            match piece:
                case Paragraph(text):
                    texts.append(text)
                case Items(items):
                    texts += items
                case Group(title, items):
                    texts += [title, *items]
                case Explanation(_, title, said):
                    texts += [title, *(one.text for one in said)]
                case _:
                    pass
    return [text for text in texts if text]


def _texts(letter: ComposedLetter) -> Iterator[str]:
    if len(letter.subject) > LONGEST_SUBJECT:
        yield f"the subject is longer than {LONGEST_SUBJECT} characters"
    if _TITLES.search(letter.letter.greeting):
        yield "the greeting takes somebody for a man or a woman"
    laws = {said.text for said in _said(letter) if said.fact is Fact.LAW}
    for text in prose(letter):
        if found := _OPEN.search(text):
            yield f"{found.group()!r} is left open"
        if "  " in text or text != text.strip():
            yield f"spaces too many in {text[:40]!r}"
        if found := NEVER.search(text):
            yield f"{found.group()!r} is never said"
        if _ENGLISH_CITATION.search(text):
            yield f"an article is not cited in the reader's language in {text[:40]!r}"
        if text not in laws:
            yield from (
                f"{found.group().strip()!r} has no weekday"
                for found in _DATE.finditer(f" {text}")
                if not _WEEKDAY.search(found.group(1) or "")
            )


def _measures(letter: ComposedLetter) -> Iterator[str]:
    texts = prose(letter)
    if (measured := lix(texts)) >= MOST_LIX:
        yield f"LIX is {measured:.0f}: it must be under {MOST_LIX}"
    for sentence in sentences(texts):
        if len(sentence) > MOST_WORDS:
            yield f"{len(sentence)} words in one sentence: {' '.join(sentence)}"


def _ways_on(letter: ComposedLetter, profile: Profile) -> Iterator[str]:
    """The right authority with its postal address, and no road that is none (E-03, E-04)."""
    ours = authority(profile.country)
    complains = Block.COMPLAINT in letter.letter.blocks
    flat = " ".join(letter.text.split())
    if complains is not (f"{ours.address[0]} {ours.address[1]} {ours.address[2]}" in flat):
        yield "the authority's address is missing, or stands where nobody can complain"
    for country in Country:
        if country is not profile.country and authority(country).is_named_in(letter.text):
            yield f"it names the authority of {country.value}"
    if not complains and ours.is_named_in(letter.text):
        yield "it names an authority and says nothing of complaining"
    may_appeal = appeals_to_administrative_court(profile.country, profile.body_type)
    if _APPEAL in letter.text and not may_appeal:
        yield "it offers an appeal that is not open"
    decides = letter.kind.refuses or letter.kind is LetterKind.FEE_ANNOUNCED
    if decides and may_appeal and _APPEAL not in letter.text:
        yield "it does not say how the decision can be appealed"


def _names(letter: ComposedLetter, profile: Profile) -> Iterator[str]:
    """Who writes is said, but not to who may be a stranger years later (E-15)."""
    names = [*profile.controller.names, profile.controller.trade_name, profile.sender]
    named = [name for name in names if name and name in letter.text + letter.html + letter.subject]
    if letter.kind is LetterKind.HOLD_RELEASED and named:
        yield "it names the business to whoever reads it"
    if letter.kind is not LetterKind.HOLD_RELEASED and profile.controller.name not in letter.text:
        yield "it does not say who writes"


def _said(letter: ComposedLetter) -> Iterator[Said]:
    for section in letter.letter.sections:
        for piece in section.pieces:
            if isinstance(piece, Explanation):
                yield from piece.said
