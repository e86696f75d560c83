"""`trettio calendar`: the lists of public holidays, and counting open requests by a new one."""

from __future__ import annotations

import typer

calendars = typer.Typer(no_args_is_help=True, help="Public holidays, and what is counted by them.")


def register(app: typer.Typer) -> None:
    app.add_typer(calendars, name="calendar")


@calendars.command("list")
def listed() -> None:
    """List the newest calendar of each country, the years it covers and how many holidays."""
    from domain.calendar import load_calendar
    from domain.vocabulary import Country

    for country in Country:
        known = load_calendar(country)
        typer.echo(
            f"{known.name}: requests received {known.first_year} to {known.last_year},"
            f" {len(known.holidays)} days"
        )


@calendars.command()
def recount() -> None:
    """Count every open request by the newest calendar; running processes do that by themselves."""
    from adapters.inbound.cli.console import opened, settings_or_stop
    from projections.open_requests import open_requests

    with opened(settings_or_stop()) as installation:
        installation.follower().drain()
        requests = open_requests(installation.database)
        recounted = sum(installation.reminders.recount(one) for one in requests)
        typer.echo(f"{recounted} of {len(requests)} open requests counted anew")
