"""The filters of the desk's lists, as they stand in a page's address.

`/desk?controller=&right=&turn=&status=&assigned=&due=&blocked=&system=&language=&month=` narrows
the work list down. `assigned` is `me`, `nobody` or a staff id; `due` is `late`, `week`, `later` or
`answered`; `month` is the month of receipt, as 2026-05. What is left out narrows nothing down.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from projections.worklist import Due, Narrowed, Place

ME = "me"
LONGEST = 100


@dataclass(frozen=True, slots=True)
class Filters:
    """What was asked for: known names, and what they were given."""

    address: str
    names: tuple[str, ...]
    given: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.given.get(name, "")

    def __bool__(self) -> bool:
        return bool(self.given)

    @property
    def query(self) -> str:
        return urlencode([(name, self.given[name]) for name in self.names if name in self.given])

    def to(self, **changes: str | None) -> str:
        """The address of the same list with these filters changed; None takes one away.

        Whatever is no filter, such as the place to go on from, is added as it is.
        """
        changed = {**self.given, **changes}
        names = [*self.names, *(name for name in changes if name not in self.names)]
        query = urlencode([(name, changed[name]) for name in names if changed.get(name)])
        return f"{self.address}?{query}" if query else self.address

    def without(self, name: str) -> Filters:
        return self.having(name, "")

    def having(self, name: str, value: str) -> Filters:
        """The same with one filter changed; an empty one is none."""
        changed = {**self.given, name: value}
        return Filters(self.address, self.names, {k: v for k, v in changed.items() if v})


def filters(address: str, names: tuple[str, ...], asked: Mapping[str, str]) -> Filters:
    given = {name: asked[name].strip()[:LONGEST] for name in names if asked.get(name, "").strip()}
    return Filters(address, names, given)


def filters_of(address: str, names: tuple[str, ...], query: str) -> Filters:
    """Filters as a form sent them along, to lead back to where it was pressed."""
    return filters(address, names, dict(parse_qsl(query)))


WORKLIST = (
    "assigned",
    "due",
    "turn",
    "controller",
    "right",
    "status",
    "blocked",
    "system",
    "language",
    "month",
)


def narrowed(asked: Filters, *, me: str) -> Narrowed:
    return Narrowed(
        controller=asked["controller"] or None,
        right=asked["right"] or None,
        turn=asked["turn"] or None,
        status=asked["status"] or None,
        assigned=me if asked["assigned"] == ME else asked["assigned"] or None,
        due=next((one for one in Due if one.value == asked["due"]), None),
        blocked=asked["blocked"] or None,
        system=asked["system"] or None,
        language=asked["language"] or None,
        month=month_in(asked["month"]),
    )


def month_in(words: str) -> date | None:
    try:
        return date.fromisoformat(f"{words}-01")
    except ValueError:
        return None


# Where a page of the list begins


def place_in(words: str) -> Place | None:
    runs, _, rest = words.partition(".")
    day, _, request_id = rest.partition(".")
    try:
        return Place(runs == "1", date.fromisoformat(day), UUID(request_id))
    except ValueError:
        return None


def place_as(place: Place) -> str:
    return f"{int(place.clock_runs)}.{place.target_due.isoformat()}.{place.request_id}"
