"""`trettio`, run as somebody would: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

COMMAND = (sys.executable, "-c", "from adapters.inbound.cli.main import main; main()")


def trettio(
    *words: str, database_url: str, home: Path, **settings: object
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with nothing of this process's settings."""
    given = {"database_url": database_url, "home": home, **settings}
    ours = {f"TRETTIO_{name.upper()}": str(value) for name, value in given.items()}
    others = {k: v for k, v in os.environ.items() if not k.startswith("TRETTIO_")}
    return subprocess.run(
        [*COMMAND, *words], env=others | ours, capture_output=True, text=True, timeout=120
    )
