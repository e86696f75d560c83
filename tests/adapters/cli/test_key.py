"""`trettio key`: on paper and back, in turn without a pause, and shown by nothing but its sheet."""

from __future__ import annotations

import base64
import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from adapters.bootstrap import installation
from adapters.inbound.cli.main import app
from adapters.outbound.master_keys import MasterKeys, load_master_keys
from adapters.outbound.recovery_sheet import groups
from adapters.settings import Settings
from domain.personal import PersonalRef
from domain.vocabulary import Compartment

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-c", "from adapters.inbound.cli.main import main; main()"]


@dataclass(frozen=True)
class Said:
    exit_code: int
    output: str
    problem: str

    @property
    def all(self) -> str:
        return self.output + self.problem


@dataclass
class Operator:
    """Somebody with a shell on the machine; hears everything that any command ever says."""

    environment: dict[str, str]
    key_file: Path
    heard: list[str]

    def trettio(self, *words: str, typed: str = "", **more: str) -> Said:
        done = CliRunner().invoke(app, words, input=typed, env={**self.environment, **more})
        self.heard.append(done.stdout + done.stderr)
        return Said(done.exit_code, done.stdout, done.stderr)

    def confirm(self, key_lines: Sequence[str], *more: str) -> Said:
        """Answer what is asked, and not before."""
        with subprocess.Popen(
            [*COMMAND, "key", "confirm", *more],
            env={**os.environ, "PYTHONPATH": str(ROOT), **self.environment},
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin
            assert process.stdout
            said = ""
            while letter := process.stdout.read(1):
                said += letter
                if asked := re.search(r"Group (\d): $", said):
                    process.stdin.write(key_lines[int(asked[1]) - 1] + "\n")
                    process.stdin.flush()
                    said += "\n"
            _, problem = process.communicate(timeout=60)
            return Said(process.returncode, said, problem)

    @property
    def keys(self) -> MasterKeys:
        return load_master_keys(path=self.key_file)


@pytest.fixture
def operator(database_url: str, tmp_path: Path) -> Iterator[Operator]:
    """An installation with one compartment, and its key file outside its data."""
    key_file = tmp_path / "keys" / "master-key"
    environment = {
        "TRETTIO_DATABASE_URL": database_url,
        "TRETTIO_HOME": str(tmp_path / "home"),
        "TRETTIO_MASTER_KEY_FILE": str(key_file),
        "TRETTIO_LOG": "json",
    }
    operator = Operator(environment, key_file, [])
    assert operator.trettio("key", "new", str(key_file)).exit_code == 0
    yield operator
    for key in (operator.keys.current, *operator.keys.older):
        shown = (key.key.hex(), base64.b64encode(key.key).decode(), repr(key.key), *groups(key))
        for said in operator.heard:
            assert not any(form in said for form in shown), "a command showed a key"


def settings_of(operator: Operator) -> Settings:
    return Settings.model_validate(
        {
            "database_url": operator.environment["TRETTIO_DATABASE_URL"],
            "home": Path(operator.environment["TRETTIO_HOME"]),
            "master_key_file": operator.key_file,
        }
    )


def _seal(operator: Operator) -> PersonalRef:
    with installation(settings_of(operator)) as opened:
        sealed = opened.vault.seal(uuid4(), Compartment.UPLOAD, b"passport")
        opened.database.run(*sealed.also)
        return sealed.ref


def _open(operator: Operator, ref: PersonalRef) -> bytes:
    with installation(settings_of(operator)) as opened:
        return opened.vault.open(ref)


def _sheet(operator: Operator) -> str:
    """The page; the only words that may show a key, so they are not among what was heard."""
    said = operator.trettio("key", "export", "--name", "test house")
    operator.heard.remove(said.all)
    assert said.exit_code == 0
    return said.output


# Rotation


def test_a_key_is_replaced_step_by_step(operator: Operator) -> None:
    ref, old = _seal(operator), operator.keys.current
    first = old.id
    assert (
        "1 compartments  seals, given, sheet not confirmed"
        in operator.trettio("key", "list").output
    )

    assert operator.trettio("key", "new").exit_code == 0
    second = operator.keys.current.id
    assert second != first
    refused = operator.trettio("key", "retire", first)
    assert (refused.exit_code, "it seals" in refused.problem) == (1, True)

    rotated = operator.trettio("key", "rotate").output
    assert f"key {second} seals from now on" in rotated
    assert f"1 compartments wrapped anew under key {second}" in rotated
    assert f"trettio key retire {first}" in rotated
    assert "0 compartments wrapped anew" in operator.trettio("key", "rotate").output

    unprinted = operator.trettio("key", "retire", first)
    assert (unprinted.exit_code, "was never confirmed" in unprinted.problem) == (1, True)
    assert first in operator.keys.ids
    assert operator.confirm(groups(old), "--id", first).exit_code == 0
    assert f"{first}  0 compartments  not needed, given, sheet confirmed" in (
        operator.trettio("key", "list").output
    )
    assert operator.trettio("key", "retire", first).exit_code == 0
    assert operator.keys.ids == (second,)
    assert _open(operator, ref) == b"passport"
    assert operator.trettio("key", "list").output.startswith(f"{second}  1 compartments  seals")


def test_a_key_that_is_taken_away_too_early_stops_every_start_with_one_line(
    operator: Operator,
) -> None:
    _seal(operator)
    first = operator.key_file.read_text()
    old = operator.keys.current.id
    operator.key_file.unlink()
    assert operator.trettio("key", "new").exit_code == 0

    for words in (
        ("serve",),
        ("serve", "--only-web"),
        ("work",),
        ("follow",),
        ("migrate",),
        ("rebuild",),
        ("replay", "--self"),
        ("tasks", "parked"),
        ("token", "revoke", "x"),
        ("check",),
    ):
        said = operator.trettio(*words)
        assert said.exit_code == 2, words
        assert said.problem.count("\n") == 1, said.problem
        assert f"master key {old} is missing: the vault's secret and 1 compartments" in said.problem
        assert said.output == ""
    listed = operator.trettio("key", "list")
    assert listed.exit_code == 1
    assert f"{old}  1 compartments  seals, MISSING HERE" in listed.output
    operator.key_file.write_text(operator.key_file.read_text() + first)
    assert operator.trettio("tasks", "parked").exit_code == 0


def test_keys_in_a_variable_are_changed_by_whoever_set_it(operator: Operator) -> None:
    _seal(operator)
    value = operator.key_file.read_text().strip()
    more = {"TRETTIO_MASTER_KEY": value, "TRETTIO_MASTER_KEY_FILE": ""}

    refused = operator.trettio("key", "new", **more)
    assert refused.exit_code == 2
    assert "TRETTIO_MASTER_KEY, which no program can change" in refused.problem
    operator.trettio("key", "new")
    both = {**more, "TRETTIO_MASTER_KEY": operator.key_file.read_text().replace("\n", ",")}
    assert "1 compartments wrapped anew" in operator.trettio("key", "rotate", **both).output


# The recovery sheet


def test_a_key_comes_back_from_its_sheet(operator: Operator, tmp_path: Path) -> None:
    ref = _seal(operator)
    page = _sheet(operator)
    assert "test house" in page
    operator.key_file.unlink()

    said = operator.trettio("key", "recover", str(operator.key_file), typed=page)

    assert said.exit_code == 0
    assert operator.keys.current.id in said.output
    assert operator.key_file.stat().st_mode & 0o777 == 0o600
    assert _open(operator, ref) == b"passport"
    again = operator.trettio("key", "recover", str(operator.key_file), typed=page)
    assert "was already in" in again.output


def test_a_key_may_go_without_a_sheet_if_somebody_says_so(operator: Operator) -> None:
    first = operator.keys.current.id
    operator.trettio("key", "new")
    operator.trettio("key", "rotate")

    assert operator.trettio("key", "retire", first).exit_code == 1
    assert operator.trettio("key", "retire", first, "--without-sheet").exit_code == 0
    assert first not in operator.keys.ids


def test_a_mistyped_sheet_makes_no_file(operator: Operator, tmp_path: Path) -> None:
    page = _sheet(operator)
    right = groups(operator.keys.current)[2]
    wrong = right[:-1] + ("7" if right[-1] != "7" else "8")

    said = operator.trettio(
        "key", "recover", str(tmp_path / "new"), typed=page.replace(right, wrong)
    )

    assert said.exit_code == 2
    assert "group 3 is not right" in said.problem
    assert not (tmp_path / "new").exists()


def test_a_sheet_is_confirmed_by_typing_two_groups_back(operator: Operator) -> None:
    _seal(operator)
    key = operator.keys.current

    said = operator.confirm(groups(key))

    assert said.exit_code == 0, said.all
    assert len(re.findall(r"Group \d", said.output)) == 2
    assert "sheet confirmed 20" in operator.trettio("key", "list").output
    with installation(settings_of(operator)) as opened:
        assert opened.warnings() == []


def test_the_sheet_of_another_key_confirms_nothing(operator: Operator) -> None:
    _seal(operator)
    other = operator.keys.current
    operator.trettio("key", "new")

    said = operator.confirm(groups(other))

    assert said.exit_code == 1
    assert "is of another key's sheet" in said.problem
    assert "sheet confirmed" not in operator.trettio("key", "list").output


def test_no_command_leaves_its_memory_behind_when_it_crashes(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A core file would hold the key, beside the data of people."""
    limits: list[tuple[int, tuple[int, int]]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda *limit: limits.append(limit))

    for words in (("key", "list"), ("tasks", "parked"), ("key", "export", "--id", "none")):
        limits.clear()
        operator.trettio(*words)
        assert (resource.RLIMIT_CORE, (0, 0)) in limits, words


# What health says


def test_health_says_where_the_key_lies_and_that_no_sheet_is_confirmed(
    operator: Operator, tmp_path: Path
) -> None:
    inside = Settings.model_validate(
        {"database_url": operator.environment["TRETTIO_DATABASE_URL"], "home": tmp_path / "other"}
    )
    with installation(inside) as opened:
        beside, unconfirmed = opened.warnings()
        assert "lies in the data directory" in beside
        assert "recovery sheet is not confirmed" in unconfirmed
    with installation(inside, invented=True) as opened:
        assert opened.warnings() == []
