"""The demonstration as a whole: an installation of its own, its world, and who may come in.

It heeds no setting but where its data lies: whatever else the environment says about mail relays,
databases and connected systems belongs to a real installation.
"""

from __future__ import annotations

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


@dataclass(frozen=True)
class Demonstration:
    """A running demonstration; `token` opens the desk."""

    installation: Installation
    world: World
    token: str


@contextmanager
def demonstration(folder: Path, *, port: int, database: str) -> Iterator[Demonstration]:
    """Open the demonstration kept in `folder`, and fill it when it is new."""
    settings = _settings(folder, port, database)
    mailer = Outbox(folder / "outbox", clock=utc_now)
    began = _began(folder, utc_now())
    with (
        world(folder / "world", lambda new: people(new, began)) as made,
        installation(
            settings,
            mailer=mailer,
            secrets=made.secrets,
            with_migrations=True,
            invented=True,
        ) as opened,
    ):
        _seed_once(folder, opened, began)
        opened.tokens.revoke(STAFF)
        token = opened.tokens.create(name=STAFF, staff_id=STAFF, scopes=frozenset(Scope))
        yield Demonstration(opened, made, token)


def _settings(folder: Path, port: int, database: str) -> Settings:
    plain = {name: field.default for name, field in Settings.model_fields.items()}
    return Settings(
        **{**plain, "home": folder, "host": "127.0.0.1", "port": port, "database_url": database}
    )


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
