"""The access answer: complete, readable, machine-readable, harmless."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from datetime import UTC, date, datetime
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from string import Formatter
from typing import Any
from zipfile import ZipFile

import jsonschema  # type: ignore[import-untyped]  # the package ships no types
import pytest

from domain.explanation import written_date
from domain.policy import Category, Holding, Profile, Retention, Told
from domain.vocabulary import Country, IdentifierKind, Language, Match, Right
from services.letter_facts import Reply
from services.letters import OWN_SYSTEM, RecipientNotice
from services.package import SCHEMA, AnswerFacts, Digest, build_package
from services.ports import Record
from services.wording import LETTERS, PACKAGES, wording
from tests.support.profiles import fictional_profile, with_profiling
from tests.support.readability import lix, sentences

BLOCKS = [
    "confirmation",
    "purposes",
    "categories",
    "recipients",
    "retention",
    "rights",
    "authority",
    "sources",
    "automated",
    "safeguards",
    "copy",
]

ORDER = Record(
    key="order-17",
    kind="order",
    match=Match.VERIFIED_IDENTIFIER,
    matched_by=IdentifierKind.EMAIL,
    fields={
        "email": "tove.testesen@person.example",
        "ordered_at": "2026-03-02T18:05:00+00:00",
        "event_date": "2026-04-01",
        "total": -12.5,
        "paid": True,
        "comment": None,
        "tags": ["barn", "rullestol"],
        "positions": [
            {"attendee_name": "Tove Testesen", "seat": "A 1"},
            {"attendee_name": "•••", "seat": "A 2"},
        ],
        "address": {"street": "Testveien 1", "city": "Fjordlys"},
    },
    recipients=("organiser", "Fjellteatret"),
    masked=("positions.1.attendee_name", "buyer"),
)
MEMBER = Record(
    key="m1",
    kind="member",
    match=Match.VERIFIED_IDENTIFIER,
    matched_by=IdentifierKind.EMAIL,
    fields={"email_address": "tove.testesen@person.example", "FNAME": "Tove", "note": ""},
    masked=("note",),
)
CHARGE = Record(
    key="c1",
    kind="charge",
    match=Match.LINKED_RECORD,
    matched_by=IdentifierKind.EMAIL,
    fields={"amount": 250, "card": {"card_number": "4242 4242 4242 4242", "brand": "visa"}},
)
ALL = (("box-office", ORDER), ("mailing", MEMBER), ("payments", CHARGE))


def facts(*records: tuple[str, Record], **changes: Any) -> AnswerFacts:
    whole = AnswerFacts(
        profile=fictional_profile(),
        language=Language.NB,
        case_reference="FJ-2026-0007",
        received_on=date(2026, 11, 2),
        answered_on=date(2026, 11, 20),
        records=records,
    )
    return dataclasses.replace(whole, **changes)


class Package:
    def __init__(self, asked: AnswerFacts) -> None:
        out = io.BytesIO()
        self.digest: Digest = build_package(asked, out)
        self.bytes = out.getvalue()
        with ZipFile(io.BytesIO(self.bytes)) as package:
            assert package.testzip() is None
            self.files = {name: package.read(name) for name in package.namelist()}
            self.infos = package.infolist()

    @property
    def html(self) -> str:
        return self.files["index.html"].decode()

    @property
    def data(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.files["data.json"])
        return read

    @property
    def information(self) -> dict[str, Any]:
        read: dict[str, Any] = self.data["information"]
        return read

    def table(self, category: str) -> list[dict[str, str]]:
        (name,) = (name for name in self.files if name.endswith(f"-{category}.csv"))
        text = self.files[name].decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def text_of(self, block: str) -> str:
        return " ".join(self.information[block]["text"])


def package(*records: tuple[str, Record], **changes: Any) -> Package:
    return Package(facts(*records, **changes))


def changed(record: Record, **fields: object) -> Record:
    return dataclasses.replace(record, fields=fields, masked=())


# For machines


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("country", Country)
@pytest.mark.parametrize("records", [(), ALL[:1], ALL])
def test_the_data_keeps_its_published_schema(
    language: Language, country: Country, records: tuple[tuple[str, Record], ...]
) -> None:
    """B.2.7, B.1 row 15."""
    made = package(*records, language=language, profile=fictional_profile(country))
    schema = json.loads(made.files["access-answer-1.json"])
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    ).validate(made.data)


def test_the_schema_would_notice_a_missing_block() -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    for block in BLOCKS:
        data = package(*ALL).data
        del data["information"][block]
        with pytest.raises(jsonschema.ValidationError, match=block):
            jsonschema.validate(data, schema)


def test_the_data_holds_every_field_as_the_system_has_it() -> None:
    """GK-04: complete."""
    (orders,) = (c for c in package(*ALL).data["categories"] if c["id"] == "orders")
    (record,) = orders["records"]
    assert record["fields"] == dict(ORDER.fields)
    assert record["masked"] == ["positions.1.attendee_name", "buyer"]
    assert record["recipients"] == ["organiser", "Fjellteatret"]


def test_days_and_moments_that_a_connector_left_as_such_become_text() -> None:
    odd = changed(ORDER, at=datetime(2026, 3, 2, tzinfo=UTC), on=date(2026, 3, 2), many=(1, 2))
    (record,) = package(("box-office", odd)).data["categories"][0]["records"]
    assert record["fields"] == {
        "at": "2026-03-02T00:00:00+00:00",
        "on": "2026-03-02",
        "many": [1, 2],
    }


def test_each_category_that_holds_something_has_a_table() -> None:
    made = package(*ALL)
    assert sorted(name for name in made.files if name.startswith("csv/")) == [
        "csv/01-orders.csv",
        "csv/02-newsletter.csv",
        "csv/03-payments.csv",
    ]
    assert made.information["copy"]["files"] == list(made.files)
    (row,) = made.table("orders")
    assert row["_system"] == "Billettby"
    assert row["email"] == "tove.testesen@person.example"
    assert row["positions.0.attendee_name"] == "Tove Testesen"
    assert row["positions.1.attendee_name"] == "•••"
    assert row["address.city"] == "Fjordlys"
    assert row["tags"] == "barn; rullestol"
    assert row["paid"] == "true"
    assert row["_masked"] == "positions.1.attendee_name, buyer"


def test_tables_open_as_utf8_and_take_rows_of_different_shape() -> None:
    made = package(
        ("box-office", changed(ORDER, name="Åse", seat="A 1")),
        ("box-office", changed(ORDER, name="Øystein", row="4")),
    )
    assert made.files["csv/01-orders.csv"].startswith(b"\xef\xbb\xbf")
    first, second = made.table("orders")
    assert (first["name"], first["seat"], first["row"]) == ("Åse", "A 1", "")
    assert (second["name"], second["seat"], second["row"]) == ("Øystein", "", "4")


# The eleven blocks


@pytest.mark.parametrize("records", [(), ALL])
@pytest.mark.parametrize("language", Language)
def test_each_of_the_eleven_blocks_is_there_and_says_something(
    records: tuple[tuple[str, Record], ...], language: Language
) -> None:
    """B.1 row 15."""
    made = package(*records, language=language)
    assert list(made.information) == BLOCKS
    headings = [heading for level, heading in _headings(made.html) if level == 2]
    for block in BLOCKS:
        assert wording(PACKAGES, language).say(f"{block}.heading") in headings
        assert f'<section id="{block}">' in made.html
        assert made.text_of(block).strip()
        for text in made.information[block]["text"]:
            assert _flat(text) in _flat(_visible(made.html))


def test_nothing_held_is_said_for_each_category() -> None:
    """AK-04, AK-18."""
    made = package(ALL[0])
    assert "Bestillinger (1 treff)" in made.information["categories"]["text"]
    assert "Nyhetsbrev: vi har ingenting" in made.information["categories"]["text"]
    assert "Betalinger: vi har ingenting" in made.information["categories"]["text"]
    assert made.html.count("Vi har ingenting her.") == 2


def test_nothing_held_is_not_said_about_a_system_that_has_not_answered() -> None:
    made = package(ALL[0], searched=frozenset({"box-office", "payments"}))
    assert made.information["categories"]["text"] == [
        "Bestillinger (1 treff)",
        "Nyhetsbrev: vi venter på svar fra Brevdue",
        "Betalinger: vi har ingenting",
    ]
    assert "Vi venter på svar fra Brevdue." in made.html


def test_nothing_is_denied_while_a_system_has_not_answered() -> None:
    made = package(searched=frozenset())
    for block in ("confirmation", "recipients", "safeguards"):
        assert made.information[block]["text"] == [
            "Vi venter på svar fra Billettby, Brevdue og Kortvei."
        ]


def test_when_nothing_at_all_is_held_every_block_says_so() -> None:
    made = package()
    assert made.information["confirmation"] == {
        "held": False,
        "text": ["Nei. Vi fant ikke noe om deg, bortsett fra denne saken."],
    }
    assert made.text_of("recipients") == "Vi har ikke gitt noe om deg til andre."
    assert made.text_of("safeguards") == "Vi sender ikke noe om deg ut av EØS."
    assert not [name for name in made.files if name.startswith("csv/")]


def test_purposes_come_per_category_with_their_basis_or_that_none_is_stated() -> None:
    """AK-21, AO-13."""
    texts = package(*ALL).information["purposes"]["text"]
    assert "Bestillinger: å selge billetter (avtale)" in texts
    assert "Bestillinger: å føre regnskap (plikt etter lov)" in texts
    assert "Nyhetsbrev: å sende nyhetsbrev (grunnlaget er ikke oppgitt)" in texts


def test_sources_come_per_category() -> None:
    """AK-20."""
    assert "Bestillinger: deg selv, da du kjøpte" in package(*ALL).information["sources"]["text"]


def test_actual_recipients_are_named() -> None:
    """AK-23, MU-18, B.5 row practice, B.7 row recipients; C-154/21."""
    made = package(*ALL, recipients=("instalments",)).information["recipients"]
    assert {item["name"]: item["role"] for item in made["items"]} == {
        "Billettby": "processor",
        "Brevdue": "processor",
        "Kortvei": "processor",
        "Kystscenen": "independent-controller",
        "Fjellteatret": "independent-controller",
        "Delbetal": "independent-controller",
    }
    assert "Kystscenen: nevnt i Bestillinger" in made["text"]
    assert "Fjellteatret: nevnt i Bestillinger" in made["text"]
    assert made["possible"] == ["Trykkeri Nord"]


@pytest.mark.parametrize("language", Language)
def test_who_was_told_of_what_was_done_is_named_with_what_they_answered(language: Language) -> None:
    """Art. 15(1)(c), 19 second sentence; issue: what they were told, when, what they answered."""
    told = (
        RecipientNotice(
            "organiser",
            Told.INFORMED,
            on=date(2026, 11, 9),
            about=Right.ERASURE,
            name="Fjellteatret",
            answered=Reply.DONE,
            answered_on=date(2026, 11, 11),
            proof="1f0c2a9b",
        ),
        RecipientNotice(
            "instalments",
            Told.INFORMED,
            on=date(2026, 11, 9),
            about=Right.ERASURE,
            proof="77aa00ff",
        ),
    )
    made = package(*ALL, told=told, language=language)

    items = {item["name"]: item for item in made.information["recipients"]["items"]}
    assert items["Fjellteatret"]["told"] == [
        {
            "about": "erasure",
            "on": "2026-11-09",
            "answered": "done",
            "answered_on": "2026-11-11",
            "reference": "1f0c2a9b",
        }
    ]
    assert items["Fjellteatret"]["categories"] == ["orders"]
    assert items["Kystscenen"]["told"] == []
    assert items["Delbetal"]["contact"] == "personvern@delbetal.example"
    assert items["Delbetal"]["told"][0]["answered_on"] is None
    jsonschema.validate(made.data, json.loads(SCHEMA.read_text("utf-8")))

    said = {text.partition(":")[0]: text for text in made.information["recipients"]["text"]}
    words = wording(LETTERS, language)
    assert written_date(date(2026, 11, 11), language).lower() in said["Fjellteatret"].lower()
    assert "1f0c2a9b" in said["Fjellteatret"]
    assert words.say("recipients.no_answer") in said["Delbetal"]
    assert words.say("recipients.no_answer") not in said["Fjellteatret"]
    assert "personvern@delbetal.example" in said["Delbetal"]
    assert said["Fjellteatret"] in made.html


def test_what_was_told_is_said_in_sentences() -> None:
    told = RecipientNotice(
        "organiser",
        Told.INFORMED,
        on=date(2026, 11, 9),
        about=Right.ERASURE,
        answered=Reply.KEPT,
        answered_on=date(2026, 11, 11),
        proof="1f0c2a9b",
    )
    assert (
        "Kystscenen: nevnt i Bestillinger. Mandag 9. november 2026 fikk de vite at vi har slettet. "
        "Onsdag 11. november 2026 svarte de at de må beholde noe. Referanse: 1f0c2a9b."
    ) in package(*ALL, told=(told,)).information["recipients"]["text"]


def test_a_recipient_of_single_records_is_not_suspected_when_no_record_names_it() -> None:
    made = package(ALL[1]).information["recipients"]
    assert [item["name"] for item in made["items"]] == ["Brevdue"]
    assert "Delbetal" not in made["possible"]


def test_transfers_are_told_with_their_safeguard_when_something_was_transferred() -> None:
    """GK-17, GK-22; Art. 15(2)."""
    assert package(*ALL).text_of("safeguards") == (
        "Brevdue: til US. Vern: EU-US Data Privacy Framework."
    )
    assert "ut av EØS" in package(ALL[0]).text_of("safeguards")
    assert "Brevdue" not in package(ALL[0]).text_of("safeguards")


@pytest.mark.parametrize(
    ("category", "period"),
    [
        ("orders", "Bestillinger: Tre år etter siste kjøp."),
        ("newsletter", "Nyhetsbrev: 18 måneder etter det siste av dette: siste kontakt."),
        (
            "payments",
            "Betalinger: Personvernerklæringen sier ikke hvor lenge. "
            "Vi har det bare så lenge vi trenger det.",
        ),
    ],
)
def test_the_period_or_the_criteria_are_told(category: str, period: str) -> None:
    """GK-25, B.1 row 15."""
    assert period in package(*ALL).information["retention"]["text"]


def test_profiling_is_told_with_what_or_that_none_is_recorded() -> None:
    """AK-07."""
    words = {Language.NB: "Vi sorterer etter interesser."}
    told = package(profile=with_profiling(fictional_profile(), words)).information["automated"]
    assert told == {
        "profiling": "Vi sorterer etter interesser.",
        "text": ["Profilering: Vi sorterer etter interesser."],
    }
    assert package().information["automated"]["profiling"] is None


@pytest.mark.parametrize("language", Language)
def test_the_answer_says_that_statistics_without_people_are_not_in_it(language: Language) -> None:
    """GK-24: nothing is done to sets in which nobody can be recognised, and that is said."""
    told = {
        Language.NB: "Statistikk der ingen kan kjennes igjen, er ikke med.",
        Language.NN: "Statistikk der ingen kan kjennast att, er ikkje med.",
        Language.SV: "Statistik där ingen kan kännas igen är inte med.",
        Language.EN: "Statistics in which nobody can be recognised are not included.",
    }

    assert told[language] in package(*ALL, language=language).text_of("copy")


def test_the_rights_are_all_named_with_their_articles() -> None:
    """X-03, B.1 row 15."""
    rights = package().information["rights"]["items"]
    assert {item["right"] for item in rights} == {r.value for r in Right if r.is_statutory}


@pytest.mark.parametrize(
    ("country", "name"), [(Country.NO, "Datatilsynet"), (Country.SE, "Integritetsskydds")]
)
def test_the_authority_is_the_countrys(country: Country, name: str) -> None:
    made = package(profile=fictional_profile(country))
    assert name in made.information["authority"]["name"]
    assert all(line in made.html for line in made.information["authority"]["address"])


# What is shown


def test_fields_are_named_and_written_for_people() -> None:
    shown = _flat(_visible(package(*ALL).html))
    assert "Bestilt 2. mars 2026 kl. 19.05" in shown
    assert "Dato for arrangementet 1. april 2026" in shown
    assert "Betalt ja" in shown
    assert "Fornavn Tove" in shown
    assert "Merkelapper barn, rullestol" in shown
    assert "Merknad ikke fylt ut" in shown


def test_what_concerns_others_is_shown_as_covered_with_the_reason() -> None:
    """GK-13, B.1 row 15; Art. 15(4)."""
    made = package(*ALL)
    shown = _flat(_visible(made.html))
    because = "Dekket til helt eller delvis, fordi det handler om andre (GDPR artikkel 15 nr. 4)."
    assert shown.count(because) == 3
    assert f"Deltakerens navn Tove Testesen Plass A 1 2 Deltakerens navn ••• {because}" in shown
    assert f"Kjøper Dekket til {because}" in shown
    assert f"Merknad Dekket til {because}" in shown
    assert made.digest.covered
    assert not package(ALL[2]).digest.covered


@pytest.mark.parametrize("name", ["card_number", "cardNumber", "PAN", "kortnummer"])
def test_of_card_numbers_only_the_last_four_digits_are_given(name: str) -> None:
    """GK-12, MU-04."""
    made = package(("payments", changed(CHARGE, **{name: "4242-4242 4242 4242"})))
    for content in made.files.values():
        assert b"4242-4242" not in content
    assert "•••• 4242" in made.html
    assert "fire siste sifrene" in made.text_of("copy")
    assert "fire siste sifrene" not in package(ALL[0]).text_of("copy")


def test_a_record_of_an_unknown_sort_or_system_is_not_lost() -> None:
    made = package(
        ("box-office", dataclasses.replace(ORDER, kind="waiting-list")),
        ("cellar", MEMBER),
        (OWN_SYSTEM, MEMBER),
    )
    (other,) = (c for c in made.data["categories"] if c["id"] == "other")
    assert [record["system_name"] for record in other["records"]] == [
        "Billettby",
        "cellar",
        "systemet vårt for slike saker",
    ]
    assert made.digest.records == 3


@pytest.mark.parametrize("language", Language)
def test_the_words_are_easy_to_read_and_never_promise_too_much(language: Language) -> None:
    """E-07, E-17."""
    made = package(*ALL, language=language)
    texts = [text for block in BLOCKS for text in made.information[block]["text"]]
    assert lix(texts) < 40
    assert max(map(len, sentences(texts))) <= 25
    for key, text in wording(PACKAGES, language).texts.items():
        assert not re.search(
            r"compliant|tamper|anonym|garanter|guaranteed|bank-?grade", text, re.I
        ), key


@pytest.mark.parametrize("language", [language for language in Language if language.value != "nb"])
def test_each_language_has_every_text_with_the_same_placeholders(language: Language) -> None:
    reference, other = wording(PACKAGES, Language.NB).texts, wording(PACKAGES, language).texts
    assert list(other) == list(reference)
    for key, text in reference.items():
        assert _placeholders(other[key]) == _placeholders(text), key


def test_html_is_one_document_with_language_and_headings_in_order() -> None:
    """E-18."""
    made = package(*ALL, language=Language.NN)
    assert '<html lang="nn">' in made.html
    assert "default-src 'none'" in made.html
    levels = [level for level, _ in _headings(made.html)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert not re.search(
        r"<script|<img|<link|<iframe|@import|https?://(?!www\.fjordlys)", made.html
    )


# Hostile content


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</dd></dl></article></main><h1>Paid</h1>",
    "{{ answer.facts }}{% include 'letter.html' %}",
    "]]></style><b>",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_a_system_holds_becomes_markup(hostile: str) -> None:
    odd = dataclasses.replace(
        changed(ORDER, comment=hostile, nested={"deep": [hostile, {hostile: hostile}]}),
        recipients=(hostile,),
    )
    plain = dataclasses.replace(
        changed(ORDER, comment="x", nested={"deep": ["x", {"x": "x"}]}), recipients=("x",)
    )
    made = package(("box-office", odd))
    assert _tags(made.html) == _tags(package(("box-office", plain)).html)
    assert hostile in _visible(made.html)


FORMULAS = ["=1+1", "+47 21 55 50 00", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1+1"]


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_and_no_column_becomes_a_formula(formula: str) -> None:
    made = package(("box-office", changed(ORDER, **{"comment": formula, formula: "x"})))
    (name,) = (name for name in made.files if name.startswith("csv/"))
    for row in csv.reader(io.StringIO(made.files[name].decode("utf-8-sig"), newline="")):
        for cell in row:
            assert not re.match(r"[\s\ufeff]*[=+\-@＝＋－＠]", cell)
    (record,) = made.data["categories"][0]["records"]
    assert record["fields"]["comment"] == formula


@pytest.mark.parametrize(
    "id_", ["../../etc/passwd", "C:\\windows", "con", "a" * 300, "///", "økonomi", ".", "a\x00b"]
)
def test_no_category_can_choose_where_its_file_lies(id_: str) -> None:
    base = fictional_profile()
    odd = Category(id_, {Language.NB: id_}, (), {Language.NB: "x"}, Retention())
    system = dataclasses.replace(base.systems[0], holdings=(Holding("order", id_),))
    profile: Profile = dataclasses.replace(
        base, categories=(odd, *base.categories), systems=(system, *base.systems[1:])
    )
    made = package(("box-office", ORDER), profile=profile)
    for name in made.files:
        assert re.fullmatch(r"(csv/\d\d-)?[a-z0-9][a-z0-9-]*\.(html|json|csv)", name), name
        assert len(name) < 90


def test_text_cannot_be_hidden_and_broken_text_stops_nothing() -> None:
    made = package(("box-office", changed(ORDER, comment="a\u202eb\x00c\ud800d")))
    assert "abcd" in made.html
    assert made.table("orders")[0]["comment"] == "abcd"


def test_deep_and_wide_content_is_no_trouble() -> None:
    deep: object = "bottom"
    for _ in range(40):
        deep = {"in": [deep, {"x": 1}]}
    made = package(("box-office", changed(ORDER, deep=deep, wide={str(n): n for n in range(500)})))
    assert "bottom" in made.html


# The file


def test_the_same_facts_give_the_same_bytes_and_their_digest() -> None:
    first, second = package(*ALL), package(*ALL)
    assert first.bytes == second.bytes
    assert first.digest == second.digest
    assert first.digest.sha256 == sha256(first.bytes).hexdigest()
    assert first.digest.size == len(first.bytes)
    assert first.digest.records == 3
    assert package(*ALL[:2]).digest.sha256 != first.digest.sha256


def test_the_package_is_written_to_something_that_cannot_seek(tmp_path: Path) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.taken = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.taken += data
            return len(data)

    pipe = Pipe()
    digest = build_package(facts(*ALL), pipe)  # type: ignore[arg-type]  # all it does is write
    assert digest.size == len(pipe.taken)
    with ZipFile(io.BytesIO(bytes(pipe.taken))) as written:
        assert written.testzip() is None


def test_entries_tell_nothing_about_the_machine() -> None:
    for info in package(*ALL).infos:
        assert info.date_time == (2026, 11, 20, 0, 0, 0)
        assert info.create_system == 3
        assert info.external_attr >> 16 == 0o600
        assert not info.extra or info.extra[:2] == b"\x01\x00"


# Help


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []
        self.headings: list[tuple[int, str]] = []
        self.inside: str = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside not in {"style", "title"}:
            self.text.append(data)
        if re.fullmatch(r"h[1-6]", self.inside):
            self.headings.append((int(self.inside[1]), data))


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    return reader


def _tags(html: str) -> list[str]:
    return _read(html).tags


def _visible(html: str) -> str:
    return "".join(_read(html).text)


def _headings(html: str) -> list[tuple[int, str]]:
    return _read(html).headings


def _flat(text: str) -> str:
    return " ".join(text.split())


def test_a_log_that_could_not_be_searched_is_not_said_to_hold_nothing() -> None:
    """GK-14: the answer says where nobody could look, and what to send (Art. 11(2))."""
    told = package(("box-office", ORDER), unsearchable=("mailing",))

    said = told.text_of("confirmation")
    assert "Brevdue" in said
    assert "IP-adresse" in said
    assert "Informasjonskapsel" in said
    (newsletter,) = [t for t in told.information["categories"]["text"] if "Nyhetsbrev" in t]
    assert "kunne ikke søke" in newsletter
    assert "Brevdue" not in package(("box-office", ORDER)).text_of("confirmation")
