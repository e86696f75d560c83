"""The roles of one process: web, workers, follower, reminders, mail, Kafka; together or apart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Event

import structlog

from adapters.at_work import Threads
from adapters.bootstrap import Installation
from adapters.inbound.mailroom.rounds import taking_mail
from projections.open_requests import in_hand, open_requests
from services.assigning import Held
from services.crew import Crew

REMIND_EVERY_SECONDS = 60.0
STUMBLED_SECONDS = 5.0

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
    publish: bool = False,
    receipts: bool = False,
) -> Iterator[Event]:
    """Run background roles in threads until the block ends; work in hand is finished first."""
    threads = Threads()
    if workers:
        crew = Crew(workers, installation.worker, installation.tasks)
        threads.add("crew", crew.run, threads.stop)
    if follow:
        # Made here, so that the read models are there before anybody asks for them.
        threads.add_follower("follower", installation.follower().run)
        threads.add("chain", installation.chain().run, threads.stop)
    if remind:
        threads.add("reminders", _remind, installation, threads.stop)
    if publish:
        from adapters.publishing import Publishing

        publishing = Publishing(installation.settings, installation.database)
        threads.add_follower("publisher", publishing.run)
    if receipts:
        from adapters.inbound.kafka.receipts import ReceiptReader

        threads.add("receipts", ReceiptReader(installation).run, threads.stop)
    doors = ExitStack()
    if mail:
        threads.extend(doors.enter_context(taking_mail(installation, threads.stop)))
    is_there = {"web": web, "work": workers > 0, "follow": follow, "mail": mail}
    is_there |= {"publish": publish, "receipts": receipts}
    with threads.at_work(
        installation.database,
        [role for role, there in is_there.items() if there],
        master_keys=lambda: installation.vault.ring.refresh().ids,
        # A key may have been put in force while this process was starting.
        begun=installation.vault.require_every_key,
        ending=doors.close,
    ) as stop:
        yield stop


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
