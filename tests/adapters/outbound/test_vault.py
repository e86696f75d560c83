"""The vault: sealed per case and compartment, gone for good when its key is (Art. 17, 32)."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from eventsourcing.persistence import StoredEvent
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.database import Database
from adapters.outbound.recorder import ConstraintViolated, LogRecorder
from adapters.outbound.rotation import put_in_force
from adapters.outbound.vault import (
    MasterKey,
    MasterKeys,
    PostgresVault,
    WrongMasterKey,
    derived,
    normalised,
)
from domain.personal import PersonalRef
from domain.vocabulary import Compartment, Country, IdentifierKind
from services.ports import Erased, Identifier, Sealed, Vault

CASE = UUID(int=1)
UPLOAD, PACKAGE = Compartment.UPLOAD, Compartment.PACKAGE
CORRESPONDENCE, HOLD = Compartment.CORRESPONDENCE, Compartment.HOLD

Keep = Callable[[Sealed], PersonalRef]
PORT: type[Vault] = PostgresVault


@pytest.fixture
def master_keys() -> MasterKeys:
    return MasterKeys(MasterKey(os.urandom(32)))


@pytest.fixture
def destroyed_keys(tmp_path: Path) -> Path:
    return tmp_path / "destroyed-keys"


@pytest.fixture
def vault(database: Database, master_keys: MasterKeys, destroyed_keys: Path) -> PostgresVault:
    return PostgresVault(
        database, master_keys, destroyed_keys=destroyed_keys, countries={"svensk": Country.SE}
    )


@pytest.fixture
def keep(database: Database) -> Keep:
    """Saves what was sealed, together with an event, as the services do."""

    def keep(sealed: Sealed) -> PersonalRef:
        event = StoredEvent(uuid4(), 1, "topic", b"{}")
        LogRecorder(database).insert_events([event], also=sealed.also)
        return sealed.ref

    return keep


def _email(value: str) -> Identifier:
    return Identifier(IdentifierKind.EMAIL, value)


# Sealing


@pytest.mark.parametrize("content", [b"", "Blåbærsyltetøy".encode(), os.urandom(1000)])
def test_what_was_sealed_and_saved_opens(vault: PostgresVault, keep: Keep, content: bytes) -> None:
    assert vault.open(keep(vault.seal(CASE, UPLOAD, content))) == content


def test_large_content_is_fine(vault: PostgresVault, keep: Keep) -> None:
    content = os.urandom(1024) * 1024 * 30
    assert vault.open(keep(vault.seal(CASE, PACKAGE, content))) == content


def test_what_was_not_saved_is_not_there(vault: PostgresVault) -> None:
    with pytest.raises(Erased):
        vault.open(vault.seal(CASE, UPLOAD, b"secret").ref)


def test_the_database_never_holds_the_content(
    vault: PostgresVault, keep: Keep, database: Database
) -> None:
    """OK-16."""
    keep(vault.seal(CASE, UPLOAD, b"Kari Nordmann" * 10))

    sealed = database.fetch("SELECT sealed FROM trettio.vault_rows")[0]["sealed"]
    assert b"Nordmann" not in sealed
    twice = [vault.seal(CASE, UPLOAD, b"same").also[0] for _ in range(2)]
    assert twice[0] != twice[1]


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE trettio.vault_rows SET sealed = sealed || '\\x00'",
        "UPDATE trettio.vault_rows SET id = '00000000-0000-0000-0000-000000000007'",
        "UPDATE trettio.vault_keys SET case_id = '00000000-0000-0000-0000-000000000007'",
        "UPDATE trettio.vault_keys SET compartment = 'hold'",
    ],
)
def test_a_row_that_was_changed_or_moved_does_not_open(
    vault: PostgresVault, keep: Keep, database: Database, tampering: str
) -> None:
    ref = keep(vault.seal(CASE, UPLOAD, b"secret"))
    database.connection.execute(tampering.encode())
    if "vault_rows SET id" in tampering:
        ref = PersonalRef(UUID(int=7))

    with pytest.raises(WrongMasterKey, match="changed or moved"):
        vault.open(ref)


def test_two_threads_that_seal_the_first_row_of_a_compartment_agree_on_its_key(
    vault: PostgresVault, keep: Keep, database: Database
) -> None:
    together = threading.Barrier(8)
    refs: list[tuple[UUID, int, PersonalRef]] = []

    def seal(number: int) -> None:
        for case in range(10):
            together.wait()
            case_id = UUID(int=case)
            refs.append((case_id, number, keep(vault.seal(case_id, HOLD, bytes([number])))))

    threads = [threading.Thread(target=seal, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refs) == 80
    assert all(vault.open(ref) == bytes([number]) for _, number, ref in refs)
    assert len(database.fetch("SELECT id FROM trettio.vault_keys")) == 10


# Destroying


def test_destroying_a_compartment_leaves_every_other_as_it_was(
    vault: PostgresVault, keep: Keep
) -> None:
    upload = [keep(vault.seal(CASE, UPLOAD, b"passport")) for _ in range(3)]
    kept = [keep(vault.seal(CASE, c, c.value.encode())) for c in Compartment if c != UPLOAD]
    other_case = keep(vault.seal(uuid4(), UPLOAD, b"another"))

    vault.destroy(CASE, UPLOAD)

    for ref in upload:
        with pytest.raises(Erased):
            vault.open(ref)
    assert [vault.open(ref) for ref in kept] == [
        c.value.encode() for c in Compartment if c != UPLOAD
    ]
    assert vault.open(other_case) == b"another"


def test_destruction_takes_rows_and_key_and_can_be_repeated(
    vault: PostgresVault, keep: Keep, database: Database, destroyed_keys: Path
) -> None:
    keep(vault.seal(CASE, UPLOAD, b"passport"))
    vault.destroy(CASE, UPLOAD)
    vault.destroy(CASE, UPLOAD)
    vault.destroy(uuid4(), HOLD)

    assert database.fetch("SELECT 1 FROM trettio.vault_rows") == []
    assert database.fetch("SELECT 1 FROM trettio.vault_keys") == []
    assert len(destroyed_keys.read_text().splitlines()) == 1


def test_what_was_sealed_before_the_destruction_cannot_be_saved_after_it(
    vault: PostgresVault, keep: Keep
) -> None:
    late = vault.seal(CASE, UPLOAD, b"passport")
    vault.destroy(CASE, UPLOAD)

    with pytest.raises(ConstraintViolated):
        keep(late)


def test_the_key_is_noted_outside_the_database_before_it_goes(
    vault: PostgresVault,
    keep: Keep,
    database: Database,
    destroyed_keys: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Crash between note and commit: the content is still there, and repeating destroys it."""
    ref = keep(vault.seal(CASE, UPLOAD, b"passport"))
    note = vault._note_destroyed

    def note_and_crash(key_id: UUID) -> None:
        note(key_id)
        raise KeyboardInterrupt

    monkeypatch.setattr(vault, "_note_destroyed", note_and_crash)
    with pytest.raises(KeyboardInterrupt):
        vault.destroy(CASE, UPLOAD)
    monkeypatch.undo()

    key_id = database.fetch("SELECT id FROM trettio.vault_keys")[0]["id"]
    assert str(key_id) in destroyed_keys.read_text()
    assert stat.S_IMODE(destroyed_keys.stat().st_mode) == 0o600
    assert vault.open(ref) == b"passport"
    assert vault.outstanding() == (key_id,)
    vault.destroy(CASE, UPLOAD)
    assert vault.outstanding() == ()


def test_a_restored_backup_is_destroyed_again(
    vault: PostgresVault, keep: Keep, database: Database, destroyed_keys: Path
) -> None:
    ref = keep(vault.seal(CASE, UPLOAD, b"passport"))
    kept = keep(vault.seal(CASE, HOLD, b"order 7"))
    backup = {
        table: database.fetch(f"SELECT * FROM trettio.{table}")
        for table in ("vault_keys", "vault_rows")
    }
    vault.destroy(CASE, UPLOAD)
    with destroyed_keys.open("a") as file:
        file.write("3f2b")  # a crash cut this line short
    vault.destroy(uuid4(), UPLOAD)
    for table, rows in backup.items():
        for row in rows:
            names, marks = ", ".join(row), ", ".join(["%s"] * len(row))
            database.fetch(
                f"INSERT INTO trettio.{table} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING",
                list(row.values()),
            )
    assert vault.open(ref) == b"passport"

    assert len(vault.outstanding()) == 1
    assert vault.destroy_outstanding() == 1
    with pytest.raises(Erased):
        vault.open(ref)
    assert vault.open(kept) == b"order 7"


def test_a_line_that_a_crash_cut_short_swallows_no_other(
    vault: PostgresVault, keep: Keep, destroyed_keys: Path
) -> None:
    destroyed_keys.write_text("3f2b")
    keep(vault.seal(CASE, UPLOAD, b"passport"))
    vault.destroy(CASE, UPLOAD)

    assert len(vault._destroyed()) == 1


def test_a_compartment_may_be_used_again_after_its_destruction(
    vault: PostgresVault, keep: Keep
) -> None:
    old = keep(vault.seal(CASE, PACKAGE, b"first answer"))
    vault.destroy(CASE, PACKAGE)
    new = keep(vault.seal(CASE, PACKAGE, b"second answer"))

    assert vault.open(new) == b"second answer"
    with pytest.raises(Erased):
        vault.open(old)


# Finding


def test_a_case_is_found_by_its_persons_identifiers_until_correspondence_ends(
    vault: PostgresVault, database: Database
) -> None:
    other = uuid4()
    phone = Identifier(IdentifierKind.PHONE, "+47 400 00 123")
    both = [_email("Kari@Eksempel.example"), phone]
    database.run(*vault.index("a", CASE, both))
    database.run(*vault.index("a", CASE, both), *vault.index("a", other, [phone]))

    assert vault.cases_of("a", _email("kari@eksempel.EXAMPLE ")) == (CASE,)
    number = Identifier(IdentifierKind.PHONE, "40000123", verified=True)
    assert set(vault.cases_of("a", number)) == {CASE, other}
    assert vault.cases_of("a", _email("ola@eksempel.example")) == ()

    vault.destroy(CASE, UPLOAD)
    assert vault.cases_of("a", both[0]) == (CASE,)
    vault.destroy(CASE, CORRESPONDENCE)
    assert vault.cases_of("a", both[0]) == ()
    assert vault.cases_of("a", phone) == (other,)


def test_one_controllers_tokens_mean_nothing_to_another(
    vault: PostgresVault, database: Database
) -> None:
    database.run(*vault.index("a", CASE, [_email("kari@eksempel.example")]))

    assert vault.cases_of("b", _email("kari@eksempel.example")) == ()
    assert vault.token("a", _email("x@y.example")) != vault.token("b", _email("x@y.example"))
    as_name = Identifier(IdentifierKind.NAME, "x@y.example")
    assert vault.token("a", as_name) != vault.token("a", _email("x@y.example"))


@pytest.mark.parametrize(
    ("kind", "country", "spellings"),
    [
        (
            "email",
            "NO",
            ["Kåre@Blåbær.example", "kåre@xn--blbr-roah.example", " KÅRE@BLÅBÆR.EXAMPLE"],
        ),
        ("email", "NO", ["kåre@a.example", "ka\u030are@a.example"]),
        ("phone", "NO", ["400 00 123", "+47 40000123", "004740000123", "47 40 00 01 23"]),
        ("phone", "SE", ["070-174 06 05", "+46 (0)70 174 06 05", "0046701740605", "46701740605"]),
        ("name", "NO", ["Bjørn  Åsen", "bjørn åsen", "BJØRN A\u030aSEN "]),
        ("national-number", "SE", ["19900101-2384", "19900101 2384", "199001012384"]),
    ],
)
def test_spellings_of_the_same_identifier_are_one(
    kind: str, country: str, spellings: list[str]
) -> None:
    found = {
        normalised(Identifier(IdentifierKind(kind), spelling), Country(country))
        for spelling in spellings
    }
    assert len(found) == 1


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("email", "kari@a.example", "kari@b.example"),
        ("email", "kari+tickets@a.example", "kari@a.example"),
        ("phone", "40000123", "+46 40000123"),
        ("name", "Åse Berg", "Ase Berg"),
    ],
)
def test_different_identifiers_stay_different(kind: str, one: str, other: str) -> None:
    assert normalised(Identifier(IdentifierKind(kind), one), Country.NO) != normalised(
        Identifier(IdentifierKind(kind), other), Country.NO
    )


@given(st.sampled_from(IdentifierKind), st.text(), st.sampled_from(Country))
def test_normalising_never_fails(kind: IdentifierKind, value: str, country: Country) -> None:
    assert isinstance(normalised(Identifier(kind, value), country), str)


# Master keys


def test_the_wrong_master_key_stops_the_start_with_one_clear_error(
    vault: PostgresVault, database: Database, master_keys: MasterKeys, destroyed_keys: Path
) -> None:
    wrong = MasterKeys(MasterKey(os.urandom(32)))

    with pytest.raises(WrongMasterKey, match=master_keys.current.id) as caught:
        PostgresVault(database, wrong, destroyed_keys=destroyed_keys)
    assert "\n" not in str(caught.value)


def test_a_new_master_key_opens_at_once_and_seals_when_it_is_put_in_force(
    vault: PostgresVault,
    keep: Keep,
    database: Database,
    master_keys: MasterKeys,
    destroyed_keys: Path,
) -> None:
    old = keep(vault.seal(CASE, UPLOAD, b"old"))
    database.run(*vault.index("a", CASE, [_email("kari@eksempel.example")]))
    rotated = MasterKeys(MasterKey(os.urandom(32)), (master_keys.current,))
    vault = PostgresVault(database, rotated, destroyed_keys=destroyed_keys)
    between = keep(vault.seal(uuid4(), UPLOAD, b"between"))
    used = {row["master_key_id"] for row in database.fetch("SELECT * FROM trettio.vault_keys")}
    assert used == {master_keys.current.id}

    put_in_force(database, vault.ring, rotated.current)
    new = keep(vault.seal(uuid4(), UPLOAD, b"new"))

    assert [vault.open(ref) for ref in (old, between, new)] == [b"old", b"between", b"new"]
    assert vault.cases_of("a", _email("kari@eksempel.example")) == (CASE,)
    used = {row["master_key_id"] for row in database.fetch("SELECT * FROM trettio.vault_keys")}
    assert used == {master_keys.current.id, rotated.current.id}


def test_two_first_starts_at_once_agree_on_the_vaults_secret(
    database_url: str, master_keys: MasterKeys, destroyed_keys: Path
) -> None:
    together, tokens = threading.Barrier(6), set[bytes]()

    def start() -> None:
        with Database(database_url) as database:
            database.fetch("SELECT 1")
            together.wait()
            vault = PostgresVault(database, master_keys, destroyed_keys=destroyed_keys)
            tokens.add(vault.token("a", _email("kari@eksempel.example")))

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(tokens) == 1


@given(secret=st.binary(min_size=32, max_size=32), purpose=st.binary(max_size=80))
def test_keys_are_derived_as_the_standard_says(secret: bytes, purpose: bytes) -> None:
    """RFC 5869, by another's hand: tokens of before must still be found."""
    assert derived(secret, purpose) == HKDF(hashes.SHA256(), 32, None, purpose).derive(secret)
