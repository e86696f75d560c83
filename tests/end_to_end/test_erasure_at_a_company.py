"""A Swedish company erases: what is finished goes, what is owed stays, and others are told."""

from __future__ import annotations

import csv
import os
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

from domain.fulfilment import SystemStatus
from domain.vocabulary import Right
from tests.support.localstripe import LocalStripe
from tests.support.pretix import Pretix, plant
from tests.support.stories import Story, buy, pay_by_card, raw_mail, request_id, strangers_in

TEXT = """\
Hej!

Jag vill att ni raderar alla uppgifter ni har om mig.

Hälsningar Kari
"""
HEADER = "Mottagare;Meddelande;Skickat;Ordernummer\n"
HERS = "0701-74 06 05;Din biljett;2026-10-01;{order}\n"
ANOTHERS = "+46701740606;Hennes biljett;2026-10-01;ABCDE\n"
MORE = timedelta(hours=1)


def test_finished_orders_go_and_what_is_owed_stays(
    story: Story, pretix: Pretix, stripe: LocalStripe
) -> None:
    """MU-09 to MU-12, E-11, E-12, E-13: order by order, recipient by recipient."""
    kari = plant(pretix, "stund", starts=datetime.now(UTC) - timedelta(days=20))
    coming = plant(pretix, "kommande")
    owed = buy(pretix, coming.event, kari.email, kari.name, phone=kari.phone)
    swish = buy(pretix, kari.event, kari.email, kari.name, payment_provider="stripe_swish")
    declined = _declined(pretix, kari.event, kari.email, kari.name)
    pay_by_card(stripe, kari.email, kari.name)
    before = strangers_in(pretix, kari) | strangers_in(pretix, coming)
    story.pass_time(days=3)

    # The telephone number is what the system for text messages knows her by.
    arrived = story.arrives(
        raw_mail(
            TEXT,
            sender=kari.email,
            name=kari.name,
            to="kontakt@stundbiljett.example",
            arrived=story.moment(),
        ),
        "stundbiljett",
    )
    assert (arrived["rights"], arrived["language"]) == (["erasure"], "sv")
    identifiers = [
        {"kind": "email", "value": kari.email},
        {"kind": "name", "value": kari.name},
        {"kind": "phone", "value": kari.phone},
    ]
    exports = story.installation.settings.exports / "stundbiljett" / "sms"
    exports.mkdir(parents=True)
    _drop(exports, HEADER + HERS.format(order=owed) + ANOTHERS, at=story.moment() - MORE)
    case = story.confirm(arrived, identifiers=identifiers)
    erasure = request_id(case, Right.ERASURE)
    story.prove(case["case_id"], kari.email)
    story.look_by_hand(erasure)
    story.judge(erasure, lambda record: record["system"] == "sms")

    # A person knows which guarantees have run out; of the one they do not know, a little stays.
    orders = {one["record_id"]: one["fields"].get("order") for one in story.records(erasure)}
    guaranteed = kari.orders["upper"]
    answers = [
        {"record_id": one["record_id"], "flags": ["warranty_expired"]}
        for one in story.decisions(erasure)
        if "say_whether_guarantee_runs" in one["asks"] and orders[one["record_id"]] != guaranteed
    ]
    by_order = {
        (orders[one["record_id"]], one["decision"], one["ground"])
        for one in story.decisions(erasure)
    }
    assert (declined, "anonymise", None) in by_order
    assert (owed, "keep", "contract.open_obligation") in by_order
    story.approve(erasure, answers=answers, considered=True)
    aggregate = story.aggregate(erasure)
    decided = {
        (orders[str(one.record_id)], one.decision.value, one.ground, str(one.until))
        for one in aggregate.decisions.values()
        if orders[str(one.record_id)]
    }
    warranty = {entry for entry in decided if entry[2] == "contract.warranty"}
    year = datetime.now(UTC).year
    assert {entry[0] for entry in warranty} == {guaranteed}
    assert (kari.orders["account"], "keep", "se.bokforing", f"{year + 7}-12-31") in decided
    for finished in (kari.orders["account"], kari.orders["linked"], swish, declined):
        assert (finished, "anonymise", None, "None") in decided
    for code, stays in (
        (swish, False),
        (declined, False),
        (kari.orders["linked"], False),
        (guaranteed, True),
    ):
        shown = pretix.raw(f"/events/{kari.event}/orders/{code}/").decode().lower()
        assert (kari.email in shown) is stays
    kept = pretix.get(f"/events/{coming.event}/orders/{owed}/")
    assert (kept["email"], kept["phone"]) == (kari.email, kari.phone)
    assert kept["positions"][0]["attendee_name"] == kari.name
    assert kept["positions"][0]["attendee_email"] is None, "not needed to let her in"

    # The list for the system without an API is downloaded; an old export proves nothing.
    sms = story.systems(erasure)["sms"]
    assert (sms["status"], sms["waits_for"]) == ("waiting-for-person", "erase-from-list")
    rows = list(csv.reader(StringIO(_list(story, case["case_id"], erasure)), delimiter=";"))
    assert "0701-74 06 05" in str(rows)
    assert "+46701740606" not in str(rows)
    _ask_again(story, erasure)
    assert story.systems(erasure)["sms"]["waits_for"] == "fresh-export"
    story.pass_time(hours=2)
    _drop(exports, HEADER + HERS.format(order=owed) + ANOTHERS, at=story.moment() - MORE)
    _ask_again(story, erasure)
    assert story.systems(erasure)["sms"]["status"] != "done", "she is still in it"
    story.pass_time(hours=2)
    _drop(exports, HEADER + ANOTHERS, at=story.moment() - MORE)
    _ask_again(story, erasure)
    assert story.systems(erasure)["sms"]["status"] == "done"

    # Recipients are informed by a person, or she is referred to them; nobody erases there.
    waiting = {
        name: system["waits_for"]
        for name, system in story.systems(erasure).items()
        if system["status"] == "waiting-for-person"
    }
    assert waiting == {
        "recipient:klarna": "inform-recipient",
        "recipient:organisers": "inform-recipient",
    }
    for recipient in waiting:
        assert story.request(erasure)["answered_at"] is None
        story.post(
            f"/v1/requests/{erasure}/systems/{recipient}/answer",
            {"outcome": "informed", "reason": "informed-by-mail"},
        )
        story.work()
    letter = story.postbox.last(kari.email, "partial-refusal").text
    said = " ".join(letter.split())
    for words in (
        "Vi har underrättat Klarna om din begäran",
        "Vi kan inte radera något hos Klarna",
        "vänd dig till din bank",
        "Vi har underrättat arrangören om din begäran",
        "Integritetsskyddsmyndigheten",
        "bokföringslagen",
        f"31 december {year + 7}",
        "Signe Saksbehandler",
    ):
        assert words in said
    assert story.request(erasure)["status"] == "closed"
    told = story.installation.register.fulfilment(aggregate.id).told
    assert {(one.recipient, one.outcome.value) for one in told} == {
        ("klarna", "informed"),
        ("organisers", "informed"),
        ("swish", "referred"),
    }
    assert strangers_in(pretix, kari) | strangers_in(pretix, coming) == before


def test_who_never_paid_through_them_is_not_told_to_klarna_or_swish(
    story: Story, pretix: Pretix
) -> None:
    """E-11: a recipient hears of a request only where a record was passed on."""
    world = plant(pretix, "kontant", starts=datetime.now(UTC) - timedelta(days=20))
    address = "bo.kontant@other.example"
    buy(pretix, world.event, address, "Bo Kontant")
    story.pass_time(days=3)
    exports = story.installation.settings.exports / "stundbiljett" / "sms"
    exports.mkdir(parents=True)
    _drop(exports, HEADER + ANOTHERS, at=story.moment())
    arrived = story.arrives(
        raw_mail(TEXT, sender=address, name="Bo Kontant", arrived=story.moment()), "stundbiljett"
    )
    case = story.confirm(arrived)
    erasure = request_id(case, Right.ERASURE)
    story.prove(case["case_id"], address)
    story.look_by_hand(erasure)
    story.judge(erasure, lambda record: False)
    story.approve(erasure, considered=True)

    systems = story.installation.register.fulfilment(story.aggregate(erasure).id).systems
    assert systems["recipient:klarna"].status is SystemStatus.DONE
    assert systems["recipient:organisers"].waits_for == "inform-recipient"
    story.post(
        f"/v1/requests/{erasure}/systems/recipient:organisers/answer",
        {"outcome": "informed", "reason": "informed-by-mail"},
    )
    story.work()
    letter = story.postbox.to(address)[-1].text
    assert "Klarna" not in letter
    assert "Swish" not in letter


def _declined(pretix: Pretix, event: str, address: str, name: str) -> str:
    """An order whose payment failed and which was cancelled for it."""
    code = buy(pretix, event, address, name, status="n")
    at = f"/events/{event}/orders/{code}"
    failed = {"state": "failed", "amount": "200.00", "provider": "stripe"}
    pretix.post(f"{at}/payments/", failed)
    pretix.post(f"{at}/mark_canceled/", {"send_email": False})
    return code


def _drop(folder: Path, content: str, *, at: datetime) -> None:
    """An export is dropped, written at that moment."""
    export = folder / f"{at:%Y%m%d%H%M}.csv"
    export.write_text(content, encoding="utf-8")
    os.utime(export, (at.timestamp(), at.timestamp()))


def _ask_again(story: Story, request: str) -> None:
    story.post(f"/v1/requests/{request}/systems/sms/again", expect=202)
    story.work()


def _list(story: Story, case: str, request: str) -> str:
    desk = story.at_the_desk(case)
    answer = desk.http.get(f"/desk/cases/{case}/requests/{request}/systems/sms/list.csv")
    assert answer.status_code == 200, answer.text
    return answer.text
