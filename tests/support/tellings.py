"""Random instructions to a connected system: told, fetched, answered, late, told again, ended."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from domain.instruction import Contract, Instruction, InstructionPurpose, Said, Verb, Via
from domain.request import DataSubjectRequest

VERBS = [one for one in Verb if one is not Verb.ERASE]


class Tellings:
    """Draws by a chance of its own, so that the histories around it stay as they were."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(f"tellings {seed}")
        self.open: list[Instruction] = []

    def step(self, requests: Sequence[DataSubjectRequest], at: datetime) -> Sequence[Instruction]:
        deed = self.chance.choice(["give", "fetch", "answer", "late", "again", "wait", "end", ""])
        if deed == "give" and requests:
            return [self._give(self.chance.choice(requests), at)]
        if deed in {"", "give"} or not self.open:
            return []
        instruction = self.chance.choice(self.open)
        receipt = UUID(int=self.chance.getrandbits(128))
        match deed:
            case "fetch" if instruction.may_be_fetched(at):
                instruction.fetch(by="token", at=at)
            case "again" if instruction.may_be_fetched(at):
                instruction.repeat(by="ola", reason="asked-for", at=at)
            case "answer" | "late":
                instruction.answer(
                    receipt=receipt,
                    via=Via.HTTPS,
                    said=self.chance.choice([Said.DONE, Said.NOTHING_HELD]),
                    counts=(),
                    digest="0f",
                    wanted=deed == "answer",
                    at=at,
                )
            case "wait":
                until = at + timedelta(hours=1)
                instruction.put_off(receipt=receipt, via=Via.KAFKA, until=until, at=at)
            case "end" if self.chance.random() < 0.2:
                instruction.end(reason="not-wanted", at=at)
            case _:
                instruction.escalate(reason="not-answering", at=at)
        return [instruction]

    def _give(self, request: DataSubjectRequest, at: datetime) -> Instruction:
        instruction = Instruction(
            controller=request.controller,
            system="mailing",
            delivery=self.chance.choice(list(Contract)),
            verb=self.chance.choice(VERBS),
            purpose=InstructionPurpose.REQUEST,
            request_id=request.id,
            case_id=request.case_id,
            right=request.right,
            key=f"{request.id}/{self.chance.getrandbits(64)}",
            due_on=at.date(),
            ends_at=at + timedelta(days=100),
            erased_before=None,
            records=(),
            timestamp=at,
        )
        self.open = [*self.open[-5:], instruction]
        return instruction
