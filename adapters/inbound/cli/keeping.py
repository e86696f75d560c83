"""`trettio suppressions check` and `trettio holds`: who stays unwritten to, and what is kept."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

Only = Annotated[
    str | None, typer.Option("--controller", help="Only this controller; all otherwise.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


def register(app: typer.Typer) -> None:
    suppressions = typer.Typer(no_args_is_help=True)
    suppressions.callback()(_about)
    suppressions.command()(check)
    app.add_typer(
        suppressions, name="suppressions", help="Those who must not be written to, kept so."
    )
    app.command()(holds)


def _about() -> None:
    """Those who must not be written to stay so, whatever is imported (Art. 21(3))."""


def check(controller: Only = None, as_json: AsJson = False) -> None:
    """Look now whether somebody who said no was imported again, and stop it again."""
    from adapters.bootstrap import installation
    from adapters.inbound.cli.console import settings_or_stop, start_errors
    from adapters.logs import configure
    from services.ports import Refused, Unavailable

    settings = settings_or_stop()
    configure(settings.log)
    lines, failed = list[dict[str, object]](), False
    with start_errors(), installation(settings) as opened:
        for name in opened.controllers.names():
            if controller not in {None, name}:
                continue
            for system in opened.controllers.in_force(name).systems:
                if not system.marketing:
                    continue
                line: dict[str, object] = {"controller": name, "system": system.id}
                try:
                    found = opened.suppressions.check(name, system.id, opened.systems)
                    line |= asdict(found)
                except (Refused, Unavailable) as error:
                    line["problem"], failed = error.reason, True
                lines.append(line)
    if as_json:
        typer.echo(json.dumps(lines))
    else:
        for line in lines:
            typer.echo(_told(line))
    raise typer.Exit(1 if failed else 0)


def _told(line: dict[str, object]) -> str:
    place = f"{line['controller']}/{line['system']}"
    if "problem" in line:
        return f"{place}: {line['problem']}"
    if not line["can_tell"]:
        return f"{place}: cannot say to whom it writes; look there by hand"
    return f"{place}: {line['looked_at']} looked at, {line['stopped_again']} stopped again"


def holds(controller: Only = None, as_json: AsJson = False) -> None:
    """List what is kept, whatever ends or is looked at first."""
    from adapters.bootstrap import installation
    from adapters.inbound.cli.console import settings_or_stop, start_errors
    from adapters.logs import configure
    from projections.holds import of_controllers

    settings = settings_or_stop()
    configure(settings.log)
    with start_errors(), installation(settings) as opened:
        opened.follower().drain()  # nobody else may have followed what was recorded last
        names = [name for name in opened.controllers.names() if controller in {None, name}]
        found = of_controllers(opened.database, names, limit=10_000)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], default=str))
        return
    for one in found:
        day = one.release_on or one.review_on or "no day"
        typer.echo(
            f"{day}  {one.controller}/{one.system}  {one.category}  {one.ground}  {one.state}"
            f"  {one.hold_id}"
        )
