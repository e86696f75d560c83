"""How much anybody may send: refused before it is read into memory (413)."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.inbound.api.errors import problem
from adapters.inbound.api.inbox import LARGEST_MESSAGE

LARGEST_BODY = 4 * 1024 * 1024
LARGEST_UPLOAD = 21 * 1024 * 1024
"""What a form may bring: a scanned letter, an export of a system, what a link's holder found."""
TOO_LARGE = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class LimitBody:
    """Counts what arrives, whatever the sender says its length is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        largest = _largest(scope["path"])
        words = f"send at most {largest} bytes"
        stated = dict(scope["headers"]).get(b"content-length", b"0")
        if stated.isdigit() and int(stated[:20]) > largest:
            await problem(TOO_LARGE, words)(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > largest:
                raise HTTPException(TOO_LARGE, words)
            return message

        await self._app(scope, counted, send)


def _largest(path: str) -> int:
    if path == "/v1/inbox":
        return LARGEST_MESSAGE
    takes_files = path.startswith("/desk/cases/") and path.endswith(("/files", "/export"))
    takes_files = takes_files or (path.startswith("/errands/") and path.endswith("/found"))
    return LARGEST_UPLOAD if takes_files else LARGEST_BODY
