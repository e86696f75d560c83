"""`trettio check`: whether log, vault, keys, tasks and read models fit together (Art. 5(2), 32)."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from adapters.bootstrap import Installation
    from adapters.outbound.consistency import Misfit


def register(app: typer.Typer) -> None:
    app.command()(check)


def check(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    patience: Annotated[
        int,
        typer.Option(min=0, help="Minutes a lease may be over, or a key unused, before it counts."),
    ] = 60,
) -> None:
    """Compare log, vault, keys, tasks and read models, and name what does not fit.

    Nothing is changed, and Trettio may go on working meanwhile. Ends with 1 when something does
    not fit.
    """
    from adapters.bootstrap import installation
    from adapters.inbound.cli.console import settings_or_stop, start_errors
    from adapters.logs import configure
    from adapters.outbound import consistency

    settings = settings_or_stop()
    configure(settings.log)
    with start_errors(), installation(settings) as opened:
        misfits = consistency.check(
            opened.database,
            opened.vault,
            opened.register.mapper,
            patience=timedelta(minutes=patience),
            progress=_progress if sys.stderr.isatty() else None,
        )
        misfits += _evidence(opened)
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    if as_json:
        typer.echo(json.dumps({"misfits": [asdict(misfit) for misfit in misfits]}))
    elif not misfits:
        typer.echo("everything fits")
    else:
        for misfit in misfits:
            typer.echo(f"{misfit.kind} ({misfit.count}): {misfit.words}")
            for example in misfit.examples:
                typer.echo(f"  {example}")
    raise typer.Exit(1 if misfits else 0)


def _evidence(opened: Installation) -> list[Misfit]:
    """What is wrong with the evidence chain: trettio verify tells all of it."""
    from adapters.bootstrap import signing_keys
    from adapters.evidence.whole_log import verify_log
    from adapters.outbound import chain_store
    from adapters.outbound.checkpoints import CheckpointFile
    from adapters.outbound.consistency import EXAMPLES, Misfit
    from adapters.outbound.master_keys import WrongMasterKey

    settings = opened.settings
    try:
        trusted = {signing_keys(settings).current.fingerprint}
    except WrongMasterKey as error:
        return [Misfit("signing-key", 1, str(error), ())]
    chain = chain_store.state(opened.database)
    if chain.position == 0 and chain.stopped is None:
        return []  # nothing has followed the log here since the chain was added
    if chain.warnings:
        return [Misfit("chain-stands", 1, chain.warnings[0], ())]
    faults = verify_log(opened.database, CheckpointFile(settings.checkpoint_file), trusted).faults
    if not faults:
        return []
    words = "the log is not what was signed of it; run trettio verify for every place"
    return [Misfit("chain-broken", len(faults), words, tuple(map(str, faults[:EXAMPLES])))]


def _progress(position: int) -> None:
    sys.stderr.write(f"\rread up to position {position}")
