"""Text on its way into a spreadsheet, where a cell must never become a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from domain.vocabulary import Language

_FORMULA = frozenset("=+-@\t\r\n＝＋－＠|")

Cell = str | int | float | date | None


def harmless(cell: str) -> str:
    """The cell as text: one that a spreadsheet could take for a formula gets an apostrophe."""
    lead = cell.lstrip(" \u00a0\ufeff")
    return "'" + cell if cell[:1] in _FORMULA or lead[:1] in _FORMULA else cell


def spreadsheet(rows: Iterable[Sequence[Cell]], language: Language) -> bytes:
    """A table as Excel opens it in Norway and Sweden, and anything else that is told how.

    Semicolons between cells, every cell in quotation marks, UTF-8 with a byte order mark, and the
    decimal mark of the language.
    """
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL)
    for row in rows:
        writer.writerow([_cell(cell, language) for cell in row])
    return text.getvalue().encode("utf-8-sig")


def _cell(cell: Cell, language: Language) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(timespec="seconds")
    if isinstance(cell, float):
        shown = f"{cell:.1f}"
        return shown if language is Language.EN else shown.replace(".", ",")
    return harmless(str(cell))
