"""A shop's database, in PostgreSQL and in MariaDB: tables three deep, with names as people give."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg
import pymysql

from adapters.outbound import connectors
from adapters.outbound.connectors.sql import Sql

_numbers = itertools.count(1)

LINES = 'Linje "1" på `ordre` %s'
TABLES = '''
    CREATE TABLE customers (
        id BIGINT PRIMARY KEY, number VARCHAR(40), email VARCHAR(250), mobile VARCHAR(40),
        first_name VARCHAR(100), last_name VARCHAR(100) NOT NULL, note TEXT, password_hash TEXT,
        newsletter BOOLEAN NOT NULL, restricted BOOLEAN NOT NULL DEFAULT FALSE,
        last_order_on DATE, referred_by BIGINT REFERENCES customers (id)
    );
    CREATE TABLE orders (
        id BIGINT PRIMARY KEY, customer_id BIGINT REFERENCES customers (id), email VARCHAR(250),
        total NUMERIC(10, 2) NOT NULL, placed_on DATE, state VARCHAR(20) NOT NULL,
        comment TEXT
    );
    CREATE TABLE "{lines}" (
        order_id BIGINT NOT NULL REFERENCES orders (id), "select" INT NOT NULL,
        "pris i ""kr""" NUMERIC(10, 2) NOT NULL, "tekst æøå" VARCHAR(100),
        PRIMARY KEY (order_id, "select")
    );
    CREATE TABLE tickets (
        order_id BIGINT NOT NULL, line INT NOT NULL, seat VARCHAR(10) NOT NULL,
        holder VARCHAR(100), PRIMARY KEY (order_id, line, seat),
        FOREIGN KEY (order_id, line) REFERENCES "{lines}" (order_id, "select")
    );
    CREATE TABLE stopped (address VARCHAR(250) PRIMARY KEY, why VARCHAR(40));
    CREATE TABLE logins (email VARCHAR(250), at DATE);
'''

MAPPING = """
schema = "{schema}"

[[record]]
kind = "customer"
table = "customers"
hide = ["password_hash"]
impersonal = ["newsletter", "restricted"]
erase = "delete-if-free"
rectify = ["first_name", "last_name", "mobile"]
statement = "note"
anchors.last_purchase = "last_order_on"
since = "last_order_on"
flags.suppressed = { column = "newsletter", is = false }
restrict.set = { restricted = true }
restrict.lift = { restricted = false }

[record.identifiers]
email = "email"
phone = "mobile"
customer_number = "number"
name = { parts = ["first_name", "last_name"] }

[record.anonymise]
email = { digest = 32, after = "@erased.example" }
last_name = "Erased"

[[record.child]]
table = "customers"
link = { referred_by = "id" }
name = "referred"
show = ["id"]
on_erase = "unlink"
on_anonymise = "keep"

[[record]]
kind = "order"
table = "orders"
of = "customer"
identifiers.email = "email"
impersonal = ["total", "placed_on", "state"]
anchors.order_placed = "placed_on"
flags.paid = { column = "state", is = ["paid", "sent"] }
restrict.set = { state = "held" }
restrict.lift = { state = "paid" }

[[record.child]]
table = 'Linje "1" på `ordre` %s'
name = "lines"
impersonal = ['pris i "kr"', "tekst æøå"]

[[record.child.child]]
table = "tickets"

[[suppress]]
table = "customers"
identifiers.email = "email"
set = { newsletter = false }

[[suppress]]
table = "stopped"
identifiers.email = "address"
insert = true
set = { why = "objection" }
"""


@dataclass
class Shop:
    """One shop in a schema of its own; `url` is how the connector reaches it."""

    url: str
    folder: Path
    schema: str
    connection: Any
    mapping: str = MAPPING
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_mariadb(self) -> bool:
        return self.url.startswith("mariadb")

    def configuration(self) -> dict[str, str]:
        file = self.folder / "mapping.toml"
        file.write_text(self.mapping.replace("{schema}", self.schema), encoding="utf-8")
        return {
            "url": self.url,
            "mapping": str(file),
            "digest_key": "k" * 32,
            **self.extra,
        }

    def connector(self) -> Sql:
        built = connectors.build("sql", self.configuration())
        assert isinstance(built, Sql)
        return built

    def do(self, statements: str, *values: object) -> None:
        """Statements with double quotes around names, as the standard has them."""
        with self.connection.cursor() as cursor:
            for one in statements.split(";\n"):
                if one.strip():
                    cursor.execute(one, values or None)

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return [tuple(row) for row in cursor.fetchall()]

    def one(self, statement: str, *values: object) -> Any:
        return self.rows(statement, *values)[0][0]

    def all_tables(self) -> tuple[str, ...]:
        return ("stopped", "tickets", f'"{quoted(LINES)}"', "orders", "customers")

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        return {t: sorted(self.rows(f"SELECT * FROM {t}"), key=repr) for t in self.all_tables()}

    def empty(self) -> None:
        self.mapping, self.extra = MAPPING, {}
        self.do("UPDATE customers SET referred_by = NULL")
        for table in self.all_tables():
            self.do(f"DELETE FROM {table}")


def quoted(name: str) -> str:
    return name.replace('"', '""')


@contextmanager
def connected(url: str) -> Iterator[Any]:
    if url.startswith("postgres"):
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection
        return
    parts = urlsplit(url)
    socket = parse_qs(parts.query)["socket"][0]
    mariadb = pymysql.connect(
        unix_socket=socket, user=unquote(parts.username or ""), autocommit=True
    )
    try:
        with mariadb.cursor() as cursor:
            cursor.execute("SET sql_mode = 'ANSI_QUOTES,STRICT_ALL_TABLES'")
        yield mariadb
    finally:
        mariadb.close()


@contextmanager
def shop(url: str, folder: Path) -> Iterator[Shop]:
    """An empty shop, gone afterwards."""
    name = f"shop_{next(_numbers)}"
    is_mariadb = url.startswith("mariadb")
    with connected(url) as connection, connection.cursor() as cursor:
        characters = " CHARACTER SET utf8mb4" if is_mariadb else ""
        cursor.execute(f"CREATE SCHEMA {name}{characters}")
        cursor.execute(f"USE {name}" if is_mariadb else f"SET search_path = {name}")
        if is_mariadb:
            url = url.replace("/test?", f"/{name}?")
        made = Shop(url, folder, name, connection)
        made.do(TABLES.replace("{lines}", quoted(LINES)))
        yield made
        cursor.execute(f"DROP SCHEMA {name}{'' if is_mariadb else ' CASCADE'}")


def customer(shop: Shop, id_: int, email: str, **said: object) -> None:
    columns: dict[str, object] = {
        "id": id_,
        "number": f"K-{id_}",
        "email": email,
        "last_name": "Vik",
        "newsletter": True,
        **said,
    }
    places = ", ".join(["%s"] * len(columns))
    shop.do(f"INSERT INTO customers ({', '.join(columns)}) VALUES ({places})", *columns.values())


def order(shop: Shop, number: int, customer: int | None, *, email: str | None = None) -> None:
    """An order of two lines, the first with two tickets."""
    shop.do(
        "INSERT INTO orders (id, customer_id, email, total, placed_on, state, comment)"
        " VALUES (%s, %s, %s, 450.5, '2026-03-31', 'paid', 'by the aisle')",
        number,
        customer,
        email,
    )
    lines = quoted(LINES).replace("%", "%%")
    for line in (1, 2):
        shop.do(f"INSERT INTO \"{lines}\" VALUES (%s, %s, 225.25, 'Sete')", number, line)
    for seat in ("A1", "A2"):
        shop.do("INSERT INTO tickets VALUES (%s, 1, %s, 'Kari Vik')", number, seat)
