"""Which master key seals, and how another takes its place while everything runs (Art. 32(1)(a)).

The key that wraps the vault's secret is the one in force: to put another in force is one update.
A compartment's key is only ever inserted under the key in force, in the statement that looks which
that is, so once the update is committed nothing new is wrapped by the old key, whatever a process
that slept meanwhile believes. What is wrapped already is wrapped anew row by row; a rotation that
was killed anywhere is taken up by running it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from adapters.outbound.database import Database
from adapters.outbound.master_keys import MasterKey, UnknownMasterKey
from adapters.outbound.presence import Seen, seen
from adapters.outbound.sealing import SECRET, Ring, bound_to, decrypt, encrypt

BATCH = 500


class ProcessesBehind(Exception):
    """Processes that run do not know the new key yet."""

    def __init__(self, key_id: str, processes: list[Seen]) -> None:
        who = ", ".join(str(process) for process in processes)
        super().__init__(
            f"master key {key_id} is not known yet to {who}: give it to them and restart them one"
            " by one; then run this again"
        )


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A master key as the vault sees it; `compartments` is how many keys it still wraps."""

    id: str
    compartments: int
    in_force: bool
    confirmed_at: datetime | None

    @property
    def needed(self) -> bool:
        return self.in_force or self.compartments > 0


def key_in_force(database: Database) -> str | None:
    """The id of the key that seals; None while the vault is new."""
    rows = database.fetch("SELECT master_key_id FROM trettio.vault_secret")
    return rows[0]["master_key_id"] if rows else None


def key_uses(database: Database) -> list[KeyUse]:
    """Every key that the database needs or knows of, the one in force first."""
    rows = database.fetch(
        "SELECT id, coalesce(compartments, 0) AS compartments,"
        " EXISTS (SELECT FROM trettio.vault_secret WHERE master_key_id = id) AS in_force,"
        " confirmed_at FROM (SELECT master_key_id AS id, count(*) AS compartments"
        "  FROM trettio.vault_keys GROUP BY master_key_id) AS wrapping"
        " FULL JOIN (SELECT master_key_id AS id, 0 AS none FROM trettio.vault_secret) AS secret"
        "  USING (id)"
        " LEFT JOIN trettio.confirmed_sheets AS sheet ON sheet.master_key_id = id"
        " ORDER BY in_force DESC, compartments DESC, id"
    )
    return [KeyUse(**row) for row in rows]


def require_every_key(database: Database, ring: Ring) -> None:
    """Refuse a ring that lacks a key which still wraps something, in one line."""
    for key_id in _ids_in_use(database):
        if ring.find(key_id) is None:
            (use,) = (use for use in key_uses(database) if use.id == key_id)
            secret = "the vault's secret and " if use.in_force else ""
            raise UnknownMasterKey(
                f"master key {key_id} is missing: {secret}{use.compartments} compartments need it;"
                f" given is {', '.join(ring.keys.ids)}. Put it back into TRETTIO_MASTER_KEY_FILE"
                " (trettio key recover makes it from its recovery sheet)"
            )


def confirm_sheet(database: Database, key_id: str) -> None:
    database.fetch(
        "INSERT INTO trettio.confirmed_sheets (master_key_id) VALUES (%s)"
        " ON CONFLICT (master_key_id) DO UPDATE SET confirmed_at = clock_timestamp()",
        [key_id],
    )


def confirmed_at(database: Database, key_id: str) -> datetime | None:
    """When somebody typed back what a key's recovery sheet says; None if nobody has."""
    rows = database.fetch(
        "SELECT confirmed_at FROM trettio.confirmed_sheets WHERE master_key_id = %s", [key_id]
    )
    return rows[0]["confirmed_at"] if rows else None


def warnings(database: Database, ring: Ring, *, inside: bool) -> list[str]:
    """What an operator still has to do about the keys; `inside` is: beside what they protect."""
    found = []
    if inside:
        found.append(
            "the master key lies in the data directory, beside what it protects: move it to a file"
            " elsewhere and name that in TRETTIO_MASTER_KEY_FILE"
        )
    in_force = key_in_force(database)
    if in_force is not None and confirmed_at(database, in_force) is None:
        found.append(
            "the master key's recovery sheet is not confirmed: run trettio key export, print it,"
            " then run trettio key confirm"
        )
    if in_force is not None and in_force != ring.keys.current.id:
        found.append("a newer master key is given than the one that seals: run trettio key rotate")
    return found


def put_in_force(database: Database, ring: Ring, new: MasterKey) -> bool:
    """Have the vault seal with `new` from now on; False when it does already.

    Raises `ProcessesBehind` while somebody who is at work could not open what it seals. Neither a
    process that is just starting nor a key that is just being written can slip between.
    """
    with database.transaction() as connection:
        connection.execute("SET LOCAL lock_timeout = '10s'")
        # Whoever starts says what it knows first and looks which key is in force then.
        connection.execute("LOCK TABLE trettio.processes IN SHARE MODE")
        row = connection.execute(
            "SELECT master_key_id, wrapped FROM trettio.vault_secret FOR UPDATE"
        ).fetchone()
        if row is None or row[0] == new.id:
            return False
        # A process that knows no key at all, one that only publishes, opens and seals nothing.
        behind = [
            one for one in seen(connection) if one.master_keys and new.id not in one.master_keys
        ]
        if behind:
            raise ProcessesBehind(new.id, behind)
        secret = ring.unwrap(row[0], row[1], SECRET)
        # Inserts that began before are through when this is granted.
        connection.execute("LOCK TABLE trettio.vault_keys IN SHARE MODE")
        connection.execute(
            "UPDATE trettio.vault_secret SET master_key_id = %s, wrapped = %s",
            [new.id, encrypt(new.key, secret, SECRET)],
        )
        return True


def rewrap(database: Database, ring: Ring, *, progress: Callable[[int], None] | None = None) -> int:
    """Wrap under the key in force what older keys still wrap; answers how many keys that were.

    It reads in the order of ids, a batch at a time, beside whatever else goes on.
    """
    in_force = key_in_force(database)
    master = ring.find(in_force) if in_force is not None else None
    if master is None:
        return 0
    done, last = 0, UUID(int=0)
    while True:
        with database.transaction() as connection:
            # Rows may still be sealed under a key meanwhile: that only forbids its id to change.
            rows = connection.execute(
                "SELECT id, case_id, compartment, master_key_id, wrapped FROM trettio.vault_keys"
                " WHERE id > %s AND master_key_id <> %s ORDER BY id LIMIT %s FOR NO KEY UPDATE",
                [last, master.id, BATCH],
            ).fetchall()
            for key_id, case_id, compartment, master_key_id, wrapped in rows:
                bound = bound_to(key_id, case_id, compartment)
                key = ring.unwrap(master_key_id, wrapped, bound)
                anew = encrypt(master.key, key, bound)
                if decrypt(master.key, anew, bound) != key:
                    raise AssertionError("a key that was wrapped anew does not open")
                connection.execute(
                    "UPDATE trettio.vault_keys SET master_key_id = %s, wrapped = %s WHERE id = %s",
                    [master.id, anew, key_id],
                )
        if not rows:
            return done
        done, last = done + len(rows), rows[-1][0]
        if progress is not None:
            progress(done)


def _ids_in_use(database: Database) -> list[str]:
    """Found from one id to the next in an index, however many rows there are."""
    rows = database.fetch(
        "WITH RECURSIVE used (id) AS ("
        " (SELECT master_key_id FROM trettio.vault_keys ORDER BY master_key_id LIMIT 1)"
        " UNION ALL SELECT (SELECT master_key_id FROM trettio.vault_keys"
        "  WHERE master_key_id > used.id ORDER BY master_key_id LIMIT 1)"
        " FROM used WHERE used.id IS NOT NULL)"
        " SELECT id FROM used WHERE id IS NOT NULL"
        " UNION SELECT master_key_id FROM trettio.vault_secret"
    )
    return sorted(row["id"] for row in rows)
