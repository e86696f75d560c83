"""`trettio receive`: raw messages from files, as a mail server stored them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command()(receive)


def receive(
    files: Annotated[list[Path], typer.Argument(help="Raw messages (.eml).", metavar="FILE…")],
    controller: Annotated[str, typer.Option(help="The id of the controller's profile.")],
) -> None:
    """Take raw messages in. The same message twice is one case; nothing is answered by machine."""
    from adapters.inbound.cli.console import opened, settings_or_stop, stop
    from adapters.inbound.mail import UnreadableMessage, parse
    from domain.case import reference
    from domain.vocabulary import Channel

    settings = settings_or_stop()
    failed = 0
    with opened(settings) as installation:
        for path in files:
            try:
                message = parse(
                    path.read_bytes(),
                    trusted_hosts=settings.trusted_mail_hosts,
                    now=installation.clock(),
                )
            except (OSError, UnreadableMessage) as error:
                typer.echo(f"{path}: {error}", err=True)
                failed += 1
                continue
            case_id = installation.intake.receive(controller, message, channel=Channel.MAIL)
            case = installation.register.case(case_id)
            rights = ", ".join(right.value for right in case.rights) or "no right recognised"
            typer.echo(
                f"{path}: case {reference(case_id)}, {case.kind.value}, {rights}, "
                f"{case.language.value}, received {case.received_at.isoformat()}"
            )
    if failed:
        stop(f"{failed} of {len(files)} messages could not be read", code=1)
