"""A system that cannot be built is for a person, by the name of what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from adapters.outbound.connectors.csv_file import CsvFile
from adapters.outbound.systems import ConfiguredSystems
from adapters.profiles import ProfileError, load_profile
from domain.policy import Profile
from services.controllers import Controllers
from services.ports import NotSetUp, Refused
from tests.support.house import ORGANISATIONS, SWEDEN

PROFILE = load_profile((ORGANISATIONS / f"{SWEDEN}.toml").read_bytes(), name=SWEDEN)


def systems(tmp_path: Path, secrets: Mapping[str, str]) -> ConfiguredSystems:
    in_force: Any = SimpleNamespace(in_force=lambda _: PROFILE, names=lambda: (SWEDEN,))
    return ConfiguredSystems(cast(Controllers, in_force), lambda *_: secrets, tmp_path)


def test_a_missing_secret_is_named_and_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(NotSetUp, match="needs") as caught:
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


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "dragon", "token": "t", "organizer": "o"},
        {"url": "https://tickets.example:dragon", "token": "t", "organizer": "o"},
        {"url": "https://[dragon", "token": "t", "organizer": "o"},
        {"url": "https://tickets.example", "token": "t", "organizer": "o", "at_once": "dragon"},
        {"url": "https://tickets.example", "token": "t", "organizer": "o", "at_once": "0"},
        {"url": "https://tickets.example", "token": "t", "organizer": "o", "timeout": "dragon"},
        {"url": "https://tickets.example", "token": "t", "organizer": "o", "timeout": "121"},
    ],
)
def test_what_is_set_wrongly_is_not_set_up_and_not_quoted(
    tmp_path: Path, wrong: Mapping[str, str]
) -> None:
    with pytest.raises(NotSetUp) as caught:
        systems(tmp_path, wrong).connector(SWEDEN, "shop")

    assert "dragon" not in caught.value.reason


def test_a_secret_that_comes_later_is_read_then(tmp_path: Path) -> None:
    secrets = {"url": "https://tickets.example", "organizer": "o", "timeout": "60"}
    configured = systems(tmp_path, secrets)
    with pytest.raises(NotSetUp, match="'token'"):
        configured.connector(SWEDEN, "shop")

    secrets["token"] = "t"

    assert configured.connector(SWEDEN, "shop") is configured.connector(SWEDEN, "shop")


def test_how_much_a_system_is_asked_at_once_is_told_by_lane(tmp_path: Path) -> None:
    assert systems(tmp_path, {}).at_once() == {}
    said = systems(tmp_path, {"at_once": "2"})
    assert said.at_once()[f"{SWEDEN}/shop"] == 2
    assert said.at_once() is said.at_once(), "the profiles are not read for every claim"
    assert systems(tmp_path, {"at_once": "many"}).at_once() == {}


def test_a_profile_that_cannot_be_read_keeps_no_other_controller_waiting(tmp_path: Path) -> None:
    def in_force(controller: str) -> Profile:
        if controller == "broken":
            raise ProfileError("broken", [])
        return PROFILE

    some: Any = SimpleNamespace(in_force=in_force, names=lambda: ("broken", SWEDEN))
    configured = ConfiguredSystems(some, lambda *_: {"at_once": "3"}, tmp_path)

    assert configured.at_once()[f"{SWEDEN}/shop"] == 3
