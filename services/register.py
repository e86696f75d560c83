"""Register: the event-sourced application; aggregates in, events out, saved together or not at all.

Commands live in the services beside this module, one subject each. They load, decide and `save`;
when somebody was faster they do all of it again, at most three times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from threading import Lock, local
from typing import Any, NamedTuple, ParamSpec, Protocol, TypeVar, cast
from uuid import UUID

import orjson
from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import (
    IntegrityError,
    JSONTranscoder,
    StoredEvent,
    Transcoder,
    TranscodingNotRegisteredError,
)

from domain.aggregate import Aggregate
from domain.balancing import Balancing, balancing_id
from domain.case import Case
from domain.controller import Controller, controller_id
from domain.disclosure import Disclosures, disclosures_id
from domain.erasure_wish import ErasureWish, erasure_wish_id
from domain.errand import Errand
from domain.errors import DomainError, NotAllowedNow
from domain.folder import Folder, folder_id
from domain.fulfilment import Fulfilment, fulfilment_id
from domain.hold import Hold
from domain.information import Information, information_id
from domain.instruction import Instruction
from domain.looks import Looks, looks_id
from domain.marketing_stop import MarketingStop
from domain.portability import DirectTransfer, direct_transfer_id
from domain.rectification import Rectification, rectification_id
from domain.redaction import Redaction, redaction_id
from domain.refusal import Refusal
from domain.replay import Replay
from domain.representation import Representation, representation_id
from domain.request import DataSubjectRequest
from domain.restriction import Restriction, restriction_id
from domain.vocabulary import Right
from domain.withdrawal import Withdrawal, withdrawal_id
from services.known import Known, copy_of
from services.ports import Also

ATTEMPTS = 3

P = ParamSpec("P")
R = TypeVar("R")
A = TypeVar("A", bound=Aggregate)


class UnknownHere(DomainError):
    """There is nothing under that id."""


class SomebodyWasFaster(NotAllowedNow):
    """The same thing was changed at the same time, three times over. Look again, then repeat."""


class Recorder(Protocol):
    """What our recorder offers beyond the library's: versions by moment, several at once."""

    def version_as_of(self, originator_id: UUID, at: datetime) -> int | None: ...

    def versions_as_of(self, originator_ids: Iterable[UUID], at: datetime) -> dict[UUID, int]: ...

    def select_newer(self, known: Mapping[UUID, int]) -> Mapping[UUID, Sequence[StoredEvent]]:
        """What came after these versions; an aggregate that has no such version is left out."""
        ...


_NESTED = frozenset({dict, list})


class EventTranscoder(JSONTranscoder):
    """Events hold tuples and JSON knows lists: what is read is made what was written."""

    def decode(self, data: bytes) -> Any:
        fields = self._value(orjson.loads(data))
        if not isinstance(fields, dict):
            return fields
        return {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}

    def field(self, said: Any) -> Any:
        """One field of an event, from what its JSON says."""
        value = self._value(said)
        return tuple(value) if isinstance(value, list) else value

    def _value(self, said: Any) -> Any:
        kind = type(said)
        if kind is dict:
            if len(said) == 2 and "_type_" in said and "_data_" in said:
                transcoding = self.names.get(said["_type_"])
                if transcoding is None:
                    raise TranscodingNotRegisteredError(f"unknown kind of value: {said['_type_']}")
                return transcoding.decode(self._value(said["_data_"]))
            return {
                key: self._value(value) if type(value) in _NESTED else value
                for key, value in said.items()
            }
        if kind is list:
            return [self._value(item) if type(item) in _NESTED else item for item in said]
        return said


@dataclass
class Joining:
    """More to write in the next save of one thread, and whether that save has been made."""

    make: Callable[[], Sequence[Also]]
    beside: Callable[[], Sequence[Aggregate]] = tuple
    saved: bool = False


class Along(NamedTuple):
    """What goes into the save of something else: made anew for every try of that save."""

    aggregates: Sequence[Aggregate] = ()
    also: Sequence[Also] = ()


MakeAlong = Callable[[], Along]


def nothing_along() -> Along:
    return Along()


class _Thread(local):
    """What one thread is in the middle of."""

    def __init__(self) -> None:
        self.joining: Joining | None = None
        self.saving: dict[UUID, Aggregate] = {}


class Register(Application[UUID]):
    """Loads and saves aggregates; each process owns one and closes it."""

    def __init__(
        self, env: Mapping[str, str], register_transcodings: Callable[[JSONTranscoder], None]
    ) -> None:
        self._register_transcodings = register_transcodings
        self._locks: dict[UUID, Lock] = {}
        self._locks_lock = Lock()
        self._thread = _Thread()
        self._known = Known()
        super().__init__(dict(env))

    def construct_transcoder(self) -> Transcoder:
        transcoder = EventTranscoder()
        self.register_transcodings(transcoder)
        return transcoder

    def register_transcodings(self, transcoder: JSONTranscoder) -> None:
        super().register_transcodings(transcoder)
        self._register_transcodings(transcoder)

    def case(self, case_id: UUID) -> Case:
        return self._load(Case, case_id)

    def request(self, request_id: UUID) -> DataSubjectRequest:
        return self._load(DataSubjectRequest, request_id)

    def requests_of(self, case: Case) -> tuple[DataSubjectRequest, ...]:
        return tuple(self.request(request_id) for request_id in case.request_ids)

    def fulfilment(self, request_id: UUID) -> Fulfilment:
        return self._load(Fulfilment, fulfilment_id(request_id))

    def find_fulfilment(self, request_id: UUID) -> Fulfilment | None:
        return self._find(Fulfilment, fulfilment_id(request_id))

    def find_redaction(self, request_id: UUID) -> Redaction | None:
        return self._find(Redaction, redaction_id(request_id))

    def find_erasure_wish(self, request_id: UUID) -> ErasureWish | None:
        return self._find(ErasureWish, erasure_wish_id(request_id))

    def find_direct_transfer(self, request_id: UUID) -> DirectTransfer | None:
        return self._find(DirectTransfer, direct_transfer_id(request_id))

    def hold(self, hold_id: UUID) -> Hold:
        return self._load(Hold, hold_id)

    def find_refusal(self, request_id: UUID) -> Refusal | None:
        return self._find(Refusal, Refusal.create_id(request_id))

    def find_hold(self, hold_id: UUID) -> Hold | None:
        return self._find(Hold, hold_id)

    def marketing_stop(self, stop_id: UUID) -> MarketingStop:
        return self._load(MarketingStop, stop_id)

    def find_marketing_stop(self, stop_id: UUID) -> MarketingStop | None:
        return self._find(MarketingStop, stop_id)

    def find_representation(self, case_id: UUID) -> Representation | None:
        return self._find(Representation, representation_id(case_id))

    def find_rectification(self, request_id: UUID) -> Rectification | None:
        return self._find(Rectification, rectification_id(request_id))

    def rectification(self, request_id: UUID) -> Rectification:
        return self._load(Rectification, rectification_id(request_id))

    def find_disclosures(self, case_id: UUID) -> Disclosures | None:
        return self._find(Disclosures, disclosures_id(case_id))

    def find_looks(self, subject_id: UUID) -> Looks | None:
        return self._find(Looks, looks_id(subject_id))

    def find_folder(self, case_id: UUID) -> Folder | None:
        return self._find(Folder, folder_id(case_id))

    def find_information(self, request_id: UUID) -> Information | None:
        return self._find(Information, information_id(request_id))

    def find_withdrawal(self, request_id: UUID) -> Withdrawal | None:
        return self._find(Withdrawal, withdrawal_id(request_id))

    def find_restriction(self, request_id: UUID) -> Restriction | None:
        return self._find(Restriction, restriction_id(request_id))

    def restriction(self, request_id: UUID) -> Restriction:
        return self._load(Restriction, restriction_id(request_id))

    def find_balancing(self, request_id: UUID) -> Balancing | None:
        return self._find(Balancing, balancing_id(request_id))

    def balancing(self, request_id: UUID) -> Balancing:
        return self._load(Balancing, balancing_id(request_id))

    def decided(
        self, request: DataSubjectRequest
    ) -> Rectification | Restriction | Balancing | None:
        """The decisions that a request has beside those about records."""
        match request.right:
            case Right.RECTIFICATION:
                return self.find_rectification(request.id)
            case Right.RESTRICTION:
                return self.find_restriction(request.id)
            case Right.OBJECTION:
                return self.find_balancing(request.id)
            case _:
                return None

    def instruction(self, instruction_id: UUID) -> Instruction:
        return self._load(Instruction, instruction_id)

    def find_instruction(self, instruction_id: UUID) -> Instruction | None:
        return self._find(Instruction, instruction_id)

    def replay(self, replay_id: UUID) -> Replay:
        return self._load(Replay, replay_id)

    def find_case(self, case_id: UUID) -> Case | None:
        return self._find(Case, case_id)

    def errand(self, errand_id: UUID) -> Errand:
        return self._load(Errand, errand_id)

    def find_errand(self, errand_id: UUID) -> Errand | None:
        return self._find(Errand, errand_id)

    def find_controller(self, name: str) -> Controller | None:
        return self._find(Controller, controller_id(name))

    def as_of(self, kind: type[A], aggregate_id: UUID, at: datetime) -> A | None:
        """The aggregate as it was known at a past moment; None where it was not known yet."""
        version = cast(Recorder, self.recorder).version_as_of(aggregate_id, at)
        if version is None:
            return None
        return self._load(kind, aggregate_id, version=version)

    def save_all(self, aggregates: Sequence[Aggregate], also: Sequence[Also] = ()) -> None:
        """Everything pending and everything that belongs to it, in one transaction."""
        self.save(*aggregates, also=tuple(also))

    @contextmanager
    def joining(
        self,
        make: Callable[[], Sequence[Also]],
        beside: Callable[[], Sequence[Aggregate]] = tuple,
    ) -> Iterator[Joining]:
        """Let this thread's next save carry more: made when all that is saved with it is known.

        `beside` are aggregates that change in the same save. While it is made, loading answers what
        is about to be saved. A save that a conflict has repeated makes it anew; once one has
        succeeded, later saves go without.
        """
        joining = Joining(make, beside)
        self._thread.joining = joining
        try:
            yield joining
        finally:
            self._thread.joining = None

    @property
    def saving(self) -> Mapping[UUID, Aggregate]:
        """What this thread is about to save, for whoever joins."""
        return self._thread.saving

    def save(self, *objects: Any, **kwargs: Any) -> Any:
        joining = self._thread.joining
        if joining is None or joining.saved:
            return self._save(objects, kwargs)
        objects = (*objects, *joining.beside())
        self._thread.saving = {one.id: one for one in objects if isinstance(one, Aggregate)}
        try:
            more = joining.make()
        finally:
            self._thread.saving = {}
        kwargs["also"] = (*kwargs.get("also", ()), *more)
        recordings = self._save(objects, kwargs)
        joining.saved = True
        return recordings

    def _save(self, objects: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        recordings = super().save(*objects, **kwargs)
        for one in objects:
            if isinstance(one, Aggregate):
                self._known.keep(one)
                if _command.read is not None:
                    _command.read[self, one.id] = copy_of(one)
        return recordings

    def look_at(self, aggregate_id: UUID) -> None:
        """Read a case or a request with everything that commands about it load, at once."""
        self._read([aggregate_id, *self._beside(aggregate_id)])

    @contextmanager
    def reading(self, aggregate_ids: Sequence[UUID]) -> Iterator[None]:
        """Read these in one statement for a page that shows them and changes nothing.

        What is not there now stays unasked until the page is done.
        """
        with at_one_moment():
            self._read(aggregate_ids)
            read = _command.read or {}
            _command.absent = frozenset((self, one) for one in aggregate_ids) - read.keys()
            try:
                yield
            finally:
                _command.absent = frozenset()

    def stored_events(
        self, aggregate_ids: Sequence[UUID], until: datetime | None = None
    ) -> Mapping[UUID, Sequence[StoredEvent]]:
        """Everything that happened to several aggregates, in one statement.

        With `until` what was recorded by then, whatever moment a later event says it is of.
        """
        recorder = cast(Recorder, self.recorder)
        if until is None:
            return recorder.select_newer(dict.fromkeys(aggregate_ids, 0))
        known = recorder.versions_as_of(aggregate_ids, until)
        newer = recorder.select_newer(dict.fromkeys(known, 0))
        return {
            one: [event for event in events if event.originator_version <= known[one]]
            for one, events in newer.items()
        }

    def _beside(self, aggregate_id: UUID) -> Iterator[UUID]:
        """What is the same for every version of an aggregate, so that the last known one tells."""
        known = self._known.get(aggregate_id)
        if isinstance(known, Case):
            yield controller_id(known.controller)
            for request_id in known.request_ids:
                yield from (request_id, fulfilment_id(request_id))
        elif isinstance(known, DataSubjectRequest):
            yield from (fulfilment_id(known.id), known.case_id, controller_id(known.controller))

    def _read(self, aggregate_ids: Sequence[UUID]) -> None:
        read = _command.read
        if read is None:
            return
        unread = []
        for one in aggregate_ids:
            if (self, one) in read or (self, one) in _command.absent:
                continue
            lent = self._known.get(one) if (self, one) in _command.lent else None
            if lent is not None:
                read[self, one] = lent
            else:
                unread.append(one)
        if unread:
            for aggregate_id, found in self._newest(unread).items():
                read[self, aggregate_id] = found

    @contextmanager
    def alone_with(self, aggregate_id: UUID) -> Iterator[None]:
        """Keep this process's threads from racing each other; other processes meet as conflicts."""
        with self._locks_lock:
            if len(self._locks) > 1_000:
                self._locks = {key: lock for key, lock in self._locks.items() if lock.locked()}
            lock = self._locks.setdefault(aggregate_id, Lock())
        with lock:
            yield

    def _find(self, kind: type[A], aggregate_id: UUID) -> A | None:
        try:
            return self._load(kind, aggregate_id)
        except UnknownHere:
            return None

    def _load(self, kind: type[A], aggregate_id: UUID, version: int | None = None) -> A:
        about_to_be_saved = self._thread.saving.get(aggregate_id)
        if version is None and isinstance(about_to_be_saved, kind):
            return about_to_be_saved
        found = self._past(aggregate_id, version) if version else self._present(aggregate_id)
        if found is None:
            raise UnknownHere(f"there is no {kind.__name__} {aggregate_id}")
        if not isinstance(found, kind):
            raise UnknownHere(f"{aggregate_id} is not a {kind.__name__}")
        return found

    def _past(self, aggregate_id: UUID, version: int) -> Aggregate | None:
        try:
            found: Aggregate = self.repository.get(aggregate_id, version=version)
        except AggregateNotFoundError:
            return None
        return found

    def _present(self, aggregate_id: UUID) -> Aggregate | None:
        if _command.read is None:
            return self._newest([aggregate_id]).get(aggregate_id)
        self._read([aggregate_id])
        found = _command.read.get((self, aggregate_id))
        return copy_of(found) if found is not None else None

    def _newest(self, aggregate_ids: Sequence[UUID]) -> dict[UUID, Aggregate]:
        """From what is known already and the events since, in one reading."""
        known = {one: self._known.get(one) for one in aggregate_ids}
        versions = {one: found.version if found else 0 for one, found in known.items()}
        newer = cast(Recorder, self.recorder).select_newer(versions)
        found = {}
        for aggregate_id, stored_events in newer.items():
            aggregate = known[aggregate_id]
            for stored_event in stored_events:
                event = cast(Any, self.mapper.to_domain_event(stored_event))
                aggregate = event.mutate(aggregate)
            if aggregate is not None:
                found[aggregate_id] = aggregate
                if stored_events:
                    self._known.keep(aggregate)
        lost = [one for one in aggregate_ids if known[one] is not None and one not in newer]
        if lost:  # the log was restored behind our back
            for one in lost:
                self._known.forget(one)
            found.update(self._newest(lost))
        return found


Read = tuple[Register, UUID]


class _Command(local):
    """What one thread has read for the command that it is in; outside a command, None."""

    def __init__(self) -> None:
        self.read: dict[Read, Aggregate] | None = None
        self.lends = False
        self.lent: frozenset[Read] = frozenset()
        self.absent: frozenset[Read] = frozenset()


_command = _Command()


@contextmanager
def at_one_moment(*, lends: bool = False, lent: frozenset[Read] = frozenset()) -> Iterator[None]:
    """Read every aggregate once: what is loaded again in the block is what was loaded before.

    A command in a block that `lends` first tries to go on from what was read there, without asking
    again: what it saves on a stale copy is a conflict, and it is repeated from a fresh reading.
    What is `lent` is taken as last known here, so what was saved since it was read is in it.
    """
    around = _command.read, _command.lends, _command.lent
    _command.read, _command.lends, _command.lent = {}, lends, lent
    try:
        yield
    finally:
        # Whatever goes on around may not go by what it read before this.
        _command.read = None if around[0] is None else {}
        _, _command.lends, _command.lent = around


def again_on_conflict(command: Callable[P, R]) -> Callable[P, R]:
    """Load, decide and save once more when somebody was faster, at most three times."""

    @wraps(command)
    def repeated(*args: P.args, **kwargs: P.kwargs) -> R:
        if _command.lends:
            # A stale copy may also forbid what is allowed by now.
            lent = frozenset(_command.read or ())
            with suppress(IntegrityError, DomainError), at_one_moment(lent=lent):
                return command(*args, **kwargs)
        for _ in range(ATTEMPTS - 1):
            try:
                with at_one_moment():
                    return command(*args, **kwargs)
            except IntegrityError:
                continue
        try:
            with at_one_moment():
                return command(*args, **kwargs)
        except IntegrityError as error:
            raise SomebodyWasFaster(
                "somebody else changed this; look again, then repeat", key="somebody-was-faster"
            ) from error

    return repeated
