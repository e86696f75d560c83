"""`/desk/admin`: for whoever runs the installation, answers for it, or audits it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from adapters.inbound.web.pages import PageRoute, page
from adapters.inbound.web.session import Desk, needs
from domain.access import Permission

RUNS_IT = (Permission.OPERATE, Permission.ADOPT, Permission.AUDIT)

router = APIRouter(prefix="/desk/admin", route_class=PageRoute, include_in_schema=False)

RunsIt = Annotated[Desk, Depends(needs(*RUNS_IT))]


@router.get("")
def show(desk: RunsIt) -> Response:
    return page("admin.html", desk.look(), desk=desk, warnings=_warnings(desk))


def _warnings(desk: Desk) -> list[str]:
    """What works today and needs somebody to see to it: for whoever runs all of it."""
    if not desk.bearer.access.everywhere(Permission.OPERATE):
        return []
    return desk.installation.warnings()
