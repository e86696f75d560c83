"""Mail of the past: what people and their servers wrote, and the box that takes what we send."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from adapters.demo.past.plan import Plan
from adapters.outbound.message import key_hash
from services.ports import OutgoingMail


@dataclass
class Postbox:
    """Everybody's mail server: what left in this life, for whoever it was sent to."""

    mails: list[OutgoingMail] = field(default_factory=list)

    def send(self, mail: OutgoingMail) -> None:
        self.mails.append(mail)

    def newest(self, words: str) -> OutgoingMail | None:
        return next((mail for mail in reversed(self.mails) if words in mail.text), None)


def host_of(plan: Plan) -> str:
    """The controller's mail server, the only one whose Received header is believed."""
    return f"mx.{plan.controller}.example"


def mail_from(
    plan: Plan, subject: str, body: str, *, at: datetime, answers: OutgoingMail | None = None
) -> bytes:
    """What the person wrote, as the controller's server stored it."""
    mail = EmailMessage(policy=SMTP)
    local, _, domain = plan.person.email.partition("@")
    mail["From"] = Address(plan.person.name, local, domain)
    mail["To"] = f"personvern@{plan.controller}.example"
    mail["Subject"] = subject
    mail["Message-ID"] = f"<past-{plan.number}-{int(at.timestamp())}@{domain}>"
    if answers is not None:
        mail["In-Reply-To"] = _message_id(answers)
    mail.set_content(body)
    received = (
        f"Received: from mail.epost.example by {host_of(plan)} with ESMTPS;"
        f" {format_datetime(at)}\r\n"
    )
    return received.encode() + mail.as_bytes()


def bounce_of(plan: Plan, letter: OutgoingMail, *, at: datetime) -> bytes:
    text = _BOUNCE.format(
        host=host_of(plan),
        at=format_datetime(at),
        sender=f"personvern@{plan.controller}.example",
        to=letter.recipient,
        id=_message_id(letter),
        number=plan.number,
    )
    return text.replace("\n", "\r\n").encode()


def secret_in(mail: OutgoingMail, purpose: str) -> str:
    found = re.search(rf"/{purpose}/([\w-]+)", mail.text)
    assert found is not None
    return found[1]


def code_in(mail: OutgoingMail) -> str:
    found = re.search(r"^\s*(\d{4} ?\d{4})\s*$", mail.text, re.MULTILINE)
    assert found is not None
    return found[1]


def _message_id(letter: OutgoingMail) -> str:
    return f"<{key_hash(letter.key)}@{letter.sender.rpartition('@')[2].rstrip('>')}>"


_BOUNCE = """\
Received: from {host} by {host} with ESMTP; {at}
Return-Path: <>
From: MAILER-DAEMON@{host}
To: {sender}
Subject: Undelivered Mail Returned to Sender
Date: {at}
Message-ID: <bounce-{number}@{host}>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain; charset=utf-8

This mail could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; {host}

Final-Recipient: rfc822; {to}
Action: failed
Status: 5.1.1

--b
Content-Type: text/rfc822-headers

Message-ID: {id}
To: {to}

--b--
"""
