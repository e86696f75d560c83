"""Proposes what a message asks (Art. 7 and 15 to 22), in bokmål, nynorsk, Swedish and English.

A proposal decides nothing: a person confirms it. So a missed right costs more than a needless
proposal, and every proposal shows the words it comes from. The words are in `triage_words.toml`.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache
from importlib.resources import files
from itertools import islice, pairwise
from typing import NamedTuple

from domain.vocabulary import Language, Right, TriageKind
from services.messages import Nature

MAX_CHARS = 20_000
MAX_SUBJECT_CHARS = 500
LONGEST_GAP = 5
NEGATION_REACH = 5
MAX_EVIDENCE = 200
SHORTEST_MISTYPED = 7


class Certainty(Enum):
    HIGH = "high"
    LOW = "low"


@dataclass(frozen=True)
class Evidence:
    """Words of the message that say what it asks, and where they stand in its text or subject."""

    says: Right | TriageKind
    words: str
    start: int
    end: int
    in_subject: bool
    certainty: Certainty


@dataclass(frozen=True)
class Proposal:
    """What a message seems to be; `rights` are empty unless it is a request."""

    kind: TriageKind
    rights: tuple[Right, ...]
    language: Language
    evidence: tuple[Evidence, ...]
    certainty: Certainty


def propose(
    text: str,
    subject: str,
    *,
    fallback: Language,
    nature: Nature = Nature.PERSONAL,
    other_controllers: Sequence[str] = (),
) -> Proposal:
    """Say what somebody's own words ask for.

    `fallback` is the controller's language, for messages too short to tell theirs.
    `other_controllers` are the names of recipients that answer for themselves, such as a payment
    provider: "erase my account at NAME" is theirs to do.
    """
    text, subject = text[:MAX_CHARS], subject[:MAX_SUBJECT_CHARS]
    language = detect_language(f"{subject}\n{text}", fallback=fallback)
    if nature is not Nature.PERSONAL:
        return Proposal(TriageKind.AUTOMATIC, (), language, (), Certainty.HIGH)
    found = [
        *islice(_evidence(text, in_subject=False), MAX_EVIDENCE),
        *islice(_evidence(subject, in_subject=True), MAX_EVIDENCE),
    ]
    evidence = tuple(_settle(found))
    rights = tuple(right for right in Right if any(one.says is right for one in evidence))
    kind, certainty = _judge(evidence, rights)
    if rights and kind is TriageKind.RIGHTS_REQUEST and _is_for(other_controllers, text, subject):
        kind, certainty = TriageKind.OTHER_CONTROLLER, Certainty.LOW
    if kind not in _ABOUT_RIGHTS:
        rights = ()
    return Proposal(kind, rights, language, evidence, certainty)


_ABOUT_RIGHTS = {TriageKind.RIGHTS_REQUEST, TriageKind.OTHER_CONTROLLER, TriageKind.DECEASED}


def detect_language(text: str, *, fallback: Language) -> Language:
    """Tell the four languages apart by their function words; the fallback where these are few."""
    scores = dict.fromkeys(Language, 0.0)
    table = _rules().function_words
    for match in _WORD.finditer(text[:MAX_CHARS].casefold()):
        speaks = table.get(match.group(), ())
        for language in speaks:
            scores[language] += 1 / len(speaks)
    # Letters that only one side of the border writes.
    lowered = text[:MAX_CHARS].casefold()
    swedish = len(re.findall("[äö]", lowered))
    norwegian = len(re.findall("[æø]", lowered))
    scores[Language.SV] += min(swedish, 5)
    scores[Language.NB] += min(norwegian, 5)
    scores[Language.NN] += min(norwegian, 5)
    best = max(scores.values())
    if best < 1:
        return fallback
    leaders = [language for language, score in scores.items() if score > best - 0.01]
    return fallback if fallback in leaders else leaders[0]


# Judging


# What the right on the other side says more exactly at the same place: a copy of the transfer
# safeguards is no copy of the data.
_MORE_EXACT: dict[Right, frozenset[Right | TriageKind]] = {
    Right.ACCESS: frozenset(
        {
            Right.TRANSFER_SAFEGUARDS,
            Right.INFORMATION_SECURITY,
            Right.PORTABILITY,
            TriageKind.DOCUMENT_ACCESS,
        }
    ),
    Right.PORTABILITY: frozenset({Right.TRANSFER_SAFEGUARDS}),
    Right.OBJECTION: frozenset({Right.RESTRICTION}),
    Right.RECTIFICATION: frozenset({TriageKind.CUSTOMER_SERVICE}),
}
# What is said vaguely gives way to more: "erase" to "erase my order", but "erase my account and my
# orders" asks for both.
_CLEARER: dict[Right, frozenset[Right | TriageKind]] = {
    Right.ACCESS: frozenset({Right.ERASURE, Right.RECTIFICATION}),
    Right.ERASURE: frozenset({Right.OBJECTION_TO_MARKETING, TriageKind.CUSTOMER_SERVICE}),
    Right.OBJECTION: frozenset({Right.OBJECTION_TO_MARKETING}),
}
# "Erase me" is vague too, when "from the newsletter" follows.
_MERELY_A_PERSON = re.compile(r".*\b(?:meg|mig|me)", re.IGNORECASE | re.DOTALL)


def _settle(found: list[Evidence]) -> Iterator[Evidence]:
    """Leave out what other words at the same place say better, or at greater length."""
    distinct = list(dict.fromkeys(found))
    is_about_documents = any(one.says is TriageKind.DOCUMENT_ACCESS for one in distinct)
    for one in distinct:
        # "Innsyn" alone does not say in what.
        if is_about_documents and one.says is Right.ACCESS and " " not in one.words:
            continue
        if not any(_explains(other, one) or _contains(other, one) for other in distinct):
            yield one


def _contains(other: Evidence, one: Evidence) -> bool:
    return (
        other is not one
        and other.says is one.says
        and other.in_subject is one.in_subject
        and other.start <= one.start
        and one.end <= other.end
        and (other.certainty is one.certainty or other.certainty is Certainty.HIGH)
        and (other.end - other.start, other.certainty.value)
        != (one.end - one.start, one.certainty.value)
    )


def _explains(other: Evidence, one: Evidence) -> bool:
    if (
        other.says is one.says
        or other.in_subject is not one.in_subject
        or other.end <= one.start
        or other.start >= one.end
        or not isinstance(one.says, Right)
    ):
        return False
    if other.says in _CLEARER.get(one.says, ()):
        return one.certainty is Certainty.LOW or (
            other.says is Right.OBJECTION_TO_MARKETING
            and _MERELY_A_PERSON.fullmatch(one.words) is not None
        )
    return other.says in _MORE_EXACT.get(one.says, ()) and other.certainty is Certainty.HIGH


def _judge(
    evidence: tuple[Evidence, ...], rights: tuple[Right, ...]
) -> tuple[TriageKind, Certainty]:
    certain = {one.says for one in evidence if one.certainty is Certainty.HIGH}
    said = {one.says for one in evidence}
    if TriageKind.DOCUMENT_ACCESS in said and not rights:
        return TriageKind.DOCUMENT_ACCESS, Certainty.HIGH
    # The dead have no rights under the GDPR (recital 27); a person reads whether it is about one.
    if TriageKind.DECEASED in said:
        return TriageKind.DECEASED, Certainty.LOW
    if rights:
        if TriageKind.CUSTOMER_SERVICE in certain and not certain.intersection(rights):
            return TriageKind.CUSTOMER_SERVICE, Certainty.LOW
        is_certain = certain.issuperset(rights) and TriageKind.DOCUMENT_ACCESS not in said
        return TriageKind.RIGHTS_REQUEST, Certainty.HIGH if is_certain else Certainty.LOW
    if TriageKind.SPAM in said:
        return TriageKind.SPAM, Certainty.LOW
    if TriageKind.CUSTOMER_SERVICE in certain:
        return TriageKind.CUSTOMER_SERVICE, Certainty.HIGH
    # Somebody who names data protection wants something that these words do not know.
    if TriageKind.CUSTOMER_SERVICE in said and TriageKind.UNCLEAR not in said:
        return TriageKind.CUSTOMER_SERVICE, Certainty.LOW
    return TriageKind.UNCLEAR, Certainty.LOW


_AT = r"\b(?:hos|til|till|i|fra|från|frå|at|with|from|to)\s+"


def _is_for(names: Sequence[str], text: str, subject: str) -> bool:
    return any(
        re.search(_AT + re.escape(name) + r"\b", one, re.IGNORECASE)
        for name in names
        if name.strip()
        for one in (text, subject)
    )


# Words


_WORD = re.compile(r"\w+(?:['’:-]\w+)*")
_SENTENCE_END = re.compile(r"[.!?…](?=\s+[^\W\d_]|\s*\Z)|;|\n\s*\n")
_CLAUSE_END = re.compile(r"[,:–—()\n]|\s-\s")
_CLAUSE_STARTERS = frozenset({"men", "but", "og", "och", "and", "samt", "utan"})
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_FOLDED = str.maketrans({"æ": "a", "ø": "o", "’": "'", "đ": "d", "ß": "s"})


class _Token(NamedTuple):
    word: str
    start: int
    end: int
    sentence: int
    clause: int


@lru_cache(maxsize=50_000)
def _fold(word: str) -> str:
    """One spelling for å, aa and a; ä, æ, ae and a; ö, ø, oe and o; without accents and case."""
    plain = unicodedata.normalize("NFKD", _INVISIBLE.sub("", word).casefold().translate(_FOLDED))
    bare = "".join(one for one in plain if not unicodedata.combining(one))
    return bare.replace("aa", "a").replace("ae", "a").replace("oe", "o")


def _tokens(text: str) -> list[_Token]:
    ends = sorted((m.start(), kind) for kind, p in _BREAKS for m in p.finditer(text))
    tokens: list[_Token] = []
    sentence = clause = position = 0
    for match in _WORD.finditer(text):
        while position < len(ends) and ends[position][0] < match.start():
            sentence += ends[position][1]
            clause += 1
            position += 1
        word = _fold(match.group())
        clause += word in _CLAUSE_STARTERS
        tokens.append(_Token(word, match.start(), match.end(), sentence, clause))
    return tokens


_BREAKS = ((1, _SENTENCE_END), (0, _CLAUSE_END))


# Rules


class _Atom(NamedTuple):
    """One word of a pattern, with or without an open end."""

    stem: str
    open_start: bool
    open_end: bool

    def fits(self, word: str) -> bool:
        if self.open_start:
            return self.stem in word if self.open_end else word.endswith(self.stem)
        return word.startswith(self.stem) if self.open_end else word == self.stem

    def nearly_fits(self, word: str) -> bool:
        if len(self.stem) < SHORTEST_MISTYPED or self.open_start or word[0] != self.stem[0]:
            return False
        lengths = (-1, 0, 1) if self.open_end else (len(word) - len(self.stem),)
        return any(_is_one_mistake(self.stem, word[: len(self.stem) + more]) for more in lengths)


def _is_one_mistake(one: str, other: str) -> bool:
    """Whether one letter was changed, added, left out, or swapped with its neighbour."""
    if abs(len(one) - len(other)) > 1:
        return False
    if len(one) > len(other):
        one, other = other, one
    same = 0
    while same < len(one) and one[same] == other[same]:
        same += 1
    rest, longer = one[same:], other[same:]
    if len(rest) < len(longer):
        return rest == longer[1:]
    return rest[1:] == longer[1:] or (rest[2:] == longer[2:] and rest[:2] == longer[1::-1])


@dataclass(frozen=True)
class _Pattern:
    says: Right | TriageKind
    certainty: Certainty
    steps: tuple[frozenset[int], ...]
    gaps: tuple[bool, ...]
    has_negation: bool


@dataclass(frozen=True)
class _Negation:
    words: tuple[tuple[str, ...], ...]
    complaint: frozenset[str]
    really: frozenset[str]


@dataclass(frozen=True)
class _Rules:
    patterns: dict[int, list[_Pattern]]
    atoms: tuple[_Atom, ...]
    exact: dict[str, tuple[int, ...]]
    by_first_letter: dict[str, tuple[int, ...]]
    open_start: tuple[int, ...]
    negation: _Negation
    never_mistyped: frozenset[str]
    function_words: dict[str, tuple[Language, ...]]


@cache
def _rules() -> _Rules:
    data = tomllib.loads(files("services").joinpath("triage_words.toml").read_text("utf-8"))
    atoms: dict[_Atom, int] = {}
    patterns: dict[int, list[_Pattern]] = {}
    typos, languages = data.pop("typos"), data.pop("languages")
    negations = [section["negation"] for section in data.values() if "negation" in section]
    negators = {_fold(word) for one in negations for word in one["words"]}
    for section in data.values():
        groups = section.get("groups", {})
        for name, words in section.items():
            if name in {"groups", "negation"}:
                continue
            says = _meaning(name)
            for certainty, key in ((Certainty.HIGH, "certain"), (Certainty.LOW, "likely")):
                for written in words.get(key, ()):
                    pattern = _compile(written, groups, atoms, negators, says, certainty)
                    for first in pattern.steps[0]:
                        patterns.setdefault(first, []).append(pattern)
    listed = tuple(atoms)
    exact: dict[str, list[int]] = {}
    by_first_letter: dict[str, list[int]] = {}
    for number, atom in enumerate(listed):
        if not atom.open_start and not atom.open_end:
            exact.setdefault(atom.stem, []).append(number)
        if not atom.open_start and (atom.open_end or len(atom.stem) >= SHORTEST_MISTYPED):
            by_first_letter.setdefault(atom.stem[0], []).append(number)
    speaks: dict[str, list[Language]] = {}
    for code, words in languages.items():
        for word in dict.fromkeys(words.split()):
            speaks.setdefault(word, []).append(Language(code))
    return _Rules(
        patterns=patterns,
        atoms=listed,
        exact={word: tuple(numbers) for word, numbers in exact.items()},
        by_first_letter={one: tuple(numbers) for one, numbers in by_first_letter.items()},
        open_start=tuple(n for n, atom in enumerate(listed) if atom.open_start),
        negation=_Negation(
            words=tuple(
                tuple(_fold(part) for part in word.split())
                for one in negations
                for word in one["words"]
            ),
            complaint=frozenset(
                " ".join(map(_fold, word.split())) for one in negations for word in one["complaint"]
            ),
            really=frozenset(_fold(word) for one in negations for word in one["really_negated"]),
        ),
        never_mistyped=frozenset(map(_fold, typos["never"])),
        function_words={word: tuple(spoken) for word, spoken in speaks.items()},
    )


def _meaning(name: str) -> Right | TriageKind:
    if name == "privacy":
        return TriageKind.UNCLEAR
    return TriageKind(name) if name in {kind.value for kind in TriageKind} else Right(name)


def _compile(
    written: str,
    groups: dict[str, str],
    atoms: dict[_Atom, int],
    negators: set[str],
    says: Right | TriageKind,
    certainty: Certainty,
) -> _Pattern:
    steps: list[frozenset[int]] = []
    gaps: list[bool] = []
    gap = has_negation = False
    for step in written.split():
        if step == "..":
            gap = True
            continue
        expanded = re.sub(r"\{(\w+)\}", lambda found: groups[found[1]], step)
        words = [_fold(word.strip("*")) for word in expanded.split("/")]
        has_negation |= any(word in negators for word in words)
        steps.append(
            frozenset(
                atoms.setdefault(
                    _Atom(word, written_word.startswith("*"), written_word.endswith("*")),
                    len(atoms),
                )
                for word, written_word in zip(words, expanded.split("/"), strict=True)
            )
        )
        gaps.append(gap)
        gap = False
    return _Pattern(says, certainty, tuple(steps), tuple(gaps), has_negation)


class _Meaning(NamedTuple):
    exactly: frozenset[int]
    nearly: frozenset[int]

    def fits(self, step: frozenset[int]) -> bool:
        return not (step.isdisjoint(self.exactly) and step.isdisjoint(self.nearly))


_NOTHING = _Meaning(frozenset(), frozenset())


@lru_cache(maxsize=50_000)
def _atoms_of(word: str) -> _Meaning:
    """The pattern words this word stands for, and those it would be with one typing mistake."""
    rules = _rules()
    candidates = rules.by_first_letter.get(word[0], ())
    fits = {number for number in (*candidates, *rules.open_start) if rules.atoms[number].fits(word)}
    fits.update(rules.exact.get(word, ()))
    if len(word) < SHORTEST_MISTYPED - 1 or word in rules.never_mistyped:
        return _Meaning(frozenset(fits), frozenset())
    # A mistyped "registerutdrag" still begins with "register"; a longer word is the better guess.
    longest = max((len(rules.atoms[number].stem) for number in fits), default=0)
    nearly = {
        number
        for number in candidates
        if len(rules.atoms[number].stem) > longest + (2 if fits else 0)
        and rules.atoms[number].nearly_fits(word)
    }
    return _Meaning(frozenset(fits), frozenset(nearly - fits))


# Matching


def _evidence(text: str, *, in_subject: bool) -> Iterator[Evidence]:
    rules = _rules()
    tokens = _tokens(text)
    meanings = [_atoms_of(token.word) if token.word else _NOTHING for token in tokens]
    for first, meaning in enumerate(meanings):
        atoms = meaning.exactly | meaning.nearly
        for pattern in dict.fromkeys(p for atom in atoms for p in rules.patterns.get(atom, ())):
            places = _match(pattern, tokens, meanings, first)
            if places is None or (
                not pattern.has_negation and _is_negated(tokens, places[0], places[-1])
            ):
                continue
            is_certain = pattern.certainty is Certainty.HIGH and not any(
                step.isdisjoint(meanings[place].exactly)
                for step, place in zip(pattern.steps, places, strict=True)
            )
            start, end = tokens[places[0]].start, tokens[places[-1]].end
            yield Evidence(
                says=pattern.says,
                words=text[start:end],
                start=start,
                end=end,
                in_subject=in_subject,
                certainty=Certainty.HIGH if is_certain else Certainty.LOW,
            )


def _match(
    pattern: _Pattern,
    tokens: list[_Token],
    meanings: list[_Meaning],
    first: int,
    step: int = 1,
) -> list[int] | None:
    """The places of the pattern's words from this one on, each as near as it can be."""
    if step == len(pattern.steps):
        return [first]
    reach = first + 1 + (LONGEST_GAP if pattern.gaps[step] else 0)
    for place in range(first + 1, min(reach + 1, len(tokens))):
        if tokens[place].sentence != tokens[first].sentence:
            return None
        if meanings[place].fits(pattern.steps[step]):
            rest = _match(pattern, tokens, meanings, place, step + 1)
            if rest is not None:
                return [first, *rest]
    return None


def _is_negated(tokens: list[_Token], first: int, last: int) -> bool:
    """Whether a negation belongs to these words and is no complaint that nothing was done."""
    here = tokens[first]
    begin = first
    while begin > 0 and first - begin < NEGATION_REACH and tokens[begin - 1].clause == here.clause:
        begin -= 1
    # "slett ikke …": the negation may follow the verb.
    end = min(len(tokens), max(last, first + 2))
    words = [token.word for token in tokens[begin:end]]
    negation = _rules().negation
    for place in range(len(words)):
        for negator in negation.words:
            if tuple(words[place : place + len(negator)]) != negator:
                continue
            if place + begin > first and tokens[begin + place].clause != here.clause:
                continue
            between = words[place + len(negator) :]
            if negation.really.intersection(between):
                return True
            # "Dere har slett ikke …" is no complaint: there the verb is a mere "at all".
            if first == last and begin + place == first + 1:
                return True
            start = max(0, begin + place - 3)
            around = [
                token.word
                for token in tokens[start : begin + place + len(negator) + 1]
                if token.sentence == here.sentence
            ]
            if not _has_any(around, negation.complaint):
                return True
    return False


def _has_any(words: list[str], phrases: frozenset[str]) -> bool:
    pairs = (" ".join(pair) for pair in pairwise(words))
    return not phrases.isdisjoint(words) or any(pair in phrases for pair in pairs)
