"""Letters to the person who asked, in plain words and four languages (GDPR Art. 12(1), 12(4)).

The words are data in `letter_texts/`. Text and HTML are two looks of the same `Letter`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum
from functools import cache, cached_property
from itertools import chain, repeat
from threading import Lock

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from domain.authorities import Authority, appeals_to_administrative_court, authority
from domain.deadlines import Deadlines
from domain.errors import DomainError
from domain.explanation import written_date
from domain.grounds import Ground, ground
from domain.letters import (
    Block,
    Code,
    Explanation,
    Fact,
    Group,
    Items,
    Letter,
    Link,
    Paragraph,
    Piece,
    Said,
    Section,
    Words,
)
from domain.policy import ChannelKind, ContactChannel, Profile, Told
from domain.vocabulary import Language, LetterKind, Outcome, Right, Role
from services.field_names import field_name
from services.ports import Residual
from services.wording import LETTERS, Wording, in_language, short, wording

OWN_SYSTEM = "trettio"
"""The id of the system that every profile lists without writing it down: this one."""

WIDTH = 72


class IdentityStep(Enum):
    """What the acknowledgement says about identity; never a check for its own sake (Art. 12(6))."""

    NOT_NEEDED = "not-needed"
    BY_CODE = "by-code"
    IF_IN_DOUBT = "if-in-doubt"


@dataclass(frozen=True, slots=True)
class CategoryOutcome:
    """What became of one category in one system, for one right; no category means all of it.

    `ground` is a code of `domain.grounds`; `why` and `law` are for refusals that have none, in
    the words of whoever decided. Where both are given, the words go first. `not_before` is for
    what a vendor has not finished.
    """

    right: Right
    category: str
    system: str
    outcome: Outcome
    count: int = 0
    ground: str | None = None
    law: str | None = None
    until: date | None = None
    why: str | None = None
    residuals: tuple[Residual, ...] = ()
    keep_fields: tuple[str, ...] = ()
    not_before: date | None = None

    @property
    def told(self) -> frozenset[Outcome]:
        """The outcome, and the residual one for what remains nonetheless."""
        return frozenset({self.outcome} | ({Outcome.RESIDUAL} if self.residuals else set()))


@dataclass(frozen=True, slots=True)
class RecipientNotice:
    """A recipient by its id in the profile, or by name, and what was done about it (Art. 19)."""

    recipient: str
    told: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFacts:
    """Everything a letter can say. Each kind of letter uses its part and insists on it."""

    profile: Profile
    language: Language
    case_reference: str
    received_on: date | None = None
    rights: tuple[Right, ...] = ()
    greeting_name: str | None = None
    free_text: str | None = None
    deadlines: Deadlines | None = None
    identity: IdentityStep = IdentityStep.IF_IN_DOUBT
    act_by: date | None = None
    outcomes: tuple[CategoryOutcome, ...] = ()
    recipients: tuple[RecipientNotice, ...] = ()
    link_url: str | None = None
    link_ends_on: date | None = None
    enclosed: bool = False
    covered: bool = False
    code: str | None = None
    code_minutes: int | None = None
    decided_by: str | None = None


@dataclass(frozen=True)
class ComposedLetter:
    """A letter with its two looks."""

    letter: Letter
    closing: Closing

    @property
    def kind(self) -> LetterKind:
        return self.letter.kind

    @property
    def subject(self) -> str:
        return self.letter.subject

    @cached_property
    def text(self) -> str:
        """Plain text, wrapped for a reader who sees no formatting."""
        return "\n".join(_lines(self.letter, self.closing)) + "\n"

    @cached_property
    def html(self) -> str:
        """One document of its own: no script, nothing from elsewhere, every text escaped."""
        return template("letter.html").render(letter=self.letter, closing=self.closing)


@dataclass(frozen=True, slots=True)
class Closing:
    """The regards and the lines under them."""

    regards: str
    lines: tuple[str, ...]


def compose(kind: LetterKind, facts: LetterFacts) -> ComposedLetter:
    """Write the letter; raises `MissingBlock` when the facts do not fill what it must say."""
    return _Writer(kind, facts).write()


# Blocks


@dataclass(frozen=True)
class _Writer:
    kind: LetterKind
    facts: LetterFacts
    words: Wording = field(init=False)
    outcomes: tuple[CategoryOutcome, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", wording(LETTERS, self.facts.language))
        object.__setattr__(self, "outcomes", _merged(self.facts.outcomes))

    def write(self) -> ComposedLetter:
        sections = tuple(section for section in self._sections() if section.is_said)
        closing = self._closing()
        letter = Letter(
            kind=self.kind,
            language=self.facts.language,
            subject=self.words.say(f"subject.{self.kind.value}", case=self._case),
            greeting=self._greeting(),
            sections=(*sections, Section(Block.CONTROLLER, "", _paragraphs(closing.lines))),
            rights=frozenset(self.facts.rights),
            outcomes=self._told_outcomes(),
        )
        return ComposedLetter(letter, closing)

    def _told_outcomes(self) -> frozenset[Outcome]:
        if self.kind in {LetterKind.ACKNOWLEDGEMENT, LetterKind.IDENTITY_CODE}:
            return frozenset()
        return frozenset(told for outcome in self.outcomes for told in outcome.told)

    def _sections(self) -> Iterator[Section]:
        yield from self._lead()
        if self.kind is LetterKind.ACKNOWLEDGEMENT:
            yield from self._acknowledgement()
        elif self.kind is LetterKind.IDENTITY_CODE:
            yield from self._identity_code()
        else:
            yield from self._answer()
        yield from self._contact()

    def _lead(self) -> Iterator[Section]:
        if self.kind is LetterKind.IDENTITY_CODE:
            lead = self.words.say("lead.identity-code", controller=self._controller)
            yield Section(Block.UNDERSTOOD, "", (Paragraph(lead),))
        elif self.facts.received_on is not None:
            lead = self.words.say(f"lead.{self._lead_key()}", received=self._received)
            yield Section(Block.RECEIVED_ON, "", (Paragraph(lead),))
        if self._case:
            case = self.words.say("lead.case", case=self._case)
            yield Section(Block.CASE_REFERENCE, "", (Paragraph(case),))
        if self.facts.free_text and self.kind is not LetterKind.IDENTITY_CODE:
            yield self._section(Block.MESSAGE, "message", Words(_clean(self.facts.free_text)))

    def _lead_key(self) -> str:
        given = self._changed or Outcome.COVERED in self._told_outcomes()
        if self.kind is LetterKind.PARTIAL_REFUSAL and not given:
            return "refusal"
        return self.kind.value

    def _acknowledgement(self) -> Iterator[Section]:
        say, rights = self.words.say, self.facts.rights
        if rights:
            yield self._section(
                Block.UNDERSTOOD,
                "understood",
                Paragraph(say("understood.intro")),
                Items(tuple(say(f"rights.{right.value}") for right in rights)),
                Paragraph(say("understood.wrong")),
            )
        yield self._section(Block.ANSWER_BY, "answer_by", Paragraph(" ".join(self._answer_by())))
        yield self._section(Block.NEXT_STEPS, "next", Items(tuple(self._next())))
        yield self._complaint()

    def _answer_by(self) -> Iterator[str]:
        say, dates = self.words.say, self.facts.deadlines
        if dates is not None:
            law = self._day(dates.statutory_due)
            promise = dates.promise_due
            # A promise later than the law is none that we may hold out.
            if promise is None or promise > dates.statutory_due:
                yield say("answer_by.law", law=law)
            elif promise == dates.statutory_due:
                yield say("answer_by.promise_is_law", law=law)
            else:
                yield say("answer_by.promise_and_law", promise=self._day(promise), law=law)
            yield say("answer_by.sooner")
        if any(not right.is_statutory for right in self.facts.rights):
            yield say("answer_by.courtesy")

    def _next(self) -> Iterator[str]:
        say, rights = self.words.say, set(self.facts.rights)
        if any(not right.acts_at_once for right in rights):
            yield say("next.work")
        for right, key in _AT_ONCE.items():
            if right in rights:
                day = self.facts.act_by
                yield say(f"next.{key}_by", day=self._day(day)) if day else say(f"next.{key}")
        if {Right.ACCESS, Right.ERASURE} <= rights:
            yield say("next.copy_first")
        yield say(f"next.identity-{self.facts.identity.value}")
        yield say("next.free")

    def _identity_code(self) -> Iterator[Section]:
        say, facts = self.words.say, self.facts
        if facts.code:
            pieces: list[Piece] = [Code(facts.code)]
            if facts.link_url:
                pieces.append(Link(facts.link_url, say("code.link")))
            yield self._section(Block.CODE, "code", *pieces)
        if facts.code_minutes:
            ends = say("code.ends", minutes=facts.code_minutes)
            yield Section(Block.CODE_ENDS, "", (Paragraph(ends),))
        not_asked = f"{say('code.secret')} {say('code.not_asked')}"
        yield Section(Block.NOT_ASKED, "", (Paragraph(not_asked),))

    def _answer(self) -> Iterator[Section]:
        say = self.words.say
        yield self._done()
        yield self._section(Block.PACKAGE, "package", *self._package())
        if self.facts.covered:
            yield self._section(
                Block.COVERED,
                "covered",
                Paragraph(f"{say('covered.text')} {say('covered.law')}"),
            )
        yield self._section(Block.NOT_DONE, "not_done", *self._explanations())
        if self.facts.decided_by and self.facts.decided_by.strip():
            decided = say(
                "decided.text", name=_line(self.facts.decided_by), controller=self._controller
            )
            yield self._section(Block.DECIDED_BY, "decided", Paragraph(decided))
        if _CHANGE_WHAT_OTHERS_HOLD.intersection(self.facts.rights) or self.facts.recipients:
            yield self._section(Block.RECIPIENTS, "recipients", *self._recipients())
        yield self._complaint()
        yield self._remedy()

    def _done(self) -> Section:
        # What remains is told further down and is no reason to say twice what was done.
        done = _merged(
            replace(o, residuals=()) for o in self.outcomes if not o.outcome.must_be_explained
        )
        groups = [
            Group(
                self.words.say(f"right_titles.{right.value}"),
                tuple(self._outcome(outcome) for outcome in done if outcome.right is right),
            )
            for right in dict.fromkeys(outcome.right for outcome in done)
        ]
        pieces: list[Piece] = list(groups)
        if self.kind is LetterKind.PARTIAL_REFUSAL and not self._changed and not self._exported:
            pieces.insert(0, Paragraph(self.words.say("done.nothing")))
        return self._section(Block.DONE, "done", *pieces)

    def _outcome(self, outcome: CategoryOutcome) -> str:
        said = self.words.say(f"outcomes.{outcome.outcome.value}")
        return self.words.say("done.item", what=self._what(outcome), outcome=said)

    def _what(self, outcome: CategoryOutcome) -> str:
        what = self._place(outcome)
        if outcome.count:
            what += f" ({self.words.counted('counts', outcome.count)})"
        return what

    def _place(self, outcome: CategoryOutcome) -> str:
        if not outcome.category:
            return self.words.say(f"right_titles.{outcome.right.value}")
        return self.words.say(
            "done.place",
            category=self._category(outcome.category),
            system=self._system(outcome.system),
        )

    # What was not done, and why

    def _explanations(self) -> Iterator[Explanation]:
        said: list[Explanation] = []  # what remains of many records alike is told once
        for outcome in self.outcomes:
            if outcome.outcome.must_be_explained and outcome.outcome is not Outcome.RESIDUAL:
                title = self._outcome(outcome)
                yield Explanation(outcome.outcome, title, tuple(self._reasons(outcome)))
            for residual in outcome.residuals:
                explanation = self._residual(outcome, residual)
                if explanation not in said:
                    said.append(explanation)
                    yield explanation
            if outcome.outcome is Outcome.RESIDUAL and not outcome.residuals:
                raise DomainError("a residual outcome must say what remains: give its residuals")

    def _reasons(self, outcome: CategoryOutcome) -> Iterator[Said]:
        if outcome.keep_fields:
            names = [field_name(name, self.facts.language) for name in outcome.keep_fields]
            only = self.words.say("not_done.only_fields", fields=self.words.listed(names))
            yield self._said(Fact.WHAT, only)
        known = ground(outcome.ground) if outcome.ground else None
        yield self._said(Fact.WHY, self._why(outcome, known))
        if law := self._law(outcome, known):
            yield self._said(Fact.LAW, law)
        yield self._said(Fact.UNTIL, self._until(outcome))

    def _why(self, outcome: CategoryOutcome, known: Ground | None) -> str:
        if outcome.outcome is Outcome.PENDING_AT_VENDOR and not outcome.why:
            return self.words.say("not_done.pending_why")
        reasons = [_line(outcome.why)] if outcome.why else []
        if known and outcome.until:
            reason = in_language(known.text, self.facts.language, self.facts.profile)
            reasons.append(reason.format(until=self._day(outcome.until)))
        elif known:
            reasons.append(in_language(known.open_ended, self.facts.language, self.facts.profile))
        return " ".join(reasons)

    def _law(self, outcome: CategoryOutcome, known: Ground | None) -> str:
        if outcome.law:
            return _line(outcome.law)
        if known is None:
            return ""
        law = known.law
        if not law.startswith("GDPR"):
            law = f"{law}; GDPR {known.article}"
        _, _, without_weekday = self._day(known.read_on).partition(" ")
        return self.words.say("not_done.law_read", law=law, day=without_weekday)

    def _until(self, outcome: CategoryOutcome) -> str:
        say = self.words.say
        if outcome.outcome is Outcome.PENDING_AT_VENDOR:
            day = outcome.not_before
            return say("not_done.pending_on", day=self._day(day)) if day else self._open("pending")
        if outcome.until:
            return say("not_done.on", day=self._day(outcome.until))
        if outcome.outcome is Outcome.BLOCKED_ARCHIVE:
            return self._open("archive")
        stands = {Outcome.REFUSED, Outcome.COVERED}
        return self._open("refusal" if outcome.outcome in stands else "")

    def _open(self, what: str) -> str:
        return self.words.say(f"not_done.{what}_open" if what else "not_done.open")

    def _residual(self, outcome: CategoryOutcome, residual: Residual) -> Explanation:
        say = self.words.say
        title = say("done.item", what=self._place(outcome), outcome=say("outcomes.residual"))
        until = residual.until
        said = (
            self._said(Fact.WHAT, _sentence(self._coded("residual_what", residual.what))),
            self._said(Fact.WHY, self._coded("residual_why", residual.why)),
            self._said(
                Fact.UNTIL,
                say("not_done.vendor_on", day=self._day(until))
                if until
                else say("not_done.vendor_open"),
            ),
        )
        return Explanation(Outcome.RESIDUAL, title, said)

    def _coded(self, table: str, code: str) -> str:
        text = self.words.find(f"{table}.{code}")
        if text is None:
            raise DomainError(
                f"letters have no words for {code!r}: add it to [{table}] in every language"
            )
        return text

    def _said(self, fact: Fact, text: str) -> Said:
        return Said(fact, self.words.say(f"not_done.{fact.value}"), text)

    # The copy, the others, the ways on

    def _package(self) -> Iterator[Piece]:
        say, facts = self.words.say, self.facts
        if facts.enclosed:
            yield Paragraph(f"{say('package.enclosed')} {say('package.contents')}")
        elif facts.link_url and facts.link_ends_on:
            yield Paragraph(f"{say('package.where')} {say('package.contents')}")
            yield Link(facts.link_url, say("package.link"))
            yield Paragraph(say("package.ends", day=self._day(facts.link_ends_on)))

    def _recipients(self) -> Iterator[Piece]:
        if not self.facts.recipients:
            yield Paragraph(self.words.say("recipients.none"))
            return
        yield Items(tuple(self._recipient(notice) for notice in self.facts.recipients))

    def _recipient(self, notice: RecipientNotice) -> str:
        profile = self.facts.profile
        known = next((r for r in profile.recipients if r.id == notice.recipient), None)
        name = known.name if known else notice.recipient
        words = ""
        if known and known.told is notice.told:
            words = in_language(known.words, self.facts.language, profile)
        if not words:
            words = self._told(
                notice.told,
                known.contact if known else None,
                is_processor=bool(known and known.role is Role.PROCESSOR),
            )
        return self.words.say("recipients.item", name=_line(name), words=words)

    def _told(self, told: Told, contact: str | None, *, is_processor: bool) -> str:
        if told is Told.INFORMED and is_processor:
            return self.words.say("recipients.informed_processor")
        if told is Told.REFERRED and contact:
            return self.words.say("recipients.referred_to", contact=contact)
        return self.words.say(f"recipients.{told.value}")

    def _complaint(self) -> Section:
        known, language = self._authority, self.facts.language
        return self._section(
            Block.COMPLAINT,
            "complaint",
            Paragraph(in_language(known.complaint, language, self.facts.profile)),
            Paragraph(in_language(known.by_post, language, self.facts.profile)),
            Words("\n".join(known.address)),
        )

    def _remedy(self) -> Section:
        profile = self.facts.profile
        remedy = in_language(self._authority.remedy, self.facts.language, profile)
        pieces: list[Piece] = [Paragraph(remedy)]
        if self.kind is LetterKind.PARTIAL_REFUSAL and appeals_to_administrative_court(
            profile.country, profile.body_type
        ):
            pieces.insert(0, Paragraph(self.words.say("remedy.appeal")))
            if address := self._appeal_address():
                pieces.insert(1, Paragraph(self.words.say("remedy.appeal_to", address=address)))
        return self._section(Block.REMEDY, "remedy", *pieces)

    def _appeal_address(self) -> str:
        profile = self.facts.profile
        mail = next((c.address for c in profile.channels if c.kind is ChannelKind.EMAIL), None)
        return ", ".join(filter(None, [profile.controller.postal_address, mail]))

    def _contact(self) -> Iterator[Section]:
        profile = self.facts.profile
        channels = [
            channel
            for channel in profile.channels
            if channel.kind is not ChannelKind.OFFICER_EMAIL or not profile.officer_contact
        ]
        # A policy may name no way at all; then the letter's own sender is one.
        if not channels and profile.sender:
            channels = [ContactChannel(ChannelKind.EMAIL, profile.sender)]
        if channels:
            yield self._section(
                Block.CONTACT, "contact", Items(tuple(self._channel(c) for c in channels))
            )
        if profile.officer_contact and self.kind is not LetterKind.IDENTITY_CODE:
            officer = self.words.say("contact.officer", address=profile.officer_contact)
            yield Section(Block.OFFICER, "", (Paragraph(officer),))

    def _channel(self, channel: ContactChannel) -> str:
        return self.words.say(f"contact.{channel.kind.value}", address=channel.address)

    def _closing(self) -> Closing:
        controller = self.facts.profile.controller
        number = controller.organisation_number
        names = [self._controller, controller.delegate, controller.trade_name]
        lines = [
            *dict.fromkeys(filter(None, names)),
            controller.postal_address or "",
            self.words.say("closing.number", number=number) if number else "",
            self.facts.profile.website or "",
        ]
        return Closing(self.words.say("closing.regards"), tuple(filter(None, lines)))

    # Small words

    @property
    def _case(self) -> str:
        return _line(self.facts.case_reference)

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

    def _greeting(self) -> str:
        name = _line(self.facts.greeting_name or "")
        # A code goes to an address; who reads it there is what the code is to show.
        if name and self.kind is not LetterKind.IDENTITY_CODE:
            return self.words.say("greeting.named", name=name)
        return self.words.say("greeting.plain")

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

    def _day(self, day: date) -> str:
        return written_date(day, self.facts.language)

    def _section(self, block: Block, key: str, *pieces: Piece) -> Section:
        return Section(block, self.words.say(f"{key}.heading"), pieces)


_AT_ONCE = {Right.OBJECTION_TO_MARKETING: "marketing", Right.WITHDRAWAL: "withdrawal"}
_CHANGE_WHAT_OTHERS_HOLD = frozenset({Right.ERASURE, Right.RECTIFICATION, Right.RESTRICTION})
_CHANGES = frozenset(
    {
        Outcome.ERASED,
        Outcome.ANONYMISED,
        Outcome.RECTIFIED,
        Outcome.RESTRICTED,
        Outcome.SUPPRESSED,
        Outcome.MANUAL,
    }
)


def _merged(outcomes: Iterable[CategoryOutcome]) -> tuple[CategoryOutcome, ...]:
    """Sorts of record are the systems' business: what differs only in count is said once."""
    counts: dict[CategoryOutcome, int] = {}
    for outcome in outcomes:
        alike = replace(outcome, count=0)
        counts[alike] = counts.get(alike, 0) + outcome.count
    return tuple(replace(alike, count=count) for alike, count in counts.items())


def _paragraphs(texts: Iterable[str]) -> tuple[Piece, ...]:
    return tuple(Paragraph(text) for text in texts)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _line(text: str) -> str:
    return " ".join(_clean(text).split())


def _clean(text: str) -> str:
    """The text without what could hide or reorder other text; line breaks stay."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in lines if c == "\n" or unicodedata.category(c) not in _HIDDEN).strip()


# Control and format characters (bidirectional overrides are among them), lone surrogates.
_HIDDEN = frozenset({"Cc", "Cf", "Cs"})


# Plain text


def _lines(letter: Letter, closing: Closing) -> Iterator[str]:
    yield letter.greeting
    for section in letter.sections:
        if section.block is Block.CONTROLLER:
            continue
        yield ""
        if section.heading:
            yield section.heading
            yield "-" * len(section.heading)
        for number, piece in enumerate(section.pieces):
            follows_its_intro = isinstance(piece, Items) and len(section.pieces) > 1
            if number and not follows_its_intro:
                yield ""
            yield from _piece(piece)
    yield ""
    yield closing.regards
    yield from closing.lines


def _piece(piece: Piece) -> Iterator[str]:
    match piece:
        case Paragraph(text):
            yield from _wrapped(text)
        case Words(text):
            for line in text.split("\n"):
                yield from _wrapped(line) or [""]
        case Items(items):
            for item in items:
                yield from _wrapped(item, "- ")
        case Group(title, items):
            yield f"{title}:"
            for item in items:
                yield from _wrapped(item, "- ")
        case Explanation(_, title, said):
            yield from _wrapped(title, "- ")
            for one in said:
                yield from _wrapped(f"{one.label}: {one.text}", "  ")
        case Link(url, label):
            # Not wrapped: a broken address opens nothing.
            yield f"{label}:"
            yield url
        case Code(value):
            yield f"    {value}"


def _wrapped(text: str, lead: str = "") -> list[str]:
    """As `textwrap` does it without breaking words; that took a fifth of receiving a request."""
    bound = _NUMBER_AND_NEXT.sub("\\1\N{NO-BREAK SPACE}", text).expandtabs().translate(_BLANK)
    lines = _lines_of(WIDTH - len(lead)).findall(bound.rstrip(" "))
    leads = chain([lead], repeat(" " * len(lead)))
    return [
        before + line.replace("\N{NO-BREAK SPACE}", " ")
        for before, line in zip(leads, lines, strict=False)
    ]


@cache
def _lines_of(width: int) -> re.Pattern[str]:
    """As many words as fit, or one that never does; blanks count only where a text begins."""
    return re.compile(
        rf"^ .{{0,{width - 2}}}[^ ](?= |$)|[^ ](?:.{{0,{width - 2}}}[^ ])?(?= |$)|[^ ]+"
    )


_BLANK = str.maketrans("\n\v\f\r", "    ")
_NUMBER_AND_NEXT = re.compile(r"(\b\d+\.?) ")
"""A number is not torn from what it counts: 2. november, 15 minutes."""


# HTML


def template(name: str) -> Template:
    """A template in which every text is escaped and a missing one is an error."""
    # Many workers begin at once, and compiling one takes as long as filling it a hundred times.
    with _compiling:
        return _environment().get_template(name)


_compiling = Lock()


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("services", "templates"),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
