"""Everything a letter can say; each kind uses its part and insists on it (GDPR Art. 12(1))."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum

from domain.deadlines import Deadlines
from domain.policy import Profile, Told
from domain.vocabulary import IdentityMethod, Language, Outcome, Right
from services.ports import Residual

OWN_SYSTEM = "trettio"
"""The id of the system that every profile lists without writing it down: this one."""


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
    fields: tuple[str, ...] = ()
    """Which fields were corrected, or were not (Art. 16)."""
    purpose: str = ""
    """For which purpose the data is used no more, or still (Art. 21(1))."""
    not_before: date | None = None

    @property
    def told(self) -> frozenset[Outcome]:
        """The outcome, and the residual one for what remains nonetheless."""
        return frozenset({self.outcome} | ({Outcome.RESIDUAL} if self.residuals else set()))


class Reply(Enum):
    """What a recipient answered, as far as it concerns the person."""

    DONE = "done"
    NOTHING_HELD = "nothing-held"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class RecipientNotice:
    """A recipient by its id in the profile, or by name, and what was done about it (Art. 19).

    On request it is said too what it had received, which right it was told about and when, what it
    answered and when, and by which reference that can be asked about. `name` is for one of several
    that the profile knows as a group.
    """

    recipient: str
    told: Told
    on: date | None = None
    about: Right | None = None
    fields: tuple[str, ...] = ()
    name: str = ""
    categories: tuple[str, ...] = ()
    answered: Reply | None = None
    answered_on: date | None = None
    proof: str = ""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Who deals with it instead, how to reach them, and whether they have it from us already."""

    name: str
    contact: str
    passed_on: bool = False


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What went wrong, what may follow and what is done about it, in words (Art. 34(2))."""

    on: date
    what: str
    consequences: str
    measures: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterFacts:
    """What a letter is written from. Codes (`doubt`, `reasons`) have their words in the texts.

    `why`, `question` and `law` are the words of whoever decided or asks; `free_text` is a message
    of its own, set between what the letter always says.
    """

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
    follows: bool = False
    """Whether the link of a code leads to the page where the whole case is followed."""
    enclosed: bool = False
    covered: bool = False
    unsearchable: tuple[str, ...] = ()
    """Systems in which nobody could tell what is the person's (Art. 11(2))."""
    code: str | None = None
    code_minutes: int | None = None
    decided_by: str | None = None
    doubt: str | None = None
    ways: tuple[IdentityMethod, ...] = ()
    question: str | None = None
    erasure_table: bool = False
    """Whether the question is if the table of an erasure is right: silence changes nothing."""
    asked_on: date | None = None
    reply_by: date | None = None
    reasons: tuple[str, ...] = ()
    why: str | None = None
    law: str | None = None
    new_date: date | None = None
    lift_on: date | None = None
    purposes: tuple[str, ...] = ()
    fee: str | None = None
    elsewhere: Elsewhere | None = None
    disclosure: Disclosure | None = None
