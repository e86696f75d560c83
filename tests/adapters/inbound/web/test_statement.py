"""The footer of a person's page: how to reach the controller, and its statement (no database)."""

from __future__ import annotations

import dataclasses
import re

import pytest

from adapters.inbound.web.look import Look
from adapters.inbound.web.pages import environment
from domain.policy import Profile
from domain.vocabulary import Language
from tests.support.policies import POLICIES

STATEMENT = "https://tilgjengelighet.kulturhus.example/erklaering"


def footer(profile: Profile, language: Language) -> str:
    return environment().get_template("contact.html").render(profile=profile, look=Look(language))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (Language.NB, "Tilgjengelighetserklæring"),
        (Language.NN, "Tilgjengefråsegn"),
        (Language.SV, "Tillgänglighetsredogörelse"),
        (Language.EN, "Accessibility statement"),
    ],
)
def test_a_persons_page_leads_to_the_controllers_statement(language: Language, words: str) -> None:
    """E-18: a link to it where the controller has one, and none that leads nowhere."""
    profile = dataclasses.replace(POLICIES["GK"], accessibility_statement=STATEMENT)

    assert f'<a href="{STATEMENT}">{words}</a>' in footer(profile, language)
    without = footer(POLICIES["GK"], language)
    assert words not in without
    assert set(re.findall(r'href="([^:"]*)', without)) == {"mailto"}
