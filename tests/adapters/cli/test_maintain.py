"""After a restore nothing is served before what had been destroyed is destroyed again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from adapters.bootstrap import installation
from adapters.inbound.cli.console import ready
from adapters.inbound.cli.main import app
from adapters.outbound.database import Database, migrate
from adapters.outbound.tokens import Scope
from adapters.settings import Settings
from domain.vocabulary import Compartment
from tests.support.web import web

CASE = UUID(int=7)


@pytest.fixture
def restored(database_url: str, tmp_path: Path) -> dict[str, str]:
    """A database from before a destruction, beside the file that knows of it."""
    settings = Settings.model_validate({"database_url": database_url, "home": tmp_path})
    with installation(settings) as opened:
        vault, database = opened.vault, opened.database
        database.run(*vault.seal(CASE, Compartment.UPLOAD, b"secret").also)
        keys = database.fetch("SELECT * FROM trettio.vault_keys")
        vault.destroy(CASE, Compartment.UPLOAD)
        for key in keys:
            database.fetch(
                "INSERT INTO trettio.vault_keys (id, case_id, compartment, master_key_id, wrapped)"
                " VALUES (%(id)s, %(case_id)s, %(compartment)s, %(master_key_id)s, %(wrapped)s)",
                key,
            )
    return {"TRETTIO_DATABASE_URL": database_url, "TRETTIO_HOME": str(tmp_path)}


@dataclass(frozen=True)
class Said:
    exit_code: int
    output: str
    problem: str


def trettio(environment: dict[str, str], *words: str) -> Said:
    """Run the command as somebody would, but in this process: to start another takes a second."""
    done = CliRunner().invoke(app, words, env=environment)
    return Said(done.exit_code, done.stdout, done.stderr)


@pytest.mark.parametrize("command", ["serve", "work", "follow"])
def test_nothing_is_served_after_a_bare_restore(restored: dict[str, str], command: str) -> None:
    answer = trettio(restored, command)

    assert answer.exit_code == 2
    assert "1 destroyed compartments are back" in answer.problem
    assert "run trettio replay --self first" in answer.problem


def test_replaying_destroys_again(restored: dict[str, str]) -> None:
    assert "1 compartments destroyed again" in trettio(restored, "replay", "--self").output
    assert "0 compartments destroyed again" in trettio(restored, "replay", "--self").output
    assert trettio(restored, "replay").exit_code == 2


def test_parked_work_is_listed_and_released(database_url: str, tmp_path: Path) -> None:
    environment = {"TRETTIO_DATABASE_URL": database_url, "TRETTIO_HOME": str(tmp_path)}
    settings = Settings.model_validate({"database_url": database_url, "home": tmp_path})
    with installation(settings) as opened:
        opened.database.fetch(
            "INSERT INTO trettio.tasks (key, kind, subject_id, controller, payload, due_at,"
            " next_at, parked_at, reason) VALUES ('a/answer', 'answer', %s, 'fjordscenen', '{}',"
            " now(), now(), now(), 'KeyError')",
            [uuid4()],
        )

    assert trettio(environment, "tasks", "parked").output.startswith(
        "a/answer fjordscenen KeyError since 20"
    )
    assert trettio(environment, "tasks", "release", "a/answer").exit_code == 0
    assert trettio(environment, "tasks", "parked").output == ""
    assert trettio(environment, "tasks", "release", "a/answer").exit_code == 2


def test_a_secret_of_no_system_stops_the_start(database_url: str, tmp_path: Path) -> None:
    answer = trettio(
        {
            "TRETTIO_DATABASE_URL": database_url,
            "TRETTIO_HOME": str(tmp_path),
            "TRETTIO_SYSTEM__NOBODY__SHOP__TOKEN": "dragon",
        },
        "tasks",
        "parked",
    )

    assert answer.exit_code == 2
    assert "TRETTIO_SYSTEM__NOBODY__SHOP__TOKEN belongs to no system" in answer.problem
    assert "dragon" not in answer.output + answer.problem


@pytest.mark.parametrize("migrated_by", ["trettio migrate", "a program that makes no read models"])
def test_the_pages_are_there_before_the_first_follower(
    empty_database_url: str, tmp_path: Path, migrated_by: str
) -> None:
    """`serve --only-web` may start first: its pages show what there is, which is nothing."""
    environment = {"TRETTIO_DATABASE_URL": empty_database_url, "TRETTIO_HOME": str(tmp_path)}
    settings = Settings.model_validate({"database_url": empty_database_url, "home": tmp_path})
    if migrated_by == "trettio migrate":
        assert trettio(environment, "migrate").output.endswith("the schema is up to date\n")
        opening = installation(settings)
    else:
        with Database(empty_database_url) as database:
            migrate(database)
        opening = ready(settings)

    with opening as opened:
        desk = TestClient(web(opened), headers={"Origin": "http://testserver"})
        token = opened.tokens.create(
            name="desk", staff_id="ola", scopes=frozenset(Scope), controllers=frozenset()
        )
        assert desk.post("/desk/sign-in", data={"token": token}).status_code == 200
        assert desk.get("/desk").status_code == 200
        bearer = {"Authorization": f"Bearer {token}"}
        assert desk.get("/v1/requests", headers=bearer).status_code == 200
        assert desk.get("/health").status_code == 200
