"""What leaves by itself: so much to one address a day, whichever process sends it (RFC 3834)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.outbound.mail_limit import EnoughForToday, LimitedMailer
from domain.vocabulary import LetterKind
from services.mailboxes import Mailboxes
from services.ports import OutgoingMail, Refused
from tests.support.house import KARI, House, open_house
from tests.support.incoming import PRIVACY

CODE = OutgoingMail("1", PRIVACY, KARI, "Kode", "1234 5678", "", LetterKind.IDENTITY_CODE)


class Kept:
    def __init__(self) -> None:
        self.sent: list[OutgoingMail] = []

    def send(self, mail: OutgoingMail) -> None:
        self.sent.append(mail)


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with open_house(database_url, tmp_path) as opened:
        yield opened


def test_a_day_has_a_limit_for_each_address(house: House) -> None:
    now, kept, key = [datetime(2026, 11, 20, 9, tzinfo=UTC)], Kept(), b"k" * 32
    mailboxes = Mailboxes(house.installation.controllers)
    first, second = (
        LimitedMailer(kept, house.installation.database, mailboxes, key, lambda: now[0], most=2)
        for _ in range(2)
    )
    first.send(CODE)
    second.send(replace(CODE, recipient="Kari.Testesen+more@PERSON.example"))
    for mailer in (first, second):
        with pytest.raises(EnoughForToday):
            mailer.send(CODE)
    first.send(replace(CODE, kind=LetterKind.ANSWER))
    first.send(replace(CODE, recipient="ola@person.example"))
    assert len(kept.sent) == 4, "neither a person's letter nor anybody else's is held back"

    for days in (1, 2):
        now[0] += timedelta(days=days)
        first.send(CODE)
    rows = house.installation.database.fetch("SELECT mails, token FROM trettio.automatic_mails")
    assert [row["mails"] for row in rows] == [1], "older days are forgotten"
    assert KARI.encode() not in bytes(rows[0]["token"])


def test_no_machine_writes_to_itself(house: House) -> None:
    mailer = house.installation.limited_mailer()
    with pytest.raises(Refused, match="our own"):
        mailer.send(replace(CODE, recipient=f"Personvern <{PRIVACY.upper()}>"))
    house.installation.mailer.send(replace(CODE, recipient=PRIVACY, kind=LetterKind.ANSWER))
