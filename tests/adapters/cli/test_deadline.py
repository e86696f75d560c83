"""`trettio deadline` prints what tools rely on, and refuses in one clear line."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date, timedelta

import pytest
from typer.testing import CliRunner, Result

from adapters.inbound.cli.main import app
from tests.support.deadline_oracle import expected


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["deadline", *arguments])


def test_gk_03_as_json_is_exactly_these_fields() -> None:
    result = run("--received", "2027-02-01", "--country", "NO", "--promise-days", "30", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "statutory_due": "2027-03-01",
        "promise_due": "2027-03-03",
        "target_due": "2027-03-01",
        "unrolled": "2027-03-01",
        "calendar": "NO-2026.1",
    }


def test_json_without_a_promise_says_null() -> None:
    result = run("--received", "2026-12-06", "--country", "SE", "--json")

    assert json.loads(result.stdout) == {
        "statutory_due": "2027-01-07",
        "promise_due": None,
        "target_due": "2027-01-05",
        "unrolled": "2027-01-06",
        "calendar": "SE-2026.1",
    }


def test_csv_has_one_row_per_day_of_receipt_to_until_inclusive() -> None:
    result = run(
        *("--received", "2027-01-30", "--until", "2027-02-01", "--country", "NO"),
        *("--promise-days", "30", "--csv"),
    )

    assert result.stdout == (
        "received,unrolled,statutory_due,promise_due,target_due\n"
        "2027-01-30,2027-02-28,2027-03-01,2027-03-01,2027-02-26\n"
        "2027-01-31,2027-02-28,2027-03-01,2027-03-02,2027-02-26\n"
        "2027-02-01,2027-03-01,2027-03-01,2027-03-03,2027-03-01\n"
    )


@pytest.mark.parametrize("country", ["NO", "SE"])
def test_csv_over_all_years_agrees_with_the_oracle_and_leaves_an_absent_promise_empty(
    country: str,
) -> None:
    result = run(
        *("--received", "2018-01-01", "--until", "2040-12-31", "--country", country, "--csv")
    )

    _, *rows = result.stdout.splitlines()
    assert len(rows) == (date(2041, 1, 1) - date(2018, 1, 1)).days
    for number, row in enumerate(rows):
        received = date(2018, 1, 1) + timedelta(number)
        unrolled, law, _, target = expected(country, received, None)
        assert row == f"{received},{unrolled},{law},,{target}"


def test_csv_without_until_is_one_row() -> None:
    result = run("--received", "2027-02-01", "--country", "NO", "--csv")

    assert result.stdout.splitlines()[1:] == ["2027-02-01,2027-03-01,2027-03-01,,2027-03-01"]


@pytest.mark.parametrize(
    ("country", "language", "title"),
    [
        ("NO", [], "3. Siste dag etter loven: mandag 1. mars 2027"),
        ("SE", [], "3. Sista dag enligt lagen: måndag 1 mars 2027"),
        ("NO", ["--language", "nn"], "3. Siste dag etter lova: måndag 1. mars 2027"),
        ("SE", ["--language", "en"], "3. Last day by law: Monday 1 March 2027"),
    ],
)
def test_the_explanation_speaks_the_countrys_language_or_the_one_asked_for(
    country: str, language: list[str], title: str
) -> None:
    result = run("--received", "2027-02-01", "--country", country, *language)

    assert result.exit_code == 0
    assert title in result.stdout.splitlines()
    assert result.stdout.endswith(f"{country}-2026.1\n")


def test_a_pinned_calendar_is_used() -> None:
    result = run(
        *("--received", "2026-05-19", "--country", "SE", "--calendar", "2026.1+eves", "--json")
    )

    assert json.loads(result.stdout)["statutory_due"] == "2026-06-22"
    assert json.loads(result.stdout)["calendar"] == "SE-2026.1+eves"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("", "--received is missing"),
        ("--received 2027-02-01", "--country is missing: choose NO or SE"),
        ("--received 2027-02-30 --country NO", "--received '2027-02-30' is not a day"),
        ("--received 1.2.2027 --country NO", "write it as year-month-day, e.g. 2027-02-01"),
        ("--received 2027-02-01 --country DK", "--country 'DK' is not known: choose NO or SE"),
        ("--received 2027-02-01 --country NO --promise-days month", "write it in digits"),
        ("--received 2027-02-01 --country NO --promise-days 0", "give 1 to 366"),
        ("--received 2027-02-01 --country NO --promise-days -3", "give 1 to 366"),
        ("--received 2027-02-01 --country NO --language de", "choose nb, nn, sv, en"),
        ("--received 2027-02-01 --country NO --calendar 1999.1", "choose one of 2026.1"),
        ("--received 2017-12-31 --country NO", "from 2018 to 2040"),
        ("--received 2041-01-01 --country NO --json", "from 2018 to 2040"),
        ("--received 2040-12-01 --country NO --until 2041-01-01 --csv", "from 2018 to 2040"),
        ("--received 2027-02-01 --country NO --json --csv", "choose --json or --csv"),
        ("--received 2027-02-01 --country NO --until 2027-03-01", "needs --csv"),
        ("--received 2027-02-02 --country NO --until 2027-02-01 --csv", "swap the two"),
    ],
)
def test_bad_input_is_refused_in_one_clear_line(arguments: str, why: str) -> None:
    result = run(*arguments.split())

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("trettio deadline: ")
    assert why in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_command_line_starts_without_the_web_the_database_or_the_domain() -> None:
    """Commands import what they need when they run, so that a date is there at once."""
    heavy = ["domain", "services", "projections", "psycopg", "fastapi", "eventsourcing"]
    code = (
        "import sys, adapters.inbound.cli.main; "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )

    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert found.stdout.strip() == "[]"


def test_pauses_and_an_extension_are_told_with_their_reasons() -> None:
    """B.2.5, B.2.6: both worlds beside the plain dates, each with its why, in four languages."""
    facts = ("--received", "2026-06-01", "--country", "NO", "--pause", "2026-06-02..2026-06-12")
    titles = set()
    for language in ("nb", "nn", "sv", "en"):
        result = run(*facts, "--extended", "--json", "--why", "--language", language)
        told = json.loads(result.stdout)
        assert told["statutory_due"] == "2026-07-01"
        assert told["statutory_due_if_suspended"] == told["extended_due"] == "2026-09-01"
        assert [step["day"] for step in told["why"]][-1] == told["extended_target_due"]
        titles.add(told["why"][1]["title"])
    assert len(titles) == 4

    shown = run(*facts, "--language", "en").stdout
    assert "13 July 2026" in shown
    for wrong in (("--pause", "2026"), ("--pause", "2026-06-05..2026-06-02"), ("--csv", "--why")):
        assert run(*facts, *wrong).exit_code == 2
