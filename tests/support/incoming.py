"""Mail as it comes in, and what became of it."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from uuid import UUID

from domain.case import Case
from tests.support.house import KARI, House

PRIVACY = "personvern@fjordscenen.example"
SWEDISH_PRIVACY = "kontakt@stundbiljett.example"
ASKS = "Hei, jeg vil gjerne ha innsyn i alle opplysninger dere har om meg.\r\n\r\nKari"


def mail(
    *,
    sender: str = KARI,
    to: str = PRIVACY,
    subject: str = "Innsyn",
    body: str = ASKS,
    message_id: str = "<first@person.example>",
    by: str = "mx.test",
    headers: str = "",
) -> bytes:
    """A raw mail; the same arguments make the same one."""
    at = format_datetime(datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0))
    return (
        f"Received: from out.person.example by {by} with ESMTPS; {at}\r\n"
        f"From: Kari Testesen <{sender}>\r\nTo: {to}\r\nSubject: {subject}\r\n"
        f"Message-ID: {message_id}\r\n{headers}"
        f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
    ).encode()


def cases(house: House) -> list[Case]:
    """Every case that there is, the oldest first."""
    rows = house.installation.database.fetch(
        "SELECT originator_id FROM trettio.log WHERE topic = 'case.arrived'"
        " ORDER BY notification_id"
    )
    found: list[UUID] = [row["originator_id"] for row in rows]
    return [house.installation.register.case(one) for one in found]
