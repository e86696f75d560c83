"""What was found, on pages of its own: compared, decided, covered (Art. 12(6), 15(4))."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.web.case import NOT_THEIRS_REASONS, THEIRS_REASONS, case_page, done_word
from adapters.inbound.web.case_frame import Lead, framed
from adapters.inbound.web.case_parts import RecordView
from adapters.inbound.web.case_records import ON_LIST_PAGE
from adapters.inbound.web.case_view import Reading
from adapters.inbound.web.pages import NOTHING_SENT, Form, NotHere, PageRoute, Sent
from adapters.inbound.web.session import AtDesk, Desk, Reveals
from adapters.inbound.web.steps import address_of, carry_out, id_in
from adapters.inbound.web.trouble import NO_TROUBLE, Trouble
from domain.case import Case
from domain.errors import DomainError
from domain.request import DataSubjectRequest, Status
from domain.vocabulary import Content, CoverReason
from services.ports import Erased
from services.redacting import leaves, redacted

router = APIRouter(
    prefix="/desk/cases/{case_id}/requests/{request_id}",
    route_class=PageRoute,
    include_in_schema=False,
)

PAGE = "page"
"""What a form says that is shown again on the page of its record or list."""


@dataclass(frozen=True, slots=True)
class Text:
    """One value of a record as it was found, and as the person gets it."""

    path: str
    found: str
    copied: str
    masked: bool


# Lists and single records


@router.get("/records")
def records(
    desk: AtDesk, case_id: UUID, request_id: UUID, start: int = 0, done: str = ""
) -> Response:
    """Everything that was found, some at a time; what waits for somebody comes first."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    return list_page(desk, case, request=request, start=max(0, start), done=done)


def list_page(
    desk: Desk,
    case: Case,
    *,
    request: DataSubjectRequest,
    start: int = 0,
    form: str = "",
    sent: Sent = NOTHING_SENT,
    trouble: Trouble = NO_TROUBLE,
    status: HTTPStatus = HTTPStatus.OK,
    done: str = "",
) -> Response:
    look = desk.look(desk.profile(case.controller))
    purpose = desk.look_into(case, Content.IDENTIFIERS, Content.RECORD)
    request = desk.installation.register.request(request.id)
    reading = Reading(desk, case, look, content=purpose is not None)
    return framed(
        desk,
        case,
        look,
        "records.html",
        purpose=purpose,
        lead=Lead("matches" if purpose else "purpose"),
        form=form,
        sent=sent,
        trouble=trouble,
        status=status,
        done=done_word(look, done),
        request=request,
        sheet=reading.sheet(request, start=start, most=ON_LIST_PAGE),
        step=ON_LIST_PAGE,
        theirs_reasons=THEIRS_REASONS,
        not_theirs_reasons=NOT_THEIRS_REASONS,
    )


@router.get("/records/{record_id}")
def record(
    desk: Reveals, case_id: UUID, request_id: UUID, record_id: UUID, done: str = ""
) -> Response:
    """One record: whose it is, and what of it the person gets."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)
    if record_id not in request.found:
        raise NotHere
    return record_page(desk, case, request=request, record_id=record_id, done=done)


def record_page(
    desk: Desk,
    case: Case,
    *,
    request: DataSubjectRequest,
    record_id: UUID,
    form: str = "",
    sent: Sent = NOTHING_SENT,
    trouble: Trouble = NO_TROUBLE,
    status: HTTPStatus = HTTPStatus.OK,
    done: str = "",
) -> Response:
    look = desk.look(desk.profile(case.controller))
    purpose = desk.look_into(case, Content.IDENTIFIERS, Content.RECORD)
    request = desk.installation.register.request(request.id)
    reading = Reading(desk, case, look, content=purpose is not None)
    (shown,) = reading.sheet(request, only=record_id).records
    collected = request.status is Status.COLLECTED
    can_cover = collected and bool(shown.theirs) and request.right.gives_a_copy
    return framed(
        desk,
        case,
        look,
        "record.html",
        purpose=purpose,
        lead=Lead("purpose" if not purpose else "cover" if can_cover else "match"),
        form=form,
        sent=sent,
        trouble=trouble,
        status=status,
        done=done_word(look, done),
        request=request,
        record=shown,
        texts=_texts(desk, request, shown) if purpose else (),
        can_cover=can_cover,
        can_decide=collected,
        cover_reasons=tuple(CoverReason),
        theirs_reasons=THEIRS_REASONS,
        not_theirs_reasons=NOT_THEIRS_REASONS,
    )


def _texts(desk: Desk, request: DataSubjectRequest, shown: RecordView) -> tuple[Text, ...]:
    """Every value of the record, and which parts of it the person will not see."""
    try:
        records = desk.installation.deciding.records(request, [shown.found])
    except Erased:
        return ()
    found = records[shown.found.record_id]
    passages = tuple(one.passage for one in shown.covered)
    copied = {one.place: str(one.value) for one in leaves(redacted(found, passages).fields)}
    return tuple(
        Text(leaf.path, str(leaf.value), copied[leaf.place], leaf.path in found.masked)
        for leaf in leaves(found.fields)
    )


# Whose a record is


@router.post("/records/{record_id}/match")
def match(desk: AtDesk, case_id: UUID, request_id: UUID, record_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)
    request = desk.asked(case, request_id)

    def command() -> None:
        theirs, reason = _verdict(sent.one("theirs"))
        desk.installation.deciding.decide_match(
            request.id, record_id, theirs=theirs, reason=reason, by=desk.staff_id
        )

    own = sent.has(PAGE)
    at = f"{address_of(case)}/requests/{request.id}/records/{record_id}" if own else ""
    return carry_out(
        desk,
        case,
        sent,
        command,
        form=f"match-{record_id}",
        done="match",
        place="" if own else f"records-{request.right.value}",
        shown=partial(record_page, request=request, record_id=record_id) if own else case_page,
        back=at,
    )


@router.post("/matches")
def matches(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    """Decide about every record that was judged on the page; the others wait on."""
    case = desk.case(case_id)
    request = desk.asked(case, request_id)

    def command() -> None:
        verdicts = {
            id_in(record_id): _verdict(sent.one(f"theirs-{record_id}"))
            for record_id in sent.all("record")
            if sent.one(f"theirs-{record_id}")
        }
        desk.installation.deciding.decide_matches(request.id, verdicts, by=desk.staff_id)

    own = sent.has(PAGE)
    at = f"{address_of(case)}/requests/{request.id}/records" if own else ""
    return carry_out(
        desk,
        case,
        sent,
        command,
        form=f"matches-{request.right.value}",
        done="match",
        place="" if own else f"records-{request.right.value}",
        shown=partial(list_page, request=request) if own else case_page,
        back=at,
    )


def _verdict(word: str) -> tuple[bool, str]:
    verdict, _, reason = word.partition(":")
    if verdict not in {"yes", "no"}:
        raise DomainError("say whether the record is theirs, and why", key="say-whose")
    return verdict == "yes", reason
