"""listmonk from its description: found, told, corrected, stopped, erased (Art. 15 to 17, 21)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.outbound.connectors import build
from domain.vocabulary import Outcome
from services.ports import (
    AwaitsPerson,
    Connector,
    Correction,
    Rectifies,
    Refused,
    Restricts,
    Treatment,
)
from tests.support.contracts import complaints, contract
from tests.support.listmonk import TOKEN, USER, ListmonkDouble
from tests.support.people import somebody

KARI = "kari.zwyx@post.example"


@pytest.fixture
def listmonk() -> Iterator[ListmonkDouble]:
    with ListmonkDouble(keep_exchanges=True) as double:
        yield double


@pytest.fixture
def connector(listmonk: ListmonkDouble) -> Connector:
    return build("listmonk", {"url": listmonk.url, "user": USER, "token": TOKEN})


def test_a_subscriber_is_told_with_what_they_opened(
    listmonk: ListmonkDouble, connector: Connector
) -> None:
    number = listmonk.add(KARI, "Kari Zwyxdal", city="Oslo")
    listmonk.bounce(number)

    bounce, subscriber = connector.find(somebody("Kari.ZWYX@post.example"))

    assert (bounce.kind, bounce.fields["campaign"]) == ("bounce", "Spring")
    assert subscriber.fields["attributes"] == {"city": "Oslo"}
    assert subscriber.fields["views"] == [{"campaign": "Spring", "views": 2}]


def test_a_correction_leaves_lists_status_and_attributes_as_they_were(
    listmonk: ListmonkDouble, connector: Connector
) -> None:
    number = listmonk.add(KARI, "Kari Zwyxdal", city="Oslo")
    before = dict(listmonk.subscribers[number])
    assert isinstance(connector, Rectifies)

    done = connector.rectify(
        somebody(KARI), Correction(str(number), "subscriber", {"name": "Kari Vik"}), key="k"
    )

    assert done.outcome is Outcome.RECTIFIED
    assert listmonk.subscribers[number] == before | {"name": "Kari Vik"}
    with pytest.raises(AwaitsPerson, match="rectify-by-hand"):
        connector.rectify(somebody(KARI), Correction("1", "bounce", {"type": "x"}), key="k")


def test_a_subscriber_who_has_become_another_is_not_erased(
    listmonk: ListmonkDouble, connector: Connector
) -> None:
    number = listmonk.add(KARI, "Kari Zwyxdal")
    listmonk.subscribers[number]["email"] = "ola@post.example"

    with pytest.raises(Refused, match="changed since it was found"):
        connector.erase(somebody(KARI), Treatment(str(number), "subscriber"), key="k")


def test_what_is_not_described_is_done_by_a_person(connector: Connector) -> None:
    kept = Treatment("1", "subscriber", anonymise=True, keep_fields=("name",))
    with pytest.raises(AwaitsPerson, match="erase-by-hand"):
        connector.erase(somebody(KARI), kept, key="k")
    assert isinstance(connector, Restricts)
    with pytest.raises(AwaitsPerson, match="restrict-by-hand"):
        connector.restrict(somebody(KARI), key="k")


def test_the_double_keeps_to_listmonks_contract(
    listmonk: ListmonkDouble, connector: Connector
) -> None:
    described = contract("listmonk-collections.openapi.yaml")
    number = listmonk.add(KARI, "Kari Zwyxdal")
    listmonk.bounce(number)
    person = somebody(KARI)
    assert isinstance(connector, Rectifies)
    connector.rectify(person, Correction(str(number), "subscriber", {"name": "Kari"}), key="k")
    connector.suppress(person, key="k")
    for record in list(connector.find(person)):
        connector.erase(person, Treatment(record.key, record.kind), key="k")

    assert len(listmonk.exchanges) >= 12
    for exchange in listmonk.exchanges:
        assert complaints(described, exchange, base="http://localhost:9000") == set()
