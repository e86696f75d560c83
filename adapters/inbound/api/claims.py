"""`/v1/requests/…/claims`: what somebody says is wrong about them, field by field (Art. 16)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from adapters.inbound.api.auth import ApiRoute, Handler, Installed
from adapters.inbound.api.commands import DeskCommand
from adapters.inbound.api.looking import Looking
from adapters.inbound.api.paging import Paged
from adapters.inbound.api.requests import RequestId, System, carry_out, request_of
from adapters.inbound.api.shapes import Form, RequestSummary
from domain.rectification import ClaimGround, ClaimOutcome, Wish
from domain.vocabulary import Content
from services.rectifying import ClaimShown, Said

router = APIRouter(prefix="/v1/requests", tags=["requests"], route_class=ApiRoute)

ClaimId = Annotated[UUID, Path(description="The claim's id.")]


class MakeClaim(Form):
    """One field that is wrong. `value` is what it should be, or the statement to add: sealed.

    With `record_id` it is about a found record; else about a `category` of the profile.
    """

    field: str = Field(min_length=1, max_length=80, examples=["name"])
    ground: ClaimGround
    wish: Wish
    value: str = Field(default="", max_length=5_000)
    record_id: UUID | None = None
    category: str = Field(default="", max_length=100)


class DecideClaim(Form):
    """Accepted, in the record or by a person in the `system`; or refused, in `words`, with the
    `ground` of a law that keeps it where there is one.
    """

    accepted: bool
    record_id: UUID | None = None
    system: str = Field(default="", max_length=200)
    words: str = Field(default="", max_length=5_000)
    ground: str | None = Field(default=None, max_length=100)


class Words(Form):
    words: str = Field(default="", max_length=20_000)


class ByHand(Form):
    looked_again: Literal[True]


class ClaimOnRequest(BaseModel):
    """A claim and what became of it: personal data, for handlers only."""

    claim_id: UUID
    category: str
    system: str
    record_id: UUID | None
    field: str
    ground: ClaimGround
    wish: Wish
    should_be: str
    accepted: bool | None
    reasons: str
    outcome: ClaimOutcome | None
    before: str
    after: str
    kept_by_law: str | None


@router.get("/{request_id}/claims")
def claims(
    installation: Installed, bearer: Handler, look: Looking, page: Paged, request_id: RequestId
) -> list[ClaimOnRequest]:
    """Every claim, with what the field was and became."""
    request = request_of(installation, bearer, request_id)
    look.into(request, bearer, Content.RECORD)
    shown = page.of(installation.rectifying.shown(request), lambda one: (str(one.state.claim.id),))
    return [_shown(one) for one in shown]


@router.post("/{request_id}/claims", status_code=HTTPStatus.CREATED, response_model=RequestSummary)
def claim(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: MakeClaim
) -> Response:
    """Take down a claim. A contested fact is restricted until it is decided (Art. 18(1)(a))."""
    request = request_of(installation, command.bearer, request_id)
    said = Said(
        category=form.category,
        field=form.field,
        ground=form.ground,
        wish=form.wish,
        value=form.value,
        record_id=form.record_id,
        id=uuid4(),
    )
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.rectifying.claim(request_id, said, by=command.bearer.staff_id),
        status=HTTPStatus.CREATED,
    )


@router.post("/{request_id}/claims/{claim_id}/decision", response_model=RequestSummary)
def decide_claim(
    installation: Installed,
    command: DeskCommand,
    request_id: RequestId,
    claim_id: ClaimId,
    form: DecideClaim,
) -> Response:
    """Accept or refuse one claim; the others are decided by themselves."""
    request = request_of(installation, command.bearer, request_id)
    by = command.bearer.staff_id

    def act() -> None:
        if form.accepted:
            installation.rectifying.accept(
                request_id, claim_id, record_id=form.record_id, system=form.system, by=by
            )
        else:
            installation.rectifying.refuse(
                request_id, claim_id, words=form.words, ground=form.ground, by=by
            )

    return carry_out(installation, command, request, act)


@router.post("/{request_id}/claims/approve", response_model=RequestSummary)
def approve_claims(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Words
) -> Response:
    """Every claim is decided: have the systems corrected; `words` go into the letter."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.rectifying.approve(
            request_id, by=command.bearer.staff_id, words=form.words
        ),
    )


@router.post("/{request_id}/systems/{system}/rectified", response_model=RequestSummary)
def rectified(
    installation: Installed,
    command: DeskCommand,
    request_id: RequestId,
    system: System,
    form: ByHand,
) -> Response:
    """A person corrected it there and looked again: it says what it should."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.rectifying.done_by_hand(
            request_id, system, looked_again=form.looked_again, by=command.bearer.staff_id
        ),
    )


def _shown(one: ClaimShown) -> ClaimOnRequest:
    state, claim = one.state, one.state.claim
    return ClaimOnRequest(
        claim_id=claim.id,
        category=claim.category,
        system=claim.system,
        record_id=claim.record_id,
        field=claim.field,
        ground=claim.ground,
        wish=claim.wish,
        should_be=one.should_be,
        accepted=state.accepted,
        reasons=one.reasons,
        outcome=state.outcome,
        before=one.before,
        after=one.after,
        kept_by_law=one.keeps.ground if one.keeps is not None else None,
    )
