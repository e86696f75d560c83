"""The smallest template language that calls need: named places in a text, filled by the caller.

A place is `{name}` or `{name|filter}`. What fills it is never read as a template again, and each
part of a call is escaped for where it stands: a path segment, a query, a header or a JSON text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import JsonValue, PlainSerializer, PlainValidator

from services.matching import normal_email, normal_phone
from services.ports import Refused

Values = Mapping[str, str]

_PLACE = re.compile(r"\{([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?)((?:\|[a-z]+)*)\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _in_sql_quotes(value: str) -> str:
    """A text inside single quotes, as standard SQL writes it; nothing else in it is special."""
    if "\x00" in value:
        raise Refused("a value cannot be asked for: it holds a character that no text may hold")
    return value.replace("'", "''")


FILTERS: Mapping[str, Callable[[str], str]] = {
    "lower": str.lower,
    "email": normal_email,
    "phone": normal_phone,
    "digits": lambda value: "".join(c for c in value if c in "0123456789"),
    "sql": _in_sql_quotes,
}


@dataclass(frozen=True, slots=True)
class Place:
    name: str
    filters: tuple[str, ...]

    def value(self, values: Values) -> str:
        value = values[self.name]
        for name in self.filters:
            value = FILTERS[name](value)
        return value


@dataclass(frozen=True, slots=True)
class Template:
    """A text with places; `parts` are its texts and places in their order."""

    parts: tuple[str | Place, ...]

    @property
    def places(self) -> tuple[Place, ...]:
        return tuple(part for part in self.parts if isinstance(part, Place))

    @property
    def names(self) -> frozenset[str]:
        return frozenset(place.name for place in self.places)

    def filled(self, values: Values) -> str:
        """For where the sender escapes the whole: a value of a query, a form or a JSON text."""
        return "".join(p if isinstance(p, str) else p.value(values) for p in self.parts)

    def for_header(self, values: Values) -> str:
        """One line of visible ASCII: whatever else would end it, or change what follows."""
        text = self.filled(values)
        if _CONTROL.search(text) or not text.isascii():
            raise Refused("a header cannot be filled: a value holds more than a line of ASCII")
        return text

    def for_path(self, values: Values) -> tuple[str, dict[str, str]]:
        """The template and the values as the client takes them: it quotes each as one segment."""
        text, given = "", dict[str, str]()
        for part in self.parts:
            if isinstance(part, str):
                text += part
                continue
            name = part.name.replace(".", "_")
            value = part.value(values)
            while given.get(name, value) != value:
                name += "_"
            given[name] = value
            text += f"{{{name}}}"
        return text, given


def parsed(text: object) -> Template:
    """The template that a text is; a `ValueError` says what it does not understand."""
    if isinstance(text, Template):
        return text
    if not isinstance(text, str):
        raise ValueError("must be a text")  # noqa: TRY004 (pydantic tells where)
    parts: list[str | Place] = []
    end = 0
    for found in _PLACE.finditer(text):
        parts.append(_literal(text[end : found.start()]))
        filters = tuple(found[2].split("|")[1:])
        for name in filters:
            if name not in FILTERS:
                raise ValueError(f"there is no filter {name!r}; there are: {', '.join(FILTERS)}")
        parts.append(Place(found[1], filters))
        end = found.end()
    parts.append(_literal(text[end:]))
    return Template(tuple(part for part in parts if part != ""))


def _literal(text: str) -> str:
    if "{" in text or "}" in text:
        raise ValueError("write a place as {name} or {name|filter}; other braces are not allowed")
    return text


Text = Annotated[Template, PlainValidator(parsed), PlainSerializer(repr)]
"""A template in a description."""


# Bodies


AT = "at"
MERGED = "*"

Look = Callable[[str], JsonValue]
"""What the record that was looked at holds at a pointer."""


def places_in(body: JsonValue) -> Iterator[Template]:
    """Every template in a JSON body; a `ValueError` where one is none."""
    match body:
        case str():
            yield parsed(body)
        case list():
            for part in body:
                yield from places_in(part)
        case dict() if body.keys() != {AT}:
            for part in body.values():
                yield from places_in(part)
        case _:
            return


def body_of(body: JsonValue, values: Values, look: Look) -> JsonValue:
    """The body with its places filled.

    `{at = "/pointer"}` stands for what was looked at holds there, and the key `*` puts all of it
    beside the other keys. Names of keys are ours alone.
    """
    match body:
        case str():
            return parsed(body).filled(values)
        case list():
            return [body_of(part, values, look) for part in body]
        case dict() if body.keys() == {AT}:
            return look(str(body[AT]))
        case dict():
            filled: dict[str, JsonValue] = {}
            for name, part in body.items():
                value = body_of(part, values, look)
                if name == MERGED:
                    filled.update(value if isinstance(value, dict) else {})
                else:
                    filled[name] = value
            return filled
        case _:
            return body
