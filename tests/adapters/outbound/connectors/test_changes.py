"""Systems that can correct a field or mark a person's data, as their own API then says (16, 18)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.connector_kit import Somebody, World
from adapters.outbound.connectors import build
from domain.vocabulary import Outcome
from services.ports import AwaitsPerson, Correction, Rectifies, Restricts
from services.rectifying import value_of
from tests.support.connector_kit import KIT

KARI = Somebody("kari@person.example", "Kari Testesen", "+4799999901")
OLA = Somebody("ola@person.example", "Ola Prøve", "+4799999902")
STATEMENT = "Jeg bestilte for min mor."

CAN_CHANGE = {
    "mailchimp": ("member", "profile.First name", "Karianne"),
    "pretix": ("customer", "name", "Karianne Testesen"),
    "stripe": ("customer", "name", "Karianne Testesen"),
}


@pytest.fixture(params=CAN_CHANGE)
def system(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, World, Any]]:
    with KIT[request.param](tmp_path) as world:
        world.plant(OLA)
        world.plant(KARI)
        yield request.param, world, build(request.param, world.configuration(world.url))


def test_a_field_says_what_it_should_and_nobody_elses_changes(
    system: tuple[str, World, Any],
) -> None:
    """AK-05, MU-15: rectified over there, seen by reading it back; twice is once."""
    name, _, connector = system
    kind, field, value = CAN_CHANGE[name]
    assert keeps(connector, Rectifies)
    strangers = list(connector.find(OLA.person))
    record = next(one for one in connector.find(KARI.person) if one.kind == kind)

    for _ in range(2):
        result = connector.rectify(
            KARI.person,
            Correction(record.key, kind, {field: value}, statement=STATEMENT),
            key="once",
        )
        assert result.outcome is Outcome.RECTIFIED

    now = next(one for one in connector.find(KARI.person) if one.kind == kind)
    assert value_of(now, field) == value
    assert (str(now.fields).count(STATEMENT) == 1) is (result.detail != "statement-not-held")
    assert list(connector.find(OLA.person)) == strangers


def test_what_it_cannot_write_goes_to_a_person_before_anything_is_written(
    system: tuple[str, World, Any],
) -> None:
    name, world, connector = system
    kind, field, value = CAN_CHANGE[name]
    record = next(one for one in connector.find(KARI.person) if one.kind == kind)
    before = world.kept()

    with pytest.raises(AwaitsPerson):
        connector.rectify(
            KARI.person, Correction(record.key, kind, {field: value, "age": "7"}), key="once"
        )

    assert world.kept() == before


def test_a_restriction_is_seen_over_there_and_lifting_it_puts_everything_back(
    system: tuple[str, World, Any],
) -> None:
    """GK-07, Art. 18: marked, no mail meanwhile, and nothing of it left afterwards."""
    _, _, connector = system
    assert keeps(connector, Restricts)
    before = [one.fields for one in connector.find(KARI.person)]
    assert not connector.is_restricted(KARI.person)

    assert connector.restrict(KARI.person, key="k").outcome is Outcome.RESTRICTED
    assert connector.restrict(KARI.person, key="k").outcome is Outcome.RESTRICTED
    assert connector.is_restricted(KARI.person)
    assert not connector.is_restricted(OLA.person)

    connector.unrestrict(KARI.person, key="k")
    assert not connector.is_restricted(KARI.person)
    assert [_lasting(one.fields) for one in connector.find(KARI.person)] == list(
        map(_lasting, before)
    )


def test_nobody_known_is_not_restricted(system: tuple[str, World, Any]) -> None:
    _, _, connector = system
    nobody = Somebody("nobody@person.example", "Nobody Here", "+4799999903").person

    assert connector.restrict(nobody, key="k").outcome is Outcome.NOT_FOUND


def test_a_restricted_member_gets_no_mail_and_a_corrected_address_is_filed_anew(
    tmp_path: Path,
) -> None:
    with KIT["mailchimp"](tmp_path) as world:
        world.plant(KARI)
        connector: Any = build("mailchimp", world.configuration(world.url))
        connector.restrict(KARI.person, key="k")
        statuses = {m["status"] for m in world.double.members.values()}  # type: ignore[attr-defined]
        assert "subscribed" not in statuses

        record = next(one for one in connector.find(KARI.person) if one.kind == "member")
        moved = Correction(record.key, "member", {"email": OLA.email})
        for _ in range(2):
            connector.rectify(KARI.person, moved, key="once")

        found = next(one for one in connector.find(OLA.person) if one.kind == "member")
        assert found.fields["email"] == OLA.email


def keeps(connector: object, port: type) -> bool:
    return isinstance(connector, port)


def _lasting(fields: Any) -> dict[str, Any]:
    passing = {"last_changed_at", "tags", "notes", "comment", "metadata"}
    return {name: value for name, value in fields.items() if name not in passing}
