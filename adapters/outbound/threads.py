"""Which case a mail belongs to, in PostgreSQL: by the Message-ID that we gave our letters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from uuid import UUID

from adapters.outbound.database import Database, Statement
from adapters.outbound.message import key_hash
from services.ports import Also, Thread

_OURS = re.compile(r"<([0-9a-f]{40})@")


class PostgresThreads:
    """Keeps `services.ports.Threads`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def letter(self, case_id: UUID, letter_id: UUID) -> Also:
        return _row(key_hash(str(letter_id)), case_id, letter_id)

    def message(self, case_id: UUID, digest: str) -> Also:
        return _row(digest, case_id, None)

    def of_letters(self, texts: Iterable[str]) -> Thread | None:
        cited = list(dict.fromkeys(key for text in texts for key in _OURS.findall(text)))
        return self._found(cited)

    def of_message(self, digest: str) -> Thread | None:
        return self._found([digest])

    def _found(self, keys: list[str]) -> Thread | None:
        rows = self._database.fetch(
            "SELECT case_id, letter_id FROM trettio.threads WHERE message_key = ANY(%s) LIMIT 1",
            [keys],
        )
        return Thread(**rows[0]) if rows else None


def _row(key: str, case_id: UUID, letter_id: UUID | None) -> Statement:
    return Statement(
        "INSERT INTO trettio.threads (message_key, case_id, letter_id) VALUES (%s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        [key, case_id, letter_id],
    )
