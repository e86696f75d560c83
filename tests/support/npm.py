"""Packages of npm for the tests: fetched once, then cached."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.support.components import alone_with, cache, unavailable


def package(name: str, version: str) -> Path:
    """The folder that has the package among its `node_modules`."""
    folder = cache() / f"{name.lstrip('@').replace('/', '-')}-{version}"
    with alone_with(folder):
        if not (folder / "node_modules" / name / "package.json").exists():
            _install(folder, name, version)
    return folder


def _install(folder: Path, name: str, version: str) -> None:
    hint = f"needs node, npm and its registry: npm install {name}@{version}"
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        unavailable(name, hint)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "package.json").write_text('{"private": true, "type": "module"}', encoding="utf-8")
    quietly = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
    try:
        subprocess.run(
            [npm, "install", *quietly, f"{name}@{version}"],
            check=True,
            capture_output=True,
            text=True,
            timeout=300,
        )
    except (OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        unavailable(name, f"{hint} ({type(error).__name__})")
