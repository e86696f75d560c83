"""How much memory `trettio serve` holds when nothing happens, and how much one large answer adds.

python -m tests.benchmarks.memory
"""

from __future__ import annotations

import http.client
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from random import Random
from time import process_time
from typing import cast

import structlog

from adapters.embedded_postgres import EmbeddedPostgres
from domain.vocabulary import IdentifierKind, Match, Right
from services.ports import Connector, Person, Record
from tests.benchmarks.figures import Figure, at_most
from tests.support.asking import approve, approved, asked, collected
from tests.support.components import free_port
from tests.support.house import KARI, NORWAY, open_house

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


class Full:
    """A system that holds very many records of one person, about 1 KB each."""

    def find(self, person: Person, *, fresh_after: datetime | None = None) -> Iterator[Record]:
        words = Random(30)
        for number in range(int(os.environ["RECORDS"])):
            fields = {
                "order": f"B-{number:08}",
                "placed": f"20{number % 20 + 5:02}-03-{number % 28 + 1:02}",
                "total": number * 37 % 9_000,
                "lines": [
                    {
                        "event": f"Konsert {words.randrange(2_000)}",
                        "seat": f"Rad {words.randrange(40)}, sete {words.randrange(60)}",
                        "price": words.randrange(9_000),
                        "barcode": f"{words.getrandbits(48):012x}",
                        "delivery": "Tilsendt som mobilbillett til kundens telefon",
                    }
                    for _ in range(5)
                ],
            }
            match, by = Match.VERIFIED_IDENTIFIER, IdentifierKind.EMAIL
            yield Record(f"B-{number}", "member", match, by, fields)


def large(url: str, home: Path, records: int = 50_000) -> Figure:
    """By how much a process grows, at most, while it searches, collects, packs and answers."""
    environment = {
        **os.environ,
        "TRETTIO_HOME": str(home),
        "TRETTIO_DATABASE_URL": url,
        "RECORDS": str(records),
    }
    grown = subprocess.run(
        [sys.executable, "-c", "from tests.benchmarks.memory import answer; answer()"],
        env=environment,
        check=True,
        capture_output=True,
    )
    what = f"memory that an access to {records:,} records of one system adds"
    return at_most(what, 50, float(grown.stdout), "MB")


def answer() -> None:
    """One small answer, so that everything is loaded; then the large one."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with open_house(os.environ["TRETTIO_DATABASE_URL"], Path(os.environ["TRETTIO_HOME"])) as house:
        house.systems.system(NORWAY, "mailing").hold(KARI, "member", "m1")
        approved(house, Right.ACCESS, text="liten")
        before = _status("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")
        house.systems.made[NORWAY, "mailing"] = cast(Connector, Full())
        case_id = collected(house, Right.ACCESS, text="stor")
        print("collected", _status("VmHWM") - before, process_time(), file=sys.stderr)
        approve(house, case_id, Right.ACCESS)
        print("answered", _status("VmHWM") - before, process_time(), file=sys.stderr)
        assert len(asked(house, case_id, Right.ACCESS).found) == int(os.environ["RECORDS"])
        assert asked(house, case_id, Right.ACCESS).answered_at is not None
        print(_status("VmHWM") - before)


def _status(what: str) -> float:
    """A size of this process in MB, as the kernel tells it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) * 1_024 / 1e6
    raise AssertionError(what)


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
        print(large(server.url, Path(folder) / "home"))
