"""Text on its way into a spreadsheet, where a cell must never become a formula."""

from __future__ import annotations

_FORMULA = frozenset("=+-@\t\r\n＝＋－＠|")


def harmless(cell: str) -> str:
    """The cell as text: one that a spreadsheet could take for a formula gets an apostrophe."""
    lead = cell.lstrip(" \u00a0\ufeff")
    return "'" + cell if cell[:1] in _FORMULA or lead[:1] in _FORMULA else cell
