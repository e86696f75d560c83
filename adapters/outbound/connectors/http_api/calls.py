"""Calls to a described system: credentials, pace, pages, and what its "later" looks like.

Everything goes through the one HTTP client, which follows no redirect, bounds every answer, and
logs path templates only.
"""

from __future__ import annotations

import re
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from threading import Lock
from urllib.parse import parse_qsl, urlsplit

from pydantic import JsonValue

from adapters.outbound.connectors.http_api import description as described
from adapters.outbound.connectors.http_api.pointers import (
    MISSING,
    Missing,
    at,
    document,
    rows_at,
    text_at,
)
from adapters.outbound.connectors.http_api.templates import Look, Template, Values, body_of
from adapters.outbound.http import LONGEST_WISH_SECONDS, HttpClient, Response, wish_of
from services.ports import Garbled, Refused, Unavailable

SHORTEST_TOKEN_SECONDS = 30.0
LONGEST_TOKEN_SECONDS = 86_400.0
"""A token is asked for anew a little before its end, and at least once a day."""

_NEXT = re.compile(r"<([^<>]*)>(?:\s*;[^,<]*)?;\s*rel=\"?next\"?(?![\w-])", re.IGNORECASE)
_NO_LOOK: Look = lambda _: None  # noqa: E731


class Caller:
    """One described system with its credentials."""

    def __init__(
        self,
        description: described.Description,
        settings: Values,
        http: HttpClient,
        *,
        per_second: float | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._server, self._auth = description.server, description.auth
        self._values = {f"{described.SETTING}{name}": value for name, value in settings.items()}
        self._http, self._sleep = http, sleep
        self._pace = Pace(per_second or self._server.per_second, sleep)
        self._token = _Token(self._auth, self._values, http)

    def call(
        self,
        call: described.Call,
        values: Values,
        *,
        key: str | None = None,
        expect: Iterable[int] = (HTTPStatus.OK,),
        query: Mapping[str, str] | None = None,
        look: Look = _NO_LOOK,
        body: JsonValue = None,
    ) -> Response:
        """Make the call. Statuses in `expect` come back; what says "later" is `Unavailable`."""
        given = {**self._values, **values}
        template, path = call.path.for_path(given)
        asked: dict[str, str] = {
            name: one.filled(given) for name, one in call.query.items()
        } | dict(query or {})
        form = {n: t.filled(given) for n, t in call.form.items()} if call.form is not None else None
        if body is None and call.body is not None:
            body = body_of(call.body, given, look)
        headers = {n: t.for_header(given) for n, t in self._server.headers.items()}
        headers |= {n: t.for_header(given) for n, t in call.headers.items()}
        if key is not None and self._server.idempotency is not None and call.method != "GET":
            headers[self._server.idempotency] = key
        accepted = {int(status) for status in expect}
        told_later = {int(s) for rule in self._server.too_many for s in rule.status}
        is_token = isinstance(self._auth, described.ClientCredentials)
        for is_again in (False, True):
            self._pace.wait()
            response = self._http.request(
                call.method,
                template,
                path=path,
                query=asked | self._in_query(),
                json=body,
                form=form,
                headers=headers | self._in_headers(),
                expect=(*accepted, *told_later, *({401} if is_token else ())),
            )
            if response.status != HTTPStatus.UNAUTHORIZED or not is_token or is_again:
                break
            self._token.forget()  # it may have ended before its time
        self._require_not_later(response, f"{call.method} {template}")
        if response.status not in accepted:
            raise Refused(f"{call.method} {template} answered {response.status}")
        return response

    def rows(self, step: described.Rows, values: Values, *, most_pages: int) -> Iterator[JsonValue]:
        """Every row of a list, page after page; pages without an end are `Refused`."""
        paging, query, read = step.paging, dict[str, str](), 0
        if paging is not None and paging.size_parameter:
            query[paging.size_parameter] = str(paging.size)
        if paging is not None and paging.kind in {"page", "offset"}:
            query[paging.parameter] = str(paging.first if paging.kind == "page" else 0)
        expect = {200, *(status for rule in step.none_if for status in rule.status)}
        before: list[JsonValue] | None = None
        for number in range(most_pages):
            response = self.call(step, values, expect=expect, query=query)
            if any(fits(rule, response) for rule in step.none_if):
                return
            whole = document(response)
            rows = rows_at(whole, step.rows, one=step.one)
            if rows and rows == before:
                break  # pages that stand still have no end
            yield from rows
            before, read = rows, read + len(rows)
            following = (
                None if paging is None else _next(paging, whole, response, rows, read, number)
            )
            if following is None:
                return
            query = query | following
        template, _ = step.path.for_path({**values, **self._values})
        raise Refused(f"{step.method} {template} never ends")

    def pause(self, seconds: float) -> None:
        self._sleep(seconds)

    def _in_headers(self) -> dict[str, str]:
        match self._auth:
            case described.Basic():
                pair = f"{self._auth.user.filled(self._values)}:"
                pair += self._auth.password.filled(self._values)
                return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
            case described.Bearer():
                return {"Authorization": f"Bearer {self._auth.token.for_header(self._values)}"}
            case described.Header():
                return {self._auth.name: self._auth.value.for_header(self._values)}
            case described.ClientCredentials():
                return {"Authorization": f"Bearer {self._token.current()}"}
            case _:
                return {}

    def _in_query(self) -> dict[str, str]:
        if isinstance(self._auth, described.Query):
            return {self._auth.name: self._auth.value.filled(self._values)}
        return {}

    def _require_not_later(self, response: Response, what: str) -> None:
        for rule in self._server.too_many:
            if fits(rule, response):
                wish = wish_of(response.headers.get("retry-after"))
                if rule.seconds is not None:
                    body = body_or_missing(response)
                    wish = None if isinstance(body, Missing) else _number(at(body, rule.seconds))
                elif rule.header is not None:
                    wish = _number(response.headers.get(rule.header.lower())) or wish
                raise Unavailable(f"{what} answered {response.status}: too many", retry_after=wish)


class Pace:
    """Lets calls go no faster than a system wants them."""

    def __init__(self, per_second: float | None, sleep: Callable[[float], None]) -> None:
        self._gap = 1.0 / per_second if per_second else 0.0
        self._sleep, self._lock, self._next = sleep, Lock(), 0.0

    def wait(self) -> None:
        if not self._gap:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._gap
        if turn > now:
            self._sleep(turn - now)


class _Token:
    """An access token, kept until shortly before its end."""

    def __init__(self, auth: object, values: Values, http: HttpClient) -> None:
        self._auth, self._values, self._http = auth, values, http
        if isinstance(auth, described.ClientCredentials) and auth.url is not None:
            self._http = HttpClient(auth.url.filled(values), connections=1)
        self._token, self._ends, self._lock = "", 0.0, Lock()

    def forget(self) -> None:
        with self._lock:
            self._ends = 0.0

    def current(self) -> str:
        with self._lock:
            if time.monotonic() >= self._ends:
                self._token, seconds = self._fetch()
                self._ends = time.monotonic() + seconds
            return self._token

    def _fetch(self) -> tuple[str, float]:
        auth = self._auth
        assert isinstance(auth, described.ClientCredentials)
        template, path = auth.path.for_path(self._values)
        response = self._http.request(
            "POST",
            template,
            path=path,
            form={name: one.filled(self._values) for name, one in auth.form.items()},
            headers={name: one.for_header(self._values) for name, one in auth.headers.items()},
        )
        answer = document(response)
        token = at(answer, auth.token)
        if (
            not isinstance(token, str)
            or not token.isascii()
            or not token.isprintable()
            or not token
        ):
            raise Garbled(f"POST {template} answered no token")
        seconds = _number(at(answer, auth.seconds)) or 0.0
        # Half of a very short life, or a minute before the end of a long one.
        kept = max(seconds / 2, seconds - 60.0) if seconds > SHORTEST_TOKEN_SECONDS else 0.0
        return token, min(kept, LONGEST_TOKEN_SECONDS)


def _filled(templates: Mapping[str, Template], values: Values) -> dict[str, str]:
    return {name: template.filled(values) for name, template in templates.items()}


# Answers


def body_or_missing(response: Response) -> JsonValue | Missing:
    try:
        return document(response)
    except Garbled:
        return MISSING


def fits(rule: described.Condition, response: Response) -> bool:
    """Whether an answer is what a condition says."""
    if rule.status and response.status not in rule.status:
        return False
    said = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if rule.media_type is not None and said != rule.media_type:
        return False
    if rule.not_media_type is not None and said == rule.not_media_type:
        return False
    return rule.at is None or holds(rule, body_or_missing(response))


def holds(rule: described.Condition, value: JsonValue | Missing) -> bool:
    """Whether what stands at the condition's place is one of what it names."""
    found = MISSING if isinstance(value, Missing) else at(value, rule.at or "")
    if rule.exists is not None:
        return (not isinstance(found, Missing) and found is not None) is rule.exists
    # Python takes True for 1, and an answer that does not may not.
    return any(type(found) is type(one) and found == one for one in rule.equals or ())


def _next(
    paging: described.Paging,
    whole: JsonValue,
    response: Response,
    rows: list[JsonValue],
    read: int,
    number: int,
) -> dict[str, str] | None:
    """What to ask for next, or None after the last page."""
    if paging.more is not None and at(whole, paging.more) is not True:
        if at(whole, paging.more) is not False:
            raise Garbled(f"answer does not say whether there is more at {paging.more}")
        return None
    if paging.kind in {"page", "offset"}:
        if paging.more is None and not _is_more(paging, whole, rows, read):
            return None
        place = paging.first + number + 1 if paging.kind == "page" else read
        return {paging.parameter: str(place)}
    if paging.kind == "cursor":
        cursor = at(whole, paging.cursor or "")
        if cursor is None or cursor == "":
            return None
        if isinstance(cursor, Missing):
            if paging.more is None:
                raise Garbled(f"answer has no cursor at {paging.cursor}")
            return None
        return {paging.parameter: text_at(whole, paging.cursor or "")}
    if paging.kind == "next-link":
        link = at(whole, paging.cursor or "")
        if isinstance(link, Missing):
            raise Garbled(f"answer has no link at {paging.cursor}")
    else:
        link = _link(response.headers.get("link", ""))
    if link is None or link == "":
        return None
    if not isinstance(link, str):
        raise Garbled("a link to the next page is no text")
    return _query_of(link)


def _is_more(paging: described.Paging, whole: JsonValue, rows: list[JsonValue], read: int) -> bool:
    if paging.total is None:
        return len(rows) >= paging.size
    total = at(whole, paging.total)
    if isinstance(total, bool) or not isinstance(total, int):
        raise Garbled(f"answer has no number at {paging.total}")
    if read < total and not rows:
        raise Garbled("answer has fewer rows than it says that there are")
    return read < total


def _query_of(link: str) -> dict[str, str]:
    """Only what is asked; where a link leads is not believed."""
    try:
        asked = dict(parse_qsl(urlsplit(link).query, keep_blank_values=True, strict_parsing=True))
    except ValueError:
        raise Garbled("a link to the next page cannot be read") from None
    return asked


def _link(header: str) -> str | None:
    """The target of rel="next" in a Link header (RFC 8288)."""
    found = _NEXT.search(header)
    return found[1] if found else None


def _number(value: object) -> float | None:
    """Seconds as a number or as digits; nonsense counts as nothing."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value.strip()[:12])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return min(max(float(value), 0.0), LONGEST_WISH_SECONDS)
