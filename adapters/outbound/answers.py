"""What remote systems answer, brought into shape before anybody believes it (Art. 5(1)(d))."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
)

from adapters.outbound.http import Response
from services.ports import Garbled

LONGEST_TEXT = 20_000
"""Characters; no field of a customer's record has a reason to be longer."""

_NORDIC = ZoneInfo("Europe/Oslo")
"""Norway and Sweden share their civil time."""


class Answer(BaseModel):
    """A part of an answer that we read; whatever else the system sends is ignored."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, str_max_length=LONGEST_TEXT, coerce_numbers_to_str=True
    )


def _bounded(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    waiting: list[object] = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str) and len(part) > LONGEST_TEXT:
            raise ValueError("a text is too long")
        if isinstance(part, dict):
            waiting.extend((*part, *part.values()))
        if isinstance(part, list):
            waiting.extend(part)
    return value


Open = Annotated[
    dict[str, JsonValue],
    BeforeValidator(lambda value: value or {}),
    AfterValidator(_bounded),
]
"""An object whose keys the controller chose; an empty one may arrive as null or as a list."""

Free = Annotated[Open, Field(default_factory=dict)]
"""The same as a field that may be absent."""


def _with_zone(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Instant = Annotated[datetime, AfterValidator(_with_zone)]
"""A moment that can be compared; one without a zone is UTC, as the vendors say of theirs."""

Moment = Annotated[Instant | None, BeforeValidator(lambda value: value or None)]
"""An instant, or nothing: some systems write an empty text or a zero for none."""

A = TypeVar("A", bound=Answer)


def read(model: type[A], response: Response) -> A:
    """The answer as `model`; `Garbled` names the fields that are not what they should be."""
    try:
        return model.model_validate(response.object())
    except ValidationError as error:
        # Only our own fields' names are said: keys further in may be somebody's data.
        fields = sorted({str(problem["loc"][0]) for problem in error.errors() if problem["loc"]})
        raise Garbled(
            f"answer has an unexpected shape in: {', '.join(fields) or 'the whole'}"
        ) from None


def civil_date(moment: Instant, zone: ZoneInfo = _NORDIC) -> date:
    """The local day of a moment."""
    try:
        return moment.astimezone(zone).date()
    except OverflowError:  # "never" is written as the last of all days, or the first
        return moment.date()


def dates(**named: datetime | None) -> dict[str, date]:
    """Those of the moments that are there, as local days."""
    return {name: civil_date(moment) for name, moment in named.items() if moment}


def held(fields: Mapping[str, object]) -> dict[str, object]:
    """Those of the fields that hold something, with instants as text (plain JSON values)."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in fields.items()
        if value is not None and value != "" and value != [] and value != {}
    }
