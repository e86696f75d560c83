"""Why this date and no other, step by step, with the rule behind each step (Art. 12(1) GDPR).

The words are data, one file per language under `domain/explanations/`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from domain.calendar import Calendar
from domain.deadlines import Deadlines, Pause, deadlines, earliest, hard_stop
from domain.vocabulary import Country, Language

_FOLDER = Path(__file__).parent / "explanations"
_DAY = timedelta(days=1)

Words = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """One step of the reasoning: what it is, the day it leads to, why, and by which rule."""

    title: str
    day: date
    text: str
    source: str


def explain(
    received_on: date,
    calendar: Calendar,
    promise_days: int | None,
    language: Language,
    *,
    pauses: Iterable[Pause] = (),
    extension: bool = False,
    statutory: bool = True,
    relied: bool = False,
    earlier_receipts: Sequence[date] = (),
    earlier_dates: Sequence[Deadlines] = (),
) -> list[Step]:
    """How `deadlines` reaches each of its dates, given the same facts, and what they were before.

    `relied` says that the controller counts the pauses; the earlier ones were put right since.
    """
    dates = deadlines(
        received_on,
        calendar,
        promise_days,
        pauses=pauses,
        extension=extension,
        statutory=statutory,
    )
    telling = _Telling(
        received_on,
        calendar,
        language,
        dates,
        relied,
        tuple(earlier_receipts),
        tuple(earlier_dates),
    )
    return list(telling.steps())


def written_date(day: date, language: Language) -> str:
    """The day with its weekday, as one writes it in that language."""
    return _written(day, _words(language), "full")


def written_month(day: date, language: Language) -> str:
    """The month that a day lies in, with its year."""
    return _written(day, _words(language), "month")


@dataclass(frozen=True)
class _Telling:
    received_on: date
    calendar: Calendar
    language: Language
    dates: Deadlines
    relied: bool = False
    earlier_receipts: tuple[date, ...] = ()
    earlier_dates: tuple[Deadlines, ...] = ()

    def steps(self) -> Iterator[Step]:
        yield self._step("receipt", self.received_on, self._receipt(), also=self._in_norway())
        for earlier in self.earlier_receipts[-1:]:
            text = self._say("corrected", "text", earlier)
            yield self._step("corrected", self.received_on, text)
        yield from self._by_law(self.dates.statutory_due)
        if promise := self.dates.promise_due:
            yield self._step("promise", promise, self._promise(promise))
        yield self._step("target", self.dates.target_due, self._target())
        if day := self.dates.statutory_due_if_suspended:
            key = "relied" if self.relied else "text"
            yield self._step("suspended", day, self._say("suspended", key, day))
        if self.relied and (day := self.dates.target_due_if_suspended):
            text = self._say("suspended_target", "text", day)
            yield self._step("suspended_target", day, text)
        if day := self.dates.extended_due:
            yield self._step("extended", day, self._extended(day))
        if day := self.dates.extended_target_due:
            yield self._step("extended_target", day, self._say("extended_target", "text", day))

    def _by_law(self, due: date | None) -> Iterator[Step]:
        if due is None:
            yield self._step("courtesy", self.dates.target_due, self._say("courtesy", "text"))
            return
        yield self._step("month", self.dates.unrolled, self._month())
        yield self._step("law", due, self._law(due), also=self._in_1930())
        for old in self.earlier_dates[-1:]:
            if old.statutory_due is not None:
                yield self._step("recounted", due, self._recounted(old.statutory_due, due))

    def _receipt(self) -> str:
        return self._say("receipt", "text", self.received_on)

    def _in_norway(self) -> str:
        if self.calendar.country is not Country.NO:
            return ""
        return f", {self._say('receipt', 'norway')}"

    def _month(self) -> str:
        number = self.received_on.day
        key = "text" if self.dates.unrolled.day == number else "short"
        return self._say("month", key, self.dates.unrolled, number=str(number))

    def _law(self, due: date) -> str:
        unrolled = self.dates.unrolled
        if due != unrolled:
            return f"{self._say('law', 'moved', due)} {self._days_off(unrolled, due - _DAY)}"
        if unrolled in self.calendar.quiet:
            return self._say("law", "eve", feast=self._feasts(unrolled))
        return self._say("law", "stands")

    def _in_1930(self) -> str:
        if not self.calendar.follows_act_of_1930:
            return ""
        return f", {self._say('law', 'act_of_1930')}"

    def _recounted(self, old: date, due: date) -> str:
        key = "moved" if old != due else "same"
        return self._say("recounted", key, old, calendar=self.calendar.name)

    def _promise(self, promise: date) -> str:
        number = (promise - self.received_on).days
        days = self._say("dates", "one_day" if number == 1 else "days", number=str(number))
        text = self._say("promise", "text", promise, days=days)
        law = self.dates.statutory_due
        if law is None:
            return text
        compared = "same" if promise == law else "earlier" if promise < law else "later"
        return f"{text} {self._say('promise', compared)}"

    def _target(self) -> str:
        target, promise = self.dates.target_due, self.dates.promise_due
        first = earliest(self.received_on, promise)
        aim = self._say("target", "with_promise" if promise else "without_promise", first)
        if target == first:
            return f"{aim} {self._say('target', 'stands')}"
        if not self.calendar.is_office_day(target):
            return f"{aim} {self._say('target', 'at_once', target)}"
        moved = self._say("target", "moved", target)
        return f"{aim} {moved} {self._days_off(target + _DAY, first)}"

    def _extended(self, due: date) -> str:
        sentences = [
            self._say("extended", "text", due),
            self._say("extended", "stop", hard_stop(self.received_on, self.calendar)),
        ]
        if self.dates.promise_due:
            sentences.append(self._say("extended", "promise"))
        return " ".join(sentences)

    def _days_off(self, first: date, last: date) -> str:
        days = [first + number * _DAY for number in range((last - first).days + 1)]
        *all_but_last, final = map(self._day_off, days)
        listed = ", ".join(all_but_last)
        text = f"{listed} {self._say('dates', 'and')} {final}" if listed else final
        return self._say("days_off", "text", days=text)

    def _day_off(self, day: date) -> str:
        words = _words(self.language)
        if day in self.calendar.feasts:
            return _written(day, words, "feast", feast=self._feasts(day))
        return _written(day, words, "weekday")

    def _feasts(self, day: date) -> str:
        names = _words(self.language)["feasts"]
        return ", ".join(names[feast] for feast in self.calendar.feasts[day])

    def _step(self, name: str, day: date, text: str, *, also: str = "") -> Step:
        return Step(self._say(name, "title"), day, text, self._say(name, "source") + also)

    def _say(self, step: str, key: str, day: date | None = None, **words: str) -> str:
        template: str = _words(self.language)[step][key]
        if day is not None:
            words["day"] = written_date(day, self.language)
        return template.format_map(words)


def _written(day: date, words: Words, form: str, **more: str) -> str:
    template: str = words["dates"][form]
    return template.format(
        weekday=words["weekdays"][day.weekday()],
        day=day.day,
        month=words["months"][day.month - 1],
        year=day.year,
        **more,
    )


@cache
def _words(language: Language) -> Words:
    path = _FOLDER / f"{language.value}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))
