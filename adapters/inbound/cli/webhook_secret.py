"""`trettio system secret`: what a system and we sign webhooks with, for its owner."""

from __future__ import annotations

from typing import Annotated

import typer


def register(systems: typer.Typer) -> None:
    systems.command("secret")(secret)


def secret(
    controller: Annotated[str, typer.Argument(help="The controller's id.")],
    system: Annotated[str, typer.Argument(help="The system's id in its profile.")],
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Make a new one; the old one is good for a while yet.")
    ] = False,
    overlap_hours: Annotated[
        int,
        typer.Option(min=0, max=720, help="Hours that the old one is good for; 0 if it got out."),
    ] = 168,
) -> None:
    """Show the secret of a system's webhooks. Give it to nobody but the system's owner."""
    from datetime import timedelta

    from adapters.inbound.cli.console import opened, settings_or_stop, stop

    with opened(settings_or_stop()) as installation:
        known = controller in installation.controllers.names() and system in {
            one.id for one in installation.controllers.in_force(controller).systems
        }
        if not known:
            stop(f"controller {controller!r} has no system {system!r} in its profile in force")
        keys = installation.calling.keys
        if rotate:
            key = keys.replace(controller, system, overlap=timedelta(hours=overlap_hours))
        else:
            key = keys.newest(controller, system)
        typer.echo(f"secret (v1, both sides sign with it): {key.shown}")
        typer.echo(f"public key (v1a, to check ours):      {key.public}")
