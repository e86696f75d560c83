"""Folder: what those who work on a case put into it themselves, notes and files (Art. 5(2)).

Words and files lie in the vault; an event names who put them there and what sort of thing it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import Aggregate, AggregateCreated
from domain.errors import DomainError
from domain.personal import PersonalRef
from domain.staff import human, named
from domain.vocabulary import Compartment


class FileKind(Enum):
    """What a file is. What shows who somebody is ends with the case, the rest is correspondence."""

    LETTER = "letter"
    PROOF = "proof"
    OTHER = "other"

    @property
    def compartment(self) -> Compartment:
        return Compartment.UPLOAD if self is FileKind.PROOF else Compartment.CORRESPONDENCE


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that was written down about a case, by whom and when."""

    note: PersonalRef
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Filed:
    """Something that was put into a case, by whom and when."""

    file: PersonalRef
    name: PersonalRef
    kind: FileKind
    by: str
    at: datetime


class Folder(Aggregate):
    """What staff keep with one case."""

    TOPIC = "folder"

    # Events

    class Event(Aggregate.Event):
        pass

    class Begun(Event, AggregateCreated):
        TOPIC = "folder.begun"
        case_id: UUID
        controller: str

    class NoteAdded(Event):
        TOPIC = "folder.note-added"
        note: PersonalRef
        by: str

        def apply(self, aggregate: Folder) -> None:
            aggregate.notes = (*aggregate.notes, Noted(self.note, self.by, self.timestamp))

    class FileAdded(Event):
        TOPIC = "folder.file-added"
        file: PersonalRef
        name: PersonalRef
        kind: FileKind
        by: str

        def apply(self, aggregate: Folder) -> None:
            filed = Filed(self.file, self.name, self.kind, self.by, self.timestamp)
            aggregate.files = {**aggregate.files, self.file: filed}

    class FileRemoved(Event):
        TOPIC = "folder.file-removed"
        forgotten: PersonalRef
        by: str

        def apply(self, aggregate: Folder) -> None:
            aggregate.files = {
                ref: filed for ref, filed in aggregate.files.items() if ref != self.forgotten
            }

    # State

    @event(Begun)
    def __init__(self, case_id: UUID, controller: str, timestamp: datetime) -> None:
        self.begun_at = timestamp
        self.case_id, self.controller = case_id, controller
        self.notes: tuple[Noted, ...] = ()
        self.files: dict[PersonalRef, Filed] = {}

    @staticmethod
    def create_id(case_id: UUID) -> UUID:
        return folder_id(case_id)

    @classmethod
    def may_begin(cls, facts: dict[str, Any]) -> None:
        named(facts["controller"])

    # Commands

    def add_note(self, *, note: PersonalRef, by: str, at: datetime) -> None:
        self.trigger_event(self.NoteAdded, note=note, by=human(by), timestamp=at)

    def add_file(
        self, *, file: PersonalRef, name: PersonalRef, kind: FileKind, by: str, at: datetime
    ) -> None:
        self.trigger_event(
            self.FileAdded, file=file, name=name, kind=kind, by=human(by), timestamp=at
        )

    def remove_file(self, *, file: PersonalRef, by: str, at: datetime) -> None:
        """It was put here by mistake, or nobody needs it any more."""
        if file not in self.files:
            raise DomainError("there is no such file in this case", key="choose-on-page")
        self.trigger_event(self.FileRemoved, forgotten=file, by=human(by), timestamp=at)


@lru_cache(maxsize=1024)
def folder_id(case_id: UUID) -> UUID:
    return uuid5(case_id, "folder")
