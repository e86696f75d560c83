"""The one HTTP client that connectors use: pooled, bounded, suspicious.

Nothing a remote system answers is trusted: redirects are not followed, answers have a largest
size, JSON must be JSON. What goes wrong becomes `Unavailable` or `Refused`, with a reason that
holds a path template and a status, never an address or a name.
"""

from __future__ import annotations

import json as jsonlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from math import isfinite
from typing import Any, NoReturn, cast
from urllib.parse import quote, urlencode, urlsplit

import structlog
import urllib3

from services.ports import Refused, Unavailable

LARGEST_ANSWER = 32 * 1024 * 1024
LONGEST_ANSWER_SECONDS = 120.0
LONGEST_WISH_SECONDS = 86_400.0
PIECE = 64 * 1024
TIMEOUT = urllib3.Timeout(connect=5.0, read=30.0)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; `Refused` when it is something else."""
        try:
            return jsonlib.loads(self.body, parse_constant=_no_number, parse_float=_finite)
        except (ValueError, RecursionError):
            raise Refused(f"answer is not JSON (status {self.status})") from None

    def object(self) -> dict[str, Any]:
        """The body as a JSON object; `Refused` when it is something else."""
        value = self.json()
        if not isinstance(value, dict):
            raise Refused(f"answer is not a JSON object (status {self.status})")
        return cast(dict[str, Any], value)


class HttpClient:
    """One connected system's base address and credentials.

    `base_url` is http(s)://host[:port][/path]; at most `connections` are open at once.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        connections: int = 4,
        timeout: urllib3.Timeout | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("a system's url must begin with http:// or https:// and name a host")
        self._base_path = parts.path.rstrip("/")
        pool = (
            urllib3.HTTPSConnectionPool if parts.scheme == "https" else urllib3.HTTPConnectionPool
        )
        self._pool = pool(
            parts.hostname,
            parts.port,
            maxsize=connections,
            block=True,
            timeout=timeout or TIMEOUT,
            headers={"Accept": "application/json", **(headers or {})},
        )

    def request(
        self,
        method: str,
        template: str,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, object] | None = None,
        json: object | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        expect: tuple[int, ...] = (200,),
    ) -> Response:
        """Call `template` with its `{names}` filled from `path`, each quoted as one segment.

        Statuses in `expect` are returned; 408, 425, 429 and 5xx raise `Unavailable` with the
        system's `Retry-After` if it gave one; all others raise `Refused`.
        """
        if any(value in {"", ".", ".."} for value in (path or {}).values()):
            raise Refused(f"{method} {template} cannot be filled: a part of its path is empty")
        try:
            url = self._base_path + _filled(template, path or {}, query or {})
        except UnicodeEncodeError:
            raise Refused(f"{method} {template} cannot be filled: a value is no text") from None
        send_headers = {**self._pool.headers, **(headers or {})}
        body: bytes | None = None
        if json is not None:
            body = jsonlib.dumps(json).encode()
            send_headers["Content-Type"] = "application/json"
        elif form is not None:
            body = urlencode(form).encode()
            send_headers["Content-Type"] = "application/x-www-form-urlencoded"
        response = self._exchange(method, url, template, body, send_headers)
        log.info("system_answered", method=method, path=template, status=response.status)
        if response.status in expect:
            return response
        if response.status in _TRY_LATER or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unavailable(
                f"{method} {template} answered {response.status}",
                retry_after=_seconds(response.headers.get("retry-after")),
            )
        raise Refused(f"{method} {template} answered {response.status}")

    def _exchange(
        self, method: str, url: str, template: str, body: bytes | None, headers: dict[str, str]
    ) -> Response:
        try:
            raw = self._pool.urlopen(
                method,
                url,
                body=body,
                headers=headers,
                redirect=False,
                retries=False,
                preload_content=False,
            )
            try:
                content = _read(raw, f"{method} {template}")
            except BaseException:
                raw.close()  # what is left of the answer must not be taken for the next one's
                raise
            finally:
                raw.release_conn()
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise Unavailable(f"{method} {template}: {type(error).__name__}") from None
        return Response(
            status=raw.status,
            headers={name.lower(): value for name, value in raw.headers.items()},
            body=content,
        )

    def close(self) -> None:
        self._pool.close()


_TRY_LATER = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
}


def _filled(template: str, path: Mapping[str, str], query: Mapping[str, object]) -> str:
    filled = template.format(**{name: quote(value, safe="") for name, value in path.items()})
    asked = {name: value for name, value in query.items() if value is not None}
    return f"{filled}?{urlencode(asked, doseq=True)}" if asked else filled


def _finite(text: str) -> float:
    """A number that can be written as JSON again: 1e999 would come back as none."""
    number = float(text)
    return number if isfinite(number) else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")


def _read(raw: urllib3.BaseHTTPResponse, what: str) -> bytes:
    """The whole body, bounded in size and in time: a drop a minute would never end."""
    ends = time.monotonic() + LONGEST_ANSWER_SECONDS
    content = bytearray()
    for piece in raw.stream(PIECE, decode_content=True):
        content += piece
        if len(content) > LARGEST_ANSWER:
            raise Refused(f"{what} answered more than {LARGEST_ANSWER} bytes")
        if time.monotonic() > ends:
            raise Unavailable(f"{what}: the answer does not come to an end")
    return bytes(content)


def _seconds(header: str | None) -> float | None:
    """`Retry-After`, as seconds or as a date; nonsense counts as no wish (RFC 9110, 10.2.3)."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_WISH_SECONDS)
    try:
        wish = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if wish.tzinfo is None:
        wish = wish.replace(tzinfo=UTC)
    seconds = (wish - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), LONGEST_WISH_SECONDS)
