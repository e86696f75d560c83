"""One mail asks for a copy and then for erasure; a public body answers both (Art. 15 and 17)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from adapters.demo.doubles.mailchimp import MailchimpDouble, fingerprint_of
from domain.vocabulary import Right
from tests.support.localstripe import LocalStripe
from tests.support.pretix import Planted, Pretix, plant
from tests.support.stories import (
    HANDLER,
    Story,
    buy,
    pay_by_card,
    raw_mail,
    request_id,
    strangers_in,
)

TEXT = """\
Hei!

Jeg vil ha innsyn i alle opplysninger dere har om meg, og deretter vil jeg at dere sletter meg.

Hilsen Kari
"""

RECEIVED_TO_VERIFIED = [
    "request.received",
    "request.acknowledged",
    "request.identity-requested",
    "request.pause-opened",
    "request.pause-ended",
    "request.identity-verified",
    "request.data-collected",
]


def test_a_copy_first_then_erasure_and_the_law_for_what_stays(
    story: Story, pretix: Pretix, stripe: LocalStripe, mailchimp: MailchimpDouble
) -> None:
    """GK-03, GK-17, E-01, E-05, E-12: access waits for nothing, erasure waits for the answer."""
    kari = plant(pretix, "fjord", starts=datetime.now(UTC) - timedelta(days=20))
    early = "kari.fjord.2019@old.example"
    remembered = buy(pretix, kari.event, early, kari.name)
    pay_by_card(stripe, kari.email, kari.name)
    stranger = pay_by_card(stripe, "nora.fjord@other.example", "Nora Fremmedfjord")
    mailchimp.add_member("news", kari.email, merge_fields={"FNAME": "Kari"})
    mailchimp.add_member("news", "k.fjord@other.example", merge_fields={"FNAME": "Kari"})
    before = _strangers(pretix, kari, stripe, stranger, mailchimp)
    story.pass_time(days=3)

    # A mail arrives, a person confirms what it asks, and the address is proven by a code.
    raw = raw_mail(TEXT, sender=kari.email, name=kari.name, arrived=story.moment())
    arrived = story.arrives(raw, "fjordscenen")
    assert (arrived["kind"], arrived["rights"], arrived["language"]) == (
        "rights-request",
        ["access", "erasure"],
        "nb",
    )
    case = story.confirm(arrived)
    case_id = case["case_id"]
    access, erasure = request_id(case, Right.ACCESS), request_id(case, Right.ERASURE)
    assert story.systems(access) == {}, "nothing is asked before identity is settled"
    story.prove(case_id, kari.email)

    # Everything is searched; erasure waits.
    assert story.systems(erasure) == {}
    conversation = {
        "kind": "communication",
        "key": "thread 17",
        "fields": {"subject": "Rullestolplass", "text": "Kan jeg sitte på rad 1?"},
    }
    story.look_by_hand(access, customer_service=[conversation])
    weak = [record for record in story.records(access) if record["theirs"] is None]
    assert {record["match"] for record in weak} == {"unverified-identifier", "same-name"}
    story.post(f"/v1/requests/{access}/approve", {}, expect=409)
    story.judge(access, _is_of(remembered))
    story.approve(access, words="Takk for tålmodigheten.")

    # The answer comes by mail, the copy through its link and a second code.
    answer = story.postbox.last(kari.email, "answer")
    assert "Takk for tålmodigheten." in answer.text
    assert "Datatilsynet" in answer.text
    assert HANDLER in answer.text
    copy = _copy(story.fetch(kari.email))
    assert [text for text in kari.strangers if text in copy] == []
    assert [text for text in kari.secrets_of_the_person if text not in copy] == []
    for own in (early, remembered, "4242", "Kan jeg sitte på rad 1?", "Nyhetsbrev"):
        assert own in copy
    for theirs in ("nora.fjord", "k.fjord@other.example", stranger):
        assert theirs not in copy

    # Only now is erasure planned. What a person decided about a match is not asked twice.
    story.look_by_hand(erasure, customer_service=[conversation])
    assert all(record["theirs"] is not None for record in story.records(erasure))
    last_day = f"{datetime.now(UTC).year + 5}-12-31"
    decided = {
        (one["category"], one["decision"], one["ground"]) for one in story.decisions(erasure)
    }
    assert decided == {
        ("purchases", "anonymise", None),
        ("purchases", "keep", "no.bokforing.primary"),  # the invoice
        ("purchases", "keep", "contract.open_obligation"),  # the gift card's balance
        ("profile", "erase", None),
        ("profile", "anonymise", None),
        ("profile", "keep", "contract.open_obligation"),  # the running membership
        ("payments", "erase", None),
        ("payments", "keep", "no.bokforing.primary"),
        ("newsletter", "erase", None),
        ("communication", "block-and-refer", "no.archive"),
    }
    assert kari.email in _shown(pretix, kari), "a preview changes nothing"
    story.approve(erasure, considered=True)

    # Orders name an outside organiser; the profile knows none, so a person has to tell them.
    line = "recipient:others-named-in-records"
    assert story.systems(erasure)[line]["waits_for"] == "inform-unknown-recipients"
    story.post(f"/v1/requests/{erasure}/systems/{line}/answer", {"outcome": "informed"})
    story.work()

    # Erased and read back; invoices stay, with law and date, and the archive decides the rest.
    for gone in (kari.email, kari.phone, early, kari.secrets_of_the_person[2]):
        assert gone.lower() not in _shown(pretix, kari).lower()
    assert mailchimp.members.keys() == {("news", fingerprint_of("k.fjord@other.example"))}
    assert stripe.call("GET", f"/v1/customers?email={kari.email}")["data"] == []
    assert pretix.get(f"/events/{kari.event}/invoices/{kari.invoice}/")["invoice_to_name"]
    letter = story.postbox.last(kari.email, "partial-refusal")
    for said in (
        "bokføringsloven § 13",
        f"31. desember\n  {last_day[:4]}",
        "arkivlova",
        "Datatilsynet",
        "bringe saken inn for domstolene",
        f"{HANDLER} bestemte dette for Fjordsund kommune.",
        "Et avtrykk av e-postadressen din, ikke selve adressen",
    ):
        assert said in letter.text
    assert [text for text in kari.strangers if text in letter.text + letter.html] == []
    kept = {(hold.system, hold.ground, str(hold.release_on)) for hold in story.holds(erasure)}
    assert kept == {
        ("ticketing", "no.bokforing.primary", last_day),
        ("ticketing", "contract.open_obligation", "None"),
        ("ticketing", "contract.open_obligation", "2030-01-02"),
        ("payment", "no.bokforing.primary", last_day),
    }

    # Closed, and every step is an event.
    matches = ["request.match-confirmed"] + ["request.match-rejected"] * 5
    answered = ["request.approved", "request.answer-sent", "request.fulfilled"]
    assert _matches_in_order(story.topics(access)) == [
        *RECEIVED_TO_VERIFIED,
        *matches,
        *answered,
        "request.answer-fetched",
        "request.closed",
    ]
    assert _matches_in_order(story.topics(erasure)) == [
        *RECEIVED_TO_VERIFIED,
        *matches,
        *answered,
        "request.closed",
    ]
    assert [letter.kind for letter in story.postbox.to(kari.email)] == [
        "acknowledgement",
        "identity-code",
        "answer",
        "identity-code",
        "partial-refusal",
    ]
    ends = {one: story.request(one) for one in (access, erasure)}
    assert [(e["status"], e["in_part"]) for e in ends.values()] == [
        ("closed", False),
        ("closed", True),
    ]
    assert _strangers(pretix, kari, stripe, stranger, mailchimp) == before


def _shown(pretix: Pretix, planted: Planted) -> str:
    """The person's orders, tickets and account, as pretix's API shows them now.

    Without the companion's ticket that carries the person's address: it is the companion's.
    """
    at = f"/events/{planted.event}"
    own = "include=email&include=phone&include=invoice_address&include=comment"
    paths = [
        *(f"{at}/orders/{planted.orders[one]}/?{own}" for one in ("account", "upper", "linked")),
        *(f"{at}/orderpositions/{planted.tickets[one]}/" for one in _OWN_TICKETS),
        f"/customers/{planted.customer}/",
        f"{at}/waitinglistentries/",
    ]
    return "".join(pretix.raw(path).decode() for path in paths)


_OWN_TICKETS = ("account", "linked", "foreign")


def _is_of(order: str) -> Callable[[Any], bool]:
    return lambda record: record["fields"].get("order") == order


def _copy(package: bytes) -> str:
    """Every file of the package, as text."""
    with ZipFile(BytesIO(package)) as opened:
        assert json.loads(opened.read("data.json"))
        return "\n".join(
            opened.read(name).decode() for name in opened.namelist() if "schema" not in name
        )


def _strangers(
    pretix: Pretix,
    planted: Planted,
    stripe: LocalStripe,
    customer: str,
    mailchimp: MailchimpDouble,
) -> dict[str, object]:
    return {
        **strangers_in(pretix, planted),
        "stripe": stripe.call("GET", f"/v1/customers/{customer}"),
        "mailchimp": dict(mailchimp.members["news", fingerprint_of("k.fjord@other.example")]),
    }


def _matches_in_order(topics: list[str]) -> list[str]:
    """Systems answer in any order, and so are their matches decided."""
    matches = iter(sorted(topic for topic in topics if topic.startswith("request.match-")))
    return [next(matches) if topic.startswith("request.match-") else topic for topic in topics]
