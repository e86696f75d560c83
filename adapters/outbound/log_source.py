"""The log as followers read it: in order, without gaps, decoded once and no more than is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast
from uuid import UUID

import orjson
import structlog
from eventsourcing.persistence import Mapper, Notification
from eventsourcing.utils import resolve_topic

from adapters.outbound.recorder import LogEndsBefore, LogReader, LogReplaced
from projections.projection import Recorded, Unreadable
from services.follower import AnotherLog
from services.register import EventTranscoder

log = structlog.get_logger()


class LogSource:
    """Keeps `services.follower.Log` over a `LogReader`; like it, one serves one thread."""

    def __init__(self, reader: LogReader, mapper: Mapper[UUID]) -> None:
        self._reader, self._decoder = reader, Decoder(mapper)

    def read(self, after: int, limit: int) -> tuple[Sequence[Recorded], int]:
        try:
            batch = self._reader.read(after, limit)
        except (LogEndsBefore, LogReplaced) as error:
            raise AnotherLog(str(error)) from error
        return [self._decoder.recorded(one) for one in batch.notifications], batch.position


class Decoder:
    """Makes of a stored event what views take."""

    def __init__(self, mapper: Mapper[UUID]) -> None:
        self._mapper = mapper
        self.field = cast(EventTranscoder, mapper.transcoder).field

    def recorded(self, one: Notification) -> Recorded:
        body = _Body(one, self)
        return Recorded(one.id, body.originator_id, one.originator_version, one.topic, body)

    def parsed(self, one: Notification) -> dict[str, Any]:
        """The fields as JSON says them, brought up to the version this program knows."""
        try:
            kind = resolve_topic(one.topic)
            said: dict[str, Any] = orjson.loads(one.state)
            if said.pop("class_version", 1) < getattr(kind, "class_version", 1):
                event = self._mapper.to_domain_event(one)
                said = orjson.loads(self._mapper.to_stored_event(event).state)
                del said["class_version"]
        except Exception as error:  # whatever is wrong with one event must not stop the others
            log.warning(
                "event_unreadable", position=one.id, topic=one.topic, error=type(error).__name__
            )
            raise Unreadable(one.topic) from error
        return said


class _Items(Sequence[Any]):
    """The items of a field, decoded one by one for whoever needs more than their number."""

    def __init__(self, said: list[Any], decode: Callable[[Any], Any]) -> None:
        self._said, self._decode = said, decode

    def __len__(self) -> int:
        return len(self._said)

    def __getitem__(self, place: Any) -> Any:
        return tuple(self)[place]

    def __iter__(self) -> Iterator[Any]:
        return map(self._decode, self._said)


class _Body:
    """What an event says, in place of the event: its JSON is parsed, and a field of it decoded,
    when a view first asks for it.
    """

    def __init__(self, one: Notification, decoder: Decoder) -> None:
        self._one, self._decoder = one, decoder
        self.originator_id = cast(UUID, one.originator_id)

    def __getattr__(self, name: str) -> Any:
        """Whatever has not been asked for yet."""
        if name == "as_json":
            value: Any = self._decoder.parsed(self._one)
        elif name in self.as_json:
            said = self.as_json[name]
            field = self._decoder.field
            value = _Items(said, field) if type(said) is list else field(said)
        else:
            # A field that was added since this was recorded has a default.
            value = getattr(resolve_topic(self._one.topic), name)
        self.__dict__[name] = value
        return value
