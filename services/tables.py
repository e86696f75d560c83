"""Tables of records for people with a spreadsheet: no cell can become a formula."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence

from services.pile import Json, Pile
from services.spreadsheets import harmless


def table(records: Pile) -> Iterator[str]:
    """One table: comma, all cells quoted, UTF-8 with BOM; no cell can become a formula."""
    columns = list(dict.fromkeys(name for record in records for name, _ in _flat(record.fields)))
    yield "\ufeff"
    yield _row(["_system", "_kind", *columns, "_masked"])
    for record in records:
        row = dict(_flat(record.fields))
        cells = (row.get(column, "") for column in columns)
        yield _row([record.system_name, record.kind, *cells, ", ".join(record.masked)])


def _row(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow([harmless(printable(c)) for c in cells])
    return line.getvalue()


def _flat(value: Json, prefix: str = "") -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from _flat(inner, f"{prefix}.{key}" if prefix else key)
        case list() if any(isinstance(item, dict | list) for item in value):
            # Counted from 0, as in `_masked` and in data.json.
            for number, item in enumerate(value):
                yield from _flat(item, f"{prefix}.{number}")
        case list():
            yield prefix, "; ".join(_cell(item) for item in value)
        case _:
            yield prefix, _cell(value)


def _cell(value: Json) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def printable(text: str) -> str:
    """The text without control characters and bidirectional overrides, which hide other text."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in _HIDDEN)


_HIDDEN = frozenset({"Cc", "Cf", "Cs"})


def file_name(id_: str) -> str:
    """Lower-case ASCII letters, digits and hyphens; the number before it makes it unique."""
    ascii_ = unicodedata.normalize("NFKD", id_).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_.lower()).strip("-")[:60] or "other"
