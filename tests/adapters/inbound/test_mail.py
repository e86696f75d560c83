import hashlib
import json
import random
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.inbound.mail import MAX_MESSAGE_BYTES, UnreadableMessage, parse
from adapters.inbound.mail_nature import MAX_SUBJECT_CHARS
from adapters.inbound.mail_parts import MAX_ATTACHMENTS, MAX_TEXT_CHARS
from domain.errors import DomainError
from domain.vocabulary import Language, ReceiptSource
from services.messages import IncomingMessage, Nature
from services.triage import propose

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TRUSTED = ("mx.post.example",)
MESSAGES = Path(__file__).parents[2] / "messages"
EXPECTED = json.loads((MESSAGES / "expected.json").read_text(encoding="utf-8"))
SAMPLES = [(MESSAGES / name).read_bytes() for name in sorted(EXPECTED)]

FROM = b"From: Siv <siv@epost.example>\r\n"
BY_US = (
    b"Received: from a.example by mx.post.example with ESMTP; Mon, 2 Nov 2026 10:00:00 +0100\r\n"
)
AT_TEN = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def read(raw: bytes, trusted: Sequence[str] = TRUSTED) -> IncomingMessage:
    return parse(raw, trusted_hosts=trusted, now=NOW)


# Whole messages


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_whole_message_is_read_and_taken_for_what_it_is(name: str) -> None:
    message = read((MESSAGES / name).read_bytes())
    proposal = propose(
        message.own_words, message.subject, fallback=Language.NB, nature=message.nature
    )

    assert {
        "language": proposal.language.value,
        "kind": proposal.kind.value,
        "rights": [right.value for right in proposal.rights],
        "received_at": message.received_at.isoformat(),
        "nature": message.nature.value,
    } == EXPECTED[name]
    assert message.received_at_source is ReceiptSource.RECEIVED_HEADER
    assert not message.truncated


def test_a_plain_message_has_all_its_fields() -> None:
    raw = (
        FROM + b"To: Personvern <personvern@fjordscenen.example>, post@fjordscenen.example\r\n"
        b"Cc: siv@epost.example\r\nSubject: Innsyn\r\nMessage-ID: <a@epost.example>\r\n"
        b"In-Reply-To: <b@fjordscenen.example>\r\n\r\nHei\r\n"
    )

    message = read(raw)

    assert (message.sender_name, message.sender_address) == ("Siv", "siv@epost.example")
    assert message.to == (
        "personvern@fjordscenen.example",
        "post@fjordscenen.example",
        "siv@epost.example",
    )
    assert (message.subject, message.text) == ("Innsyn", "Hei")
    assert message.message_id == "<a@epost.example>"
    assert message.in_reply_to == "<b@fjordscenen.example>"
    assert message.raw_sha256 == hashlib.sha256(raw).hexdigest()
    assert message.nature is Nature.PERSONAL


# The moment of arrival (B.2.1)


@pytest.mark.parametrize(
    ("trace", "at", "source"),
    [
        pytest.param(BY_US, AT_TEN, ReceiptSource.RECEIVED_HEADER, id="ours on top"),
        pytest.param(
            BY_US + b"Received: by mx.post.example; Thu, 1 Oct 2026 10:00:00 +0200\r\n",
            AT_TEN,
            ReceiptSource.RECEIVED_HEADER,
            id="an older one in our name below",
        ),
        pytest.param(
            b"Received: from a.example by mx.other.example; Tue, 3 Nov 2026 10:00:00 +0100\r\n"
            + BY_US,
            None,
            ReceiptSource.SENDER_DATE,
            id="ours only below a stranger's",
        ),
        pytest.param(
            b"Received: from by mx.post.example by mx.other.example; "
            b"Mon, 2 Nov 2026 10:00:00 +0100\r\n",
            None,
            ReceiptSource.SENDER_DATE,
            id="a sender that calls itself by",
        ),
        pytest.param(
            b"Received: from by mx.post.example; Mon, 2 Nov 2026 10:00:00 +0100\r\n",
            None,
            ReceiptSource.SENDER_DATE,
            id="a sender that calls itself by, and no receiver",
        ),
        pytest.param(
            b"Received: from a.example x by mx.post.example by mx.other.example; "
            b"Mon, 2 Nov 2026 10:00:00 +0100\r\n",
            None,
            ReceiptSource.SENDER_DATE,
            id="two receivers",
        ),
        pytest.param(
            b"Received: from a.example (by mx.post.example (x)) by mx.other.example; "
            b"Mon, 2 Nov 2026 10:00:00 +0100\r\n",
            None,
            ReceiptSource.SENDER_DATE,
            id="our name in a comment",
        ),
        pytest.param(
            b"Received: from a.example by mx.post.example.evil.example; "
            b"Mon, 2 Nov 2026 10:00:00 +0100\r\n",
            None,
            ReceiptSource.SENDER_DATE,
            id="our name as the beginning of another",
        ),
        pytest.param(
            b"RECEIVED: from a.example\r\n\tby MX.Post.Example. (Postfix) id 4\r\n"
            b"\tfor <x@y.example>;\r\n\tMon,  2 Nov 2026 09:00:00 +0000 (UTC)\r\n",
            AT_TEN,
            ReceiptSource.RECEIVED_HEADER,
            id="folded, with comments, in capitals",
        ),
        pytest.param(
            b"Received: by mx.post.example; yesterday\r\n",
            None,
            ReceiptSource.SENDER_DATE,
            id="no date in it",
        ),
        pytest.param(b"", None, ReceiptSource.SENDER_DATE, id="none"),
    ],
)
def test_only_a_topmost_trusted_host_says_when_it_arrived(
    trace: bytes, at: datetime | None, source: ReceiptSource
) -> None:
    raw = trace + FROM + b"Date: Sun, 1 Nov 2026 08:00:00 +0100\r\n\r\nHei"

    message = read(raw)

    assert message.received_at_source is source
    assert message.received_at == (at or datetime(2026, 11, 1, 7, 0, tzinfo=UTC))


def test_a_domain_with_a_leading_dot_trusts_every_host_below_it() -> None:
    raw = BY_US + FROM + b"\r\nHei"

    assert read(raw, [".post.example"]).received_at_source is ReceiptSource.RECEIVED_HEADER
    assert read(raw, ["post.example"]).received_at_source is ReceiptSource.ARRIVAL
    assert read(raw, ["."]).received_at_source is ReceiptSource.ARRIVAL


@pytest.mark.parametrize(
    "date",
    [
        b"Mon, 23 Nov 2026 12:00:00 +0000",
        b"Sun, 22 Nov 2026 12:00:01 +0000",
        b"Thu, 1 Jan 1970 00:00:00 +0000",
        b"Mon, 1 Jan 0001 00:00:00 +1400",
        b"Fri, 31 Dec 9999 23:59:59 -1400",
        b"99 Foo 2026",
        b"",
        b"\xff\xfe",
    ],
)
def test_a_senders_impossible_date_is_the_moment_of_handing_over(date: bytes) -> None:
    message = read(FROM + b"Date: " + date + b"\r\n\r\nHei")

    assert message.received_at == NOW
    assert message.received_at_source is ReceiptSource.ARRIVAL


def test_a_trusted_clock_slightly_ahead_is_never_in_the_future() -> None:
    raw = b"Received: by mx.post.example; Sun, 22 Nov 2026 12:03:00 +0000\r\n" + FROM + b"\r\nHei"

    message = read(raw)

    assert message.received_at == NOW
    assert message.received_at_source is ReceiptSource.RECEIVED_HEADER


def test_the_moment_is_utc_whatever_zone_now_has() -> None:
    local = NOW.astimezone(datetime.now().astimezone().tzinfo)
    message = parse(FROM + b"\r\nHei", trusted_hosts=(), now=local)

    assert message.received_at.utcoffset() == timedelta(0)
    with pytest.raises(ValueError, match="aware"):
        parse(FROM + b"\r\nHei", trusted_hosts=(), now=NOW.replace(tzinfo=None))


# Nature (RFC 3834)


@pytest.mark.parametrize(
    ("headers", "nature"),
    [
        (b"", Nature.PERSONAL),
        (b"Auto-Submitted: no\r\n", Nature.PERSONAL),
        (b"Auto-Submitted: No (by hand); x=y\r\n", Nature.PERSONAL),
        (b"Auto-Submitted: auto-replied (vacation)\r\n", Nature.AUTOMATIC_REPLY),
        (b"Auto-Submitted: auto-generated\r\n", Nature.AUTOMATIC_REPLY),
        (b"X-Autoreply: yes\r\n", Nature.AUTOMATIC_REPLY),
        (b"Precedence: junk\r\n", Nature.AUTOMATIC_REPLY),
        (b"Precedence: bulk\r\n", Nature.LIST),
        (b"Precedence: list\r\n", Nature.LIST),
        (b"List-Id: <brev.example>\r\n", Nature.LIST),
        (b"List-Unsubscribe: <mailto:a@b.example>\r\n", Nature.LIST),
        (b"Subject: Automatisk svar: Innsyn\r\n", Nature.PERSONAL),
        (b"X-Auto-Response-Suppress: All\r\n", Nature.PERSONAL),
        (
            b"Subject: Automatisk svar: A\r\nX-Auto-Response-Suppress: All\r\n",
            Nature.AUTOMATIC_REPLY,
        ),
        (b"Subject: Automatiskt svar\r\nReturn-Path: <>\r\n", Nature.AUTOMATIC_REPLY),
        (
            b"Subject: =?utf-8?q?Fr=C3=A5v=C3=A6rsmelding?=\r\nReturn-Path: <>\r\n",
            Nature.AUTOMATIC_REPLY,
        ),
        (b"Subject: Out of office\r\nPrecedence: bulk\r\n", Nature.AUTOMATIC_REPLY),
        (b"Return-Path: <>\r\n", Nature.BOUNCE),
        (b"X-Failed-Recipients: a@b.example\r\n", Nature.BOUNCE),
        (b"Content-Type: multipart/report; boundary=b\r\n", Nature.BOUNCE),
        (
            b"Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n",
            Nature.AUTOMATIC_REPLY,
        ),
        (b"Auto-Submitted: auto-replied\r\nX-Trettio: acknowledgement\r\n", Nature.LOOP),
        (b"Auto-Submitted: auto-generated\r\nX-Trettio: other-controller\r\n", Nature.PERSONAL),
    ],
)
def test_the_nature_of_a_message(headers: bytes, nature: Nature) -> None:
    assert read(FROM + headers + b"\r\nHei").nature is nature


@pytest.mark.parametrize(
    ("sender", "subject", "nature"),
    [
        (b"MAILER-DAEMON@a.example", b"x", Nature.BOUNCE),
        (b"postmaster@a.example", b"Undeliverable: Svar", Nature.BOUNCE),
        (b"postmaster@a.example", b"Innsyn", Nature.PERSONAL),
    ],
)
def test_a_bounce_is_known_by_its_sender(sender: bytes, subject: bytes, nature: Nature) -> None:
    raw = b"From: " + sender + b"\r\nSubject: " + subject + b"\r\n\r\nHei"

    assert read(raw).nature is nature


def test_an_accepted_invitation_is_no_letter_but_one_with_a_letter_is() -> None:
    def reply(text: bytes) -> bytes:
        return (
            FROM
            + b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n"
            + text
            + b"\r\n--b\r\nContent-Type: text/calendar; method=REPLY\r\n\r\nBEGIN:VCALENDAR"
            + b"\r\n--b--"
        )

    assert read(reply(b"Godtatt")).nature is Nature.AUTOMATIC_REPLY
    assert read(reply(b"Slett kontoen min. " * 20)).nature is Nature.PERSONAL
    assert [one.name for one in read(reply(b"x")).attachments] == ["attachment-1.ics"]


# Characters


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (b"=?utf-8?q?Innsyn=0D=0ABcc:_x@y.example?=", "Innsyn Bcc: x@y.example"),
        (b"=?utf-8?b?SW5uc3luAGE=?=", "Innsyna"),
        (b"=?utf-8?b?4oCuZ3BqLmV4ZQ==?=", "gpj.exe"),
        (b"Innsyn\r\n i mine\r\n\tdata", "Innsyn i mine data"),
        (b"=?utf-8?q?Sletting_av_=C3?= =?utf-8?q?=A5ret?=", "Sletting av året"),
        (b"=?iso-8859-1?q?R=E4ttelse?= av =?utf-8?q?=C3=A5r?=", "Rättelse av år"),
        (b"R\xe4ttelse", "Rättelse"),
        ("Rättelse".encode(), "Rättelse"),
        ("Rättelse → =?utf-8?q?=C3=A5?=".encode(), "Rättelse → å"),
        (b"=?no-such-set?q?a=E5?=", "aå"),
        (b"=?utf-8?b?!!!?=", ""),
        (b"=?utf-8?q?unfinished", "=?utf-8?q?unfinished"),
    ],
)
def test_a_subject_is_one_harmless_line(subject: bytes, expected: str) -> None:
    assert read(FROM + b"Subject: " + subject + b"\r\n\r\nHei").subject == expected


@pytest.mark.parametrize(
    ("header", "name", "address"),
    [
        (b'"Siv, T." <siv@a.example>', "Siv, T.", "siv@a.example"),
        (b"siv@a.example", "", "siv@a.example"),
        (b"=?utf-8?q?=C3=85se?= <ase@a.example>", "Åse", "ase@a.example"),
        (b'"=?utf-8?q?=C3=85se?=" <ase@a.example>', "Åse", "ase@a.example"),
        (b"=?utf-8?q?a=40b.example=2C?= <siv@a.example>", "a@b.example,", "siv@a.example"),
        (b'"boss@b.example" <siv@a.example>', "boss@b.example", "siv@a.example"),
        (b"Siv <<siv@a.example>>", "", "siv@a.example"),
        ("Åse <åse@å.example>".encode(), "Åse", "åse@å.example"),
        (b"undisclosed", "undisclosed", ""),
        (b"", "", ""),
    ],
)
def test_a_sender_is_read_before_names_are_decoded(header: bytes, name: str, address: str) -> None:
    message = read(b"From: " + header + b"\r\nSubject: x\r\n\r\nHei")

    assert (message.sender_name, message.sender_address) == (name, address)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (b"text/plain; charset=utf-8", "Får jeg räkna på det?".encode()),
        (b"text/plain; charset=iso-8859-1", "Får jeg räkna på det?".encode("latin-1")),
        (b"text/plain; charset=iso-8859-1", "Får jeg räkna på det?".encode()),
        (b"text/plain; charset=us-ascii", "Får jeg räkna på det?".encode("latin-1")),
        (b"text/plain; charset=utf-8", "Får jeg räkna på det?".encode("cp1252")),
        (b"text/plain; charset=nonsense", "Får jeg räkna på det?".encode()),
        (b"text/plain; charset=rot13", "Får jeg räkna på det?".encode()),
        (b"text/plain; charset=utf-16", "Får jeg räkna på det?".encode("utf-16")),
        (b"text/plain", "Får jeg räkna på det?".encode("cp1252")),
        (b"text/plain; charset=\xff", "Får jeg räkna på det?".encode()),
        (b"", "Får jeg räkna på det?".encode()),
    ],
)
def test_wrong_character_sets_are_tolerated(content_type: bytes, body: bytes) -> None:
    raw = FROM + b"Content-Type: " + content_type + b"\r\n\r\n" + body

    assert read(raw).text == "Får jeg räkna på det?"


# Bodies


def test_html_is_text_and_never_markup() -> None:
    raw = FROM + (
        b"Content-Type: text/html; charset=utf-8\r\n\r\n<html><head><title>t</title>"
        b"<style>p{}</style><script>alert('<p>x')</script><template>x</template></head>"
        b"<body><!-- <p>no -->"
        b"<p>Slett&nbsp;meg &amp; alt &lt;b&gt;</p><a href='https://a.example/x'>her</a>"
        b"<a href='javascript:alert(1)'>ikke</a> <a href='mailto:a@b.example'>a@b.example</a>"
        b"<img src=x onerror=alert(1)><ul><li>en<li>to</ul>&#8238;&#0;&#99999999999;"
        b"<blockquote>innsyn</blockquote><p title='a>b'>slutt"
    )

    text = read(raw).text

    assert text.split("\n") == [
        "Slett meg & alt <b>",
        "",
        "her <https://a.example/x>ikke a@b.example",
        "",
        "- en",
        "- to",
        "",
        "\ufffd\ufffd",
        "> innsyn",
        "",
        "slutt",
    ]
    assert "innsyn" not in read(raw).own_words


def test_plain_text_is_preferred_and_taken_once() -> None:
    parts = (
        b"--b\r\nContent-Type: text/html\r\n\r\n<p>markup</p>\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n--b--\r\n"
    )
    raw = FROM + b"Content-Type: multipart/alternative; boundary=b\r\n\r\n" + parts

    assert read(raw).text == "plain"
    assert read(raw.replace(b"\r\n\r\nplain", b"\r\n\r\n ")).text == "markup"


def test_attachments_keep_their_bytes_and_lose_their_paths() -> None:
    def attached(disposition: bytes) -> bytes:
        return (
            b"--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
            b"Content-Disposition: attachment; " + disposition + b"\r\n\r\nJVBERi0=\r\n"
        )

    names = [
        b'filename="../../etc/passwd"',
        b'filename="C:\\\\temp\\\\id.pdf"',
        b"filename*=utf-8''f%C3%B8dsel%0D%0A.pdf",
        b'filename="=?utf-8?b?4oCuZmRwLmV4ZQ==?="',
        b'filename=".htaccess"',
        b'filename="' + b"x" * 500 + b'.pdf"',
        b"",
        b"filename*0*=;=\xff",
    ]
    raw = FROM + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHei\r\n"

    message = read(raw + b"".join(map(attached, names)) + b"--b--")

    assert message.text == "Hei"
    assert {one.content for one in message.attachments} == {b"%PDF-"}
    found = [one.name for one in message.attachments]
    assert found[:5] == ["passwd", "id.pdf", "fødsel .pdf", "fdp.exe", "htaccess"]
    assert found[5].endswith("x.pdf")
    assert len(found[5]) == 120
    assert found[6] == "attachment-7.pdf"


def test_a_forwarded_mail_stays_a_file() -> None:
    original = b"From: x@y.example\r\nSubject: Slett\r\n\r\nSlett meg"
    raw = (
        FROM + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSe vedlegg\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + original + b"\r\n--b--"
    )

    message = read(raw)

    assert message.text == "Se vedlegg"
    assert [(one.name, one.media_type) for one in message.attachments] == [
        ("attachment-1.eml", "message/rfc822")
    ]
    assert read(message.attachments[0].content).text == "Slett meg"


# Bad input


@pytest.mark.parametrize(
    ("raw", "advice"),
    [
        (b"", "fetch it again"),
        (b" \r\n\0\n", "fetch it again"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "save it as .eml"),
        (b"%PDF-1.7", "register it as a letter"),
        (b"PK\x03\x04", "unpack it"),
        (b"x" * (MAX_MESSAGE_BYTES + 1), "register the request by hand"),
    ],
    ids=["empty", "blank", "msg", "pdf", "zip", "huge"],
)
def test_what_is_no_mail_is_refused_with_advice(raw: bytes, advice: str) -> None:
    with pytest.raises(UnreadableMessage, match=advice) as refused:
        read(raw)

    assert isinstance(refused.value, DomainError)


def test_a_text_without_headers_is_a_message() -> None:
    message = read("Jeg vil ha innsyn.\nHilsen Siv".encode("latin-1"))

    assert message.text == "Jeg vil ha innsyn.\nHilsen Siv"
    assert (message.sender_name, message.sender_address, message.subject) == ("", "", "")
    assert message.received_at_source is ReceiptSource.ARRIVAL


def nested(depth: int) -> bytes:
    return FROM + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (one, one)
        for one in range(depth)
    )


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(nested(40) + b"\r\nSlett meg", id="forty levels"),
        pytest.param(nested(2000) + b"\r\nSlett meg", id="two thousand levels"),
        pytest.param(FROM + b"Content-Type: message/rfc822\r\n\r\n" * 2000, id="mails in mails"),
        pytest.param(nested(90) + b"\r\n" + b"a\r\n" * 1_000_000, id="many lines, deep"),
        pytest.param(nested(1) + b"\r\n--b0\r\n\r\nx" * 100_000, id="many parts"),
        pytest.param(FROM + b"X: y\r\n" * 200_000 + b"\r\nx" * 300_000, id="many headers"),
        pytest.param(
            FROM + b'Content-Type: a/b; c="' + b";" * 2_000_000 + b"\r\n\r\nx", id="parameters"
        ),
        pytest.param(b"From: " + b"(" * 2_000_000 + b"\r\n\r\nx", id="comments"),
        pytest.param(b"To: " + b"a@b.example," * 200_000 + b"\r\n\r\nx", id="recipients"),
        pytest.param(
            FROM + b"Content-Type: text/html\r\n\r\n" + b"<a " * 1_000_000, id="unclosed tags"
        ),
        pytest.param(
            FROM + b"Content-Type: text/html\r\n\r\n" + b"<td><div>" * 300_000, id="table cells"
        ),
        pytest.param(
            FROM + b"Content-Type: text/html\r\n\r\n&#" + b"9" * 900_000, id="a long number"
        ),
    ],
)
def test_what_is_too_deep_or_too_much_is_cut_and_marked(raw: bytes) -> None:
    assert read(raw).truncated


def test_too_deep_a_message_is_kept_as_a_file() -> None:
    raw = nested(40) + b"\r\nSlett meg"

    message = read(raw)

    assert "Slett meg" in message.text
    assert [one.content for one in message.attachments] == [raw]


def test_long_fields_are_cut() -> None:
    message = read(
        FROM + b"Subject: " + b"a" * 5_000 + b"\r\n\r\n" + "å".encode() * (MAX_TEXT_CHARS + 1)
    )

    assert len(message.subject) == MAX_SUBJECT_CHARS
    assert message.text == "å" * MAX_TEXT_CHARS
    assert message.truncated


def test_attachments_are_counted() -> None:
    file = b"--b\r\nContent-Type: image/png\r\n\r\nx\r\n"
    head = FROM + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"

    message = read(head + file * (MAX_ATTACHMENTS + 1) + b"--b--")

    assert len(message.attachments) == MAX_ATTACHMENTS
    assert message.truncated


# Anything at all


def assert_harmless(message: IncomingMessage) -> None:
    lines = [
        message.sender_name,
        message.sender_address,
        message.subject,
        message.message_id or "",
        message.in_reply_to or "",
        *message.to,
        *(one.name for one in message.attachments),
        *(one.media_type for one in message.attachments),
    ]
    for line in lines:
        assert not [c for c in line if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}], line
        assert not set(line) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert not [
        c for c in message.text if c not in "\n\t" and unicodedata.category(c) in {"Cc", "Cs"}
    ]
    message.text.encode()
    for one in message.attachments:
        assert one.name
        assert not set(one.name) & set("/\\")
    assert message.received_at <= NOW
    assert message.own_words is not None
    propose(message.own_words, message.subject, fallback=Language.NB, nature=message.nature)


HEADER = st.sampled_from(
    [
        b"From",
        b"To",
        b"Cc",
        b"Subject",
        b"Date",
        b"Received",
        b"Return-Path",
        b"Content-Type",
        b"Content-Disposition",
        b"Message-ID",
        b"Content-Transfer-Encoding",
        b"In-Reply-To",
        b"Auto-Submitted",
        b"Precedence",
        b"Reply-To",
    ]
)
SNIPPET = st.one_of(
    st.binary(max_size=20),
    st.sampled_from(
        [
            b"multipart/mixed; boundary=b",
            b"\r\n--b\r\n",
            b"\r\n--b--\r\n",
            b"text/html",
            b"base64",
            b"=?utf-8?q?=0D=0A=00?=",
            b"=?utf-8?b?4oCu?=",
            b"message/rfc822",
            b"filename*0*=''%0A",
            b"<a@b.example>",
            b'"',
            b"(",
            b"by mx.post.example; ",
            b"x-uuencode",
            b"charset=utf-7",
            b"attachment; filename=",
            b"\xe2\x80\xae",
            b"\xed\xa0\x80",
            b"&#x202e;",
            b"<script>",
            b"Mon, 2 Nov 2026 10:00:00 +0100",
            b"quoted-printable",
            b"=E2=80=AE=00",
            b"\r\n ",
        ]
    ),
)
CRAFTED = st.tuples(
    st.lists(st.tuples(HEADER, st.lists(SNIPPET, max_size=5).map(b"".join)), max_size=8),
    st.lists(SNIPPET, max_size=12).map(b"".join),
).map(lambda mail: b"".join(n + b": " + v + b"\r\n" for n, v in mail[0]) + b"\r\n" + mail[1])


@given(raw=st.binary(max_size=500) | CRAFTED)
@example(raw=b"Content-Type: multipart/mixed; boundary*0*=''\r\n\r\nx")
@example(raw=b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nQQ==")
@example(raw=b"Content-Type: text/plain; charset=a\0b\r\n\r\n\xe5")
def test_no_bytes_do_any_harm(raw: bytes) -> None:
    try:
        message = read(raw)
    except UnreadableMessage:
        return
    assert_harmless(message)


@given(data=st.data(), seed=st.integers(0, 2**32))
def test_a_damaged_mail_does_no_harm(data: st.DataObject, seed: int) -> None:
    chance = random.Random(seed)
    raw = bytearray(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(chance.randint(1, 30)):
        place = chance.randrange(len(raw))
        match chance.randrange(4):
            case 0:
                raw[place] = chance.randrange(256)
            case 1:
                del raw[place : place + chance.randint(1, 40)]
            case 2:
                raw[place:place] = raw[chance.randrange(len(raw)) :][: chance.randint(1, 80)]
            case _:
                raw[place:place] = bytes(chance.choices(range(256), k=3))
        if not raw:
            raw = bytearray(b"x")
    assert_harmless(read(bytes(raw).ljust(1, b"x")))
