"""`/v1/requests/…`: how a request ends: refused, taken back, or answered once more."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from adapters.inbound.api.auth import ApiRoute, Handler, Installed, Reader
from adapters.inbound.api.cases import GivenIdentifier
from adapters.inbound.api.commands import DeskCommand
from adapters.inbound.api.looking import Looking
from adapters.inbound.api.requests import RequestId, carry_out, request_of
from adapters.inbound.api.shapes import Form, RequestSummary
from domain.case import reference
from domain.refusal import Standing
from domain.request import RefusalGround
from domain.vocabulary import Content, Unidentified
from services.ports import Identifier

router = APIRouter(prefix="/v1/requests", tags=["requests"], route_class=ApiRoute)


class Refuse(Form):
    """`words` go into the letter; `law` is the code of one of the reasons that there are.

    What is unfounded or excessive needs its `proof` and is only proposed: a second person
    confirms or declines. With a `fee` it is not refused but announced at that price.
    Who cannot be identified (Art. 12(2)) takes a `proof` of what was tried, and what is `shown`.
    """

    ground: RefusalGround
    words: str = Field(min_length=1, max_length=5_000)
    law: str = Field(default="", max_length=200)
    proof: str = Field(default="", max_length=20_000)
    shown: Unidentified | None = None
    fee: str = Field(default="", max_length=100, examples=["250 kr"])


class Declined(Form):
    words: str = Field(min_length=1, max_length=5_000)


class ReasonShown(BaseModel):
    """What a request may be refused on here, with its law."""

    code: str
    ground: RefusalGround
    article: str
    law: str
    read_on: date
    contested: bool
    two_people: bool


class ProposalShown(BaseModel):
    """A refusal that waits for a second person, or what became of it: personal data."""

    ground: RefusalGround
    code: str
    standing: Standing
    by: str
    second: str | None
    words: str
    proof: str
    fee: str


class MoreIdentifiers(Form):
    identifiers: list[GivenIdentifier] = Field(min_length=1, max_length=50)


class Again(Form):
    by_post: bool = False


@router.post("/{request_id}/refuse", status_code=HTTPStatus.ACCEPTED, response_model=RequestSummary)
def refuse(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Refuse
) -> Response:
    """Refuse as a whole; the letter says why, by which law, and where to complain (Art. 12(4)).

    Unfounded or excessive (Art. 12(5)): proposed, until another person confirms.
    """
    request = request_of(installation, command.bearer, request_id)
    refusing, by = installation.refusing, command.bearer.staff_id

    def act() -> None:
        if form.ground.needs_two_people:
            refusing.propose(
                request_id,
                ground=form.ground,
                words=form.words,
                proof=form.proof,
                law=form.law,
                fee=form.fee,
                by=by,
            )
        else:
            refusing.refuse(
                request_id,
                ground=form.ground,
                words=form.words,
                law=form.law,
                proof=form.proof,
                shown=form.shown,
                by=by,
            )

    return carry_out(installation, command, request, act, status=HTTPStatus.ACCEPTED)


@router.get("/{request_id}/refusal-reasons")
def refusal_reasons(
    installation: Installed, bearer: Reader, request_id: RequestId
) -> list[ReasonShown]:
    """What this request may be refused on: by right, country, kind of body and promise."""
    request = request_of(installation, bearer, request_id)
    return [
        ReasonShown(
            code=one.code,
            ground=one.ground,
            article=one.article,
            law=one.law,
            read_on=one.read_on,
            contested=one.contested,
            two_people=one.ground.needs_two_people,
        )
        for one in installation.refusing.reasons(request)
    ]


@router.get("/{request_id}/refusal")
def proposed_refusal(
    installation: Installed, bearer: Handler, look: Looking, request_id: RequestId
) -> ProposalShown | None:
    """What was proposed last, with its words and its proof; null where nothing was."""
    look.into(request_of(installation, bearer, request_id), bearer, Content.NOTE)
    proposal = installation.refusing.proposal(request_id)
    if proposal is None:
        return None
    refusal = proposal.refusal
    return ProposalShown(
        ground=refusal.ground,
        code=refusal.code,
        standing=refusal.standing,
        by=refusal.by,
        second=refusal.second,
        words=proposal.words,
        proof=proposal.proof,
        fee=proposal.fee,
    )


@router.post(
    "/{request_id}/refusal/confirm",
    status_code=HTTPStatus.ACCEPTED,
    response_model=RequestSummary,
)
def confirm_refusal(
    installation: Installed, command: DeskCommand, request_id: RequestId
) -> Response:
    """Agree, as the second person, to what somebody else proposed (Art. 12(5))."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.refusing.confirm(request_id, by=command.bearer.staff_id),
        status=HTTPStatus.ACCEPTED,
    )


@router.post("/{request_id}/refusal/decline", response_model=RequestSummary)
def decline_refusal(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Declined
) -> Response:
    """Do not agree: the request is worked on as any other."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.refusing.decline(
            request_id, words=form.words, by=command.bearer.staff_id
        ),
    )


@router.post("/{request_id}/refusal/fee-paid", response_model=RequestSummary)
def fee_paid(installation: Installed, command: DeskCommand, request_id: RequestId) -> Response:
    """Record that the announced fee was paid; the request is worked on."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.refusing.fee_paid(request_id, by=command.bearer.staff_id),
    )


@router.post("/{request_id}/identifiers", response_model=RequestSummary)
def identify_after_all(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: MoreIdentifiers
) -> Response:
    """Take identifiers that came after the answer said what to send; the receipt stays."""
    request = request_of(installation, command.bearer, request_id)
    given = [Identifier(one.kind, one.value) for one in form.identifiers]
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.searching_again.take(request_id, given, by=command.bearer.staff_id),
    )


@router.post("/{request_id}/withdraw", response_model=RequestSummary)
def withdraw(installation: Installed, command: DeskCommand, request_id: RequestId) -> Response:
    """Record that the person takes it back; what waited for it goes on."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.refusing.withdraw(request_id, by=command.bearer.staff_id),
    )


@router.post(
    "/{request_id}/answer-again", status_code=HTTPStatus.ACCEPTED, response_model=RequestSummary
)
def answer_again(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Again
) -> Response:
    """Write the answer anew after it did not arrive: with a new link, or to be posted."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.answering.answer_again(
            request_id, by=command.bearer.staff_id, by_post=form.by_post
        ),
        status=HTTPStatus.ACCEPTED,
    )


@router.get("/{request_id}/package", response_class=Response)
def package(
    installation: Installed, bearer: Handler, look: Looking, request_id: RequestId
) -> Response:
    """The copy of an access answer, to be printed and enclosed: personal data."""
    request = request_of(installation, bearer, request_id)
    look.into(request, bearer, Content.PACKAGE)
    content = installation.answering.package(request_id)
    name = f"{reference(request.case_id)}.zip"
    return Response(
        content,
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
