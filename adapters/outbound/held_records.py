"""Which holds name which record, in PostgreSQL: by a keyed token that goes with the hold's content.

So a record stays for as long as any hold names it, even when nothing else is left of its case.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from uuid import UUID

from adapters.outbound.database import Database, Statement
from domain.vocabulary import Compartment
from services.ports import Also


class PostgresHeldRecords:
    """Keeps `services.ports.HeldRecords`."""

    def __init__(self, database: Database, key: bytes) -> None:
        self._database, self._key = database, key

    def add(
        self,
        controller: str,
        case_id: UUID,
        hold_id: UUID,
        system: str,
        records: Iterable[tuple[str, str]],
    ) -> tuple[Also, ...]:
        return tuple(
            Statement(
                "INSERT INTO trettio.held_records (hold_id, controller, token, case_id, key_id)"
                " SELECT %s, %s, %s, case_id, id FROM trettio.vault_keys"
                " WHERE case_id = %s AND compartment = %s ON CONFLICT DO NOTHING",
                [
                    *(hold_id, controller, self._token(controller, system, kind, key)),
                    *(case_id, Compartment.HOLD.value),
                ],
            )
            for kind, key in dict.fromkeys(records)
        )

    def holds_of_record(
        self, controller: str, system: str, kind: str, key: str
    ) -> tuple[UUID, ...]:
        rows = self._database.ask(
            "SELECT hold_id FROM trettio.held_records WHERE controller = %s AND token = %s"
            " ORDER BY hold_id",
            [controller, self._token(controller, system, kind, key)],
        )
        return tuple(hold_id for (hold_id,) in rows)

    def holds_of_case(self, case_id: UUID) -> tuple[UUID, ...]:
        rows = self._database.ask(
            "SELECT DISTINCT hold_id FROM trettio.held_records WHERE case_id = %s ORDER BY hold_id",
            [case_id],
        )
        return tuple(hold_id for (hold_id,) in rows)

    def _token(self, controller: str, system: str, kind: str, key: str) -> bytes:
        return hmac.digest(self._key, f"{controller}\n{system}\n{kind}\n{key}".encode(), "sha256")
