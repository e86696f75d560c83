"""One connector under test: its system, and Kari in it between two strangers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from traceback import format_exception
from typing import TypeVar
from urllib.parse import quote, quote_plus

import pytest
import structlog

from adapters.connector_kit.wire import Trouble, Wire, wire_to
from adapters.connector_kit.world import Somebody, World
from adapters.outbound import connectors
from domain.vocabulary import IdentifierKind, Outcome
from services import dossier
from services.ports import (
    AwaitsPerson,
    Connector,
    Identifier,
    Person,
    Record,
    Refused,
    Result,
    Treatment,
    Unavailable,
)

T = TypeVar("T")
PortError = Unavailable | Refused | AwaitsPerson

KARI = Somebody("Kari.Zwyx@post.example", "Kari Zwyxdal", "+4740000017")
STRANGER = Somebody("ola.qvarx@post.example", "Ola Qvarxvik", "+4740000023")
# Nearly hers, and yet another mailbox.
NEIGHBOUR = Somebody("kari.zwyx+news@post.example", "Karin Zwyxdalen", "+4740000031")

REMAINS = {Outcome.RESIDUAL, Outcome.MANUAL}

Deed = Callable[["Case"], object]


@dataclass
class Case:
    """A connector, its system and the wire between, with Kari between two strangers."""

    world: World
    name: str
    wire: Wire
    records: list[Record] = field(default_factory=list)
    counted: dict[object, list[str]] = field(default_factory=dict)
    connector: Connector = field(init=False)

    def __post_init__(self) -> None:
        self.build()

    def build(self) -> None:
        """A connector of its own, as its configuration makes it."""
        self.connector = connectors.build(self.name, self.world.configuration(self.wire.url))

    def find(self, who: Somebody = KARI) -> list[Record]:
        return list(self.connector.find(who.person))

    def theirs(self, who: Somebody = KARI) -> list[Record]:
        return [record for record in self.find(who) if record.match.is_strong]

    def erase(self, records: Sequence[Record] | None = None) -> dict[str, Result]:
        return {
            record.key: self.connector.erase(
                KARI.person, Treatment(record.key, record.kind), key=f"task/{record.key}"
            )
            for record in (self.records if records is None else records)
        }

    def suppress(self) -> Result:
        return self.connector.suppress(KARI.person, key="task")

    def calls(self, deed: Deed) -> list[str]:
        """The methods of the calls that it takes; the system is put back as it was."""
        if deed not in self.counted:
            kept = self.world.kept()
            self.wire.again()
            tried(partial(deed, self))
            self.counted[deed] = [method for method, _ in self.wire.seen]
            self.world.put_back(kept)
            assert self.counted[deed], "it makes no call, so that no trouble can be tried on it"
        return self.counted[deed]

    def under(self, trouble: Trouble, number: int, deed: Deed) -> object:
        """What comes of it when call `number` meets a trouble; the system is put back then."""
        kept = self.world.kept()
        self.wire.again({number: trouble})
        try:
            return tried(partial(deed, self))
        finally:
            self.wire.again()
            self.world.put_back(kept)


def tried(act: Callable[[], T]) -> T | PortError:
    """What comes of it. Only the port's own errors are an answer, and they name nobody."""
    try:
        return act()
    except (Unavailable, Refused, AwaitsPerson) as error:
        require_no_name(error)
        return error


def require_no_name(error: Exception) -> None:
    """Neither in its words nor in what a log would show of it."""
    assert named_in("".join(format_exception(error)) + repr(vars(error))) == []


def named_in(text: str) -> list[str]:
    """What in a text says who somebody is."""
    folded = text.casefold()
    return sorted(mark for mark in MARKS if mark in folded)


def _marks() -> set[str]:
    marks = {"zwyx", "qvarx"}
    for one in (KARI, STRANGER, NEIGHBOUR):
        for said in (one.email, one.phone, one.phone.removeprefix("+47")):
            marks |= {form.casefold() for form in (said, quote(said), quote_plus(said))}
    return marks


MARKS = _marks()


NOBODY = Person(())
BLANK = Person(tuple(Identifier(kind, " ", verified=True) for kind in IdentifierKind))


def somebody(*emails: str, name: str = "", phone: str = "") -> Person:
    """A person whose addresses were proven by code; everything else is only said."""
    said = [Identifier(IdentifierKind.EMAIL, email, verified=True) for email in emails]
    said += [Identifier(IdentifierKind.NAME, name)] if name else []
    said += [Identifier(IdentifierKind.PHONE, phone)] if phone else []
    return Person(tuple(said))


def require_sound(record: Record) -> None:
    """Plain JSON values, days and text: what the vault gives back is what went in."""
    sealed = dossier.SealedRecord("system", record)
    assert dossier.RECORD.validate_json(dossier.RECORD.dump_json(sealed)) == sealed
    assert record.key
    assert json.dumps(dict(record.fields), allow_nan=False)
    assert {type(day) for day in record.anchors.values()} <= {date}
    assert not any(isinstance(day, datetime) for day in record.anchors.values())


def require_sound_if_any(came: object) -> None:
    for record in came if isinstance(came, list) else []:
        require_sound(record)


def spread(calls: Sequence[object]) -> list[int]:
    """The first, the last and two calls between: where every call would take too long."""
    return sorted({n * (len(calls) - 1) // 3 for n in range(4)})


@pytest.fixture
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    name, world_of = request.param
    made = world_of(tmp_path)
    if made.needs:
        made.given = request.getfixturevalue(made.needs)
    with (
        made as world,
        wire_to(world.url) as wire,
        structlog.testing.capture_logs() as lines,
    ):
        for one in (STRANGER, KARI, NEIGHBOUR):
            world.plant(one)
        case = Case(world, world.connector or name, wire)
        if world.finds:
            case.records = case.theirs()
        wire.again()
        yield case
        assert bool(lines) >= world.over_http
        assert named_in(repr(lines)) == []


DEEDS: tuple[Deed, ...] = (Case.find, Case.erase, Case.suppress)
every = pytest.mark.trettio_connector(wanted=lambda world: True)
finding = pytest.mark.trettio_connector(wanted=lambda world: world.finds)
over_http = pytest.mark.trettio_connector(wanted=lambda world: world.over_http)
in_pages = pytest.mark.trettio_connector(
    wanted=lambda world: world.over_http and world.more_than_a_page
)
from_files = pytest.mark.trettio_connector(wanted=lambda world: world.from_files)
over_http_deeds = pytest.mark.trettio_connector(
    wanted=lambda world: world.over_http,
    deeds=lambda world: [
        deed for deed in DEEDS if deed is not Case.suppress or world.suppresses_over_http
    ],
)
