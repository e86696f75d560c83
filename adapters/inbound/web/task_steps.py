"""Tasks by hand: what somebody is asked to find or erase where no machine can, on its own page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import ValidationError

from adapters.inbound.api.errors import status_of
from adapters.inbound.web.case import NOTHING_REASONS, case_page, done_word
from adapters.inbound.web.case_frame import Lead, framed
from adapters.inbound.web.case_view import Reading
from adapters.inbound.web.pages import (
    NOTHING_SENT,
    Form,
    NotHere,
    PageRoute,
    Sent,
    download,
    go,
    one_of,
)
from adapters.inbound.web.session import Desk, DoesTasks
from adapters.inbound.web.steps import address_of, carry_out, id_in
from adapters.inbound.web.trouble import NO_TROUBLE, Trouble
from adapters.outbound.connectors.csv_file import CsvFile
from adapters.outbound.connectors.manual import FoundRow, ManualAnswer
from domain.access import Permission
from domain.case import Case
from domain.errors import DomainError
from domain.fulfilment import Fulfilment
from domain.grounds import grounds
from domain.request import DataSubjectRequest
from domain.values import FoundRecord
from domain.vocabulary import Content, Decision, IdentifierKind, Outcome
from services import dossier
from services.fulfilment import person_of
from services.ports import Erased, Refused, Result, Treatment

ROWS, MORE_ROWS, MOST_ROWS = 3, 5, 30
"""How many found records one sending of the form takes: usually, and at most."""

PAGE = "task"
"""What a form says that was sent from the page of the task, and is shown there again."""

MINE = "/desk/tasks"
"""Where somebody goes on who sees tasks and no cases."""

router = APIRouter(prefix="/desk/cases/{case_id}", route_class=PageRoute, include_in_schema=False)


@router.get("/requests/{request_id}/systems/{system}")
def show(desk: DoesTasks, case_id: UUID, request_id: UUID, system: str, done: str = "") -> Response:
    """What was asked of a person there, and the form to answer it with."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    _planned(desk, request_id, system)
    return task_page(desk, case, request=request, system=system, done=done)


def task_page(
    desk: Desk,
    case: Case,
    *,
    request: DataSubjectRequest,
    system: str,
    form: str = "",
    sent: Sent = NOTHING_SENT,
    trouble: Trouble = NO_TROUBLE,
    status: HTTPStatus = HTTPStatus.OK,
    rows: int = ROWS,
    done: str = "",
    template: str = "task.html",
    **values: object,
) -> Response:
    look = desk.look(desk.profile(case.controller))
    purpose = desk.look_into(case, Content.IDENTIFIERS, Content.RECORD)
    reading = Reading(desk, case, look, content=purpose is not None)
    view = reading.system(desk.installation.register.request(request.id), system)
    typed = max((n for n in range(1, MOST_ROWS + 1) if sent.one(f"key-{n}")), default=0)
    return framed(
        desk,
        case,
        look,
        template,
        purpose=purpose,
        lead=Lead("answer" if purpose else "purpose"),
        form=form,
        sent=sent,
        trouble=trouble,
        status=status,
        done=done_word(look, done),
        request=request,
        system=view,
        due=reading.due(request),
        identifiers=reading.identifiers,
        keys=_keys(desk, request, view.to_erase) if purpose else {},
        rows=max(1, min(max(rows, typed, _rows_in(sent)), MOST_ROWS)),
        nothing_reasons=NOTHING_REASONS,
        identifier_kinds=tuple(IdentifierKind),
        grounds=grounds(),
        **values,
    )


@router.post("/requests/{request_id}/systems/{system}/again")
def try_again(
    desk: DoesTasks, case_id: UUID, request_id: UUID, system: str, sent: Form
) -> Response:
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    _planned(desk, request_id, system)

    def command() -> None:
        told = desk.installation.instructions.told(request.id).get(system)
        if told is not None:
            desk.installation.instructions.again(told.id, by=desk.staff_id)
        else:
            desk.installation.fulfilments.try_again(request.id, system, by=desk.staff_id)

    place = f"systems-{request.right.value}"
    return carry_out(desk, case, sent, command, form="again", done="asked-again", place=place)


@router.post("/requests/{request_id}/systems/{system}/found")
def found(desk: DoesTasks, case_id: UUID, request_id: UUID, system: str, sent: Form) -> Response:
    """What a person found there, or why there is nothing; with `more` only more lines to write."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    _planned(desk, request_id, system)
    if sent.has("more"):
        rows = _rows_in(sent) + MORE_ROWS
        return task_page(desk, case, request=request, system=system, sent=sent, rows=rows)

    def command() -> None:
        rows = tuple(found_rows(sent))
        person = person_of(desk.installation.vault, request)
        if not rows and not sent.one("nothing"):
            raise DomainError(
                "describe what you found, or say why there is nothing", key="found-or-why-not"
            )
        if rows and sent.one("nothing"):
            raise DomainError(
                "either something was found or nothing: clear one of the two",
                key="found-and-nothing",
            )
        records = ManualAnswer(found=rows).to_records(person) if rows else []
        desk.installation.byhand.found(
            request.id,
            system,
            records,
            reason=sent.one("nothing") or "searched-by-hand",
            by=desk.staff_id,
        )

    return _by_hand(desk, case, request, system, sent, command)


@router.post("/requests/{request_id}/systems/{system}/erased")
def erased(desk: DoesTasks, case_id: UUID, request_id: UUID, system: str, sent: Form) -> Response:
    """What became of each record that somebody was to erase there."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    _planned(desk, request_id, system)

    def command() -> None:
        results = {}
        for one in sent.all("erased"):
            record_id, _, outcome = one.partition(":")
            results[id_in(record_id)] = _result(one_of(Outcome, outcome), record_id, sent)
        desk.installation.byhand.erased(
            request.id, system, results, looked_again=sent.has("looked"), by=desk.staff_id
        )

    return _by_hand(desk, case, request, system, sent, command)


@router.post("/requests/{request_id}/systems/{system}/done")
def done(desk: DoesTasks, case_id: UUID, request_id: UUID, system: str, sent: Form) -> Response:
    """A suppression, a recipient informed, a right worked by hand."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    _planned(desk, request_id, system)

    def command() -> None:
        outcome = one_of(Outcome, sent.one("outcome"))
        reason = sent.one("nothing") if outcome is Outcome.NOT_FOUND else ""
        desk.installation.byhand.done(
            request.id, system, outcome=outcome, reason=reason, by=desk.staff_id
        )

    return _by_hand(desk, case, request, system, sent, command)


@router.get("/requests/{request_id}/systems/{system}/list.csv")
def erasure_list(desk: DoesTasks, case_id: UUID, request_id: UUID, system: str) -> Response:
    """The rows to erase over there, as a spreadsheet reads them."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    fulfilment = _planned(desk, request_id, system)
    if desk.look_into(case, Content.IDENTIFIERS, Content.RECORD) is None:
        return go(address_of(case))
    try:
        connector = desk.installation.systems.connector(case.controller, system)
        if not isinstance(connector, CsvFile):
            raise NotHere
        content = connector.erasure_list(
            list(_treatments(desk, fulfilment, system)),
            person_of(desk.installation.vault, request),
        )
    except Refused as error:
        trouble = Trouble(message=error.reason)
        return case_page(desk, case, trouble=trouble, status=status_of(DomainError()))
    return download(content, f"{case.reference}-{system}.csv", media_type="text/csv; charset=utf-8")


# What the steps share


def _by_hand(
    desk: Desk,
    case: Case,
    request: DataSubjectRequest,
    system: str,
    sent: Sent,
    command: Callable[[], None],
) -> Response:
    right = request.right.value
    on_its_page = partial(task_page, request=request, system=system)
    return carry_out(
        desk,
        case,
        sent,
        command,
        form=f"by-hand-{right}-{system}",
        done="answered-by-hand",
        place=f"systems-{right}" if desk.may(Permission.SEE, case.controller) else "",
        shown=on_its_page if sent.has(PAGE) else case_page,
        back="" if desk.may(Permission.SEE, case.controller) else MINE,
    )


def _keys(
    desk: Desk, request: DataSubjectRequest, some: Sequence[FoundRecord]
) -> Mapping[UUID, str]:
    """Which record is which over there, for whoever has to find it."""
    try:
        records = desk.installation.deciding.records(request, some)
    except Erased:
        return {}
    return {record_id: record.key for record_id, record in records.items()}


def _rows_in(sent: Sent) -> int:
    word = sent.one("rows")
    return int(word) if word.isascii() and word.isdecimal() and len(word) < 4 else 0


def _planned(desk: Desk, request_id: UUID, system: str) -> Fulfilment:
    fulfilment = desk.installation.register.find_fulfilment(request_id)
    if fulfilment is None or system not in fulfilment.systems:
        raise NotHere
    desk.require_system(desk.installation.register.request(request_id).controller, system)
    return fulfilment


def _result(outcome: Outcome, record_id: str, sent: Sent) -> Result:
    """What became of one record; what was kept or refused says on which ground, and why."""
    if outcome not in {Outcome.KEPT, Outcome.REFUSED}:
        return Result(outcome)
    return Result(
        outcome,
        ground=sent.one(f"ground-{record_id}") or None,
        until=next(_days(sent.one(f"until-{record_id}")), None),
        words=sent.one(f"words-{record_id}"),
    )


def found_rows(sent: Sent) -> Iterator[FoundRow]:
    """The rows in which something was written."""
    for number in range(1, MOST_ROWS + 1):
        key, description = sent.one(f"key-{number}"), sent.one(f"description-{number}")
        if not key and not description:
            continue
        days = {sent.one(f"anchor-{number}"): day for day in _days(sent.one(f"day-{number}"))}
        try:
            yield FoundRow(
                kind=sent.one(f"kind-{number}"),
                key=key,
                description=description,
                matched_by=one_of(IdentifierKind, sent.one(f"matched-{number}")),
                certain=sent.has(f"certain-{number}"),
                dates=days,
                flags=frozenset(sent.all(f"flag-{number}")),
                recipients=tuple(
                    name.strip()
                    for name in sent.one(f"recipients-{number}").split(",")
                    if name.strip()
                ),
            )
        except ValidationError:
            raise DomainError(
                f"row {number} is not complete: say which it is, what it says, and its sort",
                key="row-incomplete",
                number=number,
            ) from None


def _days(text: str) -> Iterator[date]:
    if text:
        try:
            yield date.fromisoformat(text)
        except ValueError:
            raise DomainError("write the day as 2026-12-31", key="day-form") from None


def _treatments(desk: Desk, fulfilment: Fulfilment, system: str) -> Iterator[Treatment]:
    state = fulfilment.systems[system]
    records = {found.record_id: found for found in state.found}
    for decision in state.decisions:
        if decision.touches_the_system:
            sealed = desk.installation.vault.open(records[decision.record_id].content)
            record = dossier.RECORD.validate_json(sealed).record
            yield Treatment(
                key=record.key,
                kind=record.kind,
                anonymise=decision.decision is Decision.ANONYMISE,
                keep_fields=decision.keep_fields,
            )
