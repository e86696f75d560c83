"""How a page speaks: its language, its words, its dates (Art. 12(1))."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from domain.explanation import written_date, written_month
from domain.vocabulary import Language, Right
from services.field_names import field_name
from services.wording import LETTERS, wording

TEXTS = Path(__file__).with_name("texts")
SOON_DAYS = 5


@dataclass(frozen=True)
class Look:
    """One language, the zone in which moments are told, and what the address says else."""

    language: Language
    zone: str = "Europe/Oslo"
    query: tuple[tuple[str, str], ...] = ()

    def same_in(self, language: Language) -> str:
        """The address of this same page, filters and all, in another language."""
        return "?" + urlencode([*self.query, ("lang", language.value)])

    def say(self, key: str, /, **values: object) -> str:
        return wording(TEXTS, self.language).say(key, **values)

    def counted(self, key: str, count: int, **values: object) -> str:
        return wording(TEXTS, self.language).counted(key, count, **values)

    def find(self, key: str) -> str | None:
        """The words under a key, if there are any."""
        return wording(TEXTS, self.language).find(key)

    def word(self, table: str, value: Enum | str) -> str:
        """What a code is called; one that nobody has a word for is shown as it is."""
        code = str(value.value) if isinstance(value, Enum) else value
        return wording(TEXTS, self.language).find(f"{table}.{code}") or code

    def right(self, right: Right | str) -> str:
        code = right.value if isinstance(right, Right) else right
        return wording(LETTERS, self.language).say(f"right_titles.{code}")

    def rights(self, rights: Iterable[Right | str]) -> str:
        """Titles as one phrase; an empty one where there are none."""
        titles = [self.right(right) for right in rights]
        phrase = [*titles[:1], *(title[:1].lower() + title[1:] for title in titles[1:])]
        return wording(LETTERS, self.language).listed(phrase) if phrase else ""

    def field(self, name: str) -> str:
        return field_name(name, self.language)

    def day(self, day: date) -> str:
        return written_date(day, self.language)

    def month(self, day: date) -> str:
        return written_month(day, self.language)

    def number(self, number: float) -> str:
        """A count, or a measure with one digit after the mark that the language uses."""
        if number == int(number):
            return f"{int(number):,}".replace(",", "\u00a0")
        return f"{number:.1f}".replace(".", self.say("numbers.mark"))

    def percent(self, ratio: float) -> str:
        """Rounded down: what failed once was not kept altogether."""
        return self.say("numbers.percent", number=int(ratio * 100 + 1e-9))

    def moment(self, at: datetime) -> str:
        local = at.astimezone(ZoneInfo(self.zone))
        return self.say("dates.moment", day=self.day(local.date()), time=f"{local:%H:%M}")

    def exact(self, at: datetime) -> str:
        """A moment to the second, for whoever compares it with another log."""
        local = at.astimezone(ZoneInfo(self.zone))
        return self.say("dates.moment", day=self.day(local.date()), time=f"{local:%H:%M:%S}")

    def left(self, days: int) -> str:
        """How long there is, in words."""
        if days in {0, 1, -1}:
            return self.say(f"left.{('today', 'tomorrow', 'yesterday')[days]}")
        return self.say("left.days" if days > 0 else "left.late", count=abs(days))

    @staticmethod
    def urgency(days: int) -> str:
        """The class that colours a deadline; the words beside it say the same."""
        if days < 0:
            return "late"
        return "soon" if days <= SOON_DAYS else "calm"


# Text from outside

_SEPARATORS = {"\u2028": "\n", "\u2029": "\n"}
_UNSEEN = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)


def plain(text: str) -> str:
    """Text from outside with nothing hidden in it: what turns or hides letters is spelt out."""
    for separator, line in _SEPARATORS.items():
        text = text.replace(separator, line)
    return _UNSEEN.sub(lambda hidden: f"[U+{ord(hidden[0]):04X}]", text)


_SECRET = re.compile(r"(https?://\S+/)[\w-]{32,}")


def sealed_links(text: str) -> str:
    """A letter as staff may read it: its links are the person's, and lead nowhere here."""
    return _SECRET.sub("\\1…", text)


def told(value: object) -> str:
    """A JSON value of a record, as one line a person can read."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {told(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(map(told, value))
    return plain(str(value))


# Which language

_ACCEPTED = {"nb": Language.NB, "no": Language.NB, "nn": Language.NN, "sv": Language.SV}
_ACCEPTED["en"] = Language.EN


def language_named(name: str | None) -> Language | None:
    return next((one for one in Language if one.value == name), None)


def language_accepted(header: str) -> Language | None:
    """The reader's favourite among ours, by `Accept-Language` (RFC 9110, 12.5.4)."""
    wishes: list[tuple[float, Language]] = []
    for wish in header.split(",")[:20]:
        name, _, weight = wish.strip().partition(";")
        known = _ACCEPTED.get(name.strip().lower().partition("-")[0])
        number = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", weight) if weight else None
        if known is not None and (number is not None or not weight):
            wishes.append((float(number[1]) if number else 1.0, known))
    best = max(wishes, key=lambda wish: wish[0], default=None)
    return best[1] if best and best[0] > 0 else None
