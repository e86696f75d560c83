"""`trettio report`: the officer's page about one month, as PDF and CSV; nothing personal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command()(report)


def report(
    month: Annotated[str, typer.Option(help="The month, as 2026-05.", metavar="YYYY-MM")],
    controller: Annotated[
        list[str] | None, typer.Option(help="Only this controller; repeatable.")
    ] = None,
    language: Annotated[
        str, typer.Option(help="nb, nn, sv or en; without it each controller's own.")
    ] = "",
    out: Annotated[Path, typer.Option(help="The directory to write to.")] = Path(),
) -> None:
    """Write the month's report of each controller: cases, shares, extensions, refusals, systems,
    advice and breaches, as of the last event recorded. The same log gives the same files.
    """
    from adapters.inbound.cli.console import opened, settings_or_stop, stop
    from adapters.reports import written_reports
    from domain.vocabulary import Language
    from projections.board import month_named

    first = month_named(month)
    if first is None:
        stop(f"--month {month!r} is no month: write it as year and month, e.g. 2026-05")
    codes = [one.value for one in Language]
    if language and language not in codes:
        stop(f"--language {language!r} is not known: choose {', '.join(codes)}")
    with opened(settings_or_stop()) as installation:
        known = installation.controllers.names()
        unknown = sorted(set(controller or ()) - set(known))
        if unknown:
            stop(f"there is no controller {unknown[0]!r}; there are: {', '.join(known) or 'none'}")
        installation.views.prepare(installation.log_source())
        installation.follower().drain()
        if not installation.views.wait_until(timeout=30):
            stop("the read models are behind the log: try again when they have caught up", 1)
        out.mkdir(parents=True, exist_ok=True)
        for name in controller or known:
            spoken = Language(language) if language else None
            for file, content in written_reports(installation, name, first, spoken):
                (out / file).write_bytes(content)
                typer.echo(str(out / file))
