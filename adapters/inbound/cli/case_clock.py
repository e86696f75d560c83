"""`trettio case …`: whose it is, what the person is asked, more time, and what stays held."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from adapters.inbound.cli.case_seat import read, seated
from domain.vocabulary import ConsultedAbout, ExtensionReason, Right

Case = Annotated[str, typer.Argument(help="The case's reference, or its id.", metavar="CASE")]
From = Annotated[str | None, typer.Option(help="A file, or - for standard input.", metavar="FILE")]
Day = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"])]


def register(cases: typer.Typer) -> None:
    commands: tuple[Callable[..., None], ...] = (
        assign,
        clarify,
        clarified,
        extend,
        consult,
        advise,
        weighed,
        rely,
        holds,
        lift_hold,
        claim_hold,
    )
    for command in commands:
        cases.command()(command)


def assign(context: typer.Context, case: Case, right: Right, to: str) -> None:
    """Give a request to somebody, by staff id."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.assigning.assign([request.id], to=to, by=seat.by)
        seat.tell_request(request)


def clarify(context: typer.Context, case: Case, right: Right, question_from: From = "-") -> None:
    """Ask the person what is meant; what is not in question is collected meanwhile."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.questions.ask_scope(request.id, words=read(question_from), by=seat.by)
        seat.tell_request(request)


def clarified(context: typer.Context, case: Case, right: Right, answer_from: From = "-") -> None:
    """What the person answered, by telephone or on paper."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.questions.record_answer(request.id, words=read(answer_from), by=seat.by)
        seat.tell_request(request)


def extend(
    context: typer.Context,
    case: Case,
    right: Right,
    reason: Annotated[list[ExtensionReason], typer.Option(help="Repeatable; of both sorts.")],
    words_from: From = None,
) -> None:
    """Two more months, with a notice to the person in the first (Art. 12(3))."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.extending.decide(
            request.id, reasons=tuple(reason), words=read(words_from), by=seat.by
        )
        seat.tell_request(request)


def consult(
    context: typer.Context,
    case: Case,
    right: Right,
    about: ConsultedAbout,
    question_from: From = "-",
    advice_from: From = None,
    advised_by: Annotated[
        str, typer.Option(help="With --advice-from: the officer's staff id, never your own.")
    ] = "",
) -> None:
    """Ask the officer, who advises and never decides (Art. 38(6))."""
    with seated(context) as seat:
        request = seat.request(case, right)
        question = seat.installation.consulting.ask(
            request.id,
            about=about,
            words=read(question_from),
            advice=read(advice_from),
            advised_by=advised_by,
            by=seat.by,
        )
        seat.tell({"question_id": str(question)})


def advise(
    context: typer.Context, case: Case, right: Right, question: UUID, advice_from: From = "-"
) -> None:
    """What the officer advises."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.consulting.advise(
            request.id, question, words=read(advice_from), by=seat.by
        )
        seat.tell_request(request)


def weighed(
    context: typer.Context,
    case: Case,
    right: Right,
    question: UUID,
    followed: Annotated[bool, typer.Option("--followed/--not-followed")],
    why_from: From = None,
) -> None:
    """Whether the advice was followed; where not, why."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.consulting.weigh(
            request.id, question, followed=followed, words=read(why_from), by=seat.by
        )
        seat.tell_request(request)


def rely(
    context: typer.Context,
    case: Case,
    right: Right,
    reason: Annotated[str, typer.Option(help="A code.")],
    question: Annotated[UUID | None, typer.Option(help="What the officer was asked.")] = None,
) -> None:
    """Count the pauses of this request, in the controller's name."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.consulting.rely_on_suspension(
            request.id, reason=reason, question=question, by=seat.by
        )
        seat.tell_request(request)


# What stays held


def holds(context: typer.Context, case: Case) -> None:
    """What is kept, on which ground, and until when."""
    with seated(context) as seat:
        found = seat.case(case)
        seat.installation.follower().drain()
        rows = seat.installation.database.fetch(
            "SELECT aggregate_id FROM views.case_members WHERE kind = 'hold' AND case_id = %s"
            " ORDER BY aggregate_id",
            [found.id],
        )
        kept = [seat.installation.register.hold(row["aggregate_id"]) for row in rows]
        seat.tell(
            [
                {
                    "hold_id": str(hold.id),
                    "system": hold.system,
                    "category": hold.category,
                    "ground": hold.ground,
                    "release_on": hold.release_on.isoformat() if hold.release_on else None,
                    "review_on": hold.review_on.isoformat() if hold.review_on else None,
                    "released_on": hold.released_on.isoformat() if hold.released_on else None,
                    "records": len(hold.records),
                }
                for hold in kept
            ]
        )


def claim_hold(
    context: typer.Context,
    case: Case,
    right: Right,
    records: Annotated[list[UUID], typer.Argument(help="The records' ids.")],
    owner: Annotated[str, typer.Option(help="Who answers for it, by staff id.")],
    review_on: Day,
    reason_from: From = "-",
) -> None:
    """Keep records for a legal claim: with a reason, an owner and a day to look again."""
    with seated(context) as seat:
        request = seat.request(case, right)
        made = seat.installation.holds.claim(
            request.id,
            records,
            reason=read(reason_from),
            owner=owner,
            review_on=review_on.date(),
            by=seat.by,
        )
        seat.tell({"hold_ids": [str(one) for one in made]})


def lift_hold(context: typer.Context, case: Case, hold: UUID, reason_from: From = "-") -> None:
    """End a hold before its day, or although it has none; what it kept is erased at once."""
    with seated(context) as seat:
        found = seat.case(case)
        seat.installation.holds.lift(hold, reason=read(reason_from), by=seat.by)
        seat.tell_case(found.id)
