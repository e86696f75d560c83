"""`trettio one-click-links`: links that stop marketing, as a column for a mailing system."""

from __future__ import annotations

import csv
import sys
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command(name="one-click-links")(one_click_links)


def one_click_links(
    controller: Annotated[str, typer.Argument(help="The id of the controller's profile.")],
) -> None:
    """Read addresses from standard input, one in a line; write them as CSV, each with its link."""
    from adapters.inbound.cli.console import opened, settings_or_stop

    with opened(settings_or_stop()) as installation:
        rows = csv.writer(sys.stdout, lineterminator="\n")
        rows.writerow(["address", "one_click_link"])
        for line in sys.stdin:
            address = line.strip()
            if "@" in address:
                rows.writerow([address, installation.one_click.link(controller, address)])
