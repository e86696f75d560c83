"""The past is lived in a process of its own, while the visitor looks around already.

It gives way to everybody else, lives one life after the other, each of them whole, and ends; one
that is started again goes on with the first life that nobody has lived yet.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Thread

import structlog

from adapters.bootstrap import installation
from adapters.demo import fence
from adapters.demo.past.days import Present
from adapters.demo.past.living import Life
from adapters.demo.past.moment import Moment, PastDatabase
from adapters.demo.past.people import empty, hold
from adapters.demo.past.plan import Plan
from adapters.demo.past.plans import chance_of, plans
from adapters.demo.past.post import Postbox
from adapters.demo.past.telling import STORIES
from adapters.demo.settings import settings_of
from adapters.demo.world import World
from adapters.logs import configure
from adapters.outbound.database import Database, Statement
from adapters.settings import Settings

NICE = 15

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of the past has been lived."""

    lived: int
    of: int

    @property
    def is_over(self) -> bool:
        return self.lived >= self.of


def progress(database: Database, began: datetime) -> Progress:
    (row,) = database.fetch("SELECT count(*) FROM demonstration.lives")
    return Progress(int(row["count"]), len(plans(began)))


@contextmanager
def lived_beside(settings: Settings, began: datetime) -> Iterator[None]:
    """Have the past lived meanwhile; whatever is being lived at the end is left unlived."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", "from adapters.demo.past.process import main; main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=settings.home,
        start_new_session=True,  # Ctrl-C is for us, and we tell it
    )
    assert process.stdin is not None
    assert settings.database_url is not None
    told = {
        "home": str(settings.home),
        "port": settings.port,
        "database": settings.database_url.get_secret_value(),
        "began": began.isoformat(),
    }
    with process.stdin:
        process.stdin.write(json.dumps(told).encode() + b"\n")
        process.stdin.flush()
        try:
            yield
        finally:
            process.kill()
            process.wait()


def main() -> None:
    """What the other process does: told on its first line where, and ended with its parent."""
    told = json.loads(sys.stdin.readline())
    Thread(target=_end_with_parent, daemon=True).start()
    fence.close()
    os.nice(NICE)
    settings = settings_of(Path(told["home"]), told["port"], told["database"])
    with (settings.home / "log").open("a", encoding="utf-8") as log_file:
        configure("json", to=log_file)
        try:
            live(settings, datetime.fromisoformat(told["began"]))
        except Exception:
            log.exception("past_ended_early")


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


def live(
    settings: Settings,
    began: datetime,
    *,
    chosen: Iterable[Plan] | None = None,
) -> int:
    """Live what has not been lived, of all plans or the chosen ones; answers how many."""
    moment, postbox, lived = Moment(began), Postbox(), 0
    with (
        _systems() as world,
        installation(
            settings,
            clock=moment,
            mailer=postbox,
            secrets=world.secrets,
            with_migrations=False,
            invented=True,
            connect=moment.connect,
        ) as opened,
    ):
        database = opened.database
        assert isinstance(database, PastDatabase)
        known = {row["number"] for row in database.fetch("SELECT number FROM demonstration.lives")}
        for plan in plans(began) if chosen is None else chosen:
            if plan.number in known:
                continue
            chance = chance_of(plan)
            empty(world)
            hold(world, plan, chance)
            life = Life(
                plan,
                installation=opened,
                moment=moment,
                postbox=postbox,
                world=world,
                ends=began,
                chance=chance,
            )
            _live_one(database, life)
            lived += 1
    return lived


def _live_one(database: PastDatabase, life: Life) -> None:
    """All of one life, and that it has been lived. One that goes wrong leaves nothing behind."""
    number = life.plan.number
    said = Statement("INSERT INTO demonstration.lives (number) VALUES (%s)", [number])
    try:
        with database.whole():
            with suppress(Present):
                STORIES[life.plan.story](life)
            life.finish()
            database.run(said)
    except Exception:
        log.exception("life_went_wrong", life=number, story=life.plan.story)
        database.run(said)


@contextmanager
def _systems() -> Iterator[World]:
    """The systems as they were, in memory alone."""
    made = World()
    with ExitStack() as stack:
        for double in made.doubles.values():
            stack.enter_context(double)
        yield made
