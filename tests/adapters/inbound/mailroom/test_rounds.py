"""The role that takes mail in: whatever is set is opened, kept going, and closed in order."""

from __future__ import annotations

import os
import smtplib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest

from adapters.inbound.mailroom import rounds
from adapters.inbound.mailroom.letterbox import Letterbox
from adapters.outbound.presence import seen
from adapters.roles import running
from domain.case import CaseStatus
from domain.vocabulary import IdentifierKind, Language, Right
from services.ports import Identifier, Unavailable
from tests.support.components import free_port
from tests.support.house import KARI, House
from tests.support.incoming import PRIVACY, cases, mail


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_one_role_opens_what_is_set(house: House, tmp_path: Path) -> None:
    port, folder = free_port(), tmp_path / "mail"
    folder.mkdir()
    (folder / "one.eml").write_bytes(mail())
    os.utime(folder / "one.eml", (0, 0))
    settings = house.installation.settings.model_copy(
        update={"lmtp": f"127.0.0.1:{port}", "mail_folder": folder}
    )
    with running(replace(house.installation, settings=settings), mail=True):
        with smtplib.LMTP("127.0.0.1", port) as client:
            client.sendmail(KARI, [PRIVACY], mail(message_id="<two@person.example>"))
        until(lambda: len(cases(house)) == 2)
        with psycopg.connect(house.installation.database.url) as connection:
            assert ("mail",) in {process.roles for process in seen(connection)}

    with pytest.raises(ConnectionRefusedError):
        smtplib.LMTP("127.0.0.1", port)


def test_whoever_cannot_be_reached_is_asked_ever_more_seldom() -> None:
    tried: list[float] = []
    stop = Event()

    def look() -> int:
        tried.append(time.monotonic())
        if len(tried) < 3:
            raise Unavailable("imap connection failed") if len(tried) == 1 else OSError("away")
        stop.set()
        return 0

    going = Thread(target=rounds._go_round, args=("imap", look, 0.02, stop))
    going.start()
    going.join(timeout=10)

    assert len(tried) == 3
    assert tried[2] - tried[1] > tried[1] - tried[0] > 0.03


def test_our_own_letter_that_comes_back_is_no_request(house: House) -> None:
    """Whatever took away its other headers: its Message-ID tells."""
    case_id = house.receive("Jeg vil ha innsyn i alt dere har om meg.")
    house.installation.intake.confirm(
        case_id,
        rights=(Right.ACCESS,),
        language=Language.NB,
        identifiers=(Identifier(IdentifierKind.EMAIL, KARI),),
        by="ola",
    )
    house.work()
    sent = house.mails()[-1]
    ours = f"<{sent.path.stem}@fjordscenen.example>"
    assert ours.encode() in sent.path.read_bytes()

    Letterbox(house.installation).take(mail(message_id=ours, subject="Fwd"))

    assert cases(house)[-1].status is CaseStatus.SET_ASIDE
