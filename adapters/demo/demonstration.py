"""The demonstration as a whole: an installation of its own, its world, and who may come in.

It heeds no setting but where its data lies: whatever else the environment says about mail relays,
databases and connected systems belongs to a real installation.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from adapters.bootstrap import Installation, installation, utc_now
from adapters.demo.seed import STAFF, organisations, people
from adapters.demo.world import World, world
from adapters.outbound.outbox import Outbox
from adapters.outbound.tokens import Scope
from adapters.settings import Settings
from domain.errors import DomainError

FOLDER = "demo"
"""Where below the home its data lies, apart from a real installation's."""


class AlreadyRunning(DomainError):
    """Another process runs the demonstration of this home."""


@dataclass(frozen=True)
class Demonstration:
    """A running demonstration; `token` opens the desk."""

    installation: Installation
    world: World
    token: str


@contextmanager
def demonstration(folder: Path, *, port: int) -> Iterator[Demonstration]:
    """Open the demonstration kept in `folder`, and fill it when it is new."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings, mailer = _settings(folder, port), Outbox(folder / "outbox", clock=utc_now)
    with _alone(folder):
        began = _began(folder, utc_now())
        with (
            world(folder / "world", lambda new: people(new, began)) as made,
            installation(settings, mailer=mailer, secrets=made.secrets) as opened,
        ):
            _seed_once(folder, opened, began)
            opened.tokens.revoke(STAFF)
            token = opened.tokens.create(name=STAFF, staff_id=STAFF, scopes=frozenset(Scope))
            yield Demonstration(opened, made, token)


def _settings(folder: Path, port: int) -> Settings:
    plain = {name: field.default for name, field in Settings.model_fields.items()}
    return Settings(**{**plain, "home": folder, "host": "127.0.0.1", "port": port})


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time; the lock goes with its process, however that ends."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(
                f"the demonstration in {folder} is running already; end it, or set TRETTIO_HOME"
            ) from None
        yield
    finally:
        os.close(lock)


def _seed_once(folder: Path, opened: Installation, began: datetime) -> None:
    done = folder / "seeded"
    if not done.exists():
        organisations(opened, began)
        done.touch()


def _began(folder: Path, now: datetime) -> datetime:
    """When the first start was; a start that broke off is taken up with the same moment."""
    file = folder / "began"
    if not file.exists():
        new = file.with_suffix(".new")
        new.write_text(now.isoformat())
        new.replace(file)
    return datetime.fromisoformat(file.read_text())
