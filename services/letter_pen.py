"""What every part of a letter is written with: its words, its facts, and small phrases."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from domain.authorities import Authority, authority
from domain.errors import DomainError
from domain.explanation import written_date
from domain.letters import Block, Link, Paragraph, Piece, Section, Words
from domain.vocabulary import LetterKind, Outcome
from services.citations import cited
from services.letter_facts import OWN_SYSTEM, CategoryOutcome, LetterFacts
from services.wording import LETTERS, Wording, in_language, short, wording


@dataclass(frozen=True)
class Pen:
    """One letter's kind, facts and words."""

    kind: LetterKind
    facts: LetterFacts
    words: Wording = field(init=False)
    outcomes: tuple[CategoryOutcome, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", wording(LETTERS, self.facts.language))
        object.__setattr__(self, "outcomes", merged(self.facts.outcomes or self._refused()))

    def _refused(self) -> tuple[CategoryOutcome, ...]:
        """What a letter refuses as a whole, where nobody says it system by system."""
        if not self.kind.refuses or self.kind is LetterKind.PARTIAL_REFUSAL:
            return ()
        why = self.facts.why or self.words.find(f"default_why.{self.kind.value}")
        law = self.facts.law or _LAWS.get(self.kind)
        return tuple(
            CategoryOutcome(right, "", "", Outcome.REFUSED, why=why, law=law)
            for right in self.facts.rights
        )

    @property
    def _case(self) -> str:
        return line(self.facts.case_reference)

    @property
    def _controller(self) -> str:
        return self.facts.profile.controller.name

    @property
    def _authority(self) -> Authority:
        return authority(self.facts.profile.country)

    @property
    def _received(self) -> str:
        return self._day(self.facts.received_on) if self.facts.received_on else ""

    @property
    def _changed(self) -> bool:
        return any(outcome.outcome in _CHANGES for outcome in self.outcomes)

    @property
    def _exported(self) -> bool:
        return any(outcome.outcome is Outcome.EXPORTED for outcome in self.outcomes)

    def _category(self, id_: str) -> str:
        profile = self.facts.profile
        known = next((c for c in profile.categories if c.id == id_), None)
        if known is None:
            raise DomainError(f"category {id_!r} has no name in profile {profile.id}: add it there")
        return short(in_language(known.name, self.facts.language, profile))

    def _system(self, id_: str) -> str:
        if id_ == OWN_SYSTEM:
            return self.words.say("done.own_system")
        profile = self.facts.profile
        known = next((s for s in profile.systems if s.id == id_), None)
        if known is None:
            raise DomainError(f"system {id_!r} has no name in profile {profile.id}: add it there")
        return known.name

    def _purposes(self) -> tuple[str, ...]:
        return tuple(map(self._purpose, self.facts.purposes))

    def _purpose(self, id_: str) -> str:
        profile = self.facts.profile
        known = next((purpose for purpose in profile.purposes if purpose.id == id_), None)
        if known is None:
            raise DomainError(f"purpose {id_!r} has no name in profile {profile.id}: add it there")
        return in_language(known.name, self.facts.language, profile)

    def _coded(self, table: str, code: str) -> str:
        text = self.words.find(f"{table}.{code}")
        if text is None:
            raise DomainError(
                f"letters have no words for {code!r}: add it to [{table}] in every language"
            )
        return text

    def _own_words(self, words: str | None) -> list[Piece]:
        return [Words(clean(words))] if words and words.strip() else []

    def _link(self, label: str) -> Iterator[Piece]:
        if self.facts.link_url:
            yield Link(self.facts.link_url, self.words.say(label))
        if self.facts.link_ends_on:
            yield Paragraph(self.words.say("link.ends", day=self._day(self.facts.link_ends_on)))

    def _cited(self, law: str) -> str:
        return cited(law, self.facts.language)

    def _law_of(self, key: str, law: str) -> str:
        return self.words.say(key, law=self._cited(law))

    def _day(self, day: date) -> str:
        return written_date(day, self.facts.language)

    def _section(self, block: Block, key: str, *pieces: Piece) -> Section:
        return Section(block, self.words.say(f"{key}.heading"), pieces)


_LAWS = {
    LetterKind.CANNOT_IDENTIFY: "GDPR Art. 11(2), 12(2)",
    LetterKind.NO_RESPONSE: "GDPR Art. 12(2), 12(6)",
    LetterKind.OBJECTION_DISMISSED: "GDPR Art. 21(1)",
}
"""What such a refusal rests on, where whoever decides names nothing else."""


_CHANGES = frozenset(
    {
        Outcome.ERASED,
        Outcome.ANONYMISED,
        Outcome.RECTIFIED,
        Outcome.COMPLETED,
        Outcome.STATEMENT_ADDED,
        Outcome.RESTRICTED,
        Outcome.SUPPRESSED,
        Outcome.STOPPED,
        Outcome.REVIEWED,
        Outcome.ANSWERED,
        Outcome.MANUAL,
    }
)


def merged(outcomes: Iterable[CategoryOutcome]) -> tuple[CategoryOutcome, ...]:
    """Sorts of record are the systems' business: what differs only in count is said once."""
    counts: dict[CategoryOutcome, int] = {}
    for outcome in outcomes:
        alike = replace(outcome, count=0)
        counts[alike] = counts.get(alike, 0) + outcome.count
    return tuple(replace(alike, count=count) for alike, count in counts.items())


def paragraphs(texts: Iterable[str]) -> tuple[Piece, ...]:
    return tuple(Paragraph(text) for text in texts)


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def line(text: str) -> str:
    return " ".join(clean(text).split())


def clean(text: str) -> str:
    """The text without what could hide or reorder other text; line breaks stay."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in lines if c == "\n" or unicodedata.category(c) not in _HIDDEN).strip()


# Control and format characters (bidirectional overrides are among them), lone surrogates.
_HIDDEN = frozenset({"Cc", "Cf", "Cs"})
