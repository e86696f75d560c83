"""`/desk/looks`: who looked at what, what for and when, for whoever audits (Art. 5(2), 32(4)).

`/desk/looks?controller=&staff=&purpose=&month=2026-05`, the newest first, and the same as CSV at
`/desk/looks.csv`. Nothing personal is here: a case has its number, and what was shown its kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response

from adapters.inbound.web.look import Look
from adapters.inbound.web.narrowing import Filters, filters
from adapters.inbound.web.pages import PageRoute, download, page
from adapters.inbound.web.session import Audits, Desk
from adapters.inbound.web.worklist import chosen, name_of
from domain.case import reference
from domain.deadlines import add_months
from domain.vocabulary import Purpose
from projections.board import month_named
from projections.looks import Looked, Wanted, looks_at
from services.spreadsheets import Cell, spreadsheet

AT_ONCE = 50
MOST_ROWS = 20_000
"""A file with more is asked for month by month."""
NAMES = ("controller", "staff", "purpose", "month")

router = APIRouter(prefix="/desk", route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Line:
    """A look with what its ids are called."""

    looked: Looked
    who: str
    reference: str
    controller: str


@router.get("/looks")
def show(desk: Audits) -> Response:
    look, asked = desk.look(), _asked(desk)
    after = _place_in(desk.request.query_params.get("after", ""))
    found = _found(desk, asked, look, after=after, limit=AT_ONCE + 1)
    last = found[AT_ONCE - 1] if len(found) > AT_ONCE else None
    offered = _offered(desk, look)
    return page(
        "looks.html",
        look,
        desk=desk,
        asked=asked,
        lines=list(_lines(desk, found[:AT_ONCE])),
        several=len(desk.controllers) > 1,
        offered=offered,
        chosen=list(chosen(asked, look, offered)),
        file=f"/desk/looks.csv?{asked.query}" if asked.query else "/desk/looks.csv",
        first_page=asked.to() if after else "",
        next_page=asked.to(after=str(last.position)) if last else "",
    )


@router.get("/looks.csv")
def file(desk: Audits) -> Response:
    """The same looks for a spreadsheet: ids and codes, alike in every language."""
    look = desk.look()
    found = _found(desk, _asked(desk), look, after=None, limit=MOST_ROWS)
    content = spreadsheet(_rows(found), look.language)
    return download(content, "trettio-looks.csv", media_type="text/csv; charset=utf-8")


def _asked(desk: Desk) -> Filters:
    return filters("/desk/looks", NAMES, desk.request.query_params)


def _found(
    desk: Desk, asked: Filters, look: Look, *, after: int | None, limit: int
) -> list[Looked]:
    ours = [one for one in desk.controllers if asked["controller"] in {"", one}]
    since, before = _month(asked["month"], look.zone)
    wanted = Wanted(asked["staff"] or None, asked["purpose"] or None, since, before)
    return looks_at(desk.installation.database, ours, wanted, after=after, limit=limit)


def _month(words: str, zone: str) -> tuple[datetime | None, datetime | None]:
    """From when until when a month is, where the controller is."""
    first = month_named(words)
    return (_begin(first, zone), _begin(add_months(first, 1), zone)) if first else (None, None)


def _begin(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _lines(desk: Desk, found: Sequence[Looked]) -> Iterator[Line]:
    members = desk.installation.staff.members()
    names = {name: name_of(desk.profile(name)) for name in desk.controllers}
    for one in found:
        member = members.get(one.staff_id)
        yield Line(
            one,
            member.name if member else one.staff_id,
            reference(one.case_id) if one.case_id else "",
            names[one.controller],
        )


def _offered(desk: Desk, look: Look) -> Mapping[str, list[tuple[str, str]]]:
    """What the form of filters offers, by the filter's name."""
    ours = desk.controllers
    offered = {
        "staff": sorted(
            (one.id, one.name)
            for one in desk.installation.staff.members().values()
            if any(map(one.sees, ours))
        ),
        "purpose": [(one.value, look.word("purposes", one)) for one in Purpose],
    }
    if len(ours) > 1:
        offered["controller"] = [(name, name_of(desk.profile(name))) for name in ours]
    return offered


def _rows(found: Sequence[Looked]) -> Iterator[Sequence[Cell]]:
    yield ["at", "staff", "case", "case_id", "contents", "purpose", "way", "controller"]
    for one in found:
        case = reference(one.case_id) if one.case_id else ""
        yield [
            one.looked_at,
            one.staff_id,
            case,
            str(one.case_id or ""),
            " ".join(one.contents),
            one.purpose,
            one.way,
            one.controller,
        ]


def _place_in(words: str) -> int | None:
    return int(words) if words.isascii() and words.isdecimal() and len(words) < 19 else None
