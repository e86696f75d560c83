"""A system known by its exports: read whole and streamed, erased by a list (Art. 15, 17)."""

from __future__ import annotations

import csv
import io
import os
import tracemalloc
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from adapters.outbound.connectors import Misconfigured, build
from adapters.outbound.connectors.csv_file import CsvFile
from domain.vocabulary import IdentifierKind, Match, Outcome
from services.ports import AwaitsPerson, Record, Refused, Treatment
from services.spreadsheets import harmless
from tests.support.people import NOBODY, somebody

KARI = "kari@post.example"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SYNTHETIC_NUMBER = "01817499100"
COLUMNS = {
    "column.email": "E-post",
    "column.name": "Navn",
    "column.phone": "Mobil",
    "column.customer_number": "Kundenr",
    "anchor.last_purchase": "Siste kjøp",
    "flag.subscription": "Abonnement",
}
EXPORT = """\
Kundenr;Navn;E-post;Mobil;Siste kjøp;Abonnement;Notat
17;Kari Vik;Kari@Post.example;400 00 000;31.03.2026;Ja;Ønsker kor
18;Ola Vik;ola@post.example;;2026-01-02;nei;
19;Vik, Kari;kari@other.example;;;;
"""


@pytest.fixture
def drop(tmp_path: Path) -> Callable[..., Path]:
    """Drop an export into the folder, by default an hour old."""

    def write(
        content: str | bytes,
        name: str = "export.csv",
        *,
        encoding: str = "utf-8",
        age: timedelta = timedelta(hours=1),
    ) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
        written = (NOW - age).timestamp()
        os.utime(path, (written, written))
        return path

    return write


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., CsvFile]:
    def make(more: Mapping[str, str] | None = None) -> CsvFile:
        options = {"folder": str(tmp_path), "kind": "customer", **COLUMNS, **(more or {})}
        return CsvFile(options, lambda: NOW)

    return make


Drop = Callable[..., Path]
Made = Callable[..., CsvFile]


def test_it_is_built_by_its_name(tmp_path: Path) -> None:
    options = {"folder": str(tmp_path), "kind": "customer", "column.email": "E-post"}
    assert isinstance(build("csv", options), CsvFile)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"folder": ""}, "folder"),
        ({"kind": ""}, "kind"),
        ({"column.email": "", "column.name": "", "column.phone": "", "column.customer_number": ""},
         "column.email"),
        ({"file": "../*.csv"}, "file"),
        ({"file": "/etc/passwd"}, "file"),
        ({"delimiter": ";;"}, "delimiter"),
        ({"encoding": "klingon"}, "encoding"),
        ({"oldest_days": "soon"}, "oldest_days"),
        ({"fields": "shoe_size"}, "fields"),
    ],
)  # fmt: skip
def test_a_wrong_configuration_names_the_key(
    made: Made, wrong: Mapping[str, str], named: str
) -> None:
    with pytest.raises(Misconfigured, match=named):
        made(wrong)


def test_a_row_is_found_with_names_dates_and_flags(drop: Drop, made: Made) -> None:
    drop(EXPORT)

    (record,) = made().find(somebody(KARI))

    assert record == Record(
        key="17",
        kind="customer",
        match=Match.VERIFIED_IDENTIFIER,
        matched_by=IdentifierKind.EMAIL,
        fields={
            "customer_number": "17",
            "name": "Kari Vik",
            "email": "Kari@Post.example",
            "phone": "400 00 000",
            "Siste kjøp": "31.03.2026",
            "Abonnement": "Ja",
            "Notat": "Ønsker kor",
        },
        anchors={"last_purchase": date(2026, 3, 31)},
        flags=frozenset({"subscription"}),
    )


def test_namesakes_and_unproven_telephones_match_weakly(drop: Drop, made: Made) -> None:
    drop(EXPORT)

    found = {r.key: r.match for r in made().find(somebody(name="Kari Vik", phone="+4740000000"))}

    assert found == {"17": Match.UNVERIFIED_IDENTIFIER, "19": Match.SAME_NAME}


def test_a_person_without_identifiers_is_found_nowhere(drop: Drop, made: Made) -> None:
    drop(EXPORT)
    assert list(made().find(NOBODY)) == []


def test_special_characters_find_exactly_their_owner(drop: Drop, made: Made) -> None:
    drop('E-post,Navn\n"o\'brien+test@post.example","Ø""Brien, Å"\nobrien@post.example,X\n')
    only = dict.fromkeys(COLUMNS, "") | {"column.email": "E-post", "column.name": "Navn"}

    (record,) = made(only).find(somebody("O'Brien+Test@post.example"))

    assert record.fields == {"email": "o'brien+test@post.example", "name": 'Ø"Brien, Å'}


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_encoding_and_delimiter_are_seen_in_the_file(
    drop: Drop, made: Made, encoding: str, delimiter: str
) -> None:
    drop(EXPORT.replace(";", delimiter).replace("Vik, Kari", "Kari Vik"), encoding=encoding)

    (record,) = made().find(somebody(KARI))

    assert record.fields["Notat"] == "Ønsker kor"
    assert record.anchors == {"last_purchase": date(2026, 3, 31)}


def test_a_spreadsheets_line_about_the_delimiter_is_passed_over(drop: Drop, made: Made) -> None:
    drop("sep=;\r\n" + EXPORT.replace("\n", "\r\n"))
    assert [r.key for r in made().find(somebody(KARI))] == ["17"]


def test_late_windows_letters_are_read_after_a_megabyte_of_ascii(drop: Drop, made: Made) -> None:
    rows = "".join(f"{n};X;x{n}@post.example;;;;\n" for n in range(60_000))
    drop(EXPORT.splitlines(keepends=True)[0].replace("ø", "o") + rows + "1;Å;kari@post.example\n",
         encoding="cp1252")  # fmt: skip

    (record,) = made({"anchor.last_purchase": "Siste kjop"}).find(somebody(KARI))

    assert record.fields["name"] == "Å"


# Fresh enough


def test_without_an_export_a_person_is_asked_for_one(drop: Drop, made: Made) -> None:
    with pytest.raises(AwaitsPerson, match="fresh-export"):
        list(made().find(somebody(KARI)))
    drop(EXPORT, age=timedelta(days=32))
    with pytest.raises(AwaitsPerson, match="fresh-export"):
        list(made().find(somebody(KARI)))
    assert len(list(made({"oldest_days": "40"}).find(somebody(KARI)))) == 1


def test_an_export_older_than_the_erasure_is_no_read_back(drop: Drop, made: Made) -> None:
    drop(EXPORT, age=timedelta(hours=1))
    erased_at = NOW - timedelta(minutes=30)

    with pytest.raises(AwaitsPerson, match="fresh-export"):
        list(made().find(somebody(KARI), fresh_after=erased_at))
    drop(EXPORT.replace("Kari@Post.example", "x@post.example"), "after.csv", age=timedelta(0))
    assert list(made().find(somebody(KARI), fresh_after=erased_at)) == []


def test_the_newest_finished_file_is_read_and_no_link_followed(
    drop: Drop, made: Made, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    drop(EXPORT, "old.csv", age=timedelta(days=2))
    drop(EXPORT.replace("17;", "20;"), "New.CSV")
    for name in (".hidden.csv", "half.csv.part", "~lock.csv", "notes.txt"):
        drop("nonsense", name, age=timedelta(0))
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "secret.csv"
    elsewhere.write_text(EXPORT.replace("17;", "66;"))
    (tmp_path / "link.csv").symlink_to(elsewhere)
    (tmp_path / "folder.csv").mkdir()

    assert [r.key for r in made().find(somebody(KARI))] == ["20"]


def test_a_folder_that_is_not_there_goes_to_a_person(made: Made, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="folder"):
        list(made({"folder": str(tmp_path / "absent")}).find(somebody(KARI)))


# Wrong files


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (EXPORT.replace("E-post", "Epost"), "no column called: e-post"),
        (EXPORT.replace("Notat", "E-post"), "more than one column called: e-post"),
        (EXPORT + "20;a;b;c;d;e;f;g\n", "row 5"),
        (EXPORT + '20;"never closed', "broken"),
        ("", "no column called"),
        (EXPORT.replace("31.03.2026", "last spring"), "last_purchase"),
        (b"\x81\x8d;" + EXPORT.encode("cp1252"), "cp1252"),
    ],
)
def test_a_wrong_file_goes_to_a_person_and_quotes_nobody(
    drop: Drop, made: Made, content: str | bytes, said: str
) -> None:
    drop(content)
    with pytest.raises(Refused, match=said) as caught:
        list(made().find(somebody(KARI)))
    assert "kari" not in str(caught.value).lower()


def test_a_short_row_and_an_empty_line_are_no_mistake(drop: Drop, made: Made) -> None:
    drop("Kundenr;Navn;E-post;Mobil;Siste kjøp;Abonnement\n\n21;Kari;kari@post.example\n")
    assert [r.key for r in made().find(somebody(KARI))] == ["21"]


def test_an_export_without_anybody_in_it_is_an_answer(drop: Drop, made: Made) -> None:
    drop(EXPORT.splitlines(keepends=True)[0])
    assert list(made().find(somebody(KARI))) == []


# Several kinds in one export


def test_one_export_may_hold_several_kinds(drop: Drop, made: Made) -> None:
    drop(
        "Ordrenr;Dato;Beløp;Produkt;Navn;E-post\n"
        "A1;2026-01-01;450;Konsert;Kari Vik;kari@post.example\n"
        "A2;2026-02-01;500;Kino;Kari Vik;kari@post.example\n"
    )
    mixed = dict.fromkeys(COLUMNS, "") | {
        "kind": "customer, purchase",
        "column.email": "E-post",
        "column.name": "Navn",
        "column.number": "Ordrenr",
        "column.date": "Dato",
        "column.amount": "Beløp",
        "column.product": "Produkt",
        "customer.fields": "name email",
        "purchase.fields": "number date amount product email",
        "anchor.last_purchase": "Dato",
    }

    customer, *purchases = made(mixed).find(somebody(KARI))

    assert customer.fields == {"name": "Kari Vik", "email": KARI}
    assert customer.anchors == {"last_purchase": date(2026, 2, 1)}
    assert [(r.key, r.fields["product"]) for r in purchases] == [("A1", "Konsert"), ("A2", "Kino")]


def test_kinds_may_have_files_of_their_own(drop: Drop, made: Made) -> None:
    drop(EXPORT, "customers-2026.csv")
    drop("Epost;Ordre\nkari@post.example;A1\n", "Kjo\u0308p-2026.csv")
    own = {
        "kind": "purchase",
        "purchase.file": "kjöp-*.csv",
        **dict.fromkeys(COLUMNS, ""),
        "purchase.column.email": "Epost",
        "purchase.column.number": "Ordre",
    }

    assert [r.key for r in made(own).find(somebody(KARI))] == ["A1"]


def test_rows_without_a_number_have_stable_keys_and_twins_are_told_apart(
    drop: Drop, made: Made
) -> None:
    no_number = {"column.customer_number": ""}
    row = "17;Kari Vik;kari@post.example;;;;"
    header = EXPORT.splitlines()[0]
    drop(f"{header}\n{row}first\n{row}second\n")
    first, second = (r.key for r in made(no_number).find(somebody(KARI)))
    drop(f"{header}\n{row}changed\n")
    (later,) = (r.key for r in made(no_number).find(somebody(KARI)))

    assert first == later
    assert second == f"{first}#2"
    assert "kari" not in first


# Other people, and numbers


def test_national_numbers_show_only_in_their_owners_copy(drop: Drop, made: Made) -> None:
    """E-10."""
    drop(
        "E-post;Navn;Fnr;Notat\n"
        f"kari@post.example;Kari Vik;{SYNTHETIC_NUMBER};barn 41810120035\n"
        f"x@post.example;Vik Kari;{SYNTHETIC_NUMBER};\n"
    )
    only = dict.fromkeys(COLUMNS, "") | {
        "column.email": "E-post",
        "column.name": "Navn",
        "column.national_number": "Fnr",
    }

    own, namesake = made(only).find(somebody(KARI, name="Kari Vik"))

    assert own.fields["national_number"] == SYNTHETIC_NUMBER
    assert own.fields["Notat"] == "barn 418101*****"
    assert own.masked == ("Notat",)
    assert namesake.fields["national_number"] == "018174*****"


def test_columns_about_other_people_are_masked(drop: Drop, made: Made) -> None:
    drop(EXPORT)
    (record,) = made({"mask": "notat; Mobil"}).find(somebody(KARI))

    assert record.fields["Notat"] == record.fields["phone"] == "***"
    assert set(record.masked) == {"Notat", "phone"}


# Erasure


def test_erasure_is_a_list_to_work_from(drop: Drop, made: Made) -> None:
    drop(EXPORT)
    connector, person = made(), somebody(KARI)
    (record,) = connector.find(person)
    whole = Treatment(record.key, record.kind)
    partly = Treatment("99", record.kind, anonymise=True, keep_fields=("date", "amount"))

    for _ in range(2):
        result = connector.erase(person, whole, key="k")
        assert (result.outcome, result.detail) == (Outcome.MANUAL, "on-erasure-list")
    content = connector.erasure_list([whole, partly], person)

    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    assert [(row["action"], row["keep"], row["row"], row["e-post"]) for row in rows] == [
        ("erase", "", "17", "Kari@Post.example"),
        ("erase all but", "date, amount", "99", ""),
    ]
    assert "ola" not in content.decode().lower()


def test_the_list_holds_no_formula(drop: Drop, made: Made) -> None:
    drop(EXPORT.replace("Kari Vik", "=HYPERLINK(0)").replace("17;", "@17;"))
    connector, person = made(), somebody(KARI)
    (record,) = connector.find(person)

    content = connector.erasure_list([Treatment(record.key, record.kind)], person).decode()

    assert ";'@17;" in content
    assert "'=HYPERLINK(0)" in content


@pytest.mark.parametrize(
    "cell", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "  =1", "＝1", "\ufeff=1"]
)
def test_every_beginning_of_a_formula_is_disarmed(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "Kari", "1-2", "kari@post.example", "a=b"])
def test_plain_text_stays_as_it_is(cell: str) -> None:
    assert harmless(cell) == cell


def test_what_it_cannot_do_is_a_persons_work(made: Made) -> None:
    with pytest.raises(AwaitsPerson, match="suppress-by-hand"):
        made().suppress(somebody(KARI), key="k")
    with pytest.raises(Refused):
        made().erase(somebody(KARI), Treatment("17", "purchase"), key="k")


# Size


def test_a_large_export_is_streamed(drop: Drop, made: Made) -> None:
    header, *_ = EXPORT.splitlines()
    rows = "".join(f"{n};Per Ås;per{n}@post.example;;;;{'x' * 100}\n" for n in range(40_000))
    size = drop(f"{header}\n{rows}17;Kari Vik;kari@post.example;;;;\n").stat().st_size
    del rows

    tracemalloc.start()
    (record,) = made().find(somebody(KARI))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert record.key == "17"
    assert size > 5_000_000
    assert most < 1_500_000
