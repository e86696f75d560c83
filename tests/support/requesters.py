"""People who ask, and the staff who handle what they ask, over real HTTP against real processes.

They are good clients: what was not acknowledged is sent again under the same `Idempotency-Key`,
503 is waited out, and a conflict after a repetition is looked into before it is believed. Any
other answer than the expected one is kept as wrong.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import urllib3

from domain.vocabulary import Right
from tests.support.outside import Customer
from tests.support.processes import CONTROLLER, TRUSTED, Letter, Mailboxes

WORDS = {
    Right.ACCESS: "Jeg vil ha innsyn i alle opplysninger dere har om meg.",
    Right.ERASURE: "Jeg vil at dere sletter alle opplysninger dere har om meg.",
    Right.OBJECTION_TO_MARKETING: "Jeg vil ikke ha reklame fra dere.",
    Right.WITHDRAWAL: "Jeg trekker tilbake samtykket mitt til nyhetsbrevet.",
}
LOOK_AGAIN = 0.25
LONGEST_REST = 2.0
MOST_CODES = 3
CODE_COMES_WITHIN = 50.0


class Gone(Exception):
    """The test is over before the story was."""


@dataclass(frozen=True)
class Asked:
    """One person and what they ask for; what they may ask for together is one case."""

    customer: Customer
    rights: tuple[Right, ...]


@dataclass
class Seen:
    """What the clients have seen of the service, all together."""

    statuses: Counter[int] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    without_retry_after: int = 0
    acknowledged: set[str] = field(default_factory=set)
    seconds: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class Answer:
    status: int
    content: bytes
    repeated: bool

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class Client:
    """One connection's worth of calls. `patient` repeats; otherwise nothing is ever repeated."""

    port: int
    token: str
    seen: Seen
    over: threading.Event
    patient: bool = True

    def __post_init__(self) -> None:
        self.pool = urllib3.HTTPConnectionPool("127.0.0.1", self.port, timeout=30, maxsize=1)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        expect: Iterable[int] = (200,),
        raw: bytes | None = None,
        form: dict[str, str] | None = None,
    ) -> Answer:
        """Say it until it is acknowledged; `expect` are the answers that settle it."""
        headers = {"Authorization": f"Bearer {self.token}", "X-Purpose": "handle"}
        content = raw
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid4())
        if form is not None:
            headers = {
                "Origin": f"http://127.0.0.1:{self.port}",
                "Content-Type": "application/x-www-form-urlencoded",
            }
            content = urlencode(form).encode()
        elif raw is not None:
            headers["Content-Type"] = "message/rfc822"
        elif body is not None:
            headers["Content-Type"], content = "application/json", json.dumps(body).encode()
        settled, repeated, pause = frozenset(expect), False, LOOK_AGAIN
        while not self.over.is_set():
            began = time.monotonic()
            try:
                response = self.pool.request(
                    method,
                    path,
                    body=content,
                    headers=headers,
                    redirect=False,
                    retries=False,
                )
            except (urllib3.exceptions.HTTPError, OSError) as error:
                with self.seen.lock:
                    self.seen.unanswered[type(error).__name__] += 1
                    if not self.patient:
                        self.seen.wrong.append(f"{method} {path}: {error!r}")
                repeated = True
                self.over.wait(pause)
                pause = min(pause * 1.5, LONGEST_REST)
                continue
            with self.seen.lock:
                self.seen.statuses[response.status] += 1
                self.seen.seconds.append(time.monotonic() - began)
            if response.status in settled:
                return Answer(response.status, response.data, repeated)
            wait = response.headers.get("Retry-After")
            if response.status == HTTPStatus.SERVICE_UNAVAILABLE and self.patient:
                if wait is None:
                    with self.seen.lock:
                        self.seen.without_retry_after += 1
                repeated = True
                self.over.wait(LOOK_AGAIN)
                continue
            if response.status == HTTPStatus.CONFLICT and (repeated or wait is not None):
                if wait is None:
                    return Answer(response.status, response.data, repeated)
                self.over.wait(LOOK_AGAIN)
                continue
            with self.seen.lock:
                self.seen.wrong.append(
                    f"{method} {path}: {response.status} {response.data[:300]!r}"
                )
            raise Gone
        raise Gone


@dataclass
class Story:
    """One person's case from the mail to the end, as client."""

    client: Client
    asked: Asked
    mailboxes: Mailboxes
    done: Callable[[Asked], None]
    case_id: str = ""

    def tell(self) -> None:
        raw = mail_of(self.asked)
        arrived = self.client.call(
            "POST", f"/v1/inbox?controller={CONTROLLER}", raw=raw, expect=(200, 201)
        ).json
        self.case_id = str(arrived["case_id"])
        self._acknowledged("arrived")
        rights = [right.value for right in self.asked.rights]
        self._do("confirm", {"rights": rights, "language": "nb"}, self._is_confirmed)
        requests = {Right(one["right"]): one["request_id"] for one in self._case()["requests"]}
        if any(not right.acts_at_once for right in self.asked.rights):
            self._do("identity/verified", {"method": "login"}, self._is_verified)
        for right in sorted(self.asked.rights, key=lambda right: right is Right.ERASURE):
            self._see_through(right, str(requests[right]))
        self.done(self.asked)

    def _see_through(self, right: Right, request_id: str) -> None:
        if not right.acts_at_once:
            self._until(request_id, {"collected"})
            answer = self.client.call(
                "POST",
                f"/v1/requests/{request_id}/approve",
                {"considered": True},
                expect=(200, 202),
            )
            if answer.status == HTTPStatus.CONFLICT:
                assert self._status(request_id) not in {"received", "verified", "collected"}, (
                    answer.content
                )
            self._acknowledged("approved")
        if right is Right.ACCESS:
            self._fetch()
        self._until(request_id, {"closed"})
        self._acknowledged("closed")

    def _fetch(self) -> None:
        """Follow the link in the letter, ask for a code, enter it; begin anew when in doubt."""
        self._wait(lambda: self._letters("answer"))
        found = re.search(r"http://\S+(/answer/[\w-]+)", self._letters("answer")[0].text)
        assert found is not None
        link = found.group(1)
        self.client.call("GET", link)
        tried: set[str] = set()
        for _ in range(MOST_CODES):
            self.client.call("POST", f"{link}/code", form={}, expect=(200, 302, 303))
            if self._enter_code(link, tried):
                self._acknowledged("fetched")
                return
        raise AssertionError(f"no code opens the answer of {self.asked.customer.address}")

    def _enter_code(self, link: str, tried: set[str]) -> bool:
        """Try what comes by mail; False when the code was used, or none that works has come."""
        until = time.monotonic() + CODE_COMES_WITHIN
        while time.monotonic() < until:
            new = [one for one in self._letters("identity-code") if one.message_id not in tried]
            for letter in reversed(new):
                tried.add(letter.message_id)
                code = re.search(r"^\s*(\d{4} ?\d{4})\s*$", letter.text, re.MULTILINE)
                assert code is not None
                answer = self.client.call(
                    "POST", link, form={"code": code.group(1)}, expect=(200, 422)
                )
                if answer.status == HTTPStatus.OK:
                    assert answer.content.startswith(b"PK")
                    return True
                if answer.repeated:  # it may have been right, and the answer was lost
                    return False
            self._rest(LOOK_AGAIN)
        return False

    def _letters(self, kind: str) -> list[Letter]:
        return self.mailboxes.to(self.asked.customer.address, kind)

    def _do(self, step: str, body: object, is_done: Callable[[], bool]) -> None:
        """A command about the case; a conflict after a repetition may mean that it worked."""
        path = f"/v1/cases/{self.case_id}/{step}"
        answer = self.client.call("POST", path, body, expect=(200, 201, 202))
        assert answer.status != HTTPStatus.CONFLICT or is_done(), (path, answer.content)
        self._acknowledged(step)

    def _acknowledged(self, step: str) -> None:
        with self.client.seen.lock:
            self.client.seen.acknowledged.add(f"{self.case_id} {step}")

    def _case(self) -> Any:
        return self.client.call("GET", f"/v1/cases/{self.case_id}").json

    def _is_confirmed(self) -> bool:
        return bool(self._case()["requests"])

    def _is_verified(self) -> bool:
        return all(one["identified"] for one in self._case()["requests"])

    def _status(self, request_id: str) -> str:
        return str(self.client.call("GET", f"/v1/requests/{request_id}").json["status"])

    def _until(self, request_id: str, statuses: set[str]) -> None:
        self._wait(lambda: self._status(request_id) in statuses)

    def _wait(self, true: Callable[[], object]) -> None:
        rest = LOOK_AGAIN
        while not true():
            self._rest(rest)
            rest = min(rest * 1.5, LONGEST_REST)  # who waits for a lease to end need not hurry

    def _rest(self, seconds: float) -> None:
        if self.client.over.wait(seconds):
            raise Gone


class Crowd:
    """Many stories side by side, let in as the test wants."""

    def __init__(
        self,
        port: int,
        token: str,
        mailboxes: Mailboxes,
        *,
        at_once: int = 32,
        patient: bool = True,
    ) -> None:
        self.seen, self.over = Seen(), threading.Event()
        self.finished: list[Asked] = []
        self.failed: list[BaseException] = []
        self._mailboxes = mailboxes
        self._waiting: deque[Asked] = deque()
        self._threads = [
            threading.Thread(
                target=self._run,
                args=(Client(port, token, self.seen, self.over, patient),),
                name=f"client-{number}",
            )
            for number in range(at_once)
        ]

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join(timeout=60)

    def let_in(self, asked: Iterable[Asked]) -> None:
        self._waiting.extend(asked)

    def _run(self, client: Client) -> None:
        while not self.over.is_set():
            try:
                asked = self._waiting.popleft()
            except IndexError:
                self.over.wait(LOOK_AGAIN)
                continue
            try:
                Story(client, asked, self._mailboxes, self.finished.append).tell()
            except Gone:
                continue
            except BaseException as error:
                self.failed.append(error)

    @property
    def is_broken(self) -> bool:
        return bool(self.failed or self.seen.wrong)

    @property
    def told(self) -> str:
        """What the clients saw, in one line."""
        statuses = ", ".join(f"{n} x {status}" for status, n in sorted(self.seen.statuses.items()))
        return (
            f"{len(self.finished)} cases closed; answers: {statuses};"
            f" unanswered: {dict(self.seen.unanswered)}"
        )

    def require_no_error(self) -> None:
        """Fail with what the clients saw."""
        assert not self.failed, self.failed[:3]
        assert not self.seen.wrong, self.seen.wrong[:5]
        assert not self.seen.without_retry_after, "503 without Retry-After"


def mail_of(asked: Asked) -> bytes:
    """The mail as the controller's mail server stored it; always the same for the same person."""
    mail = EmailMessage(policy=SMTP_POLICY)
    mail["From"] = asked.customer.address
    mail["To"] = f"personvern@{CONTROLLER}.example"
    mail["Subject"] = "Personvern"
    mail["Message-ID"] = f"<{asked.customer.number}@kunde.example>"
    mail.set_content("\n".join(WORDS[right] for right in asked.rights))
    arrived = format_datetime(datetime.now(UTC))
    received = f"Received: from mail.kunde.example by {TRUSTED} with ESMTPS; {arrived}\r\n"
    return received.encode() + mail.as_bytes()
