"""Both sides of a match: what the person said and what the record says, kind by kind."""

from __future__ import annotations

import pytest

from domain.vocabulary import IdentifierKind
from services.evidence import Agreement, compare, kind_named
from services.ports import Identifier, Person

KARI = Person(
    (
        Identifier(IdentifierKind.EMAIL, "Kari@Post.example", verified=True),
        Identifier(IdentifierKind.NAME, "Kari Anne Vik"),
        Identifier(IdentifierKind.PHONE, "400 00 000"),
    )
)


def agreement(fields: dict[str, object]) -> dict[IdentifierKind, Agreement]:
    return {one.kind: one.agreement for one in compare(KARI, fields)}


def test_spellings_of_one_thing_agree() -> None:
    both = agreement({"email": "kari@post.example", "customer": {"phone": "+47 40000000"}})
    assert both[IdentifierKind.EMAIL] is Agreement.SAME
    assert both[IdentifierKind.PHONE] is Agreement.SAME
    assert both[IdentifierKind.NAME] is Agreement.ONLY_PERSON


def test_a_shorter_name_is_similar_and_another_is_different() -> None:
    assert agreement({"name": "Vik, Kari"})[IdentifierKind.NAME] is Agreement.SIMILAR
    halves = agreement({"first_name": "Ola", "last_name": "Vik"})
    assert halves[IdentifierKind.NAME] is Agreement.DIFFERENT


def test_what_only_the_record_has_is_said() -> None:
    assert agreement({"order_number": "A17"})[IdentifierKind.ORDER_NUMBER] is Agreement.ONLY_RECORD


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("E-post", IdentifierKind.EMAIL),
        ("Kundenr", IdentifierKind.CUSTOMER_NUMBER),
        ("attendee_name", IdentifierKind.NAME),
        ("event_name", None),
        ("note", None),
    ],
)
def test_a_column_is_known_by_its_name(name: str, kind: IdentifierKind | None) -> None:
    assert kind_named(name) is kind
