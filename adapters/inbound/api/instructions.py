"""`/v1/instructions`: what a connected system is told, whom it is about, and what it answers.

A system sees its own instructions with its own token, and nothing else of anybody (Art. 28, 32).
Repeating any of these is harmless without a key: a receipt bears its own id, and to fetch again
is recorded again.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import Enum
from http import HTTPStatus
from math import ceil
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Path, Response
from pydantic import AwareDatetime, BaseModel

from adapters.bootstrap import Installation
from adapters.contract.messages import Claim, FullAnswer, InstructionData
from adapters.contract.translate import claim_of, data_of, receipt_of
from adapters.inbound.api.auth import ApiRoute, Installed, needs, require_controller
from adapters.inbound.api.commands import NewCommand, SystemCommand
from adapters.inbound.api.paging import Paged
from adapters.outbound.tokens import Bearer, Scope
from domain.instruction import Contract, Instruction, InstructionPurpose, Taken, Verb, Via
from services.ports import Limit

CLAIMS_A_MINUTE = 600
"""More than anybody's cases bring in; a token that was stolen reads no faster."""

router = APIRouter(prefix="/v1/instructions", tags=["instructions"], route_class=ApiRoute)

InstructionId = Annotated[UUID, Path(description="The instruction's id.")]
OfASystem = Annotated[Bearer, Depends(needs(Scope.SYSTEM))]


class State(Enum):
    """Which of them."""

    OPEN = "open"


class InstructionListed(BaseModel):
    """One that waits for an answer."""

    instruction: UUID
    delivery: Contract
    verb: Verb
    purpose: InstructionPurpose
    due: date
    given_at: AwareDatetime
    ends_at: AwareDatetime
    fetched: bool


class InstructionShown(BaseModel):
    """What the system is told, and where it stands; nothing that names a person."""

    told: InstructionData
    given_at: AwareDatetime
    fetched_at: AwareDatetime | None
    answered_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    times_told: int


class ReceiptTaken(BaseModel):
    """`new` had its effect; `again` was known already; `late` came when nobody waited any more."""

    taken: Taken
    instruction: UUID
    receipt: UUID


def owner(bearer: Bearer) -> tuple[str, str]:
    """The controller and the system that a token stands for; of no system, where it names none."""
    if bearer.system is None or len(bearer.controllers) != 1:
        return "", ""
    (controller,) = bearer.controllers
    return controller, bearer.system


@router.get("")
def waiting(
    installation: Installed, bearer: OfASystem, page: Paged, state: State = State.OPEN
) -> list[InstructionListed]:
    """The system's instructions that wait for an answer, the oldest first."""
    controller, system = owner(bearer)
    place = (datetime.fromisoformat(page.after[0]), UUID(page.after[1])) if page.after else None
    found = list(
        installation.instructions.open_of(controller, system, after=place, limit=page.limit + 1)
    )
    if len(found) > page.limit:
        found.pop()
        page.next((found[-1].given_at.isoformat(), str(found[-1].id)))
    return [_listed(installation.register.instruction(one.id)) for one in found]


def _listed(found: Instruction) -> InstructionListed:
    return InstructionListed(
        instruction=found.id,
        delivery=found.delivery,
        verb=found.verb,
        purpose=found.purpose,
        due=found.due_on,
        given_at=found.given_at,
        ends_at=found.ends_at,
        fetched=found.fetched_at is not None,
    )


@router.get("/{instruction_id}")
def told(
    installation: Installed, bearer: OfASystem, instruction_id: InstructionId
) -> InstructionShown:
    """One instruction, as it was told."""
    controller, system = owner(bearer)
    found = installation.instructions.theirs(instruction_id, controller=controller, system=system)
    return _shown(installation, found)


@router.post("/{instruction_id}/again", response_model=InstructionShown)
def again(installation: Installed, command: NewCommand, instruction_id: InstructionId) -> Response:
    """Tell the system once more, under the same id; for people at the desk, not for systems."""
    found = installation.register.instruction(instruction_id)
    require_controller(command.bearer, found.controller)
    return command.carry_out(
        lambda: installation.instructions.again(instruction_id, by=command.bearer.staff_id),
        lambda: _shown(installation, installation.register.instruction(instruction_id)),
    )


def _shown(installation: Installation, found: Instruction) -> InstructionShown:
    return InstructionShown(
        told=data_of(found, installation.instruction_ledger.tokens(found.id)),
        given_at=found.given_at,
        fetched_at=found.fetched_at,
        answered_at=found.answered_at,
        ended_at=found.ended_at,
        times_told=found.repeats + 1,
    )


@router.post(
    "/{instruction_id}/claim",
    responses={
        429: {"description": f"More than {CLAIMS_A_MINUTE} a minute with one token: come again."}
    },
)
def claim(installation: Installed, command: SystemCommand, instruction_id: InstructionId) -> Claim:
    """Whom it is about, as often as needed until it is answered; every time is recorded.

    410 once it has been answered, its time is over, or what it would show has been destroyed.
    """
    _require_slowly(installation, command.bearer)
    controller, system = owner(command.bearer)
    return claim_of(
        installation.instructions.claim(
            instruction_id, by=command.bearer.id[:16], controller=controller, system=system
        )
    )


def _require_slowly(installation: Installation, bearer: Bearer) -> None:
    limit = Limit("claims", bearer.id, CLAIMS_A_MINUTE, timedelta(minutes=1))
    wait = installation.limits.spend((limit,))
    if wait is not None:
        raise HTTPException(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"this token may fetch {CLAIMS_A_MINUTE} times a minute: come again after Retry-After",
            headers={"Retry-After": str(ceil(wait.total_seconds()))},
        )


@router.post("/{instruction_id}/receipt")
def receipt(
    installation: Installed,
    command: SystemCommand,
    instruction_id: InstructionId,
    form: FullAnswer,
) -> ReceiptTaken:
    """The system's answer, with contents where there are any. The same receipt again is one."""
    controller, system = owner(command.bearer)
    taken = installation.instructions.answer(
        receipt_of(form, instruction_id), controller=controller, system=system, via=Via.HTTPS
    )
    return ReceiptTaken(taken=taken, instruction=instruction_id, receipt=form.receipt)
