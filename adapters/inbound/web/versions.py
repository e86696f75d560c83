"""From which state of a case a form was made, and what has happened since (RFC 9110, 13.1.1).

Everything about a case only ever adds events, so that their number names a state. What systems
and the clock do meanwhile stops nobody; what a person did, or what changes what is being decided,
is shown first, and whoever sent the form presses again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from uuid import UUID

from fastapi.responses import HTMLResponse

from adapters.bootstrap import Installation
from adapters.inbound.web.case_history import history
from adapters.inbound.web.case_words import Names
from adapters.inbound.web.happened import Happened
from adapters.inbound.web.pages import Sent
from domain.case import Case

FIELD = "seen"
CHANGES_DECISIONS = frozenset(
    {
        "case.message-added",
        "request.data-collected",
        "request.identifiers-taken",
        "request.withdrawn",
        "request.closed",
        "redaction.begun",
    }
)
"""What is worth a second look even where no member of staff did it."""

READERS_FORMS = (b"/purpose", b"/advice")
"""The forms of those who do not work on cases: what for something is read, and advice."""

_WHOLE_FORM = re.compile(rb'<form method="post" action="([^"]*)".*?</form>', re.DOTALL)
_EMPTY = re.compile(
    rb"<details[^>]*>\s*<summary[^>]*>(?:(?!</summary>).)*</summary>\s*</details>", re.DOTALL
)
_FORM = re.compile(rb'<form method="post"[^>]*>')


def number_of(versions: Mapping[UUID, int]) -> int:
    """The state of a case, as one number."""
    return sum(versions.values())


def with_version(response: HTMLResponse, seen: int) -> HTMLResponse:
    """The page, each of whose forms says which state it was made from."""
    field = f'\n<input type="hidden" name="{FIELD}" value="{seen}">'.encode()
    body = _FORM.sub(lambda found: found[0] + field, _body(response))
    return HTMLResponse(body, status_code=response.status_code)


def without_forms(response: HTMLResponse) -> HTMLResponse:
    """The page for whoever may read and not act: only what for it is read can be said."""
    body = _WHOLE_FORM.sub(lambda found: found[0] if _may_stay(found[1]) else b"", _body(response))
    return HTMLResponse(_EMPTY.sub(b"", body), status_code=response.status_code)


def _may_stay(action: bytes) -> bool:
    return not action.startswith(b"/desk/cases/") or action.endswith(READERS_FORMS)


def _body(response: HTMLResponse) -> bytes:
    return bytes(response.body)


def seen_in(sent: Sent) -> int | None:
    word = sent.one(FIELD)
    return int(word) if word.isascii() and word.isdecimal() and len(word) < 10 else None


def changed_since(
    installation: Installation, case: Case, seen: int, now: int, names: Names
) -> tuple[Happened, ...]:
    """What has happened since that a person should see before going on; oldest first."""
    if now <= seen:
        return ()
    requests = installation.register.requests_of(case)
    # Only what the number counts: the newest of these are what came since.
    lines = history(installation, case, requests, names, only_counted=True)
    return tuple(line for line in lines[seen - now :] if _matters(line))


def _matters(line: Happened) -> bool:
    return (
        line.by is not None and not line.topic.startswith("looks.")
    ) or line.topic in CHANGES_DECISIONS
