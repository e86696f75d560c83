"""Who sits at the desk: a token in a cookie, the controllers it opens, a purpose for each look.

Nobody reads personal data without having said what for (Art. 5(1)(b), 29), and each look is
logged with ids and purpose.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from fastapi import Depends, HTTPException, Request, Response

from adapters.bootstrap import Installation
from adapters.inbound.looking import Purpose, log_look
from adapters.inbound.web.look import Look
from adapters.inbound.web.pages import NotHere, SignInNeeded, installation_of, look_for
from adapters.outbound.outbox import Outbox
from adapters.outbound.tokens import Bearer, Scope
from domain.case import Case
from domain.policy import Profile
from domain.request import DataSubjectRequest
from services.register import UnknownHere

SESSION_COOKIE = "trettio-desk"
log = structlog.get_logger()

PURPOSE_COOKIE = "trettio-purpose"
SESSION_SECONDS = 10 * 3600
PURPOSE_SECONDS = 3600


@dataclass(frozen=True)
class Desk:
    """One member of staff at work, for one page."""

    installation: Installation
    bearer: Bearer
    token: str
    request: Request

    @property
    def staff_id(self) -> str:
        return self.bearer.staff_id

    @property
    def controllers(self) -> tuple[str, ...]:
        """Every controller of this installation that is hers or his to see."""
        return tuple(n for n in self.installation.controllers.names() if self.bearer.sees(n))

    @property
    def has_outbox(self) -> bool:
        return isinstance(self.installation.mailer, Outbox)

    def case(self, case_id: UUID) -> Case:
        """A case of a controller that may be seen; any other is not there."""
        try:
            case = self.installation.register.case(case_id)
        except UnknownHere:
            raise NotHere from None
        if not self.bearer.sees(case.controller):
            raise NotHere
        return case

    def asked(self, case: Case, request_id: UUID) -> DataSubjectRequest:
        """One request of a case."""
        if request_id not in case.request_ids:
            raise NotHere
        return self.installation.register.request(request_id)

    def profile(self, controller: str) -> Profile:
        return self.installation.controllers.in_force(controller)

    def look(self, profile: Profile | None = None) -> Look:
        if profile is None and self.controllers:
            profile = self.profile(self.controllers[0])
        return look_for(self.request, profile)

    # Purposes

    def purpose(self, subject: str) -> Purpose | None:
        """What the reader has said to look at this case for, in the last hour."""
        name, _, rest = self.request.cookies.get(PURPOSE_COOKIE, "").partition(".")
        ends, _, seal = rest.partition(".")
        if not ends.isdecimal() or int(ends) < time.time():
            return None
        if not hmac.compare_digest(seal, self._seal(subject, name, ends)):
            return None
        return Purpose(name)

    def take_purpose(self, subject: str, purpose: Purpose, response: Response, path: str) -> None:
        ends = str(int(time.time()) + PURPOSE_SECONDS)
        response.set_cookie(
            PURPOSE_COOKIE,
            f"{purpose.value}.{ends}.{self._seal(subject, purpose.value, ends)}",
            max_age=PURPOSE_SECONDS,
            path=path,
            secure=is_secure(self.installation),
            httponly=True,
            samesite="strict",
        )

    def look_into(self, subject: str) -> Purpose | None:
        """The purpose, if one was given; the look is then logged."""
        purpose = self.purpose(subject)
        if purpose is not None:
            log_look(subject, staff_id=self.staff_id, purpose=purpose)
        return purpose

    def _seal(self, subject: str, purpose: str, ends: str) -> str:
        """Bound to the token: whoever signs in anew says anew what for."""
        words = f"{subject}\n{purpose}\n{ends}\n{self.staff_id}"
        return hmac.new(self.token.encode(), words.encode(), hashlib.sha256).hexdigest()


def is_secure(installation: Installation) -> bool:
    return installation.settings.address.startswith("https://")


def at_desk(request: Request) -> Desk:
    _require_ours(request)
    token = request.cookies.get(SESSION_COOKIE, "")
    installation = installation_of(request)
    bearer = installation.tokens.bearer(token) if token else None
    if bearer is None or not bearer.may(Scope.DESK):
        raise SignInNeeded
    return Desk(installation, bearer, token, request)


def _require_ours(request: Request) -> None:
    """A form counts only when it was shown by us: no other site can press our buttons."""
    if request.method in {"GET", "HEAD"}:
        return
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        ours = site == "same-origin"
    else:
        address = installation_of(request).settings.address
        hosts = {urlsplit(address).netloc, request.headers.get("host", "")}
        ours = urlsplit(request.headers.get("origin", "")).netloc in hosts - {""}
    if not ours:
        log.warning("foreign_form_refused", path=request.url.path)
        raise HTTPException(403)


AtDesk = Annotated[Desk, Depends(at_desk)]
OurForm = Depends(_require_ours)
