"""`/desk/tasks`: what waits for whoever owns a connected system, and nothing of any other."""

from __future__ import annotations

from fastapi import APIRouter, Response

from adapters.inbound.web.pages import PageRoute, page
from adapters.inbound.web.session import Owns
from domain.case import reference
from projections.connector_tasks import waiting_for_owner

router = APIRouter(prefix="/desk/tasks", route_class=PageRoute, include_in_schema=False)

MOST = 100


@router.get("")
def show(desk: Owns, done: str = "") -> Response:
    owned = desk.bearer.access.systems
    look = desk.look()
    tasks = waiting_for_owner(desk.installation.database, owned, limit=MOST)
    names = {
        (name, system.id): system.name
        for name in {controller for controller, _ in owned}
        for system in desk.profile(name).systems
    }
    case_ids = {
        one.request_id: desk.installation.register.request(one.request_id).case_id for one in tasks
    }
    return page(
        "my_tasks.html",
        look,
        desk=desk,
        tasks=[
            (
                one,
                names.get((one.controller, one.system), one.system),
                case_ids[one.request_id],
                reference(case_ids[one.request_id]),
            )
            for one in tasks
        ],
        done=look.say("my_tasks.done") if done == "answered-by-hand" else "",
    )
