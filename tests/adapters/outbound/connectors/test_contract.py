"""Every connector keeps the port's promise, whatever its system does (Art. 5(1)(f), 15, 17, 32).

The tests are those of `adapters.connector_kit`, which any other repository runs on its own
connectors. One that has no world fails here: `tests/support/connector_kit.py` says what to add.
"""

from __future__ import annotations

import pytest

from adapters.connector_kit.checks import *  # noqa: F403 (what is collected here)
from adapters.connector_kit.checks_of_answers import *  # noqa: F403
from adapters.connector_kit.checks_of_files import *  # noqa: F403
from adapters.connector_kit.checks_of_trouble import *  # noqa: F403
from adapters.outbound import connectors
from tests.support import connector_kit, sql_worlds

WORLDS = {**connector_kit.KIT, **sql_worlds.WORLDS}


@pytest.mark.parametrize("name", connectors.names())
def test_every_connector_is_in_the_kit(name: str) -> None:
    assert name in WORLDS, f"write a World for {name!r} into KIT of tests/support/connector_kit.py"


def test_the_kit_has_no_connector_that_is_not_there() -> None:
    assert {world.connector or name for name, world in WORLDS.items()} <= set(connectors.names())
