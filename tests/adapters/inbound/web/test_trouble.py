"""What a rule said no to is said in the reader's language, or stands as it was written."""

from __future__ import annotations

import re
from pathlib import Path

import adapters
import domain
import services
from adapters.inbound.web.look import Look
from adapters.inbound.web.trouble import trouble_of
from domain.errors import DomainError, NotAllowedNow
from domain.vocabulary import Language

SOURCES = [
    file
    for package in (adapters, domain, services)
    for file in Path(str(package.__file__)).parent.rglob("*.py")
]


def test_every_key_of_an_error_has_words_in_every_language() -> None:
    raised = re.compile(r'raise \w+\((?:[^()]|\([^()]*\))*?key="([\w-]+)"')
    keys = {key for file in SOURCES for key in raised.findall(file.read_text(encoding="utf-8"))}
    assert len(keys) >= 20
    for language in Language:
        assert [key for key in keys if Look(language).find(f"error.{key}") is None] == []


def test_the_words_are_filled_in_and_the_message_is_what_is_left_without_them() -> None:
    known = trouble_of(NotAllowedNow("3 wait", key="matches-wait", count=3))
    unknown = trouble_of(DomainError("nobody has words for this", key="no-such-key"))
    words, ours = known.said(Look(Language.NB))
    assert ours
    assert words.startswith("3 oppføringer")
    assert unknown.said(Look(Language.NB)) == ("nobody has words for this", False)
