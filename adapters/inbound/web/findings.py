"""`/desk/findings`: what is to be asked about each profile in force, and what was answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Response

from adapters.inbound.api.errors import status_of
from adapters.inbound.web.look import Look
from adapters.inbound.web.pages import (
    NOTHING_SENT,
    Form,
    PageRoute,
    Sent,
    go,
    one_of,
    page,
)
from adapters.inbound.web.session import Adopts, AtDesk, Desk
from adapters.inbound.web.trouble import NO_TROUBLE, trouble_of
from domain.access import Permission
from domain.controller import FindingAnswer
from domain.errors import DomainError
from domain.findings import Finding, asked
from services.controllers import BY_DATA, Decision

router = APIRouter(prefix="/desk/findings", route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class FindingView:
    """One finding in the reader's language; who may not decide it sees no form."""

    finding: Finding
    question: str
    can_decide: bool


@dataclass(frozen=True, slots=True)
class ControllerView:
    id: str
    name: str
    findings: Sequence[FindingView]
    decisions: Sequence[Decision]


@router.get("")
def show(desk: AtDesk, done: str = "") -> Response:
    return _page(desk, done=done)


@router.post("/{controller}/{code}")
def decide(desk: Adopts, controller: str, code: str, sent: Form) -> Response:
    """An answer to a finding; only whoever may adopt a profile gives one."""
    desk.require(controller)
    try:
        desk.installation.controllers.decide_finding(
            controller,
            code=code,
            answer=one_of(FindingAnswer, sent.one("answer")),
            decision=sent.one("words"),
            by=desk.staff_id,
        )
    except DomainError as error:
        return _page(desk, error=error, form=f"{controller}/{code}", sent=sent)
    return go("/desk/findings?done=decided")


def _page(
    desk: Desk,
    *,
    error: DomainError | None = None,
    form: str = "",
    sent: Sent = NOTHING_SENT,
    done: str = "",
) -> Response:
    look = desk.look()
    return page(
        "findings.html",
        look,
        desk=desk,
        controllers=[_controller(desk, name, look) for name in desk.controllers],
        answers=tuple(FindingAnswer),
        error=trouble_of(error) if error else NO_TROUBLE,
        form=form,
        sent=sent,
        done=look.say("findings.done") if done == "decided" else "",
        **({"status": status_of(error)} if error else {}),
    )


def _controller(desk: Desk, name: str, look: Look) -> ControllerView:
    controllers, today = desk.installation.controllers, desk.installation.clock().date()
    may = desk.may(Permission.ADOPT, name)
    return ControllerView(
        id=name,
        name=desk.profile(name).controller.name,
        findings=[
            FindingView(one, asked(one, look.language), may and one.code not in BY_DATA)
            for one in controllers.findings(name, today)
        ],
        decisions=controllers.decisions(name, today) if may else (),
    )
