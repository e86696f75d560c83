"""What all buttons of a case share: carried out, then back to the page or the reason on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from http import HTTPStatus
from typing import Protocol
from uuid import UUID

from fastapi import Response

from adapters.inbound.api.commands import versions_of
from adapters.inbound.api.errors import status_of
from adapters.inbound.web.case import case_page
from adapters.inbound.web.case_words import Names
from adapters.inbound.web.happened import Happened
from adapters.inbound.web.pages import Sent, go, one_of
from adapters.inbound.web.session import Desk
from adapters.inbound.web.trouble import Trouble, trouble_of
from adapters.inbound.web.versions import changed_since, number_of, seen_in
from adapters.outbound.idempotency import STATE_AS_EXPECTED
from adapters.outbound.recorder import ConstraintViolated
from domain.case import Case
from domain.errors import DomainError
from domain.vocabulary import IdentifierKind
from services.ports import Erased, Identifier
from services.register import ATTEMPTS, SomebodyWasFaster


class Shown(Protocol):
    """A page that can be shown again with what was typed, and why it could not be done."""

    def __call__(
        self,
        desk: Desk,
        case: Case,
        *,
        form: str,
        sent: Sent,
        trouble: Trouble,
        status: HTTPStatus,
    ) -> Response: ...


def carry_out(
    desk: Desk,
    case: Case,
    sent: Sent,
    command: Callable[[], None],
    *,
    form: str,
    done: str,
    place: str = "",
    shown: Shown = case_page,
    back: str = "",
) -> Response:
    """Do it, unless the case has changed in a way that whoever sent the form has not seen."""
    try:
        changed = _unless_changed(desk, case, sent, command)
    except (DomainError, Erased) as error:
        return shown(
            desk,
            desk.case(case.id),
            form=form,
            sent=sent,
            trouble=trouble_of(error),
            status=status_of(error),
        )
    if changed:
        status, trouble = HTTPStatus.PRECONDITION_FAILED, Trouble(changed=changed)
        return shown(desk, desk.case(case.id), form=form, sent=sent, trouble=trouble, status=status)
    return go(f"{back or address_of(case)}?done={done}{'#' if place else ''}{place}")


def _unless_changed(
    desk: Desk, case: Case, sent: Sent, command: Callable[[], None]
) -> tuple[Happened, ...]:
    """Carry it out on the state that was looked at; or say what has changed, and do nothing."""
    seen = seen_in(sent)
    if seen is None:
        command()
        return ()
    installation, profile = desk.installation, desk.profile(case.controller)
    names = Names(profile, desk.look(profile))
    for _ in range(ATTEMPTS):
        now = versions_of(installation, case.id)
        changed = changed_since(installation, case, seen, number_of(now), names)
        if changed:
            return changed
        required = (installation.versions.required(now),)
        try:
            with installation.register.joining(partial(tuple, required)):
                command()
        except ConstraintViolated as error:
            if error.constraint != STATE_AS_EXPECTED:
                raise
            continue  # something happened between the look and the save
        return ()
    raise SomebodyWasFaster(
        "somebody else changed this; look again, then repeat", key="somebody-was-faster"
    )


def address_of(case: Case) -> str:
    return f"/desk/cases/{case.id}"


# What stands in a form


def id_in(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise DomainError("choose among those on the page", key="choose-on-page") from None


def day_in(text: str) -> date | None:
    """A day as a browser's field gives it, where one was given."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise DomainError(
            "write the day as year, month and day: 2026-12-31", key="day-form"
        ) from None


def required_day_in(text: str) -> date:
    day = day_in(text)
    if day is None:
        raise DomainError("write the day, as year, month and day: 2026-12-31", key="day-form")
    return day


def identifiers_in(sent: Sent) -> Iterator[Identifier]:
    for kind, value in zip(sent.all("kind"), sent.all("value"), strict=False):
        if value.strip():
            yield Identifier(one_of(IdentifierKind, kind), value.strip())
