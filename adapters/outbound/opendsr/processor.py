"""One processor, asked by OpenDSR 2.0: discovery, requests, their state, what was found.

Every address is judged before it is called, the ones that the processor itself names among them;
everything but discovery must be signed with the key of its domain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from threading import Lock
from typing import TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import structlog
import urllib3
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from pydantic import ValidationError

from adapters.outbound.http import LARGEST_ANSWER, Response
from adapters.outbound.opendsr.certificate import (
    LARGEST_CERTIFICATE,
    NotTheProcessor,
    key_of,
    require_signature,
)
from adapters.outbound.opendsr.messages import (
    DOMAIN,
    SIGNATURE,
    Accepted,
    Discovery,
    Placed,
    Progress,
    Said,
)
from adapters.outbound.webhooks.guard import Guard
from services.ports import Clock, Garbled, NotSetUp, Refused

TIMEOUT = urllib3.Timeout(connect=5.0, read=20.0)
LARGEST_MESSAGE = 256 * 1024
DISCOVERED_FOR = timedelta(hours=6)
"""So long a processor's abilities and its certificate are believed without asking again."""

M = TypeVar("M", bound=Said)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Known:
    """What discovery said, and the key behind the certificate that it names."""

    discovery: Discovery
    key: RSAPublicKey
    until: datetime


class Processor:
    """`options`: `url` and `domain` of the processor, `token` if it wants one, `ca` if need be."""

    def __init__(self, options: Mapping[str, str], guard: Guard, clock: Clock) -> None:
        for needed in ("url", "domain"):
            if not options.get(needed, "").strip():
                raise NotSetUp(f"a processor needs {needed!r}: set it in the profile")
        self._url = options["url"].strip().rstrip("/")
        self.domain = options["domain"].strip().lower()
        self._token, self._ca = options.get("token"), options.get("ca")
        self._guard, self._clock = guard, clock
        self._known: Known | None = None
        self._lock = Lock()

    def discover(self) -> Discovery:
        return self._discovered().discovery

    def place(self, placed: Placed) -> None:
        """Place a request. One that is there already counts as placed: the reply may be lost."""
        body = placed.model_dump_json().encode()
        answer = self._call("POST", "/requests", body=body, expect=(200, 201, 202, 400, 409))
        if answer.status in {400, 409}:
            if self._there(placed.subject_request_id):
                return
            raise Refused(f"POST /requests answered {answer.status}")
        accepted = self._signed(answer, Accepted)
        if accepted.subject_request_id != placed.subject_request_id:
            raise Garbled("POST /requests was answered about another request")

    def progress(self, request: UUID) -> Progress:
        answer = self._call("GET", "/requests/{id}", request=request)
        progress = self._signed(answer, Progress)
        if progress.subject_request_id != request:
            raise Garbled("GET /requests/{id} was answered about another request")
        return progress

    def cancel(self, request: UUID) -> bool:
        """Take a request back; False where it is too late for that."""
        answer = self._call(
            "DELETE", "/requests/{id}", request=request, expect=(200, 202, 400, 404, 409)
        )
        return answer.status in {200, 202}

    def results(self, url: str) -> object:
        """What an access request found, wherever the processor says that it lies."""
        with_token = urlsplit(url).netloc == urlsplit(self._url).netloc
        answer = self._fetch(url, "{results}", largest=LARGEST_ANSWER, with_token=with_token)
        return answer.json()

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Whether this processor said so; `headers` are by lower-case name."""
        if headers.get(DOMAIN.lower(), "").strip().lower() != self.domain:
            raise NotTheProcessor("domain-wrong")
        require_signature(self._discovered().key, headers.get(SIGNATURE.lower(), ""), body)

    def _there(self, request: UUID) -> bool:
        answer = self._call("GET", "/requests/{id}", request=request, expect=(200, 400, 404))
        found = answer.status == HTTPStatus.OK
        return found and self._signed(answer, Progress).subject_request_id == request

    def _signed(self, answer: Response, model: type[M]) -> M:
        try:
            self.verify(answer.headers, answer.body)
        except NotTheProcessor as error:
            log.warning("processor_not_genuine", reason=error.reason)
            raise Garbled(f"the processor's answer is not signed by it: {error.reason}") from None
        return _read(answer, model)

    def _discovered(self) -> Known:
        with self._lock:
            now = self._clock()
            if self._known is None or now >= self._known.until:
                answer = self._fetch(self._url + "/discovery", "/discovery")
                discovery = _read(answer, Discovery)
                certificate = self._fetch(
                    discovery.processor_certificate,
                    "{certificate}",
                    largest=LARGEST_CERTIFICATE,
                    with_token=False,
                )
                try:
                    key = key_of(certificate.body, self.domain, now, self._ca)
                except NotTheProcessor as error:
                    raise Garbled(f"the processor's certificate: {error.reason}") from None
                self._known = Known(discovery, key, now + DISCOVERED_FOR)
            return self._known

    def _call(
        self,
        method: str,
        template: str,
        *,
        request: UUID | None = None,
        body: bytes | None = None,
        expect: tuple[int, ...] = (200,),
    ) -> Response:
        path = template.replace("{id}", str(request))
        return self._fetch(self._url + path, template, method=method, body=body, expect=expect)

    def _fetch(
        self,
        url: str,
        template: str,
        *,
        method: str = "GET",
        body: bytes | None = None,
        expect: tuple[int, ...] = (200,),
        largest: int = LARGEST_MESSAGE,
        with_token: bool = True,
    ) -> Response:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if with_token and self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        target = self._guard.target(url)
        client = self._guard.client(target, timeout=TIMEOUT, largest=largest, trusting=self._ca)
        try:
            return client.request(
                method,
                template,
                literally=target.place.path,
                body=body,
                headers=headers,
                expect=expect,
            )
        finally:
            client.close()


def _read(answer: Response, model: type[M]) -> M:
    try:
        return model.model_validate(answer.object())
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        raise Garbled(f"the processor's answer lacks what the standard wants: {where}") from None


def shown(results: object) -> list[dict[str, object]] | None:
    """Records in what was found; None where it is nothing that we can read as records.

    The standard leaves the form open: a list of objects, one under `records`, or a single object.
    """
    within = results.get("records", [results]) if isinstance(results, dict) else results
    if isinstance(within, list) and all(isinstance(one, dict) for one in within):
        return within
    return None
