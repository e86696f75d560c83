"""Playwright for the tests that need a browser: large, so that nobody else has to install it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.components import alone_with, cache, unavailable

VERSION = "1.65.2"
NOT_NEWER_THAN = "2026-11-20T00:00:00Z"


def provide() -> None:
    """Make `playwright` importable; the first time it is fetched, then it is cached."""
    if importlib.util.find_spec("playwright") is not None:
        return
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache() / f"playwright-{VERSION}-{python}"
    with alone_with(folder):
        if not (folder / "playwright").exists():
            _install(folder)
    sys.path.append(str(folder))
    importlib.invalidate_caches()


def _install(folder: Path) -> None:
    making, pinned = folder.with_name(f"{folder.name}.new"), f"playwright=={VERSION}"
    shutil.rmtree(making, ignore_errors=True)
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv:
        command = [uv, "pip", "install", "--python", sys.executable]
        command += ["--exclude-newer", NOT_NEWER_THAN]
    else:
        command = [sys.executable, "-m", "pip", "install", "--quiet"]
    try:
        subprocess.run(
            [*command, "--target", str(making), pinned],
            check=True,
            capture_output=True,
            text=True,
            timeout=600,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        unavailable(
            "Playwright", f"pip install {pinned} ({said[-1] if said else type(error).__name__})"
        )
    making.rename(folder)
