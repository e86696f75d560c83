"""What is handed to others: the wheel, the pinned requirements, the example environment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from adapters.settings import (
    FROM_FILES,
    PREFIX,
    PROVIDER_PREFIX,
    SYSTEM_PREFIX,
    Settings,
    load_settings,
)
from tests.support.components import unavailable
from tests.support.demonstration import environment, started

ROOT = Path(__file__).parents[1]
PACKAGES = ("domain", "services", "projections", "adapters")
DEPLOY = ROOT / "deploy"
LOCK = DEPLOY / "requirements.lock"
EXPORT = ("export", "--no-default-groups", "--no-emit-project", "--format", "requirements.txt")


def uv(*arguments: str | Path, cwd: Path = ROOT) -> str:
    """Run uv, or skip with what it said: it may lack a package index."""
    program = os.environ.get("UV") or shutil.which("uv")
    if program is None:
        unavailable("uv", "pip install uv")
    done = subprocess.run(
        [program, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode:
        unavailable("uv with a package index", done.stderr.strip().splitlines()[-1])
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    uv("build", "--wheel", "--quiet", "--out-dir", folder)
    (built,) = folder.glob("*.whl")
    return built


# The wheel


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    """Profiles, calendars, texts, templates, styles, migrations, schemas, the demonstration."""
    if not (ROOT / ".git").exists():
        unavailable("the repository", "run this test in a clone")
    listed = _run(["git", "ls-files", *PACKAGES]).splitlines()
    tracked = {name for name in listed if (ROOT / name).exists()}

    packed = set(zipfile.ZipFile(wheel).namelist())

    assert {Path(name).suffix for name in tracked} >= {".py", ".toml", ".html", ".css", ".sql"}
    assert tracked - packed == set()


def test_the_wheel_brings_nothing_but_the_packages(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}

    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_the_installed_wheel_starts_the_demonstration(wheel: Path, tmp_path: Path) -> None:
    """In an empty environment with nothing but the pinned requirements, and an empty home."""
    environ, home = tmp_path / "environment", tmp_path / "home"
    home.mkdir()
    python = environ / "bin" / "python"
    uv("venv", "--quiet", "--python", sys.executable, environ)
    pip = ("pip", "install", "--quiet", "--python", python)
    uv(*pip, "--require-hashes", "--requirement", LOCK)
    uv(*pip, "--no-deps", wheel)

    alone = environment(home)
    del alone["PYTHONPATH"]
    with started(home, command=[str(environ / "bin" / "trettio")], env=alone) as demo:
        assert demo.visitor().open("/demo").count('href="/desk/cases/') == 3
        assert demo.stop() == 0
        assert demo.leftovers() == []


# Requirements


def test_the_pinned_requirements_are_what_the_project_asks_for(tmp_path: Path) -> None:
    """If not: uv export … --output-file deploy/requirements.lock, as its second line says."""
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)

    fresh = uv(*EXPORT, "--no-header", "--quiet", cwd=tmp_path)

    assert _pins(LOCK.read_text()) == _pins(fresh)


def test_every_pinned_requirement_has_a_hash_and_no_address() -> None:
    text = LOCK.read_text()

    assert len(re.findall(r"^[\w.-]+==\S+.* \\\n    --hash=sha256:", text, re.MULTILINE)) == len(
        _pins(text)
    )
    assert "://" not in text
    assert "index" not in text


# The example environment


def test_the_example_environment_names_every_setting_with_a_comment() -> None:
    lines = (DEPLOY / "trettio.env.example").read_text().splitlines()
    settings = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assigned = [(n, m[1]) for n, line in enumerate(lines) if (m := _ASSIGNED.fullmatch(line))]

    apart = (SYSTEM_PREFIX, PROVIDER_PREFIX)
    named = [name for _, name in assigned if not name.startswith(apart)]
    assert sorted(named) == sorted(settings)
    assert [name for number, name in assigned if not lines[number - 1].startswith("# ")] == []


def test_the_example_environment_is_a_valid_one(tmp_path: Path) -> None:
    lines = (DEPLOY / "trettio.env.example").read_text().splitlines()
    environ = dict(
        line.removeprefix("#").split("=", 1) for line in lines if _ASSIGNED.fullmatch(line)
    )
    environ["TRETTIO_PROFILES"] = str(tmp_path)  # has to be there already
    for name in FROM_FILES:  # either the variable or its file
        del environ[f"{PREFIX}{name.upper()}_FILE"]

    settings = load_settings({name: value for name, value in environ.items() if value})

    assert settings.public_url is not None
    assert settings.public_url.endswith(".example")


_ASSIGNED = re.compile(r"#?(TRETTIO_\w+)=.*")


def _pins(text: str) -> list[str]:
    return [
        line.removesuffix("\\").strip()
        for line in text.splitlines()
        if re.match(r"[A-Za-z0-9]", line)
    ]


def _run(command: Sequence[str]) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
