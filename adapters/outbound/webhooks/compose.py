"""The message that tells one system of an instruction, as every other way of telling says it.

It stands where the instruction was given in the log, however often it is sent, so its bytes are the
same each time.
"""

from __future__ import annotations

from adapters.contract.messages import InstructionMessage
from adapters.contract.translate import data_of
from adapters.outbound.database import Database
from domain.instruction import Instruction
from services.instruction_ledger import InstructionLedger


class Composer:
    """Keeps `adapters.outbound.webhooks.send.Compose`."""

    def __init__(self, database: Database, ledger: InstructionLedger) -> None:
        self._database, self._ledger = database, ledger

    def __call__(self, instruction: Instruction) -> bytes:
        ((position, incarnation),) = self._database.ask(
            "SELECT notification_id, (SELECT id FROM trettio.incarnation) FROM trettio.log"
            " WHERE originator_id = %s AND originator_version = 1",
            [instruction.id],
        )
        message: InstructionMessage = InstructionMessage.about(
            data_of(instruction, self._ledger.tokens(instruction.id)),
            subject=instruction.request_id or instruction.id,
            incarnation=incarnation,
            position=position,
            time=instruction.given_at,
        )
        return message.to_json()
