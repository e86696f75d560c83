"""`trettio serve`, `work`, `follow`: the roles, together or each in a process of its own."""

from __future__ import annotations

import signal
from threading import Event
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command()(serve)
    app.command()(work)
    app.command()(follow)


def serve(
    port: Annotated[int | None, typer.Option(help="Port; TRETTIO_PORT otherwise.")] = None,
    only_web: Annotated[
        bool, typer.Option("--only-web", help="Leave work and follow to other processes.")
    ] = False,
) -> None:
    """Run the web interface, and with it workers, follower and reminders."""
    from adapters.inbound.cli.console import ending_in_order, ready, settings_or_stop
    from adapters.inbound.server import run_web
    from adapters.roles import running

    settings = settings_or_stop()
    if port is not None:
        settings = settings.model_copy(update={"port": port})
    with (
        ending_in_order(),
        ready(settings) as installation,
        running(
            installation,
            web=True,
            workers=0 if only_web else settings.workers,
            follow=not only_web,
            remind=not only_web,
        ),
    ):
        run_web(installation)


def work() -> None:
    """Run only the workers: they ask connected systems and send letters."""
    from adapters.inbound.cli.console import ready, settings_or_stop
    from adapters.roles import running

    settings = settings_or_stop()
    with ready(settings) as installation, running(installation, workers=settings.workers):
        _until_told_to_stop()


def follow() -> None:
    """Run only the follower and the reminders."""
    from adapters.inbound.cli.console import ready, settings_or_stop
    from adapters.roles import running

    settings = settings_or_stop()
    with ready(settings) as installation, running(installation, follow=True, remind=True):
        _until_told_to_stop()


def _until_told_to_stop() -> None:
    told = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    while not told.wait(0.5):
        pass
