"""A database in trouble: nothing is said to be done that is not (Art. 5(2), 32)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.outbound.connectors import Misconfigured
from adapters.outbound.connectors.sql import mariadb, postgresql
from adapters.outbound.connectors.sql.plan import plan
from adapters.outbound.connectors.sql.search import asked, selected
from domain.vocabulary import Outcome
from services.ports import NotSetUp, Refused, Treatment, Unavailable
from tests.adapters.outbound.connectors.sql.test_sql import KARI, found
from tests.support.components import free_port
from tests.support.cut_line import Line, line_to
from tests.support.sql_shop import Shop, connected

HERE = "127.0.0.1"
ORDER = Treatment("[11]", "order")


@contextmanager
def over_a_line(shop: Shop, breaks: str) -> Iterator[Line]:
    """The connector's way to the server, over a line that breaks once."""
    direct = shop.url
    parts = urlsplit(direct)
    query = parse_qs(parts.query)
    if shop.is_mariadb:
        server = query["socket"][0]
    else:
        server = str(Path(query["host"][0]) / f".s.PGSQL.{query.get('port', ['5432'])[0]}")
    with line_to(server, breaks=breaks) as line:
        name = parts.netloc.rpartition("@")[0]
        shop.url = f"{parts.scheme}://{name}@{HERE}:{line.port}{parts.path}"
        try:
            yield line
        finally:
            shop.url = direct


def test_an_erasure_whose_answer_is_lost_is_looked_up(kari_bought: Shop) -> None:
    with over_a_line(kari_bought, "reply") as line:
        result = kari_bought.connector().erase(KARI, ORDER, key="k")

        assert line.broken
    assert result.outcome is Outcome.ERASED
    assert kari_bought.one("SELECT count(*) FROM orders WHERE id = 11") == 0


def test_an_anonymisation_whose_answer_is_lost_is_looked_up(kari_bought: Shop) -> None:
    with over_a_line(kari_bought, "reply"):
        anonymise = Treatment("[11]", "order", anonymise=True)
        result = kari_bought.connector().erase(KARI, anonymise, key="k")

    assert result.outcome is Outcome.ANONYMISED


@pytest.mark.parametrize("anonymise", [False, True])
def test_an_erasure_that_never_arrived_is_tried_later(kari_bought: Shop, anonymise: bool) -> None:
    before = kari_bought.everything()
    treatment = Treatment("[11]", "order", anonymise=anonymise)
    with over_a_line(kari_bought, "call"):
        connector = kari_bought.connector()
        with pytest.raises(Unavailable, match="undone"):
            connector.erase(KARI, treatment, key="k")

        assert kari_bought.everything() == before
        result = connector.erase(KARI, treatment, key="k")

    assert result.outcome in {Outcome.ERASED, Outcome.ANONYMISED}


def test_a_row_that_somebody_holds_is_tried_later(
    kari_bought: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mariadb, "LOCK_SECONDS", 1)
    monkeypatch.setattr(postgresql, "LOCK_SECONDS", 1)
    connector = kari_bought.connector()
    with connected(kari_bought.url) as other, other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(f"SELECT * FROM {kari_bought.schema}.orders WHERE id = 11 FOR UPDATE")

        with pytest.raises(Unavailable):
            connector.erase(KARI, ORDER, key="k")
        cursor.execute("ROLLBACK")

    assert connector.erase(KARI, ORDER, key="k").outcome is Outcome.ERASED


def test_a_search_can_change_nothing(kari_bought: Shop) -> None:
    engine = kari_bought.connector().engine
    table = engine.quoted(kari_bought.schema, "orders")
    with engine.reading() as session, pytest.raises((Refused, Unavailable)):
        session.change(f"DELETE FROM {table}", [])


def test_a_database_that_is_away_or_lets_nobody_in_says_so(kari_bought: Shop) -> None:
    scheme = urlsplit(kari_bought.url).scheme
    direct = kari_bought.url
    kari_bought.url = f"{scheme}://x:secret-word@{HERE}:{free_port()}/shop"
    with pytest.raises(Unavailable) as away:
        found(kari_bought)
    assert "secret-word" not in str(away.value)
    kari_bought.url = direct.replace("root@", "nobody:x@").replace("trettio:", "trettio:not")
    with pytest.raises(NotSetUp) as wrong:
        found(kari_bought)
    kari_bought.url = direct
    assert "wrong" in str(wrong.value)


@pytest.mark.parametrize("url", ["postgres_url"], indirect=True)
def test_values_that_python_has_not_are_shown_as_they_are(kari_bought: Shop) -> None:
    kari_bought.do("UPDATE customers SET last_order_on = 'infinity' WHERE id = 1")

    kari = next(record for record in found(kari_bought) if record.kind == "customer")

    assert kari.fields["last_order_on"] == "infinity"
    assert kari.anchors == {}


@pytest.mark.parametrize("url", ["mariadb_url"], indirect=True)
def test_a_table_without_transactions_is_refused(own_shop: Shop) -> None:
    own_shop.do(
        "DROP TABLE stopped;\nCREATE TABLE stopped (address VARCHAR(99), why INT) ENGINE=MyISAM"
    )

    with pytest.raises(NotSetUp, match="knows no transactions"):
        found(own_shop)


def test_among_a_hundred_thousand_the_index_is_used(own_shop: Shop) -> None:
    """Told by the database's own plan, which does not depend on the day's load."""
    if own_shop.is_mariadb:
        own_shop.do(
            "INSERT INTO customers (id, email, last_name, newsletter)"
            " SELECT seq + 100, concat('p', seq, '@vik.example'), 'X', TRUE FROM seq_1_to_100000;\n"
            "CREATE INDEX by_email ON customers (email);\nANALYZE TABLE customers"
        )
    else:
        own_shop.do(
            "INSERT INTO customers (id, email, last_name, newsletter) SELECT n + 100,"
            " concat('p', n, '@vik.example'), 'X', TRUE FROM generate_series(1, 100000) AS n;\n"
            "CREATE INDEX ON customers (lower(email));\nANALYZE customers"
        )
    connector = own_shop.connector()
    with connector.engine.reading() as session:
        laid = plan(connector._current(), session.catalogue())
        root = laid.kinds[0].root
        identifiers = laid.kinds[0].said.identifiers
        [(condition, values)] = asked(connector.engine, root.table, identifiers, KARI)
        statement = f"EXPLAIN {selected(connector.engine, root)} WHERE {condition}"
        explained = repr(session.rows(statement, values))

    assert "by_email" in explained or "customers_lower_idx" in explained
    assert "Seq Scan" not in explained
    assert [record.key for record in found(own_shop)] == ["[11]", "[1]"]


def test_an_address_that_is_none_is_said_at_once(kari_bought: Shop) -> None:
    for url in (
        "oracle://x/y",
        "mariadb://root@localhost",
        "postgresql://[",
        "postgresql://a b@/x?y",
    ):
        kari_bought.url, direct = url, kari_bought.url
        with pytest.raises(Misconfigured, match="sql's 'url'"):
            kari_bought.connector()
        kari_bought.url = direct
