"""Every try to deliver, for people to see and repeat: ids, codes, moments, nothing personal."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row

from adapters.outbound.database import Database, Statement
from domain.instruction import Instruction
from services.delivering import Try
from services.ports import Clock

KEPT = timedelta(days=100)
PAGE = 50


@dataclass(frozen=True, slots=True)
class Delivery:
    """One try."""

    id: int
    instruction: UUID
    round: int
    attempt: int
    tried_at: datetime
    code: str
    status: int | None
    milliseconds: int
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Gone:
    """A system whose address said that it is gone."""

    controller: str
    system: str
    gone_at: datetime


class DeliveryLedger:
    """Keeps `services.delivering.Deliveries`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def tries(self, instruction: Instruction) -> int:
        rows = self._database.ask(
            "SELECT count(*) FROM trettio.deliveries WHERE instruction = %s AND round = %s",
            [instruction.id, instruction.repeats],
        )
        return int(rows[0][0])

    def tried(
        self, instruction: Instruction, number: int, tried: Try, next_in: float | None
    ) -> Statement:
        now = self._clock()
        return Statement(
            "INSERT INTO trettio.deliveries (controller, system, instruction, round, attempt,"
            " tried_at, code, status, milliseconds, next_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                *(instruction.controller, instruction.system, instruction.id),
                *(instruction.repeats, number, now, tried.code, tried.status),
                tried.milliseconds,
                now + timedelta(seconds=next_in) if next_in is not None else None,
            ],
        )

    def of_system(
        self, controller: str, system: str, *, before: int | None = None, limit: int = PAGE
    ) -> Sequence[Delivery]:
        """A system's newest tries, or those before a given one; the newest first."""
        with self._database.connection.cursor(row_factory=class_row(Delivery)) as cursor:
            return cursor.execute(
                "SELECT id, instruction, round, attempt, tried_at, code, status, milliseconds,"
                " next_at FROM trettio.deliveries WHERE controller = %s AND system = %s"
                " AND (%s::bigint IS NULL OR id < %s) ORDER BY id DESC LIMIT %s",
                [controller, system, before, before, limit],
            ).fetchall()

    # Addresses that are gone

    def is_gone(self, controller: str, system: str, address: str) -> bool:
        """Whether this very address said so; another one has not said anything yet."""
        return bool(
            self._database.ask(
                "SELECT 1 FROM trettio.endpoints_gone"
                " WHERE controller = %s AND system = %s AND address_digest = %s",
                [controller, system, _digest(address)],
            )
        )

    def mark_gone(self, controller: str, system: str, address: str) -> None:
        self._database.run(
            Statement(
                "INSERT INTO trettio.endpoints_gone AS known"
                " (controller, system, address_digest, gone_at) VALUES (%s, %s, %s, %s)"
                " ON CONFLICT (controller, system) DO UPDATE"
                " SET address_digest = excluded.address_digest, gone_at = excluded.gone_at",
                [controller, system, _digest(address), self._clock()],
            )
        )

    def open_again(self, controller: str, system: str) -> None:
        self._database.run(
            Statement(
                "DELETE FROM trettio.endpoints_gone WHERE controller = %s AND system = %s",
                [controller, system],
            )
        )

    def gone(self) -> Sequence[Gone]:
        with self._database.connection.cursor(row_factory=class_row(Gone)) as cursor:
            return cursor.execute(
                "SELECT controller, system, gone_at FROM trettio.endpoints_gone"
                " ORDER BY controller, system"
            ).fetchall()

    # What came back signed

    def received(self, controller: str, system: str, message_id: str) -> bytes | None:
        """The digest of what came under this id before."""
        rows = self._database.ask(
            "SELECT body_digest FROM trettio.webhooks_received"
            " WHERE controller = %s AND system = %s AND message_id = %s",
            [controller, system, message_id],
        )
        return bytes(rows[0][0]) if rows else None

    def receive(self, controller: str, system: str, message_id: str, body: bytes) -> None:
        self._database.run(
            Statement(
                "INSERT INTO trettio.webhooks_received"
                " (controller, system, message_id, body_digest, received_at)"
                " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                [controller, system, message_id, hashlib.sha256(body).digest(), self._clock()],
            )
        )

    def purge(self) -> None:
        """Forget what is older than any request could still be open."""
        before = self._clock() - KEPT
        self._database.run(
            Statement("DELETE FROM trettio.deliveries WHERE tried_at < %s", [before]),
            Statement("DELETE FROM trettio.webhooks_received WHERE received_at < %s", [before]),
        )


def _digest(address: str) -> bytes:
    return hashlib.sha256(address.encode()).digest()
