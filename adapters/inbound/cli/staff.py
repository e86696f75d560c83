"""`trettio staff`: who works here, who stands in for whom, and who is away."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, NoReturn

import typer

people = typer.Typer(no_args_is_help=True, help="Who works here, deputies and absences.")
StaffId = Annotated[str, typer.Argument(help="The id that decisions are recorded under.")]


def register(app: typer.Typer) -> None:
    app.add_typer(people, name="staff")


@people.command("set")
def set_member(
    staff_id: StaffId,
    name: Annotated[str, typer.Option(help="The name that letters give.")],
    email: Annotated[str | None, typer.Option(help="Where the morning's mail goes.")] = None,
    language: Annotated[str, typer.Option(help="Of that mail: nb, nn, sv or en.")] = "en",
    deputy: Annotated[str | None, typer.Option(help="The staff id of who stands in.")] = None,
    controller: Annotated[
        list[str] | None, typer.Option(help="Works only for this controller; repeatable.")
    ] = None,
    officer: Annotated[
        bool, typer.Option("--officer", help="Is the data protection officer.")
    ] = False,
) -> None:
    """Record or correct everything about somebody."""
    from adapters.inbound.cli.console import opened, settings_or_stop
    from domain.vocabulary import Language
    from services.ports import Member

    codes = [one.value for one in Language]
    if language not in codes:
        _refuse(f"--language {language!r} is not known: choose {', '.join(codes)}")
    member = Member(
        id=staff_id,
        name=name,
        email=email,
        language=Language(language),
        deputy=deputy,
        controllers=frozenset(controller or ()),
        is_officer=officer,
    )
    with opened(settings_or_stop()) as installation:
        installation.database.run(installation.staff.set(member))
        typer.echo(f"{staff_id}: recorded")


@people.command("list")
def listed() -> None:
    """List everybody with their deputies, and who is away."""
    from adapters.inbound.cli.console import opened, settings_or_stop

    with opened(settings_or_stop()) as installation:
        for one in installation.staff.members().values():
            typer.echo(f"{one.id} {one.name}; deputy: {one.deputy or 'nobody'}")
        today = installation.clock().date()
        for absence in installation.staff.absences(until=today - timedelta(days=1)):
            typer.echo(f"{absence.staff_id} away {absence.first_on} to {absence.last_on}")


@people.command()
def away(
    staff_id: StaffId,
    first: Annotated[str, typer.Option("--from", help="First day.", metavar="DATE")],
    last: Annotated[str, typer.Option("--to", help="Last day.", metavar="DATE")],
) -> None:
    """Say when somebody is away: open requests go to the deputy meanwhile."""
    from adapters.inbound.cli.console import opened, settings_or_stop
    from domain.errors import DomainError
    from services.ports import Absence

    try:
        absence = Absence(staff_id, date.fromisoformat(first), date.fromisoformat(last))
    except ValueError:
        _refuse("write both days as year-month-day, e.g. 2027-02-01")
    except DomainError as error:
        _refuse(str(error))
    with opened(settings_or_stop()) as installation:
        installation.database.run(installation.staff.absent(absence))
        typer.echo(f"{staff_id}: away {first} to {last}")


def _refuse(why: str) -> NoReturn:
    typer.echo(f"trettio staff: {why}", err=True)
    raise typer.Exit(2)
