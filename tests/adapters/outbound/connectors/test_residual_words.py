"""Whatever a system keeps nonetheless can be told in every language (Art. 12(1), 17)."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

import services
from adapters.outbound import connectors
from domain.vocabulary import Language
from services.ports import Residual

TEXTS = Path(services.__file__).parent / "letter_texts"


def declared() -> set[tuple[str, str]]:
    """Every residual that a connector's module declares."""
    connectors.names()
    modules = [m for name, m in sys.modules.items() if name.startswith(connectors.__name__)]
    values = [value for module in modules for value in vars(module).values()]
    return {(value.what, value.why) for value in values if isinstance(value, Residual)}


@pytest.mark.parametrize("language", Language)
def test_letters_have_words_for_every_declared_residual(language: Language) -> None:
    words = tomllib.loads((TEXTS / f"{language.value}.toml").read_text(encoding="utf-8"))
    residuals = declared()

    assert len(residuals) >= 5
    assert {what for what, _ in residuals} <= set(words["residual_what"])
    assert {why for _, why in residuals} <= set(words["residual_why"])
