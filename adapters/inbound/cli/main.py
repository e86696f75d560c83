"""The command line: `trettio COMMAND`. Commands import what they need when they run."""

from __future__ import annotations

import sys

import typer

from adapters.ending import surely_ending
from adapters.inbound.cli import (
    calendar,
    check,
    deadline,
    demo,
    export,
    health,
    keeping,
    key,
    mail,
    maintain,
    one_click_links,
    profile,
    publish,
    receive,
    report,
    serve,
    staff,
    system,
    token,
    verify,
)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def trettio() -> None:
    """Answers data-subject requests under the GDPR, provably."""


for command in (
    *(demo, serve, publish, mail, receive, one_click_links, report, deadline, calendar, profile),
    *(staff, token, system, key, maintain, check, export, verify, health, keeping),
):
    command.register(app)


if sys.argv[1:2] == ["case"]:
    # Its choices are the domain's words; no other command should wait until they are read.
    from adapters.inbound.cli import case

    case.register(app)
else:
    cases = "Cases: read them, decide, and see to their end."
    app.add_typer(typer.Typer(), name="case", help=cases)


def main() -> None:
    with surely_ending():
        app()
