"""The ledger of instructions as services ask it: which are open, fetched, due to be told again.

The events are the truth. These rows are written in the same save, so that what must not be missed,
the destruction of what an instruction still has to show among it, never reads something older.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.instruction import Contract, Instruction, InstructionPurpose
from services.ports import Also
from services.system_tokens import Token


@dataclass(frozen=True, slots=True)
class Line:
    """One instruction, as the ledger has it."""

    id: UUID
    controller: str
    system: str
    delivery: Contract
    purpose: InstructionPurpose
    request_id: UUID | None
    case_id: UUID | None
    given_at: datetime
    told_at: datetime
    ends_at: datetime
    fetched_at: datetime | None


class InstructionLedger(Protocol):
    def given(
        self, instruction: Instruction, tokens: Sequence[Token], *, look_at: datetime | None
    ) -> tuple[Also, ...]:
        """A new line with its tokens; these go with the case's correspondence."""
        ...

    def changed(self, instruction: Instruction, *, look_at: datetime | None) -> Also:
        """What became of it, as the aggregate is about to be saved."""
        ...

    def tokens(self, instruction_id: UUID) -> tuple[Token, ...]: ...

    def open_of(
        self, controller: str, system: str, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> tuple[Line, ...]:
        """A system's open instructions, the oldest first."""
        ...

    def open_of_request(self, request_id: UUID) -> tuple[UUID, ...]:
        """What waits for an answer on behalf of one request, the oldest first."""
        ...

    def newest_trial(self, controller: str, system: str) -> tuple[UUID, ...]:
        """What a system was told when it was tried last."""
        ...

    def of_requests(self, request_ids: Sequence[UUID]) -> tuple[UUID, ...]:
        """Every instruction of these requests, whatever became of it; the oldest first."""
        ...

    def due(self, now: datetime) -> tuple[Line, ...]:
        """What has to be looked at again although nothing has come."""
        ...

    def unfetched_of_case(self, case_id: UUID) -> tuple[UUID, ...]:
        """What about this case was neither answered nor fetched."""
        ...

    def forget_tokens(self, ended_before: datetime) -> int:
        """Forget the tokens of what had its end before this moment; answers how many."""
        ...
