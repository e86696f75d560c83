"""`trettio check`: everything fits, or what does not is named (Art. 5(2), 32)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.bootstrap import Installation, installation
from adapters.outbound.consistency import Misfit, check
from adapters.outbound.database import Database
from adapters.settings import Settings
from domain.vocabulary import Compartment
from projections.dashboard import Dashboard
from tests.support.command import trettio
from tests.support.house import KARI, open_house
from tests.support.steps import asked_for_access

OLD = "clock_timestamp() - interval '2 hours'"


@dataclass(frozen=True)
class Lived:
    """A database that tests copy, and the home beside it."""

    server: str
    name: str
    home: Path
    case_id: UUID

    def url(self, name: str) -> str:
        return self.server.replace("/trettio?", f"/{name}?")


@pytest.fixture(scope="module")
def lived(
    postgres_url: str, postgres_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Lived:
    """A house at work: a case that waits, one in the middle of its way, something destroyed."""
    name, home = f"lived_{uuid4().hex}", tmp_path_factory.mktemp("lived")
    _run(postgres_url, f"CREATE DATABASE {name} TEMPLATE {postgres_template} STRATEGY file_copy")
    url = postgres_url.replace("/trettio?", f"/{name}?")
    with open_house(url, home) as house:
        gone = house.receive("Slett alt dere har om meg.", subject="Sletting")
        house.installation.vault.destroy(gone, Compartment.CORRESPONDENCE)
        case_id, _ = asked_for_access(house, by_code=True)
    return Lived(postgres_url, name, home, case_id)


@contextmanager
def _copied(lived: Lived) -> Iterator[str]:
    name = f"copied_{uuid4().hex}"
    _run(lived.server, f"CREATE DATABASE {name} TEMPLATE {lived.name} STRATEGY file_copy")
    yield lived.url(name)
    _run(lived.server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def opened(lived: Lived, tmp_path: Path) -> Iterator[Installation]:
    """A copy with a home of its own, to break."""
    home = tmp_path / "home"
    shutil.copytree(lived.home, home)
    with _copied(lived) as url:
        settings = Settings.model_validate({"database_url": url, "home": home})
        with installation(settings) as opened:
            yield opened


@pytest.fixture(scope="module")
def whole(lived: Lived) -> Iterator[Installation]:
    """A copy that nobody breaks, for its keys and its way to read events."""
    with _copied(lived) as url:
        settings = Settings.model_validate({"database_url": url, "home": lived.home})
        with installation(settings) as opened:
            yield opened


def _run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def misfits(opened: Installation) -> list[Misfit]:
    return check(opened.database, opened.vault, opened.register.mapper)


def kinds(opened: Installation) -> set[str]:
    return {misfit.kind for misfit in misfits(opened)}


def by_hand(database: Database, statement: str) -> None:
    """As somebody does who has the database's password and no patience: past every safeguard."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        changed = connection.execute(statement.encode())
        assert changed.rowcount != 0, "nothing was broken"


def test_an_installation_at_work_fits_and_so_does_what_was_destroyed(opened: Installation) -> None:
    assert misfits(opened) == []
    assert opened.database.fetch("SELECT FROM trettio.destroyed_keys") is not None


BROKEN = {
    "log-version-missing": "DELETE FROM trettio.log WHERE topic = 'request.data-collected'"
    " OR topic = 'request.identity-requested'",
    "log-sequence-behind": "SELECT setval('trettio.log_notification_id_seq', 3)",
    "event-unreadable": "UPDATE trettio.log SET topic = 'nobody.knows-it' WHERE notification_id ="
    " (SELECT max(notification_id) FROM trettio.log WHERE topic = 'fulfilment.answered')",
    "row-lost": "DELETE FROM trettio.vault_rows WHERE id = (SELECT min(id::text)::uuid FROM"
    " trettio.vault_rows)",
    "row-orphaned": "INSERT INTO trettio.vault_rows (id, key_id, sealed)"
    " SELECT gen_random_uuid(), id, '' FROM trettio.vault_keys LIMIT 1",
    "row-misplaced": "UPDATE trettio.vault_keys SET compartment = 'hold'"
    " WHERE compartment = 'correspondence'",
    "row-without-key": "UPDATE trettio.vault_rows SET key_id = gen_random_uuid()",
    "key-orphaned": "INSERT INTO trettio.vault_keys (id, case_id, compartment, master_key_id,"
    " wrapped, created_at) SELECT gen_random_uuid(), gen_random_uuid(), compartment, master_key_id,"
    f" wrapped, {OLD} FROM trettio.vault_keys LIMIT 1",
    "key-shut": "UPDATE trettio.vault_keys SET wrapped = set_byte(wrapped, 20, 0)",
    "key-not-noted": "INSERT INTO trettio.destroyed_keys (id, case_id, compartment)"
    " VALUES (gen_random_uuid(), gen_random_uuid(), 'upload')",
    "token-misplaced": "UPDATE trettio.match_tokens SET case_id = gen_random_uuid()",
    "lease-over": "UPDATE trettio.tasks SET leased_by = 'somebody', done_at = NULL,"
    f" parked_at = NULL, next_at = {OLD}",
    "task-of-nobody": "UPDATE trettio.tasks SET subject_id = gen_random_uuid()",
    "code-of-nobody": "UPDATE trettio.codes SET subject_id = gen_random_uuid()",
    "link-of-nobody": "INSERT INTO trettio.links VALUES ('', gen_random_uuid(), 'x', now())",
    "thread-of-nobody": "UPDATE trettio.threads SET case_id = gen_random_uuid()",
    "idempotency-key-open": "INSERT INTO trettio.idempotency_keys (key, scope, request_digest,"
    f" created_at) VALUES ('k', 's', '', {OLD})",
    "controller-unknown": "INSERT INTO trettio.controllers (name) VALUES ('nobody')",
    "view-differs": "UPDATE views.deadline_worklist SET assigned_to = 'nobody'",
    "view-beyond-log": "UPDATE views.positions SET position = position + 1000",
    "view-parked": "INSERT INTO views.parked (view, aggregate_id, position, topic, reason)"
    " VALUES ('dashboard', gen_random_uuid(), 1, 'x', 'x')",
    "view-outdated": "UPDATE views.positions SET incarnation = gen_random_uuid()",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_was_broken_by_hand_is_named(lived: Lived, whole: Installation, kind: str) -> None:
    with _copied(lived) as url, Database(url) as database:
        by_hand(database, BROKEN[kind])
        answer = check(database, whole.vault, whole.register.mapper)

    found = {misfit.kind: misfit for misfit in answer}
    assert kind in found
    assert found[kind].count > 0
    assert found[kind].examples
    assert KARI not in str(found)


def test_a_row_that_is_missing_from_a_view_is_named_like_one_that_should_not_be_there(
    opened: Installation,
) -> None:
    (row,) = opened.database.fetch("SELECT request_id FROM views.dashboard LIMIT 1")
    by_hand(opened.database, "DELETE FROM views.dashboard")

    (misfit,) = misfits(opened)
    assert (misfit.kind, misfit.words.partition(":")[0]) == ("view-differs", "dashboard")
    assert str(row["request_id"]) in misfit.examples


def test_a_read_model_that_cannot_be_made_anew_is_named(
    opened: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> None:
        raise ValueError("whatever it is")

    monkeypatch.setattr(Dashboard, "apply", lost)

    (misfit,) = misfits(opened)
    assert (misfit.kind, misfit.words.partition(":")[0]) == ("view-broken", "dashboard")
    assert "ValueError" in misfit.words


def test_a_destroyed_key_that_a_restore_brought_back_is_named(
    opened: Installation, lived: Lived
) -> None:
    (key,) = opened.database.fetch(
        "SELECT id FROM trettio.vault_keys WHERE case_id = %s AND compartment = 'correspondence'",
        [lived.case_id],
    )
    with opened.vault.destroyed_keys.open("a") as file:
        file.write(f"{key['id']} 2026-11-22T06:00:00+00:00\n")

    (misfit,) = misfits(opened)
    assert (misfit.kind, misfit.examples) == ("key-stands", (str(key["id"]),))
    assert "trettio replay --self" in misfit.words


def test_a_key_or_a_lease_that_is_new_is_left_in_peace(opened: Installation) -> None:
    opened.vault.seal(uuid4(), Compartment.UPLOAD, b"never saved")
    by_hand(opened.database, BROKEN["lease-over"].replace(OLD, "now()"))

    assert kinds(opened) == set()
    hasty = check(opened.database, opened.vault, opened.register.mapper, patience=timedelta())
    assert {misfit.kind for misfit in hasty} == {"key-orphaned", "lease-over"}


def test_what_is_compared_is_seen_at_one_moment(opened: Installation) -> None:
    """Everything may go on meanwhile: what comes after the snapshot is nobody's misfit."""
    undo: list[Callable[[], None]] = []

    def meanwhile(_: int) -> None:
        if not undo:
            by_hand(opened.database, BROKEN["row-orphaned"])
            by_hand(opened.database, BROKEN["view-differs"])
            undo.append(lambda: None)

    found = check(opened.database, opened.vault, opened.register.mapper, progress=meanwhile)
    assert undo
    assert found == []
    assert kinds(opened) == {"row-orphaned", "view-differs"}


def test_the_command_says_so_in_words_and_for_programs(opened: Installation) -> None:
    run = partial(trettio, "check", database_url=opened.database.url, home=opened.settings.home)
    fits = run()
    assert (fits.returncode, fits.stdout) == (0, "everything fits\n")
    assert json.loads(run("--json").stdout) == {"misfits": []}

    by_hand(opened.database, BROKEN["row-orphaned"])
    broken = run()
    assert broken.returncode == 1
    assert broken.stdout.startswith("row-orphaned (1): no event refers to this content")
    said = json.loads(run("--json").stdout)
    assert [(misfit["kind"], misfit["count"]) for misfit in said["misfits"]] == [
        ("row-orphaned", 1)
    ]
