"""`/v1/requests/…/wish`: what of it is to be erased, and on which grounds (Art. 17(1))."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints

from adapters.inbound.api.auth import ApiRoute, Installed, Reader
from adapters.inbound.api.commands import DeskCommand
from adapters.inbound.api.looking import Looking
from adapters.inbound.api.requests import RequestId, carry_out, request_of
from adapters.inbound.api.shapes import Form, RequestSummary
from domain.values import WishedErasure
from domain.vocabulary import Content, ErasureGround

router = APIRouter(prefix="/v1/requests", tags=["requests"], route_class=ApiRoute)

FieldName = Annotated[
    str, StringConstraints(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]*$")
]


class WishedPart(Form):
    """A category or one record, all of it or some fields; nothing named means everything."""

    grounds: list[ErasureGround] = Field(default=[], max_length=len(ErasureGround))
    category: str = Field(default="", max_length=100, examples=["newsletter"])
    record_id: UUID | None = Field(default=None, examples=[None])
    fields: list[FieldName] = Field(default=[], max_length=100, examples=[["phone"]])


class Wish(Form):
    parts: list[WishedPart] = Field(min_length=1, max_length=100)


class WishedShown(BaseModel):
    grounds: list[ErasureGround]
    category: str
    record_id: UUID | None
    fields: list[str]


@router.get("/{request_id}/wish")
def wish(
    installation: Installed, bearer: Reader, look: Looking, request_id: RequestId
) -> list[WishedShown]:
    """What the person wants erased; an empty list means everything, on any ground."""
    request = request_of(installation, bearer, request_id)
    look.into(request, bearer, Content.RECORD)
    known = installation.register.find_erasure_wish(request.id)
    return [
        WishedShown(
            grounds=[one for one in ErasureGround if one in part.grounds],
            category=part.category,
            record_id=part.record_id,
            fields=list(part.fields),
        )
        for part in (known.parts if known else ())
    ]


@router.post("/{request_id}/wish", response_model=RequestSummary)
def say_wish(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Wish
) -> Response:
    """Take down what is to be erased; what was taken down before is replaced."""
    request = request_of(installation, command.bearer, request_id)
    parts = [
        WishedErasure(
            grounds=frozenset(part.grounds),
            category=part.category,
            record_id=part.record_id,
            fields=tuple(part.fields),
        )
        for part in form.parts
    ]
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.wishing.say(request_id, parts, by=command.bearer.staff_id),
    )
