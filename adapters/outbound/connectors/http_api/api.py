"""A connector without code: any HTTP API that answers JSON, as a file describes it.

Art. 15, 16, 17, 18 and 21(2). What a system answers is a candidate only: whose a record is, is
compared here. What a file does not describe, a person does.

Configuration: `description`, the path of a TOML file (connectors that come with Trettio bring
theirs); `url` where the file names none or another is wanted; whatever the file lists as settings;
`timeout`; `per_second`, where the account allows other than what the file says; and for mutual TLS
`certificate`, `certificate_key` and, where needed, `authority`, as paths of files.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import JsonValue

from adapters.outbound.changing import Changing
from adapters.outbound.connectors import Configuration, Misconfigured, need, patience
from adapters.outbound.connectors.http_api import description as described
from adapters.outbound.connectors.http_api.calls import Caller
from adapters.outbound.connectors.http_api.changes import Changes
from adapters.outbound.connectors.http_api.deeds import Deeds
from adapters.outbound.connectors.http_api.pointers import text_at
from adapters.outbound.connectors.http_api.records import (
    Level,
    identifiers_of,
    level_of,
    linked,
    record_of,
)
from adapters.outbound.http import HttpClient
from domain.vocabulary import IdentifierKind, Outcome
from services.matching import Matcher
from services.ports import AwaitsPerson, Identifier, Person, Record, Result, Treatment

MOST_PAGES = 10_000
ERASE_BY_HAND = "erase-by-hand"
SUPPRESS_BY_HAND = "suppress-by-hand"


class HttpApi(Changing):
    def __init__(
        self,
        configuration: Configuration,
        description: described.Description,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._described = description
        server, title = description.server, description.title
        settings = {name: need(configuration, name, of=title) for name in server.settings}
        http = HttpClient(
            configuration.get("url", "").strip() or server.url or need({}, "url", of=title),
            connections=server.at_once,
            timeout=patience(configuration, of=title),
            context=_mutual(configuration, title) if server.certificate else None,
        )
        self._caller = Caller(
            description,
            settings,
            http,
            per_second=_per_second(configuration, title),
            sleep=sleep,
        )
        self._deeds = Deeds(self._caller, clock)
        self._changes = Changes(description, self._deeds, self._theirs)

    # Find

    def find(self, person: Person, *, fresh_after: datetime | None = None) -> Iterator[Record]:
        """Every step's rows that are or may be the person's; live answers are always fresh."""
        return self._search(person, None)

    def _search(self, person: Person, kinds: Collection[str] | None) -> Iterator[Record]:
        """The records of some kinds, or of all."""
        matcher = Matcher(person)
        every = self._described.find
        steps = every if kinds is None else _steps_for(every, kinds)
        seen: set[tuple[str, str]] = set()
        known: dict[str, list[tuple[JsonValue, Level]]] = {}
        for step in steps:
            kept: list[tuple[JsonValue, Level]] = []
            for row, level in self._rows(step, person, matcher, known):
                if step.name is not None:
                    kept.append((row, level))
                if step.record is None:
                    continue
                record = record_of(step.record, row, level, person)
                if (record.kind, record.key) not in seen:
                    seen.add((record.kind, record.key))
                    yield record
            if step.name is not None:
                known[step.name] = kept

    def _rows(
        self,
        step: described.Step,
        person: Person,
        matcher: Matcher,
        known: dict[str, list[tuple[JsonValue, Level]]],
    ) -> Iterator[tuple[JsonValue, Level]]:
        """A step's rows with how each matches: near-matches and strangers are left out."""
        if step.by is not None:
            for values in _questions(step, person.all(step.by)):
                for answered in self._caller.rows(step, values, most_pages=MOST_PAGES):
                    row = _with_question(step, answered, values)
                    level = level_of(matcher, step.matches, row)
                    if level is not None:
                        yield row, level
            return
        for parent, of_parent in known[step.of or ""]:
            values = {name: text_at(parent, place) for name, place in step.takes.items()}
            for row in self._caller.rows(step, values, most_pages=MOST_PAGES):
                own = level_of(matcher, step.matches, row) if step.matches else linked(of_parent)
                if own is not None:
                    yield row, own

    def _of_kinds(self, person: Person, kinds: Collection[str]) -> Iterator[Record]:
        """What find finds of these kinds, asking no more than that takes."""
        return (record for record in self._search(person, kinds) if record.kind in kinds)

    def _theirs(self, person: Person, kinds: Collection[str]) -> Iterator[Record]:
        return (record for record in self._of_kinds(person, kinds) if record.match.is_strong)

    # Erase

    def erase(self, person: Person, treatment: Treatment, *, key: str) -> Result:
        """Do what the file says for this kind of record; what it does not say, a person does."""
        ways = self._described.anonymise if treatment.anonymise else self._described.erase
        way = ways.get(treatment.kind)
        if way is None or (treatment.anonymise and treatment.keep_fields):
            raise AwaitsPerson(ERASE_BY_HAND)
        return self._deeds.treat(way, treatment.key, person, key=key)

    # Suppress

    def suppress(self, person: Person, *, key: str) -> Result:
        """Stop marketing to whatever the person's addresses and numbers are filed under."""
        ways = self._described.suppress
        if not ways:
            raise AwaitsPerson(SUPPRESS_BY_HAND)
        results = [
            self._deeds.treat(ways[record.kind], record.key, person, key=f"{key}/{number}")
            for number, record in enumerate(list(self._of_kinds(person, ways.keys())))
            if record.matched_by is not IdentifierKind.NAME
        ]
        stopped = [one for one in results if one.outcome is Outcome.SUPPRESSED]
        return stopped[0] if stopped else Result(Outcome.NOT_FOUND, "nobody-to-stop")


class ListingApi(HttpApi):
    """A system that can also say whom it knows (Art. 17: erased again after a restore)."""

    def people(self) -> Iterator[tuple[Identifier, ...]]:
        for listing in self._described.lists:
            for row in self._caller.rows(listing, {}, most_pages=MOST_PAGES):
                yield identifiers_of(listing.matches, row)


def api_of(
    configuration: Configuration, description: described.Description | None = None
) -> HttpApi:
    """The connector of a description, or of the file that the configuration names."""
    if description is None:
        description = described.description_in(Path(need(configuration, "description", of="http")))
    return (ListingApi if description.lists else HttpApi)(configuration, description)


def _with_question(step: described.Step, row: JsonValue, values: Mapping[str, str]) -> JsonValue:
    """The row, with what was asked for where the answer does not repeat it."""
    if not step.asked or step.by is None or not isinstance(row, dict):
        return row
    return row | {"asked": values[described.variable(step.by)]}


def _questions(step: described.Step, values: Iterable[str]) -> Iterator[dict[str, str]]:
    """What a step is filled with, once for all spellings that the question makes the same."""
    name = described.variable(step.by) if step.by is not None else ""
    asked: set[tuple[str, ...]] = set()
    for value in values:
        given = {name: value.strip()}
        places = (place for _, text in step.templates() for place in text.places)
        question = tuple(place.value(given) for place in places if place.name == name)
        if question not in asked:
            asked.add(question)
            yield given


def _steps_for(steps: Sequence[described.Step], kinds: Collection[str]) -> list[described.Step]:
    """The steps that find records of these kinds, and those that they go on from."""
    wanted: list[described.Step] = []
    names: set[str] = set()
    for step in reversed(steps):
        if (step.record and step.record.kind in kinds) or (step.name and step.name in names):
            wanted.append(step)
            names |= {step.of} if step.of else set()
    return wanted[::-1]


def _per_second(configuration: Configuration, title: str) -> float | None:
    said = configuration.get("per_second", "").strip()
    if not said:
        return None
    if not said.isascii() or not said.isdigit() or not 1 <= int(said) <= 1000:
        raise Misconfigured(f"{title} needs 'per_second' to be calls, from 1 to 1000")
    return float(said)


def _mutual(configuration: Configuration, title: str) -> ssl.SSLContext:
    """TLS in which both ends show a certificate; without an authority the usual ones vouch."""
    certificate = need(configuration, "certificate", of=title)
    key = need(configuration, "certificate_key", of=title)
    try:
        context = ssl.create_default_context(
            cafile=configuration.get("authority", "").strip() or None
        )
        context.load_cert_chain(certificate, key)
    except OSError as error:  # a broken certificate is one, too
        raise Misconfigured(
            f"{title}'s certificate, its key or its authority cannot be read:"
            f" {type(error).__name__}"
        ) from None
    return context
