"""`trettio staff`: the first people of an installation are made by whoever has its command line."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.bootstrap import installation
from adapters.inbound.cli import staff
from adapters.settings import Settings


@pytest.fixture(scope="module")
def there(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("staff")
    settings = Settings.model_validate({"database_url": module_database_url, "home": home})
    with installation(settings, with_migrations=True):
        return settings


@pytest.fixture
def run(there: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    assert there.database_url is not None
    monkeypatch.setenv("TRETTIO_DATABASE_URL", there.database_url.get_secret_value())
    monkeypatch.setenv("TRETTIO_HOME", str(there.home))

    def command(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(staff.people, list(arguments))
        return done.exit_code, done.output

    return command


def test_the_first_operator_is_made_from_the_command_line(run: Any) -> None:
    assert run("set", "eva", "--name", "Eva")[0] == 0
    assert run("grant", "eva", "operator") == (0, "eva: operator at all controllers\n")
    code, link = run("invite", "eva")
    assert code == 0
    assert "/desk/invited/" in link
    assert "operator at all controllers" in run("list")[1]

    assert run("revoke", "eva", "operator")[0] == 0
    assert "operator" not in run("list")[1]
    run("set", "per", "--name", "Per")
    assert run("deactivate", "per")[0] == 0
    assert "left 20" in run("list")[1]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("grant", "nobody", "handler"), "nobody with the id"),
        (("grant", "eva", "boss"), "is no role"),
        (("grant", "eva", "auditor"), "until when"),
        (("grant", "eva", "auditor", "--until", "soon"), "year-month-day"),
        (("grant", "eva", "handler", "--controller", "none"), "no controller"),
        (("revoke", "eva", "handler"), "does not hold"),
        (("invite", "nobody"), "add the person first"),
        (("invite", "eva", "--by", "eva"), "ask a colleague"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(run: Any, arguments: tuple[str, ...], word: str) -> None:
    code, said = run(*arguments)
    assert code == 2
    assert word in said
