"""What events hold comes back from the log as what it was."""

from __future__ import annotations

import json
from dataclasses import dataclass, make_dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from eventsourcing.persistence import JSONTranscoder
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.outbound.transcodings import register_all
from domain import vocabulary
from domain.personal import PersonalRef
from domain.vocabulary import Outcome, Right


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Reason:
    code: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    where: PersonalRef
    outcome: Outcome
    rights: tuple[Right, ...] = ()
    reasons: tuple[Reason, ...] = ()
    flags: frozenset[str] = frozenset()
    pairs: tuple[tuple[str, int], ...] = ()
    maybe: tuple[int, ...] | None = None
    colour: Colour = Colour.RED


ENUMS = [
    member
    for member in vars(vocabulary).values()
    if isinstance(member, type) and issubclass(member, Enum) and member is not Enum
]

words = st.text(max_size=8)
reasons = st.builds(Reason, code=words, until=st.none() | st.dates())
findings = st.builds(
    Finding,
    where=st.builds(PersonalRef, st.uuids()),
    outcome=st.sampled_from(Outcome),
    rights=st.lists(st.sampled_from(Right), max_size=2).map(tuple),
    reasons=st.lists(reasons, max_size=2).map(tuple),
    flags=st.frozensets(words, max_size=2),
    pairs=st.lists(st.tuples(words, st.integers()), max_size=2).map(tuple),
    maybe=st.none() | st.lists(st.integers(), max_size=2).map(tuple),
)
plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | words
    | st.dates()
    | st.datetimes(timezones=st.just(UTC))
    | st.timedeltas()
    | st.uuids()
    | st.decimals(allow_nan=False)
    | st.builds(PersonalRef, st.uuids())
    | st.sampled_from([member for enum in ENUMS for member in enum])
    | st.frozensets(words, max_size=3)
    | findings
)
lists = st.lists(plain, max_size=3)
state = st.dictionaries(
    words, plain | lists | st.dictionaries(words, lists, max_size=3), max_size=5
)


def _transcoder(*value_types: type) -> JSONTranscoder:
    transcoder = JSONTranscoder()
    register_all(transcoder, *value_types)
    return transcoder


TRANSCODER = _transcoder(Finding, Reason, Colour)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(state)
def test_every_state_of_an_event_comes_back_as_it_was(state: dict[str, Any]) -> None:
    stored = TRANSCODER.encode(state)

    assert isinstance(stored, bytes)
    back = TRANSCODER.decode(stored)
    assert back == state
    assert _types(back) == _types(state)


def _types(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _types(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_types(item) for item in value]
    return type(value)


@pytest.mark.parametrize("enum", ENUMS)
def test_every_word_of_the_vocabulary_comes_back_as_a_member(enum: type[Enum]) -> None:
    assert TRANSCODER.decode(TRANSCODER.encode(list(enum))) == list(enum)


def test_the_stored_form_is_plain_and_lasting() -> None:
    """What is written today must be readable in years: this form may only be added to."""
    stored = TRANSCODER.encode(
        {
            "right": Right.ERASURE,
            "due_on": date(2027, 3, 1),
            "person": PersonalRef(UUID(int=1)),
            "pause": timedelta(days=1),
            "at": datetime(2027, 2, 1, 12, tzinfo=UTC),
            "sum": Decimal("1.50"),
            "reason": Reason("vat", until=None),
        }
    )

    assert json.loads(stored) == {
        "right": {"_type_": "Right", "_data_": "erasure"},
        "due_on": {"_type_": "date", "_data_": "2027-03-01"},
        "person": {"_type_": "personal-ref", "_data_": "0" * 31 + "1"},
        "pause": {"_type_": "timedelta", "_data_": 86_400_000_000},
        "at": {"_type_": "datetime_iso", "_data_": "2027-02-01T12:00:00+00:00"},
        "sum": {"_type_": "decimal_str", "_data_": "1.50"},
        "reason": {"_type_": "Reason", "_data_": {"code": "vat", "until": None}},
    }


def test_equal_sets_are_equal_bytes() -> None:
    one = TRANSCODER.encode(frozenset("abcdefgh"))
    assert one == TRANSCODER.encode(frozenset("hgfedcba"))


def test_a_field_added_later_takes_its_default_and_a_dropped_one_is_passed_over() -> None:
    old = make_dataclass("Reason", [("code", str), ("dropped", str)], frozen=True)
    stored = _transcoder(old).encode(old("vat", "x"))

    assert _transcoder(Reason).decode(stored) == Reason("vat")


def test_registering_twice_is_harmless_but_two_types_of_one_name_are_refused() -> None:
    transcoder = _transcoder(Reason, Reason)
    register_all(transcoder, Reason)

    with pytest.raises(ValueError, match="both called Reason"):
        register_all(transcoder, make_dataclass("Reason", ["code"], frozen=True))


def test_what_is_no_value_is_refused() -> None:
    with pytest.raises(TypeError, match="str is neither a dataclass nor an Enum"):
        register_all(JSONTranscoder(), str)
