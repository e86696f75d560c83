"""A person carried through rectification and objection over HTTP, a real connector behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from adapters.demo.doubles.mailchimp import KEY, MailchimpDouble, fingerprint_of
from adapters.outbound.connectors import build
from adapters.outbound.tokens import Scope
from domain.vocabulary import LetterKind, Right
from tests.support.asking import look_everywhere, verified
from tests.support.house import KARI, NORWAY, House


@pytest.fixture
def mailchimp(house: House) -> Iterator[MailchimpDouble]:
    with MailchimpDouble() as running:
        running.add_audience("news", "Nyhetsbrev", FNAME="Fornavn")
        running.add_member("news", KARI, merge_fields={"FNAME": "Kaari"})
        connector = build("mailchimp", {"url": running.url, "key": KEY})
        house.systems.made[NORWAY, "mailing"] = connector
        yield running


def bearer(house: House) -> dict[str, str]:
    token = house.installation.tokens.create(
        name="desk",
        staff_id="ola",
        scopes=frozenset({Scope.DESK, Scope.READ}),
        controllers=frozenset({NORWAY}),
    )
    return {"Authorization": f"Bearer {token}", "X-Purpose": "handle"}


def post(house: House, path: str, body: object, *, expect: int = 200) -> Any:
    answer = house.client.post(path, json=body, headers=bearer(house))
    assert answer.status_code == expect, answer.text
    return answer.json()


def get(house: House, path: str) -> Any:
    answer = house.client.get(path, headers=bearer(house))
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_field_is_corrected_from_claim_to_letter(
    house: House, mailchimp: MailchimpDouble
) -> None:
    """AK-05, GK-05, OK-04, MU-15: claimed, restricted meanwhile, decided, written, read back."""
    case_id = verified(house, Right.RECTIFICATION)
    look_everywhere(house, case_id, Right.RECTIFICATION)
    at = f"/v1/requests/{house.case(case_id).request_id(Right.RECTIFICATION)}"
    (record,) = get(house, f"{at}/records")
    about = {"record_id": record["record_id"], "ground": "wrong"}
    wrong = {**about, "field": "profile.Fornavn", "wish": "rectify", "value": "Kari"}
    post(house, f"{at}/claims", wrong, expect=201)
    statement = {**about, "field": "status", "wish": "supplement", "value": "Meldt på av en venn."}
    post(house, f"{at}/claims", statement, expect=201)
    house.work()
    member = mailchimp.members["news", fingerprint_of(KARI)]
    assert member["status"] == "unsubscribed"
    assert get(house, f"{at}/restriction")["ground"] == "a"

    for claim in get(house, f"{at}/claims"):
        post(house, f"{at}/claims/{claim['claim_id']}/decision", {"accepted": True})
    post(house, f"{at}/claims/approve", {})
    house.work()

    assert member["merge_fields"] == {"FNAME": "Kari"}
    assert [n["note"] for n in mailchimp.notes["news", fingerprint_of(KARI)]] == [
        "Meldt på av en venn."
    ]
    claims = {one["field"]: one for one in get(house, f"{at}/claims")}
    assert (claims["profile.Fornavn"]["before"], claims["profile.Fornavn"]["after"]) == (
        "Kaari",
        "Kari",
    )
    assert claims["status"]["outcome"] == "statement-added"
    assert get(house, at)["status"] == "closed"
    assert any(m.kind is LetterKind.ANSWER and "rettet" in m.text for m in house.mails())


def test_an_objection_is_weighed_and_the_newsletter_goes(
    house: House, mailchimp: MailchimpDouble
) -> None:
    """GK-08, GK-15: restricted at once, erased when upheld; the vendor never imports it again."""
    case_id = verified(house, Right.OBJECTION)
    look_everywhere(house, case_id, Right.OBJECTION)
    at = f"/v1/requests/{house.case(case_id).request_id(Right.OBJECTION)}"
    purposes = [one["purpose"] for one in get(house, f"{at}/balance")["purposes"]]
    post(house, f"{at}/balance/grounds", {"words": "Jeg har skjermet adresse."})

    weighed = [{"purpose": one, "continues": False} for one in purposes]
    post(house, f"{at}/balance", {"weighed": weighed})
    house.work()

    assert ("news", fingerprint_of(KARI)) not in mailchimp.members
    assert ("news", fingerprint_of(KARI)) in mailchimp.forgotten
    assert get(house, f"{at}/balance")["struck"]
    assert get(house, at)["status"] == "closed"
    steps = get(house, f"/v1/cases/{case_id}/timeline")
    topics = [step["topic"] for step in steps]
    assert topics.index("balancing.opened") < topics.index("balancing.grounded")
    assert {"case.arrived", "restriction.set", "balancing.struck"} <= set(topics)
    (struck,) = (step for step in steps if step["topic"] == "balancing.struck")
    assert (struck["right"], struck["by"]) == ("objection", "ola")
    assert "skjermet" not in str(steps)
    assert KARI not in str(steps)
