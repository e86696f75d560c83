"""How often somebody does something, in PostgreSQL, so that any number of processes count as one.

Who it is stands there as a keyed digest only, and goes once its time is over.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import timedelta

from adapters.outbound.database import Database
from services.ports import Limit

PURGED_AT_ONCE = 500


class PostgresLimits:
    """Keeps `services.ports.Limits`. Windows are those of the database's clock."""

    def __init__(self, database: Database, key: bytes) -> None:
        """`key` belongs to this installation and lies nowhere in the clear."""
        self._database, self._key = database, key

    def spend(self, limits: Sequence[Limit]) -> timedelta | None:
        # In one order everywhere, so that two who spend the same never wait for each other.
        asked = sorted(((self._token(one), one) for one in limits), key=lambda pair: pair[0])
        rows = self._database.fetch(
            "WITH asked AS ("
            " SELECT token, per, most, date_bin(per, clock_timestamp(), 'epoch') AS begins_at"
            " FROM unnest(%s::bytea[], %s::interval[], %s::integer[]) AS one(token, per, most)"
            "), spent AS ("
            " INSERT INTO trettio.limits AS known (token, begins_at, ends_at, times)"
            " SELECT token, begins_at, begins_at + per, 1 FROM asked ORDER BY token"
            " ON CONFLICT (token, begins_at) DO UPDATE SET times = known.times + 1"
            " RETURNING token, ends_at, times"
            ") SELECT extract(epoch FROM max(ends_at) - clock_timestamp())::float AS seconds"
            " FROM spent JOIN asked USING (token) WHERE times > most",
            [
                [token for token, _ in asked],
                [one.per for _, one in asked],
                [one.most for _, one in asked],
            ],
        )
        seconds = rows[0]["seconds"]
        return None if seconds is None else timedelta(seconds=max(1.0, seconds))

    def purge(self) -> int:
        """Forget what is over; answers how many counts went."""
        rows = self._database.fetch(
            "WITH gone AS (DELETE FROM trettio.limits WHERE (token, begins_at) IN"
            " (SELECT token, begins_at FROM trettio.limits WHERE ends_at < clock_timestamp()"
            " LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING 1) SELECT count(*) FROM gone",
            [PURGED_AT_ONCE],
        )
        return int(rows[0]["count"])

    def _token(self, limit: Limit) -> bytes:
        return hmac.digest(self._key, f"{limit.what}\n{limit.who}".encode(), "sha256")
