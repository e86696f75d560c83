"""A try asks for nobody: what it says about systems that answer, refuse, or find too much."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast

import pytest

from adapters.outbound.trial import MOST, Tried, try_system
from services.ports import AwaitsPerson, NotSetUp, Person, Refused, Systems, Unavailable


class Asked:
    """A connector that does what a test wants with whoever is asked for."""

    def __init__(self, answers: Any) -> None:
        self.answers, self.people = answers, list[Person]()
        self.given = 0

    def find(self, person: Person, *, fresh_after: datetime | None = None) -> Iterator[object]:
        self.people.append(person)
        if isinstance(self.answers, Exception):
            raise self.answers
        for one in self.answers:
            self.given += 1
            yield one

    def connector(self, _controller: str, _system: str) -> Asked:
        return self


def tried(asked: Asked) -> Any:
    return try_system(cast(Systems, asked), "ours", "shop")


@pytest.mark.parametrize(
    ("answers", "expected", "reason"),
    [
        ([], Tried.ANSWERS, ""),
        (["somebody"], Tried.FINDS_STRANGERS, ""),
        (AwaitsPerson("look-up"), Tried.BY_HAND, ""),
        (NotSetUp("shop needs 'token'"), Tried.NOT_SET_UP, "shop needs 'token'"),
        (Unavailable("GET /orders 503"), Tried.AWAY, "GET /orders 503"),
        (Refused("GET /orders 401"), Tried.REFUSES, "GET /orders 401"),
        (KeyError("somebody@person.example"), Tried.BROKEN, "KeyError"),
    ],
)
def test_what_a_system_does_is_told_by_a_word(answers: Any, expected: Tried, reason: str) -> None:
    trial = tried(Asked(answers))

    assert (trial.tried, trial.reason) == (expected, reason)


def test_nobody_real_is_asked_for_and_no_more_is_read_than_tells() -> None:
    asked = Asked(["x"] * 1000)
    tried(asked)
    tried(asked)

    first, second = (person.identifiers[0].value for person in asked.people)
    assert first != second
    assert first.endswith(".example")
    assert asked.given == 2 * MOST
