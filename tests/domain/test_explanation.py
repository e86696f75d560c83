"""Every date explains itself, in four languages, by the rules that made it."""

from __future__ import annotations

import re
import tomllib
from datetime import date, timedelta
from pathlib import Path

import pytest

from domain.calendar import load_calendar
from domain.deadlines import Pause, deadlines, hard_stop
from domain.explanation import Step, explain, written_date
from domain.vocabulary import Country, Language
from tests.support.dates import by_law

NO, SE = Country.NO, Country.SE
NB, NN, SV, EN = Language.NB, Language.NN, Language.SV, Language.EN
FOLDER = Path(__file__).parents[2] / "domain" / "explanations"

# One receipt for each way a step can go: short month, Easter, eve, one-day promise, year's end.
RECEIPTS = [
    date(2026, 1, 31),
    date(2026, 5, 19),
    date(2026, 7, 4),
    date(2026, 7, 5),
    date(2026, 11, 24),
    date(2026, 12, 1),
    date(2027, 2, 1),
    date(2027, 2, 25),
    date(2027, 4, 17),
]


def told(
    received: date, country: Country, promise_days: int | None, language: Language
) -> list[Step]:
    pause = Pause(received + timedelta(2), received + timedelta(9))
    return explain(
        received, load_calendar(country), promise_days, language, pauses=[pause], extension=True
    )


def told_later(
    received: date, country: Country, promise_days: int | None, language: Language
) -> list[Step]:
    """After a corrected receipt, a new calendar, and a decision to rely on the pause."""
    calendar = load_calendar(country)
    pause = Pause(received + timedelta(2), received + timedelta(9))
    before = deadlines(received + timedelta(1), calendar, promise_days, pauses=[pause])
    same = deadlines(received, calendar, promise_days, pauses=[pause])
    return [
        step
        for old in (before, same)
        for step in explain(
            received,
            calendar,
            promise_days,
            language,
            pauses=[pause],
            relied=True,
            earlier_receipts=[received + timedelta(1)],
            earlier_dates=[old],
        )
    ]


def everything_told(language: Language) -> list[Step]:
    return [
        step
        for received in RECEIPTS
        for country in Country
        for promise_days in (None, 1, 14, 30)
        for tell in (told, told_later)
        for step in tell(received, country, promise_days, language)
    ]


@pytest.mark.parametrize(
    ("language", "written"),
    [
        (NB, "mandag 1. mars 2027"),
        (NN, "måndag 1. mars 2027"),
        (SV, "måndag 1 mars 2027"),
        (EN, "Monday 1 March 2027"),
    ],
)
def test_a_date_is_written_with_its_weekday_as_the_language_does(
    language: Language, written: str
) -> None:
    assert written_date(date(2027, 3, 1), language) == written


@pytest.mark.parametrize(
    ("language", "weekdays"),
    [
        (NB, "mandag tirsdag onsdag torsdag fredag lørdag søndag"),
        (NN, "måndag tysdag onsdag torsdag fredag laurdag søndag"),
        (SV, "måndag tisdag onsdag torsdag fredag lördag söndag"),
        (EN, "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
    ],
)
def test_the_week_begins_on_monday(language: Language, weekdays: str) -> None:
    week = [written_date(date(2027, 3, 1) + timedelta(n), language).split()[0] for n in range(7)]

    assert " ".join(week) == weekdays


def test_gk_03_is_told_in_bokmal_word_for_word() -> None:
    steps = explain(date(2027, 2, 1), load_calendar(NO), 30, NB)

    assert [(step.title, step.text) for step in steps] == [
        (
            "Mottatt",
            "Henvendelsen kom inn mandag 1. februar 2027. Den dagen regnes ikke med. "
            "Tiden begynner å løpe dagen etter.",
        ),
        (
            "Én måned",
            "En måned varer til dagen med samme tall i neste måned: mandag 1. mars 2027.",
        ),
        ("Siste dag etter loven", "Det er en virkedag, og da står datoen fast."),
        (
            "Løftet",
            "Virksomheten lover svar innen 30 dager: onsdag 3. mars 2027. "
            "Et løfte flyttes ikke for helg. "
            "Loven er strengere enn løftet, og loven går foran.",
        ),
        (
            "Målet",
            "Vi sikter mot det som kommer først av måneden, løftet og 30 dager: "
            "mandag 1. mars 2027. Da er noen på jobb, og den dagen er målet.",
        ),
    ]


def test_easter_is_told_day_by_day() -> None:
    law = explain(date(2027, 2, 25), load_calendar(NO), None, NB)[2]

    assert law.day == date(2027, 3, 30)
    assert law.text == (
        "Det er ingen virkedag, og da varer fristen ut neste virkedag: tirsdag 30. mars 2027. "
        "Fridager: 25. mars (skjærtorsdag), 26. mars (langfredag), lørdag 27. mars, "
        "28. mars (første påskedag) og 29. mars (andre påskedag)."
    )


def test_two_feasts_on_one_day_are_both_named() -> None:
    law = explain(date(2027, 4, 17), load_calendar(NO), None, EN)[2]

    assert "17 May (Constitution Day, Whit Monday)" in law.text


def test_a_short_month_is_told_as_one() -> None:
    month = explain(date(2026, 1, 31), load_calendar(SE), None, SV)[1]

    assert month.text.endswith(
        "ingen dag 31, och då gäller dess sista dag: lördag 28 februari 2026."
    )


def test_midsummer_eve_is_told_to_be_no_public_holiday() -> None:
    strict = explain(date(2026, 5, 19), load_calendar(SE), None, SV)[2]
    by_the_act = explain(date(2026, 5, 19), load_calendar(SE, "2026.1+eves"), None, SV)[2]

    assert strict.day == date(2026, 6, 19)
    assert "midsommarafton" in strict.text
    assert "1930" in strict.text
    assert by_the_act.day == date(2026, 6, 22)
    assert "19 juni (midsommarafton)" in by_the_act.text
    assert by_the_act.source.endswith("lagen (1930:173) om beräkning av lagstadgad tid")


def test_the_target_is_told_with_the_days_it_steps_over() -> None:
    target = explain(date(2026, 11, 24), load_calendar(SE), 30, EN)[-1]

    assert target.day == date(2026, 12, 23)
    assert target.text.endswith(
        "The target is the last office day before: Wednesday 23 December 2026. "
        "Days off: 24 December (Christmas Eve)."
    )


def test_the_target_is_told_to_be_the_thirtieth_day_when_that_comes_before_the_month() -> None:
    target = explain(date(2026, 7, 6), load_calendar(NO), None, EN)[-1]

    assert target.text == (
        "We aim for whichever comes first of the month and 30 days: Wednesday 5 August 2026. "
        "People are at work that day, so it is the target."
    )


@pytest.mark.parametrize(
    ("received", "promise_days", "compared"),
    [
        (date(2026, 7, 5), 30, "The promise is stricter than the law."),
        (date(2027, 2, 1), 30, "The law is stricter than the promise, and the law comes first."),
        (date(2026, 1, 31), 30, "The promise and the law give the same day."),
    ],
)
def test_the_promise_is_compared_with_the_law(
    received: date, promise_days: int | None, compared: str
) -> None:
    promise = explain(received, load_calendar(NO), promise_days, EN)[3]

    assert promise.text.endswith(compared)


def test_a_promise_of_one_day_is_told_in_the_singular_and_due_at_once() -> None:
    _, _, _, promise, target = explain(date(2026, 7, 4), load_calendar(NO), 1, EN)

    assert "within 1 day:" in promise.text
    assert target.day == date(2026, 7, 4)
    assert target.text.endswith("The answer should go at once: Saturday 4 July 2026.")


def test_without_a_promise_none_is_mentioned() -> None:
    for language, word in ((NB, "løfte"), (NN, "lovnad"), (SV, "löfte"), (EN, "promise")):
        steps = told(date(2026, 7, 5), NO, None, language)

        assert not [step for step in steps if word in f"{step.title} {step.text}".lower()]


@pytest.mark.parametrize("language", Language)
def test_the_steps_lead_to_the_days_the_clock_gives(language: Language) -> None:
    for received in RECEIPTS:
        calendar = load_calendar(SE)
        pause = Pause(received + timedelta(2), received + timedelta(9))
        dates = deadlines(received, calendar, 30, pauses=[pause], extension=True)

        steps = told(received, SE, 30, language)

        assert [step.day for step in steps] == [
            received,
            dates.unrolled,
            dates.statutory_due,
            dates.promise_due,
            dates.target_due,
            dates.statutory_due_if_suspended,
            dates.extended_due,
            dates.extended_target_due,
        ]
        assert written_date(hard_stop(received, calendar), language) in steps[6].text


@pytest.mark.parametrize("language", Language)
def test_what_was_put_right_since_is_told_with_what_it_was(language: Language) -> None:
    """B.2.1, B.2.4, B.2.5: corrected, recounted and relied on are explained as well."""
    received = date(2026, 7, 6)
    calendar = load_calendar(NO)
    pause = Pause(received + timedelta(2), received + timedelta(9))
    dates = deadlines(received, calendar, pauses=[pause])
    old = deadlines(received + timedelta(1), calendar, pauses=[pause])
    told_before = explain(received, calendar, None, language, pauses=[pause])

    steps = explain(
        received,
        calendar,
        None,
        language,
        pauses=[pause],
        relied=True,
        earlier_receipts=[received + timedelta(1)],
        earlier_dates=[old],
    )

    assert [step.day for step in steps] == [
        received,
        received,
        dates.unrolled,
        dates.statutory_due,
        dates.statutory_due,
        dates.target_due,
        dates.statutory_due_if_suspended,
        dates.target_due_if_suspended,
    ]
    assert written_date(received + timedelta(1), language) in steps[1].text
    assert written_date(by_law(old), language) in steps[4].text
    assert "NO-2026.1" in steps[4].text
    assert steps[6].text != told_before[-1].text, "relied on is not told as not relied on"


@pytest.mark.parametrize(
    ("language", "rules"),
    [
        (NB, ["3 nr. 1", "3 nr. 2 bokstav c", "3 nr. 4", "løfte", "regel"]),
        (NN, ["3 nr. 1", "3 nr. 2 bokstav c", "3 nr. 4", "lovnad", "regel"]),
        (SV, ["3.1", "3.2 c", "3.4", "löfte", "regel"]),
        (EN, ["3(1)", "3(2)(c)", "3(4)", "promise", "rule"]),
    ],
)
def test_each_step_names_its_rule(language: Language, rules: list[str]) -> None:
    sources = [step.source for step in explain(date(2026, 7, 5), load_calendar(SE), 30, language)]

    assert all(rule in source for rule, source in zip(rules, sources, strict=True))
    assert all("1182/71" in source for source in sources[:3])
    assert re.search(r"12(\(3\)|\.3| nr\. 3)", sources[1])


def test_in_norway_the_regulation_counts_through_norwegian_law() -> None:
    norwegian = explain(date(2026, 7, 5), load_calendar(NO), 30, NB)[0].source
    swedish = explain(date(2026, 7, 5), load_calendar(SE), 30, NB)[0].source

    assert norwegian.endswith("i Norge gjennom forskrift 4. desember 1992 nr. 910")
    assert "Norge" not in swedish


@pytest.mark.parametrize("country", Country)
@pytest.mark.parametrize("language", Language)
def test_every_receipt_day_can_be_explained(language: Language, country: Country) -> None:
    """Nothing is left unfilled, and every feast of the calendar has a name."""
    calendar = load_calendar(country)
    for number in range(0, 8400, 5):
        received = date(2018, 1, 1) + timedelta(number)
        for step in explain(received, calendar, 30, language):
            assert not set("{}") & set(step.text + step.source)


@pytest.mark.parametrize("language", [NN, SV, EN])
def test_no_language_says_more_or_less_than_bokmal(language: Language) -> None:
    def shape(spoken: Language) -> dict[str, set[str]]:
        content = tomllib.loads((FOLDER / f"{spoken.value}.toml").read_text(encoding="utf-8"))
        return {
            f"{table}.{key}": set(re.findall(r"{\w+}", text))
            for table, texts in content.items()
            if isinstance(texts, dict)
            for key, text in texts.items()
        }

    assert shape(language) == shape(NB)


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.])\s+(?=[A-ZÆØÅÄÖÉ])", text)


@pytest.mark.parametrize("language", Language)
def test_no_sentence_is_longer_than_25_words(language: Language) -> None:
    """E-07. A date counts as the words it is read with."""
    longest = max(
        (sentence for step in everything_told(language) for sentence in sentences(step.text)),
        key=lambda sentence: len(sentence.split()),
    )

    assert len(longest.split()) <= 25, longest


@pytest.mark.parametrize("language", Language)
def test_the_words_are_plain(language: Language) -> None:
    """E-07: LIX under 40, over everything that can be said."""
    text = " ".join(step.text for step in everything_told(language))
    words = re.findall(r"[\w']+", text)
    long_words = [word for word in words if len(word) > 6]

    lix = len(words) / len(sentences(text)) + 100 * len(long_words) / len(words)

    assert lix < 40
