"""Who sits at the desk: a session in a cookie, what its roles open, a purpose for each look.

Nobody reads personal data without having said what for (Art. 5(1)(b), 29), and each look is an
event with ids and purpose before anything is shown.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from fastapi import Depends, HTTPException, Request, Response

from adapters.bootstrap import Installation
from adapters.inbound.web.look import Look
from adapters.inbound.web.pages import (
    Elsewhere,
    NotHere,
    NotInThisRole,
    SignInNeeded,
    installation_of,
    look_for,
)
from adapters.outbound.outbox import Outbox
from adapters.outbound.sessions import Session
from adapters.outbound.tokens import Bearer
from domain.access import Permission
from domain.case import Case
from domain.policy import Profile
from domain.request import DataSubjectRequest
from domain.vocabulary import Content, Door, Purpose
from services.register import UnknownHere

SESSION_COOKIE = "trettio-desk"
PURPOSE_COOKIE = "trettio-purpose"
PURPOSE_SECONDS = 3600
FIRST_PAGE = "/desk"
FIRST_PAGES = (
    (Permission.TASKS, "/desk/tasks"),
    (Permission.OPERATE, "/desk/admin"),
    (Permission.SEE, FIRST_PAGE),
)
"""Where somebody begins whose roles do not open the work list."""
READING = frozenset({"GET", "HEAD"})
ON_THE_PAGE = (
    Content.PERSON,
    Content.IDENTIFIERS,
    Content.MESSAGE,
    Content.LETTER,
    Content.RECORD,
    Content.NOTE,
)
"""What the page of a case shows of its person, once it was said what for."""
IN_A_TASK = (Content.IDENTIFIERS, Content.RECORD)
"""What the page of a task shows whoever has to look the person up in one system."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Desk:
    """One member of staff at work, for one page, and the permission that the page asks for."""

    installation: Installation
    session: Session
    token: str
    request: Request
    asks_for: Permission = Permission.SEE
    accepts: tuple[Permission, ...] = ()
    """Everything that opens the page, at one controller this and at another that."""

    @property
    def bearer(self) -> Bearer:
        return self.session.bearer

    @property
    def staff_id(self) -> str:
        return self.bearer.staff_id

    def may(self, permission: Permission, controller: str | None = None) -> bool:
        """Whether a role allows it there; without a controller, whether one does anywhere."""
        return self.bearer.access.may(permission, controller)

    @property
    def controllers(self) -> tuple[str, ...]:
        """Every controller of this installation for which this page is hers or his to see."""
        return self.controllers_for(self.asks_for)

    def controllers_for(self, permission: Permission) -> tuple[str, ...]:
        names = self.installation.controllers.names()
        return tuple(name for name in names if self.may(permission, name))

    def require(self, controller: str) -> None:
        """What a role knows nothing of is not there; what it may not do there is refused."""
        if not self.bearer.access.knows_of(controller):
            raise NotHere
        if not any(self.may(one, controller) for one in self.accepts or (self.asks_for,)):
            raise NotInThisRole

    def require_system(self, controller: str, system: str) -> None:
        """Whoever owns one system has its tasks, and knows of no others."""
        owns = self.bearer.access.owns(controller, system)
        if not owns and not self.may(Permission.HANDLE, controller):
            raise NotHere

    def has_task_in(self, case: Case) -> bool:
        """Whether a system of this member of staff's own was asked in a case."""
        found = map(self.installation.register.find_fulfilment, case.request_ids)
        return any(
            self.bearer.access.owns(case.controller, system)
            for fulfilment in found
            if fulfilment is not None
            for system in fulfilment.systems
        )

    @property
    def has_outbox(self) -> bool:
        return isinstance(self.installation.mailer, Outbox)

    def case(self, case_id: UUID) -> Case:
        """A case of a controller that may be seen; any other is not there."""
        try:
            case = self.installation.register.case(case_id)
        except UnknownHere:
            raise NotHere from None
        self.require(case.controller)
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
        """What the reader has said to look at this for, in the last hour."""
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

    def look_into(self, case: Case, *what: Content) -> Purpose | None:
        """The purpose, if one was given; the look is then on record, before anything is shown."""
        for_a_task = Permission.TASKS in self.accepts and self.has_task_in(case)
        if not self.may(Permission.REVEAL, case.controller) and not for_a_task:
            return None
        purpose = self.purpose(str(case.id))
        if purpose is not None:
            self.looked_at(case, purpose, *what)
        return purpose

    def looked_at(self, case: Case, purpose: Purpose, *what: Content) -> None:
        """Record a look at a case; nothing named means what its page shows to this reader."""
        whole = self.may(Permission.REVEAL, case.controller)
        self.installation.looking.into_case(
            case.id,
            case.controller,
            what or (ON_THE_PAGE if whole else IN_A_TASK),
            by=self.staff_id,
            purpose=purpose,
            way=Door.DESK,
        )

    def looked_through(self, controllers: Iterable[str], purpose: Purpose, *what: Content) -> None:
        """Record a look at what belongs to no one case: a search, the drawer of letters."""
        for controller in controllers:
            self.installation.looking.into_all(
                controller, what, by=self.staff_id, purpose=purpose, way=Door.DESK
            )

    def _seal(self, subject: str, purpose: str, ends: str) -> str:
        """Bound to the token: whoever signs in anew says anew what for."""
        words = f"{subject}\n{purpose}\n{ends}\n{self.staff_id}"
        return hmac.new(self.token.encode(), words.encode(), hashlib.sha256).hexdigest()


def is_secure(installation: Installation) -> bool:
    return installation.settings.address.startswith("https://")


def cookie_name(installation: Installation) -> str:
    """Where the browser can promise it, no other host and no path can set this cookie."""
    return f"__Host-{SESSION_COOKIE}" if is_secure(installation) else SESSION_COOKIE


def at_desk(request: Request) -> Desk:
    """For pages that show cases, and forms that work on them."""
    asks_for = Permission.SEE if request.method in READING else Permission.HANDLE
    return _desk(request, asks_for)


def needs(*permissions: Permission) -> Callable[[Request], Desk]:
    """A dependency for pages that ask for something else; the first that is held counts."""

    def desk(request: Request) -> Desk:
        return _desk(request, *permissions)

    desk.permissions = permissions  # type: ignore[attr-defined]
    return desk


def signed_in(request: Request) -> Desk:
    """For what is one's own, whatever the role: a password, sessions, an absence."""
    return _desk(request)


def _desk(request: Request, *permissions: Permission) -> Desk:
    _require_ours(request)
    installation = installation_of(request)
    secret = request.cookies.get(cookie_name(installation), "")
    session = installation.sessions.find(secret) if secret else None
    if session is None:
        raise SignInNeeded
    access = session.bearer.access
    asks_for = next((one for one in permissions if access.may(one)), None)
    if permissions and asks_for is None:
        if request.url.path == FIRST_PAGE:
            raise Elsewhere(next(page for one, page in FIRST_PAGES if access.may(one)))
        raise NotInThisRole
    return Desk(
        installation, session, secret, request, asks_for or Permission.SEE, accepts=permissions
    )


def _require_ours(request: Request) -> None:
    """A form counts only when it was shown by us: no other site can press our buttons."""
    if request.method in READING:
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
SignedIn = Annotated[Desk, Depends(signed_in)]
Reveals = Annotated[Desk, Depends(needs(Permission.REVEAL))]
Handles = Annotated[Desk, Depends(needs(Permission.HANDLE))]
Approves = Annotated[Desk, Depends(needs(Permission.APPROVE))]
Advises = Annotated[Desk, Depends(needs(Permission.ADVISE))]
ReadsBoard = Annotated[Desk, Depends(needs(Permission.BOARD))]
Audits = Annotated[Desk, Depends(needs(Permission.AUDIT))]
Adopts = Annotated[Desk, Depends(needs(Permission.ADOPT))]
Operates = Annotated[Desk, Depends(needs(Permission.OPERATE))]
DoesTasks = Annotated[Desk, Depends(needs(Permission.HANDLE, Permission.TASKS))]
RevealsOrOwns = Annotated[Desk, Depends(needs(Permission.REVEAL, Permission.TASKS))]
Owns = Annotated[Desk, Depends(needs(Permission.TASKS))]
OurForm = Depends(_require_ours)
