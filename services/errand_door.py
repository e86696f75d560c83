"""The way in for whoever holds a link: a code to the registered address first (GDPR Art. 32(1)).

Looking changes nothing; what opens the page is typed. A link that ended and one that never was look
alike.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from domain.errand import Errand
from services.controllers import Controllers
from services.errand_mails import coded
from services.errands import LINK, Errands
from services.ports import Clock, CodeCheck, Codes, Limit, Limits, Links, Mailer, Task, Tasks
from services.register import Register, again_on_conflict

OPENED = "errands-opened"
CODE = "errand-code"
CODE_VALID_FOR = timedelta(minutes=30)
OPEN_FOR = timedelta(hours=1)
MOST_CODES_AN_HOUR = 5
MOST_TRIES_AN_HOUR = 20


class ErrandDoor:
    """Links, codes, and for an hour what they open."""

    def __init__(
        self,
        register: Register,
        tasks: Tasks,
        controllers: Controllers,
        errands: Errands,
        codes: Codes,
        links: Links,
        limits: Limits,
        mailer: Mailer,
        clock: Clock,
    ) -> None:
        self._register, self._tasks, self._controllers = register, tasks, controllers
        self._errands, self._codes, self._links = errands, codes, links
        self._limits, self._mailer, self._clock = limits, mailer, clock

    def behind(self, secret: str) -> Errand | None:
        """The errand that a link leads to; None when it has ended, for whatever reason."""
        link = self._links.follow(secret, purpose=LINK)
        errand = self._register.find_errand(link.subject_id) if link is not None else None
        return errand if errand is not None and errand.is_open else None

    def send_code(self, errand: Errand) -> None:
        """Queue a code for the holder's address; whoever presses too often gets none, unsaid."""
        limit = Limit("errand/code", str(errand.holder), MOST_CODES_AN_HOUR, timedelta(hours=1))
        if self._limits.spend((limit,)) is not None:
            return
        now = self._clock()
        task = Task(
            key=f"errand/{errand.id}/code/{now.isoformat()}",
            kind=CODE,
            subject_id=errand.id,
            due_at=now,
            controller=errand.controller,
        )
        self._register.save_all([], [self._tasks.add(task)])

    def mail_code(self, task: Task) -> None:
        """Make a code and mail it; it is kept nowhere but as a digest."""
        errand = self._register.errand(task.subject_id)
        contact = self._errands.contact_of(errand) if errand.is_open else None
        if contact is not None:
            code, written = self._codes.issue(errand.holder, valid_for=CODE_VALID_FOR)
            self._register.save_all([], written)
            profile = self._controllers.in_force(errand.controller)
            self._mailer.send(
                coded(profile, contact, key=task.key, code=code, valid_for=CODE_VALID_FOR)
            )
        self._register.save_all([], [self._tasks.done(task)])

    @again_on_conflict
    def open(self, errand_id: UUID, typed: str) -> tuple[CodeCheck, str]:
        """A right code opens everything that this holder is asked, for an hour."""
        errand = self._register.errand(errand_id)
        limit = Limit("errand/try", str(errand.holder), MOST_TRIES_AN_HOUR, timedelta(hours=1))
        if self._limits.spend((limit,)) is not None:
            return CodeCheck.SPENT, ""
        check = self._codes.check(errand.holder, typed)
        if check is not CodeCheck.RIGHT:
            return check, ""
        now = self._clock()
        seen = self.open_of(errand.holder)
        for one in seen:
            one.open(at=now)
        secret, written = self._links.issue(errand.holder, purpose=OPENED, valid_for=OPEN_FOR)
        self._register.save_all(seen, [self._codes.use(errand.holder), *written])
        return check, secret

    def holder(self, opened: str) -> UUID | None:
        """Whose page a browser may see: proven by a code within the last hour."""
        link = self._links.follow(opened, purpose=OPENED) if opened else None
        return link.subject_id if link is not None else None

    def close(self, holder: UUID) -> None:
        self._register.save_all([], [self._links.withdraw(holder, purpose=OPENED)])

    def open_of(self, holder: UUID) -> list[Errand]:
        """What waits for a holder, the oldest first."""
        booked = self._errands.book.open_of_holder(holder)
        found = (self._register.errand(one.errand_id) for one in booked)
        return [one for one in found if one.is_open and one.holder == holder]
