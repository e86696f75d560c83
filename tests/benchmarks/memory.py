"""How much memory `trettio serve` holds when nothing happens.

python -m tests.benchmarks.memory
"""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from adapters.embedded_postgres import EmbeddedPostgres
from tests.benchmarks.figures import Figure, at_most
from tests.support.components import free_port

PAGES = ("/health", "/desk/sign-in")
SERVE = "from adapters.inbound.cli.main import main; main()"


def idle(url: str, home: Path, *, seconds: float = 3) -> Figure:
    """A process that has answered a few pages and then rests."""
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = {
        **os.environ,
        "TRETTIO_HOME": str(home),
        "TRETTIO_DATABASE_URL": url,
        "TRETTIO_PORT": str(port),
    }

    def trettio(command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", SERVE, command],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    assert trettio("migrate").wait(timeout=120) == 0
    process = trettio("serve")
    try:
        for page in PAGES:
            _get(port, page)
        time.sleep(seconds)
        pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    finally:
        process.terminate()
        process.wait(timeout=30)
    held = pages * os.sysconf("SC_PAGESIZE") / 1e6
    return at_most("resident memory of serve, idle", 100, held, "MB")


def _get(port: int, page: str) -> None:
    until = time.monotonic() + 60
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", page)
            connection.getresponse().read()
        except OSError:  # it has not started yet
            assert time.monotonic() < until, "no server"
            time.sleep(0.1)
        else:
            return


if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedPostgres(Path(folder) / "database") as server,
    ):
        print(idle(server.url, Path(folder) / "home"))
