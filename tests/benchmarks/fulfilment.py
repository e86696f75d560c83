"""How fast requests are fulfilled, from receipt to closed, with three systems over HTTP.

python -m tests.benchmarks.fulfilment [REQUESTS] [THREADS]

The systems run in a process of their own and answer in 20 ms, one request per call; letters go to
a mailer in memory. CPU is that of the service and of PostgreSQL, not of the systems.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import structlog
from eventsourcing.utils import get_topic
from rich.console import Console
from rich.table import Table

from adapters.bootstrap import Installation, installation
from adapters.embedded_postgres import EmbeddedPostgres
from adapters.logs import configure
from adapters.outbound.http import HttpClient
from adapters.outbound.recorder import LogReader
from adapters.roles import running
from adapters.settings import Settings
from domain.request import DataSubjectRequest
from domain.vocabulary import (
    Channel,
    IdentifierKind,
    IdentityMethod,
    Language,
    LetterKind,
    Match,
    Outcome,
    Right,
    Severity,
)
from services.intake import Note
from services.ports import (
    CodeCheck,
    Connector,
    Identifier,
    OutgoingMail,
    Person,
    Record,
    Result,
    Treatment,
)
from tests.support.components import free_port
from tests.support.stories import HANDLER, ORGANISATIONS

CONTROLLER = "fjordscenen"
KINDS = {"ticketing": "waiting_list", "payment": "payment_method", "mailing": "member"}
"""The three systems, and a sort of record in each that nothing has to be kept of."""

CALLS = {Right.ACCESS: 3, Right.ERASURE: 9}
IN_HAND = 150
"""Requests that are open at the same time."""

COLLECTED = get_topic(DataSubjectRequest.DataCollected)
CLOSED = get_topic(DataSubjectRequest.Closed)
WORK = "from tests.benchmarks.fulfilment import work; work()"


@dataclass(frozen=True)
class Measured:
    what: str
    requests: int
    calls: int
    seconds: float
    service_cpu: float
    database_cpu: float
    memory: int

    @property
    def rate(self) -> float:
        return self.requests / self.seconds

    @property
    def cpu_ms(self) -> float:
        return 1_000 * (self.service_cpu + self.database_cpu) / self.requests


# The systems


class OverHttp:
    """A connector with one call per question."""

    def __init__(self, address: str, kind: str) -> None:
        self.kind = kind
        self.http = HttpClient(address, headers={"Authorization": "Bearer none"}, connections=32)

    def find(self, person: Person, *, fresh_after: datetime | None = None) -> Iterator[Record]:
        (email,) = person.all(IdentifierKind.EMAIL)
        answer = self.http.request("GET", "/people", query={"email": email}).object()
        for row in answer["records"]:
            yield Record(
                row["key"],
                self.kind,
                Match.VERIFIED_IDENTIFIER,
                IdentifierKind.EMAIL,
                row["fields"],
            )

    def erase(self, person: Person, treatment: Treatment, *, key: str) -> Result:
        self.http.request(
            "DELETE", "/people/{key}", path={"key": treatment.key}, headers={"Key": key}
        )
        return Result(Outcome.ERASED)

    def suppress(self, person: Person, *, key: str) -> Result:
        raise NotImplementedError


class Three:
    """Keeps `services.worker.Systems`."""

    def __init__(self, port: int) -> None:
        self._made: dict[str, Connector] = {
            system: OverHttp(f"http://127.0.0.1:{port}/{system}", kind)
            for system, kind in KINDS.items()
        }

    def connector(self, controller: str, system: str) -> Connector:
        return self._made[system]


class Drawer:
    """A mailer in memory, for letters that nobody reads."""

    def send(self, mail: OutgoingMail) -> None:
        pass


def adopt(opened: Installation) -> None:
    """The demonstration's organisation, with no other systems than the three."""
    text = (ORGANISATIONS / f"{CONTROLLER}.toml").read_text("utf-8")
    before, _, rest = text.partition('[[systems]]\nid = "customer-service"')
    held = "".join(
        f'[[systems.holdings]]\nkind = "{kind}"\ncategory = "{kind}"\n\n'
        for kind in ("communication", "usage", "profiling")
    )
    document = before + held + rest[rest.index("# Recipients") :]
    opened.controllers.adopt(document.encode(), name=CONTROLLER, by=HANDLER)
    for finding in opened.controllers.findings(CONTROLLER, opened.clock().date()):
        if finding.severity is Severity.DECIDE_FIRST:
            opened.controllers.decide_finding(
                CONTROLLER, code=finding.code, decision="as the policy says", by=HANDLER
            )


# Who asks, and who decides


@dataclass
class Driver:
    """Writes requests down, approves what was collected, and fetches answers; it is the mailer too.

    `IN_HAND` requests are open at a time; the next comes when one is closed.
    """

    opened: Installation
    right: Right
    count: int
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2))
    over: threading.Event = field(default_factory=threading.Event)
    failed: list[BaseException] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)

    def run(self, position: int) -> None:
        """Until all are closed; `position` is where the log ends now."""
        reader, begun, closed = LogReader(self.opened.database), 0, 0
        with self.threads:
            while closed < self.count and not self.failed:
                while begun < min(self.count, closed + IN_HAND):
                    self.do(self.ask)
                    begun += 1
                batch = reader.read(position)
                position = batch.position
                for one in batch.notifications:
                    if one.topic == COLLECTED:
                        self.do(self.approve, one.originator_id)
                    closed += one.topic == CLOSED
                if not batch.notifications:
                    time.sleep(0.02)
        if self.failed:
            raise self.failed[0]

    def do(self, what: Callable[..., object], *about: object) -> None:
        def done() -> None:
            try:
                what(*about)
            except BaseException as error:
                self.failed.append(error)

        self.threads.submit(done)

    def ask(self) -> None:
        opened, address = self.opened, f"person.{uuid4().hex}@kunde.example"
        note = Note(
            text="Jeg ber om innsyn." if self.right is Right.ACCESS else "Slett meg.",
            sender_name="",
            sender_address=address,
            received_at=opened.clock(),
            channel=Channel.API,
            fingerprint=uuid4().hex,
        )
        case_id = opened.intake.write_down(CONTROLLER, note)
        opened.intake.confirm(
            case_id,
            rights=(self.right,),
            language=Language.NB,
            identifiers=(Identifier(IdentifierKind.EMAIL, address),),
            by=HANDLER,
        )
        opened.identity.verify_by_hand(case_id, method=IdentityMethod.LOGIN, by=HANDLER)

    def approve(self, request_id: UUID) -> None:
        self.opened.deciding.approve(request_id, by=HANDLER, considered=True)

    # An access answer lies behind a link, and the link opens with a code

    def send(self, mail: OutgoingMail) -> None:
        if mail.kind is LetterKind.ANSWER and self.right is Right.ACCESS:
            secret = _found(r"/answer/([\w-]+)", mail.text)
            self.links[mail.recipient] = secret
            self.do(self.opened.answering.send_code, secret)
        elif mail.kind is LetterKind.IDENTITY_CODE:
            code = _found(r"(?m)^\s*(\d{4} ?\d{4})\s*$", mail.text)
            self.do(self.fetch, self.links.pop(mail.recipient), code)

    def fetch(self, secret: str, code: str) -> None:
        check, package = self.opened.answering.fetch(secret, code)
        assert check is CodeCheck.RIGHT
        assert package


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found
    return found.group(1)


# Measuring


def cpu_of(pid: int) -> float:
    """CPU seconds of a process, its children, and those of its children that have ended."""
    try:
        own = _ticks(pid, slice(11, 15))
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return 0.0
    return own + sum(cpu_of(int(child)) for child in children)


def memory_of(pid: int) -> int:
    """Resident bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def together(url: str, home: Path, right: Right, count: int, threads: int) -> Measured:
    """Everything in one process: workers, follower, and who drives them."""
    with ExitStack() as stack:
        port = stack.enter_context(_systems())
        opened = stack.enter_context(_opened(url, home, port))
        driver = Driver(opened, right, count)
        opened = driver.opened = replace(opened, mailer=driver)
        stack.enter_context(running(opened, workers=threads, follow=True))
        measuring = _Measuring(f"{right.value}, one process", [os.getpid()], opened)
        with measuring:
            driver.run(_end_of_log(opened))
        return measuring.of(right, count)


def apart(url: str, home: Path, right: Right, count: int, threads: int) -> Measured:
    """Workers in one process, follower and driver in another."""
    with ExitStack() as stack:
        port = stack.enter_context(_systems())
        opened = stack.enter_context(_opened(url, home, port))
        stack.enter_context(running(opened, follow=True))
        environment = {
            "PATH": "",
            "TRETTIO_HOME": str(home),
            "TRETTIO_DATABASE_URL": url,
            "TRETTIO_WORKERS": str(threads),
            "SYSTEMS": str(port),
        }
        worker = stack.enter_context(_process([sys.executable, "-c", WORK], environment))
        measuring = _Measuring(f"{right.value}, work apart", [os.getpid(), worker.pid], opened)
        with measuring:
            Driver(opened, right, count).run(_end_of_log(opened))
        return measuring.of(right, count)


def work() -> None:
    """The process of the workers; what it needs to know is in its environment."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    home, url = Path(os.environ["TRETTIO_HOME"]), os.environ["TRETTIO_DATABASE_URL"]
    with (
        _opened(url, home, int(os.environ["SYSTEMS"])) as opened,
        running(opened, workers=opened.settings.workers),
    ):
        stop.wait()


class _Measuring:
    def __init__(self, what: str, service: list[int], opened: Installation) -> None:
        self.what, self.service = what, service
        (row,) = opened.database.fetch("SELECT pg_backend_pid() AS pid")
        self.postgres = int(_stat(row["pid"])[1])  # the parent of every backend

    def __enter__(self) -> None:
        self.began, self.used = time.perf_counter(), self._used()

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self.began
        used = self._used()
        self.spent = used[0] - self.used[0], used[1] - self.used[1]
        self.memory = max(memory_of(pid) for pid in self.service)

    def _used(self) -> tuple[float, float]:
        return sum(_ticks(pid, slice(11, 13)) for pid in self.service), cpu_of(self.postgres)

    def of(self, right: Right, count: int) -> Measured:
        return Measured(
            self.what, count, CALLS[right] * count, self.seconds, *self.spent, self.memory
        )


def _ticks(pid: int, fields: slice) -> float:
    return sum(map(int, _stat(pid)[fields])) / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """What the kernel says about a process, after its name."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _end_of_log(opened: Installation) -> int:
    rows = opened.database.fetch(
        "SELECT coalesce(max(notification_id), 0) AS last FROM trettio.log"
    )
    return int(rows[0]["last"])


@contextmanager
def _opened(url: str, home: Path, port: int) -> Iterator[Installation]:
    with Path(os.devnull).open("w") as nowhere:
        configure("json", to=nowhere)
        try:
            settings = Settings.model_validate({"home": home, "database_url": url, "port": port})
            if "TRETTIO_WORKERS" in os.environ:
                workers = int(os.environ["TRETTIO_WORKERS"])
                settings = settings.model_copy(update={"workers": workers})
            with installation(settings, mailer=Drawer(), with_migrations=True) as opened:
                opened = replace(opened, systems=Three(port))
                if CONTROLLER not in opened.controllers.names():
                    adopt(opened)
                yield opened
        finally:
            structlog.reset_defaults()


@contextmanager
def _systems() -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.systems", str(port)]
    with _process(command, {"PATH": ""}):
        time.sleep(0.5)
        yield port


@contextmanager
def _process(
    command: list[str], environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=dict(environment))
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def measure(url: str, home: Path, count: int, threads: int) -> Iterator[Measured]:
    """Every way once, against one database."""
    yield together(url, home, Right.ERASURE, count, threads)
    yield together(url, home, Right.ACCESS, count, threads)
    yield apart(url, home, Right.ERASURE, count, threads)


def main(count: int, threads: int) -> None:
    table = Table(
        *(f"{count:,} requests", "a second", "CPU ms each", "service", "PostgreSQL"),
        *("per call", "MB", "load"),
    )
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with EmbeddedPostgres(home / "database") as server:
            for one in measure(server.url, home / "home", count, threads):
                table.add_row(
                    one.what,
                    f"{one.rate:.1f}",
                    f"{one.cpu_ms:.1f}",
                    f"{1_000 * one.service_cpu / one.requests:.1f}",
                    f"{1_000 * one.database_cpu / one.requests:.1f}",
                    f"{one.cpu_ms * one.requests / one.calls:.2f}",
                    f"{one.memory / 1e6:.0f}",
                    f"{os.getloadavg()[0]:.1f}",
                )
    Console().print(table)


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*(given + [2_000, 16][len(given) :]))
