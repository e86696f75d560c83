"""The ledger of instructions in PostgreSQL: rows written in the save of the events they follow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from adapters.outbound.database import Database, Statement
from domain.instruction import Contract, Instruction, InstructionPurpose
from domain.vocabulary import Compartment, IdentifierKind
from services.instruction_ledger import Line
from services.ports import Also
from services.system_tokens import Token

MOST_AT_A_LOOK = 500

_LINE: LiteralString = (
    "SELECT id, controller, system, delivery, purpose, request_id, case_id, given_at, told_at,"
    " ends_at, fetched_at FROM trettio.instructions WHERE closed_at IS NULL"
)


class PostgresInstructionLedger:
    """Keeps `services.instruction_ledger.InstructionLedger`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def given(
        self, instruction: Instruction, tokens: Sequence[Token], *, look_at: datetime | None
    ) -> tuple[Also, ...]:
        line = Statement(
            "INSERT INTO trettio.instructions (id, controller, system, delivery, purpose,"
            " request_id, case_id, given_at, told_at, ends_at, look_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                *(instruction.id, instruction.controller, instruction.system),
                *(instruction.delivery.value, instruction.purpose.value),
                *(instruction.request_id, instruction.case_id),
                *(instruction.given_at, instruction.given_at, instruction.ends_at, look_at),
            ],
        )
        return (line, *(self._token(instruction, token) for token in dict.fromkeys(tokens)))

    def _token(self, instruction: Instruction, token: Token) -> Statement:
        values = [
            *(instruction.id, token.kind.value, token.version),
            *(bytes.fromhex(token.value), instruction.ends_at),
        ]
        if instruction.case_id is None:
            return Statement(
                "INSERT INTO trettio.instruction_tokens"
                " (instruction_id, kind, version, token, ends_at) VALUES (%s, %s, %s, %s, %s)",
                values,
            )
        return Statement(
            "INSERT INTO trettio.instruction_tokens"
            " (instruction_id, kind, version, token, ends_at, key_id)"
            " SELECT %s, %s, %s, %s, %s, id FROM trettio.vault_keys"
            " WHERE case_id = %s AND compartment = %s",
            [*values, instruction.case_id, _compartment(instruction).value],
        )

    def changed(self, instruction: Instruction, *, look_at: datetime | None) -> Also:
        return Statement(
            "UPDATE trettio.instructions SET told_at = %s, fetched_at = %s, closed_at = %s,"
            " look_at = %s WHERE id = %s",
            [
                instruction.repeated_at or instruction.given_at,
                instruction.fetched_at,
                instruction.answered_at or instruction.ended_at,
                look_at,
                instruction.id,
            ],
        )

    def tokens(self, instruction_id: UUID) -> tuple[Token, ...]:
        rows = self._database.ask(
            "SELECT kind, version, token FROM trettio.instruction_tokens"
            " WHERE instruction_id = %s ORDER BY kind, version, token",
            [instruction_id],
        )
        return tuple(Token(IdentifierKind(kind), version, t.hex()) for kind, version, t in rows)

    def open_of(
        self, controller: str, system: str, *, after: tuple[datetime, UUID] | None, limit: int
    ) -> tuple[Line, ...]:
        if after is None:
            return self._lines(
                f"{_LINE} AND controller = %s AND system = %s ORDER BY given_at, id LIMIT %s",
                [controller, system, limit],
            )
        return self._lines(
            f"{_LINE} AND controller = %s AND system = %s AND (given_at, id) > (%s, %s)"
            " ORDER BY given_at, id LIMIT %s",
            [controller, system, *after, limit],
        )

    def open_of_request(self, request_id: UUID) -> tuple[UUID, ...]:
        rows = self._database.ask(
            "SELECT id FROM trettio.instructions WHERE closed_at IS NULL AND request_id = %s"
            " ORDER BY given_at, id",
            [request_id],
        )
        return tuple(found for (found,) in rows)

    def newest_trial(self, controller: str, system: str) -> tuple[UUID, ...]:
        rows = self._database.ask(
            "SELECT id FROM trettio.instructions WHERE controller = %s AND system = %s"
            " AND purpose = 'test' AND given_at = (SELECT max(given_at) FROM trettio.instructions"
            " WHERE controller = %s AND system = %s AND purpose = 'test')",
            [controller, system, controller, system],
        )
        return tuple(found for (found,) in rows)

    def of_requests(self, request_ids: Sequence[UUID]) -> tuple[UUID, ...]:
        rows = self._database.ask(
            "SELECT id FROM trettio.instructions WHERE request_id = ANY(%s) ORDER BY given_at, id",
            [list(request_ids)],
        )
        return tuple(given for (given,) in rows)

    def due(self, now: datetime) -> tuple[Line, ...]:
        return self._lines(
            f"{_LINE} AND look_at <= %s ORDER BY look_at, id LIMIT %s", [now, MOST_AT_A_LOOK]
        )

    def unfetched_of_case(self, case_id: UUID) -> tuple[UUID, ...]:
        rows = self._database.ask(
            "SELECT id FROM trettio.instructions WHERE case_id = %s AND closed_at IS NULL"
            " AND fetched_at IS NULL ORDER BY given_at, id",
            [case_id],
        )
        return tuple(found for (found,) in rows)

    def forget_tokens(self, ended_before: datetime) -> int:
        return len(
            self._database.fetch(
                "DELETE FROM trettio.instruction_tokens WHERE ends_at < %s RETURNING version",
                [ended_before],
            )
        )

    def _lines(self, query: LiteralString, values: Sequence[object]) -> tuple[Line, ...]:
        return tuple(
            Line(
                **{
                    **row,
                    "delivery": Contract(row["delivery"]),
                    "purpose": InstructionPurpose(row["purpose"]),
                }
            )
            for row in self._database.fetch(query, list(values))
        )


def _compartment(instruction: Instruction) -> Compartment:
    """With what the tokens go: those of a hold outlive the correspondence of its case."""
    return Compartment.CORRESPONDENCE if instruction.hold_id is None else Compartment.HOLD
