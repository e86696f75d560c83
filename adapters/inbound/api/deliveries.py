"""`/v1/controllers/…/systems/…/deliveries`: each try to tell a system that is called.

An instruction is told again under the id it had, so a system that knows it does nothing twice.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, HTTPException, Path, Response
from pydantic import AwareDatetime, BaseModel, Field

from adapters.bootstrap import Installation
from adapters.inbound.api.auth import NOT_HERE, Admin, ApiRoute, Installed, require_controller
from adapters.inbound.api.commands import AdminCommand
from adapters.inbound.api.controllers import Name
from adapters.inbound.api.paging import CursorWrong, Paged
from adapters.inbound.api.shapes import Form
from adapters.outbound.tokens import Bearer

router = APIRouter(prefix="/v1/controllers", tags=["instructions"], route_class=ApiRoute)

SystemId = Annotated[str, Path(max_length=100, description="The system's id in the profile.")]


class DeliveryShown(BaseModel):
    """One try. `round` counts how often the instruction was told, `attempt` the tries of that."""

    instruction: UUID
    round: int
    attempt: int
    tried_at: AwareDatetime
    code: str = Field(description="`delivered`, or what went wrong in a word.")
    http_status: int | None = Field(description="What the system answered, if it did.")
    milliseconds: int
    next_at: AwareDatetime | None = Field(description="When it is tried again, if it is.")


class Again(Form):
    instruction: UUID


class ToldAgain(BaseModel):
    instruction: UUID


@router.get("/{name}/systems/{system}/deliveries")
def deliveries(
    installation: Installed, bearer: Admin, page: Paged, name: Name, system: SystemId
) -> list[DeliveryShown]:
    """The system's deliveries of the last hundred days, the newest first."""
    _require_system(installation, bearer, name, system)
    before = _number(page.after)
    found = list(
        installation.calling.deliveries.of_system(name, system, before=before, limit=page.limit + 1)
    )
    if len(found) > page.limit:
        found.pop()
        page.next((str(found[-1].id),))
    return [
        DeliveryShown(
            instruction=one.instruction,
            round=one.round,
            attempt=one.attempt,
            tried_at=one.tried_at,
            code=one.code,
            http_status=one.status,
            milliseconds=one.milliseconds,
            next_at=one.next_at,
        )
        for one in found
    ]


@router.post("/{name}/systems/{system}/deliveries", response_model=ToldAgain)
def deliver_again(
    installation: Installed, command: AdminCommand, name: Name, system: SystemId, form: Again
) -> Response:
    """Tell the system once more what it was told, by the same way and under the same id."""
    _require_system(installation, command.bearer, name, system)
    instructions = installation.instructions
    instructions.theirs(form.instruction, controller=name, system=system)
    return command.carry_out(
        lambda: instructions.again(form.instruction, by=command.bearer.staff_id),
        lambda: ToldAgain(instruction=form.instruction),
    )


def _require_system(installation: Installation, bearer: Bearer, name: str, system: str) -> None:
    require_controller(bearer, name)
    known = name in installation.controllers.names() and system in {
        one.id for one in installation.controllers.in_force(name).systems
    }
    if not known:
        raise HTTPException(404, NOT_HERE)


def _number(place: tuple[str, ...] | None) -> int | None:
    if place is None:
        return None
    try:
        return int(place[0])
    except (ValueError, IndexError):
        raise CursorWrong from None
