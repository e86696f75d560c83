"""What the buttons of claims, restrictions, balances and answers in words do (Art. 16 to 22)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import UploadFile

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
from adapters.inbound.web.session import AtDesk, Desk, Reveals
from adapters.inbound.web.steps import carry_out, day_in, id_in
from domain.errors import DomainError
from domain.rectification import ClaimGround, Wish
from domain.restriction import RestrictionGround
from domain.vocabulary import Content, Outcome
from services.objecting import Weighing
from services.ports import Attachment
from services.rectifying import Said

router = APIRouter(
    prefix="/desk/cases/{case_id}/requests/{request_id}",
    route_class=PageRoute,
    include_in_schema=False,
)


@router.post("/claims")
def claim(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    def command() -> None:
        place = sent.one("record")
        record_id, category = (None, place[9:]) if place.startswith("category:") else (place, "")
        said = Said(
            category=category,
            field=sent.one("field"),
            ground=one_of(ClaimGround, sent.one("ground")),
            wish=one_of(Wish, sent.one("wish")),
            value=sent.one("value"),
            record_id=id_in(record_id) if record_id else None,
        )
        desk.installation.rectifying.claim(request_id, said, by=desk.staff_id)

    return _step(desk, case_id, request_id, sent, command, "claim")


@router.post("/claims/{claim_id}")
def decide_claim(
    desk: AtDesk, case_id: UUID, request_id: UUID, claim_id: UUID, sent: Form
) -> Response:
    def command() -> None:
        if sent.one("verdict") == "accept":
            desk.installation.rectifying.accept(
                request_id, claim_id, system=sent.one("system"), by=desk.staff_id
            )
        else:
            desk.installation.rectifying.refuse(
                request_id,
                claim_id,
                words=sent.one("words"),
                ground=sent.one("ground") or None,
                by=desk.staff_id,
            )

    return _step(desk, case_id, request_id, sent, command, f"claim-{claim_id}")


@router.post("/claims-approve")
def approve_claims(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    def command() -> None:
        desk.installation.rectifying.approve(request_id, by=desk.staff_id, words=sent.one("words"))

    return _step(desk, case_id, request_id, sent, command, "claims")


@router.post("/systems/{system}/rectified")
def rectified(desk: AtDesk, case_id: UUID, request_id: UUID, system: str, sent: Form) -> Response:
    def command() -> None:
        desk.installation.rectifying.done_by_hand(
            request_id, system, looked_again=sent.has("looked"), by=desk.staff_id
        )

    return _step(desk, case_id, request_id, sent, command, "rectified")


@router.post("/restriction")
def restrict(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    def command() -> None:
        desk.installation.restrictions.restrict(
            request_id,
            ground=one_of(RestrictionGround, sent.one("ground")),
            until=day_in(sent.one("until")),
            words=sent.one("words"),
            by=desk.staff_id,
        )

    return _step(desk, case_id, request_id, sent, command, "restrict")


@router.post("/restriction/end")
def end_restriction(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    def command() -> None:
        desk.installation.restrictions.announce(
            request_id, words=sent.one("words"), by=desk.staff_id
        )

    return _step(desk, case_id, request_id, sent, command, "end-restriction")


@router.post("/restriction/given-up")
def give_up_restriction(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    def command() -> None:
        if not sent.has("given_up"):
            raise DomainError("tick that the person gives the restriction up")
        desk.installation.restrictions.give_up(request_id, by=desk.staff_id)

    return _step(desk, case_id, request_id, sent, command, "give-up")


@router.post("/restriction/{system}")
def restricted_by_hand(
    desk: AtDesk, case_id: UUID, request_id: UUID, system: str, sent: Form
) -> Response:
    def command() -> None:
        restrictions, done = desk.installation.restrictions, sent.one("done")
        if done == "lifted":
            restrictions.record_lifted(request_id, system, by=desk.staff_id)
        elif done == "again":
            restrictions.try_again(request_id, system, by=desk.staff_id)
        elif done == "nothing":
            restrictions.record(
                request_id,
                system,
                outcome=Outcome.NOT_FOUND,
                reason="searched-nothing-held",
                by=desk.staff_id,
            )
        else:
            restrictions.record(request_id, system, outcome=Outcome.RESTRICTED, by=desk.staff_id)

    return _step(desk, case_id, request_id, sent, command, "restricted")


@router.post("/balance/grounds")
def give_grounds(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    def command() -> None:
        desk.installation.objecting.give_grounds(
            request_id, words=sent.one("words"), by=desk.staff_id
        )

    return _step(desk, case_id, request_id, sent, command, "grounds")


@router.post("/balance")
def strike_balance(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    def command() -> None:
        weighed = [
            Weighing(
                purpose,
                continues=sent.one(f"purpose-{purpose}") == "continues",
                words=sent.one(f"words-{purpose}"),
            )
            for purpose in sent.all("purpose")
            if sent.one(f"purpose-{purpose}")
        ]
        desk.installation.objecting.strike(
            request_id, weighed, words=sent.one("words"), by=desk.staff_id
        )

    return _step(desk, case_id, request_id, sent, command, "balance")


async def _document(request: Request) -> Attachment | None:
    """The file that was sent; None when none was chosen."""
    form = await request.form(max_files=1, max_fields=5)
    sent = form.get("document")
    if not isinstance(sent, UploadFile) or not sent.filename:
        return None
    name = sent.filename.replace("\\", "/").rpartition("/")[2][:200]
    kind = sent.content_type or "application/octet-stream"
    return Attachment(name, kind, await sent.read())


@router.post("/information/documents")
def enclose(
    desk: AtDesk,
    case_id: UUID,
    request_id: UUID,
    document: Annotated[Attachment | None, Depends(_document)],
) -> Response:
    def command() -> None:
        if document is None:
            raise DomainError("choose a file to enclose")
        desk.installation.informing.attach(request_id, document, by=desk.staff_id)

    return _step(desk, case_id, request_id, NOTHING_SENT, command, "words")


@router.get("/information/documents/{number}")
def enclosed(desk: Reveals, case_id: UUID, request_id: UUID, number: int) -> Response:
    """What goes into the envelope where a letter is printed."""
    case = desk.case(case_id)
    desk.asked(case, request_id)
    if desk.look_into(case, Content.NOTE) is None:
        return go(f"/desk/cases/{case.id}")
    information = desk.installation.register.find_information(request_id)
    if information is None or not 1 <= number <= len(information.documents):
        raise NotHere
    document = desk.installation.informing.document(information.documents[number - 1])
    return download(
        document.content, f"{case.reference}-{number}", media_type="application/octet-stream"
    )


@router.post("/information")
def inform(desk: AtDesk, case_id: UUID, request_id: UUID, sent: Form) -> Response:
    def command() -> None:
        changed = {"changed": True, "stands": False}.get(sent.one("changed"))
        desk.installation.informing.answer(
            request_id, words=sent.one("words"), changed=changed, by=desk.staff_id
        )

    return _step(desk, case_id, request_id, sent, command, "words")


def _step(
    desk: Desk,
    case_id: UUID,
    request_id: UUID,
    sent: Sent,
    command: Callable[[], None],
    form: str,
) -> Response:
    case = desk.case(case_id)
    right = desk.asked(case, request_id).right.value
    return carry_out(
        desk,
        case,
        sent,
        command,
        form=f"{form}-{right}",
        done="recorded",
        place=f"request-{right}",
    )
