"""`trettio profile`: what a careful reader would ask about one, and what another would change."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn
from zoneinfo import ZoneInfo

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from adapters.bootstrap import Installation
    from domain.findings import Finding
    from domain.policy import Profile
    from domain.vocabulary import Country, Language
    from services.policy_reading import Reading
    from services.what_if import Difference

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
    letters: Annotated[
        bool, typer.Option("--letters", help="Look through letters with the profile's own words.")
    ] = False,
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
    said = _letters(asked) if letters else []
    uncalled = _uncalled(loaded) if loaded is not None else []
    if as_json:
        shown = _as_json(findings, reading) | ({"letters": said} if letters else {})
        shown |= {"addresses": uncalled} if uncalled else {}
        typer.echo(json.dumps(shown, ensure_ascii=False))
    elif findings:
        _print(_table(findings, spoken, f"{asked.controller.name}, {day.isoformat()}"))
    elif not uncalled:
        typer.echo(f"{asked.controller.name}: nothing to ask.")
    for fault in () if as_json else uncalled:
        typer.echo(fault)
    if reading is not None and not as_json:
        typer.echo(f"{len(reading.observations)} quotes{f' written to {out}' if out else ''}.")
    if letters and not as_json:
        typer.echo("\n".join(said) or "The letters read well.")
    if uncalled or any(finding.severity is Severity.REFUSE_TO_LOAD for finding in findings):
        raise typer.Exit(1)


def _uncalled(profile: Profile) -> list[str]:
    """Addresses that this installation would refuse to call, by what this environment allows."""
    from adapters.inbound.cli.console import settings_or_stop
    from adapters.outbound.webhooks.admission import CALLED, Admission
    from adapters.outbound.webhooks.guard import Guard
    from adapters.settings import system_secrets

    if not any(system.connector in CALLED for system in profile.systems):
        return []
    return list(Admission(Guard(settings_or_stop().webhook_allow), system_secrets).faults(profile))


def _letters(profile: Profile) -> list[str]:
    from services.profile_lint import faults_of

    return faults_of(profile)


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


@profiles.command(name="what-if")
def what_if(
    old: Annotated[str, typer.Argument(help="A profile's file, a shipped id, or in-force.")],
    new: Annotated[str, typer.Argument(help="The profile to try, given in the same way.")],
    controller: Annotated[
        str | None, typer.Option(help="Whose requests; else those of NEW's id.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Received on or after this day.", metavar="DATE")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show which dates, decisions and holds of past requests another profile would change.

    Nothing is changed. Records that have been destroyed are counted, not decided.
    """
    from adapters.inbound.cli.console import opened, settings_or_stop

    first = _since(since)
    with opened(settings_or_stop()) as installation:
        name = controller or _loaded_or_in_force(installation, new, None).id
        pair = [_loaded_or_in_force(installation, given, name) for given in (old, new)]
        if name not in installation.controllers.names():
            _refuse(f"there is no controller {name!r}: name one with --controller")
        installation.follower().drain()
        told = installation.what_if.compare(*pair, controller=name, since=first)
        tell = _tell_as_json if as_json else _tell_in_lines
        tell(told)


def _loaded_or_in_force(installation: Installation, given: str, name: str | None) -> Profile:
    if given != "in-force":
        return _loaded(given)
    if name is None:
        _refuse("in-force of which controller? Name it with --controller")
    return installation.controllers.in_force(name)


def _since(given: str | None) -> date | None:
    try:
        return date.fromisoformat(given) if given else None
    except ValueError:
        _refuse(f"--since {given!r} is not a day: write it as year-month-day, e.g. 2027-02-01")


def _tell_as_json(told: Iterable[Difference]) -> None:
    """One object, written as it is found: there may be very many requests."""
    looked_at, destroyed, lead = 0, 0, ""
    sys.stdout.write('{"requests": [')
    for one in told:
        looked_at, destroyed = looked_at + 1, destroyed + one.destroyed
        if one.differs:
            plain = asdict(one) | {"right": one.right.value}
            sys.stdout.write(f"{lead}\n{json.dumps(plain, default=str)}")
            lead = ","
    counts = {"looked_at": looked_at, "records_destroyed": destroyed}
    sys.stdout.write(f"\n], {json.dumps(counts)[1:]}\n")


def _tell_in_lines(told: Iterable[Difference]) -> None:
    looked_at = differ = destroyed = 0
    for one in told:
        looked_at, destroyed = looked_at + 1, destroyed + one.destroyed
        if not one.differs:
            continue
        differ += 1
        typer.echo(f"{one.reference} {one.right.value}, received {one.received_on}")
        for change in (*one.dates, *one.in_policy, *one.decisions, *one.holds):
            typer.echo(f"  {change.what}: {change.old or 'none'} → {change.new or 'none'}")
    typer.echo(f"{looked_at} requests looked at, {differ} differ.")
    if destroyed:
        typer.echo(f"{destroyed} records are destroyed: nobody can say what would become of them.")


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
