"""One Chromium and one house for every story that a browser tells; pictures of what it saw.

The pictures of a run are kept in the folder that `TRETTIO_PICTURES` names, or else nowhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.browser import chromium, served
from tests.support.databases import Databases
from tests.support.house import House, open_house
from tests.support.town import Town, inhabited
from tests.support.web import web

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from playwright.sync_api import Page as Sheet


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Ended with its module: as long as it lives, no other event loop runs in this process."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def town(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """For whatever only looks."""
    name = databases.take()
    with open_house(databases.url(name), tmp_path_factory.mktemp("town")) as opened:
        yield inhabited(opened)
    databases.give_back(name)


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    """For stories, which change things."""
    with open_house(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture
def address(house: House) -> Iterator[str]:
    with served(web(house.installation)) as there:
        yield there


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Callable[[Sheet, str], None]:
    """Keep a picture of a page, under the name of the test."""
    folder = os.environ.get("TRETTIO_PICTURES")

    def take(page: Sheet, name: str) -> None:
        if folder:
            story = re.sub(r"\W+", "-", request.node.name.removeprefix("test_")).strip("-")
            page.screenshot(path=Path(folder) / story / f"{name}.png", full_page=True)

    return take
