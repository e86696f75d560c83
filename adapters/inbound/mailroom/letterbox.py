"""One slot for raw mail, whichever way it came: read, given to its controller, kept durably.

When `take` has answered, the message is in the database. Whoever hands it over again, because the
answer was lost on its way, changes nothing.
"""

from __future__ import annotations

from uuid import UUID

import structlog

from adapters.bootstrap import Installation
from adapters.inbound.mail import parse
from domain.errors import DomainError
from domain.vocabulary import Channel
from services.mailboxes import Mailboxes

log = structlog.get_logger()


class NotForUs(DomainError):
    """No controller of this installation has any of the addresses that the message went to."""


class Letterbox:
    """Safe to share between threads."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self.mailboxes = Mailboxes(installation.controllers)

    def take(self, raw: bytes, controller: str | None = None) -> UUID:
        """Keep one raw message; the case that it opened, or was added to.

        Where nobody says whose it is, the addresses that it went to do. Raises `UnreadableMessage`
        or `NotForUs` for what no later try would change.
        """
        message = parse(
            raw,
            trusted_hosts=self._installation.settings.trusted_mail_hosts,
            now=self._installation.clock(),
        )
        whose = controller or self._addressed(message.to)
        case_id = self._installation.intake.receive(whose, message, channel=Channel.MAIL)
        log.info("mail_taken", case_id=str(case_id), nature=message.nature.value)
        return case_id

    def _addressed(self, to: tuple[str, ...]) -> str:
        owners = (self.mailboxes.owner(address) for address in to)
        found = next((owner for owner in owners if owner is not None), None)
        found = found or self.mailboxes.only_one()
        if found is None:
            raise NotForUs(
                "no controller has an address that this message went to: add the address under"
                " 'channels' to its profile, or hand the message over with the controller named"
            )
        return found
