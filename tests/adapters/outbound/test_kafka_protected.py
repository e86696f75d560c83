"""Kafka behind TLS and SCRAM: our settings open it, wrong ones say which of them is wrong."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer

from adapters.outbound.kafka import connection
from adapters.outbound.kafka.connection import (
    KafkaNotUsable,
    administration,
    options,
    reaching,
)
from adapters.settings import Settings, load_settings
from tests.support.certificates import Authority
from tests.support.kafka import Broker, broker

PROPERTIES = """
listeners=SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=SASL_SSL://127.0.0.1:{port}
listener.security.protocol.map=SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=SASL_SSL
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required username="trettio" password="rett";
ssl.keystore.type=PEM
ssl.keystore.location=CERTIFICATE
ssl.truststore.type=PEM
ssl.truststore.location=AUTHORITY
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:trettio;User:ANONYMOUS
"""
USERS = {"trettio": "rett", "stranger": "fremmed"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.founded(tmp_path_factory.mktemp("authority") / "ca.pem")


@pytest.fixture(scope="module")
def protected(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Broker]:
    """A broker that nobody reaches without TLS, a user of its own, and rights."""
    folder = tmp_path_factory.mktemp("protected-kafka")
    certificate = authority.issue(folder / "server.pem")
    scram = [f"--add-scram SCRAM-SHA-512=[name={user},password={USERS[user]}]" for user in USERS]
    client = {
        "security_protocol": "SASL_SSL",
        "ssl_context": ssl.create_default_context(cafile=str(authority.certificate)),
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "trettio",
        "sasl_plain_password": USERS["trettio"],
    }
    with broker(
        folder,
        properties=PROPERTIES.replace("CERTIFICATE", str(certificate)).replace(
            "AUTHORITY", str(authority.certificate)
        ),
        storage=" ".join(scram),
        client=client,
    ) as running:
        yield running


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BOOTSTRAP_MILLISECONDS", 1_500)


def settings_for(protected: Broker, authority: Authority, folder: Path, **other: str) -> Settings:
    password = folder / "password"
    password.write_text(USERS["trettio"] + "\n")
    given: Mapping[str, str] = {
        "TRETTIO_KAFKA": protected.address,
        "TRETTIO_KAFKA_SECURITY": "SASL_SSL",
        "TRETTIO_KAFKA_MECHANISM": "SCRAM-SHA-512",
        "TRETTIO_KAFKA_USER": "trettio",
        "TRETTIO_KAFKA_PASSWORD_FILE": str(password),
        "TRETTIO_KAFKA_CA": str(authority.certificate),
    }
    return load_settings(
        {**given, **{f"TRETTIO_KAFKA_{name}": value for name, value in other.items()}}
    )


def test_a_message_goes_through_tls_and_scram(
    protected: Broker, authority: Authority, tmp_path: Path
) -> None:
    settings = settings_for(protected, authority, tmp_path)
    protected.create("sealed", partitions=1)

    with reaching(settings):
        producer = KafkaProducer(**options(settings))
        producer.send("sealed", b"hemmelig").get(timeout=30)
        producer.close()
        consumer = KafkaConsumer(
            "sealed", **options(settings), auto_offset_reset="earliest", consumer_timeout_ms=30_000
        )
        assert next(consumer).value == b"hemmelig"
        consumer.close()


def test_a_wrong_password_is_told_as_that(
    protected: Broker, authority: Authority, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("galt")
    settings = settings_for(protected, authority, tmp_path, PASSWORD_FILE=str(wrong))

    with (
        pytest.raises(
            KafkaNotUsable, match=r"TRETTIO_KAFKA_USER (with this|or its) password"
        ) as told,
        administration(settings) as client,
    ):
        client.list_topics()
    assert "galt" not in str(told.value)


def test_a_broker_that_nobody_we_trust_vouches_for_is_told_as_that(
    protected: Broker, authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority.founded(tmp_path / "another.pem")
    settings = settings_for(protected, authority, tmp_path, CA=str(stranger.certificate))

    with (
        pytest.raises(KafkaNotUsable, match="TRETTIO_KAFKA_CA"),
        administration(settings) as client,
    ):
        client.list_topics()


def test_a_user_without_rights_is_told_where_they_are_listed(
    protected: Broker, authority: Authority, tmp_path: Path
) -> None:
    known = tmp_path / "known"
    known.write_text(USERS["stranger"])
    settings = settings_for(
        protected, authority, tmp_path, USER="stranger", PASSWORD_FILE=str(known)
    )

    with (
        pytest.raises(KafkaNotUsable, match=r"rights in deploy/README\.md"),
        administration(settings) as client,
    ):
        client.create_topics({"theirs": {"num_partitions": 1, "replication_factor": 1}})
