"""Makes what the upgrade test starts from: the database, keys and profiles of a tagged version.

    .venv/bin/python tests/upgrades/make.py v0.1.0

The tagged code runs by itself, from a copy of its tree; `history.py` tells it what to live through.
Run it once for every new tag and commit what it made. Everybody in it is invented.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from adapters.embedded_postgres import EmbeddedPostgres  # noqa: E402
from tests.support.programs import dump  # noqa: E402


def make(tag: str) -> None:
    into = HERE / tag
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir()
    with tempfile.TemporaryDirectory(prefix="trettio-upgrade-") as name:
        folder = Path(name)
        archive = subprocess.run(["git", "archive", tag], check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as tree:
            tree.extractall(folder / "tree", filter="data")
        with EmbeddedPostgres(folder / "server", settings={"fsync": "off"}) as server:
            subprocess.run(
                [sys.executable, str(HERE / "history.py"), server.url, str(folder / "home")],
                env={**os.environ, "PYTHONPATH": str(folder / "tree")},
                cwd=folder / "tree",
                check=True,
            )
            dump(server.url, into / "database.sql.gz")
        for kept in ("master.key", "destroyed-keys"):
            shutil.copy(folder / "home" / kept, into / kept)
        shutil.copytree(folder / "tree" / "adapters" / "demo" / "organisations", into / "profiles")


if __name__ == "__main__":
    make(sys.argv[1])
