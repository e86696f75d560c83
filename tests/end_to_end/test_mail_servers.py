"""Mail in and out through real servers: Postfix, Dovecot, and an OAuth provider for the tokens."""

from __future__ import annotations

import imaplib
import smtplib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from adapters.bootstrap import Installation
from adapters.inbound.mailroom.imap import RECEIVED, REFUSED, Account, Mailbox
from adapters.inbound.mailroom.letterbox import Letterbox
from adapters.inbound.mailroom.lmtp import listening
from adapters.outbound.mail_tokens import MailTokens
from adapters.outbound.smtp import Security, SmtpMailer
from domain.case import CaseStatus
from domain.vocabulary import IdentifierKind, Language, LetterKind, ReceiptSource, Right
from services.ports import Identifier, OutgoingMail, Refused, Unavailable
from tests.support.components import free_port
from tests.support.house import KARI, NORWAY, SWEDEN, House, open_house
from tests.support.incoming import PRIVACY, SWEDISH_PRIVACY, cases, mail
from tests.support.mail_servers import (
    MAIL_HOST,
    PASSWORD,
    Dovecot,
    Postfix,
    dovecot,
    postfix,
)
from tests.support.oidc import open_id_provider
from tests.support.stories import Postbox

DOMAINS = ("fjordscenen.example", "stundbiljett.example")


GONE = "gone@person.example"


class World(Postbox):
    """Everybody else's mail server; one address there is no more."""

    async def handle_RCPT(  # noqa: N802 (the server calls it by this name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address == GONE:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 known"


@dataclass
class Post:
    """The servers, and a house that takes mail in by LMTP."""

    house: House
    letterbox: Letterbox
    lmtp: str
    postfix: Postfix
    dovecot: Dovecot
    out: Postbox
    token_url: str

    def tokens(self, *, secret: str = "s3cret") -> MailTokens:
        return MailTokens(self.token_url, client_id=PRIVACY, client_secret=secret)

    def mailer(self, tokens: MailTokens) -> SmtpMailer:
        return SmtpMailer(
            "127.0.0.1",
            self.postfix.port,
            clock=lambda: datetime.now(UTC),
            username=PRIVACY,
            tokens=tokens,
            tls=self.postfix.tls,
        )

    def mailbox(self, *, password: str | None = PASSWORD, **tokens: str) -> Mailbox:
        account = Account(
            "127.0.0.1", self.dovecot.port, PRIVACY, password, Security.TLS, self.dovecot.tls
        )
        return Mailbox(self.letterbox, account, None if password else self.tokens(**tokens))


@pytest.fixture(scope="module")
def post(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    with ExitStack() as stack:
        house = stack.enter_context(open_house(module_database_url, tmp_path_factory.mktemp("h")))
        settings = house.installation.settings.model_copy(
            update={"trusted_mail_hosts": (MAIL_HOST,)}
        )
        letterbox = Letterbox(replace(house.installation, settings=settings))
        provider = stack.enter_context(open_id_provider())
        asks = provider.issuer.replace("://", "://mail-server:s3cret@")
        server = stack.enter_context(dovecot(introspection_url=f"{asks}/token/introspection"))
        out, port = World(), free_port()
        relay = stack.enter_context(
            postfix(
                lmtp_port=port,
                domains=DOMAINS,
                out_port=stack.enter_context(out.open()),
                auth=server,
            )
        )
        token_url = f"{provider.issuer}/token"
        yield Post(house, letterbox, f"127.0.0.1:{port}", relay, server, out, token_url)


def until(holds: Callable[[], bool], *, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def letter(recipient: str, **changes: object) -> OutgoingMail:
    made = OutgoingMail(
        key="letter-1",
        sender=f"Fjordscenen <{PRIVACY}>",
        recipient=recipient,
        subject="Vi har mottatt forespørselen din",
        text="Hei.\n",
        html="<!doctype html><p>Hei.</p>",
        kind=LetterKind.ACKNOWLEDGEMENT,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_postfix_keeps_a_message_until_it_is_in_the_database(post: Post) -> None:
    before = len(cases(post.house))
    with smtplib.SMTP("127.0.0.1", post.postfix.port) as client:
        client.sendmail(KARI, [PRIVACY], mail(message_id="<postfix@person.example>"))
    until(lambda: "status=deferred" in post.postfix.said())
    assert post.postfix.waiting() == 1, "nobody listens yet"

    with listening(post.letterbox, post.lmtp):
        post.postfix.hurry()
        until(lambda: len(cases(post.house)) == before + 1)

    case = cases(post.house)[-1]
    assert (case.controller, case.receipt_source) == (NORWAY, ReceiptSource.RECEIVED_HEADER)
    assert abs(datetime.now(UTC) - case.received_at).total_seconds() < 60, "Postfix said when"


def test_an_imap_mailbox_is_emptied_into_its_folders(post: Post) -> None:
    before = len(cases(post.house))
    post.dovecot.deliver(PRIVACY, mail(message_id="<imap@person.example>", to="list@else.example"))
    post.dovecot.deliver(PRIVACY, b"\r\n\r\n")

    assert post.mailbox().look() == 2
    assert post.mailbox().look() == 0

    assert len(cases(post.house)) == before + 1
    assert len(post.dovecot.mails(PRIVACY, RECEIVED)) == 1
    assert len(post.dovecot.mails(PRIVACY, REFUSED)) == 1
    assert post.dovecot.mails(PRIVACY) == []


def test_what_was_taken_and_not_moved_is_one_case(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(cases(post.house))
    post.dovecot.deliver(PRIVACY, mail(message_id="<cut-off@person.example>"))

    def cut_off(*_: object) -> None:
        raise imaplib.IMAP4.abort("connection lost")

    mailbox = post.mailbox()
    monkeypatch.setattr(mailbox, "_move", cut_off)
    with pytest.raises(Unavailable, match="imap connection failed"):
        mailbox.look()
    monkeypatch.undo()

    assert mailbox.look() == 1
    assert len(cases(post.house)) == before + 1


def test_a_mailbox_opens_to_a_token_of_the_directory(post: Post) -> None:
    post.dovecot.deliver(PRIVACY, mail(message_id="<token@person.example>"))
    assert post.mailbox(password=None).look() == 1

    with pytest.raises(Unavailable, match="invalid_client"):
        post.mailbox(password=None, secret="wrong").look()
    with pytest.raises(Unavailable, match="login was refused"):
        post.mailbox(password="wrong").look()


def test_a_letter_leaves_with_a_token_and_a_stale_one_is_renewed(post: Post) -> None:
    tokens = post.tokens()
    post.mailer(tokens).send(letter(KARI))
    until(lambda: bool(post.out.to(KARI)))
    assert post.out.to(KARI)[-1].headers["Auto-Submitted"] == "auto-generated"
    assert tokens.token() == tokens.token(), "one token for many letters"

    tokens._token = "revoked-meanwhile"
    with pytest.raises(Unavailable, match="did not take the access token"):
        post.mailer(tokens).send(letter(KARI, key="letter-2"))
    post.mailer(tokens).send(letter(KARI, key="letter-2"))
    until(lambda: len(post.out.to(KARI)) == 2)


def confirm(installation: Installation, case_id: UUID, address: str) -> None:
    installation.intake.confirm(
        case_id,
        rights=(Right.ACCESS,),
        language=Language.NB,
        identifiers=(Identifier(IdentifierKind.EMAIL, address),),
        by="nobody-reads",
    )


def test_a_letter_that_cannot_be_delivered_is_known_in_its_case(post: Post) -> None:
    """Postfix says so in a report of its own making, which comes in like any other mail."""
    installation = replace(post.house.installation, mailer=post.mailer(post.tokens()))
    known = len(cases(post.house))
    with listening(post.letterbox, post.lmtp):
        with smtplib.SMTP("127.0.0.1", post.postfix.port) as client:
            asks = mail(sender=GONE, message_id="<gone@person.example>")
            client.sendmail(GONE, [PRIVACY], asks)
        until(lambda: len(cases(post.house)) == known + 1)
        case = cases(post.house)[-1]
        confirm(installation, case.id, GONE)
        installation.worker("gone").drain()
        until(lambda: bool(post.house.case(case.id).failed))

    assert len(cases(post.house)) == known + 1, "the report opened no case of its own"
    assert "dsn=5.1.1, status=bounced" in post.postfix.said()


@dataclass
class Autoresponder:
    """Somebody else's machine: it answers each letter with a mail that looks like a new request."""

    post: Post
    polite: bool
    answered: int = 0

    def answer(self) -> None:
        letters = self.post.out.to(KARI)
        for letter in letters[self.answered :]:
            self.answered += 1
            headers = (
                f"In-Reply-To: {letter.headers['Message-ID']}\r\nAuto-Submitted: auto-replied\r\n"
                if self.polite
                else ""
            )
            number = f"<answer-{self.polite}-{self.answered}@person.example>"
            with smtplib.SMTP("127.0.0.1", self.post.postfix.port) as client:
                client.sendmail(KARI, [PRIVACY], mail(message_id=number, headers=headers))


@pytest.mark.parametrize(("polite", "letters"), [(True, 1), (False, 3)])
def test_a_conversation_of_machines_ends(
    post: Post, monkeypatch: pytest.MonkeyPatch, polite: bool, letters: int
) -> None:
    """Even where whatever comes in is confirmed unread, and the other side hides that it is one."""
    post.out.letters.clear()
    installation = replace(post.house.installation, mailer=post.mailer(post.tokens()))
    monkeypatch.setattr("adapters.bootstrap.MOST_A_DAY", 3)
    installation.database.fetch("DELETE FROM trettio.automatic_mails RETURNING 1")
    worker, other = installation.worker("loop"), Autoresponder(post, polite)
    known = {case.id for case in cases(post.house)}
    with listening(post.letterbox, post.lmtp):
        with smtplib.SMTP("127.0.0.1", post.postfix.port) as client:
            client.sendmail(KARI, [PRIVACY], mail(message_id=f"<begins-{polite}@person.example>"))
        for _ in range(5):
            until(lambda: len(cases(post.house)) > len(known))
            for case in cases(post.house):
                if case.id not in known and case.status is CaseStatus.WAITING:
                    confirm(installation, case.id, KARI)
                known.add(case.id)
            before = other.answered
            worker.drain()
            until(lambda: post.postfix.waiting() == 0)
            other.answer()
            if other.answered == before:
                break
            until(lambda: post.postfix.waiting() == 0)

    assert other.answered == letters
    assert cases(post.house)[-1].status is (
        CaseStatus.SET_ASIDE if polite else CaseStatus.CONFIRMED
    )


def test_two_trettios_that_write_to_each_other_fall_silent(post: Post) -> None:
    """Each takes the other's letter in, sees that a machine wrote it, and says nothing."""
    before = len(cases(post.house))
    mailer = post.mailer(post.tokens())
    with listening(post.letterbox, post.lmtp):
        mailer.send(letter(SWEDISH_PRIVACY, key="ping"))
        mailer.send(letter(PRIVACY, key="pong", sender=SWEDISH_PRIVACY))
        until(lambda: len(cases(post.house)) == before + 2)
    post.house.work()

    taken = cases(post.house)[-2:]
    assert {case.controller for case in taken} == {NORWAY, SWEDEN}
    assert all(case.status is CaseStatus.SET_ASIDE and not case.letters for case in taken)
    with pytest.raises(Refused, match="our own"):
        post.house.installation.limited_mailer().send(letter(PRIVACY))
