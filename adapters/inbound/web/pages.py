"""What every page shares: templates that escape, the reader's language, errors as pages."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from enum import Enum
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

import structlog
from fastapi import Depends, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.datastructures import FormData

from adapters.bootstrap import Installation
from adapters.inbound.api.errors import AWAY, RETRY_SECONDS, status_of
from adapters.inbound.web.assets import asset
from adapters.inbound.web.look import (
    Look,
    language_accepted,
    language_named,
    plain,
    sealed_links,
    told,
)
from adapters.inbound.web.menu import menu, seldom
from domain.access import Permission
from domain.errors import DomainError
from domain.policy import Profile
from domain.vocabulary import Language, Unidentified
from services.ports import Erased
from services.showing import looks_like_a_document

LANGUAGE_COOKIE = "trettio-language"
A_YEAR = 365 * 24 * 3600
LARGEST_FORM = 1_000_000

log = structlog.get_logger()


# What a page is made with


@cache
def environment() -> Environment:
    made = Environment(
        loader=PackageLoader("adapters.inbound.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "plain": plain,
        "told": told,
        "is_document": looks_like_a_document,
        "sealed_links": sealed_links,
    }
    made.globals["languages"] = tuple(Language)
    made.globals |= {"asset": asset, "menu": menu, "seldom": seldom}
    made.globals["unidentified"] = tuple(Unidentified)
    made.globals["permission"] = Permission
    return made


def page(
    template: str,
    look: Look,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    **values: object,
) -> HTMLResponse:
    text = environment().get_template(template).render(look=look, **values)
    return HTMLResponse(text, status_code=status)


def download(content: bytes, name: str, *, media_type: str) -> Response:
    """A file to keep, never shown in the browser."""
    disposition = f'attachment; filename="{name}"'
    return Response(content, media_type=media_type, headers={"Content-Disposition": disposition})


def go(address: str) -> RedirectResponse:
    """After a change the reader is led to a page that may be loaded again."""
    return RedirectResponse(address, status_code=HTTPStatus.SEE_OTHER)


def look_for(request: Request, profile: Profile | None = None) -> Look:
    """What the reader chose, else what the browser asks for, else the controller's language."""
    language = (
        language_named(request.query_params.get("lang"))
        or language_named(request.cookies.get(LANGUAGE_COOKIE))
        or language_accepted(request.headers.get("accept-language", ""))
        or (profile.language if profile else Language.EN)
    )
    rest = tuple(one for one in request.query_params.multi_items() if one[0] != "lang")
    zone = profile.country.zone if profile else Look.zone
    return Look(language, zone, rest)


def installation_of(request: Request) -> Installation:
    found: Installation = request.app.state.installation
    return found


# What was sent


class Sent:
    """The fields of a form as they were typed; nothing about them is believed yet."""

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        self._fields = fields

    def all(self, name: str) -> list[str]:
        return list(self._fields.get(name, ()))

    def one(self, name: str) -> str:
        return next((value.strip() for value in self._fields.get(name, ())), "")

    def raw(self, name: str) -> str:
        """As it was typed, spaces and all: a password."""
        return next(iter(self._fields.get(name, ())), "")

    def has(self, name: str) -> bool:
        return name in self._fields


NOTHING_SENT = Sent({})

E = TypeVar("E", bound=Enum)


def one_of(kind: type[E], word: str) -> E:
    """What was chosen from a list; anything else is refused."""
    try:
        return kind(word)
    except ValueError:
        raise DomainError("choose one of the answers in the list", key="choose-in-list") from None


async def _sent(request: Request) -> Sent:
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        raise HTTPException(HTTPStatus.LENGTH_REQUIRED)
    if int(length) > LARGEST_FORM:
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    form: FormData = await request.form(max_files=0)
    return Sent({name: [str(one) for one in form.getlist(name)] for name in form})


Form = Annotated[Sent, Depends(_sent)]


# When something is wrong


class SignInNeeded(Exception):
    """Nobody is signed in, or not any more."""


class NotHere(Exception):
    """There is no such page for this reader; whether there is one for another is not said."""


class Elsewhere(Exception):
    """Somebody's first page is another one."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


class NotInThisRole(Exception):
    """The page is there, and the reader's role does not open it."""


class Ended(Exception):
    """A link that leads nowhere, or nowhere any more."""


class PageRoute(APIRoute):
    """A route whose errors are pages too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                response = await handler(request)
            except Exception as error:
                response = await run_in_threadpool(_instead, request, error)
            # Forms are told from foreign ones by their Origin, which `no-referrer` would hide.
            response.headers["Referrer-Policy"] = "same-origin"
            chosen = language_named(request.query_params.get("lang"))
            if chosen is not None:
                response.set_cookie(
                    LANGUAGE_COOKIE, chosen.value, max_age=A_YEAR, httponly=True, samesite="lax"
                )
            return response

        return handled


def _instead(request: Request, error: Exception) -> Response:
    """The page that is shown where another could not be."""
    if isinstance(error, SignInNeeded):
        return go(f"/desk/sign-in?next={request.url.path}")
    if isinstance(error, Elsewhere):
        return go(error.address)
    look = look_for(request)
    if isinstance(error, NotHere):
        return _problem(look, HTTPStatus.NOT_FOUND, "not_here")
    if isinstance(error, NotInThisRole):
        return _problem(look, HTTPStatus.FORBIDDEN, "role")
    if isinstance(error, Ended):
        return page(
            "ended.html", look, status=HTTPStatus.NOT_FOUND, contact=_only_controller(request)
        )
    if isinstance(error, HTTPException):
        return _problem(look, HTTPStatus(error.status_code), "refused")
    if isinstance(error, RequestValidationError):
        return _problem(look, HTTPStatus.NOT_FOUND, "not_here")
    if isinstance(error, AWAY):
        log.warning("database_away", error=type(error).__name__)
        answer = _problem(look, HTTPStatus.SERVICE_UNAVAILABLE, "away")
        answer.headers["Retry-After"] = str(RETRY_SECONDS[HTTPStatus.SERVICE_UNAVAILABLE])
        return answer
    if isinstance(error, DomainError | Erased):
        return _problem(look, status_of(error), "refused", detail=str(error))
    log.error("page_failed", exc_info=error)
    return _problem(look, HTTPStatus.INTERNAL_SERVER_ERROR, "broken")


def _problem(look: Look, status: HTTPStatus, what: str, *, detail: str = "") -> HTMLResponse:
    return page("problem.html", look, status=status, what=what, detail=detail)


def _only_controller(request: Request) -> Profile | None:
    """Whom to turn to, where that can be told without telling whose link it was."""
    controllers = installation_of(request).controllers
    names = controllers.names()
    return controllers.in_force(names[0]) if len(names) == 1 else None
