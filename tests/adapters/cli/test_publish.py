"""`trettio publish` says in one line what is missing, and makes the topics when asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.inbound.cli.main import app
from adapters.outbound.kafka.connection import KafkaNotUsable
from adapters.outbound.kafka.topics import check_topics
from tests.support.bus import settings_of
from tests.support.kafka import Broker


def publish(*words: str, **environment: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["publish", *words], env=environment)
    return done.exit_code, done.stdout + done.stderr


def test_what_is_missing_is_said_in_one_line(database_url: str, tmp_path: Path) -> None:
    home = {"TRETTIO_HOME": str(tmp_path)}
    assert publish("--create-topics", **home) == (
        2,
        "trettio: TRETTIO_KAFKA is not set: name your brokers, as in kafka:9092\n",
    )
    code, said = publish("--only-publish", **home, TRETTIO_DATABASE_URL=database_url)
    assert (code, said.count("\n")) == (2, 1)
    assert "TRETTIO_KAFKA is not set" in said
    code, said = publish("--only-publish", **home, TRETTIO_KAFKA="127.0.0.1:9")
    assert (code, said.count("\n")) == (2, 1)
    assert "TRETTIO_DATABASE_URL" in said


def test_topics_are_made_once_and_those_that_forget_are_refused(
    kafka: Broker, database_url: str
) -> None:
    settings = settings_of(kafka, database_url)
    with pytest.raises(KafkaNotUsable, match="trettio publish --create-topics"):
        check_topics(settings)
    words = ("--create-topics", "--partitions", "2", "--replicas", "1")
    assert publish(*words, TRETTIO_KAFKA=kafka.address)[1].count("trettio.") == 3
    assert "there already" in publish(*words, TRETTIO_KAFKA=kafka.address)[1]
    assert len(set(check_topics(settings).values())) == 3

    kafka.empty()
    kafka.create("trettio.requests.v1", "trettio.instructions.v1", "trettio.receipts.v1")
    with pytest.raises(KafkaNotUsable, match="7 days only"):
        check_topics(settings)
