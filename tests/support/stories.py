"""A whole installation among running systems, and what the stories do to it, step by step.

Nothing here reaches past the doors that people have: a mail comes in by HTTP, staff use the API
with their tokens, letters are read where SMTP delivered them, links are followed.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.policy import default
from email.utils import format_datetime
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID, uuid4

import httpx2
import psycopg
import uvicorn
from aiosmtpd.controller import Controller as SmtpController
from aiosmtpd.smtp import SMTP, Envelope, Session
from eventsourcing.utils import get_topic

from adapters.bootstrap import Installation
from adapters.inbound.app import create_app
from adapters.outbound.tokens import Scope
from domain.case import Case
from domain.hold import Hold
from domain.request import DataSubjectRequest
from domain.vocabulary import Right, Severity
from tests.support.components import free_port
from tests.support.forms import Browser
from tests.support.localstripe import LocalStripe
from tests.support.pretix import Planted, Pretix

ORGANISATIONS = Path(__file__).parents[2] / "adapters" / "demo" / "organisations"
HOST = "mx.post.example"
"""The controllers' own mail server, the only one whose Received header is believed."""

HANDLER = "Signe Saksbehandler"
LOOKED = "searched-inbox-sent-and-archive"


class Moment:
    """A clock: the present, and as much later as the story says."""

    def __init__(self) -> None:
        self.later = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.later


# Mail


@dataclass(frozen=True)
class Letter:
    """A mail as the mail server took it."""

    recipient: str
    subject: str
    text: str
    html: str
    kind: str
    headers: Mapping[str, str]

    @property
    def code(self) -> str:
        found = re.search(r"^\s*(\d{4} ?\d{4})\s*$", self.text, re.MULTILINE)
        assert found, f"no code in {self.text!r}"
        return found.group(1)

    def link(self, purpose: str) -> str:
        found = re.search(rf"http://\S+(/{purpose}/[\w-]+)", self.text)
        assert found, f"no {purpose} link in {self.text!r}"
        return found.group(1)


class Postbox:
    """Everybody's mail server."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    async def handle_DATA(  # noqa: N802 (the server calls it by this name)
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        read = message_from_bytes(envelope.content, EmailMessage, policy=default)
        (recipient,) = envelope.rcpt_tos
        self.letters.append(
            Letter(
                recipient=str(recipient),
                subject=str(read["Subject"]),
                text=_body(read, "plain"),
                html=_body(read, "html"),
                kind=str(read["X-Trettio"]),
                headers={name: str(value) for name, value in read.items()},
            )
        )
        return "250 2.0.0 taken"

    def to(self, recipient: str) -> list[Letter]:
        return [letter for letter in self.letters if letter.recipient == recipient]

    def last(self, recipient: str, kind: str) -> Letter:
        of_kind = [letter for letter in self.to(recipient) if letter.kind == kind]
        assert of_kind, f"no {kind} among {[letter.kind for letter in self.to(recipient)]}"
        return of_kind[-1]

    @contextmanager
    def open(self) -> Iterator[int]:
        """Listen on loopback; gives the port."""
        server = SmtpController(self, hostname="127.0.0.1", port=free_port())
        server.start()
        try:
            yield server.port
        finally:
            server.stop()


def _body(read: EmailMessage, subtype: str) -> str:
    part = read.get_body(preferencelist=(subtype,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""


def raw_mail(
    text: str,
    *,
    sender: str,
    name: str = "",
    to: str = "personvern@fjordscenen.example",
    subject: str = "Personvern",
    arrived: datetime,
    attachment: bytes | None = None,
    answers: str | None = None,
) -> bytes:
    """A mail as the controller's mail server stored it, with the header that server wrote."""
    local, _, domain = sender.rpartition("@")
    mail = EmailMessage(policy=SMTP_POLICY)
    mail["From"] = Address(name, local, domain)
    mail["To"] = to
    mail["Subject"] = subject
    mail["Message-ID"] = f"<{uuid4().hex}@{domain}>"
    if answers is not None:
        mail["In-Reply-To"] = answers
    mail.set_content(text)
    if attachment is not None:
        mail.add_attachment(
            attachment, maintype="image", subtype="png", filename="legitimasjon.png"
        )
    received = (
        f"Received: from mail.avsender.example by {HOST} with ESMTPS;"
        f" {format_datetime(arrived)}\r\n"
    )
    return received.encode() + mail.as_bytes()


# The web server


@contextmanager
def served(installation: Installation, asked: list[str]) -> Iterator[None]:
    """The real application under a real server; `asked` collects every URL it is asked for."""
    app = create_app(installation)

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            asked.append(scope["raw_path"].decode() + "?" + scope["query_string"].decode())
        await app(scope, receive, send)

    settings = installation.settings
    server = uvicorn.Server(
        uvicorn.Config(
            noting, host=settings.host, port=settings.port, log_config=None, access_log=False
        )
    )
    thread = threading.Thread(target=server.run, name="web")
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the web server did not start"
            threading.Event().wait(0.01)
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=15)


# The story


@dataclass
class Story:
    """One installation with its staff, its mail and its systems."""

    installation: Installation
    moment: Moment
    postbox: Postbox
    http: httpx2.Client
    database_url: str
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        tokens = self.installation.tokens
        self.desk = tokens.create(
            name="desk",
            staff_id=HANDLER,
            scopes=frozenset({Scope.DESK, Scope.READ, Scope.INBOX}),
        )
        self.worker = self.installation.worker("story")
        self.follower = self.installation.follower()

    # Over HTTP

    def get(self, path: str, *, expect: int = 200, **query: str) -> Any:
        answer = self.http.get(path, params=query, headers=self._bearer)
        assert answer.status_code == expect, answer.text
        return answer.json()

    def post(self, path: str, body: object = None, *, expect: int = 200) -> Any:
        answer = self.http.post(path, json=body or {}, headers=self._bearer)
        assert answer.status_code == expect, answer.text
        return answer.json()

    def arrives(self, raw: bytes, controller: str) -> Any:
        answer = self.http.post(
            f"/v1/inbox?controller={controller}",
            content=raw,
            headers={**self._bearer, "Content-Type": "message/rfc822"},
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    @property
    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.desk}", "X-Purpose": "handle"}

    # What the desk does

    def confirm(self, arrived: Mapping[str, Any], **changes: object) -> Any:
        """Confirm a message as it was proposed; answers the case."""
        proposal = {"rights": arrived["rights"], "language": arrived["language"]}
        case = self.post(f"/v1/cases/{arrived['case_id']}/confirm", {**proposal, **changes})
        self.work()
        return case

    def prove(self, case_id: str, recipient: str) -> None:
        """A code goes out by mail, and the person writes it back."""
        self.post(f"/v1/cases/{case_id}/identity/ask", {"reason": "unknown-sender"}, expect=202)
        self.work()
        code = self.postbox.last(recipient, "identity-code").code
        answer = self.post(f"/v1/cases/{case_id}/identity/code", {"code": code})
        assert answer == {"result": "right"}
        self.work()

    def look_by_hand(self, request_id: str, **found: Sequence[object]) -> None:
        """Answer every look-up that waits for a person: what `found` names, else nothing."""
        for system in self.systems(request_id).values():
            if system["waits_for"] == "look-up" and system["status"] != "found":
                records = list(found.get(system["system"].replace("-", "_"), ()))
                self.post(
                    f"/v1/requests/{request_id}/systems/{system['system']}/answer",
                    {"found": records, "reason": LOOKED},
                )
        self.work()

    def systems(self, request_id: str) -> dict[str, Any]:
        return {
            system["system"]: system for system in self.get(f"/v1/requests/{request_id}/systems")
        }

    def records(self, request_id: str) -> list[Any]:
        found: list[Any] = self.get(f"/v1/requests/{request_id}/records")
        return found

    def decisions(self, request_id: str) -> list[Any]:
        decided: list[Any] = self.get(f"/v1/requests/{request_id}/decisions")
        return decided

    def judge(self, request_id: str, is_theirs: Callable[[Any], bool]) -> None:
        """Decide every weak match."""
        for record in self.records(request_id):
            if record["theirs"] is None:
                theirs = is_theirs(record)
                self.post(
                    f"/v1/requests/{request_id}/records/{record['record_id']}/match",
                    {"theirs": theirs, "reason": "asked-the-person" if theirs else "other-person"},
                )

    def read_over(self, request_id: str) -> None:
        """Look for others in what the person will get a copy of, and find none."""
        for record in self.records(request_id):
            if record["mentions_others"] and record["theirs"]:
                place = f"/v1/requests/{request_id}/records/{record['record_id']}/clear"
                self.post(place, {"reason": "nothing-about-others"})

    def approve(self, request_id: str, **more: object) -> None:
        if self.request(request_id)["right"] == Right.ACCESS.value:
            self.read_over(request_id)
        self.post(f"/v1/requests/{request_id}/approve", more)
        self.work()

    def request(self, request_id: str) -> Any:
        return self.get(f"/v1/requests/{request_id}")

    def at_the_desk(self, case_id: str) -> Browser:
        """Somebody signs in at the pages, opens a case and says what for."""
        browser = Browser(httpx2.Client(base_url=self.http.base_url, timeout=30))
        browser.open("/desk/sign-in")
        browser.press("/desk/sign-in", token=self.desk)
        browser.open(f"/desk/cases/{case_id}")
        browser.press("/purpose", purpose="handle")
        return browser

    # What the person does

    def fetch(self, recipient: str) -> bytes:
        """Follow the link in the answer, ask for a code, enter it."""
        with_link = [one for one in self.postbox.to(recipient) if "/answer/" in one.text]
        link = with_link[-1].link("answer")
        page = self.http.get(link)
        assert page.status_code == 200, page.text
        headers = {"Origin": str(self.http.base_url).rstrip("/")}
        sent = self.http.post(f"{link}/code", headers=headers)
        assert sent.status_code in {200, 303}, sent.text
        self.work()
        code = self.postbox.last(recipient, "identity-code").code
        answer = self.http.post(link, data={"code": code}, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/zip"
        self.work()
        return answer.content

    # What machines do

    def work(self) -> None:
        """Do everything that is due by the story's clock; the database goes by its own."""
        while self._bring_due() + self.worker.drain():
            pass
        self.follower.drain()

    def pass_time(self, **amount: float) -> None:
        """Let time pass: our clock goes forward, and what the database waits for comes nearer."""
        later = timedelta(**amount)
        self.moment.later += later
        for statement in (
            "UPDATE trettio.tasks SET next_at = next_at - %(t)s WHERE attempts > 0",
            "UPDATE trettio.links SET expires_at = expires_at - %(t)s",
            "UPDATE trettio.codes SET expires_at = expires_at - %(t)s",
        ):
            self._execute(statement, {"t": later})

    def _bring_due(self) -> int:
        return self._execute(
            "UPDATE trettio.tasks SET next_at = clock_timestamp() WHERE attempts = 0"
            " AND done_at IS NULL AND due_at <= %(now)s AND next_at > clock_timestamp()",
            {"now": self.moment()},
        )

    def _execute(self, statement: LiteralString, values: Mapping[str, object]) -> int:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            return connection.execute(statement, values).rowcount

    # What the log says

    def case(self, case_id: str) -> Case:
        return self.installation.register.case(UUID(case_id))

    def aggregate(self, request_id: str) -> DataSubjectRequest:
        return self.installation.register.request(UUID(request_id))

    def holds(self, request_id: str) -> list[Hold]:
        register = self.installation.register
        with psycopg.connect(self.database_url) as connection:
            rows = connection.execute(
                "SELECT originator_id FROM trettio.log WHERE topic = 'hold.placed'"
                " ORDER BY notification_id"
            ).fetchall()
        holds = [register.hold(hold_id) for (hold_id,) in rows]
        return [hold for hold in holds if hold.request_id == UUID(request_id)]

    def topics(self, aggregate_id: str | UUID) -> list[str]:
        """What happened to one aggregate, in order, by its public names."""
        events = self.installation.register.events.get(UUID(str(aggregate_id)))
        return [get_topic(type(event)) for event in events]


def adopt(installation: Installation, name: str) -> None:
    """Put an organisation's profile in force and decide what has to be decided first."""
    document = (ORGANISATIONS / f"{name}.toml").read_bytes()
    controllers = installation.controllers
    controllers.adopt(document, name=name, by=HANDLER)
    for finding in controllers.findings(name, installation.clock().date()):
        if finding.severity is Severity.DECIDE_FIRST:
            controllers.decide_finding(
                name, code=finding.code, decision="as the policy says", by=HANDLER
            )


def buy(
    pretix: Pretix, event: str, address: str, name: str, *, status: str = "p", **more: object
) -> str:
    """One more order with one ticket, for a planted event; answers its code."""
    seat = pretix.get(f"/events/{event}/items/")["results"][0]["id"]
    parts = {"_scheme": "full", "full_name": name}
    body = {
        "email": address,
        "locale": "en",
        "sales_channel": "web",
        "status": status,
        "payment_provider": "manual",
        "positions": [
            {
                "positionid": 1,
                "item": seat,
                "price": "200.00",
                "attendee_name_parts": parts,
                "attendee_email": address,
                "answers": [],
            }
        ],
        **more,
    }
    return str(pretix.post(f"/events/{event}/orders/", body)["code"])


def pay_by_card(stripe: LocalStripe, address: str, name: str) -> str:
    """A customer with a card and one payment; answers the customer's id."""
    customer = str(stripe.call("POST", "/v1/customers", email=address, name=name)["id"])
    card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2040, "cvc": "123"}
    form = {f"card[{part}]": value for part, value in card.items()}
    method = stripe.call("POST", "/v1/payment_methods", type="card", **form)["id"]
    stripe.call("POST", f"/v1/payment_methods/{method}/attach", customer=customer)
    payment = {"amount": 45_000, "currency": "nok", "customer": customer, "source": method}
    stripe.call("POST", "/v1/charges", **payment)
    return customer


def strangers_in(pretix: Pretix, planted: Planted) -> dict[str, bytes]:
    """What belongs to other people in a planted world, byte by byte as pretix's own API says it.

    Of a stranger's order in which the person is an attendee, everything but the person's ticket.
    """
    at, tag = f"/events/{planted.event}", planted.event.removeprefix("show-")
    paths = [
        *(f"{at}/orders/{planted.orders[which]}/" for which in ("family", "namesake")),
        *(
            f"{at}/orderpositions/{planted.tickets[which]}/"
            for which in ("companion", "family-companion", "family", "namesake")
        ),
        f"{at}/orders/{planted.orders['foreign']}/?include=email&include=phone"
        "&include=invoice_address&include=comment&include=payments&include=secret",
        f"/customers/?email=k.{tag}@other.example",
    ]
    return {path: pretix.raw(path) for path in paths}


def request_id(case: Mapping[str, Any], right: Right) -> str:
    return next(str(one["request_id"]) for one in case["requests"] if one["right"] == right.value)
