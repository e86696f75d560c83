"""`trettio key`: the vault's master keys: on paper, in turn, and none that is still needed lost."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.inbound.cli.key_signing import signing

if TYPE_CHECKING:
    from adapters.outbound.database import Database
    from adapters.outbound.master_keys import MasterKey, MasterKeys
    from adapters.outbound.rotation import KeyUse
    from adapters.outbound.sealing import Ring
    from adapters.settings import Settings

PATIENCE_SECONDS = 60.0
"""How long `rotate` waits for processes that run to read a key file again."""
ASKED_GROUPS = 2

keys = typer.Typer(no_args_is_help=True, help="The vault's master keys.")

KeyId = Annotated[str | None, typer.Option("--id", help="Of which key; else the newest.")]


def register(app: typer.Typer) -> None:
    keys.add_typer(signing, name="signing")
    app.add_typer(keys, name="key")


@keys.command("list")
def list_keys() -> None:
    """Which keys there are, which one seals, and how much each one still wraps."""
    from adapters.outbound.rotation import KeyUse, confirmed_at, key_uses

    with _database_and_ring() as (database, ring):
        uses = key_uses(database)
        for key_id in ring.keys.ids:
            if key_id not in {use.id for use in uses}:
                uses.append(KeyUse(key_id, 0, False, confirmed_at(database, key_id)))
        for use in uses:
            given = use.id in ring.keys.ids
            typer.echo(f"{use.id}  {use.compartments} compartments  {_state(use, given=given)}")
    if any(use.needed and use.id not in ring.keys.ids for use in uses):
        raise typer.Exit(1)


@keys.command()
def new(
    file: Annotated[
        Path | None, typer.Argument(help="The key file; else TRETTIO_MASTER_KEY_FILE.")
    ] = None,
) -> None:
    """Make a key at the head of the key file. It seals when `trettio key rotate` says so."""
    from adapters.inbound.cli.console import start_errors
    from adapters.outbound.master_keys import add_master_key

    with start_errors():
        path = file or _key_file()
        typer.echo(f"key {add_master_key(path).id} made in {path}")


@keys.command()
def export(
    key_id: KeyId = None,
    name: Annotated[
        str | None, typer.Option(help="Of the installation; else the host of its public address.")
    ] = None,
) -> None:
    """Print the recovery sheet of a key. Nothing else ever shows a key."""
    from datetime import datetime

    from adapters.inbound.cli.console import settings_or_stop, start_errors
    from adapters.outbound.recovery_sheet import sheet

    settings = settings_or_stop()
    with start_errors():
        key = _chosen(_given_keys(settings), key_id)
        today = datetime.now().astimezone().date()
        sys.stdout.write(sheet(key, installation=name or _name(settings), on=today))


@keys.command()
def confirm(key_id: KeyId = None) -> None:
    """Type back two groups of a recovery sheet; from then on its paper counts as readable."""
    from adapters.inbound.cli.console import stop
    from adapters.outbound.recovery_sheet import GROUPS, groups, part
    from adapters.outbound.rotation import confirm_sheet

    with _database_and_ring() as (database, ring):
        key = _chosen(ring.keys, key_id)
        typer.echo(f"Take the recovery sheet of key {key.id}.")
        for number in sorted(secrets.SystemRandom().sample(range(1, GROUPS + 1), ASKED_GROUPS)):
            if _asked(number) != part(number, groups(key)[number - 1]):
                stop(f"group {number} is of another key's sheet: print the one of {key.id}", 1)
        confirm_sheet(database, key.id)
        typer.echo(f"recovery sheet of key {key.id} confirmed")


@keys.command()
def recover(
    file: Annotated[Path, typer.Argument(help="The key file to make, or to add the key to.")],
) -> None:
    """Make a key file from a recovery sheet; reads the eight groups typed, or the page itself."""
    from adapters.inbound.cli.console import start_errors
    from adapters.outbound.master_keys import MasterKey, keep_master_key
    from adapters.outbound.recovery_sheet import GROUPS, read

    with start_errors():
        if sys.stdin.isatty():
            key = MasterKey(b"".join(_asked(number) for number in range(1, GROUPS + 1)))
        else:
            key = read(sys.stdin.read())
        is_new = keep_master_key(file, key)
        typer.echo(f"key {key.id} {'written to' if is_new else 'was already in'} {file}")
        typer.echo("compare its name with the sheet's; trettio key list tells what needs it")


@keys.command()
def rotate() -> None:
    """Put the first key of the ring in force and wrap anew what others wrap, beside all work.

    It may be ended at any moment, and run again.
    """
    from adapters.outbound.rotation import rewrap

    with _database_and_ring() as (database, ring):
        first = ring.keys.current
        if _put_in_force(database, ring, first):
            typer.echo(f"key {first.id} seals from now on")
        done = rewrap(database, ring, progress=_progress if sys.stderr.isatty() else None)
        if sys.stderr.isatty():
            sys.stderr.write("\r\033[K")
        typer.echo(f"{done} compartments wrapped anew under key {first.id}")
        if not ring.keys.older:
            typer.echo("there is no other key: trettio key new makes one to rotate to")
        for key in ring.keys.older:
            typer.echo(f"key {key.id} is not needed here any more: trettio key retire {key.id}")


@keys.command()
def retire(
    key_id: Annotated[str, typer.Argument(help="The key's name.")],
    without_sheet: Annotated[
        bool,
        typer.Option("--without-sheet", help="Its sheet was never confirmed, and need not be."),
    ] = False,
) -> None:
    """Take a key that nothing needs any more out of the key file."""
    from adapters.inbound.cli.console import stop
    from adapters.outbound.master_keys import drop_master_key
    from adapters.outbound.rotation import confirmed_at, key_uses

    with _database_and_ring() as (database, _ring):
        for use in key_uses(database):
            if use.id == key_id and use.needed:
                what = "it seals" if use.in_force else f"{use.compartments} compartments need it"
                stop(f"key {key_id} stays: {what}. Run first: trettio key rotate", 1)
        if not without_sheet and confirmed_at(database, key_id) is None:
            stop(
                f"backups from before the rotation need key {key_id}, and its recovery sheet was"
                f" never confirmed. Run trettio key export --id {key_id} and trettio key confirm"
                f" --id {key_id} first, or say --without-sheet",
                1,
            )
        path = _key_file()
        drop_master_key(path, key_id)
        typer.echo(
            f"key {key_id} taken out of {path}; backups of the database from before the rotation"
            " still need it: keep its recovery sheet as long as them"
        )


# What the commands share


@contextmanager
def _database_and_ring() -> Iterator[tuple[Database, Ring]]:
    """The database and the keys that are given, whether or not they fit together."""
    from adapters.bootstrap import database_of
    from adapters.inbound.cli.console import settings_or_stop, start_errors
    from adapters.logs import configure
    from adapters.outbound.sealing import Ring

    settings = settings_or_stop()
    configure(settings.log)
    with start_errors(), database_of(settings) as database:
        yield database, Ring(_given_keys(settings))


def _given_keys(settings: Settings) -> MasterKeys:
    from adapters.bootstrap import master_keys

    return master_keys(settings)


def _chosen(given: MasterKeys, key_id: str | None) -> MasterKey:
    from adapters.inbound.cli.console import stop

    key = given.current if key_id is None else given.by_id(key_id)
    if key is None:
        stop(f"key {key_id} is not given here; given is {', '.join(given.ids)}")
    return key


def _key_file() -> Path:
    from adapters.inbound.cli.console import settings_or_stop, stop

    path = settings_or_stop().key_file
    if path is None:
        stop(
            "the keys stand in TRETTIO_MASTER_KEY, which no program can change: keep them in a"
            " file (TRETTIO_MASTER_KEY_FILE), or change the variable yourself"
        )
    return path


def _name(settings: Settings) -> str:
    import socket
    from urllib.parse import urlsplit

    return (settings.public_url and urlsplit(settings.public_url).hostname) or socket.gethostname()


def _state(use: KeyUse, *, given: bool) -> str:
    words = ["seals" if use.in_force else "opens" if use.needed else "not needed"]
    words.append("given" if given else "MISSING HERE" if use.needed else "not given")
    words.append(
        f"sheet confirmed {use.confirmed_at.date()}"
        if use.confirmed_at is not None
        else "sheet not confirmed"
    )
    return ", ".join(words)


def _put_in_force(database: Database, ring: Ring, key: MasterKey) -> bool:
    """Wait for processes that run to learn of the key, which those with a file do by themselves."""
    from adapters.inbound.cli.console import stop
    from adapters.outbound.rotation import ProcessesBehind, put_in_force

    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return put_in_force(database, ring, key)
        except ProcessesBehind as error:
            if time.monotonic() > deadline:
                stop(str(error), 1)
            time.sleep(1)


def _asked(number: int) -> bytes:
    from adapters.outbound.recovery_sheet import NotOnTheSheet, part

    while True:
        try:
            return part(number, typer.prompt(f"Group {number}"))
        except NotOnTheSheet as error:
            typer.echo(str(error), err=True)


def _progress(done: int) -> None:
    sys.stderr.write(f"\r{done} compartments")
