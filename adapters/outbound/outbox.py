"""A drawer for letters: each mail becomes a file, for the demonstration and for printing."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from tempfile import NamedTemporaryFile

from adapters.outbound.durable import sync_directory
from adapters.outbound.message import LOOP_HEADER, key_hash, message
from domain.vocabulary import LetterKind, StaffMail
from services.ports import Clock, OutgoingMail, Unavailable


@dataclass(frozen=True, slots=True)
class StoredMail:
    """One letter as it lies in the drawer; `id` comes from its key."""

    id: str
    path: Path
    at: datetime
    kind: LetterKind | StaffMail
    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    in_reply_to: str | None


class Outbox:
    """A mailer that writes to a directory. The first writing of a key stays."""

    def __init__(self, directory: Path, *, clock: Clock) -> None:
        self._directory, self._clock = directory, clock
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def send(self, mail: OutgoingMail) -> None:
        content = message(mail, self._clock()).as_bytes()
        try:
            self._write(self._directory / f"{key_hash(mail.key)}.eml", content)
        except OSError as error:
            raise Unavailable(f"outbox cannot be written ({type(error).__name__})") from None

    def messages(self) -> list[StoredMail]:
        """Everything in the drawer, oldest first."""
        stored = [_stored(path) for path in self._directory.glob("*.eml")]
        # A mail's date knows whole seconds; two letters of one second are told by their files.
        return sorted(stored, key=lambda mail: (mail.at, mail.path.stat().st_mtime_ns, mail.id))

    def _write(self, path: Path, content: bytes) -> None:
        if path.exists():
            return
        with NamedTemporaryFile(dir=self._directory, prefix=".", suffix=".part") as file:
            file.write(content)
            file.flush()
            now = time.time_ns()
            os.utime(file.fileno(), ns=(now, now))  # many file systems only know the last tick
            os.fsync(file.fileno())
            try:
                path.hardlink_to(file.name)
            except FileExistsError:
                return  # somebody wrote the same letter meanwhile
        sync_directory(self._directory)


def _stored(path: Path) -> StoredMail:
    read = message_from_bytes(path.read_bytes(), EmailMessage, policy=default)
    return StoredMail(
        id=path.stem,
        path=path,
        at=read["Date"].datetime,
        kind=_kind(str(read[LOOP_HEADER])),
        sender=str(read["From"]),
        recipient=str(read["To"]),
        subject=str(read["Subject"]),
        text=_body(read, "plain"),
        html=_body(read, "html"),
        in_reply_to=str(read["In-Reply-To"]) if read["In-Reply-To"] else None,
    )


def _kind(word: str) -> LetterKind | StaffMail:
    return StaffMail(word) if word in {one.value for one in StaffMail} else LetterKind(word)


def _body(read: EmailMessage, subtype: str) -> str:
    part = read.get_body(preferencelist=(subtype,))
    content = part.get_content() if part is not None else ""
    return str(content).replace("\r\n", "\n")
