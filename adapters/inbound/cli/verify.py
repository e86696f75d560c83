"""`trettio verify`: the log, or an evidence pack, against what was signed of it (Art. 5(2))."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import zipfile

    from adapters.settings import Settings

SHOWN = 40


def register(app: typer.Typer) -> None:
    app.command()(verify)


def verify(
    pack: Annotated[
        Path | None, typer.Argument(help="An evidence pack; without one the whole log.")
    ] = None,
    key: Annotated[
        list[Path] | None,
        typer.Option(help="A public key (PEM) to trust; else this installation's own. Repeatable."),
    ] = None,
    spoil: Annotated[
        bool,
        typer.Option("--spoil", help="Change one byte of a copy first, to see that it is found."),
    ] = False,
) -> None:
    """Check that nothing was changed, removed, inserted or moved since it was recorded.

    A pack is checked offline, by the program that anybody can run alone: trettio_verify.py. Ends
    with 0: verified; 1: faults; 2: no fault, and no key to tell whose signatures these are.
    """
    from adapters.evidence import trettio_verify
    from adapters.inbound.cli.console import settings_or_stop, start_errors, stop

    settings = settings_or_stop()
    with start_errors():
        try:
            trusted = {trettio_verify.fingerprint_of(one) for one in key or ()}
        except (OSError, ValueError) as error:
            stop(f"a public key cannot be read: {error}")
        trusted = trusted or _own(settings)
        if pack is not None:
            with _spoilt(pack) if spoil else nullcontext(pack) as looked_at:
                sealed_with, faults = trettio_verify.check_pack(looked_at, trusted)
            raise typer.Exit(
                trettio_verify.report(pack, sealed_with, faults, anchored=bool(trusted))
            )
        if spoil:
            stop("say which pack: a copy of it is spoilt, never the log")
        _verify_log(settings, trusted)


@contextmanager
def _spoilt(pack: Path) -> Iterator[Path]:
    """A copy of a pack in which one bit of one event is another."""
    import secrets
    import tempfile
    import zipfile

    with tempfile.TemporaryDirectory() as folder, _reading(pack) as original:
        copy = Path(folder) / pack.name
        with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as spoilt:
            for name in original.namelist():
                content = bytearray(original.read(name))
                if name == "events.json":
                    words = [at for at, byte in enumerate(content) if chr(byte).isalpha()]
                    place = secrets.choice(words)
                    content[place] ^= 1
                    typer.echo(f"in a copy, the lowest bit of byte {place} of {name} was flipped")
                spoilt.writestr(name, bytes(content))
        yield copy


@contextmanager
def _reading(pack: Path) -> Iterator[zipfile.ZipFile]:
    import zipfile

    from adapters.inbound.cli.console import stop

    try:
        original = zipfile.ZipFile(pack)
    except (OSError, zipfile.BadZipFile) as error:
        stop(f"{pack} cannot be opened: {error}")
    with original:
        yield original


def _own(settings: Settings) -> set[str]:
    """The fingerprint of the key that this installation signs with; none where it has none yet."""
    from adapters.bootstrap import signing_keys

    path = settings.signing_file
    if path is not None and not path.exists():
        return set()
    return {signing_keys(settings).current.fingerprint}


def _verify_log(settings: Settings, trusted: set[str]) -> None:
    from adapters.bootstrap import database_of
    from adapters.evidence.whole_log import verify_log
    from adapters.logs import configure
    from adapters.outbound.checkpoints import CheckpointFile

    configure(settings.log)
    with database_of(settings) as database:
        verdict = verify_log(
            database,
            CheckpointFile(settings.checkpoint_file),
            trusted,
            progress=_progress if sys.stderr.isatty() else None,
        )
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    for fault in verdict.faults[:SHOWN]:
        typer.echo(f"FAULT  {fault}")
    if len(verdict.faults) > SHOWN:
        typer.echo(f"and {len(verdict.faults) - SHOWN} more")
    typer.echo(
        f"{verdict.events} events, {verdict.statements} signed statements, the last up to position"
        f" {verdict.signed_upto}"
    )
    if verdict.faults:
        typer.echo("this is not what was recorded; do not repair anything before you have a copy")
        raise typer.Exit(1)
    typer.echo("every event is as it was recorded")
    if not trusted:
        typer.echo("whose signatures these are was not checked: say --key")
        raise typer.Exit(2)


def _progress(count: int) -> None:
    sys.stderr.write(f"\r{count} events")
