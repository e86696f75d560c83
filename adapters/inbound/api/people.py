"""`/v1/cases/{id}/representation` and `/protection`: who asks for whom, and what stays hidden."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from adapters.bootstrap import Installation
from adapters.inbound.api.auth import ApiRoute, Installed, Reader
from adapters.inbound.api.cases import CaseId, GivenIdentifier, case_of
from adapters.inbound.api.commands import Command, DeskCommand
from adapters.inbound.api.looking import Looking
from adapters.inbound.api.shapes import Form
from domain.errors import DomainError
from domain.representation import (
    OF_AGE,
    AnswerTo,
    AuthorityEvidence,
    ChildView,
    Missing,
    Representation,
    RepresentationKind,
)
from domain.vocabulary import Content, IdentityMethod
from services.order_knowledge import SaidOfOrder
from services.ports import Identifier

router = APIRouter(prefix="/v1/cases/{case_id}", tags=["people"], route_class=ApiRoute)

REASON = Field(
    min_length=1,
    max_length=100,
    description="A code, never a person's data.",
    examples=["seen-at-the-counter"],
)


class Asks(BaseModel):
    """Who asks for whom, without anybody's personal data."""

    kind: RepresentationKind = RepresentationKind.ONESELF
    age: int | None = None
    identified: IdentityMethod | None = None
    evidence: list[AuthorityEvidence] = []
    view: ChildView | None = None
    address_protected: bool | None = None
    conflict: bool | None = None
    missing: list[Missing] = []
    accepted: bool | None = None
    answer_to: AnswerTo = AnswerTo.PERSON
    protected: bool
    number_held: bool = Field(description="Whether a national number is being matched with.")


class Claim(Form):
    """Whoever wrote asks for somebody else, who is described here; the age as far as it is known.

    `born_on` is turned into an age at once and not kept.
    """

    kind: RepresentationKind
    identifiers: list[GivenIdentifier] = Field(default=[], max_length=50)
    age: int | None = Field(default=None, ge=0, le=OF_AGE)
    born_on: date | None = None


class Seen(Form):
    evidence: AuthorityEvidence
    receives: bool = Field(default=False, description="Whether it lets them have the answer.")


class Heard(Form):
    view: ChildView
    reason: str = REASON


class AddressChecked(Form):
    protected: bool


class ConflictChecked(Form):
    known: bool


class Because(Form):
    reason: str = REASON


class Doubt(Because):
    words: str = Field(default="", max_length=2_000, description="For the letter, as it is.")


class Order(Form):
    number: str = Field(min_length=1, max_length=100, examples=["A1B2C"])
    amount: Decimal | None = Field(default=None, ge=0, le=10_000_000)
    day: date | None = None


class WhichDocument(Form):
    number: int = Field(ge=1, le=1_000, description="The first attachment is 1.")


class Accept(Form):
    answer_to: AnswerTo | None = None
    reason: str = Field(default="", max_length=100)


@router.get("/representation")
def read(installation: Installed, bearer: Reader, look: Looking, case_id: CaseId) -> Asks:
    """Who asks for whom, what is known of their authority, and what is missing still."""
    look.into(case_of(installation, bearer, case_id), bearer, Content.PERSON)
    return shown(installation, case_id)


@router.post("/representation", response_model=Asks)
def claim(installation: Installed, command: DeskCommand, case_id: CaseId, form: Claim) -> Response:
    """Record that whoever wrote asks for a child, a ward or a client, or for themselves."""
    return _do(
        installation,
        command,
        case_id,
        lambda: installation.representing.claim(
            case_id,
            kind=form.kind,
            identifiers=tuple(Identifier(one.kind, one.value) for one in form.identifiers),
            age=form.age,
            born_on=form.born_on,
            by=command.bearer.staff_id,
        ),
    )


@router.post("/representation/evidence", response_model=Asks)
def see(installation: Installed, command: DeskCommand, case_id: CaseId, form: Seen) -> Response:
    """Record what showed the authority. It was seen; it is not kept."""
    return _do(
        installation,
        command,
        case_id,
        lambda: installation.representing.see_evidence(
            case_id, evidence=form.evidence, receives=form.receives, by=command.bearer.staff_id
        ),
    )


@router.post("/representation/child-view", response_model=Asks)
def hear(installation: Installed, command: DeskCommand, case_id: CaseId, form: Heard) -> Response:
    """Record the view of a child of 12 or more."""
    return _do(
        installation,
        command,
        case_id,
        lambda: installation.representing.hear_child(
            case_id, view=form.view, reason=form.reason, by=command.bearer.staff_id
        ),
    )


@router.post("/representation/address", response_model=Asks)
def check_address(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: AddressChecked
) -> Response:
    """Record whether the child lives at a protected address; if so, places are hidden at once."""
    return _do(
        installation,
        command,
        case_id,
        lambda: installation.representing.check_address(
            case_id, protected=form.protected, by=command.bearer.staff_id
        ),
    )


@router.post("/representation/conflict", response_model=Asks)
def check_conflict(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: ConflictChecked
) -> Response:
    """Record whether a conflict between the parents is known."""
    return _do(
        installation,
        command,
        case_id,
        lambda: installation.representing.check_conflict(
            case_id, known=form.known, by=command.bearer.staff_id
        ),
    )


@router.post("/representation/doubt", response_model=Asks)
def doubt(installation: Installed, command: DeskCommand, case_id: CaseId, form: Doubt) -> Response:
    """Ask, by letter, for what shows the authority; both worlds of the clock are shown."""
    return _do(
        installation,
        command,
        case_id,
        lambda: installation.representing.doubt(
            case_id, reason=form.reason, words=form.words, by=command.bearer.staff_id
        ),
    )


@router.post("/deceased", response_model=Asks)
def deceased(installation: Installed, command: DeskCommand, case_id: CaseId) -> Response:
    """The person asked about has died: the GDPR does not apply, and a letter says so."""
    return _do(
        installation,
        command,
        case_id,
        lambda: installation.representing.deceased(case_id, by=command.bearer.staff_id),
    )


@router.post("/identity/order", response_model=Asks)
def say_order(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: Order
) -> Response:
    """What the person says of an order; a machine compares it, and nobody is shown either."""
    return _do(
        installation,
        command,
        case_id,
        lambda: installation.orders.say(case_id, SaidOfOrder(form.number, form.amount, form.day)),
    )


@router.post("/identity/documents/destroy", response_model=Asks)
def destroy_document(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: WhichDocument
) -> Response:
    """Destroy the n-th attachment, a copy of an identity document, at once."""

    def act() -> None:
        attachments = installation.register.case(case_id).attachments
        if form.number > len(attachments):
            raise DomainError("there is no such attachment in this case")
        installation.identity.destroy_document(
            case_id, attachments[form.number - 1], by=command.bearer.staff_id
        )

    return _do(installation, command, case_id, act)


@router.post("/representation/accept", response_model=Asks)
def accept(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: Accept
) -> Response:
    """They may: systems are searched, and the answer goes where it should."""
    return _do(
        installation,
        command,
        case_id,
        lambda: installation.representing.accept(
            case_id, answer_to=form.answer_to, reason=form.reason, by=command.bearer.staff_id
        ),
    )


@router.post("/representation/reject", response_model=Asks)
def reject(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: Because
) -> Response:
    """They may not. Refuse each request next, so that the letter says why."""
    return _do(
        installation,
        command,
        case_id,
        lambda: installation.representing.reject(
            case_id, reason=form.reason, by=command.bearer.staff_id
        ),
    )


@router.post("/protection", response_model=Asks)
def protect(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: Because
) -> Response:
    """The person has a protected identity: addresses and places are hidden everywhere."""
    return _do(
        installation,
        command,
        case_id,
        lambda: installation.representing.protect(
            case_id, reason=form.reason, by=command.bearer.staff_id
        ),
    )


@router.post("/protection/end", response_model=Asks)
def end_protection(
    installation: Installed, command: DeskCommand, case_id: CaseId, form: Because
) -> Response:
    """The protection has ended, or was recorded by mistake."""
    return _do(
        installation,
        command,
        case_id,
        lambda: installation.representing.end_protection(
            case_id, reason=form.reason, by=command.bearer.staff_id
        ),
    )


def shown(installation: Installation, case_id: UUID) -> Asks:
    case = installation.register.case(case_id)
    found = installation.representing.of_case(case_id)
    facts = {"protected": case.protected, "number_held": case.number is not None}
    return Asks.model_validate(facts | (_facts(found) if found is not None else {}))


def _facts(one: Representation) -> dict[str, object]:
    return {
        "kind": one.kind,
        "age": one.age,
        "identified": one.identified,
        "evidence": sorted(one.evidence, key=list(AuthorityEvidence).index),
        "view": one.view,
        "address_protected": one.address_protected,
        "conflict": one.conflict,
        "missing": list(one.missing),
        "accepted": one.accepted,
        "answer_to": one.answer_to if one.accepted else one.usual_answer_to,
    }


def _do(
    installation: Installation, command: Command, case_id: UUID, act: Callable[[], None]
) -> Response:
    case_of(installation, command.bearer, case_id)
    return command.carry_out(act, lambda: shown(installation, case_id), of=case_id)
