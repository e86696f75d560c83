"""An installation of real processes on an external PostgreSQL, to be killed and started again.

Nothing of the service runs in the test's own process: it starts `trettio serve`, `work` and
`follow` as an operator would, each in a session of its own with a log file of its own, and reads
what became of it in the database and in the world outside.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from hashlib import sha256
from pathlib import Path
from typing import LiteralString, Self

import psycopg
import urllib3
from aiosmtpd.controller import Controller as SmtpController
from aiosmtpd.smtp import SMTP, Envelope, Session

from adapters.bootstrap import Installation, installation
from adapters.embedded_postgres import EmbeddedPostgres
from adapters.outbound.tokens import Scope
from adapters.settings import Settings, secret_variable
from tests.support.components import free_port
from tests.support.outside import ADDRESSES

ROOT = Path(__file__).parents[2]
PROFILES = Path(__file__).with_name("organisations")
CONTROLLER = "lykteslottet"
HANDLER = "Signe Saksbehandler"
TRUSTED = "mx.post.example"
PATIENCE = 60.0
"""Seconds for what should take one or two, on a machine that others use as well."""


def wait_until(true: Callable[[], object], *, what: str, seconds: float = PATIENCE) -> float:
    """Look again and again; answers how long it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.05)
    return time.monotonic() - began


# One process


@dataclass(eq=False)
class Process:
    """One command of ours; every start writes a log of its own."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    logs: Path
    starts: int = 0
    running: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.logs / f"{self.name}-{self.starts:02}.log"

    @property
    def pid(self) -> int:
        assert self.running is not None
        return self.running.pid

    @property
    def is_alive(self) -> bool:
        return self.running is not None and self.running.poll() is None

    def start(self) -> Self:
        assert not self.is_alive, f"{self.name} runs already"
        self.starts += 1
        with self.log.open("wb") as log:
            self.running = subprocess.Popen(
                self.command,
                env=dict(self.environment),
                cwd=ROOT,
                stdin=subprocess.PIPE,  # closed when we end; whoever reads it ends as well
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def wait_until(self, true: Callable[[], object], *, what: str) -> float:
        """Wait for what it is to do, and no longer than it lives."""

        def is_so() -> bool:
            assert self.is_alive, f"{self} ended: {self.log.read_text()[-1000:]}"
            return bool(true())

        return wait_until(is_so, what=f"{what} ({self})")

    def kill(self) -> None:
        """As the kernel does it when memory is short: no farewell, at whatever line it is."""
        self._end(signal.SIGKILL)

    def stop(self, *, within: float = PATIENCE) -> float:
        """As an operator does it; answers how long it took to finish what was in hand."""
        began = time.monotonic()
        self._end(signal.SIGTERM, within=within)
        assert self.running is not None
        assert self.running.returncode == 0, f"{self}: code {self.running.returncode} on SIGTERM"
        return time.monotonic() - began

    def ask_to_end(self) -> None:
        """SIGTERM, without waiting for what comes of it."""
        os.kill(self.pid, signal.SIGTERM)

    @property
    def code(self) -> int | None:
        """With what it ended; None while it runs."""
        assert self.running is not None
        return self.running.poll()

    def _end(self, how: signal.Signals, *, within: float = PATIENCE) -> None:
        assert self.running is not None
        assert self.running.poll() is None, f"{self} had ended by itself"
        with suppress(ProcessLookupError):
            os.kill(self.running.pid, how)
        try:
            self.running.wait(timeout=within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self} still runs {within:.0f} s after {how.name}") from None
        self._clean_up()

    def abandon(self) -> None:
        """End it whatever state it is in, with all that it started."""
        if self.running is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait()
            self._clean_up()

    def _clean_up(self) -> None:
        assert self.running is not None
        if self.running.stdin is not None:
            self.running.stdin.close()

    def __str__(self) -> str:
        return f"{self.name}, start {self.starts}, log {self.log}"


# Mail


@dataclass(frozen=True)
class Letter:
    """A mail as the receivers' server took it."""

    message_id: str
    recipient: str
    kind: str
    text: str
    digest: str


@dataclass
class Mailboxes:
    """Everybody's mail server: keeps a message once by its Message-ID, and counts the repeats."""

    letters: dict[str, Letter] = field(default_factory=dict)
    repeated: list[Letter] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    async def handle_DATA(  # noqa: N802 (the server calls it by this name)
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        read = message_from_bytes(envelope.content, EmailMessage, policy=default)
        body = read.get_body(preferencelist=("plain",))
        text = str(body.get_content()) if body is not None else ""
        (recipient,) = envelope.rcpt_tos
        letter = Letter(
            message_id=str(read["Message-ID"]),
            recipient=str(recipient),
            kind=str(read["X-Trettio"]),
            text=text,
            digest=sha256(text.encode()).hexdigest(),
        )
        with self._lock:
            if letter.message_id in self.letters:
                self.repeated.append(letter)
            else:
                self.letters[letter.message_id] = letter
        return "250 2.0.0 taken"

    def to(self, recipient: str, kind: str) -> list[Letter]:
        with self._lock:
            letters = list(self.letters.values())
        return [one for one in letters if one.recipient == recipient and one.kind == kind]


# The whole


@dataclass
class Running:
    """An installation: where it is, its processes, its mail, its database, the world outside."""

    folder: Path
    port: int
    token: str
    environment: Mapping[str, str]
    postgres: EmbeddedPostgres
    settings: Settings
    mailboxes: Mailboxes
    outside: Path
    _processes: dict[str, Process] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def process(self, name: str, *command: str, port: int | None = None) -> Process:
        """A `trettio` command under a name of its own; it is not started yet."""
        if name not in self._processes:
            program = str(Path(sys.executable).with_name("trettio"))
            more = {} if port is None else {"TRETTIO_PORT": str(port)}
            self._processes[name] = Process(
                name, [program, *command], {**self.environment, **more}, self.folder / "logs"
            )
        return self._processes[name]

    @property
    def processes(self) -> tuple[Process, ...]:
        return tuple(self._processes.values())

    def fetch(self, sql: LiteralString, *values: object) -> list[tuple[object, ...]]:
        """What the database says."""
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            return connection.execute(sql, values).fetchall()

    def count(self, sql: LiteralString, *values: object) -> int:
        ((number,),) = self.fetch(sql, *values)
        assert isinstance(number, int)
        return number

    def wait_for(self, process: Process) -> None:
        """Every process says in the database that it is at work."""
        sql: LiteralString = "SELECT count(*) FROM trettio.processes WHERE pid = %s"
        process.wait_until(lambda: self.count(sql, process.pid), what="it is at work")

    @contextmanager
    def opened(self) -> Iterator[Installation]:
        """The same installation inside the test, to look at; nothing runs in it by itself."""
        with installation(self.settings) as opened:
            yield opened


def answers(port: int, path: str = "/health") -> int:
    """The status that a web process gives; 0 when it does not answer."""
    try:
        with urllib3.HTTPConnectionPool("127.0.0.1", port, timeout=5, retries=False) as pool:
            return pool.request("GET", path).status
    except (urllib3.exceptions.HTTPError, OSError):
        return 0


@contextmanager
def running(
    folder: Path,
    *,
    people: int,
    data: Path | None = None,
    more: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """An installation with its profile in force; its processes are for the test to start.

    `data` is where PostgreSQL's home is to be, `more` are further settings. Whatever happens in
    the block, every process that was started is ended with it.
    """
    with ExitStack() as stack:
        for name in ("home", "logs", "outside"):
            (folder / name).mkdir(parents=True)
        outside = Process(
            "outside",
            [sys.executable, "-m", "tests.support.outside", str(folder / "outside"), str(people)],
            _environment(),
            folder / "logs",
        )
        stack.callback(outside.abandon)
        outside.start()
        # The death of a process takes nothing from the kernel's cache, so nothing need be flushed.
        postgres = EmbeddedPostgres(data or folder / "postgres", settings={"fsync": "off"})
        stack.enter_context(postgres)
        mailboxes, port = Mailboxes(), free_port()
        mail = SmtpController(mailboxes, hostname="127.0.0.1", port=free_port())
        mail.start()
        stack.callback(mail.stop)
        settings = Settings.model_validate(
            {
                "home": folder / "home",
                "database_url": postgres.url,
                "port": port,
                "smtp_host": "127.0.0.1",
                "smtp_port": mail.port,
                "smtp_security": "none",
                "undo_seconds": 0,
            }
        )
        token = _prepare(settings)
        addresses = folder / "outside" / ADDRESSES
        outside.wait_until(addresses.exists, what="the outside is there")
        environment = {
            **_environment(),
            "TRETTIO_HOME": str(settings.home),
            "TRETTIO_DATABASE_URL": postgres.url,
            "TRETTIO_PORT": str(port),
            "TRETTIO_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "TRETTIO_SMTP_HOST": "127.0.0.1",
            "TRETTIO_SMTP_PORT": str(mail.port),
            "TRETTIO_SMTP_SECURITY": "none",
            "TRETTIO_UNDO_SECONDS": "0",
            "TRETTIO_TRUSTED_MAIL_HOSTS": TRUSTED,
            "TRETTIO_PROFILES": str(PROFILES),
            "TRETTIO_LOG": "json",
            **_secrets(addresses),
            **(more or {}),
        }
        running = Running(
            folder, port, token, environment, postgres, settings, mailboxes, folder / "outside"
        )
        stack.callback(_abandon, running)
        yield running


def _environment() -> dict[str, str]:
    """Nothing of the test's own but where programs are; what runs is what lies beside the tests."""
    return {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT)}


def _abandon(running: Running) -> None:
    for process in running.processes:
        process.abandon()


def _prepare(settings: Settings) -> str:
    """Make the schema, put the profile in force, know the handler; answers the handler's token."""
    with installation(settings, with_migrations=True) as opened:
        document = (PROFILES / f"{CONTROLLER}.toml").read_bytes()
        opened.controllers.adopt(document, name=f"{CONTROLLER}.toml", by=HANDLER)
        for finding in opened.controllers.findings(CONTROLLER, opened.clock().date()):
            opened.controllers.decide_finding(
                CONTROLLER, code=finding.code, decision="as the policy says", by=HANDLER
            )
        return opened.tokens.create(
            name="desk",
            staff_id=HANDLER,
            scopes=frozenset({Scope.DESK, Scope.READ, Scope.INBOX}),
        )


def _secrets(addresses: Path) -> dict[str, str]:
    told: Mapping[str, Mapping[str, str]] = json.loads(addresses.read_text())
    return {
        secret_variable(CONTROLLER, system, key): value
        for system, configuration in told.items()
        for key, value in configuration.items()
    }
