"""Events are for ever: their topics, what they may hold, and that the log gives it back.

Topics are public and never renamed: `topics.txt` lists them, and a line is only ever added.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import typing
from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any
from uuid import UUID, uuid4

import pytest
from eventsourcing.domain import CanMutateAggregate
from eventsourcing.persistence import JSONTranscoder

import domain
from adapters.outbound.transcodings import register_all
from domain.aggregate import Aggregate
from domain.balancing import Balancing
from domain.case import Case
from domain.controller import Controller
from domain.disclosure import Disclosures
from domain.erasure_wish import ErasureWish
from domain.errand import Errand
from domain.errors import DomainError
from domain.folder import Folder
from domain.fulfilment import Fulfilment
from domain.hold import Hold
from domain.information import Information
from domain.instruction import Instruction
from domain.looks import Looks
from domain.many import Many
from domain.marketing_stop import MarketingStop
from domain.personal import PersonalRef
from domain.portability import DirectTransfer
from domain.rectification import Rectification
from domain.redaction import Redaction
from domain.refusal import Refusal
from domain.replay import Replay
from domain.representation import Representation
from domain.request import DataSubjectRequest
from domain.restriction import Restriction
from domain.withdrawal import Withdrawal
from services.register import EventTranscoder
from tests.support.past import AT, planned, received

TOPICS = Path(__file__).with_name("topics.txt").read_text(encoding="utf-8").split()
AGGREGATES: tuple[type[Any], ...] = (
    Case,
    DataSubjectRequest,
    Errand,
    Folder,
    Fulfilment,
    Refusal,
    Hold,
    Controller,
    Redaction,
    DirectTransfer,
    ErasureWish,
    Replay,
    Representation,
    Information,
    Disclosures,
    Withdrawal,
    MarketingStop,
    Rectification,
    Restriction,
    Balancing,
    Looks,
    Instruction,
)

WITHOUT_PERSONAL_DATA = {
    "staff ids": {"advised_by", "backdated_by", "by", "second", "to", "owner"},
    "names of controllers, systems, recipients": {
        "controller",
        "name",
        "system",
        "systems",
        "recipient",
        "connector",
        "originator_topic",
    },
    "codes": {
        "asked",
        "fields",
        "backdated_because",
        "category",
        "code",
        "decision",
        "condition",
        "detail",
        "explanation",
        "ground",
        "how",
        "keep_fields",
        "kind",
        "reason",
        "reasons",
        "reminder",
        "what",
        "why",
    },
    "digests, keys and versions": {
        "about",
        "calendar",
        "digest",
        "key",
        "profile",
        "profile_version",
        "remaining",
        "unexpected",
        "version",
    },
    "titles of laws": {"law"},
    "what an organisation says about itself": {"document"},
    "fields, as their system calls them, and purposes of the profile": {
        "absolute",
        "categories",
        "field",
        "purpose",
        "purposes",
    },
}
"""Every text that an event may hold, and why it names nobody who asks."""

PLAIN = (UUID, date, datetime, int, bool, PersonalRef, type(None))


def event_classes() -> Iterator[type[Any]]:
    for aggregate in AGGREGATES:
        for member in vars(aggregate).values():
            if (
                isinstance(member, type)
                and issubclass(member, CanMutateAggregate)
                and member.__name__ != "Event"
            ):
                yield member


EVENTS = list(event_classes())


def hints(of: type) -> dict[str, Any]:
    found = typing.get_type_hints(of) | {"originator_id": UUID}  # the library leaves it open
    return {field.name: found[field.name] for field in dataclasses.fields(of)}


def parts(name: str, hint: Any) -> Iterator[tuple[str, Any]]:
    """The plain types that a field is made of, each with the name of its innermost field."""
    if typing.get_origin(hint) in {UnionType, typing.Union, tuple, frozenset, Many}:
        for argument in typing.get_args(hint):
            if argument is not Ellipsis:
                yield from parts(name, argument)
    elif dataclasses.is_dataclass(hint) and hint is not PersonalRef:
        assert isinstance(hint, type)
        assert vars(hint)["__dataclass_params__"].frozen, f"{hint.__name__} could be changed"
        for field, inner in hints(hint).items():
            yield from parts(field, inner)
    else:
        yield name, hint


def sample(hint: Any) -> Any:
    """Some value of a type, with something in every container."""
    origin = typing.get_origin(hint)
    if origin in {UnionType, typing.Union}:
        return sample(next(a for a in typing.get_args(hint) if a is not type(None)))
    if origin in {tuple, frozenset}:
        return origin([sample(typing.get_args(hint)[0])])
    if isinstance(hint, type) and issubclass(hint, Enum):
        return list(hint)[-1]
    if hint is PersonalRef:
        return PersonalRef(uuid4())
    if dataclasses.is_dataclass(hint):
        assert isinstance(hint, type)
        return hint(**{name: sample(inner) for name, inner in hints(hint).items()})
    return {
        UUID: uuid4(),
        datetime: datetime(2026, 11, 2, 9, 0, 0, 1, tzinfo=UTC),
        date: date(2026, 11, 2),
        int: 3,
        bool: True,
        str: "code",
    }[hint]


@pytest.fixture(scope="module")
def transcoder() -> JSONTranscoder:
    taught = EventTranscoder()
    seen: dict[type, None] = {}

    def collect(hint: Any) -> None:
        for argument in typing.get_args(hint):
            collect(argument)
        if isinstance(hint, type) and (dataclasses.is_dataclass(hint) or issubclass(hint, Enum)):
            seen[hint] = None
            if dataclasses.is_dataclass(hint):
                for inner in hints(hint).values():
                    collect(inner)

    for event_class in EVENTS:
        for hint in hints(event_class).values():
            collect(hint)
    register_all(taught, *(kind for kind in seen if kind is not PersonalRef))
    return taught


def descendants(kind: type[Any]) -> set[type[Any]]:
    return {kind}.union(*(descendants(one) for one in kind.__subclasses__())) - {Aggregate}


def test_every_aggregate_is_looked_at() -> None:
    for module in pkgutil.iter_modules(domain.__path__):
        importlib.import_module(f"domain.{module.name}")

    ours = {kind for kind in descendants(Aggregate) if kind.__module__.startswith("domain.")}
    assert set(AGGREGATES) == {kind for kind in ours if "TOPIC" in vars(kind)}
    assert all(kind in AGGREGATES or any(kind in a.__mro__ for a in AGGREGATES) for kind in ours)


def test_the_public_topics_are_these_and_each_is_there_once() -> None:
    topics = [kind.__dict__["TOPIC"] for kind in (*AGGREGATES, *EVENTS)]

    assert len(set(topics)) == len(topics)
    assert sorted(topics) == TOPICS, "a topic is public: add lines to topics.txt, change none"


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_a_topic_begins_with_its_aggregates(aggregate: type[Any]) -> None:
    own = [event.TOPIC for event in EVENTS if event in vars(aggregate).values()]

    assert own
    assert all(topic.startswith(f"{aggregate.TOPIC}.") for topic in own)


@pytest.mark.parametrize("event_class", EVENTS, ids=lambda event: event.TOPIC)
def test_no_field_can_hold_a_persons_name_or_address(event_class: type[Any]) -> None:
    """Design 5: personal data never enters the log; texts are codes, ids and digests."""
    allowed = set().union(*WITHOUT_PERSONAL_DATA.values())

    for field, hint in hints(event_class).items():
        for name, kind in parts(field, hint):
            if kind is str:
                assert name in allowed, f"{event_class.TOPIC} could hold anything in {name}"
            else:
                assert kind in PLAIN or issubclass(kind, Enum), f"{name} is a {kind}"


def test_no_text_is_allowed_that_no_event_has() -> None:
    held = {
        name
        for event_class in EVENTS
        for field, hint in hints(event_class).items()
        for name, kind in parts(field, hint)
        if kind is str
    }

    assert set().union(*WITHOUT_PERSONAL_DATA.values()) == held


@pytest.mark.parametrize("event_class", EVENTS, ids=lambda event: event.TOPIC)
def test_the_log_gives_back_what_an_event_held(
    event_class: type[Any], transcoder: JSONTranscoder
) -> None:
    facts = {name: sample(hint) for name, hint in hints(event_class).items()}
    event = event_class(**facts)

    read = transcoder.decode(transcoder.encode(event.__dict__))

    assert read == event.__dict__
    assert {name: type(value) for name, value in read.items()} == {
        name: type(value) for name, value in facts.items()
    }


def test_a_command_needs_its_moment_with_a_zone() -> None:
    request = received()
    naive: Any = AT.replace(tzinfo=None)

    at: Any
    for at in (naive, None):
        with pytest.raises(DomainError):
            request.assign(to="berit", by="anna", at=at)
    with pytest.raises(DomainError, match="time zone"):
        received(timestamp=naive)
    with pytest.raises(DomainError, match="time zone"):
        planned(at=naive)
    assert len(request.collect_events()) == 1


def test_a_moment_inside_an_event_needs_its_zone_too() -> None:
    fulfilment = planned(("shop", sample(hints(Fulfilment.Instructed)["action"])))

    with pytest.raises(DomainError, match="next_try_at needs a time zone"):
        fulfilment.record_unavailable(
            system="shop", attempt=1, next_try_at=AT.replace(tzinfo=None), reason="away", at=AT
        )
