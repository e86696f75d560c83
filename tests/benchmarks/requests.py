"""How fast `POST /v1/requests` answers 16 clients, beside an empty route of the same server.

python -m tests.benchmarks.requests [REQUESTS]

Every request is another person's and has its own idempotency key; each is committed to disk before
it is answered. Clients are in this process, the server is one of its own. Both routes are asked in
turns, so that whatever else the machine does meets both.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from rich.console import Console
from rich.table import Table

from adapters.bootstrap import installation
from adapters.embedded_postgres import EmbeddedPostgres
from adapters.outbound.tokens import Scope
from adapters.settings import Settings
from tests.support.components import free_port
from tests.support.stories import HANDLER, adopt

CONTROLLER = "fjordscenen"
CLIENTS = 16
ROUNDS = 4
RATIO_AIM = 0.35
P99_AIM_MS = 40.0
SERVE = """\
from fastapi import Response
from adapters.bootstrap import installation
from adapters.inbound.app import create_app
from adapters.inbound.server import run_web
from adapters.settings import load_settings
with installation(load_settings()) as opened:
    app = create_app(opened)
    app.get("/empty", include_in_schema=False)(lambda: Response(status_code=204))
    run_web(opened, app=app)
"""
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Figures:
    """What one route did, over all rounds."""

    what: str
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    server_cpu: float = 0.0
    database_cpu: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile_ms(self, share: float) -> float:
        return sorted(self.latencies)[int(share * (len(self.latencies) - 1))] * 1000

    def cpu_ms(self, seconds: float) -> float:
        return seconds / len(self.latencies) * 1000


def measure(count: int) -> tuple[Figures, Figures]:
    """The empty route and the real one, so many requests each."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with EmbeddedPostgres(home / "database") as database:
            settings = Settings.model_validate(
                {"home": home / "home", "database_url": database.url, "port": free_port()}
            )
            with installation(settings, with_migrations=True) as opened:
                adopt(opened, CONTROLLER)
                token = opened.tokens.create(
                    name="benchmark", staff_id=HANDLER, scopes=frozenset({Scope.DESK})
                )
            (file,) = (home / "database").rglob("postmaster.pid")
            postmaster = int(file.read_text().split()[0])
            with _serving(settings, database.url) as server:
                return _in_turns(settings.port, token, server, postmaster, count)


def _in_turns(
    port: int, token: str, server: int, postmaster: int, count: int
) -> tuple[Figures, Figures]:
    empty, real = Figures("empty route"), Figures("POST /v1/requests")
    asyncio.run(_round(port, lambda: _request(token), 5 * CLIENTS, Figures("warming up")))
    for _ in range(ROUNDS):
        for figures, make in ((empty, _nothing), (real, lambda: _request(token))):
            before = _cpu(server), _cpu_of_tree(postmaster)
            asyncio.run(_round(port, make, count // ROUNDS, figures))
            figures.server_cpu += _cpu(server) - before[0]
            figures.database_cpu += _cpu_of_tree(postmaster) - before[1]
    return empty, real


async def _round(port: int, make: Callable[[], bytes], count: int, figures: Figures) -> None:
    """Sixteen clients, each with one connection, one request at a time."""
    left = iter(range(count))

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in left:
            sent = make()
            began = time.perf_counter()
            writer.write(sent)
            head = await reader.readuntil(b"\r\n\r\n")
            length = 0
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    length = int(line[15:])
            body = await reader.readexactly(length)
            figures.latencies.append(time.perf_counter() - began)
            assert head[9:12] in {b"201", b"204"}, body
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    figures.seconds += time.perf_counter() - began


def _nothing() -> bytes:
    return b"GET /empty HTTP/1.1\r\nHost: localhost\r\n\r\n"


def _request(token: str) -> bytes:
    key = uuid4().hex
    body = json.dumps(
        {
            "controller": CONTROLLER,
            "rights": ["access"],
            "identifiers": [
                {"kind": "email", "value": f"{key}@person.example"},
                {"kind": "name", "value": f"Testesen {key}"},
            ],
            "language": "nb",
            "text": "Hei, jeg ber om innsyn i det dere har om meg.",
        }
    ).encode()
    head = (
        "POST /v1/requests HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@contextmanager
def _serving(settings: Settings, url: str) -> Iterator[int]:
    environment = {
        **os.environ,
        "TRETTIO_HOME": str(settings.home),
        "TRETTIO_DATABASE_URL": url,
        "TRETTIO_PORT": str(settings.port),
        "TRETTIO_LOG": "json",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        asyncio.run(_until_it_answers(settings.port))
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=15)


async def _until_it_answers(port: int) -> None:
    for _ in range(1200):
        try:
            await _round(port, _nothing, 1, Figures("starting"))
        except OSError:
            await asyncio.sleep(0.1)
        else:
            return
    raise TimeoutError("the server did not start")


def _cpu(pid: int) -> float:
    """CPU seconds of a process, and of those it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICK


def _cpu_of_tree(pid: int) -> float:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return _cpu(pid) + sum(_cpu(int(child)) for child in children)


def table(count: int) -> Table:
    empty, real = measure(count)
    shown = Table("what", "per second", "p50, ms", "p99, ms", "server CPU, ms", "database CPU, ms")
    for one in (empty, real):
        shown.add_row(
            one.what,
            f"{one.rate:,.0f}",
            f"{one.percentile_ms(0.5):.1f}",
            f"{one.percentile_ms(0.99):.1f}",
            f"{one.cpu_ms(one.server_cpu):.2f}",
            f"{one.cpu_ms(one.database_cpu):.2f}",
        )
    load = os.getloadavg()[0]
    shown.caption = (
        f"ratio {real.rate / empty.rate:.2f} (aim {RATIO_AIM}),"
        f" by server CPU {empty.server_cpu / real.server_cpu:.2f},"
        f" p99 {real.percentile_ms(0.99):.0f} ms (aim {P99_AIM_MS:.0f}),"
        f" {CLIENTS} clients, load average {load:.1f}"
    )
    return shown


if __name__ == "__main__":
    Console(width=110).print(table(int(sys.argv[1]) if sys.argv[1:] else 2_000))
