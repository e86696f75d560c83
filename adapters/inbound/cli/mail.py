"""`trettio mail`: only the ways by which mail comes in: LMTP, a watched folder, an IMAP mailbox."""

from __future__ import annotations

from threading import Event

import typer


def register(app: typer.Typer) -> None:
    app.command()(mail)


def mail() -> None:
    """Run only what takes mail in; `trettio serve` does it too where it is set up."""
    from adapters.inbound.cli.console import ending_in_order, ready, settings_or_stop, stop
    from adapters.roles import running

    settings = settings_or_stop()
    if not settings.takes_mail:
        stop("no mail comes in: set TRETTIO_LMTP, TRETTIO_MAIL_FOLDER or TRETTIO_IMAP_HOST")
    with (
        ending_in_order(),
        ready(settings) as installation,
        running(installation, mail=True),
    ):
        Event().wait()
