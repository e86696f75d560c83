"""The roles of one process: web, workers, follower, reminders; together, or each apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread

import structlog

from adapters.bootstrap import Installation
from projections import deadline_worklist
from services.crew import Crew

REMIND_EVERY_SECONDS = 60.0

log = structlog.get_logger()


@contextmanager
def running(
    installation: Installation,
    *,
    workers: int = 0,
    follow: bool = False,
    remind: bool = False,
) -> Iterator[Event]:
    """Run background roles in threads until the block ends; work in hand is finished first."""
    stop = Event()
    threads: list[Thread] = []
    if workers:
        crew = Crew(workers, installation.worker, installation.tasks)
        threads.append(Thread(target=crew.run, args=(stop,), name="crew"))
    if follow:
        # Made here, so that the read models are there before anybody asks for them.
        follower = installation.follower()
        threads.append(Thread(target=follower.run, args=(stop,), name="follower"))
    if remind:
        threads.append(Thread(target=_remind, args=(installation, stop), name="reminders"))
    for thread in threads:
        thread.start()
    try:
        yield stop
    finally:
        stop.set()
        _join(threads)


def _remind(installation: Installation, stop: Event) -> None:
    while not stop.is_set():
        try:
            requests = deadline_worklist.open_requests(installation.database)
            installation.reminders.pass_over(requests, stop)
        except Exception:  # the database may be away; what is due stays due
            log.exception("reminders_stumbled")
        stop.wait(REMIND_EVERY_SECONDS)


def _join(threads: Sequence[Thread]) -> None:
    for thread in threads:
        thread.join(timeout=30.0)
        if thread.is_alive():
            log.warning("role_still_busy", role=thread.name)
