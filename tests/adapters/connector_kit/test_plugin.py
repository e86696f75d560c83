"""Connectors that live elsewhere are tested with our tests and named in profiles (issue 6)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONNECTOR = '''
"""The loft: who has a chest in it, in one JSON file."""

import json
from pathlib import Path

from adapters.outbound.connectors import connector, need
from domain.vocabulary import Outcome
from services.matching import match_level
from services.ports import AwaitsPerson, Record, Refused, Result


@connector("loft")
class Loft:
    def __init__(self, configuration):
        self._file = Path(need(configuration, "file", of="loft"))

    def find(self, person, *, fresh_after=None):
        for number, chest in self._chests().items():
            level = match_level(person, emails=[chest["email"]], names=[chest["name"]])
            if level is not None:
                yield Record(number, "chest", *level, fields=chest)

    def erase(self, person, treatment, *, key):
        chests = self._chests()
        if chests.pop(treatment.key, None) is None:
            return Result(Outcome.NOT_FOUND)
        self._file.write_text(json.dumps(chests))
        return Result(Outcome.ERASED)

    def suppress(self, person, *, key):
        raise AwaitsPerson("suppress-by-hand")

    def _chests(self):
        try:
            return json.loads(self._file.read_text())
        except (OSError, ValueError):
            raise Refused("the loft's file cannot be read") from None
'''

WORLD = '''
"""The loft, as the contract tests fill it."""

import json

from adapters.connector_kit import World


class OfLoft(World):
    connector = "loft"
    more_than_a_page = 100

    def configuration(self, url):
        return {"file": str(self.folder / "loft.json")}

    def __enter__(self):
        self.put_back({})
        return self

    def plant(self, who, *, records=1):
        chests = self.kept()
        for _ in range(records):
            chests[f"C{len(chests)}"] = {"email": who.email, "name": who.name}
        self.put_back(chests)

    def kept(self):
        return json.loads((self.folder / "loft.json").read_text())

    def put_back(self, kept):
        (self.folder / "loft.json").write_text(json.dumps(kept))
'''


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package as `pip install` would leave it: modules, and what they are entered for."""
    installed = tmp_path / "installed"
    for name, text in (("__init__", ""), ("loft", CONNECTOR), ("world", WORLD)):
        file = installed / "loft_for_trettio" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    told = installed / "loft_for_trettio-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: loft-for-trettio\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text("[trettio.connectors]\nloft = loft_for_trettio.loft\n")
    return installed


def run(package: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """In the author's own directory, where nothing of this repository's tests is."""
    there = package.parent / "author"
    there.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, *words],
        cwd=there,
        env={**os.environ, "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_connector_elsewhere_is_tested_as_its_author_would(package: Path) -> None:
    kit = ("-m", "pytest", "-q", "-p", "no:xdist", "--trettio-connector", "loft_for_trettio.world")

    green = run(package, *kit)

    assert green.returncode == 0, green.stdout + green.stderr
    assert "22 passed" in green.stdout
    assert "skipped" not in green.stdout

    file = package / "loft_for_trettio" / "loft.py"
    file.write_text(CONNECTOR.replace("if level is not None:", "if level or chest:"))
    red = run(package, *kit, "-x")

    assert red.returncode == 1


def test_a_module_without_a_world_is_told_what_to_add(package: Path) -> None:
    ran = run(package, "-m", "pytest", "--trettio-connector", "loft_for_trettio.loft")

    assert ran.returncode == 4
    assert "has no World" in ran.stderr


def test_an_installed_connector_may_be_named_in_profiles(package: Path) -> None:
    named = (
        "from adapters.outbound.connectors import build, names;"
        "print(build('loft', {'file': 'x'}).__class__.__name__, 'loft' in names())"
    )

    assert run(package, "-c", named).stdout == "Loft True\n"


def test_a_package_that_cannot_be_imported_says_so_and_stops_nothing_else(package: Path) -> None:
    (package / "loft_for_trettio" / "loft.py").write_text("import nothing_of_that_name\n")
    tried = (
        "from adapters.outbound.connectors import Misconfigured, build, names\n"
        "assert 'stripe' in names()\n"
        "try:\n    build('loft', {})\nexcept Misconfigured as error:\n    print(error)\n"
    )

    said = run(package, "-c", tried).stdout

    assert "loft-for-trettio" in said
    assert "nothing_of_that_name" in said
