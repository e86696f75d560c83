"""A system known by its exports: a CSV file dropped into a folder, columns mapped once.

Nothing can be changed from here, so erasure hands a person a list to work from; an export younger
than that is the read-back. Half the ticket systems in use have no better door (Art. 15, 17).

Configuration, all of it text:

- `folder`: where exports are dropped. Finished files only: names that begin with "." or end in
  ".part" or ".tmp" are passed over, and so are links.
- `kind`: the sorts of record in the exports, e.g. "customer, purchase". Every option below may be
  given for one kind alone with "purchase." before it.
- `file`: which names count, "*.csv" unless told; the newest of them is read.
- `column.FIELD` = "Header": what a column means. These say whose a row is: email, phone, name,
  customer_number, order_number, number, national_number, cookie (also email_2 and so on), and
  first_name with last_name; `key` says which row it is. Columns without a meaning are given under
  their own header.
- `fields`: the only fields that this kind consists of, where an export mixes several kinds; rows
  without any of them are passed over, rows that say the same of them are one record.
- `anchor.NAME` = "Header" of a date; `flag.NAME` = "Header" of a yes, or "Header=value|value".
- `mask`: fields or headers that tell of other people, with ";" between them.
- `encoding`, `delimiter`: where looking at the file is not enough.
- `oldest_days`: how old an export may be for a search (31 unless told).
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path

from adapters.outbound.connectors import Configuration, Misconfigured, connector, need
from domain.vocabulary import IdentifierKind, Outcome
from services.matching import Level, Matcher, normal
from services.national_numbers import mask_national_numbers
from services.ports import AwaitsPerson, Person, Record, Refused, Result, Treatment, Unavailable
from services.spreadsheets import harmless

OLDEST_DAYS = 31
MOST_COLUMNS = 2_000
LONGEST_LINE = 1_000_000
MASKED = "***"

_DELIMITERS = (";", ",", "\t", "|")
_UNFINISHED = (".part", ".tmp", ".crdownload", "~")
_YES = {"1", "ja", "j", "yes", "y", "true", "sann", "sant", "x"}
_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%Y/%m/%d", "%Y%m%d")
_TELLING = {
    "email": IdentifierKind.EMAIL,
    "phone": IdentifierKind.PHONE,
    "name": IdentifierKind.NAME,
    "customer_number": IdentifierKind.CUSTOMER_NUMBER,
    "order_number": IdentifierKind.ORDER_NUMBER,
    "number": IdentifierKind.ORDER_NUMBER,
    "national_number": IdentifierKind.NATIONAL_NUMBER,
    "cookie": IdentifierKind.COOKIE,
}
_HALVES = ("first_name", "last_name")
_NUMBERED = ("key", "number", "order_number", "customer_number")


@dataclass(frozen=True, slots=True)
class Flag:
    header: str
    values: frozenset[str]

    def is_set(self, cell: str) -> bool:
        return cell.strip().casefold() in self.values


@dataclass(frozen=True, slots=True)
class Layout:
    """How the exports of one kind of record are read."""

    kind: str
    file: str
    columns: Mapping[str, str]
    fields: frozenset[str]
    anchors: Mapping[str, str]
    flags: Mapping[str, Flag]
    masked: frozenset[str]
    encoding: str | None
    delimiter: str | None

    @property
    def headers(self) -> set[str]:
        """Every header that must be there."""
        flags = (flag.header for flag in self.flags.values())
        return {*self.columns.values(), *self.anchors.values(), *flags}


Export = Path | bytes
"""An export where it was dropped, or one that somebody has sent and that is kept nowhere."""


@connector("csv")
class CsvFile:
    def __init__(
        self,
        configuration: Configuration,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._folder = Path(need(configuration, "folder", of="csv")).expanduser()
        kinds = _words(need(configuration, "kind", of="csv"))
        self._layouts = [_layout(kind, configuration) for kind in kinds]
        oldest = configuration.get("oldest_days", "").strip() or str(OLDEST_DAYS)
        if not oldest.isdigit():
            raise Misconfigured("csv's 'oldest_days' is a number of days")
        self._oldest = timedelta(days=int(oldest))
        self._clock = clock

    def find(self, person: Person, *, fresh_after: datetime | None = None) -> Iterator[Record]:
        """Every row that is or may be the person's; a person is asked for an export if need be."""
        not_before = fresh_after or self._clock() - self._oldest
        exports = [(layout, self._newest(layout)) for layout in self._layouts]
        for _, export in exports:
            if export is None or _written_at(export) <= not_before:
                raise AwaitsPerson("fresh-export")
        if person.identifiers:
            for layout, export in exports:
                if export is not None:
                    yield from _rows(layout, export, person)

    def erase(self, person: Person, treatment: Treatment, *, key: str) -> Result:
        """Nothing changes here: the record goes on the list that a person works from."""
        if treatment.kind not in {layout.kind for layout in self._layouts}:
            raise Refused("the record's kind is none of this system's")
        return Result(Outcome.MANUAL, "on-erasure-list")

    def suppress(self, person: Person, *, key: str) -> Result:
        raise AwaitsPerson("suppress-by-hand")

    def erasure_list(self, treatments: Sequence[Treatment], person: Person) -> bytes:
        """The list to work from, as a spreadsheet reads it: what to do with which row.

        Rows are named by the headers of the system they come from, as far as the newest export
        there still has them; the key is there in any case.
        """
        known: dict[tuple[str, str], Mapping[str, object]] = {}
        headers: dict[str, str] = {}
        for layout in self._layouts:
            headers |= {f: h for f, h in layout.columns.items() if _meaning(f) or f == "key"}
            export = self._newest(layout)
            if export is not None:
                for record in _rows(layout, export, person):
                    known[record.kind, record.key] = record.fields
        text = io.StringIO()
        rows = csv.writer(text, delimiter=";", lineterminator="\r\n")
        rows.writerow(["action", "keep", "kind", "row", *map(harmless, headers.values())])
        for treatment in treatments:
            fields = known.get((treatment.kind, treatment.key), {})
            action = "erase all but" if treatment.anonymise else "erase"
            cells = [action, ", ".join(treatment.keep_fields), treatment.kind, treatment.key]
            cells += [str(fields.get(field, "")) for field in headers]
            rows.writerow(map(harmless, cells))
        return codecs.BOM_UTF8 + text.getvalue().encode()

    def _newest(self, layout: Layout) -> Path | None:
        """The export written last. A link may lead anywhere, so none is followed."""
        if not self._folder.is_dir():
            raise Refused("csv's 'folder' does not exist: create it or correct the profile")
        try:
            exports = [
                path
                for path in self._folder.iterdir()
                if fnmatch(_header(path.name), _header(layout.file))
                and not path.name.startswith((".", "~"))
                and not path.name.casefold().endswith(_UNFINISHED)
                and stat.S_ISREG(path.lstat().st_mode)
            ]
            return max(exports, key=lambda path: (path.lstat().st_mtime, path.name), default=None)
        except OSError as error:  # somebody is tidying up in there
            raise Unavailable(f"csv's 'folder' cannot be read: {type(error).__name__}") from None


# An export that was sent with a form


def titles_of(content: bytes) -> list[str]:
    """The headings of an export, by the character that parts most of them."""
    try:
        with _opened(content, _encoding(content)) as file:
            lines = [line for line in (file.readline(LONGEST_LINE) for _ in range(2)) if line]
    except UnicodeError:
        raise Refused("the export cannot be read: save it as UTF-8") from None
    if lines and re.fullmatch(r'"?sep=.?"?\s*', lines[0]):
        lines = lines[1:]
    if not lines or "\0" in lines[0]:
        return []
    read = (next(csv.reader(lines[:1], delimiter=one), []) for one in _DELIMITERS)
    titles = max(read, key=len)
    return [title.strip() for title in titles][:MOST_COLUMNS]


def rows_in(
    content: bytes, kind: str, configuration: Mapping[str, str], person: Person
) -> Iterator[Record]:
    """The rows of one kind that are or may be the person's."""
    if person.identifiers:
        yield from _rows(_layout(kind, configuration), content, person)


# Configuration


def _layout(kind: str, configuration: Configuration) -> Layout:
    own = f"{kind}."

    def one(name: str) -> str:
        return (configuration.get(own + name) or configuration.get(name) or "").strip()

    def named(prefix: str) -> dict[str, str]:
        found = {}
        for start in (prefix, own + prefix):
            for key, value in configuration.items():
                if key.startswith(start) and value.strip():
                    found[key.removeprefix(start)] = value.strip()
        return found

    columns = named("column.")
    if not any(_meaning(field) for field in columns):
        raise Misconfigured(f"csv needs a column that tells whose a {kind} is: set 'column.email'")
    file = one("file") or "*.csv"
    if set(file) & set("/\\\0") or file.startswith("."):
        raise Misconfigured("csv's 'file' is a name in the folder, without any path")
    delimiter = {"tab": "\t", "\\t": "\t"}.get(one("delimiter"), one("delimiter"))
    if len(delimiter) > 1:
        raise Misconfigured("csv's 'delimiter' is one character, or 'tab'")
    encoding = one("encoding") or None
    if encoding:
        try:
            "".encode(encoding)
        except LookupError:
            raise Misconfigured("csv's 'encoding' is not known: try utf-8 or cp1252") from None
    fields = frozenset(_words(one("fields")))
    if not fields <= set(columns):
        raise Misconfigured(f"csv's 'fields' of {kind} need a 'column.' each")
    return Layout(
        kind=kind,
        file=file,
        columns={field: _header(header) for field, header in columns.items()},
        fields=fields,
        anchors={name: _header(header) for name, header in named("anchor.").items()},
        flags={name: _flag(text) for name, text in named("flag.").items()},
        masked=frozenset(_header(name) for name in one("mask").split(";") if name.strip()),
        encoding=encoding,
        delimiter=delimiter or None,
    )


def _flag(text: str) -> Flag:
    header, equals, values = text.partition("=")
    meant = {value.strip().casefold() for value in values.split("|")} if equals else _YES
    return Flag(_header(header), frozenset(meant))


def _words(text: str) -> list[str]:
    return re.split(r"[,\s]+", text.strip()) if text.strip() else []


def _header(text: str) -> str:
    """A header or a file's name as it is compared: without case and the two ways to write å."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _meaning(field: str) -> IdentifierKind | None:
    return _TELLING.get(re.sub(r"_\d+$", "", field))


# Files


def _written_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.lstat().st_mtime, UTC)


def _rows(layout: Layout, path: Export, person: Person) -> Iterator[Record]:
    matcher = Matcher(person)
    own = person.all(IdentifierKind.NATIONAL_NUMBER)
    seen: Counter[str] = Counter()
    mixed: dict[str, Record] = {}
    with _table(layout, path) as (titles, rows):
        table = _Table(layout, titles)
        for number, cells in rows:
            if len(cells) > len(titles):
                raise Refused(f"row {number} of the export has more cells than there are headers")
            row = cells + [""] * (len(titles) - len(cells))
            level = table.level(row, matcher)
            if level is None:
                continue
            key = table.key(row)
            seen[key] += 1
            again = f"#{seen[key]}" if seen[key] > 1 else ""
            record = table.record(row, key + again, level, own)
            if record is None:
                continue
            if not layout.fields:
                yield record
                continue
            same = repr(sorted(record.fields.items()))
            mixed[same] = _one_of(mixed[same], record) if same in mixed else record
    yield from mixed.values()


def _one_of(first: Record, second: Record) -> Record:
    """Two rows that say the same of one thing: what happened last, and whatever is so."""
    days = {
        name: max(record.anchors[name] for record in (first, second) if name in record.anchors)
        for name in {*first.anchors, *second.anchors}
    }
    return replace(first, anchors=days, flags=first.flags | second.flags)


class _Table:
    """One export's columns, found by their headers."""

    def __init__(self, layout: Layout, titles: Sequence[str]) -> None:
        self._layout = layout
        place = {_header(title): index for index, title in reversed(list(enumerate(titles)))}
        self._column = {field: place[header] for field, header in layout.columns.items()}
        self._anchors = {name: place[header] for name, header in layout.anchors.items()}
        self._flags = {name: (place[flag.header], flag) for name, flag in layout.flags.items()}
        self._telling: dict[IdentifierKind, list[int]] = {}
        for field, index in self._column.items():
            meaning = _meaning(field)
            if meaning is not None:
                self._telling.setdefault(meaning, []).append(index)
        halves = [self._column[half] for half in _HALVES if half in self._column]
        self._halves = halves if len(halves) == len(_HALVES) else []
        taken = Counter[str]()
        meant = {index: field for field, index in self._column.items()}
        self._named: list[tuple[int, str]] = []
        for index, title in enumerate(titles):
            name = meant.get(index) or title.strip() or f"column {index + 1}"
            taken[name] += 1
            self._named.append((index, name if taken[name] == 1 else f"{name} ({taken[name]})"))

    def level(self, row: Sequence[str], matcher: Matcher) -> Level | None:
        held = {kind: [row[i] for i in indices] for kind, indices in self._telling.items()}
        names = held.pop(IdentifierKind.NAME, [])
        if self._halves:
            names.append(" ".join(row[index] for index in self._halves))
        return matcher.level(
            emails=held.pop(IdentifierKind.EMAIL, ()),
            phones=held.pop(IdentifierKind.PHONE, ()),
            names=names,
            others=held,
        )

    def key(self, row: Sequence[str]) -> str:
        for field in _NUMBERED:
            if self._layout.fields and field not in {"key", *self._layout.fields}:
                continue
            if field in self._column and row[self._column[field]].strip():
                return row[self._column[field]].strip()
        told = [
            f"{kind.value}={normal(kind, row[index])}"
            for kind, indices in self._telling.items()
            for index in indices
        ]
        return sha256("\n".join(told).encode()).hexdigest()

    def record(
        self, row: Sequence[str], key: str, level: Level, own: Iterable[str]
    ) -> Record | None:
        match, matched_by = level
        fields: dict[str, object] = {}
        masked: list[str] = []
        numbers = [row[i] for i in self._telling.get(IdentifierKind.NATIONAL_NUMBER, ())]
        keep = [*own, *numbers] if match.is_strong else list(own)
        for index, name in self._named:
            text = row[index].strip()
            if not text or (self._layout.fields and name not in self._layout.fields):
                continue
            shown = self._shown(name, text, keep)
            fields[name] = shown
            if shown != text:
                masked.append(name)
        if not fields:
            return None
        return Record(
            key=key,
            kind=self._layout.kind,
            match=match,
            matched_by=matched_by,
            fields=fields,
            anchors={
                name: day
                for name, index in self._anchors.items()
                if (day := _day(row[index], name)) is not None
            },
            flags=frozenset(
                name for name, (index, flag) in self._flags.items() if flag.is_set(row[index])
            ),
            masked=tuple(masked),
        )

    def _shown(self, name: str, text: str, keep: Iterable[str]) -> str:
        header = self._layout.columns.get(name)
        if {_header(name), header} & self._layout.masked:
            return MASKED
        meaning = _meaning(name)
        if meaning in {None, IdentifierKind.NATIONAL_NUMBER}:
            return mask_national_numbers(text, keep=keep)
        return text


def _day(text: str, anchor: str) -> date | None:
    first = text.strip().replace("T", " ").split(" ")[0]
    if not first:
        return None
    for form in _DATES:
        try:
            return datetime.strptime(first, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    raise Refused(f"the export's dates for {anchor!r} cannot be read: use 2026-12-31 or 31.12.2026")


Table = tuple[list[str], Iterator[tuple[int, list[str]]]]


@contextmanager
def _table(layout: Layout, path: Export) -> Iterator[Table]:
    """The headers, and the rows with their numbers, read as they come."""
    encoding = layout.encoding or _encoding(path)
    delimiter, skip = _delimiter(layout, path, encoding)
    with _opened(path, encoding) as file:
        for _ in range(skip):
            file.readline()
        reader = csv.reader(_lines(file), delimiter=delimiter, strict=True)
        try:
            yield next(reader), _numbered(reader)
        except UnicodeError:
            raise Refused(f"the export is not {encoding}: set csv's 'encoding'") from None
        except OSError as error:
            raise Unavailable(f"the export cannot be read: {type(error).__name__}") from None
        except csv.Error:
            raise Refused(
                f"the export is broken near line {reader.line_num}: export it again"
            ) from None


def _lines(file: io.TextIOWrapper) -> Iterator[str]:
    """Line by line, and never a whole file that has no lines."""
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise Refused(f"the export has a line of more than {LONGEST_LINE} characters")
        yield line


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    for number, cells in enumerate(reader, start=2):
        if any(cells):
            yield number, cells


def _delimiter(layout: Layout, path: Export, encoding: str) -> tuple[str, int]:
    """The character under which all headers appear, and how many lines to pass over for it."""
    missing: set[str] | None = None
    for delimiter in (layout.delimiter,) if layout.delimiter else _DELIMITERS:
        with _opened(path, encoding) as file:
            try:
                first = file.readline(LONGEST_LINE)
                skip = int(re.fullmatch(r'"?sep=.?"?\s*', first) is not None)
                if not skip:
                    file.seek(0)
                titles = next(csv.reader(_lines(file), delimiter=delimiter, strict=True), [])
            except UnicodeError:
                raise Refused(f"the export is not {encoding}: set csv's 'encoding'") from None
            except csv.Error:
                continue
        if len(titles) > MOST_COLUMNS:
            raise Refused(f"the export has more than {MOST_COLUMNS} columns")
        headers = Counter(map(_header, titles))
        twice = sorted(header for header in layout.headers if headers[header] > 1)
        if twice:
            raise Refused(f"the export has more than one column called: {', '.join(twice)}")
        absent = layout.headers - set(headers)
        if not absent:
            return delimiter, skip
        if missing is None or len(absent) < len(missing):
            missing = absent
    raise Refused(
        f"the export has no column called: {', '.join(sorted(missing or layout.headers))}"
    )


def _encoding(path: Export) -> str:
    """By its mark, else UTF-8 where all of it is, else what Windows writes here."""
    with _opened_raw(path) as file:
        start = file.read(4096)
        for mark, name in (
            (codecs.BOM_UTF8, "utf-8-sig"),
            (codecs.BOM_UTF16_LE, "utf-16"),
            (codecs.BOM_UTF16_BE, "utf-16"),
        ):
            if start.startswith(mark):
                return name
        if b"\0" in start[1::2]:
            return "utf-16-le"
        if b"\0" in start[::2]:
            return "utf-16-be"
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while start:
                decoder.decode(start)
                start = file.read(1 << 16)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
        return "utf-8"


def _opened_raw(path: Export) -> io.BufferedReader:
    if isinstance(path, bytes):
        return io.BufferedReader(io.BytesIO(path))
    try:
        return os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb")
    except OSError as error:
        raise Refused(f"the export cannot be read: {type(error).__name__}") from None


def _opened(path: Export, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(_opened_raw(path), encoding=encoding, newline="")
