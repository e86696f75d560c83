"""`/desk/sign-in/provider`: to the provider that vouches for staff, and back (OIDC Core 1.0)."""

from __future__ import annotations

import structlog
from fastapi import APIRouter, Request, Response

from adapters.inbound.web.pages import NotHere, PageRoute, installation_of, look_for, page
from adapters.inbound.web.session import OurForm, is_secure
from adapters.inbound.web.sign_in import device_of, keep, sign_in_page
from adapters.outbound.sessions import Way
from adapters.outbound.staff_provider import VALID_FOR, NotKnownHere
from services.ports import ProofRefused, Refused, Unavailable

COOKIE = "trettio-sign-in"
PATH = "/desk/sign-in"

log = structlog.get_logger()
router = APIRouter(prefix=PATH, route_class=PageRoute, include_in_schema=False)


@router.post("/provider", dependencies=[OurForm])
def set_out(request: Request) -> Response:
    """The page leads on by itself: a form may only be answered by us, so it is not sent there."""
    installation = installation_of(request)
    if not installation.staff_provider.name:
        raise NotHere
    look = look_for(request)
    try:
        begun = installation.staff_provider.begin(language=look.language.value)
    except (Unavailable, Refused, ProofRefused) as error:
        log.warning("staff_provider_failed", error=type(error).__name__)
        return sign_in_page(request, failed="provider")
    response = page("sign_in_away.html", look, address=begun.address)
    response.set_cookie(
        COOKIE,
        begun.secret,
        max_age=int(VALID_FOR.total_seconds()),
        path=PATH,
        secure=is_secure(installation),
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("/back")
def come_back(
    request: Request, state: str = "", code: str = "", error: str = "", iss: str = ""
) -> Response:
    """From the provider, once: without the browser's own cookie nothing happens here.

    The answer is a page that leads on: a cookie for our own pages only is not sent along while the
    browser still comes from elsewhere.
    """
    installation = installation_of(request)
    browser = request.cookies.get(COOKIE, "")
    if not installation.staff_provider.name or not browser:
        return sign_in_page(request, failed="provider")
    if error:
        return _ended(sign_in_page(request, failed="provider"))
    try:
        arrived = installation.staff_provider.finish(
            browser, state=state, code=code, issuer=iss or None
        )
    except NotKnownHere:
        return _ended(sign_in_page(request, failed="role"))
    except ProofRefused as refused:
        log.warning("staff_proof_refused", reason=refused.reason)
        return _ended(sign_in_page(request, failed="provider"))
    except (Unavailable, Refused) as problem:
        log.warning("staff_provider_failed", error=type(problem).__name__)
        return _ended(sign_in_page(request, failed="provider"))
    secret = installation.sessions.begin(
        arrived.staff_id, Way.PROVIDER, device=device_of(request), vouched=arrived.grants
    )
    if installation.sessions.find(secret) is None:
        return _ended(sign_in_page(request, failed="role"))
    response = _ended(page("sign_in_away.html", look_for(request), address="/desk"))
    keep(response, installation, secret)
    return response


def _ended(response: Response) -> Response:
    response.delete_cookie(COOKIE, path=PATH)
    return response
