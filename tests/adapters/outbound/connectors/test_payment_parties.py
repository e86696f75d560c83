"""Klarna, Swish, Vipps and Nets: asked by ids we hold, masked, and never "erased" (law E-11)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from adapters.outbound.connectors import Misconfigured, build
from domain.vocabulary import IdentifierKind, Match, Outcome
from services.ports import (
    AwaitsPerson,
    Connector,
    Identifier,
    Person,
    Record,
    Refused,
    Treatment,
    Unavailable,
)
from tests.support.certificates import make_certificate
from tests.support.contracts import complaints, contract
from tests.support.payment_parties import KlarnaDouble, NetsDouble, SwishDouble, VippsDouble

EMAIL = "kari.zwyx@post.example"
NUMBER = "f3392f8b-6116-4073-ab96-e330819e2c07"
SWISH_ID = "AB23D7406ECE4542A80152D909EF9F6B"


def asking(*numbers: str, verified: bool = True) -> Person:
    return Person(
        (
            Identifier(IdentifierKind.EMAIL, EMAIL, verified=True),
            *(Identifier(IdentifierKind.ORDER_NUMBER, n, verified=verified) for n in numbers),
        )
    )


def erase(connector: Connector, record: Record) -> object:
    return connector.erase(asking(), Treatment(record.key, record.kind), key="k").outcome


@pytest.fixture
def klarna() -> Iterator[KlarnaDouble]:
    with KlarnaDouble(keep_exchanges=True) as double:
        yield double


def klarnas(klarna: KlarnaDouble, name: str = "klarna") -> Connector:
    return build(name, {"url": klarna.url, "user": "merchant", "password": "secret"})


def test_klarna_is_asked_by_the_ids_that_are_held_and_by_no_others(klarna: KlarnaDouble) -> None:
    klarna.add(NUMBER, EMAIL)
    klarna.add("another-order", "ola@post.example")

    (record,) = klarnas(klarna).find(asking(NUMBER, "T-1001"))

    assert (record.key, record.kind, record.match) == (NUMBER, "payment", Match.LINKED_RECORD)
    assert record.fields["amount"] == "450.00 NOK"
    assert record.fields["phone"] == "******17"
    assert record.anchors["voucher"] == date(2026, 3, 2)
    assert record.masked == ()
    assert "01817499100" not in repr(record), "the shop never collected it"
    assert list(klarnas(klarna).find(asking())) == []


def test_what_another_paid_for_the_person_is_masked(klarna: KlarnaDouble) -> None:
    """Art. 15(4): the order is theirs, the payer is not them."""
    klarna.add(NUMBER, "mother@post.example", customer={})
    klarna.orders[NUMBER]["billing_address"]["phone"] = "+4740000099"

    (record,) = klarnas(klarna).find(asking(NUMBER))

    assert {"email", "given_name", "address"} <= set(record.masked)
    for secret in ("mother", "Zwyxdal", "Gata 1", "99"):
        assert secret not in repr(dict(record.fields))


def test_an_unproven_id_makes_no_strong_match(klarna: KlarnaDouble) -> None:
    klarna.add(NUMBER, EMAIL)

    (record,) = klarnas(klarna).find(asking(NUMBER, verified=False))

    assert record.match is Match.UNVERIFIED_IDENTIFIER


def test_klarna_never_erases(klarna: KlarnaDouble) -> None:
    klarna.add(NUMBER, EMAIL)
    connector = klarnas(klarna)
    (record,) = connector.find(asking(NUMBER))
    calls = klarna.calls

    assert erase(connector, record) is Outcome.RESIDUAL
    assert klarna.calls == calls
    with pytest.raises(AwaitsPerson, match="suppress-by-hand"):
        connector.suppress(asking(NUMBER), key="k")


def test_the_double_keeps_to_klarnas_contract(klarna: KlarnaDouble) -> None:
    described = contract("klarna-order-management-v1.openapi.json")
    klarna.add(NUMBER, EMAIL)
    list(klarnas(klarna).find(asking(NUMBER, "T-1001")))

    for exchange in klarna.exchanges:
        assert complaints(described, exchange, base="https://api.klarna.com") == set()
    assert [exchange.reply.status for exchange in klarna.exchanges] == [200, 404]


def test_an_active_customer_token_waits_for_a_person(klarna: KlarnaDouble) -> None:
    klarna.tokens = {"token-1": "ACTIVE"}
    connector = klarnas(klarna, "klarna-tokens")
    (record,) = connector.find(asking("token-1", "token-2"))

    with pytest.raises(AwaitsPerson, match="cancel-klarna-token"):
        erase(connector, record)

    klarna.tokens["token-1"] = "CANCELLED"
    assert erase(connector, record) is Outcome.RESIDUAL


# Swish


def test_swish_answers_whoever_shows_a_certificate(tmp_path: Path) -> None:
    theirs, ours = make_certificate(tmp_path / "theirs"), make_certificate(tmp_path / "ours")
    with SwishDouble(theirs, clients=ours) as swish:
        swish.add(SWISH_ID, "46701740605")
        files = {"certificate": str(ours), "certificate_key": str(ours), "authority": str(theirs)}
        (record,) = build("swish", {"url": swish.url, **files}).find(asking(SWISH_ID))

        assert (record.kind, record.fields["payer"]) == ("payment", "******05")
        assert "199001012384" not in repr(record)
        assert record.flags == {"paid"}

        stranger = {**files, "certificate": str(theirs), "certificate_key": str(theirs)}
        with pytest.raises(Unavailable):
            list(build("swish", {"url": swish.url, **stranger}).find(asking(SWISH_ID)))


def test_a_certificate_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    files = {"certificate": str(tmp_path / "no"), "certificate_key": str(tmp_path / "no")}

    with pytest.raises(Misconfigured, match="certificate"):
        build("swish", files)


# Vipps


@pytest.fixture
def vipps() -> Iterator[VippsDouble]:
    with VippsDouble() as double:
        yield double


def vippses(vipps: VippsDouble, **more: str) -> Connector:
    keys = {"client_id": "client", "client_secret": "s", "subscription_key": "subscription"}
    return build("vipps", {"url": vipps.url, "merchant": "123456", **keys, **more})


def test_one_token_serves_many_calls_until_its_end(vipps: VippsDouble) -> None:
    vipps.add("acme-1")
    connector = vippses(vipps)

    (record,) = connector.find(asking("acme-1", "acme-2"))
    list(connector.find(asking("acme-1")))

    assert record.fields["amount"] == "450.00 NOK"
    assert "c06c4afe" not in repr(record), "who shared a profile is not needed"
    assert vipps.given == ["token-0"]

    vipps.given.append("they took it back")
    assert len(list(connector.find(asking("acme-1")))) == 1
    assert len(vipps.given) == 3


def test_a_token_without_a_life_is_asked_for_each_time(vipps: VippsDouble) -> None:
    vipps.add("acme-1")
    vipps.expires_in = "0"

    assert len(list(vippses(vipps).find(asking("acme-1")))) == 1
    assert len(vipps.given) == 2


def test_a_running_agreement_is_stopped_by_a_person_first(vipps: VippsDouble) -> None:
    vipps.agree("agr_1")
    connector = vippses(vipps)
    (record,) = connector.find(asking("agr_1"))
    assert record.flags == {"subscription"}
    assert record.fields["phone"] == "******17"

    with pytest.raises(AwaitsPerson, match="stop-vipps-agreement"):
        erase(connector, record)

    vipps.agree("agr_1", "STOPPED")
    assert erase(connector, record) is Outcome.RESIDUAL


def test_a_secret_that_is_not_known_is_for_a_person(vipps: VippsDouble) -> None:
    with pytest.raises(Refused, match="POST /accesstoken/get answered 401"):
        list(vippses(vipps, subscription_key="wrong").find(asking("acme-1")))


# Nets


def test_nets_is_asked_by_payment_id() -> None:
    with NetsDouble() as nets:
        nets.add("0260000062e5", EMAIL)
        connector = build("nets", {"url": nets.url, "key": "live-secret-key"})
        (record,) = connector.find(asking("0260000062e5", "other"))

        assert record.fields["card"] == "492500******0004"
        assert record.fields["phone"] == "******17"
        assert erase(connector, record) is Outcome.RESIDUAL
