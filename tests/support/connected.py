"""An installation that `trettio serve` runs beside a real broker, and systems connected to it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

from adapters.bootstrap import Installation, installation
from adapters.outbound.kafka.topics import create_topics
from adapters.outbound.outbox import Outbox
from adapters.outbound.tokens import Scope
from adapters.settings import load_settings
from domain.request import DataSubjectRequest, Status
from domain.vocabulary import (
    Channel,
    IdentifierKind,
    Language,
    LetterKind,
    ReceiptSource,
    Right,
    Severity,
)
from services.messages import IncomingMessage, Nature
from services.ports import Identifier
from tests.support.components import free_port
from tests.support.kafka import Broker
from tests.support.processes import PROFILES, ROOT, Process, answers, wait_until

CONTROLLER = "lykteslottet"
HANDLER = "Signe Saksbehandler"
_SYSTEM = """
[[systems]]
id = "{system}"
name = "{system}"
role = "processor"
delivery = "kafka"
connector = "kafka"
sector = "ticketing"

[[systems.holdings]]
kind = "customer"
category = "profile"

[[systems.holdings]]
kind = "purchase"
category = "payments"

[[systems.holdings]]
kind = "subscriber"
category = "newsletter"
"""


@dataclass
class Connected:
    """What stands around the systems: a broker, a service, and somebody who works the cases."""

    folder: Path
    broker: Broker
    installation: Installation
    port: int
    processes: list[Process] = field(default_factory=list)

    # Systems

    def environment(self, system: str) -> Mapping[str, str]:
        """What the operator gives to whoever connects a system."""
        token = self.installation.tokens.create(
            name=f"{system} {uuid4()}",
            staff_id=system,
            scopes=frozenset({Scope.SYSTEM}),
            controllers=frozenset({CONTROLLER}),
            system=system,
        )
        key = self.installation.system_keys.current(CONTROLLER, system)
        return {
            "PATH": os.environ.get("PATH", ""),
            "KAFKA": self.broker.address,
            "TRETTIO": f"http://127.0.0.1:{self.port}",
            "TOKEN": token,
            "KEY": f"{key.version}:{key.key.hex()}",
            "CONTROLLER": CONTROLLER,
            "SYSTEM": system,
        }

    def process(self, name: str, command: list[str], environment: Mapping[str, str]) -> Process:
        process = Process(name, command, environment, self.folder)
        self.processes.append(process)
        return process.start()

    def abandon(self) -> None:
        for process in self.processes:
            process.abandon()

    # Cases

    def asks(self, address: str, right: Right) -> DataSubjectRequest:
        """A person asks by mail, is taken in, and proves the address by the code sent there."""
        opened = self.installation
        now = datetime.now(UTC)
        message = IncomingMessage(
            sender_name="Kari Testesen",
            sender_address=address,
            to=(),
            subject="Personvern",
            text=right.value,
            attachments=(),
            message_id=None,
            in_reply_to=None,
            received_at=now,
            received_at_source=ReceiptSource.RECEIVED_HEADER,
            nature=Nature.PERSONAL,
            raw_sha256=sha256(f"{address}{right}{now}".encode()).hexdigest(),
            truncated=False,
        )
        case_id = opened.intake.receive(CONTROLLER, message, channel=Channel.MAIL)
        known = (Identifier(IdentifierKind.EMAIL, address),)
        opened.intake.confirm(
            case_id, rights=(right,), language=Language.NB, identifiers=known, by=HANDLER
        )
        if not self.request(case_id, right).is_identified:
            opened.identity.ask(case_id, reason="unknown-sender", by=HANDLER)
            wait_until(lambda: self.codes(address), what="the code is sent")
            opened.identity.check_code(case_id, self.codes(address)[-1])
        return self.request(case_id, right)

    def codes(self, address: str) -> list[str]:
        mailer = self.installation.mailer
        assert isinstance(mailer, Outbox)
        texts = [
            mail.text
            for mail in mailer.messages()
            if (mail.recipient, mail.kind) == (address, LetterKind.IDENTITY_CODE)
        ]
        return [found[0] for text in texts if (found := re.search(r"\b\d{4} ?\d{4}\b", text))]

    def approve(self, request: DataSubjectRequest) -> None:
        """Once everything was searched, the handler decides."""
        self.until(request, Status.COLLECTED)
        self.installation.deciding.approve(request.id, by=HANDLER, considered=True)

    def until(self, request: DataSubjectRequest, *statuses: Status) -> DataSubjectRequest:
        """Wait until it has come so far, and no longer than the processes live."""
        register = self.installation.register

        def is_so() -> bool:
            for process in self.processes:
                assert process.is_alive, f"{process}: {process.log.read_text()[-1000:]}"
            return register.request(request.id).status in statuses

        wait_until(is_so, what=f"{request.right.value} is {[one.value for one in statuses]}")
        return register.request(request.id)

    def request(self, case_id: UUID, right: Right) -> DataSubjectRequest:
        register = self.installation.register
        return register.request(register.case(case_id).request_id(right))


@contextmanager
def connected(
    folder: Path, database_url: str, broker: Broker, *systems: str
) -> Iterator[Connected]:
    """`trettio serve`, told of these systems, until the block ends; so are all its processes."""
    port = free_port()
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(ROOT),
        "TRETTIO_HOME": str(folder / "home"),
        "TRETTIO_DATABASE_URL": database_url,
        "TRETTIO_PORT": str(port),
        "TRETTIO_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "TRETTIO_KAFKA": broker.address,
        "TRETTIO_UNDO_SECONDS": "0",
    }
    settings = load_settings({key: environment[key] for key in environment if "TRETTIO" in key})
    create_topics(settings, partitions=3, replicas=1)
    with ExitStack() as stack:
        opened = stack.enter_context(installation(settings, with_migrations=True))
        _adopt(opened, systems)
        town = Connected(folder, broker, opened, port)
        stack.callback(town.abandon)
        program = str(Path(sys.executable).with_name("trettio"))
        serving = town.process("serve", [program, "serve"], environment)
        serving.wait_until(lambda: answers(port) == 200, what="it answers")
        yield town


def _adopt(opened: Installation, systems: tuple[str, ...]) -> None:
    """The invented company, with these systems in place of its own."""
    document = (PROFILES / f"{CONTROLLER}.toml").read_text(encoding="utf-8")
    told = "".join(_SYSTEM.replace("{system}", system) for system in systems)
    document = document.partition("[[systems]]")[0] + told
    opened.controllers.adopt(document.encode(), name=f"{CONTROLLER}.toml", by=HANDLER)
    for finding in opened.controllers.findings(CONTROLLER, datetime.now(UTC).date()):
        if finding.severity is Severity.DECIDE_FIRST:
            opened.controllers.decide_finding(
                CONTROLLER, code=finding.code, decision="as the policy says", by=HANDLER
            )
