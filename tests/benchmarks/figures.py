"""What a benchmark tells: one row of the table, with what was aimed at and what came out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    what: str
    aim: str
    figure: str
    ratio: float
    """How well the aim is kept, in the same sense for all: one or more is kept."""


def at_least(what: str, aim: float, figure: float, unit: str = "") -> Figure:
    return Figure(what, _said(aim, unit, "≥ "), _said(figure, unit), figure / aim)


def at_most(what: str, aim: float, figure: float, unit: str = "") -> Figure:
    return Figure(what, _said(aim, unit, "≤ "), _said(figure, unit), aim / max(figure, 1e-9))


def _said(number: float, unit: str, sign: str = "") -> str:
    digits = 0 if number >= 100 else 1 if number >= 10 else 2
    return f"{sign}{number:,.{digits}f} {unit}".rstrip()
