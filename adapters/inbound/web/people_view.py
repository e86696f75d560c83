"""What the page of a case offers about people: who asks for whom, and protected identity."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from domain.representation import (
    ENOUGH,
    AnswerTo,
    AuthorityEvidence,
    ChildView,
    Missing,
    Representation,
    RepresentationKind,
)

VIEW_REASONS = ("asked-in-person", "asked-by-letter", "too-young-to-understand")
REJECT_REASONS = ("authority-not-shown", "no-authority", "child-does-not-want-it")
PROTECT_REASONS = ("said-by-the-person", "marked-in-a-register", "protected-address")
END_REASONS = ("no-longer-protected", "recorded-by-mistake")
FORMS = (
    *("represent", "evidence", "child", "address", "conflict", "doubt", "deceased"),
    *("document", "accept", "reject", "protect", "unprotect"),
)
ACCEPT_REASONS = ("as-usual", "child-wishes-it", "court-decision", "controllers-decision")


@dataclass(frozen=True, slots=True)
class PeopleChoices:
    """What can be chosen in the forms, in the order in which it is found out."""

    kinds: tuple[Enum, ...]
    evidence: tuple[Enum, ...]
    missing: frozenset[str]
    views: tuple[Enum, ...] = tuple(ChildView)
    answers: tuple[Enum, ...] = tuple(AnswerTo)
    view_reasons: tuple[str, ...] = VIEW_REASONS
    reject_reasons: tuple[str, ...] = REJECT_REASONS
    protect_reasons: tuple[str, ...] = PROTECT_REASONS
    end_reasons: tuple[str, ...] = END_REASONS
    accept_reasons: tuple[str, ...] = ACCEPT_REASONS
    forms: tuple[str, ...] = FORMS
    """What the forms are called: where one failed, they are shown."""


def people_choices(representation: Representation | None) -> PeopleChoices:
    kind = representation.kind if representation is not None else None
    enough = ENOUGH.get(kind, frozenset()) if kind is not None else frozenset()
    missing: tuple[Missing, ...] = representation.missing if representation is not None else ()
    return PeopleChoices(
        kinds=tuple(RepresentationKind),
        evidence=tuple(one for one in AuthorityEvidence if one in enough),
        missing=frozenset(one.value for one in missing),
    )
