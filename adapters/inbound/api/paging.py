"""Pages of a list: bounded, and each leads to the next by a cursor that only its own list takes.

The address of the next page is in `Link` (RFC 8288); a page without one is the last.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Annotated, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from adapters.bootstrap import Installation
from adapters.inbound.api.auth import Installed
from adapters.outbound.tokens import Bearer

CURSORS = UUID("b6f3b0e1-5f3a-4d0e-8d1c-2a7e6c0d9f41")
MOST = 500
SEAL_BYTES = 16

T = TypeVar("T")
Place = tuple[str, ...]
"""Where an entry stands on its list, in the list's own order."""

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]
After = Annotated[
    str | None,
    Query(
        max_length=1_000,
        description="The cursor of the page before, from `next` or `Link`.",
        examples=["WyIwMTJhIl3SgP0dO3mJ1pN0Tq5gYvXh"],
    ),
]


class CursorWrong(Exception):
    """A cursor that we did not make, or made for another list."""


class Page:
    """Which part of a list is asked for."""

    def __init__(
        self,
        request: Request,
        response: Response,
        installation: Installation,
        after: str | None,
        limit: int,
    ) -> None:
        self.limit = limit
        self._request, self._response, self._installation = request, response, installation
        self.after: Place | None = None if after is None else self._place(after)

    def next(self, place: Place) -> str:
        """There is more after this place: a cursor, which the answer's head names as well."""
        text = json.dumps(place).encode()
        cursor = _written(text + self._seal(text))
        query = [
            *((k, v) for k, v in self._request.query_params.multi_items() if k != "after"),
            ("after", cursor),
        ]
        address = f"{self._request.url.path}?{urlencode(query)}"
        self._response.headers["Link"] = f'<{address}>; rel="next"'
        return cursor

    def of(self, items: Iterable[T], key: Callable[[T], Place]) -> list[T]:
        """The page of a list that is in memory, in the order of its keys."""
        ordered = sorted(items, key=key)
        left = (one for one in ordered if self.after is None or key(one) > self.after)
        found = list(islice(left, self.limit + 1))
        if len(found) > self.limit:
            found.pop()
            self.next(key(found[-1]))
        return found

    def _place(self, cursor: str) -> Place:
        try:
            sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise CursorWrong from None
        text, seal = sealed[:-SEAL_BYTES], sealed[-SEAL_BYTES:]
        if cursor != _written(sealed) or not hmac.compare_digest(seal, self._seal(text)):
            raise CursorWrong
        return tuple(json.loads(text))

    def _seal(self, text: bytes) -> bytes:
        """Bound to the list, its filter and whoever reads it."""
        filtered = sorted(
            one
            for one in self._request.query_params.multi_items()
            if one[0] not in {"after", "limit"}
        )
        bearer: Bearer = self._request.state.bearer
        whose = sorted(bearer.controllers)
        words = [self._request.url.path, filtered, whose, text.decode("latin1")]
        return bytes.fromhex(self._installation.vault.digest(CURSORS, json.dumps(words)))


def _written(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


async def paged(
    request: Request,
    response: Response,
    installation: Installed,
    after: After = None,
    limit: Limit = 100,
) -> Page:
    return Page(request, response, installation, after, limit)


Paged = Annotated[Page, Depends(paged)]
