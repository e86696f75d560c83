"""Marketing that ends by itself: without consent on record, and with the relation."""

from __future__ import annotations

from datetime import date

import pytest

from domain.decisions import RecordFacts
from domain.relation import MarketingStop, stops
from tests.support.policies import POLICIES

KINO = POLICIES["AK"]
ENDS = date(2027, 2, 1)
YES = date(2023, 5, 10)


def relation(**contact: date) -> list[RecordFacts]:
    bought = {"last_purchase": date(2023, 5, 10), "last_form_registration": date(2024, 2, 1)}
    return [
        RecordFacts("newsletter", "member", anchors={"consent_given": YES}),
        RecordFacts("ticketing", "customer", anchors=bought | contact),
    ]


@pytest.mark.parametrize(
    ("on", "contact", "stopped"),
    [
        (ENDS, {}, False),
        (date(2027, 2, 2), {}, True),
        (date(2027, 2, 2), {"last_contact": date(2024, 2, 2)}, False),
        (date(2027, 2, 3), {"last_contact": date(2024, 2, 2)}, True),
        (date(2027, 2, 2), {"rights_request": date(2027, 1, 1)}, True),
    ],
)
def test_messages_end_with_the_relation(on: date, contact: dict[str, date], stopped: bool) -> None:
    """AK-14, AK-13: three years after the latest of purchase, form and contact; no day earlier."""
    expected = {"newsletter": MarketingStop.RELATION_ENDED} if stopped else {}

    assert stops(KINO, relation(**contact), on) == expected


@pytest.mark.parametrize("shops", [1, -1])
def test_of_two_shops_the_later_contact_counts(shops: int) -> None:
    """AK-14: the relation is one, whichever system knows of its last purchase."""
    records = relation()
    late = [RecordFacts("shop", "customer", anchors={"last_form_registration": date(2025, 2, 1)})]

    assert stops(KINO, [*records, *late][::shops], date(2027, 2, 2)) == {}


@pytest.mark.parametrize(
    ("anchors", "flags", "consent"),
    [
        ({}, (), False),
        ({}, ("consent_given",), True),
        ({"consent_given": YES}, (), True),
        ({"consent_withdrawn": YES}, ("consent_given",), False),
        ({"consent_given": YES, "consent_withdrawn": date(2024, 1, 1)}, (), False),
        ({"consent_given": YES, "consent_withdrawn": YES}, (), False),
        ({"consent_given": date(2024, 1, 2), "consent_withdrawn": YES}, (), True),
    ],
)
def test_without_a_record_of_consent_there_is_none(
    anchors: dict[str, date], flags: tuple[str, ...], consent: bool
) -> None:
    """AK-22: the newsletter only with consent in advance; a withdrawal outweighs it."""
    member = RecordFacts("newsletter", "member", anchors=anchors, flags=frozenset(flags))

    found = stops(KINO, [member], date(2024, 3, 1))

    assert found == ({} if consent else {"newsletter": MarketingStop.NO_CONSENT})


def test_whoever_is_on_no_list_is_stopped_on_none() -> None:
    """AK-14."""
    assert stops(KINO, relation()[1:], date(2030, 1, 1)) == {}


def test_marketing_that_rests_on_no_consent_asks_for_none() -> None:
    """AK-22 binds a newsletter that the policy rests on consent; GK rests its on something else."""
    member = RecordFacts("mailing", "member")

    assert stops(POLICIES["GK"], [member], date(2030, 1, 1)) == {}
