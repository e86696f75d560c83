"""An export in a task by hand: columns said once, rows previewed, taken as found or read back.

The file itself is kept nowhere: of all the people in it only the rows of the one who asks stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import UploadFile

from adapters.inbound.web.pages import Form, NotHere, PageRoute, Sent
from adapters.inbound.web.session import AtDesk, Desk
from adapters.inbound.web.steps import carry_out
from adapters.inbound.web.task_steps import task_page
from adapters.inbound.web.trouble import Trouble, trouble_of
from adapters.outbound.connectors import Misconfigured
from adapters.outbound.connectors.csv_file import rows_in, titles_of
from adapters.outbound.connectors.manual import FoundRow, ManualAnswer
from domain.case import Case
from domain.errors import DomainError
from domain.fulfilment import SystemState
from domain.request import DataSubjectRequest
from domain.vocabulary import Action, IdentifierKind
from services.evidence import kind_named
from services.fulfilment import person_of
from services.ports import Erased, Record, Refused

MOST_BYTES = 20_000_000
MOST_ROWS = 200
MEANINGS = (
    "key",
    "email",
    "phone",
    "name",
    "first_name",
    "last_name",
    "customer_number",
    "order_number",
    "national_number",
    "mask",
)
"""What a column may mean, beside the days that the system's records are reckoned from."""

_GUESSED = {
    IdentifierKind.EMAIL: "email",
    IdentifierKind.PHONE: "phone",
    IdentifierKind.NAME: "name",
    IdentifierKind.CUSTOMER_NUMBER: "customer_number",
    IdentifierKind.ORDER_NUMBER: "order_number",
}
ROWS = TypeAdapter(tuple[FoundRow, ...])

router = APIRouter(
    prefix="/desk/cases/{case_id}/requests/{request_id}/systems/{system}",
    route_class=PageRoute,
    include_in_schema=False,
)


@dataclass(frozen=True, slots=True)
class Column:
    """A heading of the export, and what it probably means."""

    title: str
    meaning: str


class Dropped:
    """A form with an export, as it was sent."""

    def __init__(self, sent: Sent, content: bytes) -> None:
        self.sent, self.content = sent, content


async def dropped(request: Request) -> Dropped:
    form = await request.form(max_files=1, max_fields=2_000)
    fields = {name: [v for v in form.getlist(name) if isinstance(v, str)] for name in form}
    chosen = form.get("document")
    content = await chosen.read(MOST_BYTES + 1) if isinstance(chosen, UploadFile) else b""
    return Dropped(Sent(fields), content)


@router.post("/export")
def look_through(
    desk: AtDesk,
    case_id: UUID,
    request_id: UUID,
    system: str,
    export: Annotated[Dropped, Depends(dropped)],
) -> Response:
    """Look for the person in an export; nothing is changed and nothing of it is kept."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    state = _state(desk, request_id, system)
    shown = partial(task_page, desk, case, request=request, system=system, sent=export.sent)
    installation = desk.installation
    try:
        titles = _titles(export.content)
        if export.sent.has("mapping"):
            installation.export_columns.remember(
                case.controller,
                system,
                _said(export.sent, titles),
                by=desk.staff_id,
                at=installation.clock(),
            )
        options = _configuration(desk, case, system)
        if not options or export.sent.has("anew"):
            return shown(template="export_map.html", columns=_guessed(titles), meanings=MEANINGS)
        person = person_of(installation.vault, request)
        records = [
            record
            for kind in options["kind"].replace(",", " ").split()
            for record in rows_in(export.content, kind, options, person)
        ]
    except (Refused, Misconfigured) as error:
        trouble = Trouble(message=str(error) or getattr(error, "reason", ""))
        return shown(trouble=trouble, status=HTTPStatus.UNPROCESSABLE_ENTITY, form="export")
    except (DomainError, Erased) as error:
        trouble = trouble_of(error)
        return shown(trouble=trouble, status=HTTPStatus.UNPROCESSABLE_ENTITY, form="export")
    left = _left(desk, request, state, records) if state.action is Action.ERASE else []
    return shown(
        template="export_rows.html",
        records=records[:MOST_ROWS],
        left=left,
        reads_back=state.action is Action.ERASE,
        answer=ROWS.dump_json(tuple(map(_row, records[:MOST_ROWS]))).decode(),
    )


@router.post("/export/found")
def take(desk: AtDesk, case_id: UUID, request_id: UUID, system: str, sent: Form) -> Response:
    """Take the rows that were shown as what was found in the system."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    _state(desk, request_id, system)

    def command() -> None:
        try:
            rows = ROWS.validate_json(sent.one("answer"))
            found = ManualAnswer(found=rows)
        except ValidationError:
            raise DomainError("choose the file once more", key="file-needed") from None
        records = found.to_records(person_of(desk.installation.vault, request))
        desk.installation.byhand.found(
            request.id, system, records, reason="searched-by-hand", by=desk.staff_id
        )

    return carry_out(
        desk,
        case,
        sent,
        command,
        form="export",
        done="answered-by-hand",
        place=f"systems-{request.right.value}",
        shown=partial(task_page, request=request, system=system),
    )


# The file


def _titles(content: bytes) -> list[str]:
    if not content:
        raise DomainError("choose a file", key="file-needed")
    if len(content) > MOST_BYTES:
        size = MOST_BYTES // 1_000_000
        raise DomainError("the file is too large", key="file-too-large", size=size)
    titles = titles_of(content)
    if len(titles) < 2:
        raise DomainError("the file is no CSV with headings in its first line", key="no-csv")
    return titles


def _guessed(titles: Sequence[str]) -> Iterator[Column]:
    for title in titles:
        kind = kind_named(title)
        yield Column(title, _GUESSED.get(kind, "") if kind else "")


def _said(sent: Sent, titles: Sequence[str]) -> dict[str, str]:
    """The configuration of a CSV connector, from what was chosen for each column."""
    options, masked = {"kind": sent.one("kind")}, []
    for title, meaning in zip(sent.all("title"), sent.all("meaning"), strict=False):
        if title not in titles or not meaning:
            continue
        if meaning == "mask":
            masked.append(title)
        elif meaning.startswith("anchor."):
            options[meaning] = title
        elif meaning in MEANINGS:
            name = f"column.{meaning}"
            number = sum(one.partition("_2")[0] == name for one in options) + 1
            options[name if number == 1 else f"{name}_{number}"] = title
    telling = {f"column.{one}" for one in MEANINGS} - {"column.key", "column.mask"}
    if not telling & set(options):
        raise DomainError("choose a column that says whose a row is", key="no-telling-column")
    return {**options, "mask": ";".join(masked)} if masked else options


def _configuration(desk: Desk, case: Case, system: str) -> Mapping[str, str]:
    """What the profile says of the columns, else what was said at the desk."""
    known = next((one for one in desk.profile(case.controller).systems if one.id == system), None)
    if known is not None and any(name.startswith("column.") for name in known.options):
        return known.options
    return desk.installation.export_columns.of(case.controller, system)


# The rows


def _state(desk: Desk, request_id: UUID, system: str) -> SystemState:
    fulfilment = desk.installation.register.find_fulfilment(request_id)
    if fulfilment is None or system not in fulfilment.systems:
        raise NotHere
    return fulfilment.systems[system]


def _left(
    desk: Desk, request: DataSubjectRequest, state: SystemState, records: Sequence[Record]
) -> list[Record]:
    """Rows of the fresh export that were to be erased and are there all the same."""
    touched = {one.record_id for one in state.decisions if one.touches_the_system}
    wanted = [found for found in state.found if found.record_id in touched]
    known = desk.installation.deciding.records(request, wanted)
    gone = {(one.kind, one.key) for one in known.values()}
    return [one for one in records if (one.kind, one.key) in gone]


def _row(record: Record) -> FoundRow:
    return FoundRow(
        kind=record.kind,
        key=record.key[:500],
        matched_by=record.matched_by,
        certain=record.match.is_strong,
        fields={name[:500]: str(value)[:5_000] for name, value in record.fields.items()},
        dates=dict(record.anchors),
        flags=record.flags,
        others_masked=record.masked,
    )
