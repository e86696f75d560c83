"""What arrives: once, dated by its arrival, in the case it belongs to, and never lost in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from adapters.inbound.mail import parse
from adapters.outbound.message import key_hash
from domain.case import CaseStatus
from domain.errors import NotAllowedNow
from domain.request import Status
from domain.vocabulary import Channel, IdentifierKind, Language, LetterKind, Right, TriageKind
from services import dossier
from services.intake import Note
from services.messages import Nature
from services.ports import Identifier
from tests.support.asking import (
    approved,
    asked,
    attached,
    collected,
    confirmed,
    mail,
    received,
)
from tests.support.house import KARI, NORWAY, SWEDEN, House


def message_id(house: House, case_id: UUID, kind: LetterKind) -> str:
    """The Message-ID under which a letter of this kind left."""
    letters = house.case(case_id).letters.values()
    letter = next(one for one in reversed(list(letters)) if one.kind is kind)
    return f"<{key_hash(str(letter.id))}@fjordscenen.example>"


def test_the_same_message_twice_is_one_case(house: House) -> None:
    assert received(house, "Jeg ber om innsyn") == received(house, "Jeg ber om innsyn")


def test_the_same_message_to_two_controllers_is_two_cases(house: House) -> None:
    assert received(house, "Hei", NORWAY) != received(house, "Hei", SWEDEN)


def test_a_clock_ahead_of_ours_makes_nothing_arrive_tomorrow(house: House) -> None:
    case_id = received(house, received_at=datetime.now(UTC) + timedelta(hours=3))

    case = house.case(case_id)
    assert case.received_at <= case.arrived_at


@pytest.mark.parametrize("nature", [n for n in Nature if n is not Nature.PERSONAL])
def test_what_machines_wrote_gets_no_answer(house: House, nature: Nature) -> None:
    """RFC 3834: two machines that answer each other never stop."""
    case_id = received(house, "Jeg ber om innsyn", nature=nature)
    house.worker.drain()

    case = house.case(case_id)
    assert (case.status, case.kind) == (CaseStatus.SET_ASIDE, TriageKind.AUTOMATIC)
    assert house.mails() == []


def test_confirming_dates_and_acknowledges_every_right(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS, Right.ERASURE)

    requests = house.installation.register.requests_of(house.case(case_id))
    assert [request.right for request in requests] == [Right.ACCESS, Right.ERASURE]
    assert all(request.acknowledged for request in requests)
    assert [m.kind for m in house.mails()] == [LetterKind.ACKNOWLEDGEMENT]


def test_two_people_cannot_confirm_one_message(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)

    with pytest.raises(NotAllowedNow, match="confirmed already"):
        house.installation.intake.confirm(
            case_id,
            rights=(Right.ERASURE,),
            language=Language.NB,
            identifiers=(Identifier(IdentifierKind.EMAIL, KARI),),
            by="kari",
        )


def test_a_request_taken_by_phone_has_the_moment_that_was_said(house: House) -> None:
    """GK-02: post and telephone are as good as mail; no form is imposed (Art. 12(2))."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    note = Note("Ringte og ba om innsyn", "Kari Testesen", "", yesterday, Channel.PHONE, "f1")

    case_id = house.installation.intake.write_down(NORWAY, note)

    assert house.case(case_id).received_at == yesterday
    assert house.installation.intake.write_down(NORWAY, note) == case_id


# What belongs to a case that is there


def test_a_reply_is_added_to_its_case(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    cited = message_id(house, case_id, LetterKind.ACKNOWLEDGEMENT)
    reply = mail("Takk for svar! Hilsen Kari", in_reply_to=cited)

    for _ in range(2):  # a mail server may hand it over twice
        got = house.installation.intake.receive(NORWAY, reply, channel=Channel.MAIL)
        assert got == case_id

    first, second = house.case(case_id).messages
    assert "Takk" in dossier.MESSAGE.validate_json(house.installation.vault.open(second)).text
    assert first != second


def test_a_reply_that_asks_for_something_new_is_not_lost_in_the_case(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    cited = message_id(house, case_id, LetterKind.ACKNOWLEDGEMENT)

    other = received(house, "Jeg krever at dere sletter alt om meg.", in_reply_to=cited)

    assert other != case_id
    assert house.case(other).status is CaseStatus.WAITING
    assert Right.ERASURE in house.case(other).rights


def test_a_reply_after_all_is_closed_or_with_files_is_a_message_of_its_own(house: House) -> None:
    closed = confirmed(house, Right.OBJECTION_TO_MARKETING)
    assert asked(house, closed, Right.OBJECTION_TO_MARKETING).status is Status.CLOSED
    open_one = confirmed(house, Right.ACCESS, text="Hei igjen")

    after = received(
        house, "Takk", in_reply_to=message_id(house, closed, LetterKind.ACKNOWLEDGEMENT)
    )
    with_file = received(
        house,
        "Takk igjen",
        in_reply_to=message_id(house, open_one, LetterKind.ACKNOWLEDGEMENT),
        attachments=(attached(b"x"),),
    )

    assert len({closed, open_one, after, with_file}) == 4


def test_a_reply_to_another_controllers_letter_stays_outside(house: House) -> None:
    """Nothing leaks from one controller to another, by whatever id somebody quotes."""
    case_id = confirmed(house, Right.ACCESS)
    cited = message_id(house, case_id, LetterKind.ACKNOWLEDGEMENT)

    other = received(house, "Tack", SWEDEN, in_reply_to=cited)

    assert house.case(other).controller == SWEDEN
    assert len(house.case(case_id).messages) == 1


@pytest.mark.parametrize("where", ["header", "text", "attachment"])
def test_a_bounced_answer_puts_the_request_back_to_work(house: House, where: str) -> None:
    """Design 3: fulfilled needs an answer that arrived; until then the clock runs."""
    house.systems.system(NORWAY, "mailing").hold(KARI, "member", "m1")
    case_id = approved(house, Right.ACCESS)
    cited = message_id(house, case_id, LetterKind.ANSWER)
    where_it_stands: dict[str, dict[str, Any]] = {
        "header": {"in_reply_to": cited},
        "text": {"text": f"Could not deliver\nMessage-ID: {cited}"},
        "attachment": {"attachments": (attached(f"Message-ID: {cited}\n".encode()),)},
    }
    bounce = mail(**{"text": "Undeliverable", **where_it_stands[where]}, nature=Nature.BOUNCE)

    for _ in range(2):
        got = house.installation.intake.receive(NORWAY, bounce, channel=Channel.MAIL)
        assert got == case_id

    request = asked(house, case_id, Right.ACCESS)
    assert (request.status, request.delivery_failed) == (Status.APPROVED, "bounced")
    assert "bounced" in house.case(case_id).failed.values()


def test_a_bounced_acknowledgement_is_shown_and_changes_no_request(house: House) -> None:
    case_id = confirmed(house, Right.ACCESS)
    cited = message_id(house, case_id, LetterKind.ACKNOWLEDGEMENT)

    received(house, "Undeliverable", nature=Nature.BOUNCE, in_reply_to=cited)

    assert list(house.case(case_id).failed.values()) == ["bounced"]
    assert asked(house, case_id, Right.ACCESS).status is Status.RECEIVED


# The same person twice


def test_another_request_of_the_same_person_is_found_and_linked(house: House) -> None:
    """GK-02: of duplicate arrivals the earliest counts; first somebody has to see them."""
    first = confirmed(house, Right.ACCESS)
    stranger = (Identifier(IdentifierKind.EMAIL, "ukjent@person.example"),)
    confirmed(house, Right.ACCESS, identifiers=stranger, text="Noen andre")

    second = confirmed(
        house,
        Right.ACCESS,
        identifiers=(Identifier(IdentifierKind.EMAIL, KARI.upper()),),
        text="Hei igjen",
    )

    assert house.installation.intake.related(second) == (first,)
    assert asked(house, second, Right.ACCESS).linked == (asked(house, first, Right.ACCESS).id,)
    assert asked(house, first, Right.ACCESS).linked == ()


def test_a_common_name_relates_nobody(house: House) -> None:
    name = (Identifier(IdentifierKind.NAME, "Kari Testesen"),)
    confirmed(house, Right.ACCESS, identifiers=name)
    second = confirmed(house, Right.ACCESS, identifiers=name, text="Hei igjen")

    assert house.installation.intake.related(second) == ()


def test_an_answered_request_is_not_linked(house: House) -> None:
    collected(house, Right.ACCESS)
    done = confirmed(house, Right.OBJECTION_TO_MARKETING, text="Ingen reklame")
    assert asked(house, done, Right.OBJECTION_TO_MARKETING).status is Status.CLOSED

    again = confirmed(house, Right.OBJECTION_TO_MARKETING, text="Ingen reklame!")

    assert asked(house, again, Right.OBJECTION_TO_MARKETING).linked == ()


def test_a_bounce_as_mail_servers_write_it_is_recognised(house: House) -> None:
    """RFC 3464: the letter's own headers come back as a part of the report."""
    case_id = approved(house, Right.ACCESS)
    cited = message_id(house, case_id, LetterKind.ANSWER)
    raw = f"""Return-Path: <>
Received: from mx.person.example by mx.post.example; Sat, 21 Nov 2026 10:00:00 +0100
From: MAILER-DAEMON@mx.person.example
To: personvern@fjordscenen.example
Subject: Undelivered Mail Returned to Sender
Message-ID: <b1@mx.person.example>
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

This is the mail system. Your message could not be delivered.
--b
Content-Type: message/delivery-status

Final-Recipient: rfc822; {KARI}
Action: failed
Status: 5.1.1
--b
Content-Type: text/rfc822-headers

From: personvern@fjordscenen.example
Message-ID: {cited}
Subject: Svar

--b--
""".replace("\n", "\r\n").encode()
    bounce = parse(raw, trusted_hosts=("mx.post.example",), now=datetime.now(UTC))

    got = house.installation.intake.receive(NORWAY, bounce, channel=Channel.MAIL)

    assert got == case_id
    assert asked(house, case_id, Right.ACCESS).delivery_failed == "bounced"
