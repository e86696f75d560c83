"""Articles of the GDPR in the form in which readers of each language know them."""

from __future__ import annotations

import pytest

from domain.grounds import grounds
from domain.vocabulary import Language
from services.citations import cited

NB, NN, SV, EN = Language.NB, Language.NN, Language.SV, Language.EN


@pytest.mark.parametrize(
    ("law", "language", "said"),
    [
        ("GDPR Art. 12(5)(b)", NB, "GDPR artikkel 12 nr. 5 bokstav b"),
        ("GDPR Art. 12(5)(b)", NN, "GDPR artikkel 12 nr. 5 bokstav b"),
        ("GDPR Art. 12(5)(b)", SV, "GDPR artikel 12.5 b"),
        ("GDPR Art. 12(5)(b)", EN, "GDPR Article 12(5)(b)"),
        ("GDPR Art. 18", SV, "GDPR artikel 18"),
        ("Art. 17(1)(a), 6(1)(b)", NB, "artikkel 17 nr. 1 bokstav a, 6 nr. 1 bokstav b"),
        ("Art. 17(3)(b), (d)", SV, "artikel 17.3 b, d"),
        ("lova; Art. 17(3)(b), (d)", NN, "lova; artikkel 17 nr. 3 bokstav b, bokstav d"),
        ("bokföringslagen 7 kap. 2 §", NB, "bokföringslagen 7 kap. 2 §"),
        ("Art. 21(1), as the board saw it", EN, "Article 21(1), as the board saw it"),
    ],
)
def test_an_article_is_cited_as_its_reader_knows_it(
    law: str, language: Language, said: str
) -> None:
    """E-07: in the form the person used."""
    assert cited(law, language).replace("\N{NO-BREAK SPACE}", " ") == said


@pytest.mark.parametrize("language", [NB, NN, SV])
def test_no_ground_keeps_its_english_form(language: Language) -> None:
    for ground in grounds():
        assert "Art." not in cited(f"{ground.law}; GDPR {ground.article}", language)


def test_a_citation_is_not_torn_apart_at_the_end_of_a_line() -> None:
    assert " " not in cited("Art. 12(5)(b)", NB)
