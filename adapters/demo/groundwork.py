"""What the demonstration needs first: its folder for itself, and a database that starts early.

The server starts in its own process, so the rest of the program is read meanwhile; this module
imports little for that reason.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from adapters.embedded_postgres import EmbeddedPostgres
from domain.errors import DomainError


class AlreadyRunning(DomainError):
    """Another process runs the demonstration of this home."""


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """One process at a time; the lock goes with its process, however that ends."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(
                f"the demonstration in {folder} is running already; end it, or set TRETTIO_HOME"
            ) from None
        yield
    finally:
        os.close(lock)


@contextmanager
def database(folder: Path) -> Iterator[Callable[[], str]]:
    """A database that is being started; the answer is its URL, as soon as it is there."""
    server = EmbeddedPostgres(folder)
    with ThreadPoolExecutor(1, thread_name_prefix="database") as starter:
        starting = starter.submit(server.start)
        try:
            yield starting.result
        finally:
            starting.exception()
            server.stop()
