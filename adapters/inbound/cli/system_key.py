"""`trettio system key`: what a system computes its own tokens with, for its owner."""

from __future__ import annotations

from typing import Annotated

import typer

Controller = Annotated[str, typer.Argument(help="The controller's id.")]
OneSystem = Annotated[str, typer.Argument(help="The system's id in its profile.")]


def register(systems: typer.Typer) -> None:
    systems.command("key")(key)


def key(
    controller: Controller,
    system: OneSystem,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Begin a new one; both are told for 30 days.")
    ] = False,
) -> None:
    """Print the key of a system's tokens. Give it to nobody but the system's owner."""
    from adapters.inbound.cli.console import opened, require_system, settings_or_stop

    with opened(settings_or_stop()) as installation:
        require_system(installation, controller, system)
        keys = installation.system_keys
        made = keys.rotate(controller, system) if rotate else keys.current(controller, system)
        typer.echo(f"version: {made.version}")
        typer.echo(f"key (hexadecimal): {made.key.hex()}")
