"""`trettio staff`: who works here, in which roles, who stands in for whom, and who is away."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from domain.access import Grant

people = typer.Typer(no_args_is_help=True, help="Who works here, deputies and absences.")
StaffId = Annotated[str, typer.Argument(help="The id that decisions are recorded under.")]
RoleName = Annotated[str, typer.Argument(help="Which role.", metavar="ROLE")]
Where = Annotated[str | None, typer.Option("--controller", help="Where; else everywhere.")]
System = Annotated[str | None, typer.Option("--system", help="A system owner's system.")]
By = Annotated[str, typer.Option("--by", help="Your own staff id: it is recorded.")]


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
    """List everybody with their deputies and roles, and who is away."""
    from adapters.inbound.cli.console import opened, settings_or_stop

    with opened(settings_or_stop()) as installation:
        grants = installation.grants.all()
        for one, left_at in installation.staff.everybody():
            left = f"; left {left_at:%Y-%m-%d}" if left_at else ""
            typer.echo(f"{one.id} {one.name}; deputy: {one.deputy or 'nobody'}{left}")
            for grant in grants.get(one.id, ()):
                typer.echo(f"  {_told(grant)}")
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


@people.command()
def grant(
    staff_id: StaffId,
    role: RoleName,
    controller: Where = None,
    system: System = None,
    until: Annotated[
        str | None, typer.Option(help="The last day; an auditor needs one.", metavar="DATE")
    ] = None,
    by: By = "command-line",
) -> None:
    """Give somebody a role: handler, decision-maker, officer, auditor, system-owner, operator."""
    from adapters.inbound.cli.console import opened, settings_or_stop

    wanted = _grant(role, controller, system, until)
    with opened(settings_or_stop()) as installation:
        known = {member.id for member, _ in installation.staff.everybody()}
        if staff_id not in known:
            _refuse(f"there is nobody with the id {staff_id}: record them with trettio staff set")
        if controller is not None and controller not in installation.controllers.names():
            _refuse(f"there is no controller {controller!r}")
        installation.grants.grant(staff_id, wanted, by=by)
        typer.echo(f"{staff_id}: {_told(wanted)}")


@people.command()
def revoke(
    staff_id: StaffId,
    role: RoleName,
    controller: Where = None,
    system: System = None,
    by: By = "command-line",
) -> None:
    """Take a role back; whoever is signed in is signed out."""
    from adapters.inbound.cli.console import opened, settings_or_stop

    with opened(settings_or_stop()) as installation:
        held = [
            one
            for one in installation.grants.of(staff_id)
            if (one.role.value, one.controller, one.system) == (role, controller, system)
        ]
        if not held:
            _refuse(f"{staff_id} does not hold that role there: see trettio staff list")
        installation.grants.revoke(staff_id, held[0], by=by)
        typer.echo(f"{staff_id}: no longer {_told(held[0])}")


@people.command()
def invite(staff_id: StaffId, by: By = "command-line") -> None:
    """Make a link for a local account, or for one whose device is lost. It is shown once."""
    from adapters.inbound.cli.console import opened, settings_or_stop
    from domain.errors import DomainError

    with opened(settings_or_stop()) as installation:
        try:
            told = installation.invitations.told(staff_id, by=by)
            secret = installation.accounts.invite(staff_id, by=by, also=told)
        except DomainError as error:
            _refuse(str(error))
        typer.echo(f"{installation.settings.address}/desk/invited/{secret}")


@people.command()
def deactivate(staff_id: StaffId) -> None:
    """End all access of somebody who has left: sessions, tokens, invitations."""
    from adapters.inbound.cli.console import opened, settings_or_stop

    with opened(settings_or_stop()) as installation:
        installation.staff.deactivate(staff_id)
        typer.echo(f"{staff_id}: has left")


def _grant(role: str, controller: str | None, system: str | None, until: str | None) -> Grant:
    from domain.access import Grant, Role
    from domain.errors import DomainError

    try:
        end = datetime.combine(date.fromisoformat(until), time.max, UTC) if until else None
    except ValueError:
        _refuse("write the day as year-month-day, e.g. 2027-02-01")
    if role not in [one.value for one in Role]:
        _refuse(f"{role!r} is no role: choose {', '.join(one.value for one in Role)}")
    try:
        return Grant(Role(role), controller, system, end)
    except DomainError as error:
        _refuse(str(error))


def _told(grant: Grant) -> str:
    where = grant.controller or "all controllers"
    system = f"/{grant.system}" if grant.system else ""
    until = f" until {grant.until:%Y-%m-%d}" if grant.until else ""
    return f"{grant.role.value} at {where}{system}{until}"


def _refuse(why: str) -> NoReturn:
    typer.echo(f"trettio staff: {why}", err=True)
    raise typer.Exit(2)
