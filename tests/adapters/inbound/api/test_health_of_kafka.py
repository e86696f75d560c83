"""/health and /metrics say how far Kafka is, what stands in the way, and what was refused."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from fastapi.testclient import TestClient

from adapters.inbound.kafka.positions import Reason, ReceiptPositions
from adapters.outbound.kafka.position import PublishedUpTo, Trouble
from adapters.outbound.tokens import Scope
from tests.support.house import House, open_house


def told(house: House) -> str:
    token = house.installation.tokens.create(
        name="prometheus", staff_id="prometheus", scopes=frozenset({Scope.METRICS})
    )
    visitor = TestClient(house.client.app)
    return visitor.get("/metrics", headers={"Authorization": f"Bearer {token}"}).text


def test_health_and_metrics_tell_of_kafka_once_anything_was_published(
    database_url: str, tmp_path: Path
) -> None:
    with open_house(database_url, tmp_path) as house:
        visitor = TestClient(house.client.app)
        assert visitor.get("/health").json()["kafka"] is None
        assert "trettio_kafka" not in told(house)

        database = house.installation.database
        row = PublishedUpTo(database, "kafka")
        row.begin()
        with row.held(0) as connection:
            assert connection is not None
            row.move(connection, 3, 2)
        row.say(Trouble.UNREADABLE, after=3, at=4)
        row.say(Trouble.KAFKA_AWAY, after=0)  # somebody who does not know how far the others are
        positions = ReceiptPositions(database, "trettio.receipts.v1", UUID(int=1))
        positions.begin(0, first=0, end=9)
        database.run(positions.moved(0, after=0, to=2, end=9), positions.refused(0, 1, Reason.LOST))

        health = visitor.get("/health").json()
        assert health["kafka"] == {
            "published_position": 3,
            "behind": house.events() - 3,
            "trouble": "unreadable",
            "trouble_position": 4,
            "trouble_since": health["kafka"]["trouble_since"],
            "receipts_taken": 1,
            "receipts_behind": 7,
            "receipts_trouble": None,
            "receipts_refused": {"lost": 1},
        }
        assert health["warnings"][-2:] == [
            "nothing is published to Kafka: unreadable at position 4",
            "1 receipts were refused in the last week",
        ]
        figures = told(house)
        for line in (
            "trettio_kafka_published_position_total 3.0",
            "trettio_kafka_stopped 1.0",
            "trettio_kafka_messages_total 2.0",
            "trettio_kafka_receipts_behind 7.0",
            'trettio_kafka_receipts_refused_total{reason="lost"} 1.0',
        ):
            assert line in figures
