"""The officer's report of a month: pages for people, rows for spreadsheets (Art. 39(1)(b)).

Made from the figures alone, so the same log gives the same bytes, whenever it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from zoneinfo import ZoneInfo

from domain.explanation import written_date, written_month
from domain.policy import Profile
from domain.refusals import named
from domain.vocabulary import Language
from projections.figures import Measures, Share
from projections.monthly import Counted, Month
from services.documents import Document, Part
from services.planning import OTHER_RECIPIENTS, RECIPIENT
from services.ports import PdfStandard, Typesetter
from services.spreadsheets import Cell, spreadsheet
from services.wording import LETTERS, Wording, wording

TEXTS = Path(__file__).with_name("report_texts")
DATES = (
    "statutory",
    "promise",
    "target",
    "within_one_month",
    "within_three_months",
)
NOTHING = "–"


def report_pdf(month: Month, profile: Profile, language: Language, typesetter: Typesetter) -> bytes:
    return typesetter.pdf(document(month, profile, language), PdfStandard.ACCESSIBLE)


def report_csv(month: Month, language: Language) -> bytes:
    return spreadsheet(_rows(month), language)


# Pages


def document(month: Month, profile: Profile, language: Language) -> Document:
    name = profile.controller.trade_name or profile.controller.name
    pages = _Pages(month, profile, wording(TEXTS, language), language)
    return Document(
        title=pages.say("title", month=pages.month_name),
        language=language,
        parts=tuple(pages.parts()),
        sender=(name,),
        date=pages.say("as_of", at=pages.moment),
        reference=f"{month.controller} {month.month:%Y-%m}",
    )


class _Pages:
    def __init__(self, month: Month, profile: Profile, words: Wording, language: Language) -> None:
        self._month, self._profile, self._words = month, profile, words
        self._language = language
        self.month_name = written_month(month.month, language)
        at = month.as_of.astimezone(ZoneInfo(profile.country.zone))
        self.moment = f"{written_date(at.date(), language)} {at:%H:%M}"

    def say(self, key: str, **values: object) -> str:
        return self._words.say(key, **values)

    def word(self, table: str, code: str) -> str:
        """What a code is called; one that nobody has a word for is shown as it is."""
        return self._words.find(f"{table}.{code}") or code

    def parts(self) -> Iterator[Part]:
        name = self._profile.controller.name
        yield Part(
            "paragraph",
            self.say(
                "intro", controller=name, month=self.month_name, position=self._month.position
            ),
        )
        yield from self._received()
        yield from self._shares()
        yield from self._groups()
        yield from self._extensions()
        yield from self._refusals()
        yield from self._systems()
        yield from self._advice()
        yield from self._breaches()
        yield Part("heading", self.say("how.title"))
        yield Part("paragraph", self.say("how.text"))

    def _received(self) -> Iterator[Part]:
        one = self._month.figures.all
        yield Part("heading", self.say("cases.title"))
        yield self._terms(
            "cases",
            {
                "received": one.received,
                "answered": self._month.answered,
                "open": one.open,
                "open_late": one.open_late,
                "in_full": one.in_full,
                "in_part": one.in_part,
                "refused": one.refused,
                "referred": one.referred,
                "withdrawn": one.withdrawn,
                "median_days": one.median_days,
                "ninety_percent_days": one.ninety_percent_days,
                "risk_days": one.risk_days,
            },
        )

    def _shares(self) -> Iterator[Part]:
        one = self._month.figures.all
        yield Part("heading", self.say("shares.title"))
        yield self._table(
            ("shares.date", "shares.kept", "shares.missed", "shares.share"),
            [
                (self.say(f"shares.{date}"), str(s.kept), str(s.missed), self._percent(s))
                for date in DATES
                for s in (_share(one, date),)
            ],
        )

    def _groups(self) -> Iterator[Part]:
        rights, channels = self._month.figures.by_right, self._month.figures.by_channel
        title = wording(LETTERS, self._language)
        for key, groups in (
            ("right", [(title.say(f"right_titles.{one.of}"), one) for one in rights]),
            ("channel", [(self.word("channel", one.of or ""), one) for one in channels]),
        ):
            if groups:
                yield Part("heading", self.say(f"groups.by_{key}"))
                yield self._table(
                    (
                        f"groups.{key}",
                        "cases.received",
                        *(f"shares.short_{date}" for date in DATES[:3]),
                        "groups.median",
                    ),
                    [
                        (
                            name,
                            str(one.received),
                            *(self._percent(_share(one, date)) for date in DATES[:3]),
                            self._number(one.median_days),
                        )
                        for name, one in groups
                    ],
                )

    def _extensions(self) -> Iterator[Part]:
        yield Part("heading", self.say("extensions.title"))
        yield from self._counted(
            "extensions",
            [(self.word("extension", one.code), one) for one in self._month.extensions],
        )

    def _refusals(self) -> Iterator[Part]:
        yield Part("heading", self.say("refusals.title"))
        yield from self._counted(
            "refusals", [(self._ground(one), one) for one in self._month.refusals]
        )

    def _ground(self, one: Counted) -> str:
        reason = named(one.law) if one.law else None
        ground = self.word("refusal", one.code)
        if reason is None:
            return f"{ground}: {one.law}" if one.law else ground
        return f"{ground}: {reason.title.get(self._language) or reason.code} ({reason.law})"

    def _counted(self, section: str, counted: Sequence[tuple[str, Counted]]) -> Iterator[Part]:
        if not counted:
            yield Part("paragraph", self.say(f"{section}.none"))
            return
        yield self._table(
            (f"{section}.reason", f"{section}.number"),
            [(name, str(one.number)) for name, one in counted],
        )

    def _systems(self) -> Iterator[Part]:
        yield Part("heading", self.say("systems.title"))
        if not self._month.systems:
            yield Part("paragraph", self.say("systems.none"))
            return
        names = {
            **{one.id: one.name for one in self._profile.systems},
            **{f"{RECIPIENT}{one.id}": one.name for one in self._profile.recipients},
            f"{RECIPIENT}{OTHER_RECIPIENTS}": self.say("systems.others"),
        }
        yield self._table(
            ("systems.system", "systems.asked", "systems.failed", "systems.median", "systems.most"),
            [
                (
                    names.get(one.failures.system, one.failures.system),
                    str(one.failures.asked),
                    str(one.failed),
                    self._number(one.failures.median_hours),
                    self._number(one.failures.ninety_percent_hours),
                )
                for one in self._month.systems
            ],
        )

    def _advice(self) -> Iterator[Part]:
        yield Part("heading", self.say("advice.title"))
        if not self._month.advice:
            yield Part("paragraph", self.say("advice.none"))
            return
        columns = ("asked", "advised", "followed", "not_followed")
        yield self._table(
            ("advice.about", *(f"advice.{name}" for name in columns)),
            [
                (self.word("about", one.about), *(str(getattr(one, name)) for name in columns))
                for one in self._month.advice
            ],
        )

    def _breaches(self) -> Iterator[Part]:
        found = self._month.breaches
        yield Part("heading", self.say("breaches.title"))
        if not found.reported:
            yield Part("paragraph", self.say("breaches.none"))
            return
        names = [field.name for field in fields(found)]
        yield self._terms("breaches", {name: getattr(found, name) for name in names})

    def _terms(self, section: str, values: dict[str, float | None]) -> Part:
        return Part(
            "terms",
            terms=tuple(
                (self.say(f"{section}.{name}"), self._number(value))
                for name, value in values.items()
            ),
        )

    def _table(self, header: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Part:
        return Part("table", rows=(tuple(self.say(key) for key in header), *rows))

    def _percent(self, share: Share) -> str:
        if share.ratio is None:
            return NOTHING
        return self.say("percent", number=int(share.ratio * 100 + 1e-9))

    def _number(self, number: float | None) -> str:
        if number is None:
            return NOTHING
        if number == int(number):
            return str(int(number))
        return f"{number:.1f}".replace(".", self.say("mark"))


def _share(one: Measures, date: str) -> Share:
    found: Share = getattr(one, date)
    return found


# Rows


def _rows(month: Month) -> Iterator[Sequence[Cell]]:
    """One fact a row: what it is about, of what, its name and its number."""
    yield ("section", "of", "what", "number")
    yield ("report", month.controller, "month", f"{month.month:%Y-%m}")
    yield ("report", month.controller, "as_of", month.as_of)
    yield ("report", month.controller, "position", month.position)
    yield ("cases", "all", "answered_in_month", month.answered)
    yield from _measures("cases", "all", month.figures.all)
    for section, groups in (
        ("right", month.figures.by_right),
        ("channel", month.figures.by_channel),
    ):
        for group in groups:
            yield from _measures(section, group.of or "", group)
    for one in month.extensions:
        yield ("extension", one.code, "number", one.number)
    for one in month.refusals:
        yield ("refusal", f"{one.code}/{one.law or ''}".rstrip("/"), "number", one.number)
    for system in month.systems:
        name = system.failures.system
        yield ("system", name, "asked", system.failures.asked)
        yield ("system", name, "failed", system.failed)
        yield ("system", name, "median_hours", system.failures.median_hours)
        yield ("system", name, "ninety_percent_hours", system.failures.ninety_percent_hours)
    for advice in month.advice:
        for field in ("asked", "advised", "followed", "not_followed"):
            yield ("advice", advice.about, field, getattr(advice, field))
    for counted in fields(month.breaches):
        yield ("breach", "all", counted.name, getattr(month.breaches, counted.name))


def _measures(section: str, of: str, one: Measures) -> Iterator[Sequence[Cell]]:
    for field in fields(one):
        value = getattr(one, field.name)
        if isinstance(value, Share):
            yield (section, of, f"{field.name}_kept", value.kept)
            yield (section, of, f"{field.name}_missed", value.missed)
        elif field.name != "of":
            yield (section, of, field.name, value)
