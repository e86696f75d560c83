"""`trettio replay CONTROLLER`: erases again what a connected system's backup brought back."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

import typer

if TYPE_CHECKING:
    from services.replay_standing import Standing

WAITS_FOR = {
    "cannot-list": "it cannot list whom it knows",
    "cannot-match-tokens": "it knows nobody by tokens",
    "some-are-kept": "the law kept a part of some kinds of record",
    "no-dates": "it does not say how old its records are",
    "still-there-after-erasure": "something is still there after the erasure",
    "refused": "it says no",
    "not-done-there": "it says that a person has to see to it, or has not answered",
}


def begin(controller: str, system: str, *, since: date, by: str | None, reason: str) -> None:
    from adapters.inbound.cli.console import opened, require_system, settings_or_stop, stop
    from domain.errors import DomainError

    if by is None:
        stop("say --by whom: a replay is somebody's decision")
    with opened(settings_or_stop()) as installation:
        require_system(installation, controller, system)
        try:
            begun = installation.replays.begin(
                controller, system, since=since, by=by, reason=reason
            )
        except DomainError as error:
            stop(str(error))
        typer.echo(f"replay {begun} has begun: see trettio replay {controller} --list")


def would(controller: str, system: str, *, since: date) -> None:
    from adapters.inbound.cli.console import opened, require_system, settings_or_stop, stop
    from services.ports import AwaitsPerson, Refused, Unavailable

    with opened(settings_or_stop()) as installation:
        require_system(installation, controller, system)
        try:
            counted = installation.replays.would(controller, system, since=since)
        except (Unavailable, Refused, AwaitsPerson) as error:
            stop(f"{system} cannot be asked now ({type(error).__name__}): try it first")
        typer.echo(f"erasures since {since:%A} {since}: {counted.erasures}")
        if counted.can_list:
            typer.echo(f"entries of people looked at: {counted.looked_at}")
            typer.echo(f"erasures that match somebody there: {counted.matched}")


def settle(controller: str, done: UUID, *, by: str | None) -> None:
    from adapters.inbound.cli.console import opened, settings_or_stop, stop
    from domain.errors import DomainError

    if by is None:
        stop("say --by whom it was done by hand")
    with opened(settings_or_stop()) as installation:
        known = {one.replay.id for one in installation.replays.standing(controller)}
        if done not in known:
            stop(f"{controller} has no replay {done}; see: trettio replay {controller} --list")
        try:
            installation.replays.settle(done, by=by)
        except DomainError as error:
            stop(str(error))


def show(controller: str, system: str | None) -> None:
    from adapters.inbound.cli.console import opened, settings_or_stop

    with opened(settings_or_stop()) as installation:
        for one in installation.replays.standing(controller, system):
            typer.echo(_line(one))


def _line(one: Standing) -> str:
    replay = one.replay
    parts = [
        f"{replay.id} {replay.system} since {replay.since}: {replay.erasures} erasures",
        *([f"told {one.told}, answered {one.answered}"] if one.told else []),
        *([f"never answered {one.unanswered}"] if one.unanswered else []),
    ]
    if replay.looked_at or replay.repeated:
        parts += [f"erased {replay.erased}", f"newer, so spared {replay.spared}"]
        parts += [f"kept by law {replay.kept}"]
    if one.waits_for is not None:
        parts.append(f"waits for a person ({WAITS_FOR[one.waits_for]}): {one.waiting}")
    else:
        parts.append("over" if one.is_over else "under way")
    return ", ".join(parts)
