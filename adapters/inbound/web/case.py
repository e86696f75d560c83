"""`/desk/cases/{id}`: everything about one case on one page, and what can be done next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.web.case_frame import Lead, framed
from adapters.inbound.web.case_parts import NextStep
from adapters.inbound.web.case_sections import sections_of
from adapters.inbound.web.case_view import Reading
from adapters.inbound.web.clock_view import RECEIPT_REASONS
from adapters.inbound.web.keeping_view import keeping_of
from adapters.inbound.web.look import Look
from adapters.inbound.web.pages import NOTHING_SENT, PageRoute, Sent
from adapters.inbound.web.past_pages import past_page
from adapters.inbound.web.people_view import people_choices
from adapters.inbound.web.rights_view import withdrawable
from adapters.inbound.web.second import WhoMay
from adapters.inbound.web.session import AtDesk, Desk
from adapters.inbound.web.triage_view import triage_view
from adapters.inbound.web.trouble import NO_TROUBLE, Trouble
from domain.access import Permission
from domain.belonging import begun_of
from domain.case import Case
from domain.controller import controller_id
from domain.folder import FileKind
from domain.fulfilment import UNSEARCHABLE
from domain.grounds import grounds
from domain.ladder import Doubt
from domain.vocabulary import (
    DeliveryWay,
    ErasureGround,
    IdentifierKind,
    IdentityMethod,
    Language,
    Right,
    TriageKind,
)
from services.filing import MOST_BYTES

PEOPLE_DONE = (
    "represented",
    "authority-asked",
    "deceased",
    "document-destroyed",
    "seen",
    "heard",
    "noted",
    "authority-accepted",
    "authority-rejected",
    "protected",
    "unprotected",
)
CLOCK_DONE = (
    "question-asked",
    "answer-noted",
    "consulted",
    "advised",
    "weighed",
    "relied",
    "extending",
    "linked",
    "unlinked",
    "filed",
    "assigned",
    "reopened",
    "receipt-corrected",
)
THEIRS_REASONS = ("details-agree", "person-confirmed")
NOT_THEIRS_REASONS = ("namesake", "shared-address", "cannot-tell")
NOTHING_REASONS = ("searched-nothing-held", UNSEARCHABLE, "already-erased", "not-in-use")

router = APIRouter(prefix="/desk/cases", route_class=PageRoute, include_in_schema=False)


@router.get("/{case_id}")
def show(desk: AtDesk, case_id: UUID, done: str = "", as_of: str = "") -> Response:
    if as_of:
        return past_page(desk, desk.case(case_id), as_of)
    return case_page(desk, desk.case(case_id), done=done)


def case_page(
    desk: Desk,
    case: Case,
    *,
    form: str = "",
    sent: Sent = NOTHING_SENT,
    trouble: Trouble = NO_TROUBLE,
    status: HTTPStatus = HTTPStatus.OK,
    answers: Mapping[UUID, frozenset[str]] | None = None,
    done: str = "",
) -> Response:
    """The page; after a form that failed, with the reason and with what was typed."""
    look = desk.look(desk.profile(case.controller))
    purpose = desk.look_into(case)
    content = purpose is not None
    with desk.installation.register.reading([*begun_of(case), controller_id(case.controller)]):
        view = Reading(desk, case, look, content=content, answers=answers).view()
        keeping = keeping_of(desk, case, look, content=content)
        triage = triage_view(desk, case, [one.request for one in view.requests], content=content)
    return framed(
        desk,
        case,
        look,
        "case.html",
        purpose=purpose,
        lead=lead_of(view.next_steps, content=content),
        form=form,
        sent=sent,
        trouble=trouble,
        status=status,
        done=done_word(look, done),
        view=view,
        rights=tuple(Right),
        consents=withdrawable(view.profile, look),
        kinds=tuple(kind for kind in TriageKind if kind is not TriageKind.RIGHTS_REQUEST),
        case_languages=tuple(Language),
        identifier_kinds=tuple(IdentifierKind),
        methods=tuple(
            method for method in IdentityMethod if method is not IdentityMethod.CODE_TO_ADDRESS
        ),
        identity_reasons=tuple(Doubt),
        people=people_choices(view.representation),
        theirs_reasons=THEIRS_REASONS,
        not_theirs_reasons=NOT_THEIRS_REASONS,
        nothing_reasons=NOTHING_REASONS,
        not_me=desk.installation.errand_desk.disowned_words,
        grounds=grounds(),
        keeping=keeping,
        who_may=WhoMay.of(desk, case.controller),
        triage=triage,
        sections=tuple(
            sections_of(
                view,
                keeping,
                triage,
                look,
                content=content,
                acts=desk.may(Permission.HANDLE, case.controller),
            )
        ),
        delivery_ways=tuple(way for way in DeliveryWay if way is not DeliveryWay.MAIL),
        erasure_grounds=tuple(ErasureGround),
        receipt_reasons=RECEIPT_REASONS,
        file_kinds=tuple(FileKind),
        file_megabytes=MOST_BYTES // 1_000_000,
    )


def lead_of(steps: Sequence[NextStep], *, content: bool) -> Lead:
    """The step that the page is about: first of all what for it is read, if it must be."""
    if not steps:
        return Lead("note" if content else "purpose")
    first = steps[0]
    if first.anchor == "purpose":
        return Lead("purpose")
    return Lead(first.code, first.right.value if first.right else "")


def done_word(look: Look, done: str) -> str:
    """What a page says after a step; nothing else in its address is shown."""
    return look.word("done", done) if done in DONE else ""


DONE = frozenset(
    {
        "confirmed",
        "set-aside",
        "settled",
        "undone",
        "handed-over",
        "right-added",
        "right-corrected",
        "referred",
        "code-sent",
        "verified",
        "match",
        "approved",
        "answered-by-hand",
        "asked-again",
        "link-sent",
        "link-withdrawn",
        "posted",
        "delivered",
        "attaching",
        "sending",
        "refused",
        "refusal-proposed",
        "kept",
        "withdrawn",
        "answering-again",
        "released",
        "recorded",
        *PEOPLE_DONE,
        *CLOCK_DONE,
    }
)
"""What the page may say after a step; nothing else in its address is shown."""
