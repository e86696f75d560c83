"""What the board shows: groups with the addresses of the requests behind them, and the charts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from urllib.parse import urlencode

from adapters.inbound.web.case_words import Names as CaseNames
from adapters.inbound.web.look import Look
from adapters.inbound.web.session import Desk
from domain.deadlines import add_months
from domain.policy import Profile
from domain.vocabulary import Channel, Right
from projections.attention import Needs, needs
from projections.board import Selection
from projections.connector_tasks import Failures
from projections.figures import Figures, Measures
from projections.projection import Today

MONTHS_TO_CHOOSE = 24
OPEN_FIGURES: Mapping[str, str] = {
    "late": "open_late",
    "0-2": "open_0_to_2_days",
    "3-7": "open_3_to_7_days",
    "8-14": "open_8_to_14_days",
    "15+": "open_15_days_or_more",
}


def controller_name(profile: Profile) -> str:
    return profile.controller.trade_name or profile.controller.name


@dataclass(frozen=True, slots=True)
class Group:
    """One line of a table: what its requests share, how they stand, and where they are listed."""

    name: str
    measures: Measures
    cases: str
    board: str


@dataclass(frozen=True, slots=True)
class System:
    """One connected system of one controller, by name."""

    name: str
    controller: str
    failures: Failures
    cases: str
    query: str
    """What chooses it on the pages behind the numbers that need somebody now."""


@dataclass(frozen=True)
class Names:
    """The controllers that a reader may see, read once for a page, and what each is called."""

    desk: Desk

    @cached_property
    def controllers(self) -> tuple[str, ...]:
        return self.desk.controllers

    @cached_property
    def profiles(self) -> Mapping[str, Profile]:
        return {name: self.desk.profile(name) for name in self.controllers}

    @cached_property
    def look(self) -> Look:
        return self.desk.look(next(iter(self.profiles.values()), None))

    def controller(self, name: str) -> str:
        return controller_name(self.profiles[name]) if name in self.profiles else name

    def system(self, controller: str, name: str) -> str:
        profile = self.profiles.get(controller)
        return CaseNames(profile, self.look).system(name) if profile else name


@dataclass(frozen=True)
class Board:
    """The figures of one selection, ready to be shown."""

    names: Names
    selection: Selection
    figures: Figures
    failures: list[Failures]

    @property
    def look(self) -> Look:
        return self.names.look

    @property
    def all(self) -> Measures:
        return self.figures.all

    def cases(self, **more: str) -> str:
        """Where all that is selected is listed, or some of it."""
        return cases_address(self.selection, self.names, **more)

    @property
    def query(self) -> str:
        """The filters as they stand in the address."""
        return str(self.names.desk.request.url.query)

    @property
    def as_of(self) -> str:
        return self.look.moment(self.names.desk.installation.clock())

    def time(self, hours: float | None) -> str:
        """How long a system took, in hours or days."""
        if hours is None:
            return "–"
        if hours < 1:
            return self.look.say("board.within_an_hour")
        if hours < 48:
            return self.look.counted("board.hours", round(hours))
        return self.look.counted("board.days", round(hours / 24))

    # Tables

    def controllers(self) -> Iterator[Group]:
        for one in self.figures.by_controller:
            of = replace(self.selection, controllers=(one.of or "",))
            yield self._group(self.names.controller(one.of or ""), one, of)

    def rights(self) -> Iterator[Group]:
        for one in self.figures.by_right:
            of = replace(self.selection, right=one.of)
            yield self._group(self.look.right(one.of or ""), one, of)

    def channels(self) -> Iterator[Group]:
        for one in self.figures.by_channel:
            of = replace(self.selection, channel=one.of)
            yield self._group(self.look.word("channel", one.of or ""), one, of)

    def months(self) -> Iterator[Group]:
        """The newest first; older ones are in the file."""
        for one in reversed(self.figures.by_month[-MONTHS_TO_CHOOSE:]):
            month = date.fromisoformat(f"{one.of}-01")
            of = replace(self.selection, month=month, since=None)
            yield self._group(self.look.month(month), one, of)

    @property
    def has_older(self) -> bool:
        return len(self.figures.by_month) > MONTHS_TO_CHOOSE

    def systems(self) -> Iterator[System]:
        for one in self.failures:
            of = Selection((one.controller,), system=one.system)
            yield System(
                self.names.system(one.controller, one.system),
                self.names.controller(one.controller),
                one,
                cases_address(of, self.names),
                _query({"controller": one.controller, "system": one.system}),
            )

    def _group(self, name: str, measures: Measures, of: Selection) -> Group:
        return Group(name, measures, cases_address(of, self.names), board_address(of, self.names))


def cases_address(selection: Selection, names: Names, **more: str) -> str:
    return (
        f"/desk/cases?{_query({**_of_controller(selection, names), **selection.params(), **more})}"
    )


def board_address(selection: Selection, names: Names) -> str:
    params = {**_of_controller(selection, names), **selection.params()}
    params.pop("since", None)
    if selection.month is not None:
        params["period"] = params.pop("month")
    elif selection.since is None:
        params["period"] = "all"
    return f"/board?{_query(params)}"


def _of_controller(selection: Selection, names: Names) -> dict[str, str]:
    if len(selection.controllers) == 1 and len(names.controllers) > 1:
        return {"controller": selection.controllers[0]}
    return {}


def _query(params: Mapping[str, str]) -> str:
    return urlencode({name: value for name, value in params.items() if value})


# Filters


@dataclass(frozen=True)
class Choices:
    """What may be chosen, and what is."""

    names: Names
    selection: Selection
    period: str
    today: Today

    @property
    def look(self) -> Look:
        return self.names.look

    @property
    def controllers(self) -> list[tuple[str, str]]:
        return [(name, self.names.controller(name)) for name in self.names.controllers]

    @property
    def controller(self) -> str:
        return _of_controller(self.selection, self.names).get("controller", "")

    @property
    def rights(self) -> list[tuple[str, str]]:
        return [(one.value, self.look.right(one)) for one in Right]

    @property
    def channels(self) -> list[tuple[str, str]]:
        return [(one.value, self.look.word("channel", one)) for one in Channel]

    @property
    def systems(self) -> list[tuple[str, str]]:
        found = {
            system.id: system.name
            for name in self.selection.controllers
            for system in self.names.profiles[name].systems
        }
        return sorted(found.items(), key=lambda item: item[1].casefold())

    @property
    def periods(self) -> list[tuple[str, str]]:
        this = max(self.today.values()).replace(day=1)
        months = [add_months(this, -back) for back in range(MONTHS_TO_CHOOSE)]
        if self.selection.month is not None and self.selection.month not in months:
            months.append(self.selection.month)
        return [
            ("year", self.look.say("board.period_year")),
            ("all", self.look.say("board.period_all")),
            *((f"{month:%Y-%m}", self.look.month(month)) for month in months),
        ]

    @property
    def months(self) -> list[tuple[str, str]]:
        """For the report: the last whole month first."""
        months = [one for one in self.periods if one[0] not in {"year", "all"}]
        return [*months[1:], *months[:1]]

    @property
    def narrows(self) -> bool:
        """Whether anything is chosen that could be taken back."""
        of = self.selection
        return bool(self.controller or of.right or of.channel or of.system or self.period != "year")


# What needs somebody now


@dataclass(frozen=True, slots=True)
class Need:
    """One number, what it counts, where that is, and how pressing it is."""

    what: str
    count: int
    address: str
    urgency: str = "soon"
    note: str = ""


def now_of(names: Names, found: Figures, selection: Selection) -> list[Need]:
    """For the chosen controllers; what waits for somebody waits whatever else is chosen."""
    look = names.look
    waits: Needs = needs(names.desk.installation.database, selection.controllers)
    whose = _query(_of_controller(selection, names))

    def there(what: str) -> str:
        return f"/board/now/{what}" + (f"?{whose}" if whose else "")

    oldest, until = waits.oldest_message_at, waits.next_breach_by
    every = (
        Need("late", found.all.open_late, cases_address(selection, names, open="late"), "late"),
        Need("today", found.all.open_today, cases_address(selection, names, open="today")),
        Need(
            "breaches",
            waits.breaches,
            there("breaches"),
            "late",
            look.say("board.now_until", at=look.moment(until)) if until else "",
        ),
        Need(
            "messages",
            waits.messages,
            "/desk/inbox" + (f"?{whose}" if whose else ""),
            "soon",
            look.say("board.now_oldest", at=look.moment(oldest)) if oldest else "",
        ),
        Need("second-person", waits.second_person, there("second-person")),
        Need("officer", waits.officer, there("officer")),
        Need("by-hand", waits.by_hand, there("by-hand")),
        Need("unavailable", waits.unavailable, there("unavailable")),
        Need("suspended", waits.suspended_systems, there("suspended"), "late"),
        Need("parked", waits.parked_tasks, there("parked"), "late"),
    )
    return [one for one in every if one.count]
