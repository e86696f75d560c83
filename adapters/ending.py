"""A process that was told to end does end: no thread keeps it alive, not even its main one.

Killed at any line is what processes here are made for, so one that was told to leave waits for what
is under way, and not for ever. Where it left something behind, the log says where that stood.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

LONGEST_SECONDS = 45.0
"""From the signal to the end; what runs has its own, shorter patience."""
PATIENCE_SECONDS = 5.0
"""For threads that are still there when everything else has been closed."""
DEEPEST = 6
"""So many of the innermost calls say where a thread stands."""


class Deadline:
    """The moment from which nobody is waited for any more, once it has been set."""

    def __init__(self) -> None:
        self._timer: threading.Timer | None = None

    def set(self, seconds: float = LONGEST_SECONDS) -> None:
        """The process was told to end. To be told again changes nothing."""
        if self._timer is None:
            self._timer = threading.Timer(seconds, _leave_all)
            self._timer.daemon = True
            self._timer.start()

    def lift(self) -> None:
        """It has ended in order, as far as this was about."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


deadline = Deadline()
"""Of this process: a signal is told to a process, and to nothing smaller."""


@contextmanager
def surely_ending(patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Run a whole command; the process is gone soon after it, with the code it ended with."""
    try:
        yield
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            _wait_for_threads(patience, end.code or 0)
        raise


def _wait_for_threads(patience: float, code: int) -> None:
    ends = time.monotonic() + patience
    others = [one for one in threading.enumerate() if one is not threading.current_thread()]
    waited_for = [thread for thread in others if not thread.daemon]
    for thread in waited_for:
        thread.join(max(0.0, ends - time.monotonic()))
    stuck = [thread for thread in waited_for if thread.is_alive()]
    if stuck:
        _leave(stuck, code)


def _leave_all() -> None:
    _leave([one for one in threading.enumerate() if one is not threading.current_thread()], 0)


def _leave(threads: Iterable[threading.Thread], code: int) -> None:
    """End the process where it stands, and say where that is."""
    import structlog

    log = structlog.get_logger()
    frames = sys._current_frames()
    for thread in threads:
        calls = traceback.extract_stack(frames.get(thread.ident or 0))[-DEEPEST:]
        at = [f"{call.filename}:{call.name}:{call.lineno}" for call in calls]
        log.error("thread_left_behind", thread=thread.name, at=at)
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
