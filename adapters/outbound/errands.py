"""The book of errands in PostgreSQL; who holds a link is a keyed digest of the address."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from uuid import UUID

from adapters.outbound.database import Database, Statement
from domain.errand import Errand
from domain.vocabulary import IdentifierKind
from services.errand_book import Booked
from services.matching import normal
from services.ports import Also

_COLUMNS = "errand_id, controller, case_id, request_id, system, holder, next_on"


class PostgresErrands:
    """Keeps `services.errand_book.ErrandBook`."""

    def __init__(self, database: Database, key: bytes) -> None:
        self._database, self._key = database, key

    def keep(self, errand: Errand) -> Also:
        return Statement(
            "INSERT INTO trettio.errands (errand_id, controller, case_id, request_id, system,"
            " holder, next_on, begun_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (errand_id)"
            " DO UPDATE SET holder = excluded.holder, next_on = excluded.next_on",
            [
                *(errand.id, errand.controller, errand.case_id, errand.request_id, errand.system),
                *(errand.holder, errand.next_on, errand.begun_at),
            ],
        )

    def open_ones(self, controllers: Collection[str]) -> tuple[Booked, ...]:
        rows = self._database.fetch(
            f"SELECT {_COLUMNS} FROM trettio.errands"  # noqa: S608
            " WHERE controller = ANY(%s) AND next_on IS NOT NULL ORDER BY next_on, begun_at",
            [list(controllers)],
        )
        return tuple(Booked(**row) for row in rows)

    def of_requests(self, request_ids: Collection[UUID]) -> tuple[Booked, ...]:
        rows = self._database.fetch(
            f"SELECT {_COLUMNS} FROM trettio.errands"  # noqa: S608
            " WHERE request_id = ANY(%s) ORDER BY begun_at, errand_id",
            [list(request_ids)],
        )
        return tuple(Booked(**row) for row in rows)

    def open_of_holder(self, holder: UUID) -> tuple[Booked, ...]:
        rows = self._database.fetch(
            f"SELECT {_COLUMNS} FROM trettio.errands"  # noqa: S608
            " WHERE holder = %s AND next_on IS NOT NULL ORDER BY begun_at, errand_id",
            [holder],
        )
        return tuple(Booked(**row) for row in rows)

    def holder(self, controller: str, address: str) -> UUID:
        text = f"{controller}\n{normal(IdentifierKind.EMAIL, address)}"
        return UUID(bytes=hmac.digest(self._key, text.encode(), "sha256")[:16])
