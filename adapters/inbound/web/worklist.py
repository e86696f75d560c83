"""`/desk`: every open request by the day to aim for, narrowed down as its address says.

`narrowing` says which filters there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Response

from adapters.inbound.api.staff import colleagues
from adapters.inbound.web.look import Look
from adapters.inbound.web.narrowing import (
    ME,
    WORKLIST,
    Filters,
    filters,
    filters_of,
    narrowed,
    place_as,
    place_in,
)
from adapters.inbound.web.pages import Form, PageRoute, go, page
from adapters.inbound.web.session import AtDesk, Desk
from adapters.inbound.web.steps import id_in
from adapters.outbound.tasks import FailingSystem
from domain.case import reference
from domain.policy import Profile
from domain.request import Missed, Status
from domain.vocabulary import Language, Right
from projections import incoming
from projections.projection import Today, civil_dates
from projections.work import TURN_OF, TURNS, Work
from projections.worklist import NOBODY, Alike, Due, Narrowed, Place, counted
from projections.worklist import number_of as number_of_alike
from projections.worklist import page as page_of
from services.assigning import Given
from services.ports import Member

AT_ONCE = 50
MOMENT_SECONDS = 0.3
REMINDERS = ("half-time", "five-working-days", "two-working-days", "today", "late")
"""What the last reminder may have been, whatever target it was about."""

WEIGHTIEST_FIRST = tuple(one.value for one in (Missed.STATUTORY, Missed.PROMISE, Missed.TARGET))

router = APIRouter(prefix="/desk", route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Line:
    """A request with the days that are left."""

    work: Work
    reference: str
    controller: str
    days_left: int
    missed: list[str]
    """The dates that have passed, the weightiest first."""
    reminder: str
    """What the last one was about; empty where a date that was missed says the same."""


@dataclass(frozen=True, slots=True)
class Silent:
    """A system that is asked now and then only, because it does not answer."""

    failing: FailingSystem
    system: str | None
    controller: str
    address: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A list that is one press away, and how much there is on it, where that is known."""

    name: str
    value: str
    words: str
    address: str
    number: int | None
    is_on: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """A filter that is on, and the address of the list without it."""

    name: str
    words: str
    address: str


@router.get("")
def worklist(desk: AtDesk) -> Response:
    sql, asked = desk.installation.database, filters("/desk", WORKLIST, desk.request.query_params)
    look, today = desk.look(), civil_dates(desk.installation.clock())
    profiles = {name: desk.profile(name) for name in desk.controllers}
    members = list(colleagues(desk.installation, desk.bearer).values())
    wanted = narrowed(asked, me=desk.staff_id)
    offered = _offered(look, profiles, members, desk.staff_id)
    after = place_in(desk.request.query_params.get("after", ""))
    due = page_of(sql, desk.controllers, today, wanted, after=after, limit=AT_ONCE + 1)
    alike = counted(sql, desk.controllers, today, wanted)
    last = due[AT_ONCE - 1] if len(due) > AT_ONCE else None
    return page(
        "worklist.html",
        look,
        desk=desk,
        asked=asked,
        lines=[_line(one, profiles[one.controller], today) for one in due[:AT_ONCE]],
        several=len(profiles) > 1,
        names={one.id: one.name for one in members},
        members=members,
        total=None if alike is None else number_of_alike(alike, wanted),
        choices=_choices(desk, look, asked, wanted, alike),
        chosen=list(chosen(asked, look, offered)),
        offered=offered,
        next_page=asked.to(after=place_as(_place(last))) if last else "",
        first_page=asked.to() if after else "",
        messages=incoming.waiting(sql, desk.controllers),
        silent=[
            _silent(one, profiles[one.controller], asked)
            for one in desk.installation.tasks.failing()
            if one.suspended_at is not None and one.controller in profiles
        ],
        told=_told(desk, members),
    )


def _place(work: Work) -> Place:
    return Place(work.clock_runs, work.target_due, work.request_id)


def _line(work: Work, profile: Profile, today: Today) -> Line:
    reminder = next((one for one in REMINDERS if (work.reminder or "").startswith(one)), "")
    missed = [one for one in WEIGHTIEST_FIRST if one in work.missed]
    return Line(
        work,
        reference(work.case_id),
        name_of(profile),
        work.days_left(today),
        missed,
        "" if missed and reminder in {"today", "late"} else reminder,
    )


def _silent(failing: FailingSystem, profile: Profile, asked: Filters) -> Silent:
    names = {system.id: system.name for system in profile.systems}
    system = failing.system and names.get(failing.system, failing.system)
    behind = Filters(asked.address, asked.names, {}).to(
        controller=failing.controller, system=failing.system
    )
    return Silent(failing, system, name_of(profile), behind)


def name_of(profile: Profile) -> str:
    return profile.controller.trade_name or profile.controller.name


# What can be chosen


def _choices(
    desk: Desk, look: Look, asked: Filters, wanted: Narrowed, alike: list[Alike] | None
) -> dict[str, list[Choice]]:
    """Lists that many look at, each with its number; "mine" comes first."""

    def offered(name: str, values: Sequence[tuple[str, str]]) -> Iterator[Choice]:
        for value, words in values:
            there = asked.having(name, value)
            number = (
                None if alike is None else number_of_alike(alike, narrowed(there, me=desk.staff_id))
            )
            yield Choice(name, value, words, there.to(), number, is_on=asked[name] == value)

    return {
        "assigned": [
            *offered("assigned", [(one, look.say(f"filter.{one}")) for one in (ME, NOBODY)]),
            *offered("assigned", [("", look.say("filter.everybody"))]),
        ],
        "due": list(offered("due", [(one.value, look.word("due", one)) for one in Due])),
        "turn": [
            one
            for one in offered("turn", [(one, look.word("turn", one)) for one in TURNS])
            if one.is_on or one.number != 0
        ],
    }


def _offered(
    look: Look, profiles: Mapping[str, Profile], members: Sequence[Member], me: str
) -> dict[str, list[tuple[str, str]]]:
    """What the form of filters offers, by the filter's name."""
    systems = {
        system.id: system.name for profile in profiles.values() for system in profile.systems
    }
    named = {
        "controller": [(name, name_of(profile)) for name, profile in profiles.items()],
        "right": [(one.value, look.right(one)) for one in Right],
        "status": [
            (one.value, look.word("status", one)) for one in Status if one is not Status.CLOSED
        ],
        "assigned": [
            (ME, look.say("filter.me")),
            (NOBODY, look.say("filter.nobody")),
            *((one.id, one.name) for one in members if one.id != me),
        ],
        "blocked": [(code, look.word("block", code)) for code in TURN_OF],
        "system": sorted(systems.items(), key=lambda item: item[1]),
        "language": [(one.value, look.word("language", one)) for one in Language],
    }
    if len(profiles) < 2:
        del named["controller"]
    return named


def chosen(
    asked: Filters, look: Look, offered: Mapping[str, Sequence[tuple[str, str]]]
) -> Iterator[Chosen]:
    """The filters that are on, in the words of the form that offers them."""
    for name, value in asked.given.items():
        words = dict(offered.get(name, ())).get(value) or look.word(name, value)
        yield Chosen(name, words, asked.without(name).to())


# Giving many to somebody


@router.post("/assign")
def assign_many(desk: AtDesk, sent: Form) -> Response:
    """Give everything that is ticked, or all that is shown, to somebody."""
    ticked = sent.all("listed") if sent.has("all") else sent.all("request")
    chosen = list(dict.fromkeys(id_in(word) for word in ticked))
    back = filters_of("/desk", WORKLIST, sent.one("back"))
    if not chosen:
        return go(back.to(given="none"))
    for request_id in chosen:
        desk.require(desk.installation.register.request(request_id).controller)
    given = desk.installation.assigning.assign_open(chosen, to=sent.one("to"), by=desk.staff_id)
    seen(desk)
    told = f"{given.assigned}.{given.had}.{given.closed}.{given.elsewhere}"
    return go(back.to(given=told, to=sent.one("to")[:100]))


def seen(desk: Desk) -> None:
    """Let the lists show what was just done; they are a moment behind, and not worth much more."""
    desk.installation.views.wait_until(timeout=MOMENT_SECONDS)


@dataclass(frozen=True, slots=True)
class Told:
    """What became of giving many requests to somebody, as the address says it."""

    given: Given
    to: str


def _told(desk: Desk, members: Sequence[Member]) -> Told | None:
    said, to = (desk.request.query_params.get(name, "") for name in ("given", "to"))
    if said == "none":
        return Told(Given(0, 0, 0, 0), "")
    numbers = said.split(".")
    if len(numbers) != 4 or not all(one.isdecimal() and len(one) < 4 for one in numbers):
        return None
    known = {desk.staff_id: desk.staff_id} | {one.id: one.name for one in members}
    assigned, had, closed, elsewhere = map(int, numbers)
    return Told(Given(assigned, had, closed, elsewhere), known.get(to, ""))
