"""What a letter must say, so that none can leave without it (GDPR Art. 12, 13, 15, 77 to 79).

A `Letter` is its blocks; how they look as mail or paper is another matter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum

from domain.errors import DomainError
from domain.vocabulary import Language, LetterKind, Outcome, Right


class MissingBlock(DomainError):
    """The letter lacks something the law, or fairness, asks for; it cannot be made."""


class Block(Enum):
    """One thing that a letter says."""

    CONTROLLER = "controller"
    CASE_REFERENCE = "case-reference"
    RECEIVED_ON = "received-on"
    UNDERSTOOD = "understood"
    ANSWER_BY = "answer-by"
    NEXT_STEPS = "next-steps"
    CONTACT = "contact"
    OFFICER = "officer"
    COMPLAINT = "complaint"
    REMEDY = "remedy"
    MESSAGE = "message"
    DONE = "done"
    NOT_DONE = "not-done"
    DECIDED_BY = "decided-by"
    RECIPIENTS = "recipients"
    PACKAGE = "package"
    COVERED = "covered"
    NOT_SEARCHED = "not-searched"
    CODE = "code"
    CODE_ENDS = "code-ends"
    NOT_ASKED = "not-asked"
    WHY_ASKED = "why-asked"
    QUESTION = "question"
    WAYS = "ways"
    ASKED_ON = "asked-on"
    REPLY_BY = "reply-by"
    REASONS = "reasons"
    NEW_DATE = "new-date"
    FEE = "fee"
    LIFTED_ON = "lifted-on"
    RELEASED = "released"
    LINK = "link"
    WAY_BACK = "way-back"
    ELSEWHERE = "elsewhere"
    NOT_COVERED = "not-covered"
    HAPPENED = "happened"
    CONSEQUENCES = "consequences"
    MEASURES = "measures"

    @property
    def article(self) -> str:
        """The article that asks for it; empty where good sense does."""
        return _ARTICLES.get(self, "")


_ARTICLES = {
    Block.CONTROLLER: "Art. 13(1)(a)",
    Block.RECEIVED_ON: "Art. 12(3)",
    Block.UNDERSTOOD: "Art. 12(2)",
    Block.ANSWER_BY: "Art. 12(3)",
    Block.NEXT_STEPS: "Art. 12(6)",
    Block.CONTACT: "Art. 12(2)",
    Block.OFFICER: "Art. 38(4)",
    Block.COMPLAINT: "Art. 12(4), 77",
    Block.REMEDY: "Art. 12(4), 79",
    Block.DONE: "Art. 12(3)",
    Block.NOT_DONE: "Art. 12(4)",
    Block.DECIDED_BY: "Art. 22",
    Block.RECIPIENTS: "Art. 19",
    Block.PACKAGE: "Art. 15(3)",
    Block.COVERED: "Art. 15(4)",
    Block.NOT_SEARCHED: "Art. 11(2)",
    Block.CODE: "Art. 12(6)",
    Block.WHY_ASKED: "Art. 12(6)",
    Block.WAYS: "Art. 12(6)",
    Block.QUESTION: "Art. 12(2)",
    Block.NEW_DATE: "Art. 12(3)",
    Block.FEE: "Art. 12(5)",
    Block.LIFTED_ON: "Art. 18(3)",
    Block.WAY_BACK: "Art. 11(2), 12(2)",
    Block.HAPPENED: "Art. 34(2)",
    Block.CONSEQUENCES: "Art. 34(2), 33(3)(c)",
    Block.MEASURES: "Art. 34(2), 33(3)(d)",
}

_ALWAYS = frozenset({Block.CONTROLLER, Block.CASE_REFERENCE, Block.CONTACT})
_REPLY = _ALWAYS | {Block.RECEIVED_ON}
_OUTCOME = _REPLY | {Block.DONE, Block.COMPLAINT, Block.REMEDY}
_REFUSAL = _REPLY | {Block.NOT_DONE, Block.DECIDED_BY, Block.COMPLAINT, Block.REMEDY}

MANDATORY = {
    LetterKind.ACKNOWLEDGEMENT: _REPLY
    | {Block.UNDERSTOOD, Block.ANSWER_BY, Block.NEXT_STEPS, Block.COMPLAINT},
    # Not a word about what is held: the code may reach somebody who is nobody's customer.
    LetterKind.IDENTITY_CODE: _ALWAYS | {Block.CODE, Block.CODE_ENDS, Block.NOT_ASKED},
    LetterKind.ANSWER: _OUTCOME,
    LetterKind.PARTIAL_REFUSAL: _OUTCOME | _REFUSAL,
    LetterKind.REFUSAL: _REFUSAL,
    LetterKind.CANNOT_IDENTIFY: _REFUSAL | {Block.WAY_BACK},
    LetterKind.NO_RESPONSE: _REFUSAL | {Block.ASKED_ON, Block.WAY_BACK},
    LetterKind.OBJECTION_UPHELD: _OUTCOME,
    LetterKind.OBJECTION_DISMISSED: _REFUSAL,
    LetterKind.IDENTITY_QUESTION: _REPLY | {Block.WHY_ASKED, Block.WAYS},
    LetterKind.AUTHORITY_QUESTION: _REPLY | {Block.WHY_ASKED, Block.QUESTION},
    LetterKind.CLARIFICATION: _REPLY | {Block.QUESTION},
    LetterKind.QUESTION_REMINDER: _REPLY | {Block.ASKED_ON, Block.REPLY_BY},
    LetterKind.EXTENSION: _REPLY | {Block.REASONS, Block.NEW_DATE, Block.COMPLAINT},
    LetterKind.FEE_ANNOUNCED: _REPLY
    | {Block.REASONS, Block.FEE, Block.REPLY_BY}
    | {Block.DECIDED_BY, Block.COMPLAINT, Block.REMEDY},
    LetterKind.RECIPIENTS: _ALWAYS | {Block.RECIPIENTS},
    LetterKind.RESTRICTION_LIFTED: _ALWAYS | {Block.REASONS, Block.LIFTED_ON, Block.COMPLAINT},
    # Years later it may reach a stranger: no name and no business, a reference and a link.
    LetterKind.HOLD_RELEASED: frozenset({Block.CASE_REFERENCE, Block.RELEASED, Block.LINK}),
    LetterKind.CLOSED: _REPLY | {Block.REASONS, Block.WAY_BACK, Block.COMPLAINT},
    LetterKind.CUSTOMER_SERVICE_PASSED_ON: _REPLY | {Block.ELSEWHERE, Block.WAY_BACK},
    LetterKind.DOCUMENT_ACCESS_PASSED_ON: _REPLY | {Block.ELSEWHERE, Block.WAY_BACK},
    LetterKind.OTHER_CONTROLLER: _REPLY
    | {Block.ELSEWHERE, Block.DECIDED_BY, Block.COMPLAINT, Block.REMEDY},
    LetterKind.DECEASED: _REPLY | {Block.NOT_COVERED, Block.WAY_BACK},
    LetterKind.DISCLOSURE_NOTICE: _ALWAYS
    | {Block.HAPPENED, Block.CONSEQUENCES, Block.MEASURES, Block.COMPLAINT, Block.REMEDY},
    LetterKind.MESSAGE: _ALWAYS | {Block.MESSAGE},
}
"""What each letter always carries; `required_blocks` adds what the rights and outcomes ask for."""

_ANSWERED = frozenset(
    {Block.DONE, Block.PACKAGE, Block.COVERED, Block.NOT_SEARCHED, Block.RECIPIENTS}
)
_ANYWHERE = frozenset({Block.MESSAGE, Block.OFFICER})

OPTIONAL = {
    LetterKind.ACKNOWLEDGEMENT: _ANYWHERE | {Block.LINK},
    LetterKind.IDENTITY_CODE: frozenset({Block.UNDERSTOOD}),
    LetterKind.ANSWER: _ANYWHERE | _ANSWERED | {Block.DECIDED_BY},
    LetterKind.PARTIAL_REFUSAL: _ANYWHERE | _ANSWERED,
    LetterKind.OBJECTION_UPHELD: _ANYWHERE | _ANSWERED | {Block.DECIDED_BY},
    LetterKind.CANNOT_IDENTIFY: _ANYWHERE | {Block.LINK},
    LetterKind.NO_RESPONSE: _ANYWHERE | {Block.QUESTION},
    LetterKind.IDENTITY_QUESTION: _ANYWHERE | {Block.LINK, Block.REPLY_BY},
    LetterKind.AUTHORITY_QUESTION: _ANYWHERE | {Block.REPLY_BY},
    LetterKind.CLARIFICATION: _ANYWHERE | {Block.UNDERSTOOD, Block.REPLY_BY, Block.LINK},
    LetterKind.QUESTION_REMINDER: _ANYWHERE | {Block.QUESTION, Block.WAYS, Block.LINK},
    LetterKind.RECIPIENTS: _ANYWHERE | {Block.RECEIVED_ON},
    LetterKind.RESTRICTION_LIFTED: _ANYWHERE | {Block.RECEIVED_ON},
    LetterKind.HOLD_RELEASED: frozenset(),
    LetterKind.DISCLOSURE_NOTICE: _ANYWHERE | {Block.RECEIVED_ON},
    LetterKind.MESSAGE: frozenset({Block.OFFICER}),
}
"""What a letter may carry besides; whatever else is said in it does not apply and is refused."""

_TOLD_TO_RECIPIENTS = frozenset({Right.ERASURE, Right.RECTIFICATION, Right.RESTRICTION})


class Fact(Enum):
    """One thing to be said about something that was kept or refused (Art. 12(4))."""

    WHAT = "what"
    WHY = "why"
    LAW = "law"
    UNTIL = "until"


_FACTS = {
    Outcome.KEPT: frozenset({Fact.WHY, Fact.LAW, Fact.UNTIL}),
    Outcome.BLOCKED_ARCHIVE: frozenset({Fact.WHY, Fact.LAW, Fact.UNTIL}),
    Outcome.REFUSED: frozenset({Fact.WHY, Fact.LAW}),
    Outcome.COVERED: frozenset({Fact.WHY, Fact.LAW}),
    Outcome.RESIDUAL: frozenset({Fact.WHAT, Fact.WHY, Fact.UNTIL}),
    Outcome.PENDING_AT_VENDOR: frozenset({Fact.WHY, Fact.UNTIL}),
}


# What a block is made of


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str

    @property
    def is_said(self) -> bool:
        return bool(self.text.strip())


@dataclass(frozen=True, slots=True)
class Items:
    items: tuple[str, ...]

    @property
    def is_said(self) -> bool:
        return any(item.strip() for item in self.items)


@dataclass(frozen=True, slots=True)
class Group:
    """Items under a title of their own."""

    title: str
    items: tuple[str, ...]

    @property
    def is_said(self) -> bool:
        return any(item.strip() for item in self.items)


@dataclass(frozen=True, slots=True)
class Said:
    """One fact with its label in the letter's language."""

    fact: Fact
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Something kept or refused, with everything the person must be told about it."""

    outcome: Outcome
    title: str
    said: tuple[Said, ...]

    @property
    def is_said(self) -> bool:
        return bool(self.title.strip())

    def __post_init__(self) -> None:
        told = {said.fact for said in self.said if said.text.strip()}
        missing = _FACTS.get(self.outcome, frozenset()) - told
        if missing:
            raise MissingBlock(
                f"a letter about something {self.outcome.value} must say "
                f"{_listed(fact.value for fact in missing)}: give it with the outcome"
            )


@dataclass(frozen=True, slots=True)
class Link:
    """An address to open, on a line of its own."""

    url: str
    label: str

    @property
    def is_said(self) -> bool:
        return bool(self.url.strip())


@dataclass(frozen=True, slots=True)
class Code:
    value: str

    @property
    def is_said(self) -> bool:
        return bool(self.value.strip())


@dataclass(frozen=True, slots=True)
class Words:
    """Somebody's own words, as they wrote them; line breaks count."""

    text: str

    @property
    def is_said(self) -> bool:
        return bool(self.text.strip())


Piece = Paragraph | Items | Group | Explanation | Link | Code | Words


@dataclass(frozen=True, slots=True)
class Section:
    """One block, with its heading where it has one."""

    block: Block
    heading: str
    pieces: tuple[Piece, ...]

    @property
    def is_said(self) -> bool:
        return any(piece.is_said for piece in self.pieces)


# The letter


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter that says all it must: one that does not cannot be made."""

    kind: LetterKind
    language: Language
    subject: str
    greeting: str
    sections: tuple[Section, ...]
    rights: frozenset[Right] = frozenset()
    outcomes: frozenset[Outcome] = frozenset()

    def __post_init__(self) -> None:
        if not self.subject.strip():
            raise MissingBlock(f"{_a(self.kind)} needs a subject")
        missing = required_blocks(self.kind, self.rights, self.outcomes) - self.blocks
        if missing:
            raise MissingBlock(
                f"{_a(self.kind)} must say {_listed(block.value for block in missing)}: "
                f"give what the block is made from"
            )
        odd = self.blocks - allowed_blocks(self.kind, self.rights, self.outcomes)
        if odd:
            raise DomainError(
                f"{_a(self.kind)} says nothing about {_listed(block.value for block in odd)}: "
                f"leave it out, or write another letter"
            )
        unexplained = self._unexplained()
        if unexplained:
            raise MissingBlock(
                f"something is {_listed(outcome.value for outcome in unexplained)} and "
                f"{_a(self.kind)} does not say why: write a {LetterKind.PARTIAL_REFUSAL.value}"
            )

    def _unexplained(self) -> set[Outcome]:
        to_explain = {outcome for outcome in self.outcomes if outcome.must_be_explained}
        # Explained in an answer is not enough: it names nobody who decided.
        if not self.kind.refuses:
            return to_explain
        return to_explain - {
            piece.outcome
            for section in self.sections
            for piece in section.pieces
            if isinstance(piece, Explanation)
        }

    @property
    def blocks(self) -> frozenset[Block]:
        return frozenset(section.block for section in self.sections if section.is_said)


def required_blocks(
    kind: LetterKind, rights: Collection[Right], outcomes: Collection[Outcome]
) -> frozenset[Block]:
    """The blocks of this letter: those of its kind, and those of what it is about."""
    required = set(MANDATORY[kind])
    if Block.DONE not in required:
        return frozenset(required)
    if Outcome.EXPORTED in outcomes or (kind is LetterKind.ANSWER and Right.ACCESS in rights):
        required.add(Block.PACKAGE)
    if _TOLD_TO_RECIPIENTS.intersection(rights):
        required.add(Block.RECIPIENTS)
    return frozenset(required)


def allowed_blocks(
    kind: LetterKind, rights: Collection[Right], outcomes: Collection[Outcome]
) -> frozenset[Block]:
    """Everything this letter may say; nothing that does not apply."""
    return required_blocks(kind, rights, outcomes) | OPTIONAL.get(kind, _ANYWHERE)


def answering_letter(outcomes: Collection[Outcome]) -> LetterKind:
    """Which letter closes a case with these outcomes (Art. 12(4); AO-06)."""
    if any(outcome.must_be_explained for outcome in outcomes):
        return LetterKind.PARTIAL_REFUSAL
    return LetterKind.ANSWER


def _a(kind: LetterKind) -> str:
    name = kind.value.replace("-", " ")
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def _listed(values: Iterable[str]) -> str:
    return ", ".join(sorted(values))
