"""A house with two controllers, a desk that is signed in to, and nothing but memory behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from fastapi.testclient import TestClient

import adapters.demo
from adapters.bootstrap import Installation, installation, utc_now
from adapters.outbound.outbox import Outbox, StoredMail
from adapters.outbound.tokens import Scope
from adapters.settings import Settings
from domain.case import Case
from domain.vocabulary import Channel, ReceiptSource, Severity
from services.messages import IncomingMessage, Nature
from services.ports import Clock
from services.worker import Worker
from tests.support.fake_systems import FakeSystems
from tests.support.web import web

ORGANISATIONS = Path(adapters.demo.__file__).with_name("organisations")
KARI = "kari.testesen@person.example"
NORWAY, SWEDEN = "fjordscenen", "stundbiljett"


@dataclass
class House:
    """An installation with what a test needs around it."""

    installation: Installation
    systems: FakeSystems
    worker: Worker
    client: TestClient

    def work(self) -> None:
        """Let everything happen that happens by itself."""
        self.worker.drain()
        self.installation.follower().drain()

    def receive(
        self,
        text: str,
        *,
        subject: str = "Personvern",
        controller: str = NORWAY,
        name: str = "Kari Testesen",
        attachments: tuple[str, ...] = (),
    ) -> UUID:
        message = IncomingMessage(
            sender_name=name,
            sender_address=KARI,
            to=(),
            subject=subject,
            text=text,
            attachments=(),
            message_id=None,
            in_reply_to=None,
            received_at=datetime.now(UTC),
            received_at_source=ReceiptSource.RECEIVED_HEADER,
            nature=Nature.PERSONAL,
            raw_sha256=sha256(f"{controller}{subject}{text}".encode()).hexdigest(),
            truncated=False,
        )
        case_id = self.installation.intake.receive(controller, message, channel=Channel.MAIL)
        self.work()
        return case_id

    def case(self, case_id: UUID) -> Case:
        return self.installation.register.case(case_id)

    def mails(self) -> list[StoredMail]:
        drawer = self.installation.mailer
        assert isinstance(drawer, Outbox)
        # Their dates are whole seconds; a test sends several in one.
        return sorted(drawer.messages(), key=lambda mail: mail.path.stat().st_mtime_ns)

    def newest_code(self) -> str:
        texts = [mail.text for mail in self.mails() if mail.kind.value == "identity-code"]
        found = re.search(r"\b\d{4} ?\d{4}\b", texts[-1])
        assert found is not None
        return found[0]

    def link(self, kind: str) -> str:
        """The newest address of this kind in a mail, without its host."""
        texts = [mail.text for mail in self.mails() if f"/{kind}/" in mail.text]
        found = re.search(rf"/{kind}/[\w-]+", texts[-1])
        assert found is not None
        return found[0]

    def events(self) -> int:
        (row,) = self.installation.database.fetch("SELECT count(*) FROM trettio.log")
        return int(row["count"])

    def token(self, *controllers: str, staff: str = "ola") -> str:
        return self.installation.tokens.create(
            name=f"desk of {staff}",
            staff_id=staff,
            scopes=frozenset({Scope.DESK}),
            controllers=frozenset(controllers),
        )

    def visitor(self) -> TestClient:
        """A browser that nobody has signed in with."""
        return TestClient(
            self.client.app, headers={"Origin": "http://testserver"}, follow_redirects=True
        )

    def staff(self, *controllers: str, staff: str = "ola") -> TestClient:
        """A browser at the desk."""
        browser = self.visitor()
        answer = browser.post(
            "/desk/sign-in", data={"token": self.token(*controllers, staff=staff)}
        )
        assert answer.status_code == 200, answer.text
        return browser


@contextmanager
def open_house(
    database_url: str, home: Path, *, clock: Clock = utc_now, **more: object
) -> Iterator[House]:
    settings = Settings.model_validate({"database_url": database_url, "home": home, **more})
    systems = FakeSystems(
        manual=frozenset({"customer-service", "web", "archive", "invoicing", "print"})
    )
    with installation(settings, clock=clock, with_migrations=True) as opened:
        opened = replace(opened, systems=systems)
        for name in (NORWAY, SWEDEN):
            document = (ORGANISATIONS / f"{name}.toml").read_bytes()
            opened.controllers.adopt(document, name=name, by="trettio-tests")
            for finding in opened.controllers.findings(name, datetime.now(UTC).date()):
                if finding.severity is Severity.DECIDE_FIRST:
                    opened.controllers.decide_finding(
                        name, code=finding.code, decision="ok", by="trettio-tests"
                    )
        opened.follower().drain()
        yield House(opened, systems, opened.worker("test"), TestClient(web(opened)))
