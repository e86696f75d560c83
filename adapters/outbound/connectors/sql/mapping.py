"""What the owner of a database writes down once: which tables hold whom, and what may become of it.

The file is TOML and is validated before anything is asked; every complaint names its key.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from adapters.outbound.connectors import Misconfigured
from domain.vocabulary import IdentifierKind

LARGEST_FILE = 1_000_000
DEEPEST = 8
"""Tables below a record's own; deeper than that a mapping is a mistake."""

Fate = Literal["erase", "anonymise", "keep", "unlink"]
Named = Annotated[str, Field(min_length=1, max_length=128)]
Scalar = str | int | float | bool | date


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[Named, ...], BeforeValidator(_listed), Field(min_length=1, strict=False)]
Some = Annotated[tuple[Named, ...], BeforeValidator(_listed), Field(strict=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


# Who somebody is


class Columns(_Part):
    """Columns that hold one kind of identifier, each by itself, or in `parts` that make a name.

    `stored` = "normal" promises that every value is in the form in which Trettio compares (an
    address in small letters, a number as +4740000017), so that the column's own index serves.
    """

    columns: Some = ()
    parts: Some = ()
    stored: Literal["any", "normal"] = "any"

    @model_validator(mode="after")
    def _one_of_them(self) -> Columns:
        if bool(self.columns) == bool(self.parts):
            raise ValueError("needs either columns or parts")
        return self


def _columns(value: object) -> object:
    return {"columns": value} if isinstance(value, str | list) else value


Identifying = Annotated[Columns | None, BeforeValidator(_columns)]


class Identifiers(_Part):
    email: Identifying = None
    phone: Identifying = None
    name: Identifying = None
    customer_number: Identifying = None
    order_number: Identifying = None
    national_number: Identifying = None
    cookie: Identifying = None

    @model_validator(mode="after")
    def _only_names_have_parts(self) -> Identifiers:
        for kind, columns in self:
            if columns is not None and columns.parts and kind != "name":
                raise ValueError(f"{kind} is held in columns: only a name has parts")
        return self

    def said(self) -> Iterator[tuple[IdentifierKind, Columns]]:
        for name, columns in self:
            if columns is not None:
                yield IdentifierKind(name.replace("_", "-")), columns


# What is to be written


class Null(_Part):
    null: Literal[True]


class Digest(_Part):
    """A keyed digest of what stood there: equal for equal values, and nothing to be looked up."""

    digest: Annotated[int, Field(ge=16, le=64)]
    before: str = Field("", max_length=60)
    after: str = Field("", max_length=60)


Write = Scalar | Null | Digest


class Flag(_Part):
    """A simple comparison of one column; all that is given must be so."""

    column: Named
    is_: Annotated[tuple[Scalar, ...] | None, Field(alias="is", strict=False)] = None
    is_not: Annotated[tuple[Scalar, ...] | None, Field(strict=False)] = None
    more_than: float | int | None = None
    less_than: float | int | None = None
    empty: bool | None = None
    future: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _lists(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        if not set(value) - {"column"}:
            raise ValueError("needs a comparison: is, is_not, more_than, less_than, empty, future")
        return {
            name: [one] if name in {"is", "is_not"} and not isinstance(one, list) else one
            for name, one in value.items()
        }


class Restrict(_Part):
    """What marks a row so that it is kept and not used (Art. 18), and what lifts the mark."""

    set: Annotated[dict[Named, Scalar], Field(min_length=1)]
    lift: Annotated[dict[Named, Scalar], Field(min_length=1)]

    @model_validator(mode="after")
    def _same_columns(self) -> Restrict:
        if set(self.set) != set(self.lift):
            raise ValueError("set and lift must name the same columns")
        return self


# Tables


class TableMapping(_Part):
    table: Named
    database_schema: Annotated[Named | None, Field(alias="schema")] = None
    key: Some = ()
    show: Some | None = None
    hide: Some = ()
    mask: Some = ()
    impersonal: Some = ()
    anonymise: dict[Named, Write] = Field(default_factory=dict)
    follow: Literal["erase", "anonymise", "keep"] | None = None
    child: Annotated[tuple[Child, ...], Field(strict=False)] = ()


class Child(TableMapping):
    """A table whose rows belong to a row of another: order lines, tickets, addresses."""

    name: Named | None = None
    link: dict[Named, Named] = Field(default_factory=dict)
    on_erase: Fate = "erase"
    on_anonymise: Fate = "anonymise"


class RecordMapping(TableMapping):
    """One sort of record; `of` names the sort through which it is found.

    `since` are columns that say when a row came, or was last used by the person.
    """

    kind: Named
    identifiers: Identifiers = Identifiers()
    of: Named | None = None
    link: dict[Named, Named] = Field(default_factory=dict)
    erase: Literal["delete", "anonymise", "delete-if-free"] = "delete"
    anchors: dict[Named, Named] = Field(default_factory=dict)
    since: Some = ()
    flags: dict[Named, Flag] = Field(default_factory=dict)
    rectify: Some = ()
    statement: Named | None = None
    restrict: Restrict | None = None

    @model_validator(mode="after")
    def _can_be_found(self) -> RecordMapping:
        if self.of is None and not any(True for _ in self.identifiers.said()):
            raise ValueError("needs identifiers, or 'of': the kind that it is found through")
        return self


class Suppress(_Part):
    """Where marketing is stopped: set columns of the person's rows, or enter them in a list."""

    table: Named
    database_schema: Annotated[Named | None, Field(alias="schema")] = None
    identifiers: Identifiers
    set: dict[Named, Scalar] = Field(default_factory=dict)
    insert: bool = False

    @model_validator(mode="after")
    def _does_something(self) -> Suppress:
        said = list(self.identifiers.said())
        if not said or any(columns.parts for _, columns in said):
            raise ValueError("needs identifiers other than a name")
        if self.insert and (len(said) > 1 or len(said[0][1].columns) > 1):
            raise ValueError("enters one identifier in one column")
        if not self.insert and not self.set:
            raise ValueError("needs 'set' = what stops marketing, or insert = true")
        return self


class Mapping(_Part):
    database_schema: Annotated[Named | None, Field(alias="schema")] = None
    record: Annotated[tuple[RecordMapping, ...], Field(min_length=1, strict=False)]
    suppress: Annotated[tuple[Suppress, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Mapping:
        kinds: set[str] = set()
        for record in self.record:
            if record.of is not None and record.of not in kinds:
                raise ValueError(
                    f"record {record.kind!r} is of {record.of!r}, which must stand before it"
                )
            if record.kind in kinds:
                raise ValueError(f"record {record.kind!r} stands twice")
            kinds.add(record.kind)
            if _depth(record) > DEEPEST:
                raise ValueError(f"record {record.kind!r} is more than {DEEPEST} tables deep")
        return self


def _depth(table: TableMapping) -> int:
    return 1 + max(map(_depth, table.child), default=0)


# The file


def read(path: Path) -> Mapping:
    """The mapping in a file; `Misconfigured` has one line per problem, each with its key."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise Misconfigured(f"sql's mapping {path.name} is too large")
        content = path.read_bytes()
    except OSError as error:
        raise Misconfigured(
            f"sql's mapping {path.name} cannot be read: {error.strerror or 'unknown reason'}"
        ) from None
    try:
        return Mapping.model_validate(tomllib.loads(content.decode("utf-8")))
    except UnicodeDecodeError:
        reasons = ["is not UTF-8: save it as UTF-8"]
    except tomllib.TOMLDecodeError as error:
        reasons = [f"is not TOML: {error}"]
    except RecursionError:
        reasons = ["is nested too deeply"]
    except ValidationError as error:
        reasons = list(dict.fromkeys(map(_reason, error.errors(include_url=False))))
    raise Misconfigured("\n".join(f"sql's mapping {path.name}: {reason}" for reason in reasons))


def _reason(problem: Any) -> str:
    place = _place(problem["loc"])
    match problem["type"]:
        case "missing":
            return f"{place} is missing"
        case "extra_forbidden":
            return f"{place} is not a key that a mapping has: check its spelling"
        case _:
            said = str(problem["msg"]).removeprefix("Value error, ")
            return f"{place or 'the whole'}: {said[:1].lower()}{said[1:]}"


def _place(location: tuple[str | int, ...]) -> str:
    """The key as its author wrote it: numbers as [1], without pydantic's words for a choice."""
    place = ""
    for part in location:
        if isinstance(part, int):
            place += f"[{part + 1}]"
        elif part in {"Columns", "Null", "Digest", "str", "int", "float", "bool", "date"}:
            continue
        else:
            place += f".{part}" if place else part
    return place
