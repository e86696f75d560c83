"""Letters as PDF: tagged, with language, title and bookmarks, and nobody's words as markup."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from itertools import cycle
from pathlib import Path

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from adapters.outbound.typesetting import TypstTypesetter, pictures
from domain.vocabulary import Country, Language, LetterKind
from services.documents import Document, Part
from services.letter_paper import document_of
from services.ports import PdfStandard
from tests.support.letters import written
from tests.support.pdf_check import verdicts

TYPESETTER = TypstTypesetter()
DOCUMENT = Document(title="Svar", language=Language.NB, parts=(Part("paragraph", "Hei!"),))


def letter(kind: LetterKind, language: Language, **changes: str) -> Document:
    country = Country.SE if language is Language.SV else Country.NO
    composed = written(kind, language, country=country, **changes)
    made = document_of(composed.letter, composed.closing, reference="FJ-2026-0007")
    return replace(made, country=country, date="mandag 2. november 2026")


def read(document: Document, standard: PdfStandard = PdfStandard.ACCESSIBLE) -> PdfReader:
    return PdfReader(BytesIO(TYPESETTER.pdf(document, standard)))


def text_of(reader: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def test_a_validator_finds_every_letter_accessible_and_every_archive_copy_durable(
    tmp_path: Path,
) -> None:
    """E-18: PDF/UA-1 and PDF/A-2b; one that is neither is there to show that it looks."""
    languages = cycle(Language)
    letters = [(kind, next(languages)) for kind in LetterKind]
    tables = replace(DOCUMENT, parts=(Part("table", rows=(("A", "B"), ("1", "2"))),))
    addressed = replace(DOCUMENT, sender=("A",), recipient=("Tove Testesen", "0000 Fjordlys"))
    accessible = {
        **{f"{kind.value}.{lang.value}.pdf": letter(kind, lang) for kind, lang in letters},
        "table.pdf": tables,
        "addressed.pdf": addressed,
        "unknown.pdf": replace(DOCUMENT, parts=(Part("paragraph", "أمل 🎭 李"),)),
    }
    for name, document in accessible.items():
        (tmp_path / name).write_bytes(TYPESETTER.pdf(document, PdfStandard.ACCESSIBLE))
    plain = tmp_path / "plain.pdf"
    plain.write_bytes(TYPESETTER.pdf(DOCUMENT, PdfStandard.ARCHIVE))

    said = verdicts(
        [("ua1", tmp_path / name) for name in accessible] + [("ua1", plain), ("2b", plain)]
    )
    assert {key for key, verdict in said.items() if verdict != "passes"} == {("ua1", "plain.pdf")}
    assert len(said) == len(accessible) + 2


@pytest.mark.parametrize("language", Language)
def test_a_letter_has_its_language_title_bookmarks_and_words(language: Language) -> None:
    reader = read(letter(LetterKind.ACKNOWLEDGEMENT, language))
    root = reader.trailer["/Root"]
    assert isinstance(root, DictionaryObject)
    composed = written(
        LetterKind.ACKNOWLEDGEMENT,
        language,
        country=Country.SE if language is Language.SV else Country.NO,
    )

    assert str(root["/Lang"]).startswith(language.value)
    assert reader.metadata is not None
    assert reader.metadata.title == composed.subject
    assert len(reader.outline) >= 1
    for section in composed.letter.sections:
        assert section.heading in text_of(reader)


HOSTILE = (
    '#panic("x") *b* _i_ $1/0$ = H <label> @ref \\ // \' "; #import "/etc/passwd" {{ }} ``` - + /'
)


def test_nobodys_words_become_markup() -> None:
    made = letter(LetterKind.ANSWER, Language.NB, free_text=HOSTILE)
    hostile = replace(made, title=HOSTILE, sender=(HOSTILE,), recipient=(HOSTILE,), date=HOSTILE)
    said = text_of(read(hostile)).replace(" ", "")

    assert said.count(HOSTILE.replace(" ", "")) >= 3


def test_a_character_that_no_font_can_show_is_shown_as_missing_and_stops_nothing() -> None:
    said = text_of(read(replace(DOCUMENT, parts=(Part("paragraph", "Åse 🎭 Ćosić"),))))

    assert "Åse □ Ćosić" in said


def test_the_same_document_makes_the_same_bytes() -> None:
    assert TYPESETTER.pdf(DOCUMENT, PdfStandard.ARCHIVE) == TYPESETTER.pdf(
        DOCUMENT, PdfStandard.ARCHIVE
    )


def test_the_address_stands_in_the_window_of_the_countrys_envelope() -> None:
    sides = {}
    for country in Country:
        addressed = replace(
            DOCUMENT, country=country, sender=("Fjordlys",), recipient=("Tove Testesen",)
        )
        found: list[float] = []

        def look(
            text: str, cm: list[float], tm: list[float], *_: object, into: list[float]
        ) -> None:
            if "Tove" in text:
                into.append(cm[4] + tm[4])

        page = read(addressed).pages[0]
        page.extract_text(visitor_text=lambda *a, f=found: look(*a, into=f))
        sides[country] = found[0]

    assert sides[Country.NO] < page.mediabox.width / 3 < sides[Country.SE]


def test_pages_can_be_looked_at() -> None:
    (page,) = pictures(DOCUMENT, ppi=20)

    assert page.startswith(b"\x89PNG")
