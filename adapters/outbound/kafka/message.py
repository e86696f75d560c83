"""One message for Kafka: its topic, its key, its bytes, and the place in the log it tells of."""

from __future__ import annotations

from dataclasses import dataclass

HEADERS = [("content-type", b"application/cloudevents+json; charset=UTF-8")]


@dataclass(frozen=True, slots=True)
class Message:
    """A CloudEvent in structured mode. `id` is the same whenever this event is published."""

    topic: str
    key: bytes
    id: str
    position: int
    value: bytes
