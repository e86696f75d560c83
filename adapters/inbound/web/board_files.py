"""The board's tables as rows for a spreadsheet.

Names of columns and codes are the same in every language, for whoever reads them with a program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, fields

from projections.attention import Needs
from projections.connector_tasks import Failures
from projections.figures import Figures, Measures, Share
from projections.marketing_stops import Counted
from services.spreadsheets import Cell

TABLES: dict[str, tuple[str, Callable[[Figures], Sequence[Measures]]]] = {
    "all": ("all", lambda found: (found.all,)),
    "controllers": ("controller", lambda found: found.by_controller),
    "rights": ("right", lambda found: found.by_right),
    "channels": ("channel", lambda found: found.by_channel),
    "months": ("month", lambda found: found.by_month),
}
"""By the name of the file: what the first column is called, and whose measures follow."""


def measures(name: str, found: Figures) -> Iterator[Sequence[Cell]]:
    first, groups = TABLES[name]
    yield [first, *_columns()]
    for one in groups(found):
        yield [one.of or "all", *_values(one)]


def systems(found: Iterable[Failures]) -> Iterator[Sequence[Cell]]:
    names = [field.name for field in fields(Failures)]
    yield names
    for one in found:
        yield [getattr(one, name) for name in names]


def now(found: Needs) -> Iterator[Sequence[Cell]]:
    yield ["what", "value"]
    for name, value in asdict(found).items():
        yield [name, value]


def stops(found: Iterable[Counted]) -> Iterator[Sequence[Cell]]:
    names = [field.name for field in fields(Counted)]
    yield names
    for one in found:
        yield [one.controller, f"{one.month:%Y-%m}", *(getattr(one, name) for name in names[2:])]


def _columns() -> Iterator[str]:
    for field in fields(Measures):
        if field.type == "Share":
            yield f"{field.name}_kept"
            yield f"{field.name}_missed"
        elif field.name != "of":
            yield field.name


def _values(one: Measures) -> Iterator[Cell]:
    for field in fields(Measures):
        value = getattr(one, field.name)
        if isinstance(value, Share):
            yield value.kept
            yield value.missed
        elif field.name != "of":
            yield value
