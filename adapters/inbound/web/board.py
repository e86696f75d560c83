"""`/board`: how the controllers keep their dates, and what needs somebody now; nothing personal.

`/board?controller=&right=&channel=&system=&period=` narrows it down; `period` is `year` (the last
twelve months of receipt, as it opens), `all`, or one month of receipt as 2026-05. Every figure
leads to the requests behind it, and every table is there as CSV too: `/board/months.csv`, ….
`/board/report?controller=&month=2026-05&kind=pdf` is the officer's report of a month.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Response

from adapters.inbound.web import board_files
from adapters.inbound.web.board_charts import chart_of
from adapters.inbound.web.board_memory import Remembered
from adapters.inbound.web.board_view import OPEN_FIGURES, Board, Choices, Names, now_of
from adapters.inbound.web.pages import NotHere, PageRoute, download, page
from adapters.inbound.web.session import Desk, ReadsBoard
from adapters.reports import written_reports
from domain.case import reference
from domain.deadlines import add_months
from projections.attention import CASES, MOST, cases_of, needs, waiting_cases
from projections.board import Selection, month_named
from projections.connector_tasks import Failures, failures
from projections.figures import Figures
from projections.marketing_stops import by_month, number
from projections.projection import Today, civil_dates
from services.spreadsheets import spreadsheet

MONTHS = 12
REPORTS = {"pdf": "application/pdf", "csv": "text/csv; charset=utf-8"}
WORDS = {"second-person": "refusal", "officer": "about", "by-hand": "waits", "unavailable": "task"}
"""Where the words for what waits are kept."""

router = APIRouter(prefix="/board", route_class=PageRoute, include_in_schema=False)


@router.get("")
def board(desk: ReadsBoard) -> Response:
    today, names = civil_dates(desk.installation.clock()), Names(desk)
    selection = _selection(names, today)
    found = _figures(desk, selection, today)
    view = Board(names, selection, found, _systems(desk, selection))
    return page(
        "board.html",
        names.look,
        desk=desk,
        board=view,
        choices=Choices(names, selection, _period(desk.request.query_params), today),
        now=now_of(names, found, selection),
        charts=tuple(chart_of(name, view) for name in ("shares", "open", "days")),
        open_figures=OPEN_FIGURES,
        stops=_stops(desk, selection),
    )


@router.get("/stops")
def stops(desk: ReadsBoard) -> Response:
    """Marketing that was stopped by one click in a mail, by month; nobody's address."""
    names = Names(desk)
    found = by_month(desk.installation.database, names.controllers)
    return page("board_stops.html", names.look, desk=desk, names=names, found=found)


@router.get("/now/{what}")
def now(desk: ReadsBoard, what: str) -> Response:
    """The cases behind one of the numbers that need somebody now."""
    names = Names(desk)
    selection = Selection.asked(names.controllers, desk.request.query_params)
    database, tasks = desk.installation.database, desk.installation.tasks

    def shown(template: str, found: Sequence[object], **values: Any) -> Response:
        return page(
            template,
            names.look,
            desk=desk,
            what=what,
            found=found,
            names=names,
            most=MOST,
            reference=reference,
            **values,
        )

    if what in CASES:
        cases = waiting_cases(database, what, selection.controllers, system=selection.system)
        return shown("board_cases.html", cases, words=WORDS.get(what))
    if what == "parked":
        parked = [one for one in tasks.parked() if one.task.controller in selection.controllers]
        of_task = cases_of(database, [one.task.subject_id for one in parked])
        return shown("board_parked.html", parked, cases=of_task)
    if what == "suspended":
        failing = [one for one in tasks.failing() if one.controller in selection.controllers]
        suspended = [one for one in failing if one.suspended_at is not None]
        return shown("board_suspended.html", suspended)
    raise NotHere


@router.get("/report")
def report(desk: ReadsBoard, controller: str = "", month: str = "", kind: str = "pdf") -> Response:
    """The officer's report of a month, as `trettio report` writes it."""
    first, names = month_named(month), Names(desk)
    if controller not in names.controllers or first is None:
        raise NotHere
    language = names.look.language
    for name, content in written_reports(desk.installation, controller, first, language):
        if name.endswith(f".{kind}"):
            return download(content, name, media_type=REPORTS.get(kind, "text/plain"))
    raise NotHere


@router.get("/{name}.csv")
def table(desk: ReadsBoard, name: str) -> Response:
    """One table of the board as it is selected, for a spreadsheet."""
    today, names = civil_dates(desk.installation.clock()), Names(desk)
    selection = _selection(names, today)
    if name == "systems":
        rows = board_files.systems(_systems(desk, selection))
    elif name == "now":
        rows = board_files.now(needs(desk.installation.database, selection.controllers))
    elif name == "stops":
        rows = board_files.stops(by_month(desk.installation.database, selection.controllers))
    elif name in board_files.TABLES:
        rows = board_files.measures(name, _figures(desk, selection, today))
    else:
        raise NotHere
    content = spreadsheet(rows, names.look.language)
    return download(content, f"trettio-{name}.csv", media_type="text/csv; charset=utf-8")


def _stops(desk: Desk, selection: Selection) -> int:
    """Clicks have no right, channel or system: whoever chose one of these is told of none."""
    if selection.right or selection.channel or selection.system:
        return 0
    return number(
        desk.installation.database,
        selection.controllers,
        month=selection.month,
        since=selection.since,
    )


def _selection(names: Names, today: Today) -> Selection:
    params: Mapping[str, str] = names.desk.request.query_params
    period = _period(params)
    chosen = {name: params.get(name, "") for name in ("controller", "right", "channel", "system")}
    if month_named(period):
        return Selection.asked(names.controllers, {**chosen, "month": period})
    if period == "all":
        return Selection.asked(names.controllers, chosen)
    since = add_months(max(today.values()).replace(day=1), 1 - MONTHS)
    return Selection.asked(names.controllers, {**chosen, "since": f"{since:%Y-%m}"})


def _period(params: Mapping[str, str]) -> str:
    period = params.get("period") or params.get("month") or "year"
    return period if period == "all" or month_named(period) else "year"


def _figures(desk: Desk, selection: Selection, today: Today) -> Figures:
    memory: Remembered = desk.request.app.state.figures
    return memory.figures(desk.installation.database, selection, today)


def _systems(desk: Desk, selection: Selection) -> list[Failures]:
    return failures(
        desk.installation.database,
        selection.controllers,
        system=selection.system,
        month=selection.month,
        since=selection.since,
    )
