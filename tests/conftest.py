"""What many tests share: one real PostgreSQL per run, and an empty database for every test."""

from __future__ import annotations

import itertools
import logging
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import psycopg
import pytest
import structlog
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from adapters.embedded_postgres import EmbeddedPostgres
from adapters.outbound.database import Database, migrate
from adapters.outbound.views import Views
from tests.support.databases import Databases
from tests.support.histories import opened_register, source_of
from tests.support.kafka import Broker, broker
from tests.support.mariadb import server as mariadb_server
from tests.support.pretix import Pretix
from tests.support.pretix import server as pretix_server
from tests.support.unhurried import unhurried

TEMPLATE = "trettio_template"
_numbers = itertools.count(1)
unhurried()
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
    """The name of a database to make others from: the schema and the read models, all empty."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    with Database(_url_of(postgres_url, TEMPLATE)) as database:
        migrate(database)
        with opened_register(database) as register:
            Views(database).prepare(source_of(database, register))
    return TEMPLATE


@pytest.fixture(scope="session")
def databases(postgres_url: str, postgres_template: str) -> Databases:
    return Databases(postgres_url, postgres_template)


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """A database with nothing in it, not even our schema."""
    name = f"test_empty_{next(_numbers)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield _url_of(postgres_url, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """A database of this test's own, with the schema, the read models and nothing in them."""
    yield from _lent(databases)


@pytest.fixture(scope="module")
def module_database_url(databases: Databases) -> Iterator[str]:
    """A database for all tests of a module: for those that change nothing in it."""
    yield from _lent(databases)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with Database(database_url) as database:
        yield database


@pytest.fixture(scope="session")
def mariadb_url() -> Iterator[str]:
    """The URL of a MariaDB server of this run's own."""
    with mariadb_server() as url:
        yield url


@pytest.fixture(scope="session")
def pretix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pretix]:
    """A real pretix server, the only one of this run; its first start ever takes minutes."""
    with pretix_server(tmp_path_factory.mktemp("pretix")) as running:
        yield running


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A real Kafka broker, the only one of this run that tests share."""
    with broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture
def kafka(kafka_broker: Broker) -> Broker:
    """The broker that tests share, without anything of the test before."""
    kafka_broker.empty()
    return kafka_broker


class OneSlowServer(LoadScopeScheduling):
    """Spreads files over processes, but keeps all that share what starts slowly in one of them."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        if file.endswith("test_pretix.py") or ("/end_to_end/" in file and _uses_pretix(file)):
            return "pretix"
        if "/browser/" in file:
            return "browser"
        if file.endswith("test_publish.py") or ("kafka" in file and "/survival/" not in file):
            return "kafka"
        if "/connectors/sql/" in file or file.endswith("/connectors/test_contract.py"):
            return "mariadb"
        return file


LONG = (
    *("/survival/", "/end_to_end/", "/browser/", "/demo/", "/upgrades/", "test_pretix.py"),
    "kafka",
    *("test_publish.py", "/connectors/sql/", "/connectors/test_contract.py"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, so that no process is left alone with it at the end."""
    items.sort(key=lambda item: not any(part in item.nodeid for part in LONG))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneSlowServer:
    return OneSlowServer(config, log)


@cache
def _uses_pretix(file: str) -> bool:
    """Or Stripe's double, which every story with pretix needs too."""
    text = (Path(__file__).parent.parent / file).read_text(encoding="utf-8")
    return "pretix" in text or "stripe" in text


def _lent(databases: Databases) -> Iterator[str]:
    name = databases.take()
    yield databases.url(name)
    databases.give_back(name)


def _url_of(server: str, database: str) -> str:
    return server.replace("/trettio?", f"/{database}?")
