"""`trettio system dry-run`: a database's mapping, tried on one person and undone."""

from __future__ import annotations

from typing import Annotated

import typer


def register(systems: typer.Typer) -> None:
    systems.command("dry-run")(dry_run)


def dry_run(
    controller: Annotated[str, typer.Argument(help="Whose system it is.")],
    system: Annotated[str, typer.Argument(help="The system's id in the profile.")],
) -> None:
    """Search a database for one address and erase without effect: shows every statement.

    The address is asked for, or read from standard input: command lines are kept and seen.
    """
    from adapters.inbound.cli.console import opened, settings_or_stop, stop
    from adapters.outbound.connectors.sql import Sql
    from adapters.outbound.connectors.sql.rehearsal import rehearse
    from domain.errors import DomainError
    from domain.vocabulary import IdentifierKind
    from services.ports import AwaitsPerson, Identifier, Person, Refused, Unavailable

    with opened(settings_or_stop()) as installation:
        try:
            connector = installation.systems.connector(controller, system)
            if not isinstance(connector, Sql):
                stop(f"{system} is no database: only connector 'sql' can be rehearsed")
            address = typer.prompt("E-mail address", err=True).strip()
            person = Person((Identifier(IdentifierKind.EMAIL, address, verified=True),))
            rehearsal = rehearse(connector, person)
        except (DomainError, Refused, Unavailable, AwaitsPerson) as error:
            stop(f"{system}: {error}")
    for statement in rehearsal.statements:
        typer.echo(f"{statement.times:>4} x {statement.rows:>6} rows  {statement.text}")
    for kind, number in rehearsal.records.items():
        typer.echo(f"{number} records of kind {kind}")
    if not rehearsal.records:
        typer.echo("Nobody was found: only the search was tried.")
    typer.echo("Nothing was changed. This is all that the user needs to be given:")
    for grant in rehearsal.grants:
        typer.echo(f"  {grant};")
