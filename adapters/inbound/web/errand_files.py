"""A file that a link's holder sends: its kind told by its content, scanned, read; else refused.

Of a spreadsheet only the rows of the one who asks are taken: whoever else is in it is nobody's
business (Art. 5(1)(c)). What is refused is kept nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from adapters.outbound.connectors import Misconfigured
from adapters.outbound.connectors.csv_file import rows_in, titles_of
from domain.errors import DomainError
from domain.vocabulary import IdentifierKind
from services.evidence import kind_named
from services.ports import Attachment, Person, Record, Refused, Scanner, Unavailable

MOST_BYTES = 10_000_000
MOST_ROWS = 200
_MEANS = {
    IdentifierKind.EMAIL: "email",
    IdentifierKind.PHONE: "phone",
    IdentifierKind.NAME: "name",
    IdentifierKind.CUSTOMER_NUMBER: "customer_number",
    IdentifierKind.ORDER_NUMBER: "order_number",
}
_TELLING = frozenset({"column.email", "column.phone", "column.name"})


@dataclass(frozen=True, slots=True)
class FileRead:
    """What a file brought: rows of the person's, or a document to put beside the case."""

    records: tuple[Record, ...] = ()
    document: Attachment | None = None


def file_read(document: Attachment, *, kind: str, person: Person, scanner: Scanner) -> FileRead:
    """Nothing about it is believed: neither its name nor what the browser calls it."""
    content = document.content
    if not content:
        raise DomainError("the file is empty: choose another", key="file-needed")
    if len(content) > MOST_BYTES:
        size = MOST_BYTES // 1_000_000
        raise DomainError(
            f"the file is too large: at most {size} MB", key="file-too-large", size=size
        )
    is_pdf = content.startswith(b"%PDF-") and b"%%EOF" in content[-2_048:]
    if not is_pdf and (b"\0" in content or _looks_like_another_kind(content)):
        raise DomainError("only CSV and PDF are taken: save it as one of them", key="csv-or-pdf")
    try:
        scanner.scan(content)
    except Unavailable:
        raise DomainError(
            "the file could not be checked for viruses just now: try again later",
            key="file-not-checked",
        ) from None
    if is_pdf:
        return FileRead(document=Attachment("document.pdf", "application/pdf", content))
    return FileRead(records=_rows(content, kind, person))


def _looks_like_another_kind(content: bytes) -> bool:
    """Pages and programs that a browser or an office suite would run, whatever they are called."""
    start = content[:512].lstrip().lower()
    return start.startswith((b"<", b"pk\x03\x04", b"#!", b"%pdf", b"{\\rtf", b"\xd0\xcf\x11"))


def _rows(content: bytes, kind: str, person: Person) -> tuple[Record, ...]:
    try:
        titles = titles_of(content)
        options = {"kind": kind}
        for title in titles:
            named = kind_named(title)
            if named in _MEANS:
                options.setdefault(f"column.{_MEANS[named]}", title)
        if len(titles) < 2 or not _TELLING & set(options):
            raise DomainError(
                "the file needs headings in its first line, and a column with the e-mail address,"
                " the phone number or the name",
                key="no-telling-column-by-link",
            )
        records = tuple(rows_in(content, kind, options, person))
    except (Refused, Misconfigured, ValueError):
        raise DomainError("the file cannot be read: save it as CSV", key="csv-or-pdf") from None
    if not records:
        raise DomainError(
            "no row in the file is about this person: it was not kept", key="no-row-of-theirs"
        )
    if len(records) > MOST_ROWS:
        raise DomainError(
            f"more than {MOST_ROWS} rows: send them to the controller another way",
            key="too-many-rows",
            most=MOST_ROWS,
        )
    return records
