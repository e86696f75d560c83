"""The roles of one process: web, workers, follower, reminders, mail; together, or each apart."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import Event, Thread

import structlog

from adapters.bootstrap import Installation
from adapters.inbound.mailroom.rounds import taking_mail
from adapters.outbound.database import DatabaseNotUsable
from adapters.outbound.presence import Presence
from projections.open_requests import in_hand, open_requests
from services.assigning import Held
from services.crew import Crew
from services.follower import AnotherLog, Follower

REMIND_EVERY_SECONDS = 60.0
STUMBLED_SECONDS = 5.0
GARBAGE_AFTER = 10_000, 20, 50
"""Objects made before a look for cycles: Python's own 700 costs some milliseconds per request."""

log = structlog.get_logger()


@contextmanager
def running(
    installation: Installation,
    *,
    web: bool = False,
    workers: int = 0,
    follow: bool = False,
    remind: bool = False,
    mail: bool = False,
) -> Iterator[Event]:
    """Run background roles in threads until the block ends; work in hand is finished first.

    The process says that it is at work, and as what, for as long as all its threads live. It is
    ended, with `DatabaseNotUsable`, when the log was restored under its feet.
    """
    stop = Event()
    threads: list[Thread] = []
    replaced: list[AnotherLog] = []
    if workers:
        crew = Crew(workers, installation.worker, installation.tasks)
        threads.append(Thread(target=crew.run, args=(stop,), name="crew"))
    if follow:
        # Made here, so that the read models are there before anybody asks for them.
        follower = installation.follower()
        following = (follower, stop, replaced)
        threads.append(Thread(target=_follow, args=following, name="follower"))
    if remind:
        threads.append(Thread(target=_remind, args=(installation, stop), name="reminders"))
    doors = ExitStack()
    if mail:
        threads += doors.enter_context(taking_mail(installation, stop))
    for thread in threads:
        thread.start()
    is_there = {"web": web, "work": workers > 0, "follow": follow, "mail": mail}
    presence = Presence(
        installation.database,
        [role for role, there in is_there.items() if there],
        master_keys=lambda: installation.vault.ring.refresh().ids,
        is_well=lambda: all(thread.is_alive() for thread in threads),
    )
    try:
        with presence.kept_up():
            # A key may have been put in force while this process was starting.
            installation.vault.require_every_key()
            with _little_garbage():
                yield stop
    except KeyboardInterrupt:
        if not replaced:
            raise
    finally:
        stop.set()
        doors.close()
        _join(threads)
    if replaced:
        raise DatabaseNotUsable(str(replaced[0]))


def _follow(follower: Follower, stop: Event, replaced: list[AnotherLog]) -> None:
    try:
        follower.run(stop)
    except AnotherLog as error:
        # Only a start looks whether what was destroyed is back, and makes the read models anew.
        log.exception("log_replaced")
        replaced.append(error)
        os.kill(os.getpid(), signal.SIGTERM)


def _remind(installation: Installation, stop: Event) -> None:
    while not stop.is_set():
        pause = REMIND_EVERY_SECONDS
        try:
            requests = open_requests(installation.database)
            installation.reminders.pass_over(requests, stop)
            installation.pass_over()
            held = in_hand(installation.database)
            installation.assigning.stand_in(Held(*one) for one in held)
            installation.digests.plan()
        except Exception:  # the database may be away; what is due stays due
            log.exception("reminders_stumbled")
            pause = STUMBLED_SECONDS
        stop.wait(pause)


@contextmanager
def _little_garbage() -> Iterator[None]:
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


def _join(threads: Sequence[Thread]) -> None:
    for thread in threads:
        thread.join(timeout=30.0)
        if thread.is_alive():
            log.warning("role_still_busy", role=thread.name)
