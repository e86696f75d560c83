"""What every page keeps, in four languages: one main action, weekdays, next steps, weight."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from domain.vocabulary import Language
from services.wording import LETTERS, wording
from tests.support.town import FILES, PASSAGES, Town, page_routes

HEAVIEST = 60_000
WEEKDAYS = (
    "mandag tirsdag onsdag torsdag fredag lørdag søndag"
    " måndag tysdag laurdag tisdag lördag söndag"
    " Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
)
MONTHS = (
    "januar februar mars april mai juni juli august september oktober november desember"
    " januari februari maj augusti december January February March April May June July"
    " August September October November December"
).replace(" ", "|")
DATE = re.compile(rf"((?:\S+ )?\S+\s+)?\b\d{{1,2}}\.? (?:{MONTHS}) \d{{4}}(?! [Nn][ro]\b)")
"""A day in words; what has a number after it is a law's name."""
NUMERIC = re.compile(
    r"(?<!Versjon )(?<!Version )\b(?:\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{4})\b"
)
"""A day in figures; a profile's version may be called by one."""
AS_READ = tuple(
    " ".join(wording(LETTERS, one).say("not_done.law_read", law="", day="").split()[-2:])
    for one in Language
)
"""What stands before the day that the words of a law were read on: a citation has no weekday."""
EMPTY = re.compile(r'<(p|li|td)[^>]* class="empty".*?</\1>', re.DOTALL)


class Seen(HTMLParser):
    """What a reader sees of a page, and how many actions it puts first."""

    HIDDEN = ("script", "style", "textarea", "option", "code")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.main_actions = 0
        self.lines: list[str] = []
        self._hidden: list[str] = []
        self._in_main = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "main":
            self._in_main = True
        if tag in {"a", "button"} and "main" in (dict(attrs).get("class") or "").split():
            self.main_actions += 1
        if tag in self.HIDDEN:
            self._hidden.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "main":
            self._in_main = False
        if self._hidden and self._hidden[-1] == tag:
            self._hidden.pop()

    def handle_data(self, data: str) -> None:
        if self._in_main and not self._hidden and data.strip():
            self.lines.append(" ".join(data.split()))


def test_every_page_there_is_stands_in_the_list(town: Town) -> None:
    assert page_routes() == {page.route for page in town.pages} | FILES | PASSAGES


@pytest.mark.parametrize("language", list(Language), ids=lambda one: one.value)
def test_every_page_has_one_main_action_weekdays_and_little_weight(
    town: Town, language: Language
) -> None:
    faults: list[str] = []
    for page in town.pages:
        text = town.open(page, lang=language.value)
        seen = Seen(text)
        if seen.main_actions > 1:
            faults.append(f"{page.name}: {seen.main_actions} main actions")
        if len(text.encode()) >= HEAVIEST:
            faults.append(f"{page.name}: {len(text.encode())} bytes")
        if f'<html lang="{language.value}"' not in text:
            faults.append(f"{page.name}: not in {language.value}")
        faults += [
            f"{page.name}: nothing to do about {empty[0]}"
            for empty in EMPTY.finditer(text)
            if "<a " not in empty[0] and not seen.main_actions
        ]
        faults += [f"{page.name}: {said}" for said in without_weekday(seen.lines)]
    assert not faults, "\n".join(faults)


def without_weekday(lines: list[str]) -> list[str]:
    """Dates that leave it to the reader to find out which day of the week that is.

    A letter is quoted in the language it was written in, so any language's weekdays will do.
    """
    names = (*WEEKDAYS.lower().split(), *AS_READ)
    return [date[0] for line in lines for date in NUMERIC.finditer(line)] + [
        date[0]
        for line in lines
        for date in DATE.finditer(line)
        if not (date[1] or "").lower().rstrip(" ,.").removesuffix(" den").endswith(names)
    ]


def test_a_date_without_its_weekday_is_found() -> None:
    assert without_weekday(["Frist: 3. mars 2027"])
    assert without_weekday(["Due 2027-03-03"])
    assert not without_weekday(["Frist: onsdag 3. mars 2027", "senast onsdag den 3 mars 2027"])
    assert not without_weekday(["Wednesday 3 March 2027", "forskrift 4. desember 1992 nr. 910"])
