"""What many tests share: one real PostgreSQL per run, and a fresh database for every test."""

from __future__ import annotations

import itertools
import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import structlog
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from adapters.embedded_postgres import EmbeddedPostgres
from adapters.outbound.database import Database, migrate
from tests.support.pretix import Pretix
from tests.support.pretix import server as pretix_server

TEMPLATE = "trettio_template"
_numbers = itertools.count(1)
_PLAIN = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    # A picture of every frame with all its variables takes seconds for each error that is logged.
    structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
)


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Some tests start commands in this process, and those set up logging for all of it."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    structlog.configure(processors=list(_PLAIN))
    yield
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a server of this run's own. Its data need not survive a loss of power."""
    home = Path(tempfile.mkdtemp(prefix="trettio-tests-"))
    settings = {"fsync": "off", "full_page_writes": "off", "max_prepared_transactions": "5"}
    try:
        with EmbeddedPostgres(home, settings=settings) as server:
            yield server.url
    finally:
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """The name of a database with a migrated, empty schema, to make others from."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    with Database(_url_of(postgres_url, TEMPLATE)) as database:
        migrate(database)
    return TEMPLATE


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """A database with nothing in it, not even our schema."""
    yield from _made_from(postgres_url, "template1")


@pytest.fixture
def database_url(postgres_url: str, postgres_template: str) -> Iterator[str]:
    """A database of this test's own, with the schema and nothing else."""
    yield from _made_from(postgres_url, postgres_template)


@pytest.fixture(scope="module")
def module_database_url(postgres_url: str, postgres_template: str) -> Iterator[str]:
    """A database for all tests of a module: for those that change nothing in it."""
    yield from _made_from(postgres_url, postgres_template)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with Database(database_url) as database:
        yield database


@pytest.fixture(scope="session")
def pretix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pretix]:
    """A real pretix server, the only one of this run; its first start ever takes minutes."""
    with pretix_server(tmp_path_factory.mktemp("pretix")) as running:
        yield running


class OneSlowServer(LoadScopeScheduling):
    """Spreads files over processes, but keeps all that need the slow server in one of them."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        if file.endswith("test_pretix.py") or "/end_to_end/" in file:
            return "pretix"
        return file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneSlowServer:
    return OneSlowServer(config, log)


def _made_from(server: str, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        yield _url_of(server, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _url_of(server: str, database: str) -> str:
    return server.replace("/trettio?", f"/{database}?")
