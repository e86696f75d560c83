"""A watched folder: every `.eml` dropped there is taken in, then moved to `done` or `refused`.

A folder inside it that is called like a controller is that controller's own. A Maildir is read too:
what is in `new` goes to `cur` when it is taken. One process at a time looks; whatever is killed
between taking and moving takes the same message again, which changes nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from adapters.inbound.mail import MAX_MESSAGE_BYTES, UnreadableMessage
from adapters.inbound.mailroom.letterbox import Letterbox, NotForUs

SETTLED_SECONDS = 2.0
"""A younger file may still be being written. Who moves a file in place keeps its older date."""
KEPT_DAYS = 7
"""So long `done` keeps what the vault holds by then; after that only the vault decides."""
_OWN = ("done", "refused")

log = structlog.get_logger()


class Folder:
    """One watched folder; made with what it needs inside when it is not there."""

    def __init__(self, letterbox: Letterbox, root: Path) -> None:
        self._letterbox, self._root = letterbox, root

    def look(self) -> int:
        """Take in what lies there; answers how many messages that were."""
        for name in _OWN:
            (self._root / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone_in(self._root) as alone:
            if not alone:
                return 0
            found = list(self._waiting())
            for path, controller in found:
                self._take(path, controller)
            self._forget()
            return len(found)

    def _waiting(self) -> Iterator[tuple[Path, str | None]]:
        yield from ((path, None) for path in _settled(self._root))
        for inside in sorted(self._root.iterdir()):
            name = inside.name
            is_controllers = name not in (*_OWN, "new", "cur", "tmp") and not name.startswith(".")
            if is_controllers and inside.is_dir() and not inside.is_symlink():
                yield from ((path, inside.name) for path in _settled(inside))

    def _take(self, path: Path, controller: str | None) -> None:
        try:
            raw = path.read_bytes() if path.stat().st_size <= MAX_MESSAGE_BYTES else None
        except FileNotFoundError:  # whoever put it there took it back
            return
        if raw is None:
            self._refuse(path, f"larger than {MAX_MESSAGE_BYTES // 1_000_000} MB")
            return
        if controller is not None and controller not in self._letterbox.mailboxes.names():
            self._refuse(path, f"no controller is called {controller}: rename the folder")
            return
        try:
            self._letterbox.take(raw, controller)
        except (UnreadableMessage, NotForUs) as error:
            self._refuse(path, str(error))
            return
        if path.parent.name == "new":
            _move(path, path.parent.with_name("cur") / f"{path.name}:2,S")
        else:
            _move(path, self._root / "done" / path.name)

    def _refuse(self, path: Path, reason: str) -> None:
        log.warning("mail_refused")
        moved = _move(path, self._root / "refused" / path.name)
        moved.with_name(f"{moved.name}.reason.txt").write_text(f"{reason}\n", encoding="utf-8")

    def _forget(self) -> None:
        oldest = time.time() - KEPT_DAYS * 86_400
        for path in (self._root / "done").iterdir():
            if path.is_file() and path.stat().st_ctime < oldest:  # since it was moved there
                path.unlink(missing_ok=True)


@contextmanager
def _alone_in(root: Path) -> Iterator[bool]:
    descriptor = os.open(root / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _settled(folder: Path) -> Iterator[Path]:
    """Messages that are whole, the oldest first."""
    latest = time.time() - SETTLED_SECONDS
    plain = [p for p in folder.glob("*.eml") if not p.name.startswith(".") and _is_old(p, latest)]
    new = folder / "new"
    # A Maildir's `new` holds whole messages only; that is what its `tmp` is for.
    is_maildir = new.is_dir() and (folder / "cur").is_dir() and (folder / "tmp").is_dir()
    delivered = [p for p in new.iterdir() if _is_old(p, float("inf"))] if is_maildir else []
    yield from sorted([*plain, *delivered], key=lambda path: path.name)


def _is_old(path: Path, latest: float) -> bool:
    try:
        return path.is_file() and not path.is_symlink() and path.stat().st_mtime <= latest
    except FileNotFoundError:
        return False


def _move(path: Path, target: Path) -> Path:
    """Move within the folder; another message that has the name keeps it."""
    if target.exists():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        target = target.with_name(f"{target.stem}-{digest}{target.suffix}")
    return path.rename(target)
