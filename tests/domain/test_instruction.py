"""An instruction under any order of steps: one answer counts, and its end ends it (Art. 28)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import DomainError
from domain.instruction import (
    ClaimEnded,
    Contract,
    InstructedRecord,
    Instruction,
    InstructionPurpose,
    Said,
    Taken,
    Verb,
    Via,
    instruction_id,
)
from domain.vocabulary import Decision, Right

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
ENDS = START + timedelta(hours=12)
RECEIPTS = [UUID(int=n) for n in range(3)]
KEY = "request/mailing/find"


def told(**changes: Any) -> Instruction:
    facts: dict[str, Any] = {
        "controller": "fjordscenen",
        "system": "mailing",
        "delivery": Contract.KAFKA,
        "verb": Verb.FIND,
        "purpose": InstructionPurpose.REQUEST,
        "request_id": UUID(int=8),
        "case_id": UUID(int=9),
        "right": Right.ACCESS,
        "key": KEY,
        "due_on": date(2026, 11, 30),
        "ends_at": ENDS,
        "erased_before": None,
        "records": (),
        "timestamp": START,
    }
    return Instruction(**{**facts, **changes})


@dataclass
class Oracle:
    """What is to be true, said another way: lists of what happened, and no state."""

    heard: list[UUID] = field(default_factory=list)
    counted: list[UUID] = field(default_factory=list)
    fetches: int = 0
    ended: bool = False

    @property
    def waits(self) -> bool:
        return not self.counted and not self.ended

    def hear(self, receipt: UUID, *, wanted: bool) -> Taken:
        if receipt in self.heard:
            return Taken.AGAIN
        self.heard.append(receipt)
        if not self.waits or not wanted:
            return Taken.LATE
        self.counted.append(receipt)
        return Taken.NEW


steps = st.lists(
    st.tuples(
        st.sampled_from(["fetch", "fetch", "answer", "answer", "put-off", "again", "end", "chase"]),
        st.sampled_from(RECEIPTS),
        st.booleans(),
        st.integers(0, 5),
    ),
    max_size=20,
)


@settings(max_examples=200, deadline=None)
@given(taken=steps)
def test_whatever_comes_in_whatever_order_one_receipt_counts_once(
    taken: list[tuple[str, UUID, bool, int]],
) -> None:
    instruction, oracle, at = told(), Oracle(), START
    for what, receipt, wanted, hours in taken:
        at += timedelta(hours=hours)
        before = instruction.version
        match what:
            case "fetch" if oracle.waits and at < ENDS:
                instruction.fetch(by="token", at=at)
                oracle.fetches += 1
            case "fetch":
                with pytest.raises(ClaimEnded):
                    instruction.fetch(by="token", at=at)
            case "answer":
                expected = oracle.hear(receipt, wanted=wanted)
                assert say(instruction, receipt, wanted=wanted, at=at) is expected
                assert (instruction.version == before) is (expected is Taken.AGAIN)
            case "put-off":
                wanted_until = at + timedelta(hours=1)
                said = instruction.put_off(
                    receipt=receipt, via=Via.KAFKA, until=wanted_until, at=at
                )
                known = receipt in oracle.heard
                assert said is (Taken.AGAIN if known else Taken.NEW if oracle.waits else Taken.LATE)
                oracle.heard += [receipt] if said is Taken.NEW else []
            case "again" if oracle.waits and at < ENDS:
                instruction.repeat(by="ola", reason="asked-for", at=at)
            case "again":
                with pytest.raises(DomainError):
                    instruction.repeat(by="ola", reason="asked-for", at=at)
            case "end":
                instruction.end(reason="not-wanted", at=at)
                oracle.ended = oracle.ended or oracle.waits
            case _:
                instruction.escalate(reason="not-answering", at=at)
        assert instruction.is_open is oracle.waits
        assert instruction.fetches == oracle.fetches
        assert instruction.receipts == frozenset(oracle.heard)
    assert len(oracle.counted) <= 1
    assert (instruction.answered_at is not None) is bool(oracle.counted)


def say(instruction: Instruction, receipt: UUID, *, wanted: bool, at: datetime) -> Taken:
    return instruction.answer(
        receipt=receipt,
        via=Via.KAFKA,
        said=Said.NOTHING_HELD,
        counts=(),
        digest="digest",
        wanted=wanted,
        at=at,
    )


def test_the_same_task_always_gives_the_same_instruction() -> None:
    assert told().id == told().id == instruction_id(KEY)
    assert told(key=f"{KEY}/again").id != told().id


def test_only_what_is_to_be_erased_is_said_record_by_record() -> None:
    record = InstructedRecord(UUID(int=1), "member", Decision.ERASE)

    assert told(verb=Verb.ERASE, records=(record,)).records == (record,)
    for verb, records in ((Verb.FIND, (record,)), (Verb.ERASE, ())):
        with pytest.raises(DomainError, match="record by record"):
            told(verb=verb, records=records)
    with pytest.raises(DomainError, match="later end"):
        told(ends_at=START)
