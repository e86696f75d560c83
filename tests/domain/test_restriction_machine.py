"""A restriction under any order of commands: never lifted before its letter and pause (Art. 18)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import DomainError
from domain.restriction import At, Restriction, RestrictionGround
from domain.vocabulary import Outcome

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
LETTER = UUID(int=7)
SYSTEMS = ("shop", "mailing")
WHAT = ("announce", "lift", "lift", "restrict", "nothing", "check", "lifted", "escalate")

steps = st.lists(
    st.tuples(
        st.sampled_from(WHAT),
        st.sampled_from(SYSTEMS),
        st.booleans(),
        st.integers(0, 2),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(taken=steps, pause=st.integers(0, 3), left_after=st.none() | st.integers(0, 1))
def test_it_ends_only_after_the_letter_and_the_pause(
    taken: list[tuple[str, str, bool, int]], pause: int, left_after: int | None
) -> None:
    """Art. 18(3), GK-07: the oracle counts days by itself; nothing else may lift it."""
    restriction = begun()
    day, told = START, None
    for what, system, holds, days in taken:
        day += timedelta(days=days)
        was_announced = restriction.announced_in is not None
        if what == "announce" and not was_announced and restriction.stands:
            told = day.date() + timedelta(days=left_after) if left_after is not None else None
        act(restriction, what, system, holds=holds, told=told, pause=pause, at=day)
        if restriction.lifted_on is not None:
            assert told is not None
            assert (restriction.lifted_on - told).days > pause
        else:
            assert not any(s.at in {At.TO_LIFT, At.LIFTED} for s in restriction.systems.values())
        if restriction.all_set:
            assert restriction.stands


def act(
    restriction: Restriction,
    what: str,
    system: str,
    *,
    holds: bool,
    told: date | None,
    pause: int,
    at: datetime,
) -> None:
    try:
        match what:
            case "restrict":
                restriction.record_restricted(system=system, outcome=Outcome.RESTRICTED, at=at)
            case "nothing":
                restriction.record_restricted(system=system, outcome=Outcome.NOT_FOUND, at=at)
            case "check":
                restriction.check(system=system, holds=holds, at=at)
            case "announce":
                restriction.announce(letter_id=LETTER, reason="claim-over", by="ola", at=at)
            case "lift":
                restriction.lift(told_on=told, pause_days=pause, on=at.date(), by="ola", at=at)
            case "lifted":
                restriction.record_lifted(system=system, at=at)
            case _:
                restriction.escalate(system=system, reason="restrict-by-hand", at=at)
    except DomainError:
        pass  # a rule said no, which is what is looked at


def begun() -> Restriction:
    return Restriction(
        request_id=UUID(int=1),
        case_id=UUID(int=2),
        controller="fjordscenen",
        ground=RestrictionGround.LEGAL_CLAIM,
        systems=SYSTEMS,
        until=None,
        condition="claim-settled",
        by="ola",
        timestamp=START,
    )
