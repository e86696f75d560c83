"""A person of whom one system holds very much is answered like anybody, a part at a time."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

import domain.many
import services.fulfilment
import services.worker
from domain.fulfilment import SystemStatus
from domain.many import Many
from domain.request import Status
from domain.vocabulary import IdentifierKind, Match, Right
from services.ports import Person, Record, Unavailable
from tests.support.asking import approve, asked, collected, hurry, look_everywhere, plan, verified
from tests.support.house import NORWAY, House

MANY, PART = 430, 20


class Killed(BaseException):
    """Nobody catches this: the process is gone."""


@dataclass
class Full:
    """A system that streams very many records, and in whose middle something may happen."""

    ends: list[tuple[int, BaseException]]
    twice: bool = False

    def find(self, person: Person, *, fresh_after: datetime | None = None) -> Iterator[Record]:
        after, end = self.ends.pop(0) if self.ends else (MANY, None)
        for number in range(MANY):
            if number == after and end is not None:
                raise end
            yield record(number)
        if self.twice:
            yield from map(record, range(MANY))


def record(number: int) -> Record:
    fields = {"list": f"Nyhetsbrev {number}", "opened": number}
    return Record(f"m{number}", "member", Match.VERIFIED_IDENTIFIER, IdentifierKind.EMAIL, fields)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.fulfilment, "FEW", PART)
    monkeypatch.setattr(domain.many, "FEW", PART)


def full(house: House, *ends: tuple[int, BaseException], twice: bool = False) -> None:
    system: Any = Full(list(ends), twice)
    house.systems.made[NORWAY, "mailing"] = system


def rows(house: House, case_id: UUID) -> int:
    (row,) = house.installation.database.fetch(
        "SELECT count(*) FROM trettio.vault_rows r JOIN trettio.vault_keys k ON k.id = r.key_id"
        " WHERE k.case_id = %s AND k.compartment = 'package'",
        [case_id],
    )
    return int(row["count"])


def test_very_many_records_are_found_in_parts_and_all_of_them_are_told(house: House) -> None:
    """Art. 15(3): the copy is complete, however long it is."""
    full(house)
    case_id = collected(house, Right.ACCESS)
    request = asked(house, case_id, Right.ACCESS)
    approve(house, case_id, Right.ACCESS)

    assert len(request.found) == len(request.own_records) == MANY
    assert isinstance(plan(house, case_id, Right.ACCESS).found, Many)
    assert asked(house, case_id, Right.ACCESS).status is Status.FULFILLED
    package = zipfile.ZipFile(io.BytesIO(house.installation.answering.package(request.id)))
    told = json.loads(package.read("data.json"))
    names = [
        one["fields"]["list"] for category in told["categories"] for one in category["records"]
    ]
    assert names == [f"Nyhetsbrev {number}" for number in range(MANY)]
    house.installation.follower().drain()
    assert house.installation.tasks.parked() == []


@pytest.mark.parametrize("end", [Killed(), Unavailable("GET / answered 503")])
def test_a_search_that_is_cut_off_goes_on_without_sealing_anything_twice(
    house: House, end: BaseException
) -> None:
    full(house, (150, end), (310, end))
    case_id = UUID(int=0)
    try:
        case_id = verified(house, Right.ACCESS)
    except Killed:
        house.installation.follower().drain()
        (row,) = house.installation.database.fetch(
            "SELECT case_id FROM views.case_members WHERE kind = 'request'"
        )
        case_id = row["case_id"]
    for _ in range(2):
        try:
            hurry(house)
        except Killed:
            continue
    look_everywhere(house, case_id, Right.ACCESS)

    state = plan(house, case_id, Right.ACCESS).systems["mailing"]
    assert state.status is SystemStatus.FOUND
    assert (len(state.found), state.parts) == (MANY, ())
    assert len({found.digest for found in state.found}) == MANY
    assert rows(house, case_id) == MANY
    assert len(asked(house, case_id, Right.ACCESS).found) == MANY


def test_a_record_that_a_long_search_names_twice_is_found_once(house: House) -> None:
    full(house, twice=True)
    case_id = collected(house, Right.ACCESS)

    assert len(asked(house, case_id, Right.ACCESS).found) == MANY
    assert rows(house, case_id) == MANY


def test_what_is_gone_when_a_search_is_repeated_is_not_told(house: House) -> None:
    """The answer holds what the system holds when it has answered, not what it once held."""
    full(house, (150, Unavailable("GET / answered 503")))
    case_id = verified(house, Right.ACCESS)
    house.systems.made.pop((NORWAY, "mailing"))
    house.systems.system(NORWAY, "mailing").held = [
        ("kari.testesen@person.example", record(number)) for number in range(100, 140)
    ]
    hurry(house)

    found = plan(house, case_id, Right.ACCESS).systems["mailing"].found
    assert len(found) == 40


def test_more_than_anybody_can_have_goes_to_a_person(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.worker, "MOST_TO_ERASE", 100)
    full(house)
    case_id = verified(house, Right.ERASURE)

    state = plan(house, case_id, Right.ERASURE).systems["mailing"]
    assert (state.status, state.waits_for) == (SystemStatus.WAITING_FOR_PERSON, "refused")
