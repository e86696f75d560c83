"""`trettio key signing`: what signs the evidence chain, and its public half for auditors."""

from __future__ import annotations

from typing import Annotated

import typer

signing = typer.Typer(no_args_is_help=True, help="The keys that sign the evidence chain.")


@signing.command("list")
def list_keys() -> None:
    """The fingerprint of every signing key given here, the one that signs first."""
    from adapters.bootstrap import signing_keys
    from adapters.evidence.trettio_verify import told
    from adapters.inbound.cli.console import settings_or_stop, start_errors

    with start_errors():
        keys = signing_keys(settings_or_stop())
        for one in (keys.current, *keys.older):
            typer.echo(f"{told(one.fingerprint)}  {'signs' if one is keys.current else 'vouches'}")


@signing.command()
def new() -> None:
    """Make a key at the head of the key file; the one before it vouches for it by itself."""
    from adapters.inbound.cli.console import settings_or_stop, start_errors, stop
    from adapters.outbound.master_keys import SIGNING, add_master_key
    from adapters.outbound.signing_keys import SigningKey

    with start_errors():
        path = settings_or_stop().signing_file
        if path is None:
            stop(
                "the keys stand in TRETTIO_SIGNING_KEY, which no program can change: put the new"
                " one first there and leave the old one after it"
            )
        made = SigningKey(add_master_key(path, SIGNING).key)
        typer.echo(f"key {made.fingerprint} made in {path}; leave the older ones after it")


@signing.command()
def public(
    fingerprint: Annotated[
        str | None, typer.Option("--id", help="Of which key; else the one that signs.")
    ] = None,
) -> None:
    """Print the public key (PEM), for whoever checks evidence packs."""
    from adapters.bootstrap import signing_keys
    from adapters.inbound.cli.console import settings_or_stop, start_errors, stop

    with start_errors():
        keys = signing_keys(settings_or_stop())
        wanted = (fingerprint or keys.current.fingerprint).replace(" ", "")
        for one in (keys.current, *keys.older):
            if one.fingerprint.startswith(wanted):
                typer.echo(one.pem, nl=False)
                return
        stop(f"key {wanted} is not given here; see: trettio key signing list")
