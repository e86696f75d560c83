"""What the fields of connected systems are called in front of people (Art. 12(1))."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from domain.vocabulary import Language

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN = re.compile(r"[\s\-]+")


def field_name(name: str, language: Language) -> str:
    """The name in the person's language, else as the system has it."""
    words = _names().get(plain_name(name))
    return words[language.value] if words else name


def plain_name(name: str) -> str:
    """Systems write firstName, First-Name and FIRST_NAME and mean the same."""
    return _BETWEEN.sub("_", _WORD_START.sub("_", name.strip())).lower()


@cache
def _names() -> Mapping[str, Mapping[str, str]]:
    path = Path(__file__).with_suffix(".toml")
    read = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: dict(words) for name, words in read["names"].items()}
