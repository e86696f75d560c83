"""A process at work: its threads begin together, say that they live, and end in order."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic

import structlog

from adapters.outbound.database import Database, DatabaseNotUsable
from adapters.outbound.presence import Presence
from services.follower import AnotherLog

PATIENCE_SECONDS = 15.0
"""For all of them together at the end; whoever takes longer is left behind."""
GARBAGE_AFTER = 10_000, 20, 50
"""Objects made before a look for cycles: Python's own 700 costs some milliseconds per request."""

log = structlog.get_logger()


class Threads:
    """The threads of one process, and what tells all of them to end."""

    def __init__(self) -> None:
        self.stop = Event()
        self._threads: list[Thread] = []
        self._replaced: list[AnotherLog] = []

    def add(self, name: str, target: Callable[..., None], *given: object) -> None:
        self._threads.append(Thread(target=target, args=given, name=name))

    def add_follower(self, name: str, follow: Callable[[Event], None]) -> None:
        """One that reads the log: the whole process ends when that is replaced under its feet."""
        self.add(name, self._follow, follow)

    def extend(self, threads: Sequence[Thread]) -> None:
        self._threads += threads

    @contextmanager
    def at_work(
        self,
        database: Database,
        roles: Sequence[str],
        *,
        master_keys: Callable[[], Sequence[str]],
        begun: Callable[[], None] = lambda: None,
        ending: Callable[[], None] = lambda: None,
    ) -> Iterator[Event]:
        """Run until the block ends; work in hand is finished first.

        The process says that it is at work, and as what, for as long as all its threads live. It is
        ended, with `DatabaseNotUsable`, when the log was restored under its feet.
        """
        for thread in self._threads:
            thread.start()
        presence = Presence(
            database,
            roles,
            master_keys=master_keys,
            is_well=lambda: all(thread.is_alive() for thread in self._threads),
        )
        try:
            with presence.kept_up():
                begun()
                with little_garbage():
                    yield self.stop
        except KeyboardInterrupt:
            if not self._replaced:
                raise
        finally:
            self.stop.set()
            ending()
            self._join()
        if self._replaced:
            raise DatabaseNotUsable(str(self._replaced[0]))

    def _follow(self, follow: Callable[[Event], None]) -> None:
        try:
            follow(self.stop)
        except AnotherLog as error:
            # Only a start looks whether what was destroyed is back, and makes read models anew.
            log.exception("log_replaced")
            self._replaced.append(error)
            os.kill(os.getpid(), signal.SIGTERM)

    def _join(self) -> None:
        ends = monotonic() + PATIENCE_SECONDS
        for thread in self._threads:
            thread.join(timeout=max(0.0, ends - monotonic()))
            if thread.is_alive():
                log.warning("role_still_busy", role=thread.name)


@contextmanager
def little_garbage() -> Iterator[None]:
    """What is there at the start stays until the end, so nobody looks for garbage in it."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_AFTER)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
