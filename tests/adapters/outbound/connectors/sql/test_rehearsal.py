"""A mapping is tried on one person without effect, and tells what to allow (Art. 25)."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import adapters.demo
from adapters.inbound.cli.main import app
from adapters.outbound.connectors.sql.rehearsal import rehearse
from domain.vocabulary import Outcome
from services.ports import Treatment
from tests.adapters.outbound.connectors.sql.test_sql import KARI
from tests.support.sql_shop import LINES, Shop, connected, quoted


def test_a_rehearsal_shows_every_statement_and_changes_nothing(kari_bought: Shop) -> None:
    before = kari_bought.everything()

    rehearsal = rehearse(kari_bought.connector(), KARI)

    assert kari_bought.everything() == before
    assert rehearsal.records == {"order": 1, "customer": 1}
    shown = "\n".join(statement.text for statement in rehearsal.statements)
    assert "vik" not in shown.casefold()
    erasing = {s.text.split()[2]: s.rows for s in rehearsal.statements if s.text[:6] == "DELETE"}
    name = LINES.replace("`", "``") if kari_bought.is_mariadb else quoted(LINES)
    assert {rows for table, rows in erasing.items() if name.split()[0] in table} == {2}
    assert sorted(erasing.values()) == [1, 1, 2, 2]


def test_the_rights_that_it_tells_are_enough(kari_bought: Shop) -> None:
    """Least privilege: a user with these and nothing else can find and erase."""
    grants = rehearse(kari_bought.connector(), KARI).grants
    with connected(kari_bought.url) as connection, connection.cursor() as cursor:
        if kari_bought.is_mariadb:
            cursor.execute("SET sql_mode = ''")
            cursor.execute("CREATE USER trettio@localhost IDENTIFIED BY 'pw'")
            allowed = [grant.replace("TO trettio", "TO trettio@localhost") for grant in grants]
        else:
            cursor.execute("CREATE ROLE reader LOGIN PASSWORD 'pw'")
            cursor.execute(f"GRANT USAGE ON SCHEMA {kari_bought.schema} TO reader")
            allowed = [grant.replace("TO trettio", "TO reader") for grant in grants]
        for grant in allowed:
            cursor.execute(grant)
        begin, _, server = kari_bought.url.partition("@")
        name = "trettio" if kari_bought.is_mariadb else "reader"
        kari_bought.url = f"{begin.partition('://')[0]}://{name}@{server}"
        kari_bought.extra = {"password": "pw"}
        try:
            connector = kari_bought.connector()
            results = [
                connector.erase(KARI, Treatment(one.key, one.kind), key="k").outcome
                for one in list(connector.find(KARI))
            ]
        finally:
            kari_bought.url = f"{begin}@{server}"
            if kari_bought.is_mariadb:
                cursor.execute("DROP USER trettio@localhost")
            else:
                cursor.execute("DROP OWNED BY reader")
                cursor.execute("DROP ROLE reader")

    assert results == [Outcome.ERASED, Outcome.ERASED]


@pytest.mark.parametrize("url", ["mariadb_url"], indirect=True)
def test_the_command_asks_for_the_address_and_keeps_it_to_itself(
    kari_bought: Shop, database_url: str, tmp_path: Path
) -> None:
    """No personal data stands on a command line, where others see and shells keep it."""
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    (profiles / "fjordscenen.toml").write_text(_profile(kari_bought), encoding="utf-8")
    configuration = kari_bought.configuration()
    secrets = {
        f"TRETTIO_SYSTEM__FJORDSCENEN__DATABASE__{key.upper()}": configuration[key]
        for key in ("url", "digest_key")
    }
    ours = {"DATABASE_URL": database_url, "HOME": str(tmp_path), "PROFILES": str(profiles)}
    ran = CliRunner().invoke(
        app,
        ["system", "dry-run", "fjordscenen", "database"],
        input="kari@vik.example\n",
        env=secrets | {f"TRETTIO_{name}": value for name, value in ours.items()},
    )

    assert ran.exit_code == 0, ran.output
    assert "2 rows  DELETE FROM" in ran.stdout
    assert "1 records of kind customer" in ran.stdout
    assert "GRANT SELECT, UPDATE, DELETE ON" in ran.stdout
    assert ran.output.count("kari@vik.example") == 1  # as it was typed
    assert kari_bought.one("SELECT count(*) FROM customers") == 2


def _profile(shop: Shop) -> str:
    """A fictional organisation's profile with one more system."""
    organisation = Path(adapters.demo.__file__).parent / "organisations" / "fjordscenen.toml"
    return organisation.read_text(encoding="utf-8") + SYSTEM.replace(
        "MAPPING", str(shop.folder / "mapping.toml")
    )


SYSTEM = """
[[systems]]
id = "database"
name = "Database"
role = "internal"
delivery = "connector"
connector = "sql"
holdings = [
    { kind = "customer", category = "profile" },
    { kind = "order", category = "purchases" },
]
options.mapping = "MAPPING"
"""
