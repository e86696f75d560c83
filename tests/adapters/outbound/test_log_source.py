"""What followers are handed says the same as the events that were saved, decoded when asked."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from eventsourcing.persistence import Mapper, Notification, StoredEvent

from adapters.outbound.log_source import Decoder
from domain.aggregate import Aggregate
from domain.fulfilment import Fulfilment
from projections.projection import Unreadable
from services.register import EventTranscoder
from tests.support.histories import History, teach


class Ship(Aggregate):
    TOPIC = "test-ship"

    class Sailed(Aggregate.Event):
        TOPIC = "test-ship.sailed"
        class_version = 2
        port: str

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            state["port"] = state.pop("harbour")


@pytest.fixture
def mapper() -> Mapper[Any]:
    transcoder = EventTranscoder()
    teach(transcoder)
    return Mapper(transcoder)


def test_every_field_of_every_event_is_what_was_saved(mapper: Mapper[Any]) -> None:
    saved: list[Any] = []
    history = History(3, lambda aggregates: saved.extend(_collected(aggregates)))
    history.run(1_500)
    decoder, topics = Decoder(mapper), set()
    for position, event in enumerate(saved, start=1):
        stored = mapper.to_stored_event(event)
        recorded = decoder.recorded(_notification(stored, position))
        topics.add(recorded.topic)
        assert (recorded.position, recorded.originator_id) == (position, event.originator_id)
        for name, value in vars(event).items():
            if name != "originator_version":
                told = getattr(recorded.body, name)
                assert (tuple(told) if isinstance(value, tuple) else told) == value
    assert len(topics) > 25


def test_a_field_that_was_added_later_takes_its_default(mapper: Mapper[Any]) -> None:
    stored = StoredEvent(uuid4(), 2, Fulfilment.Answered.TOPIC, b'{"system":"tickets"}')
    body = Decoder(mapper).recorded(_notification(stored, 1)).body

    assert (body.system, body.late, len(body.found), body.note) == ("tickets", False, 0, None)


def test_an_event_of_an_older_version_is_brought_up_to_date(mapper: Mapper[Any]) -> None:
    old = StoredEvent(uuid4(), 2, Ship.Sailed.TOPIC, b'{"harbour":"Bergen"}')
    body = Decoder(mapper).recorded(_notification(old, 1)).body

    assert body.port == "Bergen"
    assert body.as_json == {"port": "Bergen"}


@pytest.mark.parametrize(
    ("topic", "state"),
    [("fulfilment.answered", b"not what it was"), ("case.from-the-future", b"{}")],
)
def test_what_cannot_be_read_says_so_when_it_is_asked(
    mapper: Mapper[Any], topic: str, state: bytes
) -> None:
    recorded = Decoder(mapper).recorded(_notification(StoredEvent(uuid4(), 1, topic, state), 7))

    with pytest.raises(Unreadable, match=topic):
        _ = recorded.body.system


def _notification(stored: StoredEvent, position: int) -> Notification:
    return Notification(
        stored.originator_id, stored.originator_version, stored.topic, stored.state, position
    )


def _collected(aggregates: Any) -> list[Any]:
    return [event for aggregate in aggregates for event in aggregate.collect_events()]
