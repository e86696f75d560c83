"""Personal data never enters the log, a read model, a log line or a URL (design: "the vault").

One person's data is marked, carried through everything, and then searched for everywhere.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import LiteralString
from uuid import UUID

import psycopg
import pytest
import structlog
from psycopg import sql

from adapters import logs
from adapters.contract.messages import INSTRUCTIONS, REQUESTS
from adapters.demo.doubles.mailchimp import MailchimpDouble
from adapters.outbound.kafka.topics import TOPICS
from adapters.publishing import Publishing
from domain.vocabulary import IdentifierKind, Right
from services.ports import Identifier
from tests.support.bus import SYSTEM, held, instruction, save, settings_of, with_topics
from tests.support.kafka import Broker
from tests.support.localstripe import LocalStripe
from tests.support.marks import Marks, forms_of
from tests.support.pretix import Pretix, plant
from tests.support.stories import Story, buy, pay_by_card, raw_mail, request_id

NAME, ADDRESS, PHONE = "Zyxqvara Kvæzmarksen", "Zyxqvara.Kvz@post.example", "+46701740633"
STREET, WISH, WORDS = "Zyxqgränd 77", "zyxqönske balkong", "zyxqtale til saksbehandler"
THREAD, BIRTH = "zyxqtråd 4711", "41817499148"
MARKS = Marks(
    (NAME, "zyxqvara kvaezmarksen", "Kvæzmarksen, Zyxqvara", "Zyxqvara", "Kvæzmarksen"),
    (ADDRESS, ADDRESS.lower(), "zyxqvara.kvz"),
    (PHONE, "46701740633", "0701740633", "070-174 06 33", "701740633"),
    (STREET,),
    (WISH,),
    (WORDS,),
    (THREAD,),
    (BIRTH, "418174 99148"),
)
OUTSIDE = "recipient:others-named-in-records"
TEXT = f"""\
Hei!

Jeg vil ha innsyn i alle opplysninger dere har om meg, og deretter vil jeg at dere sletter meg.
Ring meg på {PHONE}, jeg bor i {STREET} og har fødselsnummer {BIRTH}. {WISH}.

Hilsen {NAME}
"""


@pytest.fixture
def said() -> Iterator[StringIO]:
    """Everything that is logged, as the service writes it."""
    output, root = StringIO(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure("json", to=output)
    _forget_loggers()
    yield output
    structlog.reset_defaults()
    _forget_loggers()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_marked_data_is_found_in_the_vault_and_nowhere_else(
    said: StringIO,
    story: Story,
    pretix: Pretix,
    stripe: LocalStripe,
    mailchimp: MailchimpDouble,
    kafka: Broker,
) -> None:
    world = plant(pretix, "merket", starts=datetime.now(UTC) - timedelta(days=20))
    buy(
        pretix,
        world.event,
        ADDRESS,
        NAME,
        phone=PHONE,
        comment=WISH,
        invoice_address={
            "is_business": False,
            "company": "",
            "name_parts": {"_scheme": "full", "full_name": NAME},
            "street": STREET,
            "zipcode": "0000",
            "city": "Merkeby",
            "country": "NO",
            "vat_id": "",
            "internal_reference": "",
        },
    )
    buy(pretix, world.event, "zyxqvara@other.example", NAME)
    pay_by_card(stripe, ADDRESS, NAME)
    mailchimp.add_member("news", ADDRESS, merge_fields={"FNAME": NAME, "PHONE": PHONE})
    story.pass_time(days=3)

    raw = raw_mail(
        TEXT,
        sender=ADDRESS,
        name=NAME,
        subject=f"Innsyn for {NAME}",
        arrived=story.moment(),
        attachment=NAME.encode(),
    )
    arrived = story.arrives(raw, "fjordscenen")
    identifiers = [
        {"kind": "email", "value": ADDRESS},
        {"kind": "name", "value": NAME},
        {"kind": "phone", "value": PHONE},
        {"kind": "national-number", "value": BIRTH},
    ]
    wrong = {"rights": [NAME], "language": ADDRESS, "identifiers": identifiers}
    story.post(f"/v1/cases/{arrived['case_id']}/confirm", wrong, expect=422)
    case = story.confirm(arrived, identifiers=identifiers)
    case_id = case["case_id"]
    access, erasure = request_id(case, Right.ACCESS), request_id(case, Right.ERASURE)

    # Systems that quote the person when they refuse, and people who type what they should not.
    story.post(f"/v1/cases/{case_id}/identity/ask", {"reason": f"wrote {ADDRESS}"}, expect=422)
    quoting = json.dumps({"title": NAME, "detail": f"{ADDRESS} is wrong"}).encode()
    mailchimp.fail_next(400, body=quoting, media_type="application/problem+json")
    story.prove(case_id, ADDRESS)
    story.post(f"/v1/cases/{case_id}/identity/code", {"code": ADDRESS[:40]})
    story.post(f"/v1/requests/{access}/systems/mailing/again", expect=202)
    conversation = {
        "kind": "communication",
        "key": THREAD,
        "fields": {"text": f"{NAME} skrev om {WISH}"},
    }
    story.look_by_hand(access, customer_service=[conversation])
    story.judge(access, lambda record: True)
    story.approve(access, words=WORDS)
    copy = story.fetch(ADDRESS)
    story.look_by_hand(erasure, customer_service=[conversation])
    story.judge(erasure, lambda record: True)
    story.approve(erasure, considered=True, words=WORDS)
    story.post(f"/v1/requests/{erasure}/systems/{OUTSIDE}/answer", {"outcome": "informed"})
    story.work()
    desk = story.at_the_desk(case_id)
    assert NAME in desk.page
    assert story.request(erasure)["status"] == "closed"
    assert len(copy) > 1_000

    told = published(story, kafka, UUID(erasure))

    seen = [*story.asked, desk.open("/desk")]
    seen += [json.dumps(story.get(f"/v1/cases/{case_id}")), json.dumps(story.request(access))]
    seen += [json.dumps(story.systems(access)), json.dumps(story.systems(erasure))]
    lines = said.getvalue().splitlines()
    assert {"system_answered", "mail_sent", "task_done"} <= {json.loads(x)["event"] for x in lines}
    assert len(story.asked) > 30
    assert MARKS.in_all(lines) == []
    assert MARKS.in_all(seen) == []
    assert MARKS.in_all(told) == []
    assert MARKS.in_database(story.database_url) == {}
    home = story.installation.settings.home
    files = [path for path in home.rglob("*") if path.is_file()]
    assert MARKS.in_all(path.read_bytes().decode("latin-1") for path in files) == []


def published(story: Story, kafka: Broker, request: UUID) -> list[str]:
    """Everything that lies in any topic once all of it was published, and a system told of them."""
    opened = story.installation
    by = [(IdentifierKind.EMAIL, ADDRESS), (IdentifierKind.PHONE, PHONE)]
    identifiers = [Identifier(kind, value, verified=True) for kind, value in by]
    tokens = opened.system_keys.of("fjordscenen", SYSTEM, identifiers)
    save(opened.register, instruction(request), tokens=tokens)
    settings = settings_of(kafka, story.database_url)
    with_topics(kafka, settings)
    follower, publisher = Publishing(settings, opened.database).follower()
    follower.drain()
    publisher.close()
    messages = {topic: held(kafka, topic) for topic in TOPICS}
    (one,) = messages[INSTRUCTIONS]
    assert len(one.data["tokens"]) == len(tokens) == 2
    assert {m.data["fact"] for m in messages[REQUESTS]} >= {"received", "planned", "closed"}
    return [f"{m.key} {m.headers} {json.dumps(m.said)}" for all_ in messages.values() for m in all_]


def test_the_search_finds_every_form_that_is_planted(database_url: str) -> None:
    """A search that cannot fail proves nothing: each form stands in a column of its own."""
    assert MARKS.in_database(database_url) == {}
    forms = [one for mark in (NAME, ADDRESS, PHONE, WISH) for one in forms_of(mark).items()]
    for name, form in forms:
        assert name in MARKS.within(f"before {form} after"), name
    planted = {
        f"column_{number}": (name, *_somewhere(name, form))
        for number, (name, form) in enumerate(forms)
    }
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind))
        for column, (_, kind, _) in planted.items()
    )
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE TABLE views.planted ({})").format(columns))
        places = sql.SQL(", ").join([sql.Placeholder()] * len(planted))
        connection.execute(
            sql.SQL("INSERT INTO views.planted VALUES ({})").format(places),
            [value for _, _, value in planted.values()],
        )

    found = MARKS.in_database(database_url)

    assert len(planted) > 100
    for column, (name, _, _) in planted.items():
        assert name in found[f"views.planted.{column}"]


def _somewhere(name: str, form: str) -> tuple[LiteralString, str | bytes]:
    """In what kind of column the form is planted, and as what."""
    if "as bytes" in name:
        return "bytea", form.encode("latin-1")
    if name.startswith("plain"):
        return "jsonb", json.dumps({"note": f"x{form}y"})
    if name.startswith("upper"):
        return "bytea", f"x{form}y".encode()
    return "text", f"x{form}y"


def _forget_loggers() -> None:
    """Loggers keep the configuration they first met; let them look again."""
    for module in list(sys.modules.values()):
        logger = vars(module).get("log")
        if isinstance(logger, structlog._config.BoundLoggerLazyProxy):
            vars(logger).pop("bind", None)
