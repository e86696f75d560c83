"""Invitations: whoever is invited to an account is told by mail that a link was made, and by whom.

So nobody takes over an account unnoticed (Art. 32(1)(b)); the link itself is never in the mail.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from zoneinfo import ZoneInfo

from domain.controller import controller_id
from domain.vocabulary import StaffMail
from services.assigning import works_at
from services.controllers import Controllers
from services.ports import Also, Clock, Mailer, Member, OutgoingMail, Staff, Task, Tasks
from services.postroom import sender_of
from services.register import Register
from services.wording import wording

TEXTS = Path(__file__).with_name("invitation_texts")


class Invitations:
    """Plans these mails and sends each."""

    def __init__(
        self,
        register: Register,
        staff: Staff,
        tasks: Tasks,
        controllers: Controllers,
        mailer: Mailer,
        clock: Clock,
        *,
        address: str,
    ) -> None:
        self._register, self._staff, self._tasks = register, staff, tasks
        self._controllers, self._mailer, self._clock = controllers, mailer, clock
        self._address = address.rstrip("/")

    def told(self, staff_id: str, *, by: str) -> tuple[Also, ...]:
        """What the save of an invitation brings with it; nothing where no address is known."""
        member = self._staff.members().get(staff_id)
        controller = self._controller_of(member) if member and member.email else None
        if controller is None:
            return ()
        now = self._clock()
        task = Task(
            key=f"invited/{staff_id}/{now.isoformat()}",
            kind="invited",
            subject_id=controller_id(controller),
            due_at=now,
            controller=controller,
            payload={"staff": staff_id, "by": by},
        )
        return (self._tasks.add(task),)

    def send(self, task: Task) -> None:
        """Send one, to the address that is known by now."""
        member = self._staff.members().get(task.payload["staff"])
        if member is not None and member.email:
            self._mailer.send(self._mail(task, member, member.email))
        self._register.save_all([], [self._tasks.done(task)])

    def _controller_of(self, member: Member) -> str | None:
        """In whose name it is written: a controller that this person works for, if any is known."""
        names, access = self._controllers.names(), self._staff.access()
        theirs = [name for name in names if works_at(name, member, access)]
        return next(iter(theirs or names), None)

    def _mail(self, task: Task, member: Member, email: str) -> OutgoingMail:
        assert task.controller is not None
        profile, words = (
            self._controllers.in_force(task.controller),
            wording(TEXTS, member.language),
        )
        at = task.due_at.astimezone(ZoneInfo(profile.country.zone))
        said = {
            "by": self._staff.name(task.payload["by"]),
            "at": f"{at:%Y-%m-%d %H:%M}",
            "id": member.id,
            "address": f"{self._address}/desk",
        }
        paragraphs = [words.say(f"mail.{part}", **said) for part in ("intro", "doubt")]
        body = "".join(f"<p>{escape(part)}</p>" for part in paragraphs)
        return OutgoingMail(
            key=task.key,
            sender=sender_of(profile),
            recipient=email,
            subject=words.say("mail.subject"),
            text="\n\n".join(paragraphs) + "\n",
            html=f'<!doctype html><html lang="{member.language.value}"><head><meta charset="utf-8">'
            f"<title>Trettio</title></head><body>{body}</body></html>",
            kind=StaffMail.INVITED,
        )
