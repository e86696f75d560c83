"""Filing: notes and files that staff keep with a case, sealed like all correspondence (Art. 5(2)).

A note may be asked for like anything else about a person; the page that takes it says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.errors import DomainError
from domain.folder import Filed, FileKind, Folder, Noted
from domain.personal import PersonalRef
from domain.vocabulary import Compartment
from services import dossier
from services.ports import Also, Attachment, Clock, Erased, Vault
from services.register import Register, again_on_conflict

MOST_BYTES = 10_000_000
LONGEST_NOTE = 20_000


@dataclass(frozen=True, slots=True)
class NoteShown:
    """A note with its words; None when the correspondence was destroyed."""

    noted: Noted
    words: str | None


@dataclass(frozen=True, slots=True)
class FileShown:
    """A file with its name; None when its compartment was destroyed."""

    filed: Filed
    name: str | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A sealed file on its way into a case's folder, with the writes that have to be saved."""

    case_id: UUID
    file: PersonalRef
    name: PersonalRef
    kind: FileKind
    by: str
    also: tuple[Also, ...]


class Filing:
    """Puts notes and files into a case, and finds them again."""

    def __init__(self, register: Register, vault: Vault, clock: Clock) -> None:
        self._register, self._vault, self._clock = register, vault, clock

    @again_on_conflict
    def note(self, case_id: UUID, *, words: str, by: str) -> None:
        words = words.strip()[:LONGEST_NOTE]
        if not words:
            raise DomainError("write the note first", key="words-needed")
        now = self._clock()
        folder = self._folder(case_id, now)
        sealed = dossier.seal_note(self._vault, case_id, words, by, now)
        folder.add_note(note=sealed.ref, by=by, at=now)
        self._register.save_all([folder], sealed.also)

    @again_on_conflict
    def file(self, case_id: UUID, document: Attachment, *, kind: FileKind, by: str) -> None:
        if not document.content:
            raise DomainError("the file is empty: choose another", key="file-needed")
        if len(document.content) > MOST_BYTES:
            megabytes = MOST_BYTES // 1_000_000
            raise DomainError(
                f"the file is too large: at most {megabytes} MB",
                key="file-too-large",
                size=megabytes,
            )
        prepared = self.prepared(case_id, document, kind=kind, by=by)
        self._register.save_all([self.with_file(prepared)], prepared.also)

    def prepared(self, case_id: UUID, document: Attachment, *, kind: FileKind, by: str) -> Prepared:
        """A file sealed for a case, for the save of whatever brought it."""
        now = self._clock()
        sealed = self._vault.seal(
            case_id,
            kind.compartment,
            dossier.DOCUMENT.dump_json(
                dossier.SealedDocument(document.name, document.media_type, document.content)
            ),
        )
        name = dossier.seal_note(
            self._vault, case_id, document.name, by, now, compartment=kind.compartment
        )
        return Prepared(case_id, sealed.ref, name.ref, kind, by, (*sealed.also, *name.also))

    def with_file(self, prepared: Prepared) -> Folder:
        """The folder as it is once the file is in it, not saved yet."""
        now = self._clock()
        folder = self._folder(prepared.case_id, now)
        folder.add_file(
            file=prepared.file, name=prepared.name, kind=prepared.kind, by=prepared.by, at=now
        )
        return folder

    @again_on_conflict
    def remove(self, case_id: UUID, file: UUID, *, by: str) -> None:
        """Destroy a file at once; that it was here stays on record."""
        now, ref = self._clock(), PersonalRef(file)
        folder = self._folder(case_id, now)
        filed = folder.files.get(ref)
        folder.remove_file(file=ref, by=by, at=now)
        also = [self._vault.forget(one) for one in (ref, *((filed.name,) if filed else ()))]
        self._register.save_all([folder], also)

    def notes(self, case_id: UUID) -> Iterator[NoteShown]:
        """Every note with its words, the newest first, for whoever may read them."""
        folder = self._register.find_folder(case_id)
        for noted in reversed(folder.notes if folder else ()):
            try:
                yield NoteShown(noted, dossier.note_in(self._vault, noted.note))
            except Erased:
                yield NoteShown(noted, None)

    def files(self, case_id: UUID) -> Iterator[FileShown]:
        """Every file with its name, in the order in which they came."""
        folder = self._register.find_folder(case_id)
        for filed in folder.files.values() if folder else ():
            try:
                yield FileShown(filed, dossier.note_in(self._vault, filed.name))
            except Erased:
                yield FileShown(filed, None)

    def document(self, ref: PersonalRef) -> Attachment:
        sealed = dossier.DOCUMENT.validate_json(self._vault.open(ref))
        return Attachment(sealed.name, sealed.media_type, sealed.content)

    def _folder(self, case_id: UUID, now: datetime) -> Folder:
        """The case's folder; a case whose correspondence is destroyed takes nothing more."""
        case = self._register.case(case_id)
        gone = {one.compartment for one in self._vault.destructions(case_id)}
        if Compartment.CORRESPONDENCE in gone:
            raise DomainError(
                "the content of this case has been destroyed: nothing can be added",
                key="content-gone",
            )
        return self._register.find_folder(case_id) or Folder(
            case_id=case_id, controller=case.controller, timestamp=now
        )
