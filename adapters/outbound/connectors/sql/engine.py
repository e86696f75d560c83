"""What this connector needs from a database, whichever it is; and what may go wrong with one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from adapters.outbound.connectors.sql.catalogue import Catalogue, Column
from services.ports import Refused, Unavailable

STATEMENT_SECONDS = 60
LOCK_SECONDS = 10
CONNECT_SECONDS = 10
ROWS_AT_ONCE = 200

Row = tuple[object, ...]
Values = Sequence[object]
Told = Callable[[str, int], None]
"""Is told of every statement, with placeholders in it, and how many rows it met."""

STILL_REFERRED_TO = (
    "rows of another table still refer to it: erase those first, or let the mapping say"
    ' erase = "anonymise"'
)


class CommitLost(Unavailable):
    """The connection broke while a transaction ended: it may have taken effect, or not."""


class Session(Protocol):
    """One transaction. What was changed counts once `commit` has answered."""

    def rows(self, statement: str, values: Values) -> list[Row]: ...

    def stream(self, statement: str, values: Values) -> Iterator[Row]:
        """A few rows at a time; other statements may run in between."""
        ...

    def change(self, statement: str, values: Values) -> int:
        """How many rows it matched, whether or not it made them any different."""
        ...

    def commit(self) -> None: ...

    def catalogue(self) -> Catalogue: ...


class Engine(Protocol):
    """A kind of database, and how to reach one."""

    def reading(self, told: Told | None = None) -> AbstractContextManager[Session]:
        """A transaction that can change nothing, and sees one moment only."""
        ...

    def writing(self, told: Told | None = None) -> AbstractContextManager[Session]: ...

    def quoted(self, *names: str) -> str:
        """An identifier as it may stand in a statement with placeholders."""
        ...

    def is_one_of(self, expression: str, values: Sequence[object]) -> tuple[str, Values]: ...

    def same(self, expression: str) -> str:
        """The expression is the value, or both are NULL; with one placeholder."""
        ...

    def folded(self, column: Column) -> str:
        """A column as text in small letters."""
        ...

    def digits(self, column: Column) -> str:
        """A column's ASCII digits and nothing else."""
        ...

    def joined(self, columns: Sequence[Column]) -> str:
        """Columns in small letters, with a space between."""
        ...

    def grants(self, place: tuple[str, str], rights: Sequence[str]) -> str: ...


@dataclass
class Statements:
    """Every statement of a rehearsal, the first time it was said, with how often and the rows."""

    said: dict[str, list[int]] = field(default_factory=dict)

    def __call__(self, statement: str, rows: int) -> None:
        self.said.setdefault(" ".join(statement.split()).replace("%%", "%"), []).append(rows)


def refused(code: object) -> Refused:
    """Anything else that a database says no to; its own words may quote somebody."""
    return Refused(f"the database refuses the statement ({code})")
