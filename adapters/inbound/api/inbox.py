"""`/v1/inbox`: a raw message comes in, exactly as the mail server received it (RFC 5322)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, HTTPException, Query, Response
from pydantic import BaseModel

from adapters.inbound.api.auth import ApiRoute, Installed, require_controller
from adapters.inbound.api.commands import InboxCommand
from adapters.inbound.mail import UnreadableMessage, parse
from domain.case import Case
from domain.vocabulary import Channel, Language, Right, TriageKind

LARGEST_MESSAGE = 40 * 1024 * 1024

router = APIRouter(prefix="/v1/inbox", tags=["inbox"], route_class=ApiRoute)


class Arrived(BaseModel):
    """A message was kept. What it seems to ask waits for a person to confirm."""

    case_id: UUID
    reference: str
    kind: TriageKind
    rights: list[Right]
    language: Language
    received_at: str


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model=Arrived,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"message/rfc822": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
def receive(
    installation: Installed,
    command: InboxCommand,
    controller: Annotated[str, Query(max_length=100, description="The controller's profile id.")],
    raw: Annotated[bytes, Body(media_type="message/rfc822")],
) -> Response:
    """Keep one raw message. Sending the same one again changes nothing."""
    require_controller(command.bearer, controller)
    if len(raw) > LARGEST_MESSAGE:
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {LARGEST_MESSAGE} bytes")
    try:
        message = parse(
            raw,
            trusted_hosts=installation.settings.trusted_mail_hosts,
            now=installation.clock(),
        )
    except UnreadableMessage as error:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error
    arrived: list[UUID] = []

    def act() -> None:
        arrived[:] = [installation.intake.receive(controller, message, channel=Channel.MAIL)]

    def answer() -> Arrived:
        # A reply is saved into the case that it belongs to, and no other is saved with it.
        saving = [one for one in installation.register.saving.values() if isinstance(one, Case)]
        case = saving[0] if saving else installation.register.case(arrived[0])
        return Arrived(
            case_id=case.id,
            reference=case.reference,
            kind=case.kind,
            rights=list(case.rights),
            language=case.language,
            received_at=case.received_at.isoformat(),
        )

    return command.carry_out(act, answer, status=HTTPStatus.CREATED)
