"""`/desk`: what waits to be confirmed, and every open request by the day to aim for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response

from adapters.inbound.api.staff import is_colleague
from adapters.inbound.web.pages import PageRoute, go, page
from adapters.inbound.web.session import AtDesk
from adapters.outbound.tasks import FailingSystem
from domain.case import reference
from domain.deadlines import received_on
from domain.policy import Profile
from domain.vocabulary import Country
from projections.deadline_worklist import (
    Message,
    Work,
    case_called,
    due_at_once,
    entries,
    inbox,
)

MOST = 200
REMINDERS = ("half-time", "five-working-days", "two-working-days", "today", "late")
"""What the last reminder may have been, whatever target it was about."""

router = APIRouter(prefix="/desk", route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message nobody has confirmed yet."""

    message: Message
    reference: str
    controller: str


@dataclass(frozen=True, slots=True)
class Due:
    """A request with the days that are left."""

    work: Work
    reference: str
    controller: str
    days_left: int
    reminder: str


@dataclass(frozen=True, slots=True)
class Silent:
    """A system that is asked now and then only, because it does not answer."""

    failing: FailingSystem
    system: str | None
    controller: str


@router.get("")
def worklist(desk: AtDesk, q: Annotated[str, Query(max_length=40)] = "") -> Response:
    sql = desk.installation.database
    found = case_called(sql, desk.controllers, q) if q.strip() else None
    if found is not None:
        return go(f"/desk/cases/{found}")
    profiles = {name: desk.profile(name) for name in desk.controllers}
    today = {country: received_on(desk.installation.clock(), country) for country in Country}
    return page(
        "worklist.html",
        desk.look(),
        desk=desk,
        query=q.strip(),
        waiting=[
            Waiting(one, reference(one.case_id), _name(profiles[one.controller]))
            for one in inbox(sql, desk.controllers, limit=MOST)
        ],
        documents=[
            Waiting(one, reference(one.case_id), _name(profiles[one.controller]))
            for one in due_at_once(sql, desk.controllers, limit=MOST)
        ],
        due=[
            _due(one, profiles[one.controller], today)
            for one in entries(sql, desk.controllers, limit=MOST)
        ],
        silent=[
            _silent(one, profiles[one.controller])
            for one in desk.installation.tasks.failing()
            if one.suspended_at is not None and one.controller in profiles
        ],
        most=MOST,
        members=[
            one
            for one in desk.installation.staff.members().values()
            if is_colleague(desk.bearer, one)
        ],
    )


def _due(work: Work, profile: Profile, today: dict[Country, date]) -> Due:
    reminder = next((one for one in REMINDERS if (work.reminder or "").startswith(one)), "")
    return Due(work, reference(work.case_id), _name(profile), work.days_left(today), reminder)


def _silent(failing: FailingSystem, profile: Profile) -> Silent:
    names = {system.id: system.name for system in profile.systems}
    system = failing.system and names.get(failing.system, failing.system)
    return Silent(failing, system, _name(profile))


def _name(profile: Profile) -> str:
    return profile.controller.trade_name or profile.controller.name
