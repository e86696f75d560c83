"""The mailer against a real SMTP server on loopback."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from adapters.outbound.smtp import Security, SmtpMailer
from domain.vocabulary import LetterKind
from services.ports import Attachment, OutgoingMail, Refused, Unavailable
from tests.support.certificates import make_certificate

AT = dt.datetime(2026, 11, 2, 8, 30, tzinfo=dt.UTC)
PERSON = "tove.testesen@person.example"


class Postbox:
    """Takes mail, or answers what the test tells it to."""

    def __init__(self, answer: str = "250 2.0.0 taken", *, on: str = "DATA") -> None:
        self.answer, self.on = answer, on
        self.taken: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.encrypted: list[bool] = []
        self.users: list[str] = []

    async def handle_RCPT(  # noqa: N802 - the server calls it by this name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.on == "RCPT":
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.on != "DATA" or self.answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.raw.append(envelope.content)
            self.taken.append(message_from_bytes(envelope.content, EmailMessage, policy=default))
            self.encrypted.append(session.ssl is not None)
        return self.answer

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        good = data.login == b"trettio" and data.password == b"correct horse"
        if good:
            self.users.append(data.login.decode())
        return AuthResult(success=good, handled=False)


@contextmanager
def running(postbox: Postbox, **options: Any) -> Iterator[int]:
    controller = Controller(postbox, hostname="127.0.0.1", port=_free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def mailer(port: int, **options: Any) -> SmtpMailer:
    defaults: dict[str, Any] = {"security": Security.NONE, "timeout": 5, "name": "desk.example"}
    return SmtpMailer("127.0.0.1", port, clock=lambda: AT, **(defaults | options))


def letter(**changes: Any) -> OutgoingMail:
    values: dict[str, Any] = {
        "key": "case-7:acknowledgement",
        "sender": "Fjordlys kulturhus <post@fjordlys.example>",
        "recipient": PERSON,
        "subject": "Vi har mottatt forespørselen din (sak FJ-2026-0007)",
        "text": "Hei, på gjensyn.\n",
        "html": '<!doctype html><html lang="nb"><body><p>Hei, på gjensyn.</p></body></html>',
        "kind": LetterKind.ACKNOWLEDGEMENT,
    }
    return OutgoingMail(**(values | changes))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificate and key for 127.0.0.1 in one file, made for this run."""
    return make_certificate(tmp_path_factory.mktemp("tls") / "server.pem")


def _server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def _trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


def _content(part: Any) -> str:
    content: str = part.get_content()
    return content.replace("\r\n", "\n")


# What arrives


def test_a_letter_arrives_as_text_and_html_from_the_controller_to_the_person() -> None:
    postbox = Postbox()
    with running(postbox) as port:
        mailer(port).send(letter())

    (mail,) = postbox.taken
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert mail["Subject"] == "Vi har mottatt forespørselen din (sak FJ-2026-0007)"
    assert mail["From"] == "Fjordlys kulturhus <post@fjordlys.example>"
    assert mail["To"] == PERSON
    assert mail["Date"].datetime == AT
    bodies = [_content(part) for part in mail.iter_parts()]
    assert bodies[0] == "Hei, på gjensyn.\n"
    assert "<p>Hei, på gjensyn.</p>" in bodies[1]


def test_nothing_answers_a_letter_by_itself() -> None:
    """RFC 3834; and our own intake knows the loop header."""
    postbox = Postbox()
    with running(postbox) as port:
        mailer(port).send(letter(in_reply_to="<a.b@person.example>"))
        mailer(port).send(letter(kind=LetterKind.ANSWER, in_reply_to="<a.b@person.example>"))
        mailer(port).send(letter())

    assert [mail["Auto-Submitted"] for mail in postbox.taken] == [
        "auto-replied",
        "auto-generated",
        "auto-generated",
    ]
    assert {mail["X-Auto-Response-Suppress"] for mail in postbox.taken} == {"OOF, AutoReply"}
    assert [mail["X-Trettio"] for mail in postbox.taken] == [
        "acknowledgement",
        "answer",
        "acknowledgement",
    ]


def test_a_letter_joins_the_thread_of_the_mail_it_answers_however_long_its_id() -> None:
    answered = "<" + "long-id." * 40 + "x@person.example>"
    postbox = Postbox()
    with running(postbox) as port:
        mailer(port).send(letter(in_reply_to=answered))

    assert f"In-Reply-To: {answered}\r\n".encode() in postbox.raw[0]
    assert f"References: {answered}\r\n".encode() in postbox.raw[0]


def test_a_malformed_id_does_not_stop_the_letter() -> None:
    postbox = Postbox()
    with running(postbox) as port:
        mailer(port).send(letter(in_reply_to="<a@b.example>\r\nBcc: thief@evil.example"))

    assert postbox.taken[0]["In-Reply-To"] is None
    assert b"thief" not in postbox.raw[0]


def test_a_repeated_send_carries_the_same_message_id_which_shows_nothing_of_the_key() -> None:
    postbox = Postbox()
    with running(postbox) as port:
        mailer(port).send(letter())
        mailer(port).send(letter(subject="Something else"))
        mailer(port).send(letter(key="case-7:answer"))

    first, again, other = (str(mail["Message-ID"]) for mail in postbox.taken)
    assert first == again != other
    assert first.endswith("@fjordlys.example>")
    assert "case-7" not in first


def test_what_was_taken_once_is_not_sent_again_by_the_same_process() -> None:
    """Nobody gets a letter over and over while the database cannot record that it left."""
    postbox = Postbox()
    with running(postbox) as port:
        ours = mailer(port)
        ours.send(letter())
        ours.send(letter())

    assert len(postbox.taken) == 1


def test_a_letter_that_was_not_taken_is_sent_again() -> None:
    postbox = Postbox("451 try again", on="DATA")
    with running(postbox) as port:
        ours = mailer(port)
        with pytest.raises(Unavailable):
            ours.send(letter())
        postbox.answer = "250 2.0.0 taken"
        ours.send(letter())

    assert len(postbox.taken) == 1


def test_an_attachment_keeps_its_name_and_bytes() -> None:
    postbox = Postbox()
    added = Attachment("svar æ.zip", "application/zip", b"PK\x00\xff")
    with running(postbox) as port:
        mailer(port).send(letter(attachments=(added,)))

    (found,) = postbox.taken[0].iter_attachments()
    assert isinstance(found, EmailMessage)
    assert found.get_filename() == "svar æ.zip"
    assert found.get_content() == b"PK\x00\xff"


# What can be slipped in


@pytest.mark.parametrize(
    "field",
    ["recipient", "sender"],
)
@pytest.mark.parametrize(
    "address",
    [
        "a@person.example\r\nBcc: thief@evil.example",
        "a@person.example\nBcc: thief@evil.example",
        "a@person.example, thief@evil.example",
        "a@person.example thief@evil.example",
        "<a@person.example>,<thief@evil.example>",
        "group: thief@evil.example;",
        "a@person.example\u2028Bcc: thief@evil.example",
        "no-address",
        "@person.example",
        "a@",
        "a@b@person.example",
        "a@..example",
        "a@" + "x" * 70 + ".example",
        "",
    ],
)
def test_an_address_that_is_none_or_several_is_refused_without_being_repeated(
    field: str, address: str
) -> None:
    postbox = Postbox()
    with running(postbox) as port, pytest.raises(Refused) as refused:
        mailer(port).send(letter(**{field: address}))

    assert "example" not in str(refused.value)
    assert postbox.taken == []


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r", "\u2028", "\x0b", "\x00", "\x85"])
def test_a_subject_cannot_start_a_header_of_its_own(line_end: str) -> None:
    postbox = Postbox()
    with running(postbox) as port:
        mailer(port).send(letter(subject=f"Svar{line_end}Bcc: thief@evil.example"))

    assert postbox.taken[0]["Bcc"] is None
    assert postbox.taken[0]["Subject"] == "Svar Bcc: thief@evil.example"


def test_a_line_with_one_dot_ends_nothing() -> None:
    postbox = Postbox()
    with running(postbox) as port:
        mailer(port).send(letter(text="one\n.\nQUIT\n..two\n"))

    assert _content(next(postbox.taken[0].iter_parts())) == "one\n.\nQUIT\n..two\n"


# What the server says


@pytest.mark.parametrize("on", ["RCPT", "DATA"])
@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        (f"450 4.2.1 <{PERSON}> mailbox busy", Unavailable, "smtp 450 4.2.1"),
        ("451 try again", Unavailable, "smtp 451"),
        (f"550 5.1.1 <{PERSON}> unknown", Refused, "smtp 550 5.1.1"),
        (f"554 rejected {PERSON}", Refused, "smtp 554"),
    ],
)
def test_four_is_later_and_five_is_no_and_neither_repeats_the_address(
    on: str, answer: str, error: type[Exception], reason: str
) -> None:
    with running(Postbox(answer, on=on)) as port, pytest.raises(error) as raised:
        mailer(port).send(letter())

    assert str(raised.value) == reason
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_nobody_listening_is_later() -> None:
    with pytest.raises(Unavailable, match=r"smtp connection failed \(ConnectionRefusedError\)"):
        mailer(_free_port()).send(letter())


def test_a_dropped_connection_is_later() -> None:
    with _dropping() as port, pytest.raises(Unavailable, match="smtp connection failed"):
        mailer(port).send(letter())


def test_a_silent_server_is_later_after_the_timeout() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(Unavailable, match="smtp connection failed"):
            mailer(silent.getsockname()[1], timeout=0.2).send(letter())


def test_a_bad_farewell_does_not_undo_the_delivery() -> None:
    with _dropping(after=b"QUIT") as port:
        mailer(port).send(letter())


@contextmanager
def _dropping(after: bytes = b"DATA") -> Iterator[int]:
    """A server that hangs up when it hears one command."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, connection.makefile("rwb", buffering=0) as talk:
                talk.write(b"220 hello\r\n")
                while (line := talk.readline()) and not line.upper().startswith(after):
                    talk.write(b"354 go\r\n" if line.upper().startswith(b"DATA") else b"250 ok\r\n")
                    if line.upper().startswith(b"DATA"):
                        while talk.readline() != b".\r\n":
                            pass
                        talk.write(b"250 taken\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(5)


# Protection


def test_starttls_protects_the_letter_and_the_password(certificate: Path) -> None:
    postbox = Postbox()
    with running(
        postbox,
        tls_context=_server_side(certificate),
        require_starttls=True,
        authenticator=postbox.authenticate,
        auth_required=True,
    ) as port:
        mailer(
            port,
            security=Security.STARTTLS,
            tls=_trusting(certificate),
            username="trettio",
            password="correct horse",
        ).send(letter())

    assert postbox.encrypted == [True]
    assert postbox.users == ["trettio"]


def test_tls_from_the_first_byte(certificate: Path) -> None:
    postbox = Postbox()
    with running(postbox, ssl_context=_server_side(certificate)) as port:
        mailer(port, security=Security.TLS, tls=_trusting(certificate)).send(letter())

    assert len(postbox.taken) == 1


def test_a_wrong_password_is_refused(certificate: Path) -> None:
    postbox = Postbox()
    with (
        running(
            postbox,
            tls_context=_server_side(certificate),
            authenticator=postbox.authenticate,
        ) as port,
        pytest.raises(Refused, match=r"smtp 535 5\.7\.8"),
    ):
        mailer(
            port,
            security=Security.STARTTLS,
            tls=_trusting(certificate),
            username="trettio",
            password="wrong",
        ).send(letter())


def test_a_server_without_starttls_gets_no_letter() -> None:
    postbox = Postbox()
    with running(postbox) as port, pytest.raises(Refused, match="lacks what the settings ask"):
        mailer(port, security=Security.STARTTLS).send(letter())

    assert postbox.taken == []


def test_an_untrusted_certificate_gets_no_letter(certificate: Path) -> None:
    postbox = Postbox()
    with (
        running(postbox, tls_context=_server_side(certificate)) as port,
        pytest.raises(Unavailable, match="SSLCertVerificationError"),
    ):
        mailer(port, security=Security.STARTTLS).send(letter())

    assert postbox.taken == []


def test_a_password_never_travels_in_clear() -> None:
    with pytest.raises(ValueError, match="choose starttls or tls"):
        mailer(25, username="trettio", password="correct horse")


# Letters beyond ASCII


def test_an_address_beyond_ascii_goes_to_a_server_that_can() -> None:
    postbox = Postbox()
    with running(postbox, enable_SMTPUTF8=True) as port:
        mailer(port).send(letter(recipient="åse@blåbær.example"))

    assert "åse@".encode() in postbox.raw[0]
    assert postbox.taken[0]["To"] == "åse@xn--blbr-roah.example"


def test_an_address_beyond_ascii_is_refused_where_the_server_cannot() -> None:
    with running(Postbox(), enable_SMTPUTF8=False) as port, pytest.raises(Refused) as refused:
        mailer(port).send(letter(recipient="åse@person.example"))

    assert str(refused.value) == "smtputf8 is not offered and the address needs it"
