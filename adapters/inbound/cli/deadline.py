"""`trettio deadline`: the three dates of a request, and why (Art. 12(3) GDPR)."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from domain.calendar import Calendar
    from domain.deadlines import Pause
    from domain.vocabulary import Country, Language

_HEADER = "received,unrolled,statutory_due,promise_due,target_due"


def register(app: typer.Typer) -> None:
    app.command()(deadline)


def deadline(
    received: Annotated[
        str | None, typer.Option(help="Day of receipt, e.g. 2027-02-01.", metavar="DATE")
    ] = None,
    country: Annotated[
        str | None, typer.Option(help="Where the controller is.", metavar="NO|SE")
    ] = None,
    promise_days: Annotated[
        str | None, typer.Option(help="Days the controller's policy promises.", metavar="DAYS")
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(help="Of the explanation; else the country's.", metavar="nb|nn|sv|en"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The dates alone, as JSON.")] = False,
    why: Annotated[
        bool, typer.Option("--why", help="The reasons too, with --json; without it they are shown.")
    ] = False,
    pause: Annotated[
        list[str] | None,
        typer.Option(help="Days the person kept you waiting; repeatable.", metavar="FROM..TO"),
    ] = None,
    extended: Annotated[
        bool, typer.Option("--extended", help="With two more months, told in time.")
    ] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="One row per day of receipt, to --until.")
    ] = False,
    until: Annotated[
        str | None, typer.Option(help="Last day of receipt for --csv.", metavar="DATE")
    ] = None,
    calendar: Annotated[
        str | None,
        typer.Option(help="Calendar version, e.g. 2026.1; else the newest.", metavar="VERSION"),
    ] = None,
) -> None:
    """When a request must be answered, when it was promised, and when to aim for."""
    from domain.calendar import load_calendar
    from domain.errors import DomainError

    if as_json and as_csv:
        _refuse("choose --json or --csv, not both")
    if until is not None and not as_csv:
        _refuse("--until gives a range of days and needs --csv")
    first, where = _day("--received", received), _country(country)
    last = first if until is None else _day("--until", until)
    if last < first:
        _refuse(f"--until {last} comes before --received {first}: swap the two")
    days, spoken = _number("--promise-days", promise_days), _language(language, where)
    pauses = [_pause(one) for one in pause or ()]
    if as_csv and (pauses or extended or why):
        _refuse("--csv tells the plain dates: leave out --pause, --extended and --why")
    try:
        counted_by = load_calendar(where, calendar)
        if as_csv:
            lines = list(_rows(first, last, counted_by, days))
        elif as_json:
            lines = [_json(first, counted_by, days, pauses, extended, spoken if why else None)]
        else:
            lines = list(_explanation(first, counted_by, days, spoken, pauses, extended))
    except DomainError as error:
        _refuse(str(error))
    typer.echo("\n".join(lines))


def _json(
    received_on: date,
    calendar: Calendar,
    promise_days: int | None,
    pauses: list[Pause],
    extended: bool,
    language: Language | None,
) -> str:
    from domain.deadlines import deadlines
    from domain.explanation import explain

    dates = deadlines(received_on, calendar, promise_days, pauses=pauses, extension=extended)
    told: dict[str, object] = {
        "statutory_due": str(dates.statutory_due),
        "promise_due": dates.promise_due.isoformat() if dates.promise_due else None,
        "target_due": dates.target_due.isoformat(),
        "unrolled": dates.unrolled.isoformat(),
        "calendar": dates.calendar,
    }
    beside = {
        "statutory_due_if_suspended": dates.statutory_due_if_suspended,
        "target_due_if_suspended": dates.target_due_if_suspended,
        "extended_due": dates.extended_due,
        "extended_target_due": dates.extended_target_due,
    }
    told |= {name: day.isoformat() for name, day in beside.items() if day is not None}
    if language is not None:
        told["why"] = [
            {
                "title": step.title,
                "day": step.day.isoformat(),
                "text": step.text,
                "source": step.source,
            }
            for step in explain(
                received_on, calendar, promise_days, language, pauses=pauses, extension=extended
            )
        ]
    return json.dumps(told, ensure_ascii=False)


def _rows(first: date, last: date, calendar: Calendar, promise_days: int | None) -> Iterator[str]:
    from domain.deadlines import deadlines

    yield _HEADER
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        dates = deadlines(day, calendar, promise_days)
        cells = (day, dates.unrolled, dates.statutory_due, dates.promise_due, dates.target_due)
        yield ",".join(cell.isoformat() if cell else "" for cell in cells)


def _explanation(
    received_on: date,
    calendar: Calendar,
    promise_days: int | None,
    language: Language,
    pauses: list[Pause],
    extended: bool,
) -> Iterator[str]:
    from domain.explanation import explain, written_date

    steps = explain(
        received_on, calendar, promise_days, language, pauses=pauses, extension=extended
    )
    for number, step in enumerate(steps, 1):
        yield f"{number}. {step.title}: {written_date(step.day, language)}"
        yield textwrap.fill(step.text, 80, initial_indent="   ", subsequent_indent="   ")
        yield f"   [{step.source}]"
        yield ""
    yield calendar.name


def _day(option: str, given: str | None) -> date:
    if given is None:
        _refuse(f"{option} is missing: give a day such as 2027-02-01")
    try:
        day = date.fromisoformat(given)
    except ValueError:
        _refuse(f"{option} {given!r} is not a day: write it as year-month-day, e.g. 2027-02-01")
    return day


def _pause(given: str) -> Pause:
    from domain.deadlines import Pause
    from domain.errors import DomainError

    first, dots, last = given.partition("..")
    if not dots:
        _refuse(f"--pause {given!r} is no time: write both days, e.g. 2027-02-03..2027-02-10")
    try:
        return Pause(_day("--pause", first), _day("--pause", last))
    except DomainError as error:
        _refuse(str(error))


def _country(given: str | None) -> Country:
    from domain.vocabulary import Country

    codes = [country.value for country in Country]
    if given is None or given.upper() not in codes:
        said = "is missing" if given is None else f"{given!r} is not known"
        _refuse(f"--country {said}: choose {' or '.join(codes)}")
    return Country(given.upper())


def _language(given: str | None, country: Country) -> Language:
    from domain.vocabulary import Country, Language

    if given is None:
        return {Country.NO: Language.NB, Country.SE: Language.SV}[country]
    codes = [language.value for language in Language]
    if given.lower() not in codes:
        _refuse(f"--language {given!r} is not known: choose {', '.join(codes)}")
    return Language(given.lower())


def _number(option: str, given: str | None) -> int | None:
    if given is None:
        return None
    try:
        return int(given)
    except ValueError:
        _refuse(f"{option} {given!r} is not a number of days: write it in digits, e.g. 30")


def _refuse(why: str) -> NoReturn:
    typer.echo(f"trettio deadline: {why}", err=True)
    raise typer.Exit(2)
