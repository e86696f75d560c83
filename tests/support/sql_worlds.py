"""The shop's database as a world for the contract tests, in PostgreSQL and in MariaDB."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, ClassVar, Self

from adapters.connector_kit import Somebody, World
from tests.support.sql_shop import Shop, customer, order, shop

_open = ExitStack()
_shops: dict[str, Shop] = {}
"""One for each server and process of tests, emptied between them: tables take long to make."""


class OfPostgreSQL(World):
    connector: ClassVar = "sql"
    needs: ClassVar = "postgres_url"
    more_than_a_page: ClassVar = 201

    shop: Shop

    def __enter__(self) -> Self:
        url = str(self.given)
        if url not in _shops:
            _shops[url] = _open.enter_context(shop(url, self.folder))
        self.shop = _shops[url]
        self.shop.folder = self.folder
        self.shop.empty()
        return self

    def configuration(self, url: str) -> Mapping[str, str]:
        return self.shop.configuration()

    def plant(self, who: Somebody, *, records: int = 1) -> None:
        first, _, last = who.name.partition(" ")
        number = 1 + int(self.shop.one("SELECT count(*) FROM customers"))
        customer(
            self.shop,
            number,
            who.email,
            first_name=first,
            last_name=last,
            mobile=who.phone,
            note=f"Called {who.phone}",
            last_order_on="2026-03-31",
        )
        before = 10_000 + int(self.shop.one("SELECT count(*) FROM orders"))
        order(self.shop, before + 1, number, email=who.email)
        with self.shop.connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO orders (id, customer_id, total, state) VALUES (%s, %s, 1, 'paid')",
                [(before + 1 + n, number) for n in range(1, records)],
            )

    def kept(self) -> Any:
        return self.shop.everything()

    def put_back(self, kept: Any) -> None:
        self.shop.empty()
        for table in reversed(self.shop.all_tables()):
            for row in kept[table]:
                places = ", ".join(["%s"] * len(row))
                self.shop.do(f"INSERT INTO {table.replace('%', '%%')} VALUES ({places})", *row)


class OfMariaDB(OfPostgreSQL):
    needs: ClassVar = "mariadb_url"


WORLDS: Mapping[str, type[World]] = {"sql": OfPostgreSQL, "sql on MariaDB": OfMariaDB}
