"""The erasure ledger in PostgreSQL: entries written in the save of the erasure that they note."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from adapters.outbound.database import Database, Statement
from domain.instruction import TreatedKind
from domain.vocabulary import Decision, IdentifierKind
from services.erasure_ledger import Erasure
from services.ports import Also
from services.system_tokens import Token


class PostgresErasureLedger:
    """Keeps `services.erasure_ledger.ErasureLedger`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def erased(self, erasure: Erasure, tokens: Collection[Token]) -> tuple[Also, ...]:
        kinds = [[one.kind, one.decision.value, *one.keep_fields] for one in erasure.kinds]
        entry = Statement(
            "INSERT INTO trettio.erasures (id, controller, system, request_id, erased_at,"
            " kept_until, kinds, mixed) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [
                *(erasure.id, erasure.controller, erasure.system, erasure.request_id),
                *(erasure.erased_at, erasure.kept_until, json.dumps(kinds)),
                list(erasure.mixed),
            ],
        )
        return (entry, *(self._token(erasure.id, one) for one in dict.fromkeys(tokens)))

    def _token(self, erasure_id: UUID, token: Token) -> Statement:
        return Statement(
            "INSERT INTO trettio.erased_tokens (erasure_id, kind, version, token)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [erasure_id, token.kind.value, token.version, bytes.fromhex(token.value)],
        )

    def since(self, controller: str, system: str, since: datetime) -> tuple[Erasure, ...]:
        rows = self._database.fetch(
            "SELECT id, controller, system, request_id, erased_at, kept_until, kinds, mixed"
            " FROM trettio.erasures WHERE controller = %s AND system = %s AND erased_at >= %s"
            " ORDER BY erased_at, id",
            [controller, system, since],
        )
        return tuple(
            Erasure(
                **{
                    **row,
                    "kinds": tuple(
                        TreatedKind(kind, Decision(decision), tuple(fields))
                        for kind, decision, *fields in row["kinds"]
                    ),
                    "mixed": tuple(row["mixed"]),
                }
            )
            for row in rows
        )

    def tokens(self, erasure_ids: Collection[UUID]) -> Mapping[UUID, tuple[Token, ...]]:
        found: dict[UUID, tuple[Token, ...]] = {}
        for erasure, kind, version, token in self._database.ask(
            "SELECT erasure_id, kind, version, token FROM trettio.erased_tokens"
            " WHERE erasure_id = ANY(%s) ORDER BY erasure_id, kind, version, token",
            [list(erasure_ids)],
        ):
            one = Token(IdentifierKind(kind), version, token.hex())
            found[erasure] = (*found.get(erasure, ()), one)
        return found

    def begun(self, replay_id: UUID, controller: str, system: str, at: datetime) -> Also:
        return Statement(
            "INSERT INTO trettio.replays (id, controller, system, begun_at)"
            " VALUES (%s, %s, %s, %s)",
            [replay_id, controller, system, at],
        )

    def told(self, replay_id: UUID, instruction_id: UUID) -> Also:
        return Statement(
            "INSERT INTO trettio.replay_instructions (instruction_id, replay_id) VALUES (%s, %s)",
            [instruction_id, replay_id],
        )

    def replays(self, controller: str, system: str | None) -> tuple[UUID, ...]:
        rows = self._database.ask(
            "SELECT id FROM trettio.replays WHERE controller = %s"
            " AND (%s::text IS NULL OR system = %s) ORDER BY begun_at DESC, id",
            [controller, system, system],
        )
        return tuple(one for (one,) in rows)

    def instructions(self, replay_id: UUID) -> tuple[UUID, ...]:
        rows = self._database.ask(
            "SELECT instruction_id FROM trettio.replay_instructions WHERE replay_id = %s"
            " ORDER BY instruction_id",
            [replay_id],
        )
        return tuple(one for (one,) in rows)

    def purge(self, now: datetime) -> int:
        rows = self._database.fetch(
            "DELETE FROM trettio.erasures WHERE kept_until < %s RETURNING id", [now]
        )
        return len(rows)
