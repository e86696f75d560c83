"""`/desk/inbox`: what came in and nobody has confirmed yet, one after the other.

The purpose is said once for going through the inbox; each message that is shown is a look of its
own. Confirmed or set aside, the next message comes by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.api.errors import status_of
from adapters.inbound.web.narrowing import Filters, filters
from adapters.inbound.web.pages import (
    NOTHING_SENT,
    Form,
    NotHere,
    PageRoute,
    Sent,
    go,
    one_of,
    page,
)
from adapters.inbound.web.rights_view import withdrawable
from adapters.inbound.web.session import AtDesk, Desk
from adapters.inbound.web.steps import identifiers_in
from adapters.inbound.web.triage_steps import somebody_in
from adapters.inbound.web.triage_view import triage_view
from adapters.inbound.web.trouble import NO_TROUBLE, trouble_of
from adapters.inbound.web.worklist import name_of, seen
from domain.access import Permission
from domain.case import Case, CaseStatus, reference
from domain.errors import DomainError
from domain.vocabulary import Content, IdentifierKind, Language, Purpose, Right, TriageKind
from projections import incoming
from projections.incoming import Message, due_at_once, inbox
from services import dossier
from services.ports import Erased, Identifier
from services.showing import places_in, shown_message

AT_ONCE = 50
MOST_REPLIES = 50
DONE = ("confirmed", "set-aside", "read")
INBOX = "inbox"
"""What a purpose is said for, when it is said for all messages that wait."""

router = APIRouter(prefix="/desk/inbox", route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """A message as it is read; nothing of it while nobody has said what for, or once it is gone."""

    message: dossier.SealedMessage | None = None
    identifiers: tuple[Identifier, ...] = ()
    gone: bool = False


@router.get("")
def show(desk: AtDesk) -> Response:
    sql = desk.installation.database
    asked = filters("/desk/inbox", ("controller",), desk.request.query_params)
    wanted = [one for one in desk.controllers if asked["controller"] in {"", one}]
    after = _place_in(desk.request.query_params.get("after", ""))
    waiting = inbox(sql, wanted, after=after, limit=AT_ONCE + 1)
    last = waiting[AT_ONCE - 1] if len(waiting) > AT_ONCE else None
    names = {name: name_of(desk.profile(name)) for name in desk.controllers}
    return page(
        "inbox.html",
        desk.look(),
        desk=desk,
        asked=asked,
        names=names,
        controllers=_controllers(asked, names),
        waiting=waiting[:AT_ONCE],
        total=incoming.waiting(sql, wanted),
        most_counted=incoming.MOST_COUNTED,
        documents=due_at_once(sql, wanted, limit=AT_ONCE),
        replies=incoming.replies(sql, wanted, limit=MOST_REPLIES),
        first_page=asked.to() if after else "",
        next_page=asked.to(after=_place_as(last)) if last else "",
        done=_done(desk),
    )


def _controllers(asked: Filters, names: dict[str, str]) -> list[tuple[str, str, bool]]:
    """The lists of the controllers apart, where there are several."""
    if len(names) < 2:
        return []
    every = [("", ""), *sorted(names.items(), key=lambda item: item[1])]
    return [
        (asked.having("controller", one).to(), words, asked["controller"] == one)
        for one, words in every
    ]


@dataclass(frozen=True, slots=True)
class Done:
    """What was just done, to which case; nothing else of the address is shown."""

    what: str
    case_id: UUID
    reference: str


def _done(desk: Desk) -> Done | None:
    what = desk.request.query_params.get("done", "")
    try:
        case_id = UUID(desk.request.query_params.get("case", ""))
    except ValueError:
        return None
    return Done(what, case_id, reference(case_id)) if what in DONE else None


# One message


@router.get("/{case_id}")
def read(desk: AtDesk, case_id: UUID) -> Response:
    case = desk.case(case_id)
    if case.status is not CaseStatus.WAITING:
        return go(f"/desk/cases/{case.id}")
    return _message(desk, case)


@router.post("/purpose")
def take_purpose(desk: AtDesk, sent: Form) -> Response:
    """Say what for the messages that wait are read."""
    case = desk.case(_id_in(sent))
    response = go(f"/desk/inbox/{case.id}")
    desk.take_purpose(INBOX, one_of(Purpose, sent.one("purpose")), response, "/desk/inbox")
    return response


@router.post("/{case_id}/confirm")
def confirm(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)

    def command() -> None:
        desk.installation.intake.confirm(
            case.id,
            rights=tuple(one_of(Right, one) for one in sent.all("right")),
            language=one_of(Language, sent.one("language")),
            identifiers=tuple(identifiers_in(sent)),
            by=desk.staff_id,
            purposes=tuple(sent.all("consent")),
        )

    return _carry_out(desk, case, sent, command, form="confirm", done="confirmed")


@router.post("/{case_id}/set-aside")
def set_aside(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    """Say that it is no request, and what it is; with a tick the person is told who has it."""
    case = desk.case(case_id)

    def command() -> None:
        desk.installation.passing_on.set_aside(
            case.id,
            kind=one_of(TriageKind, sent.one("kind")),
            by=desk.staff_id,
            to=somebody_in(sent),
            as_processor=sent.has("as_processor"),
            notify=sent.has("notify"),
            words=sent.one("words"),
        )

    return _carry_out(desk, case, sent, command, form="set-aside", done="set-aside")


@router.post("/{case_id}/read")
def replies_read(desk: AtDesk, case_id: UUID) -> Response:
    """Nothing is left to do about what the person wrote again."""
    case = desk.case(case_id)
    desk.installation.correcting.read_replies(case.id, by=desk.staff_id)
    seen(desk)
    return go(f"/desk/inbox?done=read&case={case.id}")


def _carry_out(
    desk: Desk, case: Case, sent: Sent, command: Callable[[], None], *, form: str, done: str
) -> Response:
    """What the form says, and then on to the next message, or to the list that shows it is over."""
    sql = desk.installation.database
    here = next(iter(incoming.cases(sql, desk.controllers, [case.id], limit=1)), None)
    try:
        command()
    except (DomainError, Erased) as error:
        return _message(desk, desk.case(case.id), form=form, sent=sent, error=error)
    seen(desk)
    ahead = incoming.following(sql, desk.controllers, after=here) if here else []
    # The list may be a moment behind what was just said about them.
    still = (one for one in ahead if desk.case(one.case_id).status is CaseStatus.WAITING)
    onward = next(still, None) if sent.has("next") else None
    where = f"/desk/inbox/{onward.case_id}" if onward else "/desk/inbox"
    return go(f"{where}?done={done}&case={case.id}")


def _message(
    desk: Desk,
    case: Case,
    *,
    form: str = "",
    sent: Sent = NOTHING_SENT,
    error: Exception | None = None,
) -> Response:
    profile = desk.profile(case.controller)
    look = desk.look(profile)
    purpose = _look_into(desk, case)
    opened = _opened(desk, case) if purpose is not None else Opened()
    return page(
        "inbox_message.html",
        look,
        status=status_of(error) if error else HTTPStatus.OK,
        desk=desk,
        case=case,
        controller=name_of(profile),
        purpose=purpose,
        purposes=tuple(Purpose),
        opened=opened,
        waiting=incoming.waiting(desk.installation.database, desk.controllers),
        form=form,
        sent=sent,
        error=NO_TROUBLE if error is None else trouble_of(error),
        done=_done(desk),
        rights=tuple(Right),
        consents=withdrawable(profile, look),
        case_languages=tuple(Language),
        identifier_kinds=tuple(IdentifierKind),
        kinds=tuple(kind for kind in TriageKind if kind is not TriageKind.RIGHTS_REQUEST),
        triage=triage_view(desk, case, (), content=purpose is not None),
    )


def _look_into(desk: Desk, case: Case) -> Purpose | None:
    """The purpose that was said for the inbox; the look at this message is then on record."""
    if not desk.may(Permission.REVEAL, case.controller):
        return None
    purpose = desk.purpose(INBOX)
    if purpose is not None:
        desk.looked_at(case, purpose, Content.MESSAGE, Content.IDENTIFIERS)
    return purpose


def _opened(desk: Desk, case: Case) -> Opened:
    vault = desk.installation.vault
    try:
        message = dossier.MESSAGE.validate_json(vault.open(case.message))
        identifiers = desk.installation.intake.proposed_identifiers(case.id)
    except Erased:
        return Opened(gone=True)
    return Opened(shown_message(message, places_in(vault, case)), identifiers)


# Where a page of the list begins


def _place_in(words: str) -> tuple[datetime, UUID] | None:
    moment, _, case_id = words.partition("~")
    try:
        at = datetime.fromisoformat(moment)
        return (at, UUID(case_id)) if at.tzinfo else None
    except ValueError:
        return None


def _place_as(message: Message) -> str:
    return f"{message.received_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}~{message.case_id}"


def _id_in(sent: Sent) -> UUID:
    try:
        return UUID(sent.one("case"))
    except ValueError:
        raise NotHere from None
