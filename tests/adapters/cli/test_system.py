"""`trettio system`: a system's token key for its owner, and a try before it goes live."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.bootstrap import installation
from adapters.inbound.cli.main import app
from adapters.settings import Settings
from tests.support.house import NORWAY, ORGANISATIONS
from tests.support.told import MAILING, told_document


@pytest.fixture
def run(
    request: pytest.FixtureRequest,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    way = getattr(request, "param", "kafka")
    monkeypatch.setenv("TRETTIO_DATABASE_URL", database_url)
    monkeypatch.setenv("TRETTIO_HOME", str(tmp_path))
    settings = Settings.model_validate({"database_url": database_url, "home": tmp_path})
    with installation(settings, with_migrations=True) as opened:
        document = told_document((ORGANISATIONS / f"{NORWAY}.toml").read_text("utf-8"), way)
        opened.controllers.adopt(document.encode(), name=NORWAY, by="trettio-tests")

    def command(*arguments: str) -> tuple[int, str]:
        group = () if arguments[0] == "token" else ("system",)
        done = CliRunner().invoke(app, [*group, *arguments])
        return done.exit_code, done.output

    return command


def test_a_key_is_the_same_until_it_is_rotated(run: Any) -> None:
    code, first = run("key", NORWAY, MAILING)
    assert (code, first) == run("key", NORWAY, MAILING)
    assert first.startswith("version: 1\nkey (hexadecimal): ")

    assert run("key", NORWAY, MAILING, "--rotate")[1].startswith("version: 2\n")
    assert run("key", NORWAY, MAILING)[1].startswith("version: 2\n")
    assert run("key", NORWAY, "payment")[1].startswith("version: 1\n")
    code, _ = run("key", NORWAY, "none")
    assert code == 2


def test_a_try_says_what_is_missing_before_a_system_goes_live(run: Any) -> None:
    code, said = run("try", NORWAY, MAILING, "--wait", "0")

    assert code == 1
    assert "has not answered yet" in said
    assert "missing: a token for it" in said
    assert "missing: its answer: a receipt on trettio.receipts.v1" in said
    assert "golden person: golden.person@trettio.example" in said
    code, said = run("try", NORWAY, "web")
    assert (code, said) == (0, "a person looks there by hand: there is nothing to try\n")


def test_a_token_is_for_a_system_that_is_there_or_is_not_made(run: Any) -> None:
    made = ("token", "create", "x", "--staff", "shop")
    system = ("--scope", "system")

    for wrong, reason in (
        (system, "give --controller and --system"),
        ((*system, "--controller", NORWAY), "give --controller and --system"),
        ((*system, "--system", MAILING), "give --controller and --system"),
        ((*system, "--controller", NORWAY, "--system", "nosuch"), "has no system 'nosuch'"),
        ((*system, "--controller", "nosuch", "--system", MAILING), "has no system"),
        (("--scope", "read", "--controller", NORWAY, "--system", MAILING), "--scope system"),
    ):
        code, said = run(*made, *wrong)
        assert (code, reason in said) == (2, True), said
    code, said = run(*made, *system, "--controller", NORWAY, "--system", MAILING)
    assert code == 0, said


@pytest.mark.parametrize(
    ("run", "wanted", "unwanted"),
    [
        ("https", ("/v1/instructions?state=open", "a token for it"), "trettio.receipts.v1"),
        ("opendsr", ("the processor has not completed",), "token"),
    ],
    indirect=["run"],
)
def test_a_try_asks_for_what_the_way_of_the_system_needs(
    run: Any, wanted: tuple[str, ...], unwanted: str
) -> None:
    _, said = run("try", NORWAY, MAILING, "--wait", "0")

    assert [one for one in wanted if one not in said] == []
    assert unwanted not in said
    assert "golden.person@trettio.example" in said
