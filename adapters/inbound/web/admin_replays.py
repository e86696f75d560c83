"""Replays on a system's page: who in a restored system is erased again, and what a person does.

What nobody's machine could repeat somebody does by hand, and says so (Art. 17(1), 5(2)).
"""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.web.admin_deliveries import answered, known_here
from adapters.inbound.web.pages import NotHere, PageRoute, go
from adapters.inbound.web.session import Operates
from domain.errors import DomainError

router = APIRouter(prefix="/desk/admin/systems", route_class=PageRoute, include_in_schema=False)


@router.post("/{controller}/{system}/replays/{replay}/done")
def done(desk: Operates, controller: str, system: str, replay: UUID) -> Response:
    """Somebody has repeated by hand what this replay waits for."""
    known_here(desk, controller, system)
    replays = desk.installation.replays
    if replay not in {one.replay.id for one in replays.standing(controller, system)}:
        raise NotHere
    try:
        replays.settle(replay, by=desk.staff_id)
    except DomainError as error:
        return answered(desk, controller, system, error=error)
    return go(f"/desk/admin/systems/{controller}/{system}?done=replayed#replays")
