"""The systems in deploy/examples: complete, and true of a real service and a real broker."""

from __future__ import annotations

import importlib.util
import json
import re
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest

from adapters.contract.messages import INSTRUCTIONS, RECEIPTS
from adapters.outbound.system_keys import token
from domain.request import Status
from domain.vocabulary import Country, IdentifierKind, Outcome, Right
from services.ports import Identifier
from tests.support.bus import held
from tests.support.connected import Connected, connected
from tests.support.contract import validator
from tests.support.kafka import Broker, jars
from tests.support.processes import ROOT, Process

EXAMPLES = ROOT / "deploy" / "examples"
KARI, NORA = "kari.testesen@person.example", "nora.tidligere@person.example"
SHOP, CLUB = "shop", "club"


@pytest.fixture
def town(database_url: str, tmp_path: Path, kafka: Broker) -> Iterator[Connected]:
    with connected(tmp_path, database_url, kafka, SHOP, CLUB) as town:
        yield town


def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "connected_system", EXAMPLES / "connected_system.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def open_shop(town: Connected) -> tuple[Path, Process]:
    """The Python example with two customers of its own."""
    path, environment = town.folder / "shop.db", town.environment(SHOP)
    shop = example().Shop(str(path), environment["KEY"])
    shop.add(1, "Kari Testesen", KARI, "2021-05-06T10:00:00Z")
    shop.add(2, "Nora Tidligere", NORA, "2022-01-02T10:00:00Z")
    with shop.db:
        shop.db.execute("INSERT INTO purchase VALUES (11, 1, 490.0, '2022-05-11')")
        shop.db.execute("INSERT INTO purchase VALUES (12, 2, 120.0, '2022-05-12')")
    shop.db.close()
    command = [sys.executable, str(EXAMPLES / "connected_system.py"), str(path)]
    return path, town.process(SHOP, command, environment)


def open_club(town: Connected) -> Path:
    """The Java example with the same two people as members."""
    path = town.folder / "club.json"
    members = {
        "7": {
            "email": KARI,
            "name": "Kari Testesen",
            "points": 40,
            "since": "2021-05-06T10:00:00Z",
        },
        "8": {
            "email": NORA,
            "name": "Nora Tidligere",
            "points": 7,
            "since": "2022-01-02T10:00:00Z",
        },
    }
    path.write_text(json.dumps({"members": members, "answers": {}}))
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx64m"]
    program = str(EXAMPLES / "java" / "ConnectedSystem.java")
    command = ["java", *quick, "-cp", f"{jars()}/*", program, str(path)]
    town.process(CLUB, command, town.environment(CLUB))
    return path


@pytest.fixture
def shop(tmp_path: Path) -> Any:
    """The Python example's own data, with nobody around it."""
    return example().Shop(str(tmp_path / "shop.db"), f"2:{'0' * 64}")


def told(shop: Any, verb: str, address: str = KARI, **more: object) -> dict[str, Any]:
    token = {"kind": "email", "version": 2, "token": shop.token(address)}
    about = {"instruction": str(uuid4()), "verb": verb, "tokens": [token], "records": []}
    return {**about, **more}


def test_an_erasure_told_again_after_a_restore_spares_who_came_back(shop: Any) -> None:
    """Nothing newer than the erasure is touched."""
    shop.add(1, "Kari Testesen", KARI, "2021-05-06T10:00:00Z")
    shop.add(2, "Kari Testesen", KARI, "2026-11-02T10:00:00Z")
    kinds = [{"kind": "customer", "decision": "erase"}]
    before = "2026-06-01T12:00:00Z"
    again = told(shop, "erase", purpose="replay", erased_before=before, kinds=kinds)

    answer = example().answered(shop, again)

    assert answer["outcome"] == "done"
    assert shop.db.execute("SELECT id FROM customer").fetchall() == [(2,)]
    assert example().answered(shop, again) == answer, "told twice, it answers the same"


def test_the_example_never_says_nothing_where_it_could_not_look(shop: Any) -> None:
    """Tokens of another version of the key find nobody, which is not that nobody is there."""
    shop.add(1, "Kari Testesen", KARI, "2021-05-06T10:00:00Z")
    foreign = told(shop, "find", tokens=[{"kind": "email", "version": 3, "token": "0" * 64}])

    assert example().answered(shop, foreign)["outcome"] == "needs-person"
    assert example().answered(shop, told(shop, "dance"))["reason"] == "unknown-verb"
    assert example().answered(shop, told(shop, "find", NORA))["outcome"] == "nothing-held"


def test_whoever_wants_no_advertising_gets_none_after_an_import_either(shop: Any) -> None:
    example().answered(shop, told(shop, "suppress"))

    shop.add(1, "Kari Testesen", KARI, "2026-11-02T10:00:00Z")

    assert shop.db.execute("SELECT newsletter FROM customer").fetchall() == [(0,)]


def test_tokens_are_made_as_the_service_makes_them(shop: Any) -> None:
    for address in (KARI, "  Kåre.Ås@BLÅBÆR.example ", "STRASSE@person.example"):
        identifier = Identifier(IdentifierKind.EMAIL, address)

        assert shop.token(address) == token(shop.key, identifier, Country.NO)


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        return connection.execute(query).fetchall()


def test_the_examples_answer_access_and_erasure_from_intake_to_fulfilled(town: Connected) -> None:
    """One of them in another language, written from the AsyncAPI document alone."""
    path, process = open_shop(town)
    club = open_club(town)

    access = town.asks(KARI, Right.ACCESS)
    town.approve(access)
    town.until(access, Status.FULFILLED, Status.CLOSED)
    found = town.installation.register.fulfilment(access.id).found
    assert sorted((one.system, one.kind) for one in found) == [
        (CLUB, "customer"),
        (SHOP, "customer"),
        (SHOP, "purchase"),
    ]

    erasure = town.asks(NORA, Right.ERASURE)
    town.until(erasure, Status.COLLECTED)
    process.kill()
    process.start()
    town.approve(erasure)
    answered = town.until(erasure, Status.FULFILLED, Status.CLOSED)

    assert {one.outcome for one in answered.outcomes} == {Outcome.ERASED}
    assert rows(path, "SELECT id FROM customer") == [(1,)]
    assert rows(path, "SELECT id FROM purchase") == [(11,)]
    assert json.loads(club.read_text())["members"].keys() == {"7"}
    for topic, schema in ((INSTRUCTIONS, "instruction"), (RECEIPTS, "receipt")):
        messages = held(town.broker, topic)
        assert messages
        for message in messages:
            assert list(validator(schema).iter_errors(message.said)) == []
            assert not {"kari", "nora"} & set(re.findall("[a-z]+", str(message.said).lower()))
