"""`trettio system try`: asks a system for a golden person, and says what is missing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.inbound.cli.system_key import Controller, OneSystem

if TYPE_CHECKING:
    from adapters.outbound.trial import Trial
    from domain.policy import System

LOOK_EVERY_SECONDS = 0.2

TRIED = {
    "answers": "it answers",
    "waits": "it was told, and has not answered yet",
    "finds-strangers": "it finds somebody who does not exist, or others than the golden person",
    "by-hand": "a person looks there by hand: there is nothing to try",
    "not-set-up": "something is missing in its setup",
    "away": "it does not answer now",
    "refuses": "it says no",
    "broken": "the connector failed",
}
MISSING = {
    "golden-person": "it found nobody: enter the golden person there",
    "read-back": "a second search with the same result: without it no erasure can be shown",
    "delivery": "what it is told does not arrive there: see to its address, secret or certificate",
    "token": "a token for it: trettio token create --scope system --controller … --system …",
}
POST = "/v1/instructions/{id}/receipt"
BY_CONNECTOR = {
    ("kafka", "answer"): "its answer: a receipt on trettio.receipts.v1, or, with what it found,"
    f" posted to {POST}; `trettio publish` has to run",
    ("webhook", "answer"): f"its answer: a receipt posted to {POST}, or a signed callback to"
    " /v1/webhooks/receipts",
    ("https", "answer"): "its answer: it asks for /v1/instructions?state=open, and posts a receipt"
    f" to {POST}",
    ("opendsr", "answer"): "its answer: the processor has not completed the request; `trettio work`"
    " asks it how far it is",
    ("opendsr", "delivery"): "the processor does not take requests: see to its address, its domain"
    " and the certificate that it signs with",
    ("csv", "golden-person"): "its export names nobody: enter the golden person in the system, and"
    " drop a new export into its folder",
}
"""What a system has to do, in the words of the way by which it is connected."""


def register(systems: typer.Typer) -> None:
    systems.command("try")(attempt)


def attempt(
    controller: Controller,
    system: OneSystem,
    wait: Annotated[
        float, typer.Option(min=0, max=3_600, help="Seconds to wait for one that is told.")
    ] = 30.0,
) -> None:
    """Ask a system for a golden person; it counts nowhere. Ends with 1 while anything is missing.

    What is told by webhook is brought there by `trettio work`, by Kafka by `trettio publish`.
    """
    from adapters.inbound.cli.console import opened, require_system, settings_or_stop

    with opened(settings_or_stop()) as installation:
        require_system(installation, controller, system)
        known = installation.controllers.in_force(controller).system(system)
        trial = installation.trials.attempt(controller, system)
        until = time.monotonic() + wait
        while not trial.is_over and time.monotonic() < until:
            time.sleep(LOOK_EVERY_SECONDS)
            trial = installation.trials.state(controller, system) or trial
    _say(trial, known)
    if trial.missing or trial.tried.value not in {"answers", "by-hand"}:
        raise typer.Exit(1)


def _say(trial: Trial, system: System) -> None:
    from services.golden import OPTION, golden_address

    reason = f" ({trial.reason})" if trial.reason else ""
    typer.echo(f"{TRIED[trial.tried.value]}{reason}")
    if trial.milliseconds:
        typer.echo(f"round trip: {trial.milliseconds} ms")
    if trial.matches is not None:
        typer.echo(f"records of the golden person: {trial.matches}")
    for one in trial.missing:
        words = BY_CONNECTOR.get((system.connector, one.value)) or MISSING[one.value]
        typer.echo(f"missing: {words}")
    if trial.tried.value != "by-hand":
        typer.echo(
            f"golden person: {golden_address(system)} (another:"
            f' {OPTION} = "name@domain.example" under [systems.options])'
        )
