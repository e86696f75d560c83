"""A profile's own words are looked through before they reach anybody."""

from __future__ import annotations

import dataclasses

from domain.vocabulary import Language
from services.profile_lint import faults_of
from tests.support.profiles import fictional_profile


def test_words_that_read_well_have_no_fault() -> None:
    assert faults_of(fictional_profile()) == []


def test_a_recipients_long_sentence_and_a_promise_nobody_can_keep_are_found() -> None:
    """E-07, E-17."""
    profile = fictional_profile()
    first, *others = profile.recipients
    words = {Language.NB: "De sletter garantert " + "og igjen " * 14 + "alt."}
    odd = dataclasses.replace(first, words=words)
    found = faults_of(dataclasses.replace(profile, recipients=(odd, *others)))

    assert any("words in one sentence" in one for one in found)
    assert any("is never said" in one for one in found)


def test_a_profile_that_nobody_can_reach_is_told() -> None:
    profile = dataclasses.replace(fictional_profile(), channels=(), sender=None)

    assert any("contact" in one for one in faults_of(profile))
