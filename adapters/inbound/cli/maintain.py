"""`trettio migrate` and `rebuild`: the schema, and read models made anew from the log."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command()(migrate)
    app.command()(rebuild)


def migrate() -> None:
    """Bring the database's schema up to date."""
    from adapters.inbound.cli.console import opened, settings_or_stop

    with opened(settings_or_stop(), with_migrations=True):
        typer.echo("the schema is up to date")


def rebuild(
    view: Annotated[list[str] | None, typer.Argument(help="Read models; all if none.")] = None,
) -> None:
    """Make read models anew from the log; readers see the old rows until the new are complete."""
    from adapters.inbound.cli.console import opened, settings_or_stop, stop

    with opened(settings_or_stop()) as installation:
        known = [one.name for one in installation.views.views]
        for name in view or known:
            if name not in known:
                stop(f"{name!r} is no read model; there are: {', '.join(known)}")
            installation.views.rebuild(name, installation.log_source())
            typer.echo(f"{name}: rebuilt")
