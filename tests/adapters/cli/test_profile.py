"""`trettio profile check`: findings as a table or as JSON, errors in one line each."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapters.inbound.cli.console import opened
from adapters.inbound.cli.main import app
from adapters.profiles import shipped_profiles
from adapters.settings import load_settings
from tests.support.policies import POLICIES
from tests.support.published import FJORDLYST, SKOGSLJUS

ON = ("--on", "2026-11-22")


def run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "120"}).invoke(app, ["profile", "check", *arguments])


def findings(result: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
    return found


def test_findings_come_as_json_with_code_place_and_quote() -> None:
    result = run(str(shipped_profiles()[POLICIES["AO"].id]), "--json", *ON)

    assert result.exit_code == 0
    outdated = next(f for f in findings(result) if f["code"] == "authority_outdated")
    assert outdated["where"] == "observations.authority"
    assert outdated["line"] == 71
    assert "Datainspektionen" in outdated["quote"]
    assert set(outdated["question"]) == {"nb", "sv", "en"}


@pytest.mark.parametrize("short", sorted(POLICIES))
def test_a_shipped_profile_is_found_by_its_id(short: str) -> None:
    result = run(POLICIES[short].id, "--json", *ON)

    assert result.exit_code == 0
    assert findings(result)


def test_without_json_a_table_asks_in_the_profile_s_language_or_another() -> None:
    asked = run(POLICIES["GK"].id, *ON)
    in_english = run(POLICIES["GK"].id, "--language", "en", *ON)

    assert "authority_missing" in asked.stdout
    assert "tilsynsmyndighet" in asked.stdout
    assert "utenfor EØS, men innenfor EU" in asked.stdout
    assert "To which authority" in in_english.stdout


def test_a_repaired_file_loses_its_finding(tmp_path: Path) -> None:
    """AO-18."""
    file = tmp_path / "repaired.toml"
    shutil.copy(shipped_profiles()[POLICIES["AO"].id], file)
    file.write_text(
        file.read_text(encoding="utf-8").replace(
            "Datainspektionen", "Integritetsskyddsmyndigheten (IMY)"
        ),
        encoding="utf-8",
    )

    codes = {finding["code"] for finding in findings(run(str(file), "--json", *ON))}

    assert "authority_outdated" not in codes
    assert "authority_missing" not in codes


def test_a_profile_that_must_not_be_used_ends_in_1(tmp_path: Path) -> None:
    """E-12: one voucher, one system."""
    text = shipped_profiles()[POLICIES["GK"].id].read_text(encoding="utf-8")
    file = tmp_path / "twice.toml"
    file.write_text(
        text.replace(
            'kind = "profiling"\ncategory = "profiling"',
            'kind = "profiling"\ncategory = "profiling"\n\n'
            '[[systems.holdings]]\nkind = "receipt"\ncategory = "purchases"\nvoucher = true',
        ),
        encoding="utf-8",
    )

    result = run(str(file), "--json", *ON)

    assert result.exit_code == 1
    assert findings(result)[0]["code"] == "voucher_held_twice"
    assert findings(result)[0]["severity"] == "refuse-to-load"


def test_a_file_that_cannot_be_read_ends_in_2_with_one_line(tmp_path: Path) -> None:
    missing = run("no-such-file.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text('id = "x"\ncountry = "DK"\n', encoding="utf-8")
    malformed = run(str(broken))

    assert (missing.exit_code, malformed.exit_code) == (2, 2)
    assert missing.stderr.startswith("no-such-file.toml: there is no such file, and shipped are: ")
    assert POLICIES["MU"].id in missing.stderr
    assert f"{broken}: country: must be one of 'NO' or 'SE'\n" in malformed.stderr
    assert malformed.stdout == ""


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [("--on", "soon", "is not a day"), ("--language", "de", "is not one of nb, sv, en")],
)
def test_a_wrong_option_says_what_it_expects(option: str, value: str, reason: str) -> None:
    result = run(POLICIES["AK"].id, option, value)

    assert result.exit_code == 2
    assert reason in result.stderr


def test_what_was_decided_about_a_finding_is_recorded_and_the_rest_named(
    database_url: str, tmp_path: Path
) -> None:
    """A finding that keeps cases from being confirmed has a way off the list."""
    house = POLICIES["GK"].id
    (tmp_path / "profiles").mkdir()
    shutil.copy(shipped_profiles()[house], tmp_path / "profiles")
    settings = {
        "TRETTIO_DATABASE_URL": database_url,
        "TRETTIO_HOME": str(tmp_path / "home"),
        "TRETTIO_PROFILES": str(tmp_path / "profiles"),
    }

    def decide(code: str) -> Result:
        words = ["profile", "decide", house, code, "Asked the archive.", "--staff", "ola"]
        return CliRunner(env=settings).invoke(app, words)

    decided, unknown = decide("archive_duty"), decide("no_such_code")

    assert decided.exit_code == 0, decided.stderr
    assert decided.stdout.startswith("Recorded. Still open: ")
    assert "archive_duty" not in decided.stdout
    assert "retention_period_missing (decide-before-first-case)" in decided.stdout
    assert unknown.exit_code == 2
    assert "there is no finding 'no_such_code'" in unknown.stderr


HOOK = """
[[systems]]
id = "hook"
name = "Hook"
role = "internal"
delivery = "webhook"
connector = "webhook"
options = { url = "https://127.0.0.1:39443/x" }
holdings = []
"""


def test_an_address_that_is_not_called_is_named_before_the_profile_is_used(tmp_path: Path) -> None:
    file = with_hook(tmp_path)

    told, in_json = run(str(file), *ON), run(str(file), "--json", *ON)

    assert (told.exit_code, in_json.exit_code) == (1, 1)
    assert "system 'hook' cannot be called: the address must name a host" in told.stdout
    assert "127.0.0.1" not in told.stdout
    (fault,) = json.loads(in_json.stdout)["addresses"]
    assert fault.startswith("system 'hook' cannot be called")


def test_one_address_that_is_not_called_stops_no_command(database_url: str, tmp_path: Path) -> None:
    """Its system alone is left out, and /health says so."""
    settings = {
        "TRETTIO_DATABASE_URL": database_url,
        "TRETTIO_HOME": str(tmp_path / "home"),
        "TRETTIO_PROFILES": str(with_hook(tmp_path).parent),
    }

    with opened(load_settings(settings)) as installation:
        warnings = installation.warnings()
        assert not any("127.0.0.1" in warning for warning in warnings)
        house = POLICIES["GK"].id
        systems = {system.id for system in installation.controllers.in_force(house).systems}

    assert "hook" in systems
    assert any(f"{house}: system 'hook' cannot be called" in warning for warning in warnings)


def with_hook(tmp_path: Path) -> Path:
    folder = tmp_path / "profiles"
    folder.mkdir()
    shipped = shipped_profiles()[POLICIES["GK"].id].read_text(encoding="utf-8")
    file = folder / "hook.toml"
    file.write_text(shipped + HOOK, encoding="utf-8")
    return file


# A policy's text


def test_a_policy_is_quoted_and_asked_about(tmp_path: Path) -> None:
    """X-01: what was published is read; the quotes go to a file that a profile can take."""
    out = tmp_path / "quotes.toml"

    result = run("--text", str(FJORDLYST), "--out", str(out), "--json", *ON)

    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    fee = next(finding for finding in told["findings"] if finding["code"] == "fee_for_access")
    assert (fee["article"], fee["line"]) == ("Art. 12(5), 15(3)", 27)
    assert "500 kroner" in fee["quote"]
    assert len(told["observations"]) == len(tomllib.loads(out.read_text())["observations"])


def test_a_policy_is_held_against_a_profile() -> None:
    beside = run(POLICIES["AO"].id, "--text", str(SKOGSLJUS), "--json", *ON)
    alone = run("--text", str(SKOGSLJUS), *ON)

    codes = {finding["code"] for finding in findings(beside)}
    assert {"frequency_limit", "processor_role_doubtful"} <= codes
    assert "channel_missing" not in codes
    assert "frequency_limit" in alone.stdout
    assert "quotes." in alone.stdout


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "give a profile's file, or a policy with --text"),
        (("--text", "no-such.txt"), "no-such.txt: cannot be read"),
        (("--text", str(SKOGSLJUS), "--country", "DK"), "is not one of NO, SE"),
        ((POLICIES["AO"].id, "--out", "x.toml"), "give one with --text"),
        (("--text", str(SKOGSLJUS), "--out", "/no/such/folder/x"), "cannot be written"),
    ],
)
def test_what_cannot_be_read_or_written_is_said_in_one_line(
    arguments: tuple[str, ...], reason: str
) -> None:
    result = run(*arguments)

    assert result.exit_code == 2
    assert reason in result.stderr


def test_letters_with_the_profiles_words_are_looked_through() -> None:
    """E-07."""
    result = run(POLICIES["GK"].id, "--letters", "--json", *ON)

    assert json.loads(result.stdout)["letters"] == []
    assert "The letters read well." in run(POLICIES["GK"].id, "--letters", *ON).stdout
