"""The words of letters and answers: data files, one per language (Art. 12(1))."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from domain.policy import Profile, Text
from domain.vocabulary import Language

LETTERS = Path(__file__).with_name("letter_texts")
PACKAGES = Path(__file__).with_name("package_texts")


class Wording:
    """One language's texts; keys are joined by dots."""

    def __init__(self, folder: Path, language: Language) -> None:
        self.language = language
        self.texts: Mapping[str, str] = _read(folder, language)

    def say(self, key: str, /, **values: object) -> str:
        return self.texts[key].format_map(values)

    def find(self, key: str, /) -> str | None:
        return self.texts.get(key)

    def counted(self, key: str, count: int, **values: object) -> str:
        return self.say(f"{key}.{'one' if count == 1 else 'other'}", count=count, **values)

    def listed(self, items: list[str]) -> str:
        """The items as a phrase: one, two and three."""
        *all_but_last, last = items
        return f"{', '.join(all_but_last)} {self.say('and')} {last}" if all_but_last else last


@cache
def wording(folder: Path, language: Language) -> Wording:
    return Wording(folder, language)


def in_language(text: Text, language: Language, profile: Profile) -> str:
    """The words in the person's language, else in the profile's own, else in any."""
    for wanted in (language, *_neighbours(language), profile.language):
        if words := text.get(wanted):
            return words
    return next((words for words in text.values() if words), "")


def short(name: str) -> str:
    """A category's name without what its policy lists after a colon."""
    return name.partition(":")[0].strip()


def _neighbours(language: Language) -> tuple[Language, ...]:
    """A reader of one Norwegian reads the other better than anything else."""
    return {Language.NB: (Language.NN,), Language.NN: (Language.NB,)}.get(language, ())


@cache
def _read(folder: Path, language: Language) -> Mapping[str, str]:
    """One file of the language's name, or all in a folder of its name."""
    one, several = folder / f"{language.value}.toml", folder / language.value
    found: dict[str, str] = {}
    for path in sorted(several.glob("*.toml")) if several.is_dir() else [one]:
        texts = dict(_flat(tomllib.loads(path.read_text(encoding="utf-8")), ""))
        if twice := found.keys() & texts.keys():
            raise ValueError(f"{path} says anew what another file says: {sorted(twice)}")
        found |= texts
    return found


def _flat(table: Mapping[str, object], prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{prefix}{key}.")
        else:
            found.append((prefix + key, str(value)))
    return found
