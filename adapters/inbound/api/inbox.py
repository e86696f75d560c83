"""`/v1/inbox`: a raw message comes in, exactly as the mail server received it (RFC 5322)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, HTTPException, Query
from pydantic import BaseModel

from adapters.inbound.api.auth import Inbox, Installed, require_controller
from adapters.inbound.mail import UnreadableMessage, parse
from domain.vocabulary import Channel, Language, Right, TriageKind

LARGEST_MESSAGE = 40 * 1024 * 1024

router = APIRouter(prefix="/v1/inbox", tags=["inbox"])


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
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"message/rfc822": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
def receive(
    installation: Installed,
    bearer: Inbox,
    controller: Annotated[str, Query(max_length=100, description="The controller's profile id.")],
    raw: Annotated[bytes, Body(media_type="message/rfc822")],
) -> Arrived:
    """Keep one raw message. Sending the same one again changes nothing."""
    require_controller(bearer, controller)
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
    case_id = installation.intake.receive(controller, message, channel=Channel.MAIL)
    case = installation.register.case(case_id)
    return Arrived(
        case_id=case.id,
        reference=case.reference,
        kind=case.kind,
        rights=list(case.rights),
        language=case.language,
        received_at=case.received_at.isoformat(),
    )
