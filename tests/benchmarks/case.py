"""How fast a case is worked, an event is appended and a request is answered, beside baselines.

python -m tests.benchmarks.case [CASES] [APPENDS] [REQUESTS]
"""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import structlog
from eventsourcing.persistence import StoredEvent
from rich.console import Console
from rich.table import Table

from adapters.bootstrap import Installation, installation
from adapters.embedded_postgres import EmbeddedPostgres
from adapters.inbound.mail import parse
from adapters.outbound.recorder import LogRecorder
from adapters.outbound.tokens import Scope
from adapters.settings import Settings
from domain.vocabulary import Channel, Compartment, Right
from services.ports import Also, CodeCheck, OutgoingMail
from tests.support.components import free_port
from tests.support.fake_systems import FakeSystems
from tests.support.stories import HANDLER, HOST, adopt, raw_mail

CONTROLLER = "fjordscenen"
MANUAL = frozenset({"customer-service", "web", "archive"})
STATE = b'{"timestamp": "2026-11-22T12:00:00+00:00", "what": "%s"}' % (b"x" * 400)
THREADS = 4
WRITERS = (1, 8, 32)
TEXT = (
    "Hei, jeg vil ha innsyn i alle opplysninger dere har om meg, "
    "og deretter vil jeg at dere sletter meg."
)

_SERVE = """\
from adapters.bootstrap import installation
from adapters.inbound.server import run_web
from adapters.settings import load_settings
with installation(load_settings()) as opened:
    run_web(opened)
"""
_BARE = """\
import sys, uvicorn
from fastapi import FastAPI
app = FastAPI()
@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="critical", access_log=False)
"""


@dataclass(frozen=True)
class Measured:
    """So many of something in so many seconds; `baseline` is the same without our code."""

    what: str
    count: int
    seconds: float
    baseline: float | None = None

    @property
    def rate(self) -> float:
        return self.count / self.seconds


class Drawer:
    """A mailer in memory."""

    def __init__(self) -> None:
        self.mails: list[OutgoingMail] = []

    def send(self, mail: OutgoingMail) -> None:
        self.mails.append(mail)


# Cases


def cases(opened: Installation, count: int) -> Measured:
    """Access and erasure of one person each, from the raw mail to closed, in one thread."""
    opened = replace(opened, systems=(systems := FakeSystems(manual=MANUAL)))
    worker = opened.worker("benchmark")
    began = time.perf_counter()
    for number in range(count):
        _one_case(opened, systems, worker.drain, f"person.{number}.{uuid4().hex}@kunde.example")
    return Measured("cases, mail to closed, fake systems", count, time.perf_counter() - began)


def _one_case(
    opened: Installation, systems: FakeSystems, work: Callable[[], int], address: str
) -> None:
    anchors = {"order_completed": date(2026, 5, 1), "voucher": date(2026, 5, 1)}
    shop = systems.system(CONTROLLER, "ticketing")
    for kind in ("order", "invoice"):
        shop.hold(address, kind, f"{kind}-{address}", flags=frozenset({"paid"}), anchors=anchors)
    raw = raw_mail(TEXT, sender=address, arrived=opened.clock())
    message = parse(raw, trusted_hosts=(HOST,), now=opened.clock())
    case_id = opened.intake.receive(CONTROLLER, message, channel=Channel.MAIL)
    case = opened.intake.confirm(
        case_id,
        rights=(Right.ACCESS, Right.ERASURE),
        language=opened.register.case(case_id).language,
        identifiers=opened.intake.proposed_identifiers(case_id),
        by=HANDLER,
    )
    opened.identity.ask(case_id, reason="unknown-sender", by=HANDLER)
    work()
    assert opened.identity.check_code(case_id, _newest_code(opened, address)) is CodeCheck.RIGHT
    work()
    for right in (Right.ACCESS, Right.ERASURE):
        request_id = case.request_id(right)
        for system in sorted(MANUAL):
            opened.byhand.found(request_id, system, (), reason="searched", by=HANDLER)
        opened.deciding.approve(request_id, by=HANDLER, considered=True)
        work()
    secret = _in_mail(opened, address, r"/answer/([\w-]+)")
    opened.answering.send_code(secret)
    work()
    check, package = opened.answering.fetch(secret, _newest_code(opened, address))
    assert check is CodeCheck.RIGHT
    assert package
    assert all(r.closed_at for r in opened.register.requests_of(opened.register.case(case_id)))


def _newest_code(opened: Installation, address: str) -> str:
    return _in_mail(opened, address, r"(?m)^\s*(\d{4} ?\d{4})\s*$")


def _in_mail(opened: Installation, address: str, pattern: str) -> str:
    assert isinstance(opened.mailer, Drawer)
    texts = [mail.text for mail in opened.mailer.mails if mail.recipient == address]
    return str([found for text in texts for found in re.findall(pattern, text)][-1])


# Appends


def appends(
    opened: Installation, url: str, count: int, threads: int, *, sealed: bool = False
) -> Measured:
    """Saves of one event each, through our recorder, and as a bare INSERT of the same row.

    With `sealed` a row of the vault is sealed for each and saved with it; the bare INSERT is not.
    """
    recorder, case_id = LogRecorder(opened.database), uuid4()

    def ours(share: int) -> None:
        for _ in range(share):
            also: tuple[Also, ...] = ()
            if sealed:
                also = opened.vault.seal(case_id, Compartment.PACKAGE, STATE).also
            recorder.insert_events([StoredEvent(uuid4(), 1, "benchmark", STATE)], also=also)

    def bare(share: int) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            for _ in range(share):
                connection.execute(
                    "INSERT INTO benchmark (originator_id, originator_version, topic, state)"
                    " VALUES (%s, %s, %s, %s)",
                    (uuid4(), 1, "benchmark", STATE),
                )

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS benchmark")
        connection.execute("CREATE TABLE benchmark (LIKE trettio.log INCLUDING ALL)")
    # In turns, since others use the machine as well.
    parts = [(_in_threads(bare, count, threads), _in_threads(ours, count, threads))]
    parts += [(_in_threads(bare, count, threads), _in_threads(ours, count, threads))]
    baseline = 2 * count / sum(part[0] for part in parts)
    what = (
        f"appends with a vault row, {threads} thread(s)"
        if sealed
        else (f"appends, {threads} thread(s)")
    )
    return Measured(what, 2 * count, sum(part[1] for part in parts), baseline)


# Requests


def requests(token: str, host: str, bare: str, count: int) -> Iterator[Measured]:
    """GET /health and POST /v1/inbox on one server process, beside a bare route on another."""
    baseline = count / _in_threads(_getter(bare), count, THREADS)
    yield Measured("GET /health", count, _in_threads(_getter(host), count, THREADS), baseline)
    seconds = _in_threads(_poster(host, token), count, THREADS)
    yield Measured("POST /v1/inbox", count, seconds, baseline)


def _getter(host: str) -> Callable[[int], None]:
    def get(share: int) -> None:
        connection = http.client.HTTPConnection(host)
        for _ in range(share):
            _ask(connection, "GET", "/health", None, {}, expect=200)

    return get


def _poster(host: str, token: str) -> Callable[[int], None]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "message/rfc822"}

    def post(share: int) -> None:
        connection = http.client.HTTPConnection(host)
        for _ in range(share):
            raw = raw_mail(TEXT, sender="kari@kunde.example", arrived=datetime.now(UTC))
            _ask(connection, "POST", f"/v1/inbox?controller={CONTROLLER}", raw, headers, expect=201)

    return post


def _ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    expect: int,
) -> None:
    connection.request(method, path, body, dict(headers))
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status == expect, content


def _in_threads(share_of: Callable[[int], None], count: int, threads: int) -> float:
    """Seconds for all shares, run side by side."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            share_of(count // threads)
        except BaseException as error:
            failed.append(error)

    workers = [threading.Thread(target=run) for _ in range(threads)]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if failed:
        raise failed[0]
    return time.perf_counter() - began


# All of it


def measure(
    url: str, home: Path, *, case_count: int, append_count: int, request_count: int
) -> Iterator[Measured]:
    """Every measurement against one migrated database; counts are multiples of the threads."""
    settings = Settings.model_validate(
        {"home": home, "database_url": url, "port": free_port(), "trusted_mail_hosts": HOST}
    )
    quiet = structlog.make_filtering_bound_logger(50)
    structlog.configure(wrapper_class=quiet)
    try:
        with installation(settings, mailer=Drawer(), with_migrations=True) as opened:
            adopt(opened, CONTROLLER)
            yield cases(opened, case_count)
            for threads in WRITERS:
                yield appends(opened, url, append_count, threads)
                yield appends(opened, url, append_count, threads, sealed=True)
            token = opened.tokens.create(
                name=f"benchmark {uuid4()}", staff_id=HANDLER, scopes=frozenset({Scope.INBOX})
            )
            with ExitStack() as stack:
                bare = free_port()
                stack.enter_context(_serving(_BARE, bare, {}))
                environment = {
                    "TRETTIO_HOME": str(home),
                    "TRETTIO_DATABASE_URL": url,
                    "TRETTIO_PORT": str(settings.port),
                    "TRETTIO_TRUSTED_MAIL_HOSTS": HOST,
                    "TRETTIO_LOG": "json",
                }
                stack.enter_context(_serving(_SERVE, settings.port, environment))
                host = urlsplit(settings.address).netloc
                yield from requests(token, host, f"127.0.0.1:{bare}", request_count)
    finally:
        structlog.reset_defaults()


@contextmanager
def _serving(script: str, port: int, environment: Mapping[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(port)],
        env={"PATH": "", **environment},
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 30
        while not _answers(port):
            assert process.poll() is None and time.monotonic() < until, "no server"  # noqa: PT018
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(timeout=15)


def _answers(port: int) -> bool:
    try:
        _ask(http.client.HTTPConnection("127.0.0.1", port), "GET", "/health", None, {}, expect=200)
    except OSError:
        return False
    return True


def main(case_count: int, append_count: int, request_count: int) -> None:
    table = Table("what", "count", "seconds", "per second", "each, ms", "baseline/s", "ratio")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with EmbeddedPostgres(home / "database") as server:
            for one in measure(
                server.url,
                home / "home",
                case_count=case_count,
                append_count=append_count,
                request_count=request_count,
            ):
                table.add_row(
                    one.what,
                    f"{one.count:,}",
                    f"{one.seconds:.2f}",
                    f"{one.rate:,.1f}",
                    f"{1000 / one.rate:,.2f}",
                    f"{one.baseline:,.1f}" if one.baseline else "",
                    f"{one.rate / one.baseline:.2f}" if one.baseline else "",
                )
    Console().print(table)


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*(given + [20, 4_000, 1_000][len(given) :]))
