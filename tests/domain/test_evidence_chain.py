"""The chain as it is made, beside the program that checks it and shares no code with it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.evidence import log_check, trettio_verify
from domain.evidence_chain import GENESIS, Entry, event_link, folded, gap_link, links_of

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
ENTRIES = st.builds(
    Entry,
    st.integers(1, 2**62),
    st.uuids(),
    st.integers(1, 2**62),
    st.text("abc.-é", max_size=40),
    MOMENTS,
    st.binary(max_size=50),
)


@settings(max_examples=30, deadline=None)
@given(ENTRIES)
def test_both_programs_mean_the_same_by_a_link(entry: Entry) -> None:
    event = trettio_verify.Event(
        entry.position,
        entry.aggregate_id,
        entry.version,
        entry.topic,
        entry.recorded_at,
        entry.state,
    )

    assert event_link(entry).digest == trettio_verify.event_link(event)


@settings(max_examples=30, deadline=None)
@given(ENTRIES, ENTRIES)
def test_different_events_have_different_links(one: Entry, other: Entry) -> None:
    assert (one == other) == (event_link(one).digest == event_link(other).digest)


def test_a_gap_is_a_link_of_its_own_and_nothing_else_is() -> None:
    at = datetime(2027, 3, 1, tzinfo=UTC)
    first, last = (Entry(position, UUID(int=1), position, "a", at, b"{}") for position in (2, 6))
    links = list(links_of(0, [first, last]))

    assert [one.position for one in links] == [1, 2, 5, 6]
    assert links[2] == gap_link(3, 5)
    assert links[2].digest == log_check.gap_link(3, 5)


@settings(max_examples=30, deadline=None)
@given(st.lists(ENTRIES, max_size=5, unique_by=lambda one: one.position), st.integers(0, 5))
def test_it_does_not_matter_how_much_is_folded_at_once(found: list[Entry], cut: int) -> None:
    entries = sorted(found, key=lambda one: one.position)
    some, rest = entries[:cut], entries[cut:]
    middle = some[-1].position if some else 0

    in_two = folded(folded(GENESIS, links_of(0, some)), links_of(middle, rest))
    assert in_two == folded(GENESIS, links_of(0, entries))
