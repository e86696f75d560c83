"""What is public reaches Kafka: at least once, in order, always under the same id."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from adapters.contract.messages import INSTRUCTIONS, REQUESTS, InstructionMessage, RequestMessage
from adapters.outbound.database import Database
from adapters.outbound.kafka.facts import FACTS
from adapters.outbound.kafka.publisher import Publisher
from adapters.outbound.recorder import incarnation
from adapters.publishing import Publishing, follow_restored
from adapters.settings import Settings
from domain.instruction import Contract
from services.follower import AnotherLog, Follower
from tests.support.bus import held, instruction, save, settings_of, with_topics, writing
from tests.support.histories import History, opened_register
from tests.support.kafka import Broker


@pytest.fixture
def settings(kafka: Broker, database_url: str) -> Settings:
    settings = settings_of(kafka, database_url)
    with_topics(kafka, settings)
    return settings


@contextmanager
def publishing(settings: Settings, database: Database) -> Iterator[tuple[Follower, Publisher]]:
    follower, publisher = Publishing(settings, database).follower()
    try:
        yield follower, publisher
    finally:
        publisher.close()


def test_an_instruction_is_told_over_kafka_and_only_where_kafka_is_the_way(
    kafka: Broker, settings: Settings, database: Database
) -> None:
    told = instruction()
    with writing(database) as register:
        save(register, told, instruction(delivery=Contract.WEBHOOK))
        with publishing(settings, database) as (follower, _):
            follower.drain()

    (message,) = held(kafka, INSTRUCTIONS)
    read = InstructionMessage.model_validate(message.said)
    assert read.data.instruction == told.id
    assert read.data.tokens
    assert message.key == str(told.request_id)
    assert read.incarnation == incarnation(database)
    assert dict(message.headers)["content-type"].startswith(b"application/cloudevents+json")


def test_what_is_told_again_names_the_same_instruction_under_an_id_of_its_own(
    kafka: Broker, settings: Settings, database: Database
) -> None:
    told = instruction()
    with writing(database) as register:
        save(register, told)
        with publishing(settings, database) as (follower, _):
            follower.drain()
            told = register.repository.get(told.id)
            told.repeat(by="ola", reason="asked-for", at=told.given_at)
            save(register, told)
            follower.drain()

    first, second = held(kafka, INSTRUCTIONS)
    assert first.data == second.data
    assert first.id != second.id
    assert first.partition == second.partition


def test_a_publisher_that_died_before_it_put_down_what_it_sent_sends_nothing_twice(
    kafka: Broker, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 6: the publisher resumes from what it stored and what the topic holds."""

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with writing(database) as register:
        for _ in range(5):
            save(register, instruction())
        with publishing(settings, database) as (follower, publisher):
            monkeypatch.setattr(publisher._row, "move", die)
            with pytest.raises(Killed):
                follower.drain()
        before = held(kafka, INSTRUCTIONS)
        save(register, instruction())
        with publishing(settings, database) as (follower, _):
            follower.drain()

    assert len(before) == 5
    after = held(kafka, INSTRUCTIONS)
    assert len({one.id for one in after}) == len(after) == 6


def test_two_publishers_share_the_work_without_doing_it_twice(
    kafka: Broker, settings: Settings, database: Database, database_url: str
) -> None:
    with (
        writing(database) as register,
        Database(database_url) as other,
        publishing(settings, database) as (one, _),
        publishing(settings, other) as (two, _),
    ):
        for follower in (one, two, one, two):
            save(register, instruction())
            follower.step()
            follower.step()
            follower._resting.clear()

    assert len(held(kafka, INSTRUCTIONS)) == 4


def test_an_event_that_cannot_be_told_stops_everything_after_it_until_it_can(
    kafka: Broker, settings: Settings, database: Database
) -> None:
    """A poison event never parks: the publisher stops and alarms."""
    first, poison, last = instruction(), instruction(), instruction()
    with writing(database) as register, publishing(settings, database) as (follower, _):
        save(register, first)
        save(register, poison)
        save(register, last)
        # A token that is none: the message would not be what partners were promised.
        database.fetch(
            "UPDATE trettio.instruction_tokens SET token = 'x' WHERE instruction_id = %s",
            [poison.id],
        )
        follower.step()
        (row,) = database.fetch("SELECT * FROM trettio.publications")
        assert row["trouble"] == "unreadable"
        assert row["position"] == row["trouble_position"] - 1
        assert [m.data["instruction"] for m in held(kafka, INSTRUCTIONS)] == [str(first.id)]

        database.fetch(
            "UPDATE trettio.instruction_tokens SET token = sha256('x') WHERE instruction_id = %s",
            [poison.id],
        )
        follower._resting.clear()
        follower.drain()

    (row,) = database.fetch("SELECT * FROM trettio.publications")
    assert row["trouble"] is None
    told = {m.data["instruction"] for m in held(kafka, INSTRUCTIONS)}
    assert told == {str(one.id) for one in (first, poison, last)}


def test_a_log_from_a_backup_is_published_only_once_somebody_says_so(
    kafka: Broker, settings: Settings, database: Database
) -> None:
    with writing(database) as register:
        save(register, instruction())
        with publishing(settings, database) as (follower, _):
            follower.drain()
        database.fetch("UPDATE trettio.incarnation SET id = gen_random_uuid()")
        save(register, instruction())
        with pytest.raises(AnotherLog, match="--after-restore"):
            Publishing(settings, database).follower()
        (row,) = database.fetch("SELECT trouble FROM trettio.publications")
        assert row["trouble"] == "another-log"

        follow_restored(database)
        with publishing(settings, database) as (follower, _):
            follower.drain()

    old, new = sorted(held(kafka, INSTRUCTIONS), key=lambda one: int(one.said["logposition"]))
    assert old.said["incarnation"] != new.said["incarnation"]


def test_the_life_of_a_request_is_told_in_order_and_nothing_about_anybody(
    kafka: Broker, settings: Settings, database: Database
) -> None:
    with opened_register(database) as register:
        History(3, register.save_all).run(600)
        with publishing(settings, database) as (follower, _):
            follower.drain()
    public = {
        row["notification_id"]
        for row in database.fetch(
            "SELECT notification_id FROM trettio.log WHERE topic = ANY(%s)", [list(FACTS)]
        )
    }
    messages = held(kafka, REQUESTS)
    told = [RequestMessage.model_validate(one.said) for one in messages]

    assert {int(one.logposition) for one in told} == public
    assert {one.data.fact for one in told} >= {"received", "identity-verified", "planned"}
    last: dict[str, int] = {}
    for one in told:
        assert last.get(one.partitionkey, 0) < int(one.logposition)
        last[one.partitionkey] = int(one.logposition)
