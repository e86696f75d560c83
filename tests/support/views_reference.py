"""The page that describes the schema `views`, written from the comments in the database itself.

`python -m tests.support.views_reference DATABASE_URL` writes it anew, from a database that has the
read models of this program.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from adapters.outbound.database import Database

PAGE = Path(__file__).parents[2] / "deploy" / "views.md"
BEGIN, END = "<!-- tables: begin -->\n", "<!-- tables: end -->\n"


def tables(database: Database) -> str:
    """Every table and view with its columns, in the order of their names."""
    return "\n".join(_lines(database)) + "\n"


def _lines(database: Database) -> Iterator[str]:
    found = database.fetch(
        "SELECT oid, relname AS name, relkind = 'v' AS is_view, obj_description(oid) AS comment"
        " FROM pg_class WHERE relnamespace = 'views'::regnamespace AND relkind IN ('r', 'v')"
        " ORDER BY relname"
    )
    for table in found:
        yield f"\n### {table['name']}\n"
        yield f"{table['comment']}.\n"
        yield "| column | type | what |"
        yield "| --- | --- | --- |"
        for column in database.fetch(
            "SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull,"
            " col_description(attrelid, attnum) AS comment FROM pg_attribute"
            " WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            [table["oid"]],
        ):
            may = "" if column["attnotnull"] or table["is_view"] else ", or none"
            what = (column["comment"] or "").replace("|", "\\|")
            yield f"| `{column['name']}` | {column['type']}{may} | {what} |"


def written(page: str, described: str) -> str:
    """The page with its tables described so."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{described}\n{END}{after}"


if __name__ == "__main__":
    with Database(sys.argv[1]) as opened:
        PAGE.write_text(written(PAGE.read_text("utf-8"), tables(opened)), "utf-8")
