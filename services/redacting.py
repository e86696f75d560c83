"""Redacting: people cover what a copy would tell about others, with a reason each (Art. 15(4)).

What was found stays in the vault as it was; covered is what the person gets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from uuid import UUID, uuid5

from domain.errors import DomainError, NotAllowedNow
from domain.personal import PersonalRef
from domain.redaction import Redaction
from domain.request import DataSubjectRequest, Status
from domain.values import FoundRecord, Passage
from domain.vocabulary import CoverReason
from services import dossier
from services.places import hide, secrets_in
from services.ports import Also, Clock, Record, Vault
from services.register import Register, again_on_conflict

COVERED = "•••"
"""What stands in the place of covered words; its length says nothing about theirs."""


@dataclass(frozen=True, slots=True)
class Redacted(Record):
    """A record as the person gets it. `covered` gives the reasons by the fields' paths."""

    covered: Mapping[str, tuple[CoverReason, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of a record, by its place and by the path that people see."""

    place: int
    path: str
    value: object


@dataclass(frozen=True, slots=True)
class Covering:
    """A covered passage as whoever covered it sees it: personal data."""

    passage: Passage
    field: str
    text: str
    words: str


class Redacting:
    """What a person covers before a copy leaves, and uncovers again."""

    def __init__(self, register: Register, vault: Vault, clock: Clock) -> None:
        self._register, self._vault, self._clock = register, vault, clock

    @again_on_conflict
    def cover(
        self,
        request_id: UUID,
        record_id: UUID,
        *,
        path: str,
        reason: CoverReason,
        by: str,
        text: str = "",
        start: int | None = None,
        end: int | None = None,
        words: str = "",
    ) -> None:
        """Cover a field and all under it; or these words, wherever they stand in it; or a range."""
        with self._register.alone_with(request_id):
            now = self._clock()
            request, found = self._undecided(request_id, record_id)
            redaction = self._of(request, now)
            also: list[Also] = []
            note = self._note(request, words, by, also, now)
            for place, begin, stop in self._places(found, path, text, start, end):
                place_id = f"{found.content}/{place}/{begin}/{stop}"
                passage = Passage(
                    passage_id=uuid5(redaction.id, place_id),
                    record_id=record_id,
                    content=found.content,
                    place=place,
                    reason=reason,
                    start=begin,
                    end=stop,
                    words=note,
                )
                redaction.cover(passage=passage, by=by, at=now)
            self._register.save_all([redaction], also)

    @again_on_conflict
    def uncover(self, request_id: UUID, passage_id: UUID, *, reason: str, by: str) -> None:
        with self._register.alone_with(request_id):
            now = self._clock()
            redaction = self._of(self._register.request(request_id), now)
            passage = redaction.passages.get(passage_id)
            if passage is None:
                raise DomainError("nothing is covered there")
            self._undecided(request_id, passage.record_id)
            redaction.uncover(passage_id=passage_id, reason=reason, by=by, at=now)
            self._register.save_all([redaction])

    @again_on_conflict
    def clear(self, request_id: UUID, record_id: UUID, *, reason: str, by: str) -> None:
        """Somebody has read the record: nothing in it is about others, or may not be told."""
        with self._register.alone_with(request_id):
            now = self._clock()
            request, found = self._undecided(request_id, record_id)
            redaction = self._of(request, now)
            redaction.clear(found=found, reason=reason, by=by, at=now)
            self._register.save_all([redaction])

    def covered(self, request: DataSubjectRequest, found: FoundRecord) -> tuple[Covering, ...]:
        """What is covered in a record, with the words under it, for whoever decides about it."""
        redaction = self._register.find_redaction(request.id)
        passages = redaction.of(found) if redaction else ()
        if not passages:
            return ()
        record = dossier.record_in(self._vault, found.content)
        hidden = tuple(secrets_in(record)) if self._is_protected(request) else ()
        shown = {leaf.place: leaf for leaf in leaves(record.fields)}
        return tuple(
            Covering(
                passage,
                shown[passage.place].path,
                hide(str(shown[passage.place].value)[passage.start : passage.end], hidden),
                self._words(passage),
            )
            for passage in passages
        )

    def _is_protected(self, request: DataSubjectRequest) -> bool:
        return self._register.case(request.case_id).protected

    def _words(self, passage: Passage) -> str:
        if passage.words is None:
            return ""
        return dossier.note_in(self._vault, passage.words)

    def _undecided(
        self, request_id: UUID, record_id: UUID
    ) -> tuple[DataSubjectRequest, FoundRecord]:
        request = self._register.request(request_id)
        if not request.right.gives_a_copy:
            raise NotAllowedNow("only a copy for the person is covered: nothing is copied here")
        if request.status is not Status.COLLECTED:
            raise NotAllowedNow(f"request {request.id} is {request.status.value}", key="not-now")
        found = request.found.get(record_id)
        if found is None:
            raise DomainError("there is no such record in this request")
        return request, found

    def _of(self, request: DataSubjectRequest, now: datetime) -> Redaction:
        known = self._register.find_redaction(request.id)
        return known or Redaction(
            request_id=request.id,
            case_id=request.case_id,
            controller=request.controller,
            timestamp=now,
        )

    def _places(
        self, found: FoundRecord, path: str, text: str, start: int | None, end: int | None
    ) -> list[tuple[int, int | None, int | None]]:
        under = [
            leaf
            for leaf in leaves(dossier.record_in(self._vault, found.content).fields)
            if _is_in(leaf.path, path)
        ]
        if not under:
            raise DomainError(
                "there is no such field in this record: name it as it is shown", key="no-such-field"
            )
        if text:
            places = [
                (leaf.place, begin, begin + len(text))
                for leaf in under
                for begin in _each(str(leaf.value), text)
            ]
            if not places:
                raise DomainError(
                    "these words are not in this field: copy them as they stand",
                    key="no-such-words",
                )
            return [*places]
        if start is None and end is None:
            return [(leaf.place, None, None) for leaf in under]
        if len(under) > 1:
            raise DomainError("a range is of one text: name the field that holds it")
        if end is None or end > len(str(under[0].value)):
            raise DomainError("the passage ends behind the end of the text")
        return [(under[0].place, start or 0, end)]

    def _note(
        self, request: DataSubjectRequest, words: str, by: str, also: list[Also], now: datetime
    ) -> PersonalRef | None:
        if not words.strip():
            return None
        sealed = dossier.seal_note(self._vault, request.case_id, words.strip(), by, now)
        also.extend(sealed.also)
        return sealed.ref


# The copy


def leaves(fields: Mapping[str, object]) -> Iterator[Leaf]:
    """Every value of a record in its order, with its path as people see it."""
    numbers = count()
    for path, value in _walk(fields, ""):
        yield Leaf(next(numbers), path, value)


def redacted(record: Record, passages: Sequence[Passage]) -> Record:
    """The record as the person gets it; the one that was found stays as it is."""
    if not passages:
        return record
    by_place: dict[int, list[Passage]] = {}
    for passage in passages:
        by_place.setdefault(passage.place, []).append(passage)
    numbers = count()
    reasons: dict[str, tuple[CoverReason, ...]] = {}

    def cover(path: str, value: object) -> object:
        theirs = by_place.get(next(numbers), [])
        if not theirs:
            return value
        said = (*reasons.get(path, ()), *(passage.reason for passage in theirs))
        reasons[path] = tuple(dict.fromkeys(said))
        if any(passage.start is None for passage in theirs):
            return COVERED
        return _with_holes(str(value), theirs)

    fields = {name: _rebuilt(value, str(name), cover) for name, value in record.fields.items()}
    shown = replace(record, fields=fields, masked=tuple(dict.fromkeys((*record.masked, *reasons))))
    return Redacted(
        **{name: getattr(shown, name) for name in Record.__dataclass_fields__}, covered=reasons
    )


def codes_of(record: Record) -> dict[str, list[str]]:
    """Why fields of a copy are covered, in codes by their paths."""
    if not isinstance(record, Redacted):
        return {}
    return {path: [one.value for one in why] for path, why in record.covered.items()}


def _rebuilt(value: object, path: str, cover: Callable[[str, object], object]) -> object:
    match value:
        case Mapping():
            return {key: _rebuilt(one, f"{path}.{key}", cover) for key, one in value.items()}
        case list() | tuple():
            nested = any(isinstance(one, Mapping | list | tuple) for one in value)
            return [
                _rebuilt(one, f"{path}.{number}" if nested else path, cover)
                for number, one in enumerate(value)
            ]
        case _:
            return cover(path, value)


def _walk(value: object, path: str) -> Iterator[tuple[str, object]]:
    match value:
        case Mapping():
            for key, one in value.items():
                yield from _walk(one, f"{path}.{key}" if path else str(key))
        case list() | tuple():
            nested = any(isinstance(one, Mapping | list | tuple) for one in value)
            for number, one in enumerate(value):
                yield from _walk(one, f"{path}.{number}" if nested else path)
        case _:
            yield path, value


def _with_holes(text: str, passages: Sequence[Passage]) -> str:
    """The text with every passage replaced; passages that touch are one."""
    kept: list[str] = []
    at = 0
    for passage in sorted(passages, key=lambda one: (one.start or 0, one.end or 0)):
        start, end = passage.start or 0, passage.end or 0
        if start > at or not kept:
            kept += [text[at:start], COVERED]
        at = max(at, end)
    return "".join([*kept, text[at:]])


def _is_in(path: str, wanted: str) -> bool:
    return path == wanted or path.startswith(f"{wanted}.")


def _each(text: str, wanted: str) -> Iterator[int]:
    at = text.find(wanted)
    while at >= 0:
        yield at
        at = text.find(wanted, at + len(wanted))
