"""The one HTTP client that connectors use: pooled, bounded, suspicious.

Nothing a remote system answers is trusted: redirects are not followed, answers have a largest
size and a last moment, JSON must be JSON. What goes wrong becomes `Unavailable` or `Refused`, with
a reason that holds a path template and a status, never an address or a name.
"""

from __future__ import annotations

import json as jsonlib
import ssl
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from math import isfinite
from socket import SHUT_RDWR, socket
from typing import Any, NoReturn, cast
from urllib.parse import quote, urlencode, urlsplit

import structlog
import urllib3

from services.ports import Garbled, Refused, Unavailable

LARGEST_ANSWER = 32 * 1024 * 1024
LONGEST_ANSWER_SECONDS = 120.0
LONGEST_WISH_SECONDS = 86_400.0
LOOK_EVERY_SECONDS = 1.0
PIECE = 64 * 1024
TIMEOUT = urllib3.Timeout(connect=5.0, read=30.0)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; `Garbled` when it is something else."""
        try:
            return jsonlib.loads(self.body, parse_constant=_no_number, parse_float=_finite)
        except (ValueError, RecursionError):
            raise Garbled(f"answer is not JSON (status {self.status})") from None

    def object(self) -> dict[str, Any]:
        """The body as a JSON object; `Garbled` when it is something else."""
        value = self.json()
        if not isinstance(value, dict):
            raise Garbled(f"answer is not a JSON object (status {self.status})")
        return cast(dict[str, Any], value)


class HttpClient:
    """One connected system's base address and credentials.

    `base_url` is http(s)://host[:port][/path]; at most `connections` are open at once. With `at`
    they go to that network address and nowhere else, whatever the host's name means by then. Of an
    answer that is larger than `largest` there is an error, or with `cut_off` what came until then.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        connections: int = 16,
        timeout: urllib3.Timeout | None = None,
        largest: int | None = None,
        cut_off: bool = False,
        at: str | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("a system's url must begin with http:// or https:// and name a host")
        self._base_path = parts.path.rstrip("/")
        self._largest, self._cut_off = largest, cut_off
        secure = parts.scheme == "https"
        send_headers = {"Accept": "application/json", **(headers or {})}
        of_tls: dict[str, Any] = {"ssl_context": context} if secure and context else {}
        if at is not None:
            send_headers["Host"] = parts.netloc
            if secure:
                of_tls |= {"server_hostname": parts.hostname, "assert_hostname": parts.hostname}
        self._pool = (_SecurePool if secure else _Pool)(
            at or parts.hostname,
            parts.port,
            maxsize=connections,
            block=True,
            timeout=timeout or TIMEOUT,
            headers=send_headers,
            **of_tls,
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
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        expect: Collection[int] = (200,),
        literally: str | None = None,
    ) -> Response:
        """Call `template` with its `{names}` filled from `path`, each quoted as one segment.

        Where somebody else gave the path it is called `literally`, and the template is its name.

        Statuses in `expect` are returned; 408, 425, 429 and 5xx raise `Unavailable` with the
        system's `Retry-After` if it gave one; a redirect is `Garbled`, all others raise `Refused`.
        """
        if any(value in {"", ".", ".."} for value in (path or {}).values()):
            raise Refused(f"{method} {template} cannot be filled: a part of its path is empty")
        try:
            url = literally or self._base_path + _filled(template, path or {}, query or {})
        except UnicodeEncodeError:
            raise Refused(f"{method} {template} cannot be filled: a value is no text") from None
        send_headers = {**self._pool.headers, **(headers or {})}
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
                retry_after=wish_of(response.headers.get("retry-after")),
            )
        if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
            raise Garbled(f"{method} {template} answered {response.status}: a way to elsewhere")
        raise Refused(f"{method} {template} answered {response.status}")

    def _exchange(
        self, method: str, url: str, template: str, body: bytes | None, headers: dict[str, str]
    ) -> Response:
        what = f"{method} {template}"
        with _watchdog.over() as watched:
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
                    content = self._read(raw, what)
                except BaseException:
                    raw.close()  # what is left of it must not be taken for the next one's
                    raise
                finally:
                    raw.release_conn()
            except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                if watched.is_over:
                    raise Unavailable(f"{what}: the answer does not come to an end") from None
                raise Unavailable(f"{what}: {type(error).__name__}") from None
        if watched.is_over:  # cut off by us, and some answers look whole then
            raise Unavailable(f"{what}: the answer does not come to an end")
        return Response(
            status=raw.status,
            headers={name.lower(): value for name, value in raw.headers.items()},
            body=content,
        )

    def _read(self, raw: urllib3.BaseHTTPResponse, what: str) -> bytes:
        """The whole body, bounded in size."""
        largest, content = self._largest or LARGEST_ANSWER, bytearray()
        for piece in raw.stream(PIECE, decode_content=True):
            content += piece
            if len(content) > largest:
                if self._cut_off:
                    raw.close()
                    break
                raise Garbled(f"{what} answered more than {largest} bytes")
        return bytes(content[:largest])

    def close(self) -> None:
        self._pool.close()


# Time


@dataclass(slots=True)
class _Watched:
    """One exchange, the socket it runs over once that is known, and whether we have cut it off."""

    ends: float
    socket: socket | None = None
    is_over: bool = False


class _Watchdog:
    """Cuts off exchanges that take too long: a socket's timeout begins anew with every drop."""

    def __init__(self) -> None:
        self._watched: dict[int, _Watched] = {}
        self._some = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    @contextmanager
    def over(self) -> Iterator[_Watched]:
        """Watch over this thread's exchange."""
        watched = _Watched(time.monotonic() + LONGEST_ANSWER_SECONDS)
        mine = threading.get_ident()
        self._watched[mine] = watched
        if not self._some.is_set():
            self._wake()
        try:
            yield watched
        finally:
            del self._watched[mine]

    def of_this_thread(self, used: socket | None) -> None:
        """Over which socket this thread's exchange runs."""
        watched = self._watched.get(threading.get_ident())
        if watched is not None:
            watched.socket = used

    def _wake(self) -> None:
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()
        self._some.set()

    def _run(self) -> None:
        while self._some.wait():
            now = time.monotonic()
            for watched in list(self._watched.values()):
                if now > watched.ends and watched.socket is not None:
                    watched.is_over = True
                    with suppress(OSError):  # it may have ended this very moment
                        # Not the method of TLS: that one changes what the other thread is using.
                        socket.shutdown(watched.socket, SHUT_RDWR)
            if not self._watched:
                self._some.clear()
                if self._watched:  # somebody came between the two, and saw it set
                    self._some.set()
            time.sleep(LOOK_EVERY_SECONDS)


_watchdog = _Watchdog()


# Their own return types differ from the standard library's, which they subclass.


class _Connection(urllib3.connection.HTTPConnection):
    def getresponse(self) -> Any:
        _watchdog.of_this_thread(self.sock)
        return super().getresponse()


class _SecureConnection(urllib3.connection.HTTPSConnection):
    def getresponse(self) -> Any:
        _watchdog.of_this_thread(self.sock)
        return super().getresponse()


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


# Words


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


def wish_of(header: str | None) -> float | None:
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
