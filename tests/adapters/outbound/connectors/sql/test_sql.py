"""A database is searched, erased from and marked without code; its foreign keys hold (Art. 17)."""

from __future__ import annotations

from datetime import date

import pytest

from domain.vocabulary import IdentifierKind, Match, Outcome
from services.ports import Correction, Identifier, NotSetUp, Person, Record, Refused, Treatment
from tests.support.sql_shop import LINES, Shop, customer, quoted

KARI = Person((Identifier(IdentifierKind.EMAIL, "Kari@Vik.example", verified=True),))
LINE_TABLE = f'"{quoted(LINES)}"'


def found(shop: Shop, person: Person = KARI) -> list[Record]:
    return list(shop.connector().find(person))


def treated(record: Record, **how: object) -> Treatment:
    return Treatment(record.key, record.kind, **how)  # type: ignore[arg-type]


def erased(shop: Shop, records: list[Record]) -> list[Outcome]:
    connector = shop.connector()
    return [connector.erase(KARI, treated(one), key="k").outcome for one in records]


# Find


def test_a_person_is_found_with_what_refers_to_them_first(kari_bought: Shop) -> None:
    bought, kari = found(kari_bought)

    assert (bought.kind, bought.match) == ("order", Match.LINKED_RECORD)
    assert (kari.kind, kari.match) == ("customer", Match.VERIFIED_IDENTIFIER)
    assert bought.anchors == {"order_placed": date(2026, 3, 31)}
    assert bought.flags == {"paid"}
    assert bought.fields["total"] == "450.50"
    lines = bought.fields["lines"]
    assert isinstance(lines, list)
    assert [line["select"] for line in lines] == [1, 2]
    assert [ticket["seat"] for ticket in lines[0]["tickets"]] == ["A1", "A2"]
    assert kari.anchors == {"last_purchase": date(2026, 3, 31)}
    assert "password_hash" not in kari.fields


@pytest.mark.parametrize(
    ("kind", "said", "held"),
    [
        (IdentifierKind.PHONE, "+47 400 00 017", {"mobile": "40 00 00 17"}),
        (IdentifierKind.PHONE, "40000017", {"mobile": "004740000017"}),
        (IdentifierKind.PHONE, "+46 70 174 06 05", {"mobile": "070-174 06 05"}),
        (IdentifierKind.CUSTOMER_NUMBER, "k-77", {"number": "K-77"}),
        (IdentifierKind.EMAIL, "kåre@blåbær.example", {"email": "Kåre@xn--blbr-roah.example"}),
    ],
)
def test_what_is_written_in_another_form_is_found(
    empty_shop: Shop, kind: IdentifierKind, said: str, held: dict[str, object]
) -> None:
    customer(empty_shop, 5, **{"email": "x@vik.example", **held})  # type: ignore[arg-type]
    customer(empty_shop, 6, "y@vik.example", mobile="+4740000023")

    records = found(empty_shop, Person((Identifier(kind, said, verified=True),)))

    assert [record.key for record in records] == ["[5]"]


def test_a_namesake_is_only_a_question(kari_bought: Shop) -> None:
    name = Person((Identifier(IdentifierKind.NAME, "Vik, Kari"),))

    assert {record.match for record in found(kari_bought, name)} == {Match.SAME_NAME}


# List


def test_everybody_is_listed_by_all_that_they_are_found_by(kari_bought: Shop) -> None:
    customer(kari_bought, 3, "", number="K-77", mobile="+4740000017")
    kari_bought.do("INSERT INTO orders VALUES (13, NULL, 'gjest@vik.example', 1, NULL, 'new', '')")

    listed = [
        {one.kind: one.value for one in identifiers}
        for identifiers in kari_bought.connector().people()
    ]

    assert {one.get(IdentifierKind.EMAIL) for one in listed} >= {
        *("kari@VIK.example", "ola@vik.example", "gjest@vik.example")
    }
    assert {
        IdentifierKind.CUSTOMER_NUMBER: "K-77",
        IdentifierKind.PHONE: "+4740000017",
    }.items() <= next(one for one in listed if IdentifierKind.PHONE in one).items()


def test_a_row_is_as_old_as_the_columns_say_that_the_mapping_names(kari_bought: Shop) -> None:
    bought, kari = found(kari_bought)

    assert bought.since is None, "the mapping names no column for orders"
    assert kari.since is not None
    assert kari.since.date() == date(2026, 3, 31)
    assert kari.since.hour == 23, "whoever came back on the day of the erasure stays"
    kari_bought.mapping = kari_bought.mapping.replace('since = "last', 'since = "no_such')
    with pytest.raises(NotSetUp, match="no_such"):
        found(kari_bought)


# Erase


def test_a_record_goes_with_all_its_tables(kari_bought: Shop) -> None:
    assert erased(kari_bought, found(kari_bought)) == [Outcome.ERASED, Outcome.ERASED]

    assert found(kari_bought) == []
    assert kari_bought.rows("SELECT id, referred_by FROM customers") == [(2, None)]
    for table, left in ((LINE_TABLE, 2), ("tickets", 2), ("orders", 1)):
        assert kari_bought.one(f"SELECT count(*) FROM {table}") == left


def test_the_same_again_finds_nothing_and_says_so(kari_bought: Shop) -> None:
    records = found(kari_bought)
    erased(kari_bought, records)

    assert set(erased(kari_bought, records)) == {Outcome.NOT_FOUND}


def test_what_is_still_referred_to_is_anonymised(kari_bought: Shop) -> None:
    """Its order is kept for the books, so the customer's row stays without the customer."""
    _, kari = found(kari_bought)

    assert erased(kari_bought, [kari]) == [Outcome.ANONYMISED]

    once = kari_bought.everything()
    [row] = kari_bought.rows("SELECT email, first_name, last_name FROM customers WHERE id = 1")
    assert row[0].endswith("@erased.example")
    assert row[1:] == (None, "Erased")
    assert found(kari_bought) == []
    assert erased(kari_bought, [kari]) == [Outcome.ANONYMISED]
    assert kari_bought.everything() == once


def test_what_is_kept_of_a_record_stays_and_nothing_else(kari_bought: Shop) -> None:
    bought, _ = found(kari_bought)
    treatment = treated(bought, anonymise=True, keep_fields=("comment",))

    result = kari_bought.connector().erase(KARI, treatment, key="k")

    assert result.outcome is Outcome.ANONYMISED
    assert kari_bought.one("SELECT comment FROM orders WHERE id = 11") == "by the aisle"
    assert kari_bought.rows("SELECT holder FROM tickets WHERE order_id = 11") == [(None,)] * 2


def test_a_trigger_that_puts_things_back_is_noticed_and_all_is_undone(own_shop: Shop) -> None:
    if own_shop.is_mariadb:
        own_shop.do(
            "CREATE TRIGGER back BEFORE UPDATE ON customers FOR EACH ROW"
            " SET NEW.first_name = OLD.first_name"
        )
    else:
        own_shop.do(
            "CREATE FUNCTION back() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN NEW.first_name = OLD.first_name; RETURN NEW; END$$;\n"
            "CREATE TRIGGER back BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION back()"
        )
    before = own_shop.everything()

    with pytest.raises(Refused, match="undone"):
        erased(own_shop, found(own_shop)[1:])

    assert own_shop.everything() == before


def test_rows_of_another_record_are_not_erased_along(own_shop: Shop) -> None:
    """With ON DELETE CASCADE the database would do it without a word."""
    own_shop.mapping = own_shop.mapping.replace('"delete-if-free"', '"delete"')
    own_shop.do(
        "CREATE TABLE reviews (id INT PRIMARY KEY, customer_id BIGINT, email VARCHAR(100),"
        " FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE);\n"
        "INSERT INTO reviews VALUES (1, 1, 'kari@vik.example');\n"
    )
    own_shop.mapping += (
        '[[record]]\nkind = "review"\ntable = "reviews"\nidentifiers.email = "email"\n'
    )
    orders = [record for record in found(own_shop) if record.kind == "order"]
    erased(own_shop, orders)
    kari = [record for record in found(own_shop) if record.kind == "customer"]

    with pytest.raises(Refused, match="still refer"):
        erased(own_shop, kari)

    assert own_shop.one("SELECT count(*) FROM reviews") == 1


def test_a_table_that_nobody_named_is_asked_about(own_shop: Shop) -> None:
    own_shop.do(
        "CREATE TABLE seatings (id INT PRIMARY KEY, order_id BIGINT,"
        " FOREIGN KEY (order_id) REFERENCES orders (id))"
    )
    with pytest.raises(NotSetUp, match="rows of 'seatings' refer to 'orders'"):
        found(own_shop)

    own_shop.do("INSERT INTO seatings VALUES (1, 11)")
    following = 'table = "orders"\nfollow = "erase"\n'
    own_shop.mapping = own_shop.mapping.replace('table = "orders"\n', following)
    erased(own_shop, found(own_shop))

    assert own_shop.one("SELECT count(*) FROM seatings") == 0


# Change


def test_an_objection_stops_marketing_and_is_entered_once(kari_bought: Shop) -> None:
    connector = kari_bought.connector()

    for _ in range(2):
        assert connector.suppress(KARI, key="k").outcome is Outcome.SUPPRESSED

    assert kari_bought.rows("SELECT * FROM stopped") == [("kari@vik.example", "objection")]
    assert [r.flags for r in found(kari_bought) if r.kind == "customer"] == [{"suppressed"}]
    assert kari_bought.one("SELECT newsletter FROM customers WHERE id = 2")


def test_fields_are_corrected_and_a_statement_is_kept(kari_bought: Shop) -> None:
    correction = Correction("[1]", "customer", {"last_name": "Ås", "mobile": None}, "I moved.")

    result = kari_bought.connector().rectify(KARI, correction, key="k")

    assert result.outcome is Outcome.RECTIFIED
    row = kari_bought.rows("SELECT last_name, mobile, note FROM customers WHERE id = 1")
    assert row == [("Ås", None, "I moved.")]


def test_a_restriction_is_set_seen_and_lifted(kari_bought: Shop) -> None:
    connector = kari_bought.connector()

    assert connector.restrict(KARI, key="k").outcome is Outcome.RESTRICTED
    assert connector.is_restricted(KARI)
    assert kari_bought.one("SELECT state FROM orders WHERE id = 12") == "paid"
    connector.unrestrict(KARI, key="k")
    assert not connector.is_restricted(KARI)


# What the mapping may not leave open

LOGIN = """
[[record]]
kind = "login"
table = "logins"
identifiers.email = "email"

[[suppress]]"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('table = "orders"', 'table = "order"', "there is no table 'order'"),
        ('statement = "note"', 'statement = "notes"', "'customers' has no column 'notes'"),
        (
            'table = "stopped"',
            'table = "stopped"\ncolour = 1',
            r"suppress\[2\].colour is not a key",
        ),
        ('last_name = "Erased"', "", "'customers'.'last_name' can hold no NULL"),
        ('table = "stopped"', 'table = "logins"', "no column 'address'"),
        ("[[suppress]]", LOGIN, "'logins' has no primary key"),
        ('on_erase = "unlink"', 'on_erase = "erase"', "refers to itself"),
        ("digest = 32", "digest = 3", "record.*anonymise.*email.*greater than or equal to 16"),
        ('schema = "{schema}"', "schema = ", "is not TOML"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_by_its_key(
    kari_bought: Shop, old: str, new: str, said: str
) -> None:
    assert old in kari_bought.mapping
    kari_bought.mapping = kari_bought.mapping.replace(old, new, 1)
    with pytest.raises((NotSetUp, ValueError), match=said):
        found(kari_bought)
