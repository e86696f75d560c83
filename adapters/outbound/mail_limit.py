"""What leaves without anybody's hand goes to one address only so often a day (RFC 3834, 2).

Every other guard looks at what a machine says of itself. This one holds against a machine that says
nothing: two that answer each other fall silent, and nobody's mailbox is filled in our name.
"""

from __future__ import annotations

import hmac
from datetime import timedelta

import structlog

from adapters.outbound.database import Database
from domain.errors import NotAllowedNow
from domain.vocabulary import LetterKind
from services.mailboxes import Mailboxes, plain
from services.ports import Clock, Mailer, OutgoingMail, Refused

AUTOMATIC = frozenset(
    {LetterKind.ACKNOWLEDGEMENT, LetterKind.IDENTITY_CODE, LetterKind.QUESTION_REMINDER}
)
MOST_A_DAY = 20
"""More than anybody needs who asks in earnest, mistypes codes and asks again."""

log = structlog.get_logger()


class EnoughForToday(NotAllowedNow):
    """That address has had all the automatic mail of this day; the letter waits for the next."""


class LimitedMailer:
    """A mailer that counts what leaves by itself. Safe in several processes."""

    def __init__(
        self,
        mailer: Mailer,
        database: Database,
        mailboxes: Mailboxes,
        key: bytes,
        clock: Clock,
        *,
        most: int = MOST_A_DAY,
    ) -> None:
        self._mailer, self._database, self._mailboxes = mailer, database, mailboxes
        self._key, self._clock, self._most = key, clock, most

    def send(self, mail: OutgoingMail) -> None:
        if mail.kind in AUTOMATIC:
            if self._mailboxes.owner(mail.recipient) is not None:
                raise Refused("the address is our own: a machine would write to itself")
            self._count(mail.recipient)
        self._mailer.send(mail)

    def _count(self, recipient: str) -> None:
        today = self._clock().date()
        token = hmac.digest(self._key, plain(recipient).encode(), "sha256")
        counted = self._database.fetch(
            "WITH over AS (DELETE FROM trettio.automatic_mails WHERE sent_on < %(before)s)"
            " INSERT INTO trettio.automatic_mails AS a (sent_on, token, mails)"
            " VALUES (%(today)s, %(token)s, 1) ON CONFLICT (sent_on, token)"
            " DO UPDATE SET mails = a.mails + 1 WHERE a.mails < %(most)s RETURNING mails",
            {
                "before": today - timedelta(days=1),
                "today": today,
                "token": token,
                "most": self._most,
            },
        )
        if not counted:
            log.warning("automatic_mail_held_back", most=self._most)
            raise EnoughForToday("that address has had enough automatic mail today")
