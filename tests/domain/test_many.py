"""Many values in columns are what the same values are as objects."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from random import Random
from typing import Any
from uuid import UUID

import pytest
from eventsourcing.persistence import JSONTranscoder

from adapters.outbound.transcodings import register_all
from domain.errors import DomainError
from domain.many import FEW, Many, by_id, gathered
from domain.personal import PersonalRef
from domain.values import FoundRecord, KeptPart, RecordDecision
from domain.vocabulary import Decision, IdentifierKind, Match
from services.register import EventTranscoder


def some(count: int) -> list[FoundRecord]:
    chance = Random(7)
    return [
        FoundRecord(
            record_id=UUID(int=chance.getrandbits(128)),
            system="mailing",
            kind=chance.choice(["member", "opening"]),
            category="marketing",
            match=chance.choice(list(Match)),
            matched_by=IdentifierKind.EMAIL,
            content=PersonalRef(UUID(int=chance.getrandbits(128))),
            digest=f"{chance.getrandbits(128):032x}",
            special=chance.random() < 0.1,
        )
        for _ in range(count)
    ]


def decisions(count: int) -> list[RecordDecision]:
    kept = (KeptPart("bookkeeping", "law", date(2031, 12, 31), ("total",)),)
    return [
        RecordDecision(UUID(int=n), Decision.KEEP, "kept", "bookkeeping", "law", kept=kept)
        if n % 3
        else RecordDecision(UUID(int=n), Decision.ERASE, "erased")
        for n in range(count)
    ]


@pytest.mark.parametrize("items", [some(1_300), decisions(1_300)])
def test_what_is_gathered_comes_back_in_its_order(items: list[Any]) -> None:
    many = gathered(iter(items))

    assert isinstance(many, Many)
    assert len(many) == len(items)
    assert list(many) == items
    assert (many[3], many[-1], many[5:9]) == (items[3], items[-1], tuple(items[5:9]))
    assert items[700] in many
    with pytest.raises(IndexError):
        many[len(items)]


def test_a_few_stay_a_tuple() -> None:
    assert gathered(iter(some(FEW))) == tuple(some(FEW))
    assert isinstance(gathered(some(FEW + 1)), Many)


def test_each_is_found_by_its_record() -> None:
    items = some(1_000)
    found = by_id(gathered(items))

    assert [found[item.record_id] for item in items] == items
    assert list(found.values()) == items
    assert list(found) == [item.record_id for item in items]
    assert UUID(int=0) not in found
    assert UUID(int=2**128 - 1) not in found


@pytest.mark.parametrize("items", [some(600), decisions(600)])
def test_the_log_gives_back_many_as_they_were(items: list[Any]) -> None:
    transcoder: JSONTranscoder = EventTranscoder()
    register_all(transcoder, FoundRecord, RecordDecision, KeptPart)
    many = Many.of(items)

    read = transcoder.decode(transcoder.encode({"found": many}))["found"]

    assert read == many
    assert list(read) == items


def test_fifty_thousand_records_take_three_megabytes_in_the_log() -> None:
    transcoder: JSONTranscoder = EventTranscoder()
    register_all(transcoder, FoundRecord)

    assert len(transcoder.encode({"found": Many.of(some(5_000))})) < 400_000


def test_a_digest_of_another_length_is_not_cut() -> None:
    with pytest.raises(DomainError, match="digest"):
        Many.of([replace(some(1)[0], digest="abcd")])
