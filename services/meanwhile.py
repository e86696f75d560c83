"""Meanwhile: the restriction that begins with a request, and what asks each system for it.

Every system of the profile is asked at once, before anything is searched (Art. 18(1)).
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from domain.policy import Profile
from domain.request import DataSubjectRequest
from domain.restriction import Restriction, RestrictionGround
from services.ports import Also, Task, Tasks

RESTRICT = "restrict"
UNRESTRICT = "unrestrict"
CHECK = "check-restriction"
ANNOUNCE = "announce-restriction"
LIFT = "lift-restriction"

CHECK_EVERY = timedelta(days=7)
"""How often every system is asked whether it still keeps to a restriction."""

ERASE_FIRST = timedelta(days=7)
"""How long a mark stays after the person gave it up for an erasure: nothing it had stopped begins
again just before it goes."""


def restriction_of(
    request: DataSubjectRequest,
    profile: Profile,
    tasks: Tasks,
    *,
    ground: RestrictionGround,
    until: date | None = None,
    condition: str = "",
    by: str | None = None,
    at: datetime,
) -> tuple[Restriction, list[Also]]:
    """A restriction at every system, and the tasks that set it; it belongs into one save."""
    restriction = Restriction(
        request_id=request.id,
        case_id=request.case_id,
        controller=request.controller,
        ground=ground,
        systems=tuple(system.id for system in profile.systems),
        until=until,
        condition=condition or ground.ends_with,
        by=by,
        timestamp=at,
    )
    also = [
        tasks.add(restriction_task(restriction, RESTRICT, system=system, at=at))
        for system in restriction.systems
    ]
    also.append(
        tasks.add(restriction_task(restriction, CHECK, at=at + CHECK_EVERY, again=f"{at:%Y%m%d}"))
    )
    if until is not None:
        last = max(at, datetime.combine(until, time(), tzinfo=at.tzinfo))
        also.append(tasks.add(restriction_task(restriction, ANNOUNCE, at=last)))
    return restriction, also


def restriction_task(
    restriction: Restriction,
    kind: str,
    *,
    system: str | None = None,
    at: datetime,
    again: str = "",
) -> Task:
    key = "/".join(filter(None, (str(restriction.request_id), system, kind, again)))
    return Task(
        key=key,
        kind=kind,
        subject_id=restriction.request_id,
        due_at=at,
        controller=restriction.controller,
        system=system,
    )
