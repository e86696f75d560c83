"""Looks: each is on record once an hour, with what it was for; never what was seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.errors import DomainError
from domain.looks import Looks
from domain.vocabulary import Content, Door, Purpose

AT = datetime(2027, 2, 1, 9, tzinfo=UTC)
CASE = UUID("00000000-0000-0000-0000-00000000000a")
HANDLE, REVIEW = Purpose.HANDLE, Purpose.REVIEW


@pytest.fixture
def looks_begun() -> Looks:
    return Looks(subject_id=CASE, controller="fjordscenen", timestamp=AT)


def look(looks: Looks, *what: Content, by: str = "ida", minutes: int = 0, **how: object) -> int:
    """Answers how many looks there are on record after it."""
    facts = {"purpose": HANDLE, "way": Door.DESK, **how}
    looks.show(what, by=by, at=AT + timedelta(minutes=minutes), **facts)  # type: ignore[arg-type]
    return len(looks.looks)


def test_a_page_loaded_again_tells_nothing_new(looks_begun: Looks) -> None:
    assert look(looks_begun, Content.PERSON, Content.MESSAGE) == 1
    assert look(looks_begun, Content.MESSAGE, minutes=59) == 1
    assert look(looks_begun, Content.MESSAGE, minutes=60) == 2


def test_another_person_purpose_door_or_kind_of_thing_is_another_look(looks_begun: Looks) -> None:
    assert look(looks_begun, Content.PERSON) == 1
    assert look(looks_begun, Content.PERSON, by="per") == 2
    assert look(looks_begun, Content.PERSON, purpose=REVIEW) == 3
    assert look(looks_begun, Content.PERSON, way=Door.API) == 4
    assert look(looks_begun, Content.PERSON, Content.PACKAGE) == 5
    assert looks_begun.looks[-1].what == (Content.PACKAGE,)


def test_a_clock_that_was_set_back_hides_no_look(looks_begun: Looks) -> None:
    look(looks_begun, Content.PERSON, minutes=30)

    assert look(looks_begun, Content.PERSON, minutes=0) == 2


def test_nobody_looks_without_a_name(looks_begun: Looks) -> None:
    with pytest.raises(DomainError, match="human name"):
        look(looks_begun, Content.PERSON, by=" ")
    assert not looks_begun.looks
