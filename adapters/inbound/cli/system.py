"""`trettio system`: connected systems that are told, and what they need from us."""

from __future__ import annotations

import typer

from adapters.inbound.cli import dry_run, system_key, system_try, webhook_secret

systems = typer.Typer(no_args_is_help=True, help="Connected systems that are told and answer.")


def register(app: typer.Typer) -> None:
    webhook_secret.register(systems)
    dry_run.register(systems)
    system_key.register(systems)
    system_try.register(systems)
    app.add_typer(systems, name="system")
