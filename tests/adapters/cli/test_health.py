"""`trettio health` is honest: it tells a role that works from one that is dead, deaf or stuck."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.bootstrap import Installation, installation
from adapters.inbound.cli.main import app
from adapters.outbound.presence import seen
from adapters.roles import running
from adapters.settings import Settings


@pytest.fixture
def opened(database_url: str, tmp_path: Path) -> Iterator[Installation]:
    settings = Settings.model_validate({"database_url": database_url, "home": tmp_path / "home"})
    with installation(settings) as opened:
        yield opened


def health(opened: Installation, *words: str) -> tuple[int, str]:
    url = opened.settings.database_url
    assert url is not None
    environment = {
        "TRETTIO_DATABASE_URL": url.get_secret_value(),
        "TRETTIO_HOME": str(opened.settings.home),
    }
    done = CliRunner().invoke(app, ["health", *words], env=environment)
    return done.exit_code, done.stdout + done.stderr


def test_a_role_is_well_while_it_works_and_not_after(opened: Installation) -> None:
    with running(opened, workers=1):
        assert health(opened, "--role", "work")[0] == 0
        code, said = health(opened, "--role", "follow")
        assert (code, "nobody is at work here as follow" in said) == (1, True)
    code, said = health(opened, "--role", "work")
    assert (code, "nobody is at work here as work" in said) == (1, True)
    assert health(opened)[0] == 1


def test_every_role_of_one_process_is_told(opened: Installation) -> None:
    with running(opened, web=True, workers=1, follow=True, remind=True):
        (process,) = seen(opened.database.connection)
        assert process.roles == ("web", "work", "follow")
        code, said = health(opened)
    assert code == 0
    assert [line.split(":")[0] for line in said.splitlines()] == ["web", "work", "follow"]


def test_a_process_of_another_machine_does_not_count(opened: Installation) -> None:
    with running(opened, workers=1):
        opened.database.fetch("UPDATE trettio.processes SET host = 'elsewhere'")
        assert health(opened, "--role", "work")[0] == 1


def test_a_role_whose_thread_has_died_falls_silent(
    opened: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.outbound.presence.BEAT_SECONDS", 0.02)
    monkeypatch.setattr("adapters.roles._remind", lambda *_: None)  # ends at once
    with running(opened, remind=True):
        opened.database.fetch("UPDATE trettio.processes SET seen_at = seen_at - interval '1 hour'")
        threading.Event().wait(0.3)
        assert seen(opened.database.connection) == []


def test_a_follower_that_stands_still_is_ill_and_one_with_nothing_to_do_is_well(
    opened: Installation,
) -> None:
    opened.views.prepare(opened.log_source())
    opened.database.fetch("UPDATE views.positions SET updated_at = updated_at - interval '1 hour'")
    with running(opened, workers=1):
        opened.database.fetch("UPDATE trettio.processes SET roles = '{follow}'")
        assert health(opened, "--role", "follow")[0] == 0
        insert = (
            "INSERT INTO trettio.log (originator_id, originator_version, topic, state, recorded_at)"
            " VALUES (gen_random_uuid(), 1, 'x', '', clock_timestamp() - %s::interval)"
        )
        opened.database.fetch(insert, ["10 seconds"])
        assert health(opened, "--role", "follow")[0] == 0  # it came a moment ago

        opened.database.fetch("UPDATE trettio.processes SET seen_at = clock_timestamp()")
        opened.database.fetch("ALTER TABLE trettio.log DISABLE TRIGGER ALL")
        opened.database.fetch("UPDATE trettio.log SET recorded_at = recorded_at - interval '1 h'")
        code, said = health(opened, "--role", "follow")
        assert (code, "stands still: case_file" in said) == (1, True)


def test_to_ask_starts_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from adapters.inbound.cli.main import main; main()", "health"],
        env={**os.environ, "TRETTIO_HOME": str(tmp_path), "TRETTIO_DATABASE_URL": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "nothing has been started here yet" in done.stderr
    assert list(tmp_path.iterdir()) == []
