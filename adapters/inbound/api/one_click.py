"""`/v1/one-click-links`: links by which people stop marketing in one click, for mailing systems."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, StringConstraints

from adapters.inbound.api.auth import ApiRoute, Installed, require_controller
from adapters.inbound.api.commands import InboxCommand
from adapters.inbound.api.shapes import Form

router = APIRouter(prefix="/v1/one-click-links", tags=["marketing"], route_class=ApiRoute)

Address = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]


class Subscribers(Form):
    controller: str = Field(max_length=100, description="The controller's profile id.")
    addresses: list[Address] = Field(
        min_length=1, max_length=10_000, examples=[["kari.testesen@person.example"]]
    )


class Links(BaseModel):
    """A link for each address, in their order.

    A mail carries it as `List-Unsubscribe: <link>` together with
    `List-Unsubscribe-Post: List-Unsubscribe=One-Click` (RFC 8058), and in its text.
    """

    links: list[str]


@router.post("", response_model=Links)
def make_links(installation: Installed, command: InboxCommand, form: Subscribers) -> Response:
    """Make links. The same address always has the same one; nothing is stored."""
    require_controller(command.bearer, form.controller)

    def answer() -> Links:
        one_click = installation.one_click
        return Links(links=[one_click.link(form.controller, one) for one in form.addresses])

    return command.carry_out(lambda: None, answer, status=HTTPStatus.OK)
