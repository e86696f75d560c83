"""Connectors that live elsewhere are tested with our tests and named in profiles (issue 6)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from adapters.connector_kit.plugin import worlds_in
from adapters.outbound import connectors

README = Path(connectors.__file__).with_name("README.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"<!-- file: ([\w.]+) -->\n```\w+\n(.*?)```", README, flags=re.DOTALL))
"""What a newcomer copies, word by word."""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package as `pip install` would leave it: modules, and what they are entered for."""
    installed = tmp_path / "installed"
    told = installed / "loft_for_trettio-1.0.dist-info"
    told.mkdir(parents=True)
    for name in ("loft.py", "loft_world.py"):
        (installed / name).write_text(FILES[name], encoding="utf-8")
    project = tomllib.loads(FILES["pyproject.toml"])["project"]
    entered = project["entry-points"]["trettio.connectors"]
    (told / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    (told / "entry_points.txt").write_text(
        "[trettio.connectors]\n" + "".join(f"{name} = {at}\n" for name, at in entered.items())
    )
    return installed


def run(package: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """In the author's own directory, where nothing of this repository's tests is."""
    there = package.parent / "author"
    there.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, *words],
        cwd=there,
        # What else is installed here, the author has not.
        env={**os.environ, "PYTHONPATH": str(package), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_connector_elsewhere_is_tested_as_its_author_would(package: Path) -> None:
    kit = ("-m", "pytest", "-q", "-p", "trettio", "--trettio-connector", "loft_world")

    green = run(package, *kit)

    assert green.returncode == 0, green.stdout + green.stderr
    assert "22 passed" in green.stdout
    assert "skipped" not in green.stdout

    file = package / "loft.py"
    file.write_text(FILES["loft.py"].replace("chests.pop(treatment.key, None)", "chests.popitem()"))
    red = run(package, *kit, "-k", "takes_the_person")

    assert red.returncode == 1


def test_a_module_without_a_world_is_told_what_to_add() -> None:
    with pytest.raises(pytest.UsageError, match="has no World"):
        worlds_in("adapters.connector_kit")


def test_installed_connectors_may_be_named_in_profiles(package: Path) -> None:
    """One that cannot be imported says whose it is, and stops nothing else."""
    (package / "cellar.py").write_text("import nothing_of_that_name\n")
    with (package / "loft_for_trettio-1.0.dist-info" / "entry_points.txt").open("a") as told:
        told.write("cellar = cellar\n")
    tried = (
        "from adapters.outbound.connectors import Misconfigured, build, names\n"
        "print(type(build('loft', {'file': 'x'})).__name__, {'loft', 'stripe'} <= set(names()))\n"
        "try:\n    build('cellar', {})\nexcept Misconfigured as error:\n    print(error)\n"
    )

    said = run(package, "-c", tried).stdout.splitlines()

    assert said[0] == "Loft True"
    assert "loft-for-trettio" in said[1]
    assert "nothing_of_that_name" in said[1]
