"""What each system and we sign with: sealed in the database, shown to its owner, replaced at ease.

While a secret is being replaced the old one and the new one are both good, so that nobody has to
change theirs at the very moment in which we change ours.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

from adapters.outbound.database import Database, Statement
from adapters.outbound.sealing import decrypt, encrypt
from adapters.outbound.webhooks.sign import SECRET_BYTES, Key
from services.ports import Clock

OVERLAP = timedelta(days=7)


class WebhookKeys:
    def __init__(self, database: Database, key: bytes, clock: Clock) -> None:
        """`key` belongs to this installation and lies nowhere in the clear."""
        self._database, self._key, self._clock = database, key, clock

    def good(self, controller: str, system: str) -> tuple[Key, ...]:
        """Those that sign and are believed now, the newest first; none before the first is made."""
        rows = self._database.fetch(
            "SELECT id, sealed FROM trettio.webhook_keys WHERE controller = %s AND system = %s"
            " AND (ends_at IS NULL OR ends_at > %s) ORDER BY created_at DESC, id",
            [controller, system, self._clock()],
        )
        return tuple(self._opened(controller, system, row["id"], row["sealed"]) for row in rows)

    def newest(self, controller: str, system: str) -> Key:
        """The one to give to the system's owner; the first time it is asked for it is made."""
        good = self.good(controller, system)
        return good[0] if good else self.replace(controller, system)

    def replace(self, controller: str, system: str, *, overlap: timedelta = OVERLAP) -> Key:
        """A new one; those before it are good for a while longer. Of no overlap: not at all."""
        now, key, key_id = self._clock(), Key.new(), uuid4()
        sealed = encrypt(self._key, key.secret + key.seed, _bound(controller, system, key_id))
        self._database.run(
            Statement(
                "UPDATE trettio.webhook_keys SET ends_at = least(ends_at, %s::timestamptz)"
                " WHERE controller = %s AND system = %s",
                [now + overlap, controller, system],
            ),
            Statement(
                "INSERT INTO trettio.webhook_keys (id, controller, system, sealed, created_at)"
                " VALUES (%s, %s, %s, %s, %s)",
                [key_id, controller, system, sealed, now],
            ),
        )
        return key

    def purge(self) -> None:
        """Forget those that are good for nothing any more."""
        self._database.run(
            Statement("DELETE FROM trettio.webhook_keys WHERE ends_at < %s", [self._clock()])
        )

    def _opened(self, controller: str, system: str, key_id: UUID, sealed: bytes) -> Key:
        content = decrypt(self._key, bytes(sealed), _bound(controller, system, key_id))
        return Key(content[:SECRET_BYTES], content[SECRET_BYTES:])


def _bound(controller: str, system: str, key_id: UUID) -> bytes:
    return b"trettio webhook key 1" + key_id.bytes + f"{controller}\n{system}".encode()
