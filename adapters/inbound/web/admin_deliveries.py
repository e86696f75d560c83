"""`/desk/admin/systems/…`: one system; each try to tell it, telling it again, and its replays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.web.pages import Form, NotHere, PageRoute, go, page
from adapters.inbound.web.session import Desk, Operates
from adapters.outbound.webhooks.admission import CALLED
from adapters.outbound.webhooks.ledger import Delivery
from domain.errors import DomainError
from domain.instruction import Instruction
from domain.policy import System
from services.register import UnknownHere

router = APIRouter(prefix="/desk/admin/systems", route_class=PageRoute, include_in_schema=False)

DONE = frozenset({"again", "opened", "replayed"})
MOST = 100


@dataclass(frozen=True, slots=True)
class TryView:
    """One try; `told` where it is the newest of its instruction, which may be told again."""

    delivery: Delivery
    told: Instruction | None


@router.get("/{controller}/{system}")
def show(desk: Operates, controller: str, system: str, done: str = "") -> Response:
    return answered(desk, controller, system, done=done if done in DONE else "")


@router.post("/{controller}/{system}/again")
def again(desk: Operates, controller: str, system: str, sent: Form) -> Response:
    """Tell it once more, under the id it was told with."""
    known_here(desk, controller, system)
    try:
        instruction = UUID(sent.one("instruction"))
    except ValueError:
        raise NotHere from None
    instructions = desk.installation.instructions
    try:
        instructions.theirs(instruction, controller=controller, system=system)
        instructions.again(instruction, by=desk.staff_id)
    except UnknownHere:
        raise NotHere from None
    except DomainError as error:
        return answered(desk, controller, system, error=error)
    return go(f"/desk/admin/systems/{controller}/{system}?done=again")


@router.post("/{controller}/{system}/open")
def open_again(desk: Operates, controller: str, system: str) -> Response:
    """Call an address again that said it is gone, and tell what was not delivered meanwhile."""
    known_here(desk, controller, system)
    desk.installation.calling.deliveries.open_again(controller, system)
    instructions = desk.installation.instructions
    for one in instructions.open_of(controller, system, after=None, limit=MOST):
        try:
            instructions.again(one.id, by=desk.staff_id)
        except DomainError:  # nobody waits for this one any more
            continue
    return go(f"/desk/admin/systems/{controller}/{system}?done=opened")


def known_here(desk: Desk, controller: str, system: str) -> System:
    desk.require(controller)
    found = (one for one in desk.profile(controller).systems if one.id == system)
    known = next(found, None)
    if known is None:
        raise NotHere
    return known


def answered(
    desk: Desk, controller: str, system: str, *, done: str = "", error: DomainError | None = None
) -> Response:
    known = known_here(desk, controller, system)
    deliveries = desk.installation.calling.deliveries
    gone = {(one.controller, one.system): one for one in deliveries.gone()}
    return page(
        "admin_deliveries.html",
        desk.look(),
        desk=desk,
        controller=controller,
        system=known,
        gone=gone.get((controller, system)),
        is_called=known.connector in CALLED,
        replays=desk.installation.replays.standing(controller, system),
        tries=list(_tries(desk, deliveries.of_system(controller, system, limit=MOST))),
        done=done,
        error=str(error) if error else "",
    )


def _tries(desk: Desk, found: Sequence[Delivery]) -> Iterator[TryView]:
    seen: set[UUID] = set()
    for one in found:
        told = None
        if one.instruction not in seen:
            told = desk.installation.register.find_instruction(one.instruction)
        seen.add(one.instruction)
        yield TryView(one, told)
