"""A system that only a person can look into: exactly what to ask for, and what they answer.

A connector that always waits for a person, and the form in which the person tells what was found
or done, with a reason for none (Art. 5(2), 15, 17).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from adapters.outbound.connectors import Configuration, connector
from domain.errors import DomainError
from domain.grounds import ground
from domain.vocabulary import IdentifierKind, Match, Outcome
from services.ports import AwaitsPerson, Person, Record, Result, Treatment

LOOK_UP = "look-up"
ERASE_BY_HAND = "erase-by-hand"
SUPPRESS_BY_HAND = "suppress-by-hand"

MOST_ROWS = 500
MOST_FIELDS = 100


@connector("manual")
class Manual:
    def __init__(self, configuration: Configuration) -> None:
        """Nothing is configured: the profile says what to look for."""

    def find(self, person: Person, *, fresh_after: datetime | None = None) -> Iterator[Record]:
        raise AwaitsPerson(LOOK_UP)

    def erase(self, person: Person, treatment: Treatment, *, key: str) -> Result:
        raise AwaitsPerson(ERASE_BY_HAND)

    def suppress(self, person: Person, *, key: str) -> Result:
        raise AwaitsPerson(SUPPRESS_BY_HAND)


# What a person answers


def _plausible(day: date) -> date:
    if not 1900 <= day.year <= 2200:
        raise ValueError("write a date such as 2026-11-22")
    return day


def _known(code: str) -> str:
    try:
        return ground(code).code
    except DomainError as error:
        raise ValueError(str(error)) from None


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=5_000)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, max_length=2_000)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*([-_][a-z0-9]+)*$", max_length=60)]
Day = Annotated[date, AfterValidator(_plausible)]
Ground = Annotated[str, AfterValidator(_known)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FoundRow(_Form):
    """One thing that was found. `key` says which it is over there: a number, a place, a subject.

    `certain` is the person's word that it belongs to the one who asks; `matched_by` says why.
    `others_masked` are fields in which other people were made unreadable; `recipients` are those to
    whom it was passed on, an organiser who helped with a case among them (MU-19).
    """

    kind: Code
    key: Line
    description: Words = ""
    matched_by: IdentifierKind
    certain: bool
    fields: Annotated[dict[Line, Words], Field(max_length=MOST_FIELDS)] = {}
    dates: Annotated[dict[Code, Day], Field(max_length=20)] = {}
    flags: Annotated[frozenset[Code], Field(max_length=20)] = frozenset()
    others_masked: tuple[Line, ...] = ()
    recipients: Annotated[tuple[Line, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.description and not self.fields:
            raise ValueError("describe what was found, or fill in at least one field")
        missing = set(self.others_masked) - set(self.fields)
        if missing:
            raise ValueError("a field in which others were masked is not among the fields")
        return self


class Deed(Enum):
    """What a person may say that was done with one record."""

    ERASED = "erased"
    ANONYMISED = "anonymised"
    KEPT = "kept"
    REFUSED = "refused"
    NOT_FOUND = "not-found"


_OUTCOMES = {
    Deed.ERASED: Outcome.ERASED,
    Deed.ANONYMISED: Outcome.ANONYMISED,
    Deed.KEPT: Outcome.KEPT,
    Deed.REFUSED: Outcome.REFUSED,
    Deed.NOT_FOUND: Outcome.NOT_FOUND,
}


class DoneRow(_Form):
    """What was done with one record.

    `ground` is one of those that the law knows, because no other keeps anything; `reason` is the
    person's own words and belongs in the vault, never in an event.
    """

    key: Line
    deed: Deed
    ground: Ground | None = None
    until: Day | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.deed is Deed.KEPT and self.ground is None:
            raise ValueError("name the ground on which it is kept")
        if self.deed is Deed.REFUSED and self.reason is None:
            raise ValueError("give the reason why it was refused")
        return self


class ManualAnswer(_Form):
    """The whole form: what was found, or what was done, or why there is nothing to tell."""

    found: Annotated[tuple[FoundRow, ...], Field(max_length=MOST_ROWS)] = ()
    done: Annotated[tuple[DoneRow, ...], Field(max_length=MOST_ROWS)] = ()
    none_because: Reason | None = None

    @field_validator("none_because", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @model_validator(mode="after")
    def _is_one_answer(self) -> Self:
        said = [bool(self.found), bool(self.done), self.none_because is not None]
        if sum(said) == 0:
            raise ValueError("say what was found or done, or give a reason for none")
        if sum(said) > 1:
            raise ValueError("say what was found, or what was done, or why none: only one of them")
        for rows in ([r.key for r in self.found], [r.key for r in self.done]):
            if len(set(rows)) < len(rows):
                raise ValueError("every record needs a key of its own")
        return self

    def to_records(self, person: Person) -> list[Record]:
        """What was found, as a connector would tell it.

        A person's certainty is as good as what it rests on: only an identifier that was verified
        in this case makes a strong match, and a name never does.
        """
        return [
            Record(
                key=row.key,
                kind=row.kind,
                match=_match(row, person),
                matched_by=row.matched_by,
                fields={"description": row.description, **row.fields}
                if row.description
                else dict(row.fields),
                anchors=dict(row.dates),
                flags=row.flags,
                recipients=row.recipients,
                masked=row.others_masked,
            )
            for row in self.found
        ]

    def to_results(self) -> dict[str, Result]:
        """What was done, by the record's key."""
        return {
            row.key: Result(
                _OUTCOMES[row.deed],
                "by-hand",
                ground=row.ground,
                until=row.until,
                words=row.reason or "",
            )
            for row in self.done
        }


def _match(row: FoundRow, person: Person) -> Match:
    if row.matched_by is IdentifierKind.NAME:
        return Match.SAME_NAME
    if row.certain and person.verified(row.matched_by):
        return Match.VERIFIED_IDENTIFIER
    return Match.UNVERIFIED_IDENTIFIER
