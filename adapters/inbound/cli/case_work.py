"""`trettio case …`: what the systems were asked, and what people found and did in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated
from uuid import UUID

import typer

from adapters.inbound.cli.case_seat import read, seated
from adapters.inbound.cli.console import stop
from domain.vocabulary import Outcome, Right

Case = Annotated[str, typer.Argument(help="The case's reference, or its id.", metavar="CASE")]
System = Annotated[str, typer.Argument(help="The system's id in the profile.")]
From = Annotated[str | None, typer.Option(help="A file, or - for standard input.", metavar="FILE")]


def register(cases: typer.Typer) -> None:
    commands: tuple[Callable[..., None], ...] = (
        systems,
        found,
        erased,
        done,
        again,
    )
    for command in commands:
        cases.command()(command)


def systems(
    context: typer.Context,
    case: Case,
    right: Annotated[
        Right | None, typer.Argument(help="Which of the case's rights, if it has several.")
    ] = None,
) -> None:
    """Who was asked what for, and how far they are."""
    with seated(context) as seat:
        request = seat.request(case, right or seat.only_right(case))
        fulfilment = seat.installation.register.find_fulfilment(request.id)
        seat.tell(
            [
                {
                    "system": state.plan.system,
                    "role": state.plan.role.value,
                    "action": state.action.value,
                    "status": state.status.value,
                    "found": len(state.found),
                    "waits_for": state.waits_for,
                }
                for state in (fulfilment.systems.values() if fulfilment else ())
            ]
        )


def found(
    context: typer.Context,
    case: Case,
    right: Right,
    system: System,
    records_from: From = None,
    nothing: Annotated[
        str, typer.Option(help="Why there is nothing, as a code.", metavar="REASON")
    ] = "",
) -> None:
    """What a person found where no machine can look, or why there is nothing.

    The file holds JSON: [{"kind": "order", "key": "4711", "fields": {"total": "450 kr"}}].
    """
    from adapters.inbound.api.requests import ByHand, record_by_hand

    with seated(context) as seat:
        request = seat.request(case, right)
        rows = json.loads(read(records_from) or "[]")
        if not rows and not nothing:
            stop("say what was found, with --records-from, or why nothing, with --nothing")
        form = ByHand.model_validate({"found": rows, "reason": nothing})
        record_by_hand(seat.installation, request.id, system, form, by=seat.by)
        seat.tell_request(request)


def erased(
    context: typer.Context,
    case: Case,
    right: Right,
    system: System,
    records: Annotated[
        list[str], typer.Argument(help="What became of each.", metavar="RECORD=OUTCOME…")
    ],
    looked_again: Annotated[
        bool, typer.Option("--looked-again", help="You looked again: nothing else was left.")
    ] = False,
) -> None:
    """What a person erased over there, record by record."""
    from services.ports import Result

    with seated(context) as seat:
        request = seat.request(case, right)
        results = {}
        for one in records:
            record, _, outcome = one.partition("=")
            try:
                results[UUID(record)] = Result(Outcome(outcome))
            except ValueError:
                stop(f"{one!r} is not RECORD=OUTCOME, such as a record's id and =erased")
        seat.installation.byhand.erased(
            request.id, system, results, looked_again=looked_again, by=seat.by
        )
        seat.tell_request(request)


def done(
    context: typer.Context,
    case: Case,
    right: Right,
    system: System,
    outcome: Outcome,
    reason: Annotated[str, typer.Option(help="A code, where nothing was done.")] = "",
) -> None:
    """How a task as a whole ended: a suppression, a recipient informed."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.byhand.done(
            request.id, system, outcome=outcome, reason=reason, by=seat.by
        )
        seat.tell_request(request)


def again(context: typer.Context, case: Case, right: Right, system: System) -> None:
    """Ask a system once more, after somebody has seen to it over there."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.fulfilments.try_again(request.id, system, by=seat.by)
        seat.tell_request(request)
