"""What goes wrong on the way: systems that stumble, workers that die, mails that come twice."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from io import BytesIO
from zipfile import ZipFile

import httpx2
import psycopg
import pytest

from adapters.demo.doubles.mailchimp import MailchimpDouble, fingerprint_of
from adapters.settings import secret_variable
from domain.fulfilment import fulfilment_id
from domain.vocabulary import Right
from services.worker import pause
from tests.support.pretix import Pretix
from tests.support.stories import HOST, Letter, Story, raw_mail, request_id

ADDRESS = "tora.trobbel@post.example"
ACCESS = "Hei, jeg vil ha innsyn i alle opplysninger dere har om meg.\n\nHilsen Tora"
ERASE = "Hei, jeg vil at dere sletter alle opplysninger dere har om meg.\n\nHilsen Tora"
STOP = "Hei, jeg vil ikke ha reklame fra dere. Stopp all markedsføring til meg.\n\nTora"


# Systems that stumble


@pytest.mark.parametrize(
    ("status", "times", "reason"),
    [(500, 2, "answered 500"), (403, 1, "throttled")],
)
def test_a_system_that_stumbles_is_asked_again(
    story: Story, mailchimp: MailchimpDouble, status: int, times: int, reason: str
) -> None:
    """The person is answered in the end, and what held it up can be seen."""
    mailchimp.add_member("news", ADDRESS)
    mailchimp.fail_next(status, times)
    before = datetime.now(UTC)
    request = _confirmed(story, STOP, Right.OBJECTION_TO_MARKETING)

    for attempt in range(1, times + 1):
        mailing = story.systems(request)["mailing"]
        assert (mailing["status"], mailing["attempts"]) == ("unavailable", attempt)
        assert _subscribed(mailchimp), "nothing was done, and nothing is claimed"
        assert story.request(request)["answered_at"] is None
        assert _next_try_at(story) >= before + timedelta(seconds=pause(attempt))
        story.pass_time(minutes=1)
        before = datetime.now(UTC)
        story.work()

    assert not _subscribed(mailchimp)
    assert story.request(request)["status"] == "closed"
    happened = story.topics(fulfilment_id(story.aggregate(request).id))
    assert happened.count("fulfilment.unavailable") == times
    assert happened.count("fulfilment.answered") == 1
    assert reason in _log_of(story)


def test_a_refused_token_waits_for_a_person_and_holds_up_nobody_else(
    story: Story, mailchimp: MailchimpDouble
) -> None:
    mailchimp.add_member("news", ADDRESS)
    right, mailchimp.key = mailchimp.key, "somebody changed it"
    request = _confirmed(story, ACCESS, Right.ACCESS)
    story.prove(str(story.aggregate(request).case_id), ADDRESS)
    story.look_by_hand(request)

    systems = story.systems(request)
    assert (systems["mailing"]["status"], systems["mailing"]["waits_for"]) == (
        "waiting-for-person",
        "refused",
    )
    assert {name for name, system in systems.items() if system["status"] == "found"} == {
        "ticketing",
        "payment",
        "customer-service",
        "web",
        "archive",
    }
    story.post(f"/v1/requests/{request}/approve", {}, expect=409)

    mailchimp.key = right
    story.post(f"/v1/requests/{request}/systems/mailing/again", expect=202)
    story.work()

    assert story.systems(request)["mailing"]["status"] == "found"
    story.approve(request)
    assert ADDRESS in _index(story.fetch(ADDRESS))
    assert story.request(request)["status"] == "closed"


# Workers that die

_DOOMED = """\
import os, signal
from adapters.bootstrap import installation
from adapters.settings import load_settings
from services.{module} import {service}

def killed(*given, **named):
    os.kill(os.getpid(), signal.SIGKILL)

with installation(load_settings()) as running:
    {service}.{command} = killed
    running.worker("doomed").drain()
"""


def test_a_worker_killed_after_the_system_answered_has_no_double_effect(
    story: Story, mailchimp: MailchimpDouble, pretix: Pretix
) -> None:
    """kill -9 between the answer and the record: done once over there, recorded once here."""
    mailchimp.add_member("news", ADDRESS)
    request = _confirmed(story, ERASE, Right.ERASURE)
    story.prove(str(story.aggregate(request).case_id), ADDRESS)
    story.look_by_hand(request)
    story.post(f"/v1/requests/{request}/approve", {"considered": True})

    _die(story, mailchimp, pretix, "fulfilment", "Fulfilments", "record_erased")

    assert ("news", fingerprint_of(ADDRESS)) not in mailchimp.members
    assert story.systems(request)["mailing"]["status"] == "asked", "nobody knows yet"
    story.work()
    assert story.systems(request)["mailing"]["status"] == "asked", "the lease still runs"
    story.pass_time(minutes=6)
    story.work()

    happened = story.topics(fulfilment_id(story.aggregate(request).id))
    assert happened[-4:] == [
        "fulfilment.instructed",
        "fulfilment.answered",
        "fulfilment.read-back",
        "fulfilment.completed",
    ]
    assert story.request(request)["status"] == "closed"
    letters = [letter.kind for letter in story.postbox.to(ADDRESS)]
    assert letters == ["acknowledgement", "identity-code", "partial-refusal"]


def test_a_worker_killed_after_a_letter_left_repeats_it_recognisably(
    story: Story, mailchimp: MailchimpDouble, pretix: Pretix
) -> None:
    """Nobody can ask a mail server what it took; the second copy carries the first one's id."""
    mailchimp.add_member("news", ADDRESS)
    arrived = _arrives(story, STOP)
    story.post(
        f"/v1/cases/{arrived['case_id']}/confirm",
        {"rights": arrived["rights"], "language": arrived["language"]},
    )

    _die(story, mailchimp, pretix, "answering", "Answering", "letter_left")
    story.pass_time(minutes=6)
    story.work()

    sent = [one for one in story.postbox.to(ADDRESS) if one.kind == "acknowledgement"]
    assert len(sent) == 2
    assert len({one.headers["Message-ID"] for one in sent}) == 1
    assert story.topics(arrived["case_id"]).count("case.letter-left") == 2, "one per letter"
    request = story.case(arrived["case_id"]).request_id(Right.OBJECTION_TO_MARKETING)
    assert story.request(str(request))["status"] == "closed"


# Mails that come twice


def test_the_same_mail_twice_is_one_case(story: Story) -> None:
    raw = raw_mail(ACCESS, sender=ADDRESS, arrived=story.moment())
    first = story.arrives(raw, "fjordscenen")
    story.confirm(first)

    assert story.arrives(raw, "fjordscenen")["case_id"] == first["case_id"]
    assert story.topics(first["case_id"]).count("case.arrived") == 1
    assert len(story.postbox.to(ADDRESS)) == 1


def test_a_reply_goes_into_its_case_and_a_new_wish_opens_one(story: Story) -> None:
    first = story.confirm(_arrives(story, ACCESS))
    ours = story.postbox.last(ADDRESS, "acknowledgement").headers["Message-ID"]
    thanks = raw_mail(
        "Takk, jeg venter.\n\nTora", sender=ADDRESS, arrived=story.moment(), answers=ours
    )
    also = raw_mail(ERASE, sender=ADDRESS, arrived=story.moment(), answers=ours)

    assert story.arrives(thanks, "fjordscenen")["case_id"] == first["case_id"]
    another = story.arrives(also, "fjordscenen")

    assert story.topics(first["case_id"]).count("case.message-added") == 1
    assert another["case_id"] != first["case_id"]
    assert another["rights"] == ["erasure"]
    story.work()
    assert len(story.postbox.to(ADDRESS)) == 1, "nobody answers a thank-you"


def test_a_bounced_answer_is_no_answer(story: Story, mailchimp: MailchimpDouble) -> None:
    """The person has nothing, so the case is open again until it was sent once more."""
    mailchimp.add_member("news", ADDRESS)
    request = _confirmed(story, STOP, Right.OBJECTION_TO_MARKETING)
    assert story.request(request)["status"] == "closed"
    answer = story.postbox.last(ADDRESS, "answer")
    case = str(story.aggregate(request).case_id)

    bounced = story.arrives(_bounce(answer, story.moment()), "fjordscenen")

    assert bounced["case_id"] == case
    assert story.request(request)["status"] != "closed"
    assert story.topics(request)[-2:] == ["request.reopened", "request.delivery-failed"]
    story.work()
    assert len(story.postbox.to(ADDRESS)) == 2, "no mail answers a bounce"

    desk = story.at_the_desk(case)
    desk.press("/answer-again")
    story.work()

    assert [one.kind for one in story.postbox.to(ADDRESS)][2:] == ["answer"]
    assert story.request(request)["status"] == "closed"


def _bounce(letter: Letter, arrived: datetime) -> bytes:
    """What a mail server writes when it could not deliver a letter (RFC 3464)."""
    notice = EmailMessage()
    notice["From"] = "MAILER-DAEMON@mail.avsender.example"
    notice["To"] = "personvern@fjordscenen.example"
    notice["Subject"] = "Undelivered Mail Returned to Sender"
    notice["Message-ID"] = "<bounce-1@mail.avsender.example>"
    notice["Auto-Submitted"] = "auto-replied"
    notice.set_content("I could not deliver your message.")
    original = EmailMessage()
    for name in ("From", "To", "Subject", "Message-ID"):
        original[name] = letter.headers[name]
    original.set_content(letter.text)
    notice.add_attachment(original)
    notice.replace_header("Content-Type", 'multipart/report; report-type="delivery-status"')
    boundary = notice.get_boundary() or "=_bounce"
    notice.set_boundary(boundary)
    received = f"Received: from mail.avsender.example by {HOST}; {format_datetime(arrived)}\r\n"
    return b"Return-Path: <>\r\n" + received.encode() + notice.as_bytes(policy=SMTP)


# Codes


def test_five_tries_for_a_code_and_two_codes_before_a_person_must_verify(story: Story) -> None:
    case = _asked_for_code(story, ADDRESS)
    ask = {"reason": "unknown-sender"}
    for asked_again in (False, True):
        right = story.postbox.last(ADDRESS, "identity-code").code.replace(" ", "")
        wrong = f"{(int(right) + 1) % 10**8:08d}"
        tried = [_try(story, case, wrong).json()["result"] for _ in range(5)]
        assert tried == ["wrong"] * 4 + ["spent"]
        assert _try(story, case, right).json() == {"result": "spent"}
        if not asked_again:
            story.post(f"/v1/cases/{case}/identity/ask", ask, expect=202)
            story.work()

    story.post(f"/v1/cases/{case}/identity/ask", ask, expect=409)
    story.post(f"/v1/cases/{case}/identity/verified", {"method": "document-seen"})
    assert all(one["identified"] for one in story.get(f"/v1/cases/{case}")["requests"])


def test_a_code_ends_after_half_an_hour(story: Story) -> None:
    case = _asked_for_code(story, ADDRESS)
    letter = story.postbox.last(ADDRESS, "identity-code")
    story.pass_time(minutes=31)

    assert _try(story, case, letter.code).json() == {"result": "expired"}
    assert story.http.get(letter.link("prove")).status_code == 404


def test_nothing_tells_whether_a_person_is_known(story: Story, mailchimp: MailchimpDouble) -> None:
    """Art. 12(6): letters and pages are the same for who is in every list and who is in none."""
    known, unknown = "kjent.kunde@post.example", "ukjent.ingen@post.example"
    mailchimp.add_member("news", known)
    told = {}
    for address in (known, unknown):
        case = _asked_for_code(story, address)
        letters = story.postbox.to(address)
        link = letters[-1].link("prove")
        secret = link.rpartition("/")[2]
        origin = {"Origin": str(story.http.base_url).rstrip("/")}
        pages = [
            story.http.get(link),
            story.http.post(link, data={"code": "nonsense"}, headers=origin),
            story.http.post(link, data={"code": letters[-1].code}, headers=origin),
        ]
        followed = letters[0].link("follow").rpartition("/")[2]
        own = [secret, followed, letters[-1].code, story.case(case).reference]
        told[address] = [
            *(_without(f"{letter.subject}\n{letter.text}", own) for letter in letters),
            *(f"{page.status_code} {_without(page.text, own)}" for page in pages),
        ]

    assert told[known] == told[unknown]


# Steps


def _arrives(story: Story, text: str, address: str = ADDRESS) -> dict[str, str]:
    raw = raw_mail(text, sender=address, arrived=story.moment())
    arrived: dict[str, str] = story.arrives(raw, "fjordscenen")
    return arrived


def _confirmed(story: Story, text: str, right: Right) -> str:
    case = story.confirm(_arrives(story, text))
    return request_id(case, right)


def _next_try_at(story: Story) -> datetime:
    """When the only task that was tried in vain is due again."""
    (row,) = story.installation.database.fetch(
        "SELECT next_at FROM trettio.tasks WHERE attempts > 0 AND done_at IS NULL"
    )
    next_at: datetime = row["next_at"]
    return next_at


def _asked_for_code(story: Story, address: str) -> str:
    case = story.confirm(_arrives(story, ACCESS, address))
    story.post(
        f"/v1/cases/{case['case_id']}/identity/ask", {"reason": "unknown-sender"}, expect=202
    )
    story.work()
    return str(case["case_id"])


def _try(story: Story, case: str, code: str) -> httpx2.Response:
    return story.http.post(
        f"/v1/cases/{case}/identity/code",
        json={"code": code},
        headers={"Authorization": f"Bearer {story.desk}"},
    )


def _subscribed(mailchimp: MailchimpDouble) -> bool:
    return bool(mailchimp.members["news", fingerprint_of(ADDRESS)]["status"] == "subscribed")


def _log_of(story: Story) -> str:
    with psycopg.connect(story.database_url) as connection:
        rows = connection.execute("SELECT state FROM trettio.log").fetchall()
    return " ".join(bytes(state).decode(errors="replace") for (state,) in rows)


def _index(package: bytes) -> str:
    return ZipFile(BytesIO(package)).read("index.html").decode()


def _without(text: str, own: list[str]) -> str:
    for word in own:
        text = text.replace(word, "…")
    return re.sub(r"127\.0\.0\.1:\d+", "host", text)


def _die(
    story: Story,
    mailchimp: MailchimpDouble,
    pretix: Pretix,
    module: str,
    service: str,
    command: str,
) -> None:
    """Let a worker process of its own work until it is killed by its own hand."""
    settings = story.installation.settings
    environment = {
        **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
        "TRETTIO_HOME": str(settings.home),
        "TRETTIO_DATABASE_URL": story.database_url,
        "TRETTIO_SMTP_HOST": "127.0.0.1",
        "TRETTIO_SMTP_PORT": str(settings.smtp_port),
        "TRETTIO_SMTP_SECURITY": "none",
        "TRETTIO_UNDO_SECONDS": "0",
        "TRETTIO_TRUSTED_MAIL_HOSTS": HOST,
        secret_variable("fjordscenen", "mailing", "url"): mailchimp.url,
        secret_variable("fjordscenen", "mailing", "key"): mailchimp.key,
        **{
            secret_variable("fjordscenen", "ticketing", key): value
            for key, value in pretix.configuration.items()
        },
    }
    script = _DOOMED.format(module=module, service=service, command=command)
    process = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, timeout=60
    )
    assert process.returncode == -9, process.stderr.decode()
