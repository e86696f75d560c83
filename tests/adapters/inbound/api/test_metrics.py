"""`/metrics`: figures that Prometheus understands, alike at every process, about nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from adapters.outbound.kafka.position import PublishedUpTo
from adapters.outbound.tokens import Scope
from tests.support.house import KARI, NORWAY, SWEDEN, House, open_house
from tests.support.steps import asked_for_access
from tests.support.web import web

ALERTS = Path(__file__).parents[4] / "deploy" / "prometheus-alerts.yaml"
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(scope="module")
def house(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """In Norway one request is open and one message waits; Sweden has had nothing yet.

    Something publishes to Kafka.
    """
    with open_house(module_database_url, tmp_path_factory.mktemp("house")) as opened:
        asked_for_access(opened)
        opened.receive("Slett alt dere har om meg.")
        PublishedUpTo(opened.installation.database, "kafka").begin()
        yield opened


def scrape(house: House, *controllers: str, scope: Scope = Scope.METRICS) -> tuple[int, str]:
    token = house.installation.tokens.create(
        name="prometheus",
        staff_id="prometheus",
        scopes=frozenset({scope}),
        controllers=frozenset(controllers),
    )
    client = TestClient(web(house.installation))
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code, answer.text


def samples(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_figures_are_what_there_is(house: House) -> None:
    status, text = scrape(house)
    found = samples(text)
    assert status == 200
    assert found["trettio_requests", (("controller", NORWAY), ("outcome", "open"))] == 1
    assert found["trettio_inbox_messages", (("controller", NORWAY),)] == 1
    assert found["trettio_inbox_messages", (("controller", SWEDEN),)] == 0
    assert found["trettio_log_position_total", ()] == house.events()
    assert all(
        value == 0 for (name, _), value in found.items() if name == "trettio_view_events_behind"
    )
    assert "process_resident_memory_bytes" in text


def test_it_takes_the_scope_metrics_and_no_other(house: House) -> None:
    assert TestClient(web(house.installation)).get("/metrics").status_code == 401
    for scope in set(Scope) - {Scope.METRICS}:
        assert scrape(house, scope=scope)[0] == 403


def test_a_token_for_one_controller_is_told_of_no_other(house: House) -> None:
    _, text = scrape(house, SWEDEN)
    assert SWEDEN in text
    assert NORWAY not in text


def test_nothing_in_it_is_personal_and_there_is_little_of_it(house: House) -> None:
    _, text = scrape(house)
    for word in (KARI, "Testesen", "ola"):
        assert word not in text
    assert len(samples(text)) < 250


def test_two_processes_tell_the_same_of_the_installation(house: House) -> None:
    def of_the_installation() -> Samples:
        moving = ("trettio_inbox_oldest_seconds", "trettio_tasks_oldest_due_seconds")
        found = samples(scrape(house)[1])
        return {
            k: v for k, v in found.items() if k[0].startswith("trettio_") and k[0] not in moving
        }

    assert of_the_installation() == of_the_installation()


def test_every_alert_asks_for_something_there_is(house: House) -> None:
    text = scrape(house)[1]
    names = {name for name, _ in samples(text)}
    names |= {family.name for family in text_string_to_metric_families(text)}
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) > 5
    for rule in rules:
        asked = {word for word in _words(rule["expr"]) if word.startswith("trettio_")}
        assert asked, rule["alert"]
        assert asked <= names, rule["alert"]
        assert rule["annotations"]["summary"]


def _words(expression: str) -> set[str]:
    kept = "".join(c if c.isalnum() or c == "_" else " " for c in expression)
    return set(kept.split())
