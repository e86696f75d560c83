"""A replay at a connector that lists: again what was erased, never who came back (issue 6)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.demo.doubles.stripe import KEY, StripeDouble
from adapters.outbound.connectors import build
from adapters.outbound.connectors.told import Told
from adapters.outbound.erasure_ledger import PostgresErasureLedger
from domain.instruction import TreatedKind
from domain.vocabulary import Decision, IdentifierKind
from services.erasure_ledger import Erasure
from services.ports import Connector, Identifier
from services.replay_standing import NOT_BY_TOKENS, Standing
from tests.support.house import KARI, NORWAY, ORGANISATIONS, House, open_house
from tests.support.told import MAILING, told_document

OLD = datetime(2021, 5, 6, 10, tzinfo=UTC)


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with open_house(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture
def stripe() -> Iterator[StripeDouble]:
    with StripeDouble() as running:
        yield running


def erased_there(house: House, *kinds: str) -> None:
    installation, now = house.installation, datetime.now(UTC)
    erasure = Erasure(
        id=uuid4(),
        controller=NORWAY,
        system=MAILING,
        request_id=uuid4(),
        erased_at=now - timedelta(hours=1),
        kept_until=now + timedelta(days=90),
        kinds=tuple(TreatedKind(kind, Decision.ERASE) for kind in kinds),
    )
    kari = [Identifier(IdentifierKind.EMAIL, KARI, verified=True)]
    tokens = installation.system_keys.of(NORWAY, MAILING, kari)
    for one in PostgresErasureLedger(installation.database).erased(erasure, tokens):
        installation.database.run(one)


def replayed(house: House, connector: Connector) -> Standing:
    house.systems.made[NORWAY, MAILING] = connector
    since = datetime.now(UTC).date() - timedelta(days=2)
    begun = house.installation.replays.begin(
        NORWAY, MAILING, since=since, by="ola", reason="restored-from-backup"
    )
    house.work()
    standing = house.installation.replays.standing(NORWAY, MAILING)[0]
    assert standing.replay.id == begun
    return standing


def planted(stripe: StripeDouble, email: str, came: datetime) -> str:
    """A customer with a card and a payment, all of one day."""
    before = {key for things in stripe.things.values() for key in things}
    customer = stripe.add_customer(email)
    stripe.add_card(customer)
    stripe.add_charge(customer)
    for things in stripe.things.values():
        for key, thing in things.items():
            if key not in before:
                thing["created"] = int(came.timestamp())
    return customer


def alive(stripe: StripeDouble) -> set[str]:
    return {key for key, one in stripe.things["customers"].items() if not one.get("deleted")}


def test_stripe_erases_again_what_it_can_and_spares_who_came_back(
    house: House, stripe: StripeDouble
) -> None:
    back, new = planted(stripe, KARI, OLD), planted(stripe, KARI, datetime.now(UTC))
    stranger = planted(stripe, "ola@post.example", OLD)
    erased_there(house, "customer", "payment_method", "payment")
    connector = build("stripe", {"url": stripe.url, "key": KEY})

    standing = replayed(house, connector)

    assert alive(stripe) == {new, stranger}
    assert back not in alive(stripe)
    assert standing.is_over, "payments stay at Stripe whatever is called: nobody can do more"
    assert (standing.replay.erased, standing.replay.spared) == (1, 3)
    again = replayed(house, connector)
    assert (again.is_over, again.replay.erased) == (True, 0)
    assert alive(stripe) == {new, stranger}


def test_opendsr_knows_nobody_by_tokens_so_a_person_does_it(house: House) -> None:
    document = told_document((ORGANISATIONS / f"{NORWAY}.toml").read_text("utf-8"), "opendsr")
    house.installation.controllers.adopt(document.encode(), name=NORWAY, by="trettio-tests")
    erased_there(house, "member")

    standing = replayed(house, Told({}))

    assert (standing.replay.waits_for, standing.replay.waiting) == (NOT_BY_TOKENS, 1)
    assert (standing.told, standing.is_over) == (0, False)
