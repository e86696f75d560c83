"""The board's charts: data for the script that draws them, and what each shows in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from adapters.inbound.web.board_view import MONTHS_TO_CHOOSE, OPEN_FIGURES, Board
from projections.figures import Measures, Share


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of figures that stand in a table beside it; `says` is what it shows, in words."""

    name: str
    says: str
    data: str
    series: tuple[str, ...]
    is_empty: bool


def chart_of(name: str, board: Board) -> Chart:
    return _CHARTS[name](board)


def _shares(board: Board) -> Chart:
    look, months = board.look, _months(board)
    series = [[_share(getattr(one, date_of)) for one in months] for date_of in _DATES]
    last = next((one for one in reversed(months) if one.statutory.ratio is not None), None)
    says = look.say("board.chart_shares_empty")
    if last is not None and last.statutory.ratio is not None:
        month = look.month(date.fromisoformat(f"{last.of}-01"))
        share = look.percent(last.statutory.ratio)
        says = look.say("board.chart_shares_says", month=month, share=share)
    names = tuple(look.say(f"board.date_{date_of}") for date_of in _DATES)
    return _chart("shares", says, names, series, board, unit=look.say("numbers.percent_sign"))


def _days(board: Board) -> Chart:
    look, months = board.look, _months(board)
    series = [
        [one.median_days for one in months],
        [one.ninety_percent_days for one in months],
    ]
    says = look.say("board.chart_days_empty")
    if board.all.median_days is not None and board.all.ninety_percent_days is not None:
        says = look.say(
            "board.chart_days_says",
            median=look.number(board.all.median_days),
            most=look.number(board.all.ninety_percent_days),
        )
    names = (look.say("board.median"), look.say("board.ninety"))
    return _chart("days", says, names, series, board, unit="")


def _open(board: Board) -> Chart:
    look = board.look
    counts = [getattr(board.all, name) for name in OPEN_FIGURES.values()]
    labels = [look.say(f"board.short_{word}") for word in OPEN_FIGURES]
    says = look.say("board.chart_open_says", count=board.all.open, late=board.all.open_late)
    data = json.dumps({"kind": "bars", "labels": labels, "series": [counts], "unit": ""})
    return Chart("open", says, data, (), is_empty=not board.all.open)


_DATES = ("statutory", "promise", "target")
_CHARTS: Mapping[str, Callable[[Board], Chart]] = {"shares": _shares, "days": _days, "open": _open}


def _months(board: Board) -> tuple[Measures, ...]:
    return board.figures.by_month[-MONTHS_TO_CHOOSE:]


def _share(share: Share) -> float | None:
    return None if share.ratio is None else int(share.ratio * 1000) / 10


def _chart(
    name: str,
    says: str,
    names: tuple[str, ...],
    series: list[list[float | None]],
    board: Board,
    *,
    unit: str,
) -> Chart:
    labels = [board.look.month(date.fromisoformat(f"{one.of}-01")) for one in _months(board)]
    data = json.dumps({"kind": "lines", "labels": labels, "series": series, "unit": unit})
    known = sum(any(line[place] is not None for line in series) for place in range(len(labels)))
    return Chart(name, says, data, names, is_empty=known < 2)
