"""`/v1/requests/…/information`: rights answered in words and documents (Art. 22(3); E-14)."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import Base64Bytes, Field

from adapters.inbound.api.auth import ApiRoute, Installed
from adapters.inbound.api.commands import DeskCommand
from adapters.inbound.api.requests import RequestId, carry_out, request_of
from adapters.inbound.api.shapes import Form, RequestSummary
from services.informing import MOST_BYTES
from services.ports import Attachment

router = APIRouter(prefix="/v1/requests", tags=["requests"], route_class=ApiRoute)


class Document(Form):
    """A document to enclose, in base64. It is sealed, its name too."""

    name: str = Field(min_length=1, max_length=200, pattern=r"^[^/\\\x00-\x1f]+$")
    media_type: str = Field(
        max_length=100, pattern=r"^[a-z]+/[a-z0-9.+-]+$", examples=["application/pdf"]
    )
    content: Base64Bytes = Field(max_length=MOST_BYTES * 2, examples=["JVBERi0xLjc="])


class Answer(Form):
    """`changed` belongs to a decision that a person has looked at again (Art. 22(3))."""

    words: str = Field(default="", max_length=20_000)
    changed: bool | None = None


@router.post("/{request_id}/information/documents", response_model=RequestSummary)
def enclose(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Document
) -> Response:
    """Enclose a document with the answer."""
    request = request_of(installation, command.bearer, request_id)
    document = Attachment(form.name, form.media_type, form.content)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.informing.attach(request_id, document, by=command.bearer.staff_id),
    )


@router.post("/{request_id}/information", response_model=RequestSummary)
def inform(
    installation: Installed, command: DeskCommand, request_id: RequestId, form: Answer
) -> Response:
    """Answer in words, with what is enclosed, or both; nothing closes without either."""
    request = request_of(installation, command.bearer, request_id)
    return carry_out(
        installation,
        command,
        request,
        lambda: installation.informing.answer(
            request_id, words=form.words, changed=form.changed, by=command.bearer.staff_id
        ),
    )
