"""`/v1/webhooks/receipts`: what a connected system answers, signed with its own secret.

Standard Webhooks 1.0: signed a moment ago, or not listened to. The same message again, by its id,
is answered as before and has no second effect; another one under a known id is refused.
"""

from __future__ import annotations

import hashlib
import hmac
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.contract.messages import CallbackMessage
from adapters.contract.translate import receipt_of
from adapters.inbound.api.auth import Installed
from adapters.inbound.api.instructions import ReceiptTaken
from adapters.outbound.webhooks.sign import NotGenuine, verify
from domain.instruction import Taken, Via

NOT_SIGNED = "the message is not signed as one of a connected system here"

router = APIRouter(prefix="/v1/webhooks", tags=["instructions"])


class Whose(BaseModel):
    """As whom somebody speaks: nothing of it is believed before the signature fits."""

    model_config = ConfigDict(extra="ignore")

    controller: str = Field(max_length=100)
    system: str = Field(max_length=100)


class Claimed(BaseModel):
    model_config = ConfigDict(extra="ignore")

    data: Whose


async def raw(request: Request) -> bytes:
    """The very bytes that were signed."""
    return await request.body()


@router.post("/receipts", include_in_schema=False)
def take(
    installation: Installed, request: Request, body: Annotated[bytes, Depends(raw)]
) -> ReceiptTaken:
    """A signed answer; 401 where the signature does not fit, or is older than five minutes."""
    try:
        whose = Claimed.model_validate_json(body).data
        keys = installation.calling.keys.good(whose.controller, whose.system)
        message_id = verify(keys, request.headers, body, installation.clock())
    except (ValidationError, NotGenuine):
        raise HTTPException(
            HTTPStatus.UNAUTHORIZED, NOT_SIGNED, headers={"WWW-Authenticate": "Webhook"}
        ) from None
    ledger = installation.calling.deliveries
    known = ledger.received(whose.controller, whose.system, message_id)
    if known is not None and not hmac.compare_digest(known, hashlib.sha256(body).digest()):
        raise HTTPException(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "another message came under this webhook-id before: give each its own",
        )
    try:
        answer = CallbackMessage.model_validate_json(body).data
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_input=False)) from None
    taken = Taken.AGAIN
    if known is None:
        taken = installation.instructions.answer(
            receipt_of(answer, answer.instruction),
            controller=whose.controller,
            system=whose.system,
            via=Via.WEBHOOK,
        )
        # After its effect: cut off between the two, the message comes again, and its receipt bears
        # an id of its own.
        ledger.receive(whose.controller, whose.system, message_id, body)
    return ReceiptTaken(taken=taken, instruction=answer.instruction, receipt=answer.receipt)
