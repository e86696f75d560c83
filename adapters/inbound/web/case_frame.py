"""What every page about one case has around it: who may act, what for it is read, its trouble."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus

from fastapi import Response

from adapters.inbound.api.commands import versions_of
from adapters.inbound.web.look import Look
from adapters.inbound.web.pages import NOTHING_SENT, Sent, page
from adapters.inbound.web.session import Desk
from adapters.inbound.web.trouble import NO_TROUBLE, Trouble
from adapters.inbound.web.versions import number_of, with_version, without_forms
from domain.access import Permission
from domain.case import Case
from domain.vocabulary import Purpose


@dataclass
class Lead:
    """The one primary action of a page: the first button of the step that comes next."""

    code: str
    place: str = ""
    taken: bool = field(default=False, init=False)

    def takes(self, code: str, place: str = "") -> bool:
        """Whether this button is the primary one; only the first that fits is."""
        fits = not self.taken and self.code == code and (not self.place or self.place == place)
        self.taken = self.taken or fits
        return fits


def framed(
    desk: Desk,
    case: Case,
    look: Look,
    template: str,
    *,
    purpose: Purpose | None,
    lead: Lead,
    form: str = "",
    sent: Sent = NOTHING_SENT,
    trouble: Trouble = NO_TROUBLE,
    status: HTTPStatus = HTTPStatus.OK,
    done: str = "",
    **values: object,
) -> Response:
    """A page whose forms say which state of the case they were made from."""
    seen = number_of(versions_of(desk.installation, case.id))
    words, is_ours = trouble.said(look)
    acts = desk.may(Permission.HANDLE, case.controller)
    made = page(
        template,
        look,
        status=status,
        desk=desk,
        case=case,
        base=f"/desk/cases/{case.id}",
        purpose=purpose,
        purposes=tuple(Purpose) if desk.may(Permission.REVEAL, case.controller) else (),
        lead=lead,
        acts=acts,
        form=form,
        sent=sent,
        trouble=trouble,
        error=words,
        error_is_ours=is_ours,
        done=done,
        **values,
    )
    if not acts:
        made = without_forms(made)
    return with_version(made, seen)
