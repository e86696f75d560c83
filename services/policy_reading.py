"""Reads what a published policy says, as quotes with their places (GDPR Art. 12 to 14).

It says what the words are about and never what is thought of them; that is `domain.findings`. The
expressions are data, in `policy_statements.toml`. A policy is text from outside: whatever it is,
reading it takes time in proportion to its length, and no quote is longer than `MOST_WORDS` words.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files

from domain.policy import BodyType, ChannelKind, ContactChannel, Observation
from domain.vocabulary import Country, Language
from services.triage import detect_language

MOST_WORDS = 25
MOST_CHARACTERS = 300_000
LONGEST_SENTENCE = 1_200
MOST_OF_A_TOPIC = 40
NAMED_MAILBOX = "(a named person's mailbox)"

_SENTENCE_END = re.compile(
    r"(?<=[.!?…])(?=\s+[A-ZÆØÅÄÖ{«\"”•])|(?<=\D[.!?])(?=[A-ZÆØÅÄÖ])|(?=[•●])"
)
_MARKUP = re.compile(r"[\s•●*_\-–—]+")
_FORMS = ("AS", "ASA", "IKS", "KF", "SA", "BA", "AB", "HB", "KB", "Ltd", "GmbH")
_FORM = re.compile(r"\b(?:" + "|".join(_FORMS) + r"|as|iks)\b(?!\s*=)")
_MUNICIPALITY = re.compile(
    r"\b([A-ZÆØÅÄÖ][\w-]{1,40}(?: [A-ZÆØÅÄÖ][\w-]{1,40})?) (kommune|kommun|fylkeskommune)\b"
)
_PUBLIC_WORD = re.compile(r"^(?:Läns|Region|Stads|Fylkes|Kommun)\w*")
_SMALL_WORDS = frozenset(
    {"vi", "du", "jeg", "eg", "jag", "hos", "til", "till", "for", "för", "med", "av", "og", "och"}
    | {"and", "the", "we", "you", "at", "på", "i", "er", "är", "som", "den", "det", "din", "ditt"}
    | {"våre", "våra", "när", "når", "här", "her"}
)
_ORG_NUMBER = re.compile(r"(?<![\d-])(?:\d{6}-\d{4}|\d{3} ?\d{3} ?\d{3})(?![\d-])")
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_SITE = re.compile(r"(?<![@\w.-])(?:www\.)?([\w-]{2,63}\.(?:se|no|com|org|nu|eu|example))\b", re.I)
_PHONE = re.compile(
    r"(?:tlf|telefon|sentralbord|växel|ring|phone|tel)\.?\w*:?\s{0,3}(\+?\d[\d ]{6,14}\d)", re.I
)
_POST = re.compile(
    r"\b(?:Postboks|Postbox|Box|P\.?O\.? ?Box) \d{1,6}\b[^\n]{0,60}"
    r"|\b[A-ZÆØÅÄÖ]\w{1,40}(?:gata|gate|gaten|veien|vegen|vägen|gatan|torget|street) \d{1,4}\b"
)
_OFFICER = re.compile(r"personvernombud|personvernombod|dataskyddsombud|protection officer|\bDPO\b")
_ROLE_WORDS = re.compile(
    r"post|kontakt|contact|info|support|kund|kunde|service|hjelp|help|personvern|privacy|dpo|gdpr|"
    r"dataskydd|ombud|mail|hei|hej|hello|admin|desk|billett|biljett|ticket|arkiv|register|order"
)
_SELLS = re.compile(
    r"kjøp|billett|bestill|köp|biljett|abonnemang|faktura|\border|ticket|purchase", re.I
)


class NotReadable(ValueError):
    """A text that no policy can be read from; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a policy says, and the facts that follow from its words alone."""

    language: Language
    country: Country
    observations: tuple[Observation, ...]
    names: tuple[str, ...] = ()
    body_type: BodyType = BodyType.COMPANY
    organisation_number: str | None = None
    channels: tuple[ContactChannel, ...] = ()
    website: str | None = None
    sells: bool = False

    def said(self, topic: str) -> tuple[Observation, ...]:
        return tuple(one for one in self.observations if one.topic == topic)


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    line: int
    offset: int
    heading: str


@dataclass(frozen=True, slots=True)
class _Statement:
    topic: str
    article: str
    says: tuple[re.Pattern[str], ...]
    under: re.Pattern[str] | None
    never: re.Pattern[str] | None
    only_sentence: bool
    value: str | None


@dataclass(slots=True)
class _Notes:
    """The quotes so far, each once, and so many of a topic at most."""

    read_on: date
    made: list[Observation] = field(default_factory=list)
    times: Counter[str] = field(default_factory=Counter)
    known: set[tuple[str, int, str]] = field(default_factory=set)

    def add(
        self,
        sentence: _Sentence,
        span: tuple[int, int],
        topic: str,
        article: str,
        value: str | None,
    ) -> None:
        quote, start = _quoted(sentence.text, *span)
        key = (topic, sentence.line, quote)
        if key in self.known or self.times[topic] >= MOST_OF_A_TOPIC:
            return
        self.known.add(key)
        self.times[topic] += 1
        self.made.append(
            Observation(
                id=f"{topic}-{self.times[topic]}",
                topic=topic,
                quote=quote,
                line=sentence.line,
                read_on=self.read_on,
                value=value,
                offset=sentence.offset + start,
                article=article,
            )
        )


def read_policy(
    text: str, *, read_on: date, language: Language | None = None, country: Country | None = None
) -> Reading:
    """Everything recognised in a policy, in the order of the text."""
    if not text.strip():
        raise NotReadable("there is no text in it: save the policy's words as plain text or HTML")
    if len(text) > MOST_CHARACTERS:
        raise NotReadable(
            f"is longer than {MOST_CHARACTERS:,} characters: cut out the policy itself"
        )
    sentences = tuple(_sentences(text))
    spoken = language or detect_language(text, fallback=Language.EN)
    notes = _Notes(read_on)
    for sentence in sentences:
        for statement in _statements():
            _recognise(sentence, statement, notes)
    names, named = _controller_names(sentences)
    for sentence, span, name in named:
        notes.add(sentence, span, "controller", "Art. 13(1)(a)", name)
    channels = tuple(_channels(sentences, notes))
    number = next(_organisation_numbers(sentences), None)
    if number is not None:
        notes.add(number[0], number[1], "organisation-number", "Art. 13(1)(a)", number[2])
    made = sorted(notes.made, key=lambda one: (one.line, one.offset or 0))
    return Reading(
        language=spoken,
        country=country or _country(spoken, names, text),
        observations=tuple(made),
        names=names,
        body_type=_body_type(names),
        organisation_number=number[2] if number else None,
        channels=channels,
        website=_website(text),
        sells=_SELLS.search(text) is not None,
    )


# Sentences and quotes


def _sentences(text: str) -> Iterator[_Sentence]:
    offset, heading = 0, ""
    for number, line in enumerate(text.split("\n"), start=1):
        words = _MARKUP.sub(" ", line).strip(" #")
        if words and _is_heading(line.strip(), words):
            heading = words
        for start, end in _pieces(line):
            piece = line[start:end]
            lead = len(piece) - len(piece.lstrip(" \t\r•●*-–—"))
            if piece.strip():
                yield _Sentence(piece[lead:].rstrip(), number, offset + start + lead, heading)
        offset += len(line) + 1


def _is_heading(line: str, words: str) -> bool:
    short = len(words) <= 90 and len(words.split()) <= 12
    return (
        short and not line.endswith((".", ",", ";", ":")) and not line.startswith(("•", "●", "*"))
    )


def _pieces(line: str) -> Iterator[tuple[int, int]]:
    ends = [found.end() for found in _SENTENCE_END.finditer(line)]
    start = 0
    for end in [*ends, len(line)]:
        while end - start > LONGEST_SENTENCE:  # no full stop for pages: cut it at a blank
            cut = line.rfind(" ", start + 1, start + LONGEST_SENTENCE)
            cut = cut if cut > start else start + LONGEST_SENTENCE
            yield start, cut
            start = cut
        if end > start:
            yield start, end
        start = end


def _quoted(sentence: str, start: int, end: int) -> tuple[str, int]:
    """At most so many words of the sentence, with the found ones in them, and where they begin."""
    words = [(found.start(), found.end()) for found in re.finditer(r"\S+", sentence)]
    starts = [word[0] for word in words]
    first, last = bisect_right(starts, start) - 1, max(bisect_right(starts, max(start, end - 1)), 1)
    first = max(first, 0)
    room = MOST_WORDS - (last - first)
    if room > 0:
        after = min(room, len(words) - last)
        before = min(first, room - after)
        first, last = first - before, last + after
    last = min(last, first + MOST_WORDS)
    begin = words[first][0]
    quote = sentence[begin : words[last - 1][1]]
    return _MAIL.sub(lambda mail: _role_address(mail[0]), quote)[:600], begin


def _role_address(address: str) -> str:
    """A policy may name a person's own mailbox; what is written down about it names nobody."""
    local, _, host = address.partition("@")
    return address if _is_role(local) else f"{NAMED_MAILBOX}@{host}"


def _is_role(local: str) -> bool:
    return "." not in local or _ROLE_WORDS.search(local.casefold()) is not None


# Recognising


def _recognise(sentence: _Sentence, statement: _Statement, notes: _Notes) -> None:
    if statement.never is not None and statement.never.search(sentence.text):
        return
    if statement.under is not None and not (
        statement.under.search(sentence.text)
        or (not statement.only_sentence and statement.under.search(sentence.heading))
    ):
        return
    for says in statement.says:
        found = says.search(sentence.text)
        if found is not None:
            value = found.groupdict().get("value") or statement.value
            notes.add(sentence, found.span(), statement.topic, statement.article, value)
            return


@cache
def _statements() -> tuple[_Statement, ...]:
    data = tomllib.loads(files("services").joinpath("policy_statements.toml").read_text("utf-8"))
    return tuple(
        _Statement(
            topic=entry["topic"],
            article=entry["article"],
            says=tuple(re.compile(says, re.IGNORECASE) for says in entry["says"]),
            under=_any_of(entry.get("under", ())),
            never=_any_of(entry.get("never", ())),
            only_sentence=entry.get("only_sentence", False),
            value=entry.get("value"),
        )
        for entry in data["statements"]
    )


def _any_of(expressions: Sequence[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(expressions), re.IGNORECASE) if expressions else None


# Who it is, and how to reach it

_Named = tuple[_Sentence, tuple[int, int], str]


def _controller_names(sentences: Sequence[_Sentence]) -> tuple[tuple[str, ...], list[_Named]]:
    """The names of the one whose policy this is: the body named most, in each of its forms."""
    named: list[_Named] = []
    for sentence in sentences:
        named += [(sentence, span, name) for span, name in _bodies(sentence.text)]
    if not named:
        return (), []
    bases = Counter(_base(name) for _, _, name in named)
    said = re.compile(r"personuppgiftsansvarig|behandlingsansvarlig|controller", re.IGNORECASE)
    for sentence, _, name in named:
        bases[_base(name)] += 10 * bool(said.search(sentence.text))
    ours = max(bases, key=lambda base: bases[base])
    first: dict[str, _Named] = {}
    for one in named:
        if _base(one[2]) == ours:
            first.setdefault(one[2].casefold(), one)
    return tuple(name for _, _, name in first.values()), list(first.values())


def _bodies(text: str) -> Iterator[tuple[tuple[int, int], str]]:
    for found in _MUNICIPALITY.finditer(text):
        yield found.span(), found[0]
    for found in _FORM.finditer(text):
        words = [
            (w.start(), w[0])
            for w in re.finditer(r"[\w&.'-]+", text[max(0, found.start() - 80) : found.start()])
        ]
        start = max(0, found.start() - 80)
        back: list[tuple[int, str]] = []
        until = found.start()
        for place in range(len(words) - 1, -1, -1):
            at, word = words[place]
            if text[start + at + len(word) : until].strip():
                break  # a bracket or a comma: what is before it is another name
            until = start + at
            joins = (
                word in {"i", "of", "och", "og"} and place > 0 and _is_proper(words[place - 1][1])
            )
            plain = len(word) > 2 and word.casefold() not in _SMALL_WORDS and not back
            if not (_is_proper(word) or joins or plain) or len(back) == 5:
                break
            back.insert(0, (start + at, word))
        while back and not back[0][1][:1].isupper():
            back.pop(0)
        if back:
            begin = back[0][0]
            yield (begin, found.end()), text[begin : found.end()]


def _is_proper(word: str) -> bool:
    return word[:1].isupper() and word.casefold() not in _SMALL_WORDS


def _base(name: str) -> str:
    return _FORM.sub("", name).strip().casefold()


def _body_type(names: Sequence[str]) -> BodyType:
    if any(_MUNICIPALITY.fullmatch(name) for name in names):
        return BodyType.PUBLIC_BODY
    forms = {name.split()[-1].upper() for name in names}
    if forms & {"IKS", "KF"} or any(_PUBLIC_WORD.match(name) for name in names):
        return BodyType.TO_BE_DECIDED
    return BodyType.COMPANY


def _organisation_numbers(sentences: Sequence[_Sentence]) -> Iterator[_Named]:
    words = re.compile(
        r"\borg|personuppgiftsansvarig|behandlingsansvarlig|controller|\bAB\b|\bAS\b"
    )
    for sentence in sentences:
        found = _ORG_NUMBER.search(sentence.text)
        # A Swedish organisation number has at least 20 where a person's number has the month.
        if found and words.search(sentence.text) and (found[0][2] >= "2" or "-" not in found[0]):
            yield sentence, found.span(), found[0]


def _channels(sentences: Sequence[_Sentence], notes: _Notes) -> Iterator[ContactChannel]:
    known: set[str] = set()
    before = ""
    for sentence in sentences:
        for found in _MAIL.finditer(sentence.text):
            lead = f"{before} {sentence.text[: found.start()]}"[-80:]
            local = found[0].partition("@")[0]
            officer = _OFFICER.search(lead) is not None or not _is_role(local)
            kind = ChannelKind.OFFICER_EMAIL if officer else ChannelKind.EMAIL
            address = found[0].rstrip(".")
            notes.add(
                sentence, found.span(), "contact", "Art. 13(1)(a), 13(1)(b)", _role_address(address)
            )
            if address.casefold() not in known:
                known.add(address.casefold())
                yield ContactChannel(kind, address)
        for pattern, kind in ((_PHONE, ChannelKind.PHONE), (_POST, ChannelKind.POST)):
            for found in pattern.finditer(sentence.text):
                given = (found[1] if kind is ChannelKind.PHONE else found[0]).strip()
                notes.add(sentence, found.span(), "contact", "Art. 13(1)(a)", given)
                if given.casefold() not in known:
                    known.add(given.casefold())
                    yield ContactChannel(kind, given)
        before = sentence.text


def _website(text: str) -> str | None:
    found = Counter(one[1].casefold() for one in _SITE.finditer(text))
    return max(found, key=lambda site: found[site]) if found else None


def _country(language: Language, names: Sequence[str], text: str) -> Country:
    forms = {name.split()[-1].upper() for name in names}
    if forms & {"AB", "HB", "KB", "KOMMUN"}:
        return Country.SE
    if forms & {"AS", "ASA", "IKS", "KF", "KOMMUNE", "FYLKESKOMMUNE"}:
        return Country.NO
    if language is Language.EN and re.search(r"\bSwed|\bSEK\b|\.se\b", text):
        return Country.SE
    return Country.SE if language is Language.SV else Country.NO
