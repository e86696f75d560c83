"""`trettio token`: bearer tokens for the API and the desk."""

from __future__ import annotations

from typing import Annotated

import typer

tokens = typer.Typer(no_args_is_help=True, help="Tokens for the API and the desk.")


def register(app: typer.Typer) -> None:
    app.add_typer(tokens, name="token")


@tokens.command()
def create(
    name: Annotated[str, typer.Argument(help="What the token is for.")],
    staff: Annotated[str, typer.Option(help="The staff id that its decisions are recorded under.")],
    scope: Annotated[
        list[str], typer.Option(help="inbox, read, desk, admin, metrics or system; repeatable.")
    ],
    controller: Annotated[
        list[str] | None, typer.Option(help="Only this controller; repeatable.")
    ] = None,
    staff_name: Annotated[
        str | None, typer.Option(help="The name that letters give for this staff id.")
    ] = None,
    system: Annotated[
        str | None, typer.Option(help="The connected system that comes with it; scope system.")
    ] = None,
) -> None:
    """Make a token. It is shown once.

    A connected system's is made with --scope system, --controller and --system.
    """
    from adapters.inbound.cli.console import opened, require_system, settings_or_stop, stop
    from adapters.outbound.tokens import Scope
    from domain.errors import DomainError

    known = {one.value: one for one in Scope}
    unknown = [word for word in scope if word not in known]
    if unknown:
        stop(f"{unknown[0]!r} is no scope; there are: {', '.join(known)}")
    of_system = Scope.SYSTEM.value in scope
    if of_system and not (system and controller and len(controller) == 1):
        stop("--scope system is for one connected system: give --controller and --system, too")
    if system and not of_system:
        stop("--system comes with --scope system and no other scope")
    with opened(settings_or_stop()) as installation:
        if system and controller:
            require_system(installation, controller[0], system)
        try:
            made = installation.tokens.create(
                name=name,
                staff_id=staff,
                scopes=frozenset(known[word] for word in scope),
                controllers=frozenset(controller or ()),
                system=system,
            )
        except DomainError as error:
            stop(str(error))
        if staff_name:
            installation.staff.know(staff, staff_name)
        typer.echo(made)


@tokens.command()
def revoke(name: Annotated[str, typer.Argument(help="What the token is for.")]) -> None:
    """Revoke every token of a name."""
    from adapters.inbound.cli.console import opened, settings_or_stop

    with opened(settings_or_stop()) as installation:
        typer.echo(f"{installation.tokens.revoke(name)} revoked")
