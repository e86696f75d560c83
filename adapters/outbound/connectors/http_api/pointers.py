"""Places in an answer, by JSON Pointer (RFC 6901) with `*` for every element of a list.

Nothing in an answer is believed before it was looked at here: how deep it is, how long its texts
are, and whether what stands in a place is of the sort that is wanted there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final, cast

from pydantic import AfterValidator, JsonValue

from adapters.outbound.answers import LONGEST_TEXT, civil_date
from adapters.outbound.http import Response
from services.ports import Garbled

DEEPEST = 40
LARGEST_NUMBER = 2**63
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
LONGEST_KEY = 1_000


class Missing:
    """Stands for what is not there, which `null` is."""


MISSING: Final = Missing()


def _checked(pointer: str) -> str:
    if pointer and not pointer.startswith("/"):
        raise ValueError("a pointer is empty for the whole, or begins with /, e.g. /data/results")
    if re.search(r"~(?![01])", pointer):
        raise ValueError("in a pointer ~ is written ~0, and / inside a name ~1")
    return pointer


Pointer = Annotated[str, AfterValidator(_checked)]


def document(response: Response) -> JsonValue:
    """The answer as JSON that can be walked, shown and stored; `Garbled` when it cannot."""
    value = cast(JsonValue, response.json())
    waiting: list[tuple[JsonValue, int]] = [(value, 0)]
    while waiting:
        part, depth = waiting.pop()
        if depth > DEEPEST:
            raise Garbled("answer is nested too deep")
        match part:
            case dict():
                waiting.extend((name, depth) for name in part)
                waiting.extend((inner, depth + 1) for inner in part.values())
            case list():
                waiting.extend((inner, depth + 1) for inner in part)
            case str():
                _require_text(part)
            case int() if abs(part) > LARGEST_NUMBER:
                raise Garbled("answer holds a number that is too large")
            case _:
                pass
    return value


def _require_text(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise Garbled("answer holds a text that is too long")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Garbled("answer holds what is no text") from None


def at(value: JsonValue, pointer: str) -> JsonValue | Missing:
    """What stands there. With `*`, the list of what stands there in every element that has it."""
    return _at(value, _steps(pointer))


def _steps(pointer: str) -> list[str]:
    return [s.replace("~1", "/").replace("~0", "~") for s in pointer.split("/")[1:]]


def _at(value: JsonValue, steps: Sequence[str]) -> JsonValue | Missing:
    for number, step in enumerate(steps):
        if step == "*":
            if not isinstance(value, list):
                return MISSING
            each = [_at(one, steps[number + 1 :]) for one in value]
            return [one for one in each if not isinstance(one, Missing)]
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isascii() and step.isdigit():
            if int(step) >= len(value):
                return MISSING
            value = value[int(step)]
        else:
            return MISSING
    return value


def rows_at(value: JsonValue, pointer: str, *, one: bool) -> list[JsonValue]:
    """The rows of an answer. A list that is missing is no empty list."""
    rows = at(value, pointer)
    if one:
        rows = [] if isinstance(rows, Missing) else [rows]
    if not isinstance(rows, list) or (one and not rows):
        raise Garbled(f"answer has no rows at {pointer or 'the whole'}")
    if not all(isinstance(row, dict) for row in rows):
        raise Garbled(f"answer has a row that is no object at {pointer or 'the whole'}")
    return rows


def text_at(value: JsonValue, pointer: str) -> str:
    """A short text, or a whole number as text, that must be there."""
    found = at(value, pointer)
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if not isinstance(found, str) or not found.strip() or len(found) > LONGEST_KEY:
        raise Garbled(f"answer has no usable text at {pointer}")
    return found


def texts_at(value: JsonValue, pointer: str) -> Iterator[str]:
    """The texts that say whose something is: one, several or none; nothing else is one."""
    found = at(value, pointer)
    for one in found if isinstance(found, list) else [found]:
        if isinstance(one, str):
            yield one
        elif isinstance(one, int) and not isinstance(one, bool):
            yield str(one)
        elif one is not None and not isinstance(one, Missing):
            raise Garbled(f"answer has something else than text at {pointer}")


def moment_at(value: JsonValue, pointer: str) -> datetime | None:
    """A moment written as ISO 8601 or as seconds since 1970; of a day without a time its end."""
    found = at(value, pointer)
    if isinstance(found, Missing) or found is None or found == "" or isinstance(found, bool):
        return None
    try:
        if isinstance(found, int | float):
            return datetime.fromtimestamp(found, UTC)
        if isinstance(found, str):
            moment = _with_zone(datetime.fromisoformat(found.strip()))
            is_day = _DAY.fullmatch(found.strip())
            return moment + timedelta(days=1) if is_day else moment
    except (ValueError, OverflowError, OSError):
        pass
    raise Garbled(f"answer has no moment at {pointer}")


def day_at(value: JsonValue, pointer: str) -> date | None:
    """The local day of a moment that is written as ISO 8601 or as seconds since 1970."""
    found = at(value, pointer)
    if isinstance(found, Missing) or found is None or found == "" or isinstance(found, bool):
        return None
    try:
        if isinstance(found, int | float):
            return civil_date(datetime.fromtimestamp(found, UTC))
        if isinstance(found, str):
            moment = datetime.fromisoformat(found.strip())
            is_day = _DAY.fullmatch(found.strip())
            return moment.date() if is_day else civil_date(_with_zone(moment))
    except (ValueError, OverflowError, OSError):
        pass
    raise Garbled(f"answer has no moment at {pointer}")


def _with_zone(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
