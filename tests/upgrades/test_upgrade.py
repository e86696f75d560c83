"""Every version that was ever tagged can be upgraded to this one, whatever its cases had come to.

`make.py` made what lies in the folders, one per tag: a database, its master key, its profiles.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from adapters.bootstrap import installation
from adapters.inbound.cli.console import ready
from adapters.outbound.consistency import check
from adapters.outbound.database import Database, migrate
from adapters.settings import Settings
from domain.case import Case
from domain.personal import PersonalRef
from domain.request import DataSubjectRequest, Status
from tests.support.command import trettio
from tests.support.fake_systems import FakeSystems
from tests.support.house import House
from tests.support.programs import restore
from tests.support.steps import press, reveal
from tests.support.web import web

VERSIONS = sorted(path.parent for path in Path(__file__).parent.glob("v*/database.sql.gz"))
MANUAL = frozenset({"customer-service", "web", "archive", "invoicing", "print"})


@pytest.fixture(params=VERSIONS, ids=lambda folder: folder.name)
def restored(
    request: pytest.FixtureRequest, empty_database_url: str, tmp_path: Path
) -> dict[str, Any]:
    """The settings of an installation that an earlier version left behind."""
    folder: Path = request.param
    restore(empty_database_url, folder / "database.sql.gz")
    with Database(empty_database_url) as database:  # the upgrade came soon after the worker's death
        database.fetch(
            "UPDATE trettio.tasks SET next_at = clock_timestamp() WHERE leased_by IS NOT NULL"
        )
    for name in ("master.key", "destroyed-keys"):
        shutil.copy(folder / name, tmp_path / name)
        (tmp_path / name).chmod(0o600)
    return {
        "database_url": empty_database_url,
        "home": tmp_path,
        "profiles": folder / "profiles",
    }


@pytest.fixture
def house(restored: dict[str, Any]) -> Iterator[House]:
    """That installation, upgraded."""
    settings = Settings.model_validate(restored)
    systems = FakeSystems(manual=MANUAL)
    with installation(settings, with_migrations=True) as opened:
        opened = replace(opened, systems=systems)
        yield House(opened, systems, opened.worker("test"), TestClient(web(opened)))


def test_there_is_a_version_to_upgrade_from() -> None:
    assert next(folder.name for folder in VERSIONS) == "v0.1.0"


@pytest.mark.parametrize("command", ["serve", "work", "follow", "check"])
def test_an_earlier_schema_stops_every_command_in_one_line(
    restored: dict[str, Any], command: str
) -> None:
    done = trettio(command, **restored)
    assert done.returncode == 2
    assert re.fullmatch(
        r"trettio: the database's schema lacks \d+ migration\(s\), from \d+ \w+ on;"
        r" run: trettio migrate\n",
        done.stderr,
    )


@pytest.mark.parametrize("command", ["serve", "work", "follow", "check", "migrate"])
def test_a_later_schema_stops_every_command_in_one_line(
    database: Database, tmp_path: Path, command: str
) -> None:
    database.fetch("INSERT INTO trettio.migrations VALUES (999, 'future', 'x')")

    done = trettio(command, database_url=database.url, home=tmp_path)
    assert done.returncode == 2
    assert re.fullmatch(
        r"trettio: the database's schema is version 999, this program knows \d+:"
        r" start a newer Trettio\n",
        done.stderr,
    )


def test_an_operator_migrates_and_everything_fits(restored: dict[str, Any]) -> None:
    assert trettio("migrate", **restored).stdout.endswith("the schema is up to date\n")
    checked = trettio("check", **restored)
    assert (checked.stdout, checked.returncode) == ("everything fits\n", 0)


def test_a_web_process_alone_makes_its_read_models_anew(restored: dict[str, Any]) -> None:
    """Nobody follows the log yet, and what is there is as the earlier version made it."""
    with Database(restored["database_url"]) as database:
        migrate(database)
    with ready(Settings.model_validate(restored)) as opened:
        house = House(opened, FakeSystems(), opened.worker("test"), TestClient(web(opened)))
        assert house.staff().get("/desk").text.count('class="ref"') > 3


def test_every_aggregate_loads_and_the_vault_opens(house: House) -> None:
    opened = house.installation
    kinds = {
        type(opened.register.repository.get(row["id"])).__name__
        for row in opened.database.fetch("SELECT DISTINCT originator_id AS id FROM trettio.log")
    }
    assert kinds == {"Case", "Controller", "DataSubjectRequest", "Fulfilment", "Hold"}
    rows = opened.database.fetch("SELECT id FROM trettio.vault_rows")
    assert len(rows) > 30
    assert all(opened.vault.open(PersonalRef(row["id"])) for row in rows)


def test_everything_fits_before_and_after_the_views_have_followed(house: House) -> None:
    opened = house.installation
    before = check(opened.database, opened.vault, opened.register.mapper)
    assert {misfit.kind for misfit in before} <= {"view-outdated"}
    opened.follower().drain()
    assert check(opened.database, opened.vault, opened.register.mapper) == []
    assert all(state.behind == 0 for state in opened.views.states())


def test_what_was_begun_before_the_upgrade_is_finished_after_it(house: House) -> None:
    opened = house.installation
    requests = _requests(house)
    assert {request.status for request in requests} >= {
        Status.RECEIVED,
        Status.VERIFIED,
        Status.COLLECTED,
        Status.APPROVED,
        Status.CLOSED,
    }

    house.work()
    for request in requests:
        _finish(house, opened.register.case(request.case_id), request.id)

    assert {request.status for request in _requests(house)} == {Status.CLOSED}
    assert check(opened.database, opened.vault, opened.register.mapper) == []


def _requests(house: House) -> list[DataSubjectRequest]:
    rows = house.installation.database.fetch(
        "SELECT originator_id AS id FROM trettio.log WHERE topic = 'request.received'"
    )
    return [house.installation.register.request(row["id"]) for row in rows]


def _finish(house: House, case: Case, request_id: UUID) -> None:
    """Through the pages, whatever is missing until the request is closed."""
    desk, at = house.staff(), f"/desk/cases/{case.id}"
    reveal(desk, at)

    def request() -> DataSubjectRequest:
        return house.installation.register.request(request_id)

    if request().status is Status.RECEIVED:
        press(desk, f"{at}/identity/ask", reason="unknown-sender")
        house.work()
        press(desk, f"{at}/identity/code", code=house.newest_code())
        house.work()
    _look_by_hand(house, desk, at, request())
    for record in request().undecided_matches:
        place = f"{at}/requests/{request_id}/records/{record.record_id}/match"
        press(desk, place, theirs="no:namesake")
    if request().status is Status.COLLECTED:
        press(desk, f"{at}/requests/{request_id}/approve", considered="1")
        house.work()
    if request().status is Status.FULFILLED:
        person, link = house.visitor(), house.link("answer")
        press(person, f"{link}/code")
        house.work()
        person.post(link, data={"code": house.newest_code()})
        house.work()


def _look_by_hand(house: House, desk: TestClient, at: str, request: DataSubjectRequest) -> None:
    fulfilment = house.installation.register.find_fulfilment(request.id)
    for name, state in fulfilment.systems.items() if fulfilment else ():
        if state.waits_for == "look-up":
            place = f"{at}/requests/{request.id}/systems/{name}/found"
            press(desk, place, nothing="searched-nothing-held")
    house.work()
