"""A log with a chain, small enough to be spoiled in every way."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from adapters.evidence.trettio_verify import Fault
from adapters.evidence.whole_log import Verdict, verify_log
from adapters.outbound.chain import Chain
from adapters.outbound.checkpoints import CheckpointFile
from adapters.outbound.database import Database
from adapters.outbound.master_keys import MasterKey, MasterKeys
from adapters.outbound.signing_keys import SigningKeys

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
KEY, NEXT, STRANGE = (MasterKey(bytes([number]) * 32) for number in (1, 2, 3))


def ring(*keys: MasterKey) -> SigningKeys:
    return SigningKeys.of(MasterKeys(keys[0], tuple(keys[1:])))


@dataclass
class Chained:
    """A database's log, its chain, and the file beside it."""

    database: Database
    home: Path
    keys: Sequence[MasterKey] = (KEY,)
    now: datetime = NOW
    every: timedelta = timedelta(minutes=5)
    every_links: int = 8
    aggregate: UUID = field(default_factory=uuid4)
    version: int = 0

    @property
    def file(self) -> CheckpointFile:
        return CheckpointFile(self.home / "checkpoints")

    def chain(self) -> Chain:
        return Chain(
            self.database,
            lambda: ring(*self.keys),
            self.file,
            lambda: self.now,
            every_links=self.every_links,
            every=self.every,
        )

    def happen(self, times: int = 1) -> None:
        """Events, recorded so long ago that nobody waits for them any more."""
        for _ in range(times):
            self.version += 1
            self.database.ask(
                "INSERT INTO trettio.log (originator_id, originator_version, topic, state,"
                " recorded_at) VALUES (%b, %b, 'thing.happened', %b, '2026-02-01')",
                [self.aggregate, self.version, json.dumps({"n": self.version}).encode()],
            )

    def leave_gap(self, times: int = 1) -> None:
        for _ in range(times):
            self.database.ask("SELECT nextval('trettio.log_notification_id_seq')")

    def fold(self, *, sign: bool = True) -> None:
        self.chain().drain(sign=sign)

    def spoil(self, sql: str, *values: object) -> None:
        """What somebody who administers the database can do."""
        with self.database.transaction() as connection:
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute(sql.encode(), values)

    def verify(self, *trusted: MasterKey) -> Verdict:
        fingerprints = {ring(one).current.fingerprint for one in trusted or (KEY,)}
        return verify_log(self.database, self.file, fingerprints)

    def faults(self) -> list[Fault]:
        return list(self.verify().faults)

    def places(self) -> list[str]:
        return [fault.place for fault in self.verify().faults]

    def count(self, table: str) -> int:
        ((count,),) = self.database.connection.execute(
            f"SELECT count(*) FROM trettio.{table}".encode()
        ).fetchall()
        return int(count)
