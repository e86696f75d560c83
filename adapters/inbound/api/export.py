"""Exports for the controller's own archive: a case with its events, or the list of all requests.

Events name nobody: personal data is added only when it is asked for, and only for handlers. Both
are streamed, whatever their length; the last line of NDJSON says that nothing is missing.
"""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Iterable, Iterator
from enum import Enum
from io import StringIO
from itertools import chain
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from pydantic_core import to_json

from adapters.bootstrap import Installation
from adapters.inbound.api.auth import ApiRoute, Installed, Reader, require_scope, seen
from adapters.inbound.api.cases import CaseId, case_of, shown
from adapters.inbound.api.looking import Looking
from adapters.inbound.api.requests import OnTheList, on_the_list
from adapters.inbound.whole_case import aggregates_in
from adapters.outbound.tokens import Scope
from domain.case import Case
from domain.personal import PersonalRef
from domain.vocabulary import Content
from projections.worklist import everything
from services.ports import Erased
from services.spreadsheets import harmless

router = APIRouter(prefix="/v1", tags=["export"], route_class=ApiRoute)

PAGE = 500


class CaseFormat(Enum):
    NDJSON = "ndjson"
    JSON = "json"


class ListFormat(Enum):
    NDJSON = "ndjson"
    CSV = "csv"


class Media(Enum):
    NDJSON = "application/x-ndjson"
    JSON = "application/json"
    CSV = "text/csv; charset=utf-8"


@router.get(
    "/cases/{case_id}/export",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The case, its events in order, and `end` with their number.",
            "content": {
                "application/x-ndjson": {"schema": {"type": "string"}},
                "application/json": {"schema": {"type": "object"}},
            },
        }
    },
)
def export_case(
    request: Request,
    installation: Installed,
    bearer: Reader,
    look: Looking,
    case_id: CaseId,
    format: Annotated[CaseFormat, Query(description="How to write it.")] = CaseFormat.NDJSON,  # noqa: A002
    content: Annotated[
        bool, Query(description="With messages, letters and the person: for handlers only.")
    ] = False,
) -> StreamingResponse:
    """A case for the controller's own archive: what it is now, and every event of it."""
    if content:
        require_scope(request, Scope.DESK)
    case = case_of(installation, bearer, case_id)
    look.into(case, bearer, *(CONTENT if content else (Content.RECORD,)))
    # Asked for here: what is wrong is then said before the first byte has left.
    first = to_json({"case": shown(installation, case)}).decode()
    lines = _case(installation, case, content=content)
    name = f"{case.reference}.{format.value}"
    if format is CaseFormat.NDJSON:
        return _stream(_ended(chain([first], lines)), name, Media.NDJSON)
    return _stream(_one_document(first, lines), name, Media.JSON)


@router.get(
    "/export/requests",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "One line for each request.",
            "content": {
                "application/x-ndjson": {"schema": {"type": "string"}},
                "text/csv": {"schema": {"type": "string"}},
            },
        }
    },
)
def export_requests(
    installation: Installed,
    bearer: Reader,
    controller: Annotated[str | None, Query(max_length=100)] = None,
    closed: Annotated[bool, Query(description="With those that are closed.")] = True,
    format: Annotated[ListFormat, Query(description="How to write it.")] = ListFormat.NDJSON,  # noqa: A002
) -> StreamingResponse:
    """Every request of a controller, or of all that this token may see, by id."""
    controllers = seen(installation, bearer, controller)
    found = _requests(installation, controllers, closed=closed)
    if format is ListFormat.NDJSON:
        lines = (one.model_dump_json() for one in found)
        return _stream(_ended(lines), "requests.ndjson", Media.NDJSON)
    return _stream(_table(found), "requests.csv", Media.CSV)


CONTENT = (
    Content.PERSON,
    Content.IDENTIFIERS,
    Content.MESSAGE,
    Content.LETTER,
    Content.RECORD,
    Content.NOTE,
)


# Lines


def _case(installation: Installation, case: Case, *, content: bool) -> Iterator[str]:
    for stored in _events(installation, aggregates_in(installation, case)):
        event = installation.register.mapper.to_domain_event(stored)
        facts = {name: value for name, value in vars(event).items() if not name.startswith("_")}
        yield to_json(
            {
                "event": stored.topic,
                "aggregate": facts.pop("originator_id"),
                "version": facts.pop("originator_version"),
                "at": facts.pop("timestamp"),
                "facts": {name: _plain(value) for name, value in facts.items()},
            }
        ).decode()
        if content:
            for ref in dict.fromkeys(_refs(facts)):
                yield to_json({"content": ref.id, **_opened(installation, ref)}).decode()


def _events(installation: Installation, aggregates: Iterable[UUID]) -> Iterator[Any]:
    """The stored events, aggregate by aggregate, a bounded number at a time."""
    recorder = installation.register.recorder
    for aggregate in aggregates:
        version = 0
        while page := recorder.select_events(aggregate, gt=version, limit=PAGE):
            yield from page
            version = page[-1].originator_version


def _requests(
    installation: Installation, controllers: list[str], *, closed: bool
) -> Iterator[OnTheList]:
    after: UUID | None = None
    while page := everything(
        installation.database, controllers, closed=closed, after=after, limit=PAGE
    ):
        yield from map(on_the_list, page)
        after = page[-1].request_id


def _refs(value: object) -> Iterator[PersonalRef]:
    """Every reference into the vault that an event holds, however deep."""
    if isinstance(value, PersonalRef):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _refs(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _refs(inner)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from _refs(getattr(value, name))


def _opened(installation: Installation, ref: PersonalRef) -> dict[str, object]:
    try:
        opened = installation.vault.open(ref)
    except Erased:
        return {"erased": True}
    if opened.startswith(b"{"):
        return {"is": json.loads(opened)}
    try:
        return {"text": opened.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(opened).decode()}


def _plain(value: object) -> object:
    return value.id if isinstance(value, PersonalRef) else value


# Forms


def _ended(lines: Iterable[str]) -> Iterator[str]:
    """One line each, and how many there were: a file that was cut short lacks the last."""
    written = 0
    for line in lines:
        yield line + "\n"
        written += 1
    yield json.dumps({"end": written}) + "\n"


def _one_document(first: str, lines: Iterable[str]) -> Iterator[str]:
    yield first.removesuffix("}") + ',"events":['
    separator = ""
    for line in lines:
        yield separator + line
        separator = ","
    yield "]}"


def _table(found: Iterable[BaseModel]) -> Iterator[str]:
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(OnTheList.model_fields)
    for one in found:
        cells = one.model_dump(mode="json").values()
        writer.writerow([harmless(_cell(cell)) for cell in cells])
        if out.tell() > 16_384:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _stream(lines: Iterable[str], name: str, media: Media) -> StreamingResponse:
    return StreamingResponse(
        lines,
        media_type=media.value,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
