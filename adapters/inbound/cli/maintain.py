"""`trettio migrate`, `rebuild`, `replay`, `tasks`: schema, read models, restores, the queue."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

tasks = typer.Typer(no_args_is_help=True, help="Work that was given up and waits for a person.")


def register(app: typer.Typer) -> None:
    app.command()(migrate)
    app.command()(rebuild)
    app.command()(replay)
    app.add_typer(tasks, name="tasks")


def migrate() -> None:
    """Bring the database's schema up to date."""
    from adapters.inbound.cli.console import opened, settings_or_stop

    with opened(settings_or_stop(), with_migrations=True) as installation:
        # The pages need the read models before the first follower has started.
        for name in installation.views.prepare(installation.log_source()):
            typer.echo(f"{name}: made")
        typer.echo("the schema is up to date")


def rebuild(
    view: Annotated[list[str] | None, typer.Argument(help="Read models; all if none.")] = None,
) -> None:
    """Make read models anew from the log; readers see the old rows until the new are complete."""
    from adapters.inbound.cli.console import opened, settings_or_stop, stop

    with opened(settings_or_stop()) as installation:
        known = [one.name for one in installation.views.views]
        names = list(dict.fromkeys(view or known))
        for name in names:
            if name not in known:
                stop(f"{name!r} is no read model; there are: {', '.join(known)}")
        installation.views.rebuild_all(installation.log_source(), names)
        for name in names:
            typer.echo(f"{name}: rebuilt")


def replay(
    controller: Annotated[str | None, typer.Argument(help="The controller's id.")] = None,
    itself: Annotated[
        bool, typer.Option("--self", help="In this installation's own database.")
    ] = False,
    system: Annotated[
        str | None, typer.Option(help="A connected system that was restored from a backup.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day of that backup; a day more does no harm."),
    ] = None,
    by: Annotated[str | None, typer.Option(help="Who has it done: your staff id.")] = None,
    reason: Annotated[str, typer.Option(help="Why, as a code.")] = "restored-from-backup",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would come to; change nothing.")
    ] = False,
    listed: Annotated[
        bool, typer.Option("--list", help="Show every replay, and what came of it.")
    ] = False,
    done: Annotated[
        UUID | None, typer.Option(help="A replay that somebody has finished by hand.")
    ] = None,
) -> None:
    """Erase again what a restored backup brought back: here, or in a connected system.

    Here (--self) serving starts only after it. There, `trettio work` carries it out.
    """
    from adapters.inbound.cli import replaying
    from adapters.inbound.cli.console import stop

    if itself:
        _replay_here()
    elif controller is None:
        stop("say --self after a restore of this installation, or the controller of a system")
    elif listed:
        replaying.show(controller, system)
    elif done is not None:
        replaying.settle(controller, done, by=by)
    elif system is None or since is None:
        stop("say which --system was restored, and --since which day: that of its backup")
    elif dry_run:
        replaying.would(controller, system, since=since.date())
    else:
        replaying.begin(controller, system, since=since.date(), by=by, reason=reason)


def _replay_here() -> None:
    from adapters.inbound.cli.console import opened, settings_or_stop
    from adapters.outbound.database import restore_is_settled

    with opened(settings_or_stop()) as installation:
        count = installation.vault.destroy_outstanding()
        chain = installation.chain()
        lost = chain.resume()
        chain.drain()
        installation.views.prepare(installation.log_source())
        restore_is_settled(installation.database)
        typer.echo(f"{count} compartments destroyed again")
        if lost:
            typer.echo(
                f"the log had been signed up to position {lost}: what is gone of it is on record"
            )


@tasks.command()
def parked() -> None:
    """List what was given up, and why; the first word is the key that `release` takes."""
    from adapters.inbound.cli.console import opened, settings_or_stop

    with opened(settings_or_stop()) as installation:
        for one in installation.tasks.parked():
            since = one.parked_at.isoformat(timespec="seconds")
            typer.echo(f"{one.task.key} {one.task.controller} {one.reason} since {since}")


@tasks.command()
def release(key: Annotated[str, typer.Argument(help="The key of a parked task.")]) -> None:
    """Have a parked task tried again, now."""
    from adapters.inbound.cli.console import opened, settings_or_stop, stop

    with opened(settings_or_stop()) as installation:
        if not installation.tasks.release(key):
            stop(f"there is no parked task {key!r}; see: trettio tasks parked")
