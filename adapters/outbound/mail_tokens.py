"""Access tokens for mail servers that take no password (RFC 6749, 4.4 and 6; XOAUTH2).

With a refresh token a mailbox's owner has agreed once; without one the program itself is trusted
(client credentials). A token is used until shortly before its end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from threading import Lock
from urllib.parse import urlsplit

import structlog

from adapters.outbound.http import HttpClient
from services.ports import Refused, Unavailable

EARLY_SECONDS = 300.0
SHORTEST_SECONDS = 30.0
"""An end that is nearer than `EARLY_SECONDS` must not have us ask for every mail."""
DEFAULT_SECONDS = 3600.0
_CODES = frozenset(
    {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client"}
    | {"unsupported_grant_type", "invalid_scope"}
)

log = structlog.get_logger()


class MailTokens:
    """One client of one token endpoint. Safe to share between threads."""

    def __init__(
        self,
        endpoint: str,
        *,
        client_id: str,
        client_secret: str | None,
        scope: str | None = None,
        refresh_token: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        parts = urlsplit(endpoint)
        self._http = HttpClient(f"{parts.scheme}://{parts.netloc}", connections=1)
        self._path = parts.path or "/"
        self._form = {
            "grant_type": "refresh_token" if refresh_token else "client_credentials",
            "client_id": client_id,
            **({"client_secret": client_secret} if client_secret else {}),
            **({"scope": scope} if scope else {}),
        }
        self._refresh_token, self._clock = refresh_token, clock
        self._token, self._until = "", 0.0
        self._lock = Lock()

    def token(self) -> str:
        """A token that is good for a while yet; `Unavailable` says what to look at."""
        with self._lock:
            if not self._token or self._clock() >= self._until:
                self._fetch()
            return self._token

    def forget(self) -> None:
        """The mail server did not take it: the next one is to be a new one."""
        with self._lock:
            self._token = ""

    def _fetch(self) -> None:
        form = dict(self._form)
        if self._refresh_token:
            form["refresh_token"] = self._refresh_token
        statuses = (HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED)
        try:
            answer = self._http.request("POST", self._path, form=form, expect=statuses)
            said = answer.object()
        except Refused as error:
            raise Unavailable(f"mail token: {error.reason}") from None
        if answer.status != HTTPStatus.OK:
            code = said.get("error")
            why = code if code in _CODES else "no reason that is known"
            log.error("mail_token_refused", reason=why)
            raise Unavailable(f"mail token refused ({why}): check the TRETTIO_MAIL_OAUTH_ settings")
        token = said.get("access_token")
        if not isinstance(token, str) or not token:
            raise Unavailable("mail token: the answer holds none")
        lasts = said.get("expires_in")
        seconds = float(lasts) if isinstance(lasts, int | float) else DEFAULT_SECONDS
        self._token = token
        self._until = self._clock() + max(SHORTEST_SECONDS, seconds - EARLY_SECONDS)
        # Some endpoints give a new one each time and forget the old.
        renewed = said.get("refresh_token")
        if self._refresh_token and isinstance(renewed, str) and renewed:
            self._refresh_token = renewed
