"""How often somebody may try to sign in: slower for who fails, shut for nobody (NIST SP 800-63B).

What was tried and where it came from are kept as keyed digests, for an hour.
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

from adapters.outbound.database import Database, Statement

MINUTES = 15


class Limit(NamedTuple):
    """So many failures in the last quarter of an hour, and the next try has to wait."""

    about: bytes
    most: int


class Throttle:
    def __init__(self, database: Database, key: bytes) -> None:
        self._database, self._key = database, key

    def limits(self, name: str, source: str) -> tuple[Limit, ...]:
        """One account from one place; one place; and one account, wherever it is tried from.

        The last is wide: a stranger who tries for long keeps nobody out for longer than that.
        """
        return (
            Limit(self._digest("both", name, source), 5),
            Limit(self._digest("source", source), 30),
            Limit(self._digest("name", name), 50),
        )

    def is_too_often(self, limits: tuple[Limit, ...]) -> bool:
        rows = self._database.fetch(
            "SELECT about, count(*) AS failures FROM trettio.sign_in_failures"
            " WHERE about = ANY(%s) AND failed_at > clock_timestamp() - make_interval(mins => %s)"
            " GROUP BY about",
            [[one.about for one in limits], MINUTES],
        )
        failures = {bytes(row["about"]): int(row["failures"]) for row in rows}
        return any(failures.get(one.about, 0) >= one.most for one in limits)

    def failed(self, limits: tuple[Limit, ...]) -> None:
        self._database.run(
            Statement(
                "DELETE FROM trettio.sign_in_failures"
                " WHERE failed_at < clock_timestamp() - interval '1 hour'"
            ),
            Statement(
                "INSERT INTO trettio.sign_in_failures (about) SELECT unnest(%s::bytea[])",
                [[one.about for one in limits]],
            ),
        )

    def succeeded(self, limits: tuple[Limit, ...]) -> None:
        """Whoever knows both factors has not been guessing from there."""
        self._database.run(
            Statement("DELETE FROM trettio.sign_in_failures WHERE about = %s", [limits[0].about])
        )

    def _digest(self, *words: str) -> bytes:
        return hmac.digest(self._key, "\n".join(words).encode(errors="replace"), "sha256")
