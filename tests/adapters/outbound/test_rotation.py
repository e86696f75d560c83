"""Another master key takes over while everything runs, and none that is needed goes (Art. 32)."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.outbound import rotation
from adapters.outbound.database import Database
from adapters.outbound.master_keys import MasterKey, MasterKeys, UnknownMasterKey
from adapters.outbound.presence import Presence
from adapters.outbound.rotation import (
    ProcessesBehind,
    confirm_sheet,
    key_in_force,
    key_uses,
    put_in_force,
    rewrap,
    warnings,
)
from adapters.outbound.sealing import Ring
from adapters.outbound.vault import PostgresVault
from domain.personal import PersonalRef
from domain.vocabulary import Compartment, IdentifierKind
from services.ports import Erased, Identifier, VaultLocked

KARI = Identifier(IdentifierKind.EMAIL, "kari@eksempel.example")
UPLOAD, CORRESPONDENCE = Compartment.UPLOAD, Compartment.CORRESPONDENCE

OpenWith = Callable[..., PostgresVault]


@pytest.fixture
def old() -> MasterKey:
    return MasterKey(os.urandom(32))


@pytest.fixture
def new() -> MasterKey:
    return MasterKey(os.urandom(32))


@pytest.fixture
def ring(old: MasterKey, new: MasterKey) -> Ring:
    """What an operator gives for the rotation: the new key first."""
    return Ring(MasterKeys(new, (old,)))


@pytest.fixture
def open_with(database: Database, tmp_path: Path) -> OpenWith:
    def open_with(*keys: MasterKey, then: Callable[[], MasterKeys] | None = None) -> PostgresVault:
        ring = MasterKeys(keys[0], keys[1:])
        return PostgresVault(
            database, ring, destroyed_keys=tmp_path / "destroyed-keys", reread=then
        )

    return open_with


@pytest.fixture
def vault(open_with: OpenWith, old: MasterKey) -> PostgresVault:
    """A vault as it was before there was a second key."""
    return open_with(old)


def keep(vault: PostgresVault, content: bytes, case_id: UUID | None = None) -> PersonalRef:
    sealed = vault.seal(case_id or uuid4(), UPLOAD, content)
    vault.database.run(*sealed.also)
    return sealed.ref


def wrapped_by(database: Database) -> dict[str, int]:
    rows = database.fetch("SELECT master_key_id, count(*) FROM trettio.vault_keys GROUP BY 1")
    return {row["master_key_id"]: row["count"] for row in rows}


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "BATCH", 3)


# The whole


def test_after_a_rotation_everything_opens_without_the_old_key(
    vault: PostgresVault, database: Database, ring: Ring, new: MasterKey, open_with: OpenWith
) -> None:
    """And a search by address still finds old cases: its secret is wrapped anew, not made anew."""
    refs = [keep(vault, bytes([n])) for n in range(7)]
    case_id = uuid4()
    database.run(*vault.index("a", case_id, [KARI]))
    digest = vault.digest(case_id, "tickets/order/7")

    assert put_in_force(database, ring, new)
    assert rewrap(database, ring) == 8

    after = open_with(new)
    assert [after.open(ref) for ref in refs] == [bytes([n]) for n in range(7)]
    assert after.cases_of("a", KARI) == (case_id,)
    assert after.digest(case_id, "tickets/order/7") == digest
    assert wrapped_by(database) == {new.id: 8}


def test_a_rotation_that_is_done_changes_nothing_when_repeated(
    vault: PostgresVault, database: Database, ring: Ring, new: MasterKey
) -> None:
    keep(vault, b"passport")
    put_in_force(database, ring, new)
    rewrap(database, ring)
    before = database.fetch("SELECT wrapped FROM trettio.vault_keys")

    assert not put_in_force(database, ring, new)
    assert rewrap(database, ring) == 0
    assert database.fetch("SELECT wrapped FROM trettio.vault_keys") == before


@pytest.mark.usefixtures("small_batches")
def test_what_was_broken_off_anywhere_is_taken_up_again(
    vault: PostgresVault, database: Database, ring: Ring, new: MasterKey, open_with: OpenWith
) -> None:
    refs = [keep(vault, bytes([n])) for n in range(10)]
    put_in_force(database, ring, new)

    class Killed(BaseException):
        pass

    def die(_done: int) -> None:
        raise Killed

    for _ in range(3):
        with pytest.raises(Killed):
            rewrap(database, ring, progress=die)
        both = open_with(*(key for key in (ring.keys.current, *ring.keys.older)))
        assert [both.open(ref) for ref in refs] == [bytes([n]) for n in range(10)]

    assert wrapped_by(database)[new.id] == 9
    assert rewrap(database, ring) == 1


# Processes that know different keys


def test_no_key_seals_that_a_process_at_work_does_not_know(
    vault: PostgresVault, database: Database, ring: Ring, old: MasterKey, new: MasterKey
) -> None:
    known = [old.id]
    process = Presence(database, ["work"], master_keys=lambda: known)
    process.beat()

    with pytest.raises(ProcessesBehind, match="not known yet to work on") as caught:
        put_in_force(database, ring, new)
    assert "\n" not in str(caught.value)
    assert key_in_force(database) == old.id

    known.insert(0, new.id)
    process.beat()
    assert put_in_force(database, ring, new)
    process.leave()


def test_a_process_that_has_fallen_silent_holds_nothing_up(
    vault: PostgresVault, database: Database, ring: Ring, old: MasterKey, new: MasterKey
) -> None:
    Presence(database, ["work"], master_keys=lambda: [old.id]).beat()
    database.fetch("UPDATE trettio.processes SET seen_at = seen_at - interval '1 minute'")

    assert put_in_force(database, ring, new)


def test_a_process_that_is_just_saying_what_it_knows_is_waited_for(
    vault: PostgresVault, database_url: str, ring: Ring, old: MasterKey, new: MasterKey
) -> None:
    """Its first word and the change exclude each other; whoever comes second sees the other."""
    refused: list[ProcessesBehind] = []

    def change() -> None:
        with Database(database_url) as mine, pytest.raises(ProcessesBehind) as caught:
            put_in_force(mine, ring, new)
        refused.append(caught.value)

    with psycopg.connect(database_url) as starting:
        starting.execute(
            "INSERT INTO trettio.processes (id, roles, host, pid, master_keys)"
            " VALUES (gen_random_uuid(), '{work}', 'elsewhere', 7, %s)",
            [[old.id]],
        )
        thread = threading.Thread(target=change)
        thread.start()
        time.sleep(0.3)
        assert refused == []
        starting.commit()
    thread.join()

    assert "work on elsewhere (process 7)" in str(refused[0])
    assert key_in_force(vault.database) == old.id


def test_a_process_that_slept_through_the_change_seals_nothing_with_the_old_key(
    vault: PostgresVault, database: Database, ring: Ring, new: MasterKey
) -> None:
    before = keep(vault, b"passport")
    put_in_force(database, ring, new)

    with pytest.raises(UnknownMasterKey, match=new.id) as caught:
        keep(vault, b"late")
    assert isinstance(caught.value, VaultLocked)
    assert vault.open(before) == b"passport"
    rewrap(database, ring)
    assert wrapped_by(database) == {new.id: 1}
    with pytest.raises(VaultLocked):  # an error that passes, not data that is gone
        vault.open(before)


def test_a_process_with_a_key_file_reads_it_again_when_it_meets_a_new_key(
    database: Database, ring: Ring, old: MasterKey, new: MasterKey, open_with: OpenWith
) -> None:
    vault = open_with(old, then=lambda: ring.keys)
    before = keep(vault, b"passport")
    put_in_force(database, ring, new)
    rewrap(database, ring)

    assert vault.open(before) == b"passport"
    assert vault.open(keep(vault, b"late")) == b"late"
    assert wrapped_by(database) == {new.id: 2}


def test_a_key_that_is_being_written_is_waited_for_and_wrapped_anew(
    vault: PostgresVault, database: Database, database_url: str, ring: Ring, new: MasterKey
) -> None:
    keep(vault, b"first")
    (row,) = database.fetch("SELECT master_key_id FROM trettio.vault_keys")
    changed: list[bool] = []
    with Database(database_url) as other, psycopg.connect(database_url) as writing:
        writing.execute(
            "INSERT INTO trettio.vault_keys (id, case_id, compartment, master_key_id, wrapped)"
            " VALUES (gen_random_uuid(), gen_random_uuid(), 'hold', %s, '')",
            [row["master_key_id"]],
        )
        change = threading.Thread(target=lambda: changed.append(put_in_force(other, ring, new)))
        change.start()
        time.sleep(0.3)
        assert changed == []
        writing.commit()
        change.join()

    assert changed == [True]
    assert sum(use.compartments for use in key_uses(database) if not use.in_force) == 2


@pytest.mark.usefixtures("small_batches")
def test_cases_go_on_while_keys_are_wrapped_anew(
    vault: PostgresVault,
    database: Database,
    database_url: str,
    ring: Ring,
    new: MasterKey,
    tmp_path: Path,
) -> None:
    """Sealing, opening, adding to and destroying compartments from four threads: nothing fails."""
    cases = [uuid4() for _ in range(60)]
    refs = {case_id: [keep(vault, case_id.bytes, case_id)] for case_id in cases}
    stop, failed, rounds = threading.Event(), list[BaseException](), list[int]()

    def work(mine: list[UUID]) -> None:
        with Database(database_url) as own:
            vault = PostgresVault(own, ring.keys, destroyed_keys=tmp_path / "destroyed-keys")
            try:
                while not stop.is_set():
                    for case_id in mine:
                        refs[case_id].append(keep(vault, case_id.bytes, case_id))
                        assert {vault.open(ref) for ref in refs[case_id]} == {case_id.bytes}
                    gone = mine.pop()
                    vault.destroy(gone, UPLOAD)
                    for ref in refs.pop(gone):
                        with pytest.raises(Erased):
                            vault.open(ref)
                    fresh = uuid4()
                    refs[fresh] = [keep(vault, fresh.bytes, fresh)]
                    mine.insert(0, fresh)
                    rounds.append(1)
            except BaseException as error:
                failed.append(error)

    threads = [threading.Thread(target=work, args=(cases[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    while len(rounds) < 4 and not failed:
        time.sleep(0.01)
    put_in_force(database, ring, new)
    rewrap(database, ring)
    assert set(wrapped_by(database)) == {new.id}
    before = len(rounds)
    while len(rounds) < before + 4 and not failed:
        time.sleep(0.01)
    stop.set()
    for thread in threads:
        thread.join()

    assert failed == []
    assert set(wrapped_by(database)) == {new.id}


# What is needed stays


def test_the_start_without_a_key_that_is_needed_says_which_and_by_how_much(
    vault: PostgresVault,
    database: Database,
    ring: Ring,
    old: MasterKey,
    new: MasterKey,
    open_with: OpenWith,
) -> None:
    for number in range(3):
        keep(vault, bytes([number]))
    with pytest.raises(UnknownMasterKey) as caught:
        open_with(new)
    assert f"{old.id} is missing: the vault's secret and 3 compartments" in str(caught.value)

    put_in_force(database, ring, new)
    with pytest.raises(UnknownMasterKey) as caught:
        open_with(new)
    assert f"{old.id} is missing: 3 compartments need it; given is {new.id}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_key_is_found_in_use_however_many_there_are(
    vault: PostgresVault, database: Database, old: MasterKey
) -> None:
    keep(vault, b"x")
    for number in range(5):
        database.fetch(
            "INSERT INTO trettio.vault_keys (id, case_id, compartment, master_key_id, wrapped)"
            " SELECT gen_random_uuid(), gen_random_uuid(), 'hold', %s, ''"
            " FROM generate_series(1, 3)",
            [f"key{number}"],
        )

    found = rotation._ids_in_use(database)

    assert found == sorted([old.id, *(f"key{number}" for number in range(5))])
    assert [(use.id, use.compartments) for use in key_uses(database)] == [
        (old.id, 1),
        *((f"key{number}", 3) for number in range(5)),
    ]


def test_a_rewrapping_that_meets_a_key_it_lacks_stops_and_says_so(
    vault: PostgresVault, database: Database, new: MasterKey, ring: Ring
) -> None:
    keep(vault, b"passport")
    put_in_force(database, ring, new)

    with pytest.raises(UnknownMasterKey):
        rewrap(database, Ring(MasterKeys(new)))


# What is still to be done


def test_health_asks_for_a_sheet_a_better_place_and_an_unfinished_rotation(
    vault: PostgresVault, database: Database, ring: Ring, old: MasterKey, new: MasterKey
) -> None:
    assert len(warnings(database, Ring(MasterKeys(old)), inside=True)) == 2
    confirm_sheet(database, old.id)
    assert warnings(database, Ring(MasterKeys(old)), inside=False) == []
    (waiting,) = warnings(database, ring, inside=False)
    assert "run trettio key rotate" in waiting

    put_in_force(database, ring, new)

    (unconfirmed,) = warnings(database, ring, inside=False)
    assert "recovery sheet is not confirmed" in unconfirmed
    confirm_sheet(database, new.id)
    confirm_sheet(database, new.id)
    assert warnings(database, ring, inside=False) == []
