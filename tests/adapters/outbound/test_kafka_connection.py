"""How we connect to Kafka, and what is said when we cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.outbound.kafka.connection import KafkaNotUsable, options
from adapters.settings import SettingsWrong, load_settings


def test_what_kafka_is_given_follows_from_the_settings(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("hemmelig\n")
    given = options(
        load_settings(
            {
                "TRETTIO_KAFKA": "one:9092, two:9092",
                "TRETTIO_KAFKA_SECURITY": "SASL_SSL",
                "TRETTIO_KAFKA_USER": "trettio",
                "TRETTIO_KAFKA_PASSWORD_FILE": str(secret),
            }
        )
    )

    assert given["bootstrap_servers"] == ["one:9092", "two:9092"]
    assert given["security_protocol"] == "SASL_SSL"
    assert given["sasl_mechanism"] == "SCRAM-SHA-512"
    assert (given["sasl_plain_username"], given["sasl_plain_password"]) == ("trettio", "hemmelig")
    assert given["ssl_context"].check_hostname


def test_a_password_is_needed_where_kafka_asks_who_we_are() -> None:
    with pytest.raises(SettingsWrong, match="TRETTIO_KAFKA_USER and TRETTIO_KAFKA_PASSWORD"):
        load_settings({"TRETTIO_KAFKA": "one:9092", "TRETTIO_KAFKA_SECURITY": "SASL_SSL"})


def test_a_certificate_needs_its_key() -> None:
    with pytest.raises(SettingsWrong, match="belong together"):
        load_settings({"TRETTIO_KAFKA": "one:9092", "TRETTIO_KAFKA_CERTIFICATE": "/our.pem"})


def test_a_file_without_certificates_stops_with_the_variable_that_names_it(tmp_path: Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("no certificate")
    settings = load_settings(
        {
            "TRETTIO_KAFKA": "one:9092",
            "TRETTIO_KAFKA_SECURITY": "SSL",
            "TRETTIO_KAFKA_CA": str(empty),
        }
    )

    with pytest.raises(KafkaNotUsable, match="TRETTIO_KAFKA_CA"):
        options(settings)


def test_without_brokers_nothing_can_be_published() -> None:
    with pytest.raises(KafkaNotUsable, match="TRETTIO_KAFKA is not set"):
        options(load_settings({}))
