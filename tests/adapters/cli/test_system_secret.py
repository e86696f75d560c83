"""`trettio system secret`: shown to the system's owner, replaced without a gap."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.inbound.cli.main import app
from tests.support.house import NORWAY, open_house


def test_a_secret_is_shown_stays_and_is_replaced(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRETTIO_DATABASE_URL", database_url)
    monkeypatch.setenv("TRETTIO_HOME", str(tmp_path))

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["system", "secret", *arguments])
        return result.exit_code, result.output

    with open_house(database_url, tmp_path) as house:
        code, first = run(NORWAY, "mailing")
        assert code == 0
        assert re.search(r"whsec_[A-Za-z0-9+/]{43}=\n", first)
        assert re.search(r"whpk_[A-Za-z0-9+/]{43}=\n", first)
        assert run(NORWAY, "mailing")[1] == first
        keys = house.installation.calling.keys
        assert keys.newest(NORWAY, "mailing").shown in first

        _, second = run(NORWAY, "mailing", "--rotate")
        assert second != first
        assert len(keys.good(NORWAY, "mailing")) == 2
        run(NORWAY, "mailing", "--rotate", "--overlap-hours", "0")
        assert len(keys.good(NORWAY, "mailing")) == 1

        code, words = run(NORWAY, "no-such")
        assert code != 0
        assert "no-such" in words
