"""`trettio case …`: what people decide about each right, and in whose name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from adapters.inbound.cli.case_seat import read, seated
from domain.rectification import ClaimGround, Wish
from domain.restriction import RestrictionGround
from domain.vocabulary import Content, ErasureGround, Outcome, RefusalGround, Right, Unidentified

Case = Annotated[str, typer.Argument(help="The case's reference, or its id.", metavar="CASE")]
From = Annotated[str | None, typer.Option(help="A file, or - for standard input.", metavar="FILE")]


def register(cases: typer.Typer) -> None:
    commands: tuple[Callable[..., None], ...] = (
        wish,
        preview,
        approve,
        refuse,
        confirm_refusal,
        decline_refusal,
        withdraw,
        answer_again,
        claims,
        claim,
        decide_claim,
        approve_claims,
        claims_done,
        restrict,
        restricted,
        end_restriction,
        give_up_restriction,
        weigh,
        inform,
    )
    for command in commands:
        cases.command()(command)


# Erasure and copies


def wish(
    context: typer.Context,
    case: Case,
    category: Annotated[str, typer.Option(help="Only this category of the profile.")] = "",
    field: Annotated[list[str] | None, typer.Option(help="Only this field; repeatable.")] = None,
    ground: Annotated[
        list[ErasureGround] | None, typer.Option(help="A letter of Art. 17(1); repeatable.")
    ] = None,
    add: Annotated[bool, typer.Option("--add", help="Besides what was said before.")] = False,
) -> None:
    """What of it is to be erased, and on which grounds; nothing named means everything."""
    from domain.values import WishedErasure

    with seated(context) as seat:
        request = seat.request(case, Right.ERASURE)
        known = seat.installation.register.find_erasure_wish(request.id)
        part = WishedErasure(
            grounds=frozenset(ground or ()), category=category, fields=tuple(field or ())
        )
        before = known.parts if known and add else ()
        seat.installation.wishing.say(request.id, [*before, part], by=seat.by)
        seat.tell_request(request)


def preview(context: typer.Context, case: Case) -> None:
    """What would become of each record if the erasure were approved today."""
    from domain.deadlines import received_on

    with seated(context) as seat:
        request = seat.request(case, Right.ERASURE)
        today = received_on(seat.installation.clock(), request.country)
        seat.tell(
            [
                {
                    "record_id": str(one.found.record_id),
                    "system": one.found.system,
                    "category": one.found.category,
                    "decision": one.verdict.decision.value,
                    "explanation": one.verdict.explanation,
                    "law": one.verdict.law,
                    "until": one.verdict.until.isoformat() if one.verdict.until else None,
                    "keep_fields": list(one.verdict.keep_fields),
                    "asks": list(one.verdict.asks),
                }
                for one in seat.installation.deciding.preview(request, today)
            ]
        )


def approve(
    context: typer.Context,
    case: Case,
    right: Right,
    considered: Annotated[
        bool, typer.Option("--considered", help="You considered the open questions.")
    ] = False,
    words_from: From = None,
    tell: Annotated[
        bool, typer.Option("--tell", help="The person asked to be told when what is kept goes.")
    ] = False,
    full_cards: Annotated[
        bool, typer.Option("--full-cards", help="The person asked to see whole card numbers.")
    ] = False,
) -> None:
    """Approve what is to be sent or erased, in your name."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.deciding.approve(
            request.id,
            by=seat.by,
            considered=considered,
            words=read(words_from),
            tell=tell,
            full_cards=full_cards,
        )
        seat.tell_request(request)


# How it ends otherwise


def refuse(
    context: typer.Context,
    case: Case,
    right: Right,
    ground: Annotated[RefusalGround, typer.Option(help="The ground.")],
    words_from: Annotated[str, typer.Option(help="Why, for the letter.", metavar="FILE")],
    law: Annotated[str, typer.Option(help="The law, where the ground does not name it.")] = "",
    proof_from: Annotated[
        str,
        typer.Option(
            help="What shows that it is unfounded or excessive; what was tried to identify.",
            metavar="FILE",
        ),
    ] = "",
    shown: Annotated[
        Unidentified | None,
        typer.Option(help="With cannot-identify: what shows that nobody can tell who it is."),
    ] = None,
    fee: Annotated[str, typer.Option(help="A fee instead of a refusal, such as '250 kr'.")] = "",
) -> None:
    """Refuse as a whole; what Art. 12(5) allows is proposed, and another person confirms."""
    with seated(context) as seat:
        request, refusing = seat.request(case, right), seat.installation.refusing
        words, proof = read(words_from), read(proof_from) if proof_from else ""
        if ground.needs_two_people:
            refusing.propose(
                request.id, ground=ground, words=words, proof=proof, law=law, fee=fee, by=seat.by
            )
        else:
            refusing.refuse(
                request.id,
                ground=ground,
                words=words,
                law=law,
                proof=proof,
                shown=shown,
                by=seat.by,
            )
        seat.tell_request(request)


def confirm_refusal(context: typer.Context, case: Case, right: Right) -> None:
    """Agree, as the second person, to the refusal that somebody else proposed."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.refusing.confirm(request.id, by=seat.by)
        seat.tell_request(request)


def decline_refusal(
    context: typer.Context,
    case: Case,
    right: Right,
    words_from: Annotated[str, typer.Option(help="Why not.", metavar="FILE")],
) -> None:
    """Do not agree to a proposed refusal: the request is worked on as any other."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.refusing.decline(request.id, words=read(words_from), by=seat.by)
        seat.tell_request(request)


def withdraw(context: typer.Context, case: Case, right: Right) -> None:
    """Record that the person takes it back."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.refusing.withdraw(request.id, by=seat.by)
        seat.tell_request(request)


def answer_again(
    context: typer.Context,
    case: Case,
    right: Right,
    by_post: Annotated[bool, typer.Option("--by-post")] = False,
) -> None:
    """Write the answer anew after it did not arrive."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.answering.answer_again(request.id, by=seat.by, by_post=by_post)
        seat.tell_request(request)


# Rectification


def claims(context: typer.Context, case: Case) -> None:
    """Every claim about a field, with what it was and became."""
    with seated(context) as seat:
        request = seat.request(case, Right.RECTIFICATION)
        seat.look_into(request, Content.RECORD)
        seat.tell(
            [
                {
                    "claim_id": str(one.state.claim.id),
                    "category": one.state.claim.category,
                    "field": one.state.claim.field,
                    "ground": one.state.claim.ground.value,
                    "wish": one.state.claim.wish.value,
                    "should_be": one.should_be,
                    "before": one.before,
                    "after": one.after,
                    "reasons": one.reasons,
                }
                for one in seat.installation.rectifying.shown(request)
            ]
        )


def claim(
    context: typer.Context,
    case: Case,
    field: Annotated[str, typer.Option(help="The field that is wrong.")],
    ground: Annotated[ClaimGround, typer.Option(help="What is wrong with it.")],
    wish: Annotated[Wish, typer.Option(help="What the person wants done.")],
    category: Annotated[str, typer.Option(help="The category, where no record is named.")] = "",
    record: Annotated[UUID | None, typer.Option(help="The found record's id.")] = None,
    value_from: From = None,
) -> None:
    """Take down one claim; a contested fact is restricted until it is decided."""
    from services.rectifying import Said

    with seated(context) as seat:
        request = seat.request(case, Right.RECTIFICATION)
        said = Said(category, field, ground, wish, read(value_from), record)
        claim_id = seat.installation.rectifying.claim(request.id, said, by=seat.by)
        seat.tell({"claim_id": str(claim_id)})


def decide_claim(
    context: typer.Context,
    case: Case,
    claim: Annotated[UUID, typer.Argument(help="The claim's id.")],
    accept: Annotated[bool, typer.Option("--accept/--refuse")],
    record: Annotated[UUID | None, typer.Option(help="The record it is done in.")] = None,
    system: Annotated[str, typer.Option(help="The system in which a person does it.")] = "",
    words_from: From = None,
    ground: Annotated[str | None, typer.Option(help="The law that keeps it, as a code.")] = None,
) -> None:
    """Accept or refuse one claim."""
    with seated(context) as seat:
        request = seat.request(case, Right.RECTIFICATION)
        rectifying = seat.installation.rectifying
        if accept:
            rectifying.accept(request.id, claim, record_id=record, system=system, by=seat.by)
        else:
            rectifying.refuse(request.id, claim, words=read(words_from), ground=ground, by=seat.by)
        seat.tell_request(request)


def approve_claims(context: typer.Context, case: Case, words_from: From = None) -> None:
    """Every claim is decided: have the systems asked and recipients told."""
    with seated(context) as seat:
        request = seat.request(case, Right.RECTIFICATION)
        seat.installation.rectifying.approve(request.id, words=read(words_from), by=seat.by)
        seat.tell_request(request)


def claims_done(
    context: typer.Context,
    case: Case,
    system: str,
    looked_again: Annotated[bool, typer.Option("--looked-again")] = False,
) -> None:
    """A person wrote what was accepted there, and looked again."""
    with seated(context) as seat:
        request = seat.request(case, Right.RECTIFICATION)
        seat.installation.rectifying.done_by_hand(
            request.id, system, looked_again=looked_again, by=seat.by
        )
        seat.tell_request(request)


# Restriction, objection, and what is answered in words


def restrict(
    context: typer.Context,
    case: Case,
    ground: Annotated[RestrictionGround, typer.Option(help="A letter of Art. 18(1).")],
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
    words_from: From = None,
) -> None:
    """Grant the restriction that was asked for; every system is asked at once."""
    with seated(context) as seat:
        request = seat.request(case, Right.RESTRICTION)
        seat.installation.restrictions.restrict(
            request.id,
            ground=ground,
            until=until.date() if until else None,
            words=read(words_from),
            by=seat.by,
        )
        seat.tell_request(request)


def restricted(
    context: typer.Context,
    case: Case,
    right: Right,
    system: str,
    lifted: Annotated[bool, typer.Option("--lifted", help="It was lifted there.")] = False,
    nothing: Annotated[str, typer.Option(help="Nothing is held there; why, as a code.")] = "",
) -> None:
    """A person restricted it there, or lifted it after the person was told."""
    with seated(context) as seat:
        request = seat.request(case, right)
        restrictions = seat.installation.restrictions
        if lifted:
            restrictions.record_lifted(request.id, system, by=seat.by)
        else:
            outcome = Outcome.NOT_FOUND if nothing else Outcome.RESTRICTED
            restrictions.record(request.id, system, outcome=outcome, reason=nothing, by=seat.by)
        seat.tell_request(request)


def end_restriction(
    context: typer.Context, case: Case, right: Right, words_from: From = None
) -> None:
    """Tell the person that it ends; after the stated pause it does (Art. 18(3))."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.restrictions.announce(request.id, words=read(words_from), by=seat.by)
        seat.tell_request(request)


def give_up_restriction(context: typer.Context, case: Case) -> None:
    """On an erasure: the person gives up whatever restricts their data, and wants it erased."""
    with seated(context) as seat:
        request = seat.request(case, Right.ERASURE)
        seat.installation.restrictions.give_up(request.id, by=seat.by)
        seat.tell_request(request)


def weigh(
    context: typer.Context,
    case: Case,
    stop_purpose: Annotated[
        list[str] | None, typer.Option("--stop", help="This purpose stops; repeatable.")
    ] = None,
    go_on: Annotated[
        list[str] | None, typer.Option("--continue", help="This one goes on; repeatable.")
    ] = None,
    grounds_from: From = None,
    words_from: From = None,
) -> None:
    """Weigh an objection, purpose by purpose; to go on takes compelling grounds in words."""
    from services.objecting import Weighing

    with seated(context) as seat:
        request = seat.request(case, Right.OBJECTION)
        compelling = read(grounds_from)
        weighings = [Weighing(purpose, continues=False) for purpose in stop_purpose or ()]
        weighings += [Weighing(one, continues=True, words=compelling) for one in go_on or ()]
        seat.installation.objecting.strike(
            request.id, weighings, words=read(words_from), by=seat.by
        )
        seat.tell_request(request)


def inform(
    context: typer.Context,
    case: Case,
    right: Right,
    words_from: From = None,
    changed: Annotated[
        bool | None, typer.Option("--changed/--unchanged", help="A decision looked at again.")
    ] = None,
) -> None:
    """Answer in words: human review, security, a copy of safeguards."""
    with seated(context) as seat:
        request = seat.request(case, right)
        seat.installation.informing.answer(
            request.id, words=read(words_from), changed=changed, by=seat.by
        )
        seat.tell_request(request)
