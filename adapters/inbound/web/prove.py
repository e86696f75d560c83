"""`/prove/{secret}`: the person shows that it is them, in the way they choose.

The page says nothing about whether the controller knows anybody (Art. 12(6)): it looks and answers
the same for every case. Looking at it changes nothing; whoever comes back from an identity
provider brings the cookie that their browser was given when they set out.
"""

from __future__ import annotations

from decimal import Decimal
from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from adapters.inbound.web.look import Look, language_named
from adapters.inbound.web.pages import Ended, Form, PageRoute, go, installation_of, page
from adapters.inbound.web.session import is_secure
from adapters.inbound.web.steps import day_in
from adapters.outbound.identity_providers import RETURN_PATH
from domain.case import Case
from domain.errors import DomainError, NotAllowedNow
from services.electronic import VALID_FOR, Back
from services.order_knowledge import SaidOfOrder, amount_in
from services.ports import CodeCheck, ProofRefused, Refused, Unavailable

COOKIE = "trettio-proof"

router = APIRouter(prefix="/prove", route_class=PageRoute, include_in_schema=False)


@router.get(RETURN_PATH.removeprefix("/prove"))
def come_back(
    request: Request, state: str = "", code: str = "", error: str = "", iss: str = ""
) -> Response:
    """From the provider, once: without the browser's own cookie nothing happens here."""
    browser, _, secret = request.cookies.get(COOKIE, "").partition(".")
    _behind(request, secret)
    returned = installation_of(request).electronic.finish(
        browser, state=state, code=code, error=error, issuer=iss or None
    )
    response = go(f"/prove/{secret}?back={returned.how.value}")
    response.delete_cookie(COOKIE, path="/prove")
    return response


@router.get("/{secret}")
def show(request: Request, secret: str, done: str = "", back: str = "") -> Response:
    proven = bool(done) or back == Back.PROVEN.value
    known = {*(how.value for how in Back), "order-said"} - {Back.PROVEN.value}
    return _page(
        request,
        secret,
        _behind(request, secret),
        proven=proven,
        back=back if back in known else "",
    )


@router.post("/{secret}")
def prove(request: Request, secret: str, form: Form) -> Response:
    case = _behind(request, secret)
    try:
        check = installation_of(request).identity.check_code(case.id, form.one("code"))
    except NotAllowedNow:  # tried too often: from here on only a person verifies
        check = CodeCheck.SPENT
    if check is not CodeCheck.RIGHT:
        return _page(request, secret, case, wrong=check)
    return go(f"/prove/{secret}?done=1")


@router.post("/{secret}/order")
def say_order(request: Request, secret: str, form: Form) -> Response:
    """What the person knows of an order. The page never says whether there is such an order."""
    case = _behind(request, secret)
    try:
        said = SaidOfOrder(form.one("number"), _amount(form.one("amount")), day_in(form.one("day")))
        installation_of(request).orders.say(case.id, said)
    except NotAllowedNow:
        return _page(request, secret, case, wrong=CodeCheck.SPENT)
    except DomainError:
        return _page(request, secret, case, back="order-incomplete")
    return go(f"/prove/{secret}?back=order-said")


@router.post("/{secret}/eid")
def set_out(request: Request, secret: str, form: Form) -> Response:
    """To the provider that was chosen.

    The page leads on by itself: a form may only be answered by us, so it cannot be sent there.
    """
    case = _behind(request, secret)
    installation = installation_of(request)
    try:
        begun = installation.electronic.begin(
            case.id, form.one("provider"), language=case.language.value
        )
    except (Unavailable, Refused, ProofRefused, NotAllowedNow):
        return _page(request, secret, case, back=Back.AWAY.value)
    response = page(
        "prove_away.html",
        _look(request, case),
        address=begun.address,
        profile=installation.controllers.in_force(case.controller),
        reference=case.reference,
    )
    response.set_cookie(
        COOKIE,
        f"{begun.secret}.{secret}",
        max_age=int(VALID_FOR.total_seconds()),
        path="/prove",
        secure=is_secure(installation),
        httponly=True,
        samesite="lax",
    )
    return response


def _amount(text: str) -> Decimal | None:
    return amount_in(text[:40]) if text else None


def _behind(request: Request, secret: str) -> Case:
    found = installation_of(request).identity.case_behind(secret)
    if found is None:
        raise Ended
    return found


def _look(request: Request, case: Case) -> Look:
    return Look(language_named(request.query_params.get("lang")) or case.language)


def _page(
    request: Request,
    secret: str,
    case: Case,
    *,
    proven: bool = False,
    wrong: CodeCheck | None = None,
    back: str = "",
) -> Response:
    installation = installation_of(request)
    return page(
        "prove.html",
        _look(request, case),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        secret=secret,
        profile=installation.controllers.in_force(case.controller),
        reference=case.reference,
        proven=proven,
        wrong=wrong,
        back=back,
        providers=installation.electronic.on_offer(case),
    )
