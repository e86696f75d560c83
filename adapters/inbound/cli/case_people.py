"""`trettio case …`: who asks for whom, and what is put right about a message or a right."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import typer

from adapters.inbound.cli.case_seat import read, seated
from domain.representation import AnswerTo, AuthorityEvidence, ChildView, RepresentationKind
from domain.vocabulary import Right

Case = Annotated[str, typer.Argument(help="The case's reference, or its id.", metavar="CASE")]
Reason = Annotated[str, typer.Option(help="A code, never personal data.")]
From = Annotated[str | None, typer.Option(help="A file, or - for standard input.", metavar="FILE")]


def register(cases: typer.Typer) -> None:
    commands: tuple[Callable[..., None], ...] = (
        asks_for,
        authority_seen,
        child_heard,
        accept_authority,
        reject_authority,
        protect,
        correct_receipt,
        correct_right,
        add_right,
        undo,
        hand_over,
        reopen,
    )
    for command in commands:
        cases.command()(command)


# Who asks for whom


def asks_for(
    context: typer.Context,
    case: Case,
    kind: RepresentationKind,
    identifiers_from: From = None,
    age: Annotated[int | None, typer.Option(help="Of the person asked about, if known.")] = None,
) -> None:
    """Whoever wrote asks for somebody else, who is described in the file as JSON.

    [{"kind": "name", "value": "…"}]
    """
    from domain.vocabulary import IdentifierKind
    from services.ports import Identifier

    with seated(context) as seat:
        found = seat.case(case)
        given = json.loads(read(identifiers_from) or "[]")
        seat.installation.representing.claim(
            found.id,
            kind=kind,
            identifiers=tuple(
                Identifier(IdentifierKind(one["kind"]), one["value"]) for one in given
            ),
            age=age,
            by=seat.by,
        )
        seat.tell_case(found.id)


def authority_seen(
    context: typer.Context,
    case: Case,
    evidence: AuthorityEvidence,
    receives: Annotated[
        bool, typer.Option("--receives", help="It lets them have the answer.")
    ] = False,
) -> None:
    """What showed the authority; the paper itself is never kept."""
    with seated(context) as seat:
        found = seat.case(case)
        seat.installation.representing.see_evidence(
            found.id, evidence=evidence, receives=receives, by=seat.by
        )
        seat.tell_case(found.id)


def child_heard(context: typer.Context, case: Case, view: ChildView, reason: Reason) -> None:
    """What the child thinks of it; from twelve on it is asked."""
    with seated(context) as seat:
        found = seat.case(case)
        seat.installation.representing.hear_child(found.id, view=view, reason=reason, by=seat.by)
        seat.tell_case(found.id)


def accept_authority(
    context: typer.Context,
    case: Case,
    answer_to: Annotated[AnswerTo | None, typer.Option(help="Who gets the answer.")] = None,
    reason: Annotated[str, typer.Option(help="Why to them, as a code.")] = "",
) -> None:
    """They may ask: the systems are searched, and the answer goes where it should."""
    with seated(context) as seat:
        found = seat.case(case)
        seat.installation.representing.accept(
            found.id, answer_to=answer_to, reason=reason, by=seat.by
        )
        seat.tell_case(found.id)


def reject_authority(context: typer.Context, case: Case, reason: Reason) -> None:
    """They may not, or did not show it."""
    with seated(context) as seat:
        found = seat.case(case)
        seat.installation.representing.reject(found.id, reason=reason, by=seat.by)
        seat.tell_case(found.id)


def protect(
    context: typer.Context,
    case: Case,
    reason: Reason,
    end: Annotated[bool, typer.Option("--end", help="It is not needed any more.")] = False,
) -> None:
    """Hide where the person lives and stays, everywhere and at once (E-10)."""
    with seated(context) as seat:
        found = seat.case(case)
        representing = seat.installation.representing
        command = representing.end_protection if end else representing.protect
        command(found.id, reason=reason, by=seat.by)
        seat.tell_case(found.id)


# What is put right


def correct_receipt(
    context: typer.Context,
    case: Case,
    received_at: Annotated[datetime, typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z"])],
    reason: Reason,
    proof_from: Annotated[str, typer.Option(help="Who says so, and what shows it.")] = "-",
) -> None:
    """When it truly reached the controller; line one names who says so, the rest proves it."""
    from services.receipts import Correction

    with seated(context) as seat:
        found = seat.case(case)
        said_by, _, evidence = read(proof_from).partition("\n")
        correction = Correction(received_at, reason, said_by.strip(), evidence.strip())
        seat.installation.receipts.correct(found.id, correction, by=seat.by)
        seat.tell_case(found.id)


def correct_right(context: typer.Context, case: Case, wrong: Right, right: Right) -> None:
    """It was taken for the wrong right; the day of receipt stays."""
    with seated(context) as seat:
        request = seat.request(case, wrong)
        seat.installation.correcting.correct_right(request.id, right=right, by=seat.by)
        seat.tell_request(request)


def add_right(
    context: typer.Context,
    case: Case,
    right: Right,
    message: Annotated[int, typer.Option(help="In which message it stands; the first is 0.")] = 0,
) -> None:
    """A right found later in a message; it counts from when that message came."""
    with seated(context) as seat:
        found = seat.case(case)
        seat.installation.correcting.add_right(found.id, right=right, message=message, by=seat.by)
        seat.tell_case(found.id)


def undo(context: typer.Context, case: Case, reason: Reason) -> None:
    """It was a mistake to set it aside: the message waits again, from its own day."""
    with seated(context) as seat:
        found = seat.case(case)
        seat.installation.passing_on.undo(found.id, reason=reason, by=seat.by)
        seat.tell_case(found.id)


def hand_over(context: typer.Context, case: Case, controller: str) -> None:
    """It was meant for another controller of this house: a case there, of the same receipt."""
    with seated(context) as seat:
        found = seat.case(case)
        there = seat.installation.passing_on.hand_over(found.id, controller=controller, by=seat.by)
        seat.tell_case(there)


def reopen(context: typer.Context, case: Case, right: Right, reason: Reason) -> None:
    """Take a closed request up again; the clock is the old one."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.afterwards.reopen(request.id, reason=reason, by=seat.by)
        seat.tell_request(request)
