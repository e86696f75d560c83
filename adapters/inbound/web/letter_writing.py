"""Writing a letter at the desk: all of it in sight, its writer's words in place (Art. 12(1))."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response

from adapters.inbound.api.errors import status_of
from adapters.inbound.web.look import Look
from adapters.inbound.web.pages import (
    NOTHING_SENT,
    Form,
    NotHere,
    PageRoute,
    Sent,
    download,
    go,
    one_of,
    page,
)
from adapters.inbound.web.session import AtDesk, Desk, Handles
from adapters.inbound.web.steps import address_of
from adapters.inbound.web.trouble import NO_TROUBLE, Trouble, trouble_of
from adapters.inbound.web.writing_view import (
    ABOUT_ONE_REQUEST,
    EXTENSION_REASONS,
    FIELDS,
    SENT_FROM_HERE,
    can_send,
    choices,
    chosen_reason,
    composed,
    draft,
    kinds_to_write,
    refusal_choices,
    shown,
)
from domain.case import Case
from domain.errors import DomainError
from domain.request import DataSubjectRequest
from domain.vocabulary import Content, ExtensionReason, IdentityMethod, LetterKind, Unidentified
from services.citations import cited
from services.letter_lint import Caution, cautions
from services.letters import ComposedLetter
from services.passing_on import Somebody
from services.ports import Erased

router = APIRouter(prefix="/desk/cases/{case_id}", route_class=PageRoute, include_in_schema=False)

OWN_WORDS = ("free_text", "question", "why", "what", "consequences", "measures")
TICKED = ("full_cards",)
"""What is chosen beside the answer's words and is sent with them."""
DONE = {
    LetterKind.ANSWER: "approved",
    LetterKind.CLARIFICATION: "question-asked",
    LetterKind.EXTENSION: "extending",
    LetterKind.OTHER_CONTROLLER: "referred",
}


@router.get("/letters/write")
@router.get("/letters/preview", name="preview")
def write(
    desk: Handles, case_id: UUID, kind: str = "", right: str = "", corrects: str = ""
) -> Response:
    """The letter of this kind, with what belongs to the case already in it."""
    case = desk.case(case_id)
    if desk.look_into(case, Content.LETTER) is None:
        return go(f"{address_of(case)}#purpose")
    fields = {"kind": [kind or LetterKind.MESSAGE.value], "right": [right]}
    look = desk.look(desk.profile(case.controller))
    left = next((at for one, at in case.left.items() if str(one) == corrects), None)
    if left is not None:
        letters = Look(case.language, look.zone)
        day = letters.day(left.astimezone(ZoneInfo(look.zone)).date())
        fields["free_text"] = [letters.say("writing.corrects", day=day)]
    return _write_page(desk, case, Sent(fields))


@router.post("/letters/preview")
def preview(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    """What the letter would say, or what it still lacks; nothing is written or sent."""
    case = desk.case(case_id)
    if sent.has("words"):
        return _from_case_page(desk, case, sent)
    if desk.purpose(str(case.id)) is None:  # what it shows was looked at when writing began
        return go(f"{address_of(case)}#purpose")
    try:
        letter = composed(desk, case, _kind(sent), _request(desk, case, sent), sent)
    except (DomainError, Erased) as error:
        return _previewed(desk, case, sent, None, trouble_of(error))
    if sent.has("pdf"):
        content = desk.installation.delivery.preview_pdf(case.id, letter)
        return download(content, f"{case.reference}-preview.pdf", media_type="application/pdf")
    return _previewed(desk, case, sent, letter, NO_TROUBLE)


def _from_case_page(desk: Desk, case: Case, sent: Sent) -> Response:
    """The answer as it was begun where it is decided, with what was typed and ticked there."""
    if desk.look_into(case, Content.LETTER) is None:
        return go(f"{address_of(case)}#purpose")
    fields = {name: sent.all(name) for name in ("kind", "right", *TICKED) if sent.has(name)}
    return _write_page(desk, case, Sent({**fields, "free_text": sent.all("words")}))


def _previewed(
    desk: Desk, case: Case, sent: Sent, letter: ComposedLetter | None, lacks: Trouble
) -> Response:
    if desk.request.headers.get("hx-request") != "true":
        status = HTTPStatus.UNPROCESSABLE_ENTITY if lacks else HTTPStatus.OK
        return _write_page(desk, case, sent, letter=letter, lacks=lacks, status=status)
    return page(
        "letter_seen.html",
        desk.look(desk.profile(case.controller)),
        **_seen(desk, case, sent, letter, lacks),
        shown=shown,
        case=case,
    )


def _seen(
    desk: Desk, case: Case, sent: Sent, letter: ComposedLetter | None, lacks: Trouble
) -> dict[str, Any]:
    """What stands beside the letter's fields: itself, with gaps where something is missing."""
    kind, request = _kind(sent), _request(desk, case, sent)
    needed = [
        field.name
        for field in FIELDS.get(kind, ())
        if field.required and not sent.one(field.name) and field.sort != "ground"
    ]
    if letter is None:
        with suppress(DomainError, Erased):
            letter = composed(desk, case, kind, request, sent, whole=True)
    return {
        "letter": letter,
        "needed": needed,
        "lacks": NO_TROUBLE if needed and letter is not None else lacks,
        "cautions": _cautions(sent),
    }


@router.post("/letters/send")
def send(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    """Have it written and sent; until it leaves it can be taken back."""
    case = desk.case(case_id)
    if desk.purpose(str(case.id)) is None:  # what it shows was looked at when writing began
        return go(f"{address_of(case)}#purpose")
    kind, request = _kind(sent), _request(desk, case, sent)
    try:
        _command(desk, case, kind, request, sent)()
    except (DomainError, Erased) as error:
        case = desk.case(case_id)
        return _write_page(desk, case, sent, error=trouble_of(error), status=status_of(error))
    written = desk.case(case_id)
    new = [one for one in written.letters if one not in case.letters]
    if new:
        return go(f"{address_of(case)}/letters/{new[-1]}?done=written")
    proposed = kind is LetterKind.REFUSAL
    done = "refusal-proposed" if proposed else DONE.get(kind, "recorded")
    return go(f"{address_of(case)}?done={done}")


def _command(
    desk: Desk, case: Case, kind: LetterKind, request: DataSubjectRequest | None, sent: Sent
) -> Callable[[], object]:
    installation, by = desk.installation, desk.staff_id
    if not can_send(kind, request):
        raise DomainError(
            "this letter is not sent from here, or not as the case stands", key="letter-not-now"
        )
    if request is None:
        return lambda: installation.writing.message(case.id, words=sent.one("free_text"), by=by)
    if kind is LetterKind.CLARIFICATION:
        return lambda: installation.questions.ask_scope(
            request.id, words=sent.one("question"), by=by
        )
    if kind is LetterKind.EXTENSION:
        reasons = tuple(one_of(ExtensionReason, one) for one in sent.all("reason"))
        return lambda: installation.extending.decide(
            request.id, reasons=reasons, words=sent.one("why"), by=by
        )
    if kind is LetterKind.OTHER_CONTROLLER:
        to = Somebody(name=sent.one("elsewhere"), contact=sent.one("contact"))
        return lambda: installation.correcting.refer(
            request.id, to=to, words=sent.one("free_text"), by=by
        )
    if kind is LetterKind.ANSWER:
        return lambda: installation.deciding.approve(
            request.id, by=by, words=sent.one("free_text"), full_cards=sent.has("full_cards")
        )
    return lambda: _refuse(desk, request, sent)


def _refuse(desk: Desk, request: DataSubjectRequest, sent: Sent) -> None:
    reason = chosen_reason(desk, request, sent)
    if reason is None or not sent.one("ground"):
        raise DomainError("choose the ground of the refusal", key="choose-in-list")
    refusing = desk.installation.refusing
    if reason.ground.needs_two_people:
        refusing.propose(
            request.id,
            ground=reason.ground,
            law=reason.code,
            words=sent.one("why"),
            proof=sent.one("proof"),
            fee=sent.one("fee"),
            by=desk.staff_id,
        )
        return
    refusing.refuse(
        request.id,
        ground=reason.ground,
        law=reason.code,
        words=sent.one("why"),
        proof=sent.one("proof"),
        shown=one_of(Unidentified, sent.one("shown")) if sent.one("shown") else None,
        by=desk.staff_id,
    )


# The page


def _kind(sent: Sent) -> LetterKind:
    return one_of(LetterKind, sent.one("kind"))


def _request(desk: Desk, case: Case, sent: Sent) -> DataSubjectRequest | None:
    """The request that the letter is about; where there is only one, that."""
    kind = _kind(sent)
    requests = desk.installation.register.requests_of(case)
    if kind is LetterKind.MESSAGE or not requests:
        return None
    wanted = sent.one("right")
    named = next((one for one in requests if one.right.value == wanted), None)
    if named is not None or kind not in ABOUT_ONE_REQUEST:
        return named
    return next((one for one in requests if can_send(kind, one)), requests[0])


def _cautions(sent: Sent) -> list[Caution]:
    return [caution for name in OWN_WORDS for caution in cautions(sent.one(name))]


def _write_page(
    desk: Desk,
    case: Case,
    sent: Sent = NOTHING_SENT,
    *,
    letter: ComposedLetter | None = None,
    lacks: Trouble = NO_TROUBLE,
    error: Trouble = NO_TROUBLE,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    look = desk.look(desk.profile(case.controller))
    try:
        kind = _kind(sent)
    except DomainError:
        raise NotHere from None
    request = _request(desk, case, sent)
    requests = desk.installation.register.requests_of(case)
    made = draft(desk, case, kind, request, sent)
    if letter is None and not lacks:
        try:
            letter = composed(desk, case, kind, request, sent)
        except (DomainError, Erased) as missing:
            lacks = trouble_of(missing)
    return page(
        "letter_write.html",
        look,
        status=status,
        desk=desk,
        case=case,
        sent=sent,
        draft=made,
        **_seen(desk, case, sent, letter, lacks),
        error=error,
        requests=requests,
        to_write=tuple(kinds_to_write(case, requests)),
        others=tuple(one for one in LetterKind if one not in SENT_FROM_HERE),
        grounds=refusal_choices(desk, case, request, look),
        extension_reasons=EXTENSION_REASONS,
        methods=tuple(IdentityMethod),
        about_one=ABOUT_ONE_REQUEST,
        ticked=[name for name in TICKED if sent.has(name)],
        choices=lambda field: choices(field, look),
        law=lambda article: cited(article, look.language),
        shown=shown,
        wait=int(desk.installation.settings.undo_within.total_seconds()),
    )
