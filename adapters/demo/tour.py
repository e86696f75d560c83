"""`/tour`: five minutes with the demonstration, one step after the other.

What has been done is read from the log; the tour remembers nothing of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Response

from adapters.bootstrap import Installation
from adapters.demo.past.process import progress
from adapters.demo.seed import mails
from adapters.inbound.mail import parse
from adapters.inbound.web.pages import NotHere, PageRoute, go, page
from adapters.inbound.web.session import AtDesk
from domain.case import Case, CaseStatus
from domain.policy import Profile
from domain.request import DataSubjectRequest
from domain.vocabulary import Content, Right

OUTBOX = "/outbox"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to try: its name among the texts, where it is done, and whether it has been."""

    name: str
    address: str
    is_done: bool


def router_for(began: datetime, *, with_past: bool) -> APIRouter:
    """The tour of a demonstration that began at a moment."""
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/tour")
    def show(desk: AtDesk) -> Response:
        installation = desk.installation
        cases = tuple(cases_of_mails(installation, began))
        names = {name: _name(desk.profile(name)) for name in desk.controllers}
        done = tuple(steps(installation, cases[0])) if cases else ()
        return page(
            "tour.html",
            desk.look(),
            desk=desk,
            steps=done,
            next_step=next((step for step in done if not step.is_done), None),
            waiting=[case for case in cases if case.status is CaseStatus.WAITING],
            past=progress(installation.database, began) if with_past else None,
            visitor=installation.staff.name(desk.staff_id),
            organisations=names,
        )

    @router.get("/tour/{name}")
    def lead(desk: AtDesk, name: str) -> Response:
        """To where a step is done."""
        cases = tuple(cases_of_mails(desk.installation, began))
        for step in steps(desk.installation, cases[0]) if cases else ():
            if step.name == name:
                return go(step.address)
        raise NotHere

    return router


def cases_of_mails(installation: Installation, began: datetime) -> Iterator[Case]:
    """The cases of the mails that waited at the beginning, Ingrid's first."""
    for controller, raw in mails(began):
        message = parse(raw, trusted_hosts=(), now=began)
        case = installation.register.find_case(Case.id_for(controller, message.raw_sha256))
        if case is not None:
            yield case


def steps(installation: Installation, case: Case) -> Iterator[Step]:
    """From her mail to the letter as she sees it, and the proof of it all."""
    access = _access(installation, case)
    here = f"/desk/cases/{case.id}"
    yield Step("confirm", here, case.status is CaseStatus.CONFIRMED)
    was_asked = access is not None and access.identity_requested_at is not None
    yield Step("prove", OUTBOX if was_asked else here, access is not None and access.is_identified)
    yield Step(
        "search",
        f"{here}#systems-{Right.ACCESS.value}",
        access is not None and access.collected_at is not None,
    )
    yield Step(
        "match",
        f"{here}#records-{Right.ACCESS.value}",
        access is not None and False in access.matches.values(),
    )
    yield Step(
        "send",
        f"{here}/letters/write?kind=answer&right={Right.ACCESS.value}",
        access is not None and access.answered_at is not None,
    )
    yield Step("see", OUTBOX, access is not None and access.fetched_at is not None)
    looks = installation.looking.at_case(case.id)
    fetched = any(Content.EVIDENCE in look.what for look in looks)
    yield Step("verify", f"{here}#timeline", fetched)


def _access(installation: Installation, case: Case) -> DataSubjectRequest | None:
    if case.status is not CaseStatus.CONFIRMED or Right.ACCESS not in case.rights:
        return None
    return installation.register.request(case.request_id(Right.ACCESS))


def _name(profile: Profile) -> str:
    return profile.controller.trade_name or profile.controller.name
