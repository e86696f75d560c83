"""`trettio health`: whether the roles of this machine are at work, for those without a web page."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.outbound.database import Database

STANDSTILL_SECONDS = 60.0
"""A read model that lacks events and has not moved for this long stands still."""


class Role(StrEnum):
    WEB = "web"
    WORK = "work"
    FOLLOW = "follow"
    MAIL = "mail"
    PUBLISH = "publish"
    RECEIPTS = "receipts"


def register(app: typer.Typer) -> None:
    app.command()(health)


def health(
    role: Annotated[
        list[Role] | None, typer.Option(help="Which role has to be at work here; repeatable.")
    ] = None,
) -> None:
    """Ask the database whether this machine's processes are at work; ends with 1 if one is not.

    A process says every ten seconds that it is, as long as all its threads live and the database
    hears it. A follower must also move: read models that lack events must not stand still.
    """
    from adapters.inbound.cli.console import start_errors, stop
    from adapters.outbound.presence import seen

    with start_errors(), _database() as database:
        here = [process for process in seen(database.connection) if _is_here(process.host)]
        wanted = [one.value for one in role or Role]
        found = {name: [p for p in here if name in p.roles] for name in wanted}
        for name in wanted:
            for process in found[name]:
                typer.echo(f"{name}: process {process.pid}, heard {process.seconds_ago:.0f} s ago")
        missing = [name for name in wanted if not found[name]]
        if missing if role else not here:
            stop(f"nobody is at work here as {' or '.join(missing)}", 1)
        if found.get("follow"):
            still = _standing_still(database)
            if still:
                stop(f"lacks events and stands still: {', '.join(still)}", 1)


def _is_here(host: str) -> bool:
    return host == socket.gethostname()


@contextmanager
def _database() -> Iterator[Database]:
    """The database if it runs: to ask for one's health must not start it."""
    from adapters.embedded_postgres import EmbeddedPostgres
    from adapters.inbound.cli.console import settings_or_stop
    from adapters.outbound.database import Database, DatabaseNotUsable

    settings = settings_or_stop()
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
    else:
        try:
            url = EmbeddedPostgres(settings.home).url
        except OSError:
            raise DatabaseNotUsable("nothing has been started here yet") from None
    with Database(url) as database:
        database.check()
        yield database


def _standing_still(database: Database) -> list[str]:
    from adapters.outbound import chain_store

    rows = database.fetch(
        "SELECT view FROM views.positions, LATERAL ("
        "  SELECT recorded_at FROM trettio.log WHERE notification_id > position"
        "  ORDER BY notification_id LIMIT 1) AS lacking"
        " WHERE greatest(updated_at, recorded_at)"
        "  < clock_timestamp() - make_interval(secs => %s) ORDER BY view",
        [STANDSTILL_SECONDS],
    )
    still = [row["view"] for row in rows]
    return [*still, "evidence chain"] if chain_store.state(database).warnings else still
