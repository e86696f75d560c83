"""A system as a TOML file describes it: how to reach it, what to ask, what its answers mean.

The file decides nothing about a person: which records are theirs is compared here with what was
proven (Art. 12(6)), and what becomes of a record is decided in the domain (Art. 17).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from adapters.outbound.connectors import Misconfigured
from adapters.outbound.connectors.http_api.pointers import Pointer
from adapters.outbound.connectors.http_api.templates import Template, Text, places_in
from domain.errors import DomainError
from domain.grounds import ground
from domain.vocabulary import IdentifierKind, Outcome

LARGEST_FILE = 256 * 1024

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*([-_][a-z0-9]+)*$", max_length=60)]
FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Status = Annotated[int, Field(ge=100, le=599)]
Statuses = Annotated[tuple[Status, ...], Field(min_length=1)]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Scalar = str | int | float | bool | None

SETTING = "setting."
KEY = "key"


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


# How to reach it


class NoAuth(Part):
    kind: Literal["none"] = "none"


class Basic(Part):
    """HTTP Basic (RFC 7617)."""

    kind: Literal["basic"]
    user: Text
    password: Text


class Bearer(Part):
    """A fixed token (RFC 6750)."""

    kind: Literal["bearer"]
    token: Text


class Header(Part):
    kind: Literal["header"]
    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
    value: Text


class Query(Part):
    """A key in every call's query. Our own logs hold no query; proxies between may."""

    kind: Literal["query"]
    name: str = Field(min_length=1)
    value: Text


class ClientCredentials(Part):
    """OAuth 2.0 client credentials (RFC 6749, 4.4), or whatever answers with a token and an end."""

    kind: Literal["client-credentials"]
    path: Text
    url: Text | None = None
    form: dict[str, Text] = {}
    headers: dict[str, Text] = {}
    token: Pointer = "/access_token"  # noqa: S105 (a place, no token)
    seconds: Pointer = "/expires_in"


Auth = Annotated[
    NoAuth | Basic | Bearer | Header | Query | ClientCredentials, Field(discriminator="kind")
]


class Condition(Part):
    """What an answer must be: its status, its media type, what stands at a place in it."""

    status: tuple[Status, ...] = ()
    media_type: str | None = None
    not_media_type: str | None = None
    at: Pointer | None = None
    equals: tuple[Scalar, ...] | None = Field(default=None, alias="is")
    exists: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.at is None and (self.equals is not None or self.exists is not None):
            raise ValueError("'is' and 'exists' need 'at', the place that they are about")
        if self.at is not None and (self.equals is None) == (self.exists is None):
            raise ValueError("'at' needs either 'is' or 'exists'")
        if not (self.status or self.media_type or self.not_media_type or self.at is not None):
            raise ValueError("name a status, a media type, or a place ('at')")
        return self


class TooMany(Condition):
    """An answer that says "later", beside 408, 425, 429 and 5xx, which always do."""

    seconds: Pointer | None = None
    header: str | None = None


class Server(Part):
    """`settings` are what the profile or the environment must give; templates name them."""

    url: str | None = None
    settings: tuple[FieldName, ...] = ()
    headers: dict[str, Text] = {}
    certificate: bool = False
    idempotency: str | None = None
    at_once: int = Field(default=4, ge=1, le=16)
    per_second: float | None = Field(default=None, gt=0, le=1000)
    too_many: tuple[TooMany, ...] = ()


COMPARED = frozenset(
    {
        IdentifierKind.EMAIL,
        IdentifierKind.PHONE,
        IdentifierKind.NAME,
        IdentifierKind.NATIONAL_NUMBER,
        IdentifierKind.CUSTOMER_NUMBER,
        IdentifierKind.ORDER_NUMBER,
        IdentifierKind.COOKIE,
    }
)


Places = Mapping[IdentifierKind, tuple[Pointer, ...]]


def _can_tell_people_apart(places: Places) -> Places:
    for kind in places:
        if kind not in COMPARED:
            raise ValueError(f"{kind.value} is shared by too many people to be compared")
    return places


WhoseItIs = Annotated[Places, AfterValidator(_can_tell_people_apart)]
"""The places of a row that say whose it is, by identifier."""


# Calls


class Call(Part):
    method: Method = "GET"
    path: Text
    query: dict[str, Text] = {}
    body: JsonValue = Field(default=None, alias="json")
    form: dict[str, Text] | None = None
    headers: dict[str, Text] = {}

    @field_validator("path")
    @classmethod
    def _is_a_path(cls, path: Template) -> Template:
        start = path.parts[0] if path.parts else ""
        if not isinstance(start, str) or not start.startswith("/") or start.startswith("//"):
            raise ValueError("must begin with one /")
        literal = "".join(part for part in path.parts if isinstance(part, str))
        if "?" in literal or "#" in literal:
            raise ValueError("a query belongs into 'query'")
        return path

    @model_validator(mode="after")
    def _has_one_body(self) -> Self:
        if self.body is not None and self.form is not None:
            raise ValueError("send 'json' or 'form', not both")
        if self.method == "GET" and (self.body is not None or self.form is not None):
            raise ValueError("a GET sends no body")
        list(places_in(self.body))
        return self

    def templates(self) -> Iterator[tuple[str, Template]]:
        yield "path", self.path
        for part in ("query", "form", "headers"):
            for name, template in (getattr(self, part) or {}).items():
                yield f"{part}.{name}", template
        for template in places_in(self.body):
            yield "json", template


class Paging(Part):
    """How to ask for the rest of a list; without it the first answer is all there is."""

    kind: Literal["page", "offset", "cursor", "next-link", "link-header"]
    parameter: str = ""
    first: int = 1
    size: int = Field(default=100, ge=1, le=10_000)
    size_parameter: str | None = None
    total: Pointer | None = None
    cursor: Pointer | None = None
    more: Pointer | None = None

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if self.kind in {"page", "offset", "cursor"} and not self.parameter:
            raise ValueError(f"paging by {self.kind} needs 'parameter'")
        if self.kind in {"cursor", "next-link"} and self.cursor is None:
            raise ValueError(f"paging by {self.kind} needs 'cursor', where the answer has it")
        return self


class Shown(Part):
    """A field of the person's copy. `mask` hides a number whose sight nobody needs.

    "tail" leaves the last two characters, "all" none. `minor` says where the currency stands of an
    amount in its smallest unit.
    """

    at: Pointer
    mask: Literal["tail", "all"] | None = None
    minor: Pointer | None = None


class Payer(Part):
    """Whose the `fields` are: masked where no place in `matches` is the person's (Art. 15(4))."""

    matches: WhoseItIs
    fields: tuple[FieldName, ...] = Field(min_length=1)


class Shape(Part):
    """What a row becomes. `linked`: it is found by an id that another system's record holds.

    `since` are the moments at which it came, or was last used by the person; the newest counts.
    """

    kind: Code
    key: Pointer
    fields: dict[FieldName, Pointer | Shown]
    dates: dict[FieldName, Pointer] = {}
    since: tuple[Pointer, ...] = ()
    flags: dict[FieldName, Condition] = {}
    recipients: tuple[str, ...] = ()
    linked: bool = False
    payer: Payer | None = None

    @model_validator(mode="after")
    def _masks_what_it_shows(self) -> Self:
        unknown = set(self.payer.fields if self.payer else ()) - set(self.fields)
        if unknown:
            raise ValueError(f"payer.fields: {min(unknown)!r} is no field of the record")
        return self

    @field_validator("flags")
    @classmethod
    def _are_about_the_row(cls, flags: dict[str, Condition]) -> dict[str, Condition]:
        if any(flag.at is None or flag.status or flag.media_type for flag in flags.values()):
            raise ValueError("a flag is about a place in the row: give 'at'")
        return flags


class Rows(Call):
    """A question that is answered with rows, all at once or page after page."""

    rows: Pointer = ""
    one: bool = False
    none_if: tuple[Condition, ...] = ()
    paging: Paging | None = None


class Listing(Rows):
    """Everybody whom a system knows: `matches` says where each row has what they are found by."""

    matches: WhoseItIs = Field(min_length=1)


class Step(Rows):
    """One question of a search: asked for every identifier `by`, or for every row `of` a step.

    `takes` names what the question of a later step is filled with, from the earlier step's row.
    What a system answers may be a near-match: `matches` are the places that are compared here.
    `asked` is for an answer about one id that does not repeat it: the row has it at `/asked` then.
    """

    name: Code | None = None
    by: IdentifierKind | None = None
    of: Code | None = None
    takes: dict[FieldName, Pointer] = {}
    asked: bool = False
    matches: WhoseItIs = {}
    record: Shape | None = None

    @model_validator(mode="after")
    def _is_asked_for_something(self) -> Self:
        if (self.by is None) == (self.of is None):
            raise ValueError("say what it is asked for: 'by' an identifier, or 'of' a step's rows")
        if self.by is not None and not self.matches:
            raise ValueError("'matches' is missing: what a system answers may be a near-match")
        if self.asked and not (self.one and self.by is IdentifierKind.ORDER_NUMBER):
            raise ValueError("'asked' is for 'one' row that was asked for by its number")
        if self.takes and self.of is None:
            raise ValueError("'takes' is filled from the rows of the step that 'of' names")
        if self.record is None and self.name is None:
            raise ValueError("give it a 'record', or a 'name' for a later step")
        return self


# What answers mean


class Left(Part):
    """What the vendor keeps nonetheless, in the words of the letters; for `days`, if known."""

    what: Code
    why: Code
    days: int | None = Field(default=None, ge=1, le=4_000)


class Job(Part):
    """A vendor's job, asked about a few times before it is left to be looked at later."""

    id: Pointer
    path: Text
    state: Pointer
    done: tuple[Scalar, ...] = Field(min_length=1)
    failed: tuple[Scalar, ...] = ()
    then: Literal["erased", "anonymised"] = "erased"
    tries: int = Field(default=5, ge=1, le=20)
    pause: float = Field(default=1.0, ge=0, le=10)


class Meaning(Part):
    """What becomes of the record, and what the letter and the desk are told of it."""

    then: Literal[
        "next",
        "erased",
        "anonymised",
        "rectified",
        "restricted",
        "suppressed",
        "not-found",
        "residual",
        "kept",
        "pending",
        "refused",
        "try-later",
        "by-hand",
    ]
    detail: Code | None = None
    residuals: tuple[Left, ...] = ()
    ground: str | None = None
    until: Pointer | None = None
    days: int | None = Field(default=None, ge=1, le=8_000)
    hours: int | None = Field(default=None, ge=1, le=10_000)
    job: Job | None = None
    what: Code | None = None

    @model_validator(mode="after")
    def _says_enough(self) -> Self:
        if self.then == "kept" and self.ground is None:
            raise ValueError("what is kept needs the 'ground' that the law knows")
        if self.then == "residual" and not self.residuals:
            raise ValueError("say in 'residuals' what remains, and why")
        if self.then == "pending" and self.hours is None:
            raise ValueError("say after how many 'hours' it makes sense to look again")
        if self.then == "by-hand" and self.what is None:
            raise ValueError("say in 'what' which words the desk shows to whoever must act")
        return self

    @field_validator("ground")
    @classmethod
    def _is_known(cls, code: str | None) -> str | None:
        try:
            return None if code is None else ground(code).code
        except DomainError as error:
            raise ValueError(str(error)) from None


class Rule(Condition, Meaning):
    """The first rule that an answer fits says what it means."""


OUTCOMES = {
    "erased": Outcome.ERASED,
    "anonymised": Outcome.ANONYMISED,
    "rectified": Outcome.RECTIFIED,
    "restricted": Outcome.RESTRICTED,
    "suppressed": Outcome.SUPPRESSED,
    "not-found": Outcome.NOT_FOUND,
    "residual": Outcome.RESIDUAL,
    "kept": Outcome.KEPT,
    "pending": Outcome.PENDING_AT_VENDOR,
}


class Deed(Call):
    outcomes: tuple[Rule, ...] = Field(min_length=1)


class LookFirst(Call):
    """How one record is looked at before it is changed: still there, still the person's."""

    gone: Statuses
    matches: WhoseItIs = {}
    takes: dict[FieldName, Pointer] = {}


class Treatment(Part):
    """What is done with one kind of record. Deeds follow one another as long as they say "next".

    Without any, the result is always `always`: the system has no way to do it. `check` is what the
    record looks like once it is done: then nothing is written, and after writing it must be so.
    `before` are rules about what `look` shows: what a person must do first, for instance.
    """

    look: LookFirst | None = None
    before: tuple[Rule, ...] = ()
    check: Condition | None = None
    deeds: tuple[Deed, ...] = ()
    always: Meaning | None = None

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if bool(self.deeds) == (self.always is not None):
            raise ValueError("give 'deeds', or 'always' where the system has no way to do it")
        looked = [rule for rule in (self.check, *self.before) if rule is not None]
        if any(self.look is None or rule.at is None for rule in looked):
            raise ValueError("'check' and 'before' are about a place in what 'look' shows")
        if self.deeds and any(rule.then == "next" for rule in self.deeds[-1].outcomes):
            raise ValueError("the last deed must not say 'next'")
        return self


class Rectification(Part):
    """Which fields of a kind can be written: `fields` names, for each, its name in the body."""

    look: LookFirst
    fields: dict[Code, str]
    deed: Deed


class Restriction(Part):
    """How a record is marked, how the mark is seen, and how it is taken away (Art. 18)."""

    look: LookFirst
    mark: Deed
    marked: Condition
    unmark: Deed


class Description(Part):
    """The whole file."""

    title: str
    server: Server = Server()
    auth: Auth = NoAuth()
    find: tuple[Step, ...] = Field(min_length=1)
    lists: tuple[Listing, ...] = Field(default=(), alias="list")
    erase: dict[Code, Treatment] = {}
    anonymise: dict[Code, Treatment] = {}
    suppress: dict[Code, Treatment] = {}
    rectify: dict[Code, Rectification] = {}
    restrict: dict[Code, Restriction] = {}

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        settings = {f"{SETTING}{name}" for name in self.server.settings}
        for where, templates, names in self._templates():
            for part, template in templates:
                unknown = sorted(template.names - names - settings)
                if unknown:
                    known = ", ".join(sorted(names | settings)) or "none"
                    raise ValueError(
                        f"{where}.{part}: there is no {{{unknown[0]}}}; known: {known}"
                    )
        self._require_steps_in_order()
        kinds = {step.record.kind for step in self.find if step.record}
        for part in ("erase", "anonymise", "suppress", "rectify", "restrict"):
            for kind in getattr(self, part):
                if kind not in kinds:
                    raise ValueError(f"{part}.{kind}: no step finds records of this kind")
        return self

    def _require_steps_in_order(self) -> None:
        seen: set[str] = set()
        for number, step in enumerate(self.find):
            if step.of is not None and step.of not in seen:
                raise ValueError(f"find.{number}.of: no earlier step is named {step.of!r}")
            if step.name is not None:
                if step.name in seen:
                    raise ValueError(f"find.{number}.name: {step.name!r} is there twice")
                seen.add(step.name)

    def _templates(self) -> Iterator[tuple[str, Iterable[tuple[str, Template]], set[str]]]:
        """Where templates stand, and the names that each may use."""
        auth = [(n, t) for n, t in self.auth if isinstance(t, Template)]
        more = [
            (f"{part}.{name}", template)
            for part in ("form", "headers")
            for name, template in getattr(self.auth, part, {}).items()
        ]
        yield "auth", [*auth, *more], set()
        yield "server.headers", self.server.headers.items(), set()
        for number, step in enumerate(self.find):
            names = set(step.takes) if step.by is None else {variable(step.by)}
            yield f"find.{number}", step.templates(), names
        for number, listing in enumerate(self.lists):
            yield f"list.{number}", listing.templates(), set()
        for part in ("erase", "anonymise", "suppress"):
            for kind, treatment in getattr(self, part).items():
                where, names = f"{part}.{kind}", {KEY}
                if treatment.look is not None:
                    yield f"{where}.look", treatment.look.templates(), {KEY}
                    names |= set(treatment.look.takes)
                for number, deed in enumerate(treatment.deeds):
                    yield f"{where}.deeds.{number}", deed.templates(), names
                    for rule in deed.outcomes:
                        if rule.job is not None:
                            yield f"{where}.deeds.{number}.job", [("path", rule.job.path)], {"job"}
        for kind, one in self.rectify.items():
            yield f"rectify.{kind}.look", one.look.templates(), {KEY}
            yield f"rectify.{kind}.deed", one.deed.templates(), {KEY, *one.look.takes}
        for kind, mark in self.restrict.items():
            yield f"restrict.{kind}.look", mark.look.templates(), {KEY}
            for name in ("mark", "unmark"):
                way: Deed = getattr(mark, name)
                yield f"restrict.{kind}.{name}", way.templates(), {KEY, *mark.look.takes}


def variable(kind: IdentifierKind) -> str:
    """The name by which a template speaks of an identifier: order-number is `{order_number}`."""
    return kind.value.replace("-", "_")


# Reading


def shipped() -> tuple[str, ...]:
    """The names of the descriptions that come with Trettio."""
    folder = files(__package__) / "systems"
    names = (one.name for one in folder.iterdir())
    return tuple(sorted(n.removesuffix(".toml") for n in names if n.endswith(".toml")))


@cache
def shipped_as(name: str) -> Description:
    text = (files(__package__) / "systems" / f"{name}.toml").read_text(encoding="utf-8")
    return read_description(text, f"{name}.toml")


def description_in(file: Path) -> Description:
    """The description that an operator's file holds; `Misconfigured` says what is wrong with it."""
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise Misconfigured(f"{file.name} is larger than {LARGEST_FILE} bytes")
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        if isinstance(error, Misconfigured):
            raise
        raise Misconfigured(f"{file.name} cannot be read: {type(error).__name__}") from None
    return read_description(text, file.name)


def read_description(text: str, name: str) -> Description:
    try:
        return Description.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"{name} is no TOML: {error}") from None
    except ValidationError as error:
        first, *rest = error.errors(include_url=False, include_input=False)
        place = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        more = f" (and {len(rest)} more)" if rest else ""
        raise Misconfigured(f"{name}: {place + ': ' if place else ''}{said}{more}") from None
