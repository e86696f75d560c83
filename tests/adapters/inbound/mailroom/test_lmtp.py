"""LMTP: a reply for each recipient, and 250 only for what is in the database (RFC 2033)."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from adapters.inbound.mailroom.letterbox import Letterbox
from adapters.inbound.mailroom.lmtp import listening
from adapters.settings import SettingsWrong
from domain.case import CaseStatus
from domain.vocabulary import ReceiptSource
from tests.support.components import free_port
from tests.support.house import KARI, NORWAY, SWEDEN, House
from tests.support.incoming import PRIVACY, SWEDISH_PRIVACY, cases, mail


@pytest.fixture
def lmtp(house: House) -> Iterator[smtplib.LMTP]:
    trusting = house.installation.settings.model_copy(update={"trusted_mail_hosts": ("mx.test",)})
    letterbox = Letterbox(replace(house.installation, settings=trusting))
    with listening(letterbox, f"127.0.0.1:{free_port()}") as address:
        host, _, port = address.rpartition(":")
        with smtplib.LMTP(host, int(port)) as client:
            yield client


def deliver(client: smtplib.LMTP, sender: str, to: Sequence[str], content: bytes) -> list[int]:
    """The final reply for each recipient; the library's own client reads only one."""
    client.ehlo_or_helo_if_needed()
    client.mail(sender)
    codes = [client.rcpt(one)[0] for one in to]
    client.putcmd("data")
    assert client.getreply()[0] == 354
    client.send(content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
    return [client.getreply()[0] if code == 250 else code for code in codes]


def test_a_message_is_a_case_once_250_was_said(house: House, lmtp: smtplib.LMTP) -> None:
    assert lmtp.sendmail(KARI, [PRIVACY], mail()) == {}

    (case,) = cases(house)
    assert case.controller == NORWAY
    assert case.receipt_source is ReceiptSource.RECEIVED_HEADER
    assert case.status is CaseStatus.WAITING

    lmtp.sendmail(KARI, [PRIVACY], mail())
    assert len(cases(house)) == 1, "the same message again, because the reply was lost"


def test_each_recipient_has_a_reply_and_each_controller_a_case(
    house: House, lmtp: smtplib.LMTP
) -> None:
    to = [PRIVACY, "nobody@else.example", SWEDISH_PRIVACY, PRIVACY.upper()]

    assert deliver(lmtp, KARI, to, mail()) == [250, 550, 250, 250]
    assert {case.controller for case in cases(house)} == {NORWAY, SWEDEN}


def test_what_no_database_has_taken_stays_with_the_mail_server(
    house: House, lmtp: smtplib.LMTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> UUID:
        raise psycopg.OperationalError("the server closed the connection")

    monkeypatch.setattr(house.installation.intake, "receive", away)
    with pytest.raises(smtplib.SMTPDataError) as error:
        lmtp.sendmail(KARI, [PRIVACY], mail())
    assert error.value.smtp_code == 451
    assert KARI.encode() not in error.value.smtp_error

    monkeypatch.undo()
    assert lmtp.sendmail(KARI, [PRIVACY], mail()) == {}
    assert len(cases(house)) == 1


def test_what_is_too_long_is_refused_for_good(house: House, lmtp: smtplib.LMTP) -> None:
    to = [PRIVACY, SWEDISH_PRIVACY]

    assert deliver(lmtp, KARI, to, mail(body="x" * 1_200_000)) == [500, 500]
    assert deliver(lmtp, KARI, to[:1], mail()) == [250], "the replies stayed in step"
    assert len(cases(house)) == 1


def test_a_report_from_nobody_is_no_request(house: House, lmtp: smtplib.LMTP) -> None:
    """The envelope says so, whatever the message claims: nothing ever answers it."""
    lmtp.sendmail("", [PRIVACY], mail(subject="Re: Personvern"))

    (case,) = cases(house)
    assert case.status is CaseStatus.SET_ASIDE


def test_a_port_that_is_taken_is_said_in_one_line(house: House, lmtp: smtplib.LMTP) -> None:
    taken = f"127.0.0.1:{lmtp.sock.getpeername()[1]}"  # type: ignore[union-attr]
    with (
        pytest.raises(SettingsWrong, match="TRETTIO_LMTP"),
        listening(Letterbox(house.installation), taken),
    ):
        pass


def test_it_listens_on_a_socket_too(house: House, tmp_path: Path) -> None:
    place = str(tmp_path / "lmtp.socket")
    with listening(Letterbox(house.installation), place), smtplib.LMTP(place) as client:
        assert client.sendmail(KARI, [PRIVACY], mail()) == {}
    with listening(Letterbox(house.installation), place):
        assert Path(place).stat().st_mode & 0o777 == 0o660
    assert len(cases(house)) == 1
