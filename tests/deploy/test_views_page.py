"""The page about `views` describes what there is, and its recipes work as they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest

from adapters.outbound.database import Database
from adapters.outbound.views import Views
from tests.support.histories import opened_register, source_of
from tests.support.views_reference import PAGE, tables, written

STATEMENTS = re.findall(r"```sql\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def database(module_database_url: str) -> Iterator[Database]:
    with Database(module_database_url) as opened, opened_register(opened) as register:
        Views(opened).prepare(source_of(opened, register))
        yield opened


def test_every_table_is_described_as_it_is(database: Database) -> None:
    page = PAGE.read_text("utf-8")
    assert page == written(page, tables(database)), (
        "write it anew: python -m tests.support.views_reference DATABASE_URL"
    )
    assert "| |" not in page, "a column has no comment"


def test_the_role_reads_the_views_and_nothing_else(database: Database) -> None:
    recipe = STATEMENTS[0].replace("PASSWORD '…'", "").replace("trettio_bi", "bi_of_this_test")
    with psycopg.connect(database.url) as connection:
        name = connection.info.dbname
        connection.execute(recipe.replace("DATABASE trettio", f"DATABASE {name}").encode())
        connection.execute("SET LOCAL ROLE bi_of_this_test")
        for query in STATEMENTS[1:]:
            connection.execute(query.encode())
        for secret in ("trettio.log", "trettio.vault"):
            with pytest.raises(psycopg.errors.Error), connection.transaction():
                connection.execute(f"SELECT * FROM {secret}".encode())
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            connection.transaction(),
        ):
            connection.execute("DELETE FROM views.dashboard")
        connection.rollback()  # roles belong to the whole server: leave none behind
