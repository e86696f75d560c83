"""`/v1/opendsr/callbacks`: a processor says that there is news of a request (OpenDSR, 8.5-8.8).

Signed with the key of its domain, or not listened to. What the news is, is asked: a callback only
makes that happen sooner, so one that is sent twice, late or by somebody who kept it does no harm.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from adapters.inbound.api.auth import Installed
from adapters.inbound.api.webhooks import raw
from adapters.outbound.opendsr.certificate import NotTheProcessor
from adapters.outbound.opendsr.messages import Progress, request_id
from domain.instruction import Contract
from services.ports import Refused, Unavailable

NOT_SIGNED = "the message is not signed by the processor that was asked"

router = APIRouter(prefix="/v1/opendsr", tags=["instructions"])


@router.post("/callbacks/{instruction_id}", include_in_schema=False)
def news(
    installation: Installed,
    request: Request,
    instruction_id: Annotated[UUID, Path()],
    body: Annotated[bytes, Depends(raw)],
) -> Response:
    """News of a request: 202, or 403 where the signature does not fit."""
    instruction = installation.register.find_instruction(instruction_id)
    if instruction is None or instruction.delivery is not Contract.OPENDSR:
        raise _not_signed()
    try:
        processor = installation.calling.processors.of(instruction.controller, instruction.system)
        processor.verify(request.headers, body)
    except NotTheProcessor:
        raise _not_signed() from None
    except (Unavailable, Refused):  # it is asked anyway, later
        raise HTTPException(
            HTTPStatus.SERVICE_UNAVAILABLE, "your certificate cannot be fetched now"
        ) from None
    try:
        progress = Progress.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_input=False)) from None
    if progress.subject_request_id != request_id(instruction.id):
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "this is about another request")
    installation.calling.asking.hurry(instruction)
    return Response(status_code=HTTPStatus.ACCEPTED)


def _not_signed() -> HTTPException:
    return HTTPException(HTTPStatus.FORBIDDEN, NOT_SIGNED)
