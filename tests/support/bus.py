"""What tests of Kafka share: instructions put into the log, and what the topics hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from kafka import KafkaConsumer, TopicPartition

from adapters.outbound.database import Database, Statement
from adapters.outbound.kafka.topics import create_topics
from adapters.outbound.recorder import log_environment
from adapters.outbound.taught import teach
from adapters.settings import Settings, load_settings
from domain.aggregate import Aggregate
from domain.instruction import Contract, Instruction, InstructionPurpose, Verb
from domain.vocabulary import IdentifierKind, Right
from services.register import Register
from services.system_tokens import Token
from tests.support.kafka import Broker

CONTROLLER, SYSTEM = "fjordscenen", "loyalty"


def settings_of(broker: Broker, database_url: str, **more: str) -> Settings:
    return load_settings(
        {"TRETTIO_DATABASE_URL": database_url, "TRETTIO_KAFKA": broker.address, **more}
    )


def with_topics(broker: Broker, settings: Settings, *, partitions: int = 3) -> None:
    create_topics(settings, partitions=partitions, replicas=1)


@contextmanager
def writing(database: Database) -> Iterator[Register]:
    register = Register(log_environment(database), teach)
    try:
        yield register
    finally:
        register.close()


def instruction(
    request: UUID | None = None,
    *,
    system: str = SYSTEM,
    delivery: Contract = Contract.KAFKA,
    verb: Verb = Verb.FIND,
) -> Instruction:
    """One that was just given."""
    now = datetime.now(UTC)
    return Instruction(
        controller=CONTROLLER,
        system=system,
        delivery=delivery,
        verb=verb,
        purpose=InstructionPurpose.REQUEST,
        request_id=request or uuid4(),
        case_id=uuid4(),
        right=Right.ERASURE,
        key=f"key/{uuid4()}",
        due_on=date(2027, 3, 1),
        ends_at=now + timedelta(days=100),
        erased_before=None,
        records=(),
        timestamp=now,
    )


def save(register: Register, *aggregates: Aggregate, tokens: Sequence[Token] = ()) -> None:
    """With tokens for every instruction, as `Instructions.give` would save it."""
    also = [
        Statement(
            "INSERT INTO trettio.instruction_tokens"
            " (instruction_id, kind, version, token, ends_at) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [one.id, token.kind.value, token.version, bytes.fromhex(token.value), one.ends_at],
        )
        for one in aggregates
        if isinstance(one, Instruction)
        for token in tokens or [_token_of(one)]
    ]
    register.save_all(aggregates, also)


def _token_of(one: Instruction) -> Token:
    return Token(IdentifierKind.EMAIL, 1, hashlib.sha256(one.id.bytes).hexdigest())


@dataclass(frozen=True)
class Read:
    """One message as it lies in a topic."""

    partition: int
    offset: int
    key: str
    said: dict[str, Any]
    headers: Sequence[tuple[str, bytes]]
    timestamp: int

    @property
    def id(self) -> str:
        return str(self.said["id"])

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = self.said["data"]
        return data


def held(broker: Broker, topic: str) -> list[Read]:
    """Everything that a topic holds, partition by partition."""
    consumer = KafkaConsumer(**broker.client, group_id=None, enable_auto_commit=False)
    try:
        partitions = [
            TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()
        ]
        ends = consumer.end_offsets(partitions)
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        found = []
        while any(consumer.position(one) < ends[one] for one in partitions):
            for records in consumer.poll(timeout_ms=200).values():
                found += [
                    Read(
                        record.partition,
                        record.offset,
                        record.key.decode(),
                        json.loads(record.value),
                        record.headers,
                        record.timestamp,
                    )
                    for record in records
                ]
        return sorted(found, key=lambda one: (one.partition, one.offset))
    finally:
        consumer.close(autocommit=False)
