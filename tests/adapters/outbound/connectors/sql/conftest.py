"""A shop on each kind of database, emptied between tests and filled the same way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sql_shop import Shop, customer, order, shop


@pytest.fixture(
    scope="module", params=["postgres_url", "mariadb_url"], ids=["postgresql", "mariadb"]
)
def url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture(scope="module")
def shared_shop(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with shop(url, tmp_path_factory.mktemp("shop")) as made:
        yield made


@pytest.fixture
def empty_shop(shared_shop: Shop) -> Shop:
    shared_shop.empty()
    return shared_shop


@pytest.fixture
def own_shop(url: str, tmp_path: Path) -> Iterator[Shop]:
    """For tests that change its tables."""
    with shop(url, tmp_path) as made:
        yield populated(made)


@pytest.fixture
def kari_bought(empty_shop: Shop) -> Shop:
    return populated(empty_shop)


def populated(shop: Shop) -> Shop:
    customer(shop, 1, "kari@VIK.example", first_name="Kari", last_order_on="2026-03-31")
    customer(shop, 2, "ola@vik.example", first_name="Ola", referred_by=1)
    order(shop, 11, 1)
    order(shop, 12, 2)
    return shop
