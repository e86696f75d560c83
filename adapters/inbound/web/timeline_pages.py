"""`/desk/cases/{id}/timeline`: everything that happened, to the second, by what it is about."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.web.case_frame import Lead, framed
from adapters.inbound.web.case_history import GROUPS, group_of, history
from adapters.inbound.web.case_words import Names
from adapters.inbound.web.pages import NotHere, PageRoute
from adapters.inbound.web.session import AtDesk

LINES = 150
"""How many lines one page shows; the newest are on the first."""

router = APIRouter(prefix="/desk/cases", route_class=PageRoute, include_in_schema=False)


@router.get("/{case_id}/timeline")
def show(desk: AtDesk, case_id: UUID, kind: str = "", start: int = 0) -> Response:
    if kind and kind not in GROUPS:
        raise NotHere
    case, start = desk.case(case_id), max(0, start)
    profile = desk.profile(case.controller)
    look = desk.look(profile)
    installation = desk.installation
    requests = installation.register.requests_of(case)
    everything = history(installation, case, requests, Names(profile, look))[::-1]
    counts = Counter(group_of(line.topic) for line in everything)
    lines = [line for line in everything if not kind or group_of(line.topic) == kind]
    return framed(
        desk,
        case,
        look,
        "timeline.html",
        purpose=None,
        lead=Lead(""),
        kind=kind,
        groups=[(name, counts[name]) for name in GROUPS if counts[name]],
        lines=lines[start : start + LINES],
        start=start,
        later=max(0, start - LINES) if start else None,
        earlier=start + LINES if start + LINES < len(lines) else None,
    )
