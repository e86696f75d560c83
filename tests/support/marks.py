"""Marked personal data, and the search for it in every form in which it could have leaked."""

from __future__ import annotations

import hashlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, quote_plus

import psycopg
from psycopg import sql

SEALED = {("trettio", "vault_rows", "sealed")}
"""The one column that may hold everything, because it is sealed."""

DIGESTS = ("md5", "sha1", "sha256")


def forms_of(mark: str, *normalised: str) -> dict[str, str]:
    """Every form of a mark that is searched for, by name; `normalised` are its other spellings."""
    forms: dict[str, str] = {}
    for spelling in dict.fromkeys((mark, mark.lower(), mark.casefold().strip(), *normalised)):
        forms |= {
            f"plain {spelling}": spelling,
            f"upper {spelling}": spelling.upper(),
            f"url {spelling}": quote(spelling, safe=""),
            f"form {spelling}": quote_plus(spelling),
            f"json {spelling}": spelling.encode("ascii", "backslashreplace").decode(),
        }
        for offset in range(3):
            forms[f"base64+{offset} {spelling}"] = _inside(spelling, offset, b64encode)
            forms[f"base64url+{offset} {spelling}"] = _inside(spelling, offset, urlsafe_b64encode)
        for digest in DIGESTS:
            named = hashlib.new(digest, spelling.encode(), usedforsecurity=False)
            forms[f"{digest} {spelling}"] = named.hexdigest()
            forms[f"{digest} in base64 {spelling}"] = b64encode(named.digest()).decode().rstrip("=")
            forms[f"{digest} as bytes {spelling}"] = named.digest().decode("latin-1")
    return forms


def _inside(text: str, offset: int, encode: Callable[[bytes], bytes]) -> str:
    """The characters that stand for the text when it begins so many bytes into a group of three."""
    content = b"\0" * offset + text.encode()
    first, last = -(-offset * 8 // 6), len(content) * 8 // 6
    return encode(content).decode()[first:last]


class Marks:
    """The marks of one person."""

    def __init__(self, *marks: tuple[str, ...]) -> None:
        self.forms = {name: form for mark in marks for name, form in forms_of(*mark).items()}

    def within(self, text: str) -> list[str]:
        """Which forms stand in the text."""
        lowered = text.lower()
        return [
            name
            for name, form in self.forms.items()
            if form in text or (name.startswith("plain") and form.lower() in lowered)
        ]

    def in_all(self, texts: Iterable[str]) -> list[str]:
        return sorted({found for text in texts for found in self.within(text)})

    def in_database(self, url: str) -> dict[str, list[str]]:
        """Where in the database marks stand, by table and column."""
        found = {}
        for place, texts in _columns(url):
            if leaked := self.in_all(texts):
                found[place] = leaked
        return found


def _columns(url: str) -> Iterator[tuple[str, list[str]]]:
    with psycopg.connect(url) as connection:
        columns = connection.execute(
            "SELECT c.table_schema, c.table_name, c.column_name"
            " FROM information_schema.columns c JOIN information_schema.tables t"
            " USING (table_schema, table_name) WHERE t.table_type = 'BASE TABLE'"
            " AND c.table_schema NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for schema, table, column in columns:
            if (schema, table, column) in SEALED:
                continue
            named = sql.SQL("SELECT {} AS raw, {}::text FROM {}").format(
                sql.Identifier(column), sql.Identifier(column), sql.Identifier(schema, table)
            )
            texts = []
            for raw, text in connection.execute(named):
                texts.append(str(text))
                if isinstance(raw, bytes | memoryview):
                    texts += [
                        bytes(raw).decode("latin-1"),
                        bytes(raw).decode("utf-8", errors="replace"),
                    ]
            yield f"{schema}.{table}.{column}", texts
