"""`trettio export CASE`: the evidence pack of a case, to be checked by `trettio verify`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command()(export)


def export(
    case: Annotated[str, typer.Argument(help="The case's reference, or its id.", metavar="CASE")],
    staff: Annotated[
        str,
        typer.Option("--as", envvar="TRETTIO_STAFF", help="Your staff id: it is recorded."),
    ],
    to: Annotated[
        Path | None, typer.Option(help="The file to write; else REFERENCE-evidence.zip here.")
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="What was known at the end of this day."),
    ] = None,
    with_content: Annotated[
        bool, typer.Option("--with-content", help="With what was sealed: personal data.")
    ] = False,
    purpose: Annotated[
        str, typer.Option(help="What for; it is recorded.", metavar="PURPOSE")
    ] = "review",
) -> None:
    """Write the evidence pack of a case: events, proof, facts and pages to read.

    Whoever has the public key (trettio key signing public) can check it without this installation.
    """
    from adapters.inbound.api.export import CONTENT
    from adapters.inbound.cli.case_seat import PURPOSES, Seat, Terminal
    from adapters.inbound.cli.console import ready, settings_or_stop, stop
    from adapters.inbound.web.evidence_pack import evidence_pack
    from domain.vocabulary import Content

    if purpose not in PURPOSES:
        stop(f"{purpose!r} is no purpose; there are: {', '.join(PURPOSES)}")
    with ready(settings_or_stop()) as installation:
        seat = Seat(installation, Terminal(staff.strip(), purpose, False))
        found = seat.case(case)
        seat.look_into(found, Content.EVIDENCE, *(CONTENT if with_content else ()))
        pack = evidence_pack(
            installation,
            found.id,
            as_of=as_of.date() if as_of is not None else None,
            with_content=with_content,
        )
        path = to or Path(f"{found.reference}-evidence.zip")
        try:
            path.write_bytes(pack)
        except OSError as error:
            stop(f"{path} cannot be written ({error.strerror})")
        typer.echo(f"{path} written; check it with: trettio verify {path}")
