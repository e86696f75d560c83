"""`trettio profile check`: what a careful reader would ask about a profile (Art. 12 to 14, 30)."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn
from zoneinfo import ZoneInfo

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from domain.findings import Finding
    from domain.policy import Profile
    from domain.vocabulary import Country, Language
    from services.policy_reading import Reading

_ANSWERS = ("decided", "law-prevails", "policy-will-change", "policy-is-right", "accepted")

profiles = typer.Typer(no_args_is_help=True, help="A controller's profile, as data.")


def register(app: typer.Typer) -> None:
    app.add_typer(profiles, name="profile")


@profiles.callback()
def profile() -> None:
    """A controller's profile, as data."""


@profiles.command()
def check(
    file: Annotated[
        str | None, typer.Argument(help="A profile's file, or the id of a shipped one.")
    ] = None,
    text: Annotated[
        Path | None,
        typer.Option("--text", help="A published policy to read: .txt, .md or .html."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write what --text says there, as TOML.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The findings as JSON.")] = False,
    language: Annotated[
        str | None,
        typer.Option(help="Of the questions; else the profile's.", metavar="nb|sv|en"),
    ] = None,
    on: Annotated[
        str | None, typer.Option(help="The day of the check; else today.", metavar="DATE")
    ] = None,
    country: Annotated[
        str | None, typer.Option(help="Whose law, if --text does not tell.", metavar="NO|SE")
    ] = None,
) -> None:
    """Ask what is unclear, missing or contradictory; exit 1 if the profile cannot be used.

    With --text a policy is read as it was published: what it says is quoted with its place, and
    asked about by itself or, with a profile beside it, against the profile.
    """
    from domain.findings import check as findings_of
    from domain.vocabulary import Severity

    if file is None and text is None:
        _refuse("give a profile's file, or a policy with --text")
    if out is not None and text is None:
        _refuse("--out writes what a policy says: give one with --text")
    loaded = _loaded(file) if file is not None else None
    reading = _read(text, loaded, on, country) if text is not None else None
    asked = _asked(loaded, reading)
    day, spoken = _day(on, asked.country), _language(language, asked)
    findings = findings_of(asked, day)
    if reading is not None and out is not None:
        _write(out, reading)
    if as_json:
        typer.echo(json.dumps(_as_json(findings, reading), ensure_ascii=False))
    elif findings:
        _print(_table(findings, spoken, f"{asked.controller.name}, {day.isoformat()}"))
    else:
        typer.echo(f"{asked.controller.name}: nothing to ask.")
    if reading is not None and not as_json:
        typer.echo(f"{len(reading.observations)} quotes{f' written to {out}' if out else ''}.")
    if any(finding.severity is Severity.REFUSE_TO_LOAD for finding in findings):
        raise typer.Exit(1)


def _loaded(file: str) -> Profile:
    from adapters.profiles import ProfileError, load_profile, shipped_profiles

    shipped = shipped_profiles()
    if file not in shipped and not Path(file).exists():
        _refuse(f"{file}: there is no such file, and shipped are: {', '.join(sorted(shipped))}")
    try:
        return load_profile(shipped.get(file, Path(file)), name=file)
    except ProfileError as error:
        _refuse(str(error))


def _read(text: Path, profile: Profile | None, on: str | None, country: str | None) -> Reading:
    from adapters.policy_files import text_of
    from domain.vocabulary import Country
    from services.policy_reading import NotReadable, read_policy

    known = [one.value for one in Country]
    if country is not None and country not in known:
        _refuse(f"--country {country!r} is not one of {', '.join(known)}")
    where = Country(country) if country else profile.country if profile else None
    try:
        return read_policy(
            text_of(text),
            read_on=_day(on, where or Country.NO),
            language=profile.language if profile else None,
            country=where,
        )
    except NotReadable as error:
        _refuse(f"{text}: {error}")


def _asked(profile: Profile | None, reading: Reading | None) -> Profile:
    """The profile that is asked about: as written, with the policy's words, or only these."""
    from dataclasses import replace

    from services.policy_drafting import drafted

    if profile is None:
        assert reading is not None
        return drafted(reading)
    return profile if reading is None else replace(profile, observations=reading.observations)


def _write(out: Path, reading: Reading) -> None:
    from adapters.policy_files import as_toml

    try:
        out.write_text(as_toml(reading), encoding="utf-8")
    except OSError as error:
        _refuse(f"{out}: cannot be written: {error.strerror or 'unknown reason'}")


def _as_json(findings: tuple[Finding, ...], reading: Reading | None) -> dict[str, object]:
    from adapters.policy_files import as_plain

    told: dict[str, object] = {"findings": [_plain(f) for f in findings]}
    if reading is not None:
        told["observations"] = [as_plain(one) for one in reading.observations]
    return told


@profiles.command()
def decide(
    controller: Annotated[str, typer.Argument(help="The id of the controller's profile.")],
    code: Annotated[str, typer.Argument(help="The finding's code.")],
    decision: Annotated[str, typer.Argument(help="What was decided, and why, in words.")],
    staff: Annotated[str, typer.Option(help="The staff id of whoever decided.")],
    answer: Annotated[
        str, typer.Option(help="The answer as a code.", metavar="|".join(_ANSWERS))
    ] = _ANSWERS[0],
) -> None:
    """Record what the controller decided about a finding, and name those still open."""
    from adapters.inbound.cli.console import opened, settings_or_stop, stop
    from domain.controller import FindingAnswer
    from domain.errors import DomainError

    if answer not in _ANSWERS:
        _refuse(f"--answer {answer!r} is not one of {', '.join(_ANSWERS)}")
    with opened(settings_or_stop()) as installation:
        controllers = installation.controllers
        try:
            controllers.decide_finding(
                controller, code=code, decision=decision, by=staff, answer=FindingAnswer(answer)
            )
        except DomainError as error:
            stop(str(error))
        still_open = controllers.findings(controller, installation.clock().date())
    codes = ", ".join(f"{finding.code} ({finding.severity.value})" for finding in still_open)
    typer.echo(f"Recorded. Still open: {codes or 'nothing'}.")


def _plain(finding: Finding) -> dict[str, object]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "article": finding.article,
        "where": finding.where,
        "quote": finding.quote,
        "line": finding.line,
        "question": {spoken.value: words for spoken, words in finding.question.items()},
    }


def _table(findings: tuple[Finding, ...], language: Language, title: str) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table("finding", "question", title=title, box=box.HORIZONTALS, show_lines=True)
    for finding in findings:
        question = Text(finding.question[language])
        if finding.quote:
            question.append(f"\n“{finding.quote}” (line {finding.line})", style="dim")
        what = Text(finding.code, style="bold")
        facts = (finding.severity.value, finding.article, finding.where)
        what.append("".join(f"\n{fact}" for fact in facts), style="not bold dim")
        table.add_row(what, question)
    return table


def _print(table: Table) -> None:
    from rich.console import Console

    Console().print(table)


def _day(given: str | None, country: Country) -> date:
    if given is None:
        return datetime.now(ZoneInfo(country.zone)).date()
    try:
        return date.fromisoformat(given)
    except ValueError:
        _refuse(f"--on {given!r} is not a day: write it as year-month-day, e.g. 2027-02-01")


def _language(given: str | None, profile: Profile) -> Language:
    from domain.vocabulary import Language

    asked = [Language.NB, Language.SV, Language.EN]
    if given is None:
        return profile.language if profile.language in asked else Language.NB
    if given not in [language.value for language in asked]:
        choice = ", ".join(language.value for language in asked)
        _refuse(f"--language {given!r} is not one of {choice}")
    return Language(given)


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(2)
