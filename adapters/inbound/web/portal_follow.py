"""`/follow/{secret}`: how far it is and why these days; behind a code, what was written.

The link alone shows nothing that names anybody. Looking changes nothing, because mail scanners
open every link; a link that ended and one that never was look alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from http import HTTPStatus
from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response

from adapters.bootstrap import Installation
from adapters.inbound.web.look import Look, language_named
from adapters.inbound.web.pages import (
    Ended,
    Form,
    NotHere,
    PageRoute,
    go,
    installation_of,
    page,
)
from adapters.inbound.web.portal import too_often
from adapters.inbound.web.session import OurForm, is_secure
from domain.calendar import calendar_named, load_calendar
from domain.case import Case, CaseStatus
from domain.deadlines import received_on
from domain.errors import DomainError, NotAllowedNow
from domain.explanation import Step, explain
from domain.grounds import ground
from domain.policy import Profile
from domain.request import DataSubjectRequest
from domain.vocabulary import Right
from services.erasure_rows import Row, Table
from services.following import OPEN_FOR, Stage, TooOften, stage_of
from services.portal import promise_of
from services.ports import CodeCheck, Erased
from services.wording import in_language, short

COOKIE = "trettio-follow"
DONE = frozenset({"code", "open", "written", "withdrawn", "confirmed", "changed", "restricted"})

router = APIRouter(prefix="/follow", route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Followed:
    """One right as its page tells of it; before somebody has read the case there is no request."""

    right: Right | None
    stage: Stage
    answer_by: date | None
    why: Sequence[Step]
    request: DataSubjectRequest | None = None
    can_withdraw: bool = False
    table: Table | None = None


@router.get("/{secret}")
def show(request: Request, secret: str, done: str = "") -> Response:
    case = _behind(request, secret)
    return _page(request, secret, case, done=done if done in DONE else "")


@router.post("/{secret}/code", dependencies=[OurForm])
def send_code(request: Request, secret: str) -> Response:
    case = _behind(request, secret)
    installation_of(request).following.send_code(case.id)
    return go(f"/follow/{secret}?done=code")


@router.post("/{secret}", dependencies=[OurForm])
def open_(request: Request, secret: str, form: Form) -> Response:
    """A right code opens the page for an hour, in this browser."""
    case, installation = _behind(request, secret), installation_of(request)
    try:
        check, opened = installation.following.open(case.id, form.one("code"))
    except NotAllowedNow:  # tried too often: from here on only a person verifies
        check, opened = CodeCheck.SPENT, ""
    if check is not CodeCheck.RIGHT:
        return _page(request, secret, case, wrong=check)
    response = go(f"/follow/{secret}?done=open")
    response.set_cookie(
        COOKIE,
        opened,
        max_age=int(OPEN_FOR.total_seconds()),
        path="/follow",
        secure=is_secure(installation),
        httponly=True,
        samesite="lax",  # a link in a mail leads here, and a strict cookie would stay at home
    )
    return response


@router.post("/{secret}/close", dependencies=[OurForm])
def close(request: Request, secret: str) -> Response:
    """Whoever uses somebody else's machine closes the page behind them."""
    response = go(f"/follow/{secret}")
    response.delete_cookie(COOKIE, path="/follow")
    return response


@router.post("/{secret}/message", dependencies=[OurForm])
def write(request: Request, secret: str, form: Form) -> Response:
    case = _opened(request, secret)
    try:
        installation_of(request).following.write(case.id, form.one("text"), _key(form.one("key")))
    except DomainError:
        return _page(request, secret, case, empty=True)
    except TooOften as error:
        profile = installation_of(request).controllers.in_force(case.controller)
        return too_often(_look(request, case), profile, error)
    return go(f"/follow/{secret}?done=written#written")


@router.post("/{secret}/restrict", dependencies=[OurForm])
def restrict(request: Request, secret: str) -> Response:
    """Keep it and do not use it, until what was asked has been decided (Art. 18)."""
    case = _opened(request, secret)
    installation_of(request).following.restrict(case.id)
    return go(f"/follow/{secret}?done=restricted")


@router.get("/{secret}/withdraw/{right}")
def ask_withdraw(request: Request, secret: str, right: str) -> Response:
    """What it means to take it back, before anything happens."""
    case = _opened(request, secret)
    asked = _asked(request, case, right)
    return _rendered(request, secret, case, "portal_withdraw.html", one=asked)


@router.post("/{secret}/withdraw/{right}", dependencies=[OurForm])
def withdraw(request: Request, secret: str, right: str) -> Response:
    case = _opened(request, secret)
    asked = _asked(request, case, right)
    if asked.request is not None and asked.can_withdraw:
        installation_of(request).following.withdraw(case.id, asked.request.id)
    return go(f"/follow/{secret}?done=withdrawn")


@router.post("/{secret}/table", dependencies=[OurForm])
def confirm_table(request: Request, secret: str, form: Form) -> Response:
    """What goes and what stays is as the person wants it; another table is shown once more."""
    case = _opened(request, secret)
    asked = _asked(request, case, Right.ERASURE.value)
    if asked.request is None or not installation_of(request).following.is_ones_own(case):
        raise NotHere
    try:
        same = installation_of(request).erasure_tables.confirm(asked.request.id, form.one("table"))
    except NotAllowedNow:
        same = False
    return go(f"/follow/{secret}?done={'confirmed' if same else 'changed'}")


def _behind(request: Request, secret: str) -> Case:
    found = installation_of(request).following.behind(secret)
    if found is None:
        raise Ended
    return found


def _is_open(request: Request, case: Case) -> bool:
    opened = request.cookies.get(COOKIE, "")
    return installation_of(request).following.is_open(case, opened)


def _opened(request: Request, secret: str) -> Case:
    """The case, for whoever has entered a code lately; everybody else is led to where that is."""
    case = _behind(request, secret)
    if not _is_open(request, case):
        raise NotHere
    return case


def _asked(request: Request, case: Case, right: str) -> Followed:
    found = next(
        (
            one
            for one in _followed(installation_of(request), case, _look(request, case))
            if one.request is not None and one.right is not None and one.right.value == right
        ),
        None,
    )
    if found is None:
        raise NotHere
    return found


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return uuid4()


def _look(request: Request, case: Case) -> Look:
    profile = installation_of(request).controllers.in_force(case.controller)
    chosen = language_named(request.query_params.get("lang"))
    return Look(chosen or case.language, profile.country.zone)


def _followed(installation: Installation, case: Case, look: Look) -> Iterator[Followed]:
    profile = installation.controllers.in_force(case.controller)
    if case.status is not CaseStatus.CONFIRMED:
        yield _unread(profile, case, look)
        return
    for request in installation.following.requests(case):
        today = received_on(installation.clock(), request.country)
        stage, dates = stage_of(request), request.dates_on(max(today, request.received_on))
        last = dates.last_day(relied=request.suspension_relied_on)
        days = [day for day in (last, None if dates.extended_due else dates.promise_due) if day]
        yield Followed(
            request.right,
            stage,
            min(days) if days else dates.aim(),
            explain(
                request.received_on,
                calendar_named(request.dates.calendar),
                request.promise_days,
                look.language,
                pauses=request.pauses_on(max(today, request.received_on)),
                extension=request.dates.extended_due is not None,
                statutory=request.right.is_statutory,
                relied=request.suspension_relied_on,
                earlier_receipts=request.earlier_receipts,
                earlier_dates=request.earlier_dates,
            ),
            request,
            can_withdraw=request.can_be_withdrawn,
        )


def _all(request: Request, case: Case) -> Iterator[Followed]:
    return _followed(installation_of(request), case, _look(request, case))


def _with_tables(request: Request, case: Case) -> Iterator[Followed]:
    installation = installation_of(request)
    own = installation.following.is_ones_own(case)
    for one in _all(request, case):
        if own and one.request is not None and one.right is Right.ERASURE:
            yield replace(one, table=installation.erasure_tables.of(one.request))
        else:
            yield one


def _ground_words(look: Look, profile: Profile) -> Callable[[Row], str]:
    """Why a line stays, as the letter will say it, with its law."""

    def words(row: Row) -> str:
        if row.ground is None:
            return ""
        known = ground(row.ground)
        if row.until is None:
            return in_language(known.open_ended, look.language, profile)
        text = in_language(known.text, look.language, profile)
        return text.format(until=look.day(row.until))

    return words


def _unread(profile: Profile, case: Case, look: Look) -> Followed:
    """Before anybody has read it, what counts already: the day it arrived."""
    day = received_on(case.received_at, profile.country)
    waits = case.status is CaseStatus.WAITING
    return Followed(
        None,
        Stage.READ if waits else Stage.ELSEWHERE,
        promise_of(day, profile).answer_by if waits else None,
        explain(day, load_calendar(profile.country), profile.promise_days, look.language)
        if waits
        else (),
    )


def _page(
    request: Request,
    secret: str,
    case: Case,
    *,
    done: str = "",
    wrong: CodeCheck | None = None,
    empty: bool = False,
) -> Response:
    installation = installation_of(request)
    following = installation.following
    profile = installation.controllers.in_force(case.controller)
    is_open = _is_open(request, case)
    try:
        written = following.written(case) if is_open else ()
        questions = following.questions(case) if is_open else ()
    except Erased:
        raise Ended from None
    return _rendered(
        request,
        secret,
        case,
        "portal_follow.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong or empty else HTTPStatus.OK,
        followed=tuple(_with_tables(request, case) if is_open else _all(request, case)),
        categories={one.id: one for one in profile.categories},
        systems={one.id: one.name for one in profile.systems},
        words=lambda text: short(in_language(text, _look(request, case).language, profile)),
        ground=_ground_words(_look(request, case), profile),
        is_open=is_open,
        can_restrict=is_open and following.can_restrict(case),
        written=written,
        questions=questions,
        key=uuid4(),
        done=done,
        wrong=wrong,
        empty=empty,
    )


def _rendered(
    request: Request,
    secret: str,
    case: Case,
    template: str,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    **values: object,
) -> Response:
    profile = installation_of(request).controllers.in_force(case.controller)
    return page(
        template,
        _look(request, case),
        status=status,
        secret=secret,
        case=case,
        profile=profile,
        name=profile.controller.trade_name or profile.controller.name,
        reference=case.reference,
        received_on=received_on(case.received_at, profile.country),
        **values,
    )
