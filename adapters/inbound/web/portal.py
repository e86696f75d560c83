"""`/c/{controller}`: anybody asks for what is theirs, without an account (GDPR Art. 12(2)).

The page answers the same whoever asks: nobody is looked up before a person, or a task, takes it on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from math import ceil
from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response

from adapters.inbound.web.look import Look
from adapters.inbound.web.pages import (
    NOTHING_SENT,
    Form,
    NotHere,
    PageRoute,
    Sent,
    go,
    installation_of,
    look_for,
    page,
)
from adapters.inbound.web.session import OurForm
from domain.authorities import authority
from domain.case import reference
from domain.deadlines import received_on
from domain.policy import Profile
from domain.vocabulary import Right
from services.following import TooOften
from services.portal import (
    LONGEST_LINE,
    LONGEST_TEXT,
    OFFERED,
    Taken,
    Wanted,
    promise_of,
)
from services.wording import in_language

router = APIRouter(route_class=PageRoute, include_in_schema=False)

STOPS = (Right.OBJECTION_TO_MARKETING,)
SENT_SHOWN_FOR = timedelta(days=7)
LONGEST_ADDRESS = 500
_MAIL = re.compile(r"[^@\s<>\"(),:;]+@[^@\s<>\"(),:;.]+(?:\.[^@\s<>\"(),:;.]+)+")
_REFERENCE = re.compile(r"[0-9A-HJ-NP-Z]{4}-[0-9A-HJ-NP-Z]{4}")


@router.get("/")
def begin(request: Request) -> Response:
    """Whose page it is, where there is one; else all of them."""
    published = _published(request)
    if len(published) == 1:
        return go(f"/c/{published[0].id}")
    return page("portal_list.html", look_for(request), profiles=published)


@router.get("/c/{controller}")
def ask(request: Request, controller: str) -> Response:
    profile = _profile(request, controller)
    return _form(request, profile, "portal_ask.html")


@router.post("/c/{controller}", dependencies=[OurForm])
def send(request: Request, controller: str, sent: Form) -> Response:
    profile = _profile(request, controller)
    rights = tuple(right for right in OFFERED if right.value in sent.all("right"))
    return _taken(request, profile, sent, rights, "portal_ask.html")


@router.get("/c/{controller}/stop")
def ask_stop(request: Request, controller: str) -> Response:
    return _form(request, _profile(request, controller), "portal_stop.html")


@router.post("/c/{controller}/stop", dependencies=[OurForm])
def stop(request: Request, controller: str, sent: Form) -> Response:
    """No marketing any more: an address is enough, nobody proves anything (Art. 21(3))."""
    return _taken(request, _profile(request, controller), sent, STOPS, "portal_stop.html")


@router.get("/c/{controller}/sent/{names}/{day}/{how}")
def sent(request: Request, controller: str, names: str, day: str, how: str) -> Response:
    """What follows, the same for everybody; it may be loaded again and tells nothing of anybody."""
    profile = _profile(request, controller)
    references = names.split("_")
    try:
        sent_on = date.fromisoformat(day)
    except ValueError:
        raise NotHere from None
    today = received_on(installation_of(request).clock(), profile.country)
    if (
        not all(map(_REFERENCE.fullmatch, references))
        or not today - SENT_SHOWN_FOR <= sent_on <= today
        or how not in {"mail", "post", "stop"}
    ):
        raise NotHere
    return page(
        "portal_sent.html",
        look_for(request, profile),
        profile=profile,
        name=_name(profile),
        reference=references[0],
        stopped=references[-1] if len(references) > 1 else "",
        promise=promise_of(sent_on, profile),
        how=how,
    )


def _published(request: Request) -> list[Profile]:
    controllers = installation_of(request).controllers
    profiles = [controllers.in_force(name) for name in controllers.names()]
    return sorted((one for one in profiles if one.portal), key=_name)


def _name(profile: Profile) -> str:
    return profile.controller.trade_name or profile.controller.name


def _profile(request: Request, controller: str) -> Profile:
    controllers = installation_of(request).controllers
    if controller not in controllers.names():
        raise NotHere
    profile = controllers.in_force(controller)
    if not profile.portal:
        raise NotHere
    return profile


def _form(
    request: Request,
    profile: Profile,
    template: str,
    *,
    sent: Sent = NOTHING_SENT,
    key: UUID | None = None,
    wrong: Mapping[str, str] | None = None,
) -> Response:
    look = look_for(request, profile)
    return page(
        template,
        look,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        profile=profile,
        name=_name(profile),
        offered=OFFERED,
        promise=installation_of(request).portal.promise(profile),
        sent=sent,
        key=key or uuid4(),
        wrong=wrong or {},
        signals_no=request.headers.get("sec-gpc") == "1",  # Global Privacy Control
        complaint=in_language(authority(profile.country).complaint, look.language, profile),
    )


def _taken(
    request: Request,
    profile: Profile,
    sent: Sent,
    rights: tuple[Right, ...],
    template: str,
) -> Response:
    look = look_for(request, profile)
    key, wrong = _key(sent), _wrong(sent, rights, stop=rights == STOPS)
    if wrong:
        return _form(request, profile, template, sent=sent, key=key, wrong=wrong)
    wanted = _wanted(sent, rights, look, key)
    try:
        taken = installation_of(request).portal.receive(
            profile.id, wanted, network=network_of(request)
        )
    except TooOften as error:
        return too_often(look, profile, error)
    return go(_address(request, profile, taken, wanted))


def _address(request: Request, profile: Profile, taken: Taken, wanted: Wanted) -> str:
    day = received_on(installation_of(request).clock(), profile.country)
    cases = [taken.case] if taken.at_once in {None, taken.case} else [taken.case, taken.at_once]
    names = "_".join(reference(case) for case in cases if case is not None)
    how = "stop" if taken.at_once == taken.case else "mail" if wanted.email else "post"
    return f"/c/{profile.id}/sent/{names}/{day.isoformat()}/{how}"


def too_often(look: Look, profile: Profile, error: TooOften) -> Response:
    """Too much came: the page says when again, and every other way there is."""
    seconds = int(error.wait.total_seconds()) + 1
    response = page(
        "portal_wait.html",
        look,
        status=HTTPStatus.TOO_MANY_REQUESTS,
        profile=profile,
        minutes=ceil(seconds / 60),
    )
    response.headers["Retry-After"] = str(seconds)
    return response


def network_of(request: Request) -> str:
    """Where it comes from, as far as one household or office shares it.

    Behind a proxy the server has put the visitor's own address here; see TRETTIO_TRUSTED_PROXIES.
    """
    host = request.client.host if request.client is not None else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or address.exploded[:19])
    return host


# What was typed


def _key(sent: Sent) -> UUID:
    try:
        return UUID(sent.one("key"))
    except ValueError:
        return uuid4()


def _wanted(sent: Sent, rights: tuple[Right, ...], look: Look, key: UUID) -> Wanted:
    return Wanted(
        key=key,
        rights=rights,
        language=look.language,
        text=sent.one("text"),
        name=sent.one("name"),
        email=sent.one("email"),
        postal_address=sent.one("post"),
        order_number=sent.one("order"),
        for_another=sent.has("another"),
    )


def _wrong(sent: Sent, rights: tuple[Right, ...], *, stop: bool) -> dict[str, str]:
    """By field, what is to be put right: a key of the page's words."""
    wrong = {}
    email, post = sent.one("email"), sent.one("post")
    if not rights and not sent.one("text"):
        wrong["right"] = "nothing_wanted"
    if not email and (stop or not post):
        wrong["email"] = "no_address_stop" if stop else "no_address"
    elif email and (len(email) > LONGEST_LINE or not _MAIL.fullmatch(email)):
        wrong["email"] = "no_mail_address"
    for field, longest in (
        ("text", LONGEST_TEXT),
        ("post", LONGEST_ADDRESS),
        ("name", LONGEST_LINE),
        ("order", LONGEST_LINE),
    ):
        if len(sent.one(field)) > longest:
            wrong[field] = "too_long"
    return wrong
