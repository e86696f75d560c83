"""Telling the person who received their data, authorities among them (Art. 15(1)(c), 19)."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from adapters.inbound.web.pages import Form, PageRoute
from adapters.inbound.web.session import AtDesk
from adapters.inbound.web.steps import carry_out, required_day_in

router = APIRouter(prefix="/desk/cases/{case_id}", route_class=PageRoute, include_in_schema=False)


@router.post("/recipients/letter")
def tell(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    case = desk.case(case_id)

    def command() -> None:
        desk.installation.recipients.tell_person(case.id, by=desk.staff_id)

    return carry_out(desk, case, sent, command, form="recipients", done="sending", place="letters")


@router.post("/disclosures")
def disclose(desk: AtDesk, case_id: UUID, sent: Form) -> Response:
    """Record what an authority was given."""
    case = desk.case(case_id)

    def command() -> None:
        desk.installation.disclosing.record(
            case.id,
            authority=sent.one("authority"),
            categories=sent.all("category"),
            given_on=required_day_in(sent.one("given_on")),
            ground=sent.one("ground"),
            words=sent.one("words"),
            by=desk.staff_id,
        )

    return carry_out(
        desk, case, sent, command, form="disclosure", done="recorded", place="disclosures"
    )


@router.post("/disclosures/{disclosure_id}/withhold")
def withhold(desk: AtDesk, case_id: UUID, disclosure_id: UUID, sent: Form) -> Response:
    """Keep a disclosure out of the answer, on a law and for a reason."""
    case = desk.case(case_id)

    def command() -> None:
        desk.installation.disclosing.withhold(
            case.id,
            disclosure_id,
            law=sent.one("law"),
            words=sent.one("words"),
            by=desk.staff_id,
        )

    return carry_out(
        desk, case, sent, command, form="withhold", done="recorded", place="disclosures"
    )
