"""A system that cannot be built is for a person, by the name of what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from adapters.outbound.connectors.csv_file import CsvFile
from adapters.outbound.systems import ConfiguredSystems
from adapters.profiles import load_profile
from services.controllers import Controllers
from services.ports import Refused
from tests.support.house import ORGANISATIONS, SWEDEN

PROFILE = load_profile((ORGANISATIONS / f"{SWEDEN}.toml").read_bytes(), name=SWEDEN)


def systems(tmp_path: Path, secrets: Mapping[str, str]) -> ConfiguredSystems:
    in_force: Any = SimpleNamespace(in_force=lambda _: PROFILE)
    return ConfiguredSystems(cast(Controllers, in_force), lambda *_: secrets, tmp_path)


def test_a_missing_secret_is_named_and_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="needs") as caught:
        systems(tmp_path, {"url": "https://user:dragon@tickets.example"}).connector(SWEDEN, "shop")

    assert "dragon" not in caught.value.reason


def test_a_system_that_left_the_profile_is_said_to_have(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no system 'fax' any more"):
        systems(tmp_path, {}).connector(SWEDEN, "fax")


def test_a_connector_is_built_once(tmp_path: Path) -> None:
    configured = systems(tmp_path, {})

    first = configured.connector(SWEDEN, "sms")

    assert isinstance(first, CsvFile)
    assert configured.connector(SWEDEN, "sms") is first
