"""Bounces: what came back puts its case to work; what is late or not ours changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from adapters.inbound.mail import parse
from domain.request import Status
from domain.vocabulary import Channel, DeliveryWay, LetterKind, Right
from services.bounces import Fate, fate
from services.messages import IncomingMessage
from services.ports import OutgoingMail
from tests.adapters.outbound.test_smtp import Postbox, mailer, running
from tests.support.asking import approved, asked, confirmed
from tests.support.house import KARI, NORWAY, House


def report(original: bytes, *, action: str = "failed", status: str = "5.1.1") -> IncomingMessage:
    """What the other side's mail server sends back about a mail (RFC 3464)."""
    head = f"""Return-Path: <>
From: MAILER-DAEMON@mx.person.example
To: personvern@fjordscenen.example
Subject: Undelivered Mail Returned to Sender
Date: Sat, 21 Nov 2026 10:00:00 +0100
Content-Type: multipart/report; report-type=delivery-status; boundary="back"

--back
Content-Type: text/plain

This is the mail system.
--back
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.person.example

Final-Recipient: rfc822; {KARI}
Action: {action} (told so)
Status: {status}
Diagnostic-Code: smtp; 550 no such user

--back
Content-Type: message/rfc822

"""
    raw = head.encode().replace(b"\n", b"\r\n") + original + b"\r\n--back--\r\n"
    return parse(raw, trusted_hosts=(), now=datetime.now(UTC))


def sent_over_smtp(house: House, case_id: UUID, kind: LetterKind) -> bytes:
    """The letter as a mail server really receives it from us."""
    letter = next(m for m in house.mails() if m.kind is kind)
    letter_id = next(one.id for one in house.case(case_id).letters.values() if one.kind is kind)
    postbox = Postbox()
    with running(postbox) as port:
        mailer(port).send(
            OutgoingMail(
                key=str(letter_id),
                sender=letter.sender,
                recipient=letter.recipient,
                subject=letter.subject,
                text=letter.text,
                html=letter.html,
                kind=kind,
            )
        )
    (raw,) = postbox.raw
    return raw


def receive(house: House, message: IncomingMessage, controller: str = NORWAY) -> UUID | None:
    return house.installation.intake.receive(controller, message, channel=Channel.MAIL)


def test_an_answer_that_the_other_server_sent_back_has_not_arrived(house: House) -> None:
    """Design 3: a letter over real SMTP, its report back through the intake."""
    case_id = approved(house, Right.ACCESS)
    raw = sent_over_smtp(house, case_id, LetterKind.ANSWER)

    receive(house, report(raw, action="delayed", status="4.4.1"))
    receive(house, report(raw, action="delivered", status="2.0.0"))
    assert asked(house, case_id, Right.ACCESS).status is Status.FULFILLED

    for _ in range(2):
        assert receive(house, report(raw)) == case_id
    request = asked(house, case_id, Right.ACCESS)
    assert (request.status, request.delivery_failed) == (Status.APPROVED, "bounced")


def test_a_bounce_about_nothing_of_ours_changes_nothing(house: House) -> None:
    case_id = approved(house, Right.ACCESS)
    before = house.case(case_id).version, asked(house, case_id, Right.ACCESS).version
    raw = b"From: a@b.example\r\nTo: c@d.example\r\nMessage-ID: <%s@x.example>\r\n\r\nHei" % (
        b"0" * 40
    )

    receive(house, report(raw))

    assert (house.case(case_id).version, asked(house, case_id, Right.ACCESS).version) == before


def test_a_letter_that_came_back_can_be_handed_over(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    (letter,) = house.case(case_id).letters.values()
    receive(house, report(sent_over_smtp(house, case_id, letter.kind)))
    assert house.case(case_id).failed == {letter.id: "bounced"}

    house.installation.delivery.delivered(
        case_id,
        letter.id,
        way=DeliveryWay.IN_PERSON,
        on=datetime.now(UTC).date(),
        seen="ID card",
        by="ola",
    )

    assert house.case(case_id).failed == {}
    assert asked(house, case_id, Right.ACCESS).acknowledged


@pytest.mark.parametrize(
    ("action", "status", "expected"),
    [
        ("failed", "5.1.1", Fate.FAILED),
        ("Failed", "4.4.7", Fate.FAILED),
        ("delayed", "4.4.1", Fate.UNDECIDED),
        ("relayed", "2.0.0", Fate.UNDECIDED),
        ("delivered", "2.1.5", Fate.UNDECIDED),
        ("expanded", "2.0.0", Fate.UNDECIDED),
    ],
)
def test_only_what_failed_for_good_has_failed(action: str, status: str, expected: Fate) -> None:
    """RFC 3464, 2.3.3."""
    raw = b"From: a@b.example\r\nTo: c@d.example\r\n\r\nHei"

    assert fate(report(raw, action=action, status=status)) is expected
