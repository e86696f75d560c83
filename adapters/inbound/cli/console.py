"""What every command shares: settings, the installation, one clear line when it cannot start.

It imports little: some commands have better things to do while the rest is read.
"""

from __future__ import annotations

import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import typer

from adapters.ending import deadline
from adapters.settings import (
    Settings,
    SettingsWrong,
    load_settings,
    require_known_systems,
)

if TYPE_CHECKING:
    from adapters.bootstrap import Installation


def settings_or_stop() -> Settings:
    _leave_no_memory_behind()
    try:
        return load_settings()
    except SettingsWrong as error:
        stop(str(error))


@contextmanager
def opened(settings: Settings, *, with_migrations: bool | None = None) -> Iterator[Installation]:
    """The installation for one command; what stops it is said in one line."""
    from adapters.bootstrap import installation
    from adapters.logs import configure

    configure(settings.log)
    with (
        start_errors(),
        installation(settings, with_migrations=with_migrations) as opened_installation,
    ):
        adopt_profiles(opened_installation)
        require_known_systems(_systems(opened_installation))
        yield opened_installation


@contextmanager
def ready(settings: Settings) -> Iterator[Installation]:
    """The installation for a command that serves or works; none does after a bare restore."""
    from adapters.outbound.database import was_restored

    with opened(settings) as opened_installation:
        back = opened_installation.vault.outstanding()
        if back:
            stop(
                f"{len(back)} destroyed compartments are back, because the database was restored:"
                " run trettio replay --self first"
            )
        if was_restored(opened_installation.database):
            stop(
                "the database was restored from a backup: put the file destroyed-keys back, then"
                " run trettio replay --self, so that what was destroyed since stays destroyed"
            )
        opened_installation.chain().require_same_log()
        # The pages need the read models, even if nobody follows the log yet.
        opened_installation.views.prepare(opened_installation.log_source())
        yield opened_installation


@contextmanager
def start_errors() -> Iterator[None]:
    """What keeps an installation from opening is said in one line."""
    try:
        yield
    except Exception as error:
        if isinstance(error, _reasons()):
            stop(str(error))
        raise


def _reasons() -> tuple[type[Exception], ...]:
    from adapters.embedded_postgres import PostgresNotStarted
    from adapters.outbound.chain import ChainStopped
    from adapters.outbound.database import DatabaseNotUsable
    from adapters.outbound.kafka.connection import KafkaNotUsable
    from adapters.outbound.vault import WrongMasterKey
    from domain.errors import DomainError
    from services.follower import AnotherLog

    return (
        *(ChainStopped, DatabaseNotUsable, PostgresNotStarted, KafkaNotUsable, AnotherLog),
        *(WrongMasterKey, DomainError, SettingsWrong),
    )


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Ctrl-C and SIGTERM end the block alike: what was opened in it is closed, and all is well."""
    before = signal.signal(signal.SIGTERM, _told_to_end)
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)
        deadline.lift()


def _told_to_end(number: int, frame: FrameType | None) -> NoReturn:
    deadline.set()
    raise KeyboardInterrupt


def adopt_profiles(opened_installation: Installation) -> None:
    """Put every profile of the settings' directory in force; unchanged ones change nothing."""
    folder = opened_installation.settings.profiles
    if folder is None:
        return
    for path in sorted(folder.glob("*.toml")):
        opened_installation.controllers.adopt(
            path.read_bytes(),
            name=path.name,
            by="settings",
            admit=opened_installation.calling.admission.leave_out,
        )


def _systems(opened_installation: Installation) -> dict[str, tuple[str, ...]]:
    controllers = opened_installation.controllers
    return {
        name: tuple(system.id for system in controllers.in_force(name).systems)
        for name in controllers.names()
    }


def require_system(opened_installation: Installation, controller: str, system: str) -> None:
    """A controller and a system of its profile in force, or the end of the command."""
    if system not in _systems(opened_installation).get(controller, ()):
        stop(f"controller {controller!r} has no system {system!r} in its profile in force")


def _leave_no_memory_behind() -> None:
    """A crash writes no core file: it would hold the master key, and people's data."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def stop(reason: str, code: int = 2) -> NoReturn:
    """End the command with one line on standard error."""
    sys.stderr.write(f"trettio: {reason}\n")
    raise typer.Exit(code)
