"""The demonstration as a whole: an installation of its own, its past, and who may come in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from adapters.bootstrap import Installation, installation, utc_now
from adapters.demo.past.moment import prepare
from adapters.demo.past.process import lived_beside
from adapters.demo.seed import STAFF, organisations, people
from adapters.demo.settings import settings_of
from adapters.demo.world import World, world
from adapters.outbound.outbox import Outbox
from adapters.outbound.tokens import Scope


@dataclass(frozen=True)
class Demonstration:
    """A running demonstration; `token` opens the desk, and `began` is when it was started first."""

    installation: Installation
    world: World
    token: str
    began: datetime
    with_past: bool


@contextmanager
def demonstration(
    folder: Path, *, port: int, database: str, with_past: bool = True
) -> Iterator[Demonstration]:
    """Open the demonstration kept in `folder`, and fill it when it is new.

    The months before it began are lived meanwhile, `with_past`.
    """
    settings = settings_of(folder, port, database)
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
        prepare(opened.database)
        opened.tokens.revoke(STAFF)
        token = opened.tokens.create(name=STAFF, staff_id=STAFF, scopes=frozenset(Scope))
        with lived_beside(settings, began) if with_past else nullcontext():
            yield Demonstration(opened, made, token, began, with_past)


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
