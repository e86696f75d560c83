"""`trettio publish`: carries the log to Kafka, and receipts of connected systems back."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from adapters.outbound.database import Database
    from adapters.settings import Settings


def register(app: typer.Typer) -> None:
    app.command()(publish)


def publish(
    create_topics: Annotated[
        bool, typer.Option("--create-topics", help="Make the topics that are missing, and end.")
    ] = False,
    partitions: Annotated[
        int, typer.Option(min=1, max=1000, help="Partitions of each topic that is made.")
    ] = 6,
    replicas: Annotated[
        int, typer.Option(min=-1, max=15, help="Replicas of each; -1 is the brokers' own default.")
    ] = -1,
    after_restore: Annotated[
        bool,
        typer.Option("--after-restore", help="Go on with a log that was restored from a backup."),
    ] = False,
    only_publish: Annotated[
        bool,
        typer.Option(
            "--only-publish",
            help="Leave receipts to another process; this one then needs no master key.",
        ),
    ] = False,
    only_receipts: Annotated[
        bool, typer.Option("--only-receipts", help="Leave publishing to another process.")
    ] = False,
) -> None:
    """Publish requests and instructions to Kafka, and take in what connected systems answer."""
    from adapters.inbound.cli.console import settings_or_stop, start_errors

    settings = settings_or_stop()
    with start_errors():
        if create_topics:
            from adapters.outbound.kafka import topics

            made = topics.create_topics(settings, partitions=partitions, replicas=replicas)
            typer.echo(f"made: {', '.join(made)}" if made else "all topics were there already")
            return
        if only_publish:
            _only_publish(settings, after_restore=after_restore)
        else:
            _with_receipts(settings, publish=not only_receipts, after_restore=after_restore)


def _only_publish(settings: Settings, *, after_restore: bool) -> None:
    from adapters.inbound.cli.console import ending_in_order, stop
    from adapters.logs import configure
    from adapters.outbound.database import (
        Database,
        DatabaseNotUsable,
        require_current_schema,
        was_restored,
    )
    from adapters.publishing import publishing_alone

    if settings.database_url is None:
        stop("--only-publish needs TRETTIO_DATABASE_URL: the database of the other processes")
    configure(settings.log)
    with Database(settings.database_url.get_secret_value()) as database:
        require_current_schema(database)
        if was_restored(database):
            raise DatabaseNotUsable(
                "the database was restored from a backup: run trettio replay --self first"
            )
        _begin(settings, database, after_restore=after_restore)
        with ending_in_order(), publishing_alone(settings, database):
            Event().wait()


def _with_receipts(settings: Settings, *, publish: bool, after_restore: bool) -> None:
    from adapters.inbound.cli.console import ending_in_order, ready
    from adapters.roles import running

    with ExitStack() as stack:
        stack.enter_context(ending_in_order())
        installation = stack.enter_context(ready(settings))
        _begin(settings, installation.database, after_restore=after_restore)
        stack.enter_context(running(installation, publish=publish, receipts=True))
        Event().wait()


def _begin(settings: Settings, database: Database, *, after_restore: bool) -> None:
    """Say now, in one line, what somebody must see to; Kafka itself is waited for."""
    from adapters.outbound.kafka.connection import KafkaAway
    from adapters.publishing import Publishing, follow_restored

    if after_restore:
        follow_restored(database)
    with suppress(KafkaAway):
        Publishing(settings, database).check()
