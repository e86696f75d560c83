"""`trettio serve`, `work`, `follow`: the roles, together or each in a process of its own."""

from __future__ import annotations

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
            mail=settings.takes_mail and not only_web,
            publish=settings.kafka is not None and not only_web,
            receipts=settings.kafka is not None and not only_web,
        ),
    ):
        # Only beside others is there anybody to leave the calls to.
        run_web(installation, leave_seconds=settings.leave_seconds if only_web else 0.0)


def work() -> None:
    """Run only the workers: they ask connected systems and send letters."""
    from adapters.inbound.cli.console import ending_in_order, ready, settings_or_stop
    from adapters.roles import running

    settings = settings_or_stop()
    with (
        ending_in_order(),
        ready(settings) as installation,
        running(installation, workers=settings.workers),
    ):
        Event().wait()


def follow() -> None:
    """Run only the follower and the reminders."""
    from adapters.inbound.cli.console import ending_in_order, ready, settings_or_stop
    from adapters.roles import running

    settings = settings_or_stop()
    with (
        ending_in_order(),
        ready(settings) as installation,
        running(installation, follow=True, remind=True),
    ):
        Event().wait()
