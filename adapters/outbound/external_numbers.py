"""The number that a controller's own system gave a case, found by a keyed token.

Somebody else chose it, so it may say whose case it is: its text lies in the vault.
"""

from __future__ import annotations

from uuid import UUID, uuid5

from adapters.outbound.database import Database, Statement
from domain.vocabulary import Compartment
from services.ports import Also, Vault

NUMBERS = UUID("2f2f8a43-0a1c-4c9f-8d3b-5f6d1f0a7c11")
USED_ONCE = "external_number_used_once"


class PostgresExternalNumbers:
    """Keeps `services.ports.ExternalNumbers`. A token goes with the case's correspondence."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    def give(self, controller: str, case_id: UUID, number: str) -> Also:
        return Statement(
            "INSERT INTO trettio.external_numbers (controller, token, case_id, key_id)"
            " SELECT %s, %s, case_id, id FROM trettio.vault_keys"
            " WHERE case_id = %s AND compartment = %s",
            [
                controller,
                self._token(controller, number),
                case_id,
                Compartment.CORRESPONDENCE.value,
            ],
        )

    def case_of(self, controller: str, number: str) -> UUID | None:
        rows = self._database.fetch(
            "SELECT case_id FROM trettio.external_numbers WHERE controller = %s AND token = %s",
            [controller, self._token(controller, number)],
        )
        return rows[0]["case_id"] if rows else None

    def _token(self, controller: str, number: str) -> str:
        return self._vault.digest(uuid5(NUMBERS, controller), number.strip())
