"""`/desk/cases`: every request there ever was, open and closed, and those behind a figure.

`/desk/cases?controller=&right=&channel=&system=&month=YYYY-MM&since=YYYY-MM&outcome=
&missed=target|promise|statutory&open=all|late|today|0-2|3-7|8-14|15+`; what is on the list is what
`projections.board` counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.web.look import Look
from adapters.inbound.web.narrowing import filters
from adapters.inbound.web.pages import PageRoute, page
from adapters.inbound.web.session import AtDesk
from adapters.inbound.web.worklist import chosen, name_of
from domain.case import reference
from domain.policy import Profile
from domain.vocabulary import Channel, Country, Right
from projections.board import MISSED, OPEN, Selection, count_behind, requests_behind
from projections.dashboard import Kept
from projections.projection import Today, civil_dates

AT_ONCE = 50
MOST_COUNTED = 1_000
"""Where there is more, nobody waits until it has been counted."""
NAMES = (
    "controller",
    "right",
    "channel",
    "system",
    "month",
    "since",
    "outcome",
    "missed",
    "open",
)
OUTCOMES = ("open", "in-full", "in-part", "refused", "referred", "withdrawn")

router = APIRouter(prefix="/desk/cases", route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Line:
    """A request as it stands, or as it ended."""

    kept: Kept
    reference: str
    controller: str
    days_left: int | None


@router.get("")
def show(desk: AtDesk) -> Response:
    sql, look = desk.installation.database, desk.look()
    asked = filters("/desk/cases", NAMES, desk.request.query_params)
    profiles = {name: desk.profile(name) for name in desk.controllers}
    today = civil_dates(desk.installation.clock())
    selection = Selection.asked(desk.controllers, asked.given)
    after = _place_in(desk.request.query_params.get("after", ""))
    found = requests_behind(sql, selection, today, after=after, limit=AT_ONCE + 1)
    last = found[AT_ONCE - 1] if len(found) > AT_ONCE else None
    # What is on one page is counted already.
    total = (
        count_behind(sql, selection, today, most=MOST_COUNTED + 1) if last or after else len(found)
    )
    offered = _offered(look, profiles)
    return page(
        "all_cases.html",
        look,
        desk=desk,
        asked=asked,
        lines=[_line(one, profiles[one.controller], today) for one in found[:AT_ONCE]],
        several=len(profiles) > 1,
        total=total,
        most_counted=MOST_COUNTED,
        chosen=list(chosen(asked, look, offered)),
        offered=offered,
        first_page=asked.to() if after else "",
        next_page=asked.to(after=_place_as(last)) if last else "",
    )


def _line(kept: Kept, profile: Profile, today: Today) -> Line:
    left = (kept.target_due - today[Country(kept.country)]).days if kept.clock_runs else None
    return Line(kept, reference(kept.case_id), name_of(profile), left)


def _offered(look: Look, profiles: Mapping[str, Profile]) -> dict[str, list[tuple[str, str]]]:
    """What the form of filters offers, by the filter's name."""
    systems = {one.id: one.name for profile in profiles.values() for one in profile.systems}
    named = {
        "controller": [(name, name_of(profile)) for name, profile in profiles.items()],
        "right": [(one.value, look.right(one)) for one in Right],
        "channel": [(one.value, look.word("channel", one)) for one in Channel],
        "system": sorted(systems.items(), key=lambda item: item[1]),
        "outcome": [(one, look.say(f"outcomes.{one}")) for one in OUTCOMES],
        "missed": [(one, look.word("missed", one)) for one in MISSED],
        "open": [(one, look.say(f"open.{one}")) for one in OPEN],
    }
    if len(profiles) < 2:
        del named["controller"]
    return named


# Where a page of the list begins


def _place_in(words: str) -> tuple[date, UUID] | None:
    day, _, request_id = words.partition(".")
    try:
        return date.fromisoformat(day), UUID(request_id)
    except ValueError:
        return None


def _place_as(kept: Kept) -> str:
    return f"{kept.received_on.isoformat()}.{kept.request_id}"
