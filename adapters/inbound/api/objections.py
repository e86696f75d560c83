"""`/v1/requests/…/balance`: an objection weighed purpose by purpose (Art. 21(1))."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, HTTPException, Response
from pydantic import BaseModel, Field

from adapters.inbound.api.auth import ApiRoute, Handler, Installed
from adapters.inbound.api.commands import DeskCommand
from adapters.inbound.api.looking import Looking
from adapters.inbound.api.requests import RequestId, carry_out, request_of
from adapters.inbound.api.shapes import Form, RequestSummary
from domain.vocabulary import Content
from services.objecting import Weighing

router = APIRouter(prefix="/v1/requests", tags=["requests"], route_class=ApiRoute)


class Weigh(Form):
    """One purpose. To go on takes `words`: the compelling grounds that override the person's."""

    purpose: str = Field(min_length=1, max_length=100)
    continues: bool
    words: str = Field(default="", max_length=5_000)


class Strike(Form):
    weighed: list[Weigh] = Field(min_length=1, max_length=100)
    words: str = Field(default="", max_length=20_000)


class Grounds(Form):
    words: str = Field(min_length=1, max_length=20_000)


class PurposeWeighed(BaseModel):
    purpose: str
    absolute: bool
    continues: bool | None


class BalanceShown(BaseModel):
    """What may be objected to; what is absolute stops whatever anybody says (Art. 21(3))."""

    purposes: list[PurposeWeighed]
    grounds_given: int
    struck: bool


@router.get("/{request_id}/balance")
def balance(
    installation: Installed, bearer: Handler, look: Looking, request_id: RequestId
) -> BalanceShown:
    """What is to be weighed, and what was decided."""
    look.into(request_of(installation, bearer, request_id), bearer, Content.NOTE)
    found = installation.register.find_balancing(request_id)
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "this request has no balance to strike")
    return BalanceShown(
        purposes=[
            PurposeWeighed(
                purpose=purpose,
                absolute=purpose in found.absolute,
                continues=found.weighed[purpose].continues if found.is_struck else None,
            )
            for purpose in found.purposes
        ],
        grounds_given=len(found.grounds),
        struck=found.is_struck,
    )


@router.post("/{request_id}/balance/grounds", response_model=RequestSummary)
def give_grounds(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Grounds
) -> Response:
    """What the person says about their situation; sealed."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.objecting.give_grounds(
            request_id, words=form.words, by=command.bearer.staff_id
        ),
    )


@router.post("/{request_id}/balance", response_model=RequestSummary)
def strike_balance(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Strike
) -> Response:
    """Decide about every purpose at once, in your name."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.objecting.strike(
            request_id,
            [Weighing(one.purpose, one.continues, one.words) for one in form.weighed],
            words=form.words,
            by=command.bearer.staff_id,
        ),
    )
