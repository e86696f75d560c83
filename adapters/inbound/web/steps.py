"""What all buttons of a case share: carried out, then back to the page or the reason on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from uuid import UUID

from fastapi import Response

from adapters.inbound.api.errors import status_of
from adapters.inbound.web.case import case_page
from adapters.inbound.web.pages import Sent, go, one_of
from adapters.inbound.web.session import Desk
from domain.case import Case
from domain.errors import DomainError
from domain.vocabulary import IdentifierKind
from services.ports import Erased, Identifier


def carry_out(
    desk: Desk,
    case: Case,
    sent: Sent,
    command: Callable[[], None],
    *,
    form: str,
    done: str,
    place: str = "",
) -> Response:
    try:
        command()
    except (DomainError, Erased) as error:
        return case_page(
            desk,
            desk.case(case.id),
            form=form,
            sent=sent,
            error=str(error),
            error_key="" if str(error) else "gone",
            status=status_of(error),
        )
    return go(f"{address_of(case)}?done={done}{'#' if place else ''}{place}")


def address_of(case: Case) -> str:
    return f"/desk/cases/{case.id}"


# What stands in a form


def id_in(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise DomainError("choose among those on the page") from None


def day_in(text: str) -> date | None:
    """A day as a browser's field gives it, where one was given."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise DomainError("write the day as year, month and day: 2026-12-31") from None


def required_day_in(text: str) -> date:
    day = day_in(text)
    if day is None:
        raise DomainError("write the day, as year, month and day: 2026-12-31")
    return day


def identifiers_in(sent: Sent) -> Iterator[Identifier]:
    for kind, value in zip(sent.all("kind"), sent.all("value"), strict=False):
        if value.strip():
            yield Identifier(one_of(IdentifierKind, kind), value.strip())
