"""Systems that are down, silent, flapping or out of their mind keep nobody else waiting.

And they need nobody: each is suspended as a whole, probed, and once it answers everything that
waited for it is done, without a human.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import pytest

from adapters.bootstrap import Installation, installation
from adapters.connector_kit import wire
from adapters.connector_kit.wire import Asked, Trouble, Wire, says
from adapters.demo.doubles.mailchimp import KEY, MailchimpDouble, fingerprint_of
from adapters.settings import Settings, secret_variable
from domain.vocabulary import (
    Channel,
    IdentifierKind,
    Language,
    Right,
    Severity,
)
from services.intake import Note
from services.ports import Identifier
from tests.support.components import free_port
from tests.support.house import NORWAY, ORGANISATIONS

pytestmark = pytest.mark.survival

BY = "ola"
SOUND = ("sound-1", "sound-2", "sound-3")
SICK = ("down", "silent", "flapping", "garbage")
PEOPLE = 30
"""In each half of the story."""
DELAY = 0.03
PROCESSES, THREADS = 2, 2
LEAST_RATIO = 0.7
PATIENCE = 120.0
ROOT = Path(__file__).parents[2]


def until(true: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    began = time.monotonic()
    ends = began + seconds
    while not true():
        assert time.monotonic() < ends, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.1)
    print(f"{what}: {time.monotonic() - began:.1f} s")


def passes_on(asked: Asked) -> None:
    """As a sound system answers: after a moment."""
    time.sleep(DELAY)
    asked.reply(asked.pass_on())


NONSENSE: tuple[Trouble, ...] = (
    says(200, b"<html><title>We are back soon</title></html>", "text/html"),
    says(200, b"{}"),
    says(200, b"[]"),
    says(200, b'{"lists": 7, "total_items": "many"}'),
    says(200, b"\xff\xfe\x00\x00nonsense", "application/octet-stream"),
    says(302, location="http://127.0.0.1:9/maintenance"),
    says(500, b"<html>oops</html>", "text/html"),
    wire.hangs_up,
    wire.hangs_up_midway,
    wire.hangs_up_between_chunks,
)


@dataclass
class System:
    """A mailing list over HTTP with everybody on it, and a wire that plays its ailment."""

    name: str
    chance: random.Random
    double: MailchimpDouble = field(default_factory=MailchimpDouble)
    port: int = field(default_factory=free_port)
    healed: Event = field(default_factory=Event)
    line: Wire | None = None

    def __post_init__(self) -> None:
        self.double.add_audience("news", "Newsletter")

    @property
    def host(self) -> str:
        parts = urlsplit(self.double.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.double.prefix}"

    def open(self) -> None:
        if self.name != "down":
            self._listen()

    def _listen(self) -> None:
        self.line = Wire(self.host, port=self.port)
        self.line.always = self.answer

    def heal(self) -> None:
        self.healed.set()
        if self.line is None:
            self._listen()

    def close(self) -> None:
        self.healed.set()
        if self.line is not None:
            self.line.close()

    def answer(self, asked: Asked) -> None:
        if self.healed.is_set() or self.name in SOUND:
            passes_on(asked)
        elif self.name == "silent":
            self.healed.wait(2 * PATIENCE)
            asked.hang_up()
        elif self.name == "garbage":
            self.chance.choice(NONSENSE)(asked)
        elif int(time.monotonic() / 1.5) % 3:
            self.chance.choice((says(503, retry_after="1"), says(500), wire.hangs_up))(asked)
        else:
            passes_on(asked)

    def is_done_with(self, people: list[str]) -> bool:
        with self.double.state:
            members = [self.double.members["news", fingerprint_of(one)] for one in people]
        return all(member["status"] == "unsubscribed" for member in members)


def profile(systems: tuple[str, ...]) -> bytes:
    """The demonstration's organisation, with no other systems than these."""
    text = (ORGANISATIONS / f"{NORWAY}.toml").read_text("utf-8")
    before, _, rest = text.partition("[[systems]]")
    kinds = [line for line in rest.splitlines() if line.startswith(("kind = ", "category = "))]
    pairs = dict(zip(kinds[1::2], kinds[::2], strict=True))  # one sort of record per category
    holdings = "".join(f"[[systems.holdings]]\n{k}\n{c}\n\n" for c, k in pairs.items())
    ours = "".join(
        f'[[systems]]\nid = "{name}"\nname = "{name}"\nrole = "processor"\n'
        'delivery = "connector"\nconnector = "mailchimp"\nsector = "mailing"\n'
        f'agreement = "2026/1"\nmarketing = true\n\n{holdings}'
        for name in systems
    )
    return (before + ours + rest[rest.index("# Recipients") :]).encode()


def adopt(opened: Installation, systems: tuple[str, ...]) -> None:
    opened.controllers.adopt(profile(systems), name=NORWAY, by=BY)
    for finding in opened.controllers.findings(NORWAY, opened.clock().date()):
        if finding.severity is Severity.DECIDE_FIRST:
            opened.controllers.decide_finding(NORWAY, code=finding.code, decision="ok", by=BY)


def object_to_marketing(opened: Installation, address: str) -> None:
    note = Note(
        text="Jeg vil ikke ha reklame fra dere.",
        sender_name="",
        sender_address=address,
        received_at=opened.clock(),
        channel=Channel.PHONE,
        fingerprint=address,
    )
    opened.intake.confirm(
        opened.intake.write_down(NORWAY, note),
        rights=(Right.OBJECTION_TO_MARKETING,),
        language=Language.NB,
        identifiers=(Identifier(IdentifierKind.EMAIL, address),),
        by=BY,
    )


@contextmanager
def at_work(environment: Mapping[str, str], logs: Path) -> Iterator[None]:
    """Real `trettio work` processes, each in a session of its own."""
    begun: list[subprocess.Popen[bytes]] = []
    program = str(Path(sys.executable).with_name("trettio"))
    try:
        for number in range(PROCESSES):
            with (logs / f"work-{number}-{time.monotonic_ns()}.log").open("wb") as log:
                begun.append(
                    subprocess.Popen(
                        [program, "work"],
                        env=dict(environment),
                        cwd=ROOT,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )
                )
        time.sleep(1)
        assert [one.poll() for one in begun] == [None] * PROCESSES, f"see the logs in {logs}"
        yield
        for one in begun:
            one.send_signal(signal.SIGTERM)
        assert [one.wait(30) for one in begun] == [0] * PROCESSES
    finally:
        for one in begun:
            if one.poll() is None:
                os.killpg(one.pid, signal.SIGKILL)
                one.wait()


class Story:
    def __init__(self, opened: Installation) -> None:
        self.opened = opened

    def _one(self, sql: str, *values: object) -> float:
        (row,) = self.opened.database.fetch(sql, values)
        return float(next(iter(row.values())) or 0)

    def open_at(self, systems: tuple[str, ...]) -> int:
        return int(
            self._one(
                "SELECT count(*) FROM trettio.tasks WHERE system = ANY(%s) AND done_at IS NULL",
                list(systems),
            )
        )

    def rate(self, systems: tuple[str, ...], after: float) -> float:
        """Tasks a second, from the first to the last that was done."""
        return self._one(
            "SELECT (count(*) - 1) / extract(epoch FROM max(done_at) - min(done_at))"
            " FROM trettio.tasks WHERE system = ANY(%s) AND done_at > to_timestamp(%s)",
            list(systems),
            after,
        )

    def now(self) -> float:
        return self._one("SELECT extract(epoch FROM clock_timestamp())")

    def closed(self) -> int:
        return int(self._one("SELECT count(*) FROM trettio.log WHERE topic = 'request.closed'"))

    def suspended(self) -> set[str | None]:
        failing = self.opened.tasks.failing()
        return {one.system for one in failing if one.suspended_at is not None}

    def ever_suspended(self) -> set[str | None]:
        rows = self.opened.database.fetch(
            "SELECT system FROM views.systems_failing WHERE suspensions_ever > 0"
        )
        return {row["system"] for row in rows}


def test_sick_systems_slow_nobody_down_and_need_nobody_to_recover(
    database_url: str, tmp_path: Path, seed: int
) -> None:
    systems = {name: System(name, random.Random(f"{seed}/{name}")) for name in (*SOUND, *SICK)}
    first = [f"first{n}@kunde.example" for n in range(PEOPLE)]
    second = [f"second{n}@kunde.example" for n in range(PEOPLE)]
    settings = Settings.model_validate({"database_url": database_url, "home": tmp_path})

    def environment(*names: str) -> Mapping[str, str]:
        return {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(ROOT),
            "TRETTIO_HOME": str(tmp_path),
            "TRETTIO_DATABASE_URL": database_url,
            "TRETTIO_WORKERS": str(THREADS),
            "TRETTIO_LOG": "json",
            **{secret_variable(NORWAY, name, "url"): systems[name].url for name in names},
            **{secret_variable(NORWAY, name, "key"): KEY for name in names},
            **{secret_variable(NORWAY, name, "timeout"): "10" for name in names},
        }

    with ExitStack() as stack:
        for system in systems.values():
            stack.enter_context(system.double)
            for address in (*first, *second):
                system.double.add_member("news", address)
            stack.callback(system.close)
            system.open()
        opened = stack.enter_context(installation(settings, with_migrations=True))
        story = Story(opened)

        # Without the sick ones
        adopt(opened, SOUND)
        for address in first:
            object_to_marketing(opened, address)
        began = story.now()
        with at_work(environment(*SOUND), tmp_path):
            until(lambda: story.closed() == PEOPLE, "all are closed")
        usual = story.rate(SOUND, began)

        # Beside them
        adopt(opened, (*SOUND, *SICK))
        for address in second:
            object_to_marketing(opened, address)
        began = story.now()
        with at_work(environment(*SOUND, *SICK), tmp_path):
            until(lambda: story.open_at(SOUND) == 0, "the sound ones have answered")
            beside = story.rate(SOUND, began)
            until(lambda: {"down", "garbage"} <= story.suspended(), "two are suspended")
            until(lambda: "silent" in story.suspended(), "the silent one is suspended")
            assert story.closed() == PEOPLE, "none was closed without the sick ones' answer"

            for name in SICK:
                systems[name].heal()
            until(lambda: story.closed() == 2 * PEOPLE, "all are closed, and nobody did anything")
            until(lambda: not opened.tasks.failing(), "no system fails any more")

    print(f"seed {seed}: {usual:.1f} tasks/s without the sick ones, {beside:.1f} beside them")
    assert beside >= LEAST_RATIO * usual
    assert {"down", "silent", "garbage"} <= story.ever_suspended()
    for name, system in systems.items():
        assert system.is_done_with(second), name
        assert system.is_done_with(first) == (name in SOUND)
    escalated = "SELECT count(*) FROM trettio.log WHERE topic = 'fulfilment.escalated'"
    with installation(settings) as opened:
        assert opened.database.fetch(escalated) == [{"count": 0}]
        assert opened.tasks.parked() == []
