"""pretix, the real server: buyer, account and attendee are three people (Art. 15, 17; E-13)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from adapters.demo.doubles.server import Call, Double, Reply, route
from adapters.outbound.connectors import Misconfigured, build
from adapters.outbound.connectors import pretix as module
from adapters.outbound.connectors.pretix import MASKED, Pretix
from adapters.outbound.pretix_changes import MARK
from domain.vocabulary import IdentifierKind, Match, Outcome
from services.ports import (
    AwaitsPerson,
    Correction,
    Identifier,
    Person,
    Record,
    Refused,
    Residual,
    Result,
    Treatment,
    Unavailable,
)
from tests.support.people import NOBODY, somebody
from tests.support.pretix import ORGANISER, WHEELCHAIR, Planted, plant
from tests.support.pretix import Pretix as Server

# The very first run installs pretix and migrates its database.
pytestmark = pytest.mark.timeout(1200)

LOG = Residual("log-entry", "vendor-cannot-erase")
INVOICE = Residual("invoice", "bookkeeping")

_tags = (f"story{chr(ord('a') + n)}" for n in count())


@pytest.fixture(scope="module")
def planted(pretix: Server) -> Planted:
    """A world that these tests only read."""
    return plant(pretix, "reading")


@pytest.fixture(scope="module")
def records(pretix: Server, planted: Planted) -> dict[str, Record]:
    """What is found for her in that world."""
    configuration = {**pretix.configuration, "special_questions": WHEELCHAIR}
    return found(Pretix(configuration), kari(planted))


@pytest.fixture
def doomed(pretix: Server) -> Planted:
    """A world of one test's own, to be erased."""
    return plant(pretix, next(_tags))


@pytest.fixture
def connector(pretix: Server) -> Pretix:
    return Pretix({**pretix.configuration, "special_questions": WHEELCHAIR})


def kari(planted: Planted) -> Person:
    return somebody(planted.email, name=planted.name)


def found(connector: Pretix, person: Person) -> dict[str, Record]:
    return {record.key: record for record in connector.find(person)}


def strong(connector: Pretix, person: Person) -> list[Record]:
    return [record for record in connector.find(person) if record.match.is_strong]


def erase(connector: Pretix, person: Person, key: str, *keep: str) -> Any:
    kind = key.partition(":")[0]
    return connector.erase(person, Treatment(key, kind, keep_fields=keep), key="k")


def shown(record: Record) -> str:
    return json.dumps(record.fields, ensure_ascii=False)


# Access


def test_buyer_account_and_attendee_are_all_found(
    planted: Planted, records: dict[str, Record]
) -> None:
    """Also under the same address in capitals, and under another address of the same account."""
    e, orders, tickets = planted.event, planted.orders, planted.tickets

    assert {key: record.match for key, record in records.items()} == {
        f"ticket:{e}/{tickets['account']}": Match.VERIFIED_IDENTIFIER,
        f"ticket:{e}/{tickets['family-companion']}": Match.UNVERIFIED_IDENTIFIER,
        f"invoice:{e}/{planted.invoice}": Match.LINKED_RECORD,
        f"order:{e}/{orders['account']}": Match.VERIFIED_IDENTIFIER,
        f"order:{e}/{orders['upper']}": Match.VERIFIED_IDENTIFIER,
        f"ticket:{e}/{tickets['linked']}": Match.LINKED_RECORD,
        f"order:{e}/{orders['linked']}": Match.LINKED_RECORD,
        f"ticket:{e}/{tickets['family']}": Match.UNVERIFIED_IDENTIFIER,
        f"order:{e}/{orders['family']}": Match.UNVERIFIED_IDENTIFIER,
        f"ticket:{e}/{tickets['foreign']}": Match.VERIFIED_IDENTIFIER,
        f"ticket:{e}/{tickets['namesake']}": Match.SAME_NAME,
        f"order:{e}/{orders['namesake']}": Match.SAME_NAME,
        f"waiting_list:{e}/{planted.waiting}": Match.VERIFIED_IDENTIFIER,
        f"giftcard:{planted.gift_card}": Match.LINKED_RECORD,
        f"membership:{planted.membership}": Match.LINKED_RECORD,
        f"medium:{planted.medium}": Match.LINKED_RECORD,
        f"customer:{planted.customer}": Match.VERIFIED_IDENTIFIER,
    }


def test_records_come_in_the_order_in_which_they_can_be_erased(records: dict[str, Record]) -> None:
    kinds = [record.kind for record in records.values() if record.match.is_strong]

    assert kinds[:3] == ["ticket", "invoice", "order"]
    assert kinds[-4:] == ["giftcard", "membership", "medium", "customer"]


def test_nobody_elses_data_is_shown_in_clear(planted: Planted, records: dict[str, Record]) -> None:
    """Art. 15(4): also not inside her own orders and invoices."""
    leaks = [
        (record.key, text)
        for record in records.values()
        for text in planted.strangers
        if record.match.is_strong and text in shown(record)
    ]

    assert leaks == []


def test_the_persons_own_data_is_complete(planted: Planted, records: dict[str, Record]) -> None:
    copy = "".join(shown(record) for record in records.values() if record.match.is_strong)

    assert [text for text in planted.secrets_of_the_person if text not in copy] == []


def test_masked_names_exactly_what_is_covered(planted: Planted, records: dict[str, Record]) -> None:
    order = records[f"order:{planted.event}/{planted.orders['account']}"]
    ticket = records[f"ticket:{planted.event}/{planted.tickets['foreign']}"]

    positions: Any = order.fields["positions"]
    assert "positions.1.attendee_name" in order.masked
    assert positions[1]["attendee_name"] == positions[2]["attendee_name"] == MASKED
    assert positions[0]["attendee_name"] == planted.name
    assert ticket.masked == ("buyer",)
    assert ticket.fields["buyer"] == MASKED


def test_an_unproven_address_opens_nothing(connector: Pretix, planted: Planted) -> None:
    person = somebody(unproven=(planted.email,), name=planted.name)

    assert {record.match for record in connector.find(person)} == {
        Match.UNVERIFIED_IDENTIFIER,
        Match.SAME_NAME,
    }


def test_whoever_gives_no_name_is_called_what_their_account_calls_them(
    connector: Pretix, planted: Planted, records: dict[str, Record]
) -> None:
    nameless = found(connector, somebody(planted.email))

    assert nameless == records


def test_account_and_address_find_what_the_name_does_not(
    connector: Pretix, planted: Planted, records: dict[str, Record]
) -> None:
    """A second first name that pretix has never heard: its own search by name finds nothing."""
    person = somebody(planted.email, name=planted.name.replace(" ", " Anne "))

    assert strong(connector, person) == [r for r in records.values() if r.match.is_strong]


def test_a_first_name_alone_tells_nobody_apart(connector: Pretix, planted: Planted) -> None:
    person = somebody(planted.email, name="Kari")
    linked = f"ticket:{planted.event}/{planted.tickets['linked']}"

    assert found(connector, person)[linked].match is Match.UNVERIFIED_IDENTIFIER


def test_an_order_number_finds_an_order_but_opens_it_only_when_proven(
    connector: Pretix, planted: Planted
) -> None:
    number = f"{planted.event}-{planted.orders['account']}".upper()
    said = Identifier(IdentifierKind.ORDER_NUMBER, number)
    key = f"order:{planted.event}/{planted.orders['account']}"

    assert found(connector, Person((said,)))[key].match is Match.UNVERIFIED_IDENTIFIER
    assert found(connector, Person((replace(said, verified=True),)))[key].match.is_strong


def test_a_customer_number_finds_the_account(connector: Pretix, planted: Planted) -> None:
    number = Identifier(IdentifierKind.CUSTOMER_NUMBER, planted.customer, verified=True)

    records = found(connector, Person((number,)))

    assert records[f"customer:{planted.customer}"].match is Match.VERIFIED_IDENTIFIER
    assert records[f"order:{planted.event}/{planted.orders['linked']}"].match.is_strong


def test_nobody_is_found_without_identifiers(connector: Pretix, planted: Planted) -> None:
    blank = Person(tuple(Identifier(kind, " #", verified=True) for kind in IdentifierKind))
    assert found(connector, NOBODY) == found(connector, blank) == {}


def test_the_buyer_sees_her_guest_as_covered(connector: Pretix, planted: Planted) -> None:
    oda = somebody(planted.strangers[2].replace("@", f"oda.{planted.event[5:]}@"))

    records = found(connector, oda)

    order = records[f"order:{planted.event}/{planted.orders['foreign']}"]
    assert order.match is Match.VERIFIED_IDENTIFIER
    assert planted.email not in shown(order).lower()
    assert planted.name not in shown(order)


def test_an_answer_about_health_raises_a_finding(records: dict[str, Record]) -> None:
    """AK-19: a wheelchair seat, by the identifier of the question."""
    special = {record.kind for record in records.values() if "special_category" in record.flags}

    assert special == {"ticket", "order"}


def test_card_numbers_are_cut_to_four_digits(planted: Planted, records: dict[str, Record]) -> None:
    """GK-12, and a full number that stands anywhere is a finding."""
    order = records[f"order:{planted.event}/{planted.orders['account']}"]

    assert f"Card {MASKED} 1111 read out" in str(order.fields["comment"])
    assert "full_card_number" in order.flags


def test_payment_services_and_organisers_are_recipients(
    planted: Planted, records: dict[str, Record]
) -> None:
    assert "klarna" in records[f"order:{planted.event}/{planted.orders['account']}"].recipients
    assert records[f"order:{planted.event}/{planted.orders['upper']}"].recipients == (ORGANISER,)


@pytest.mark.parametrize(("days", "is_open"), [(40, True), (42, False)])
def test_a_ticket_is_open_until_its_event_is_over(
    pretix: Server, planted: Planted, days: int, is_open: bool
) -> None:
    """E-13."""
    connector = Pretix(pretix.configuration, clock=lambda: datetime.now(UTC) + timedelta(days))

    tickets = [r for r in strong(connector, kari(planted)) if r.kind == "ticket"]

    assert {"open_ticket" in ticket.flags for ticket in tickets} == {is_open}
    assert {ticket.anchors["order_completed"] for ticket in tickets} == {
        datetime.fromisoformat(str(tickets[0].fields["ends_at"])).date()
    }


def test_keys_and_logs_hold_no_address(
    connector: Pretix, planted: Planted, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = " ".join(found(connector, kari(planted)))

    assert "@" not in keys
    assert planted.email not in "".join(capsys.readouterr()).lower()


def test_every_page_is_read(
    connector: Pretix,
    planted: Planted,
    records: dict[str, Record],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PAGE_SIZE", 1)

    assert found(connector, kari(planted)) == records


# Refusals


def test_a_wrong_token_is_refused(pretix: Server) -> None:
    connector = build("pretix", {**pretix.configuration, "token": "wrong"})

    with pytest.raises(Refused, match="401"):
        list(connector.find(somebody("kari@post.example")))


def test_an_unknown_organizer_is_refused(pretix: Server) -> None:
    connector = build("pretix", {**pretix.configuration, "organizer": "nobody"})

    with pytest.raises(Refused):
        list(connector.find(somebody("kari@post.example")))


def test_a_server_that_is_down_can_be_asked_later(pretix: Server) -> None:
    connector = build("pretix", {**pretix.configuration, "url": "http://127.0.0.1:1"})

    with pytest.raises(Unavailable):
        list(connector.find(somebody("kari@post.example")))


@pytest.mark.parametrize("missing", ["url", "token", "organizer"])
def test_a_missing_setting_is_named(pretix: Server, missing: str) -> None:
    with pytest.raises(Misconfigured, match=missing):
        build("pretix", {**pretix.configuration, missing: ""})


def test_there_is_no_mailing_list_to_stop(connector: Pretix) -> None:
    result = connector.suppress(somebody("kari@post.example"), key="k")

    assert (result.outcome, result.detail) == (Outcome.NOT_FOUND, "no-mailing-list")


# Erasure


def test_the_persons_data_goes_and_the_strangers_stay_byte_for_byte(
    connector: Pretix, pretix: Server, doomed: Planted
) -> None:
    person, before = kari(doomed), _strangers(pretix, doomed)
    records = strong(connector, person)

    results = {r.key: erase(connector, person, r.key) for r in records}

    assert _strangers(pretix, doomed) == before
    outcomes = {key.partition(":")[0]: result.outcome for key, result in results.items()}
    assert outcomes == {
        "ticket": Outcome.ANONYMISED,
        "order": Outcome.ANONYMISED,
        "invoice": Outcome.RESIDUAL,
        "waiting_list": Outcome.ERASED,
        "giftcard": Outcome.ANONYMISED,
        "membership": Outcome.ANONYMISED,
        "medium": Outcome.ANONYMISED,
        "customer": Outcome.ANONYMISED,
    }
    assert strong(connector, person) == []
    assert set(found(connector, person)).isdisjoint(results)


def test_what_remains_is_what_the_residuals_say(
    connector: Pretix, pretix: Server, doomed: Planted
) -> None:
    """The invoice, and log lines with the old address: looked up in pretix's own database.

    An idempotency record of our calls would be one more copy; there is none.
    """
    person = kari(doomed)

    results = {r.key: erase(connector, person, r.key) for r in strong(connector, person)}

    account = results[f"order:{doomed.event}/{doomed.orders['account']}"]
    assert set(account.residuals) == {LOG, INVOICE}
    assert results[f"order:{doomed.event}/{doomed.orders['upper']}"].residuals == (LOG,)
    street, wheelchair, guest_street, notes, old_email = doomed.secrets_of_the_person[2:]
    assert pretix.tables_holding(street) == {"pretixbase_invoice": 1}
    assert pretix.tables_holding(old_email) == {"pretixbase_logentry": 1}
    for text in (wheelchair, guest_street, notes):
        assert pretix.tables_holding(text) == {}
    assert pretix.tables_holding(doomed.email) == {
        "pretixbase_logentry": 2,
        "pretixbase_order": 1,
        "pretixbase_orderposition": 2,
    }
    assert pretix.rows("SELECT count(*) FROM pretixapi_apicall") == [(0,)]


def test_a_second_erasure_has_no_second_effect(
    connector: Pretix, pretix: Server, doomed: Planted
) -> None:
    person = kari(doomed)
    keys = [record.key for record in strong(connector, person)]
    first = {key: erase(connector, person, key) for key in keys}
    lines = pretix.rows("SELECT count(*) FROM pretixbase_logentry")

    second = {key: erase(connector, person, key) for key in keys}

    assert pretix.rows("SELECT count(*) FROM pretixbase_logentry") == lines
    waiting = f"waiting_list:{doomed.event}/{doomed.waiting}"
    assert second.pop(waiting).outcome is Outcome.NOT_FOUND
    assert {key: (r.outcome, r.residuals) for key, r in second.items()} == {
        key: (r.outcome, r.residuals) for key, r in first.items() if key != waiting
    }


def test_only_the_guests_ticket_goes_in_a_strangers_order(
    connector: Pretix, pretix: Server, doomed: Planted
) -> None:
    path = f"/events/{doomed.event}/orders/{doomed.orders['foreign']}/"
    before = pretix.get(path)

    erase(connector, kari(doomed), f"ticket:{doomed.event}/{doomed.tickets['foreign']}")

    expected = before | {"last_modified": (after := pretix.get(path))["last_modified"]}
    expected["positions"][1] |= {
        "attendee_name": None,
        "attendee_name_parts": {},
        "attendee_email": None,
        "street": None,
    }
    assert after == expected


def test_kept_fields_stay(connector: Pretix, pretix: Server, doomed: Planted) -> None:
    """E-12: what makes the voucher stays, the rest of the same order goes."""
    key = f"order:{doomed.event}/{doomed.orders['account']}"

    erase(connector, kari(doomed), key, "invoice_address", "total")

    order = pretix.get(f"/events/{doomed.event}/orders/{doomed.orders['account']}/")
    assert order["invoice_address"]["name"] == doomed.name
    assert (order["email"], order["phone"], order["comment"]) == (None, None, "")


def test_an_account_may_go_before_its_orders(
    connector: Pretix, pretix: Server, doomed: Planted
) -> None:
    """Anonymising unlinks the orders; their keys still lead to them."""
    person, key = kari(doomed), f"order:{doomed.event}/{doomed.orders['linked']}"
    erase(connector, person, f"customer:{doomed.customer}")

    assert erase(connector, person, key).outcome is Outcome.ANONYMISED

    order = pretix.get(f"/events/{doomed.event}/orders/{doomed.orders['linked']}/")
    assert order["email"] is None


def test_a_ticket_that_changed_hands_is_left_alone(
    connector: Pretix, pretix: Server, doomed: Planted
) -> None:
    path = f"/events/{doomed.event}/orderpositions/{doomed.tickets['account']}/"
    name = {"_scheme": "full", "full_name": "Nora Ny"}
    pretix.patch(path, {"attendee_name_parts": name, "attendee_email": "nora@other.example"})
    before = pretix.get(path)

    with pytest.raises(Refused, match="somebody else"):
        erase(connector, kari(doomed), f"ticket:{doomed.event}/{doomed.tickets['account']}")

    assert pretix.get(path) == before


def test_a_cancelled_ticket_is_found_and_blanked(
    connector: Pretix, pretix: Server, doomed: Planted
) -> None:
    at = f"/events/{doomed.event}/orderpositions/{doomed.tickets['foreign']}/"
    pretix.call("DELETE", at)
    key = f"ticket:{doomed.event}/{doomed.tickets['foreign']}"
    assert key in found(connector, kari(doomed))

    erase(connector, kari(doomed), key)

    assert pretix.get(f"{at}?include_canceled_positions=true")["attendee_email"] is None


def test_a_waiting_list_entry_with_a_voucher_is_said_to_remain(
    connector: Pretix, pretix: Server, doomed: Planted
) -> None:
    """pretix neither changes nor deletes it any more, so nothing else would be true."""
    at = f"/events/{doomed.event}"
    entry = pretix.get(f"{at}/waitinglistentries/{doomed.waiting}/")
    quota = pretix.get(f"{at}/quotas/")["results"][1]
    assert quota["items"] == [entry["item"]]
    pretix.patch(f"{at}/quotas/{quota['id']}/", {"size": 5})
    pretix.post(f"{at}/waitinglistentries/{doomed.waiting}/send_voucher/", {})

    result = erase(connector, kari(doomed), f"waiting_list:{doomed.event}/{doomed.waiting}")

    assert result.outcome is Outcome.RESIDUAL
    assert pretix.get(f"{at}/waitinglistentries/{doomed.waiting}/")["email"]


@pytest.mark.parametrize(
    "key",
    [
        "ticket:show-reading/999999",
        "order:show-reading/XXXXX",
        "invoice:show-reading/NONE-1",
        "waiting_list:show-reading/999999",
        "giftcard:999999",
        "membership:999999",
        "medium:999999",
        "customer:XXXXXXX",
    ],
)
def test_what_is_not_there_is_not_found(connector: Pretix, planted: Planted, key: str) -> None:
    assert erase(connector, kari(planted), key).outcome is Outcome.NOT_FOUND


def test_an_unknown_kind_is_refused(connector: Pretix) -> None:
    with pytest.raises(Refused):
        erase(connector, NOBODY, "event:show-reading")


# Rectification and restriction


def test_fields_are_rectified_where_they_stand_and_nowhere_else(
    connector: Pretix, pretix: Server, doomed: Planted
) -> None:
    """AK-05, MU-15: account, order and ticket, as pretix's own API then says; twice is once."""
    person, before = kari(doomed), _strangers(pretix, doomed)
    at, statement = f"/events/{doomed.event}", "I ordered for my mother."
    order, ticket = f"{at}/orders/{doomed.orders['linked']}/", doomed.tickets["account"]
    corrections = (
        Correction(f"customer:{doomed.customer}", "customer", {"name": "Karianne Ny"}),
        Correction(
            f"order:{doomed.event}/{doomed.orders['linked']}",
            "order",
            {"phone": "+46701740607"},
            statement=statement,
        ),
        Correction(
            f"ticket:{doomed.event}/{ticket}",
            "ticket",
            {"attendee_name": "Karianne Ny", "street": "Nyveien 9", "attendee_email": None},
        ),
    )

    for correction in (*corrections, *corrections):
        assert connector.rectify(person, correction, key="k") == Result(Outcome.RECTIFIED)

    assert pretix.get(f"/customers/{doomed.customer}/")["name"] == "Karianne Ny"
    now = pretix.get(order)
    assert (now["phone"], now["comment"]) == ("+46701740607", statement)
    position = pretix.get(f"{at}/orderpositions/{ticket}/")
    assert position["attendee_name"] == "Karianne Ny"
    assert (position["street"], position["attendee_email"]) == ("Nyveien 9", None)
    assert _strangers(pretix, doomed) == before


def test_what_pretix_keeps_to_itself_is_rectified_by_a_person(
    connector: Pretix, pretix: Server, planted: Planted
) -> None:
    """Nothing is written when one of the fields cannot be."""
    at = f"/events/{planted.event}/orders/{planted.orders['account']}/"
    before = pretix.raw(at)
    key = f"order:{planted.event}/{planted.orders['account']}"

    with pytest.raises(AwaitsPerson):
        connector.rectify(
            kari(planted),
            Correction(key, "order", {"phone": "+46701740607", "total": "1"}),
            key="k",
        )

    assert pretix.raw(at) == before


def test_a_restriction_stands_in_the_account_and_each_order_until_it_is_lifted(
    connector: Pretix, pretix: Server, doomed: Planted
) -> None:
    """GK-07: strangers' orders are left alone, and a mark somebody removed is missed.

    The comment holds a card number that nobody is shown: writing what is shown would lose it.
    """
    person, strangers = kari(doomed), _strangers(pretix, doomed)
    account = f"/customers/{doomed.customer}/"
    orders = [
        f"/events/{doomed.event}/orders/{doomed.orders[which]}/"
        for which in ("account", "upper", "linked")
    ]
    before = [pretix.get(account)["notes"], *(pretix.get(order)["comment"] for order in orders)]

    assert connector.restrict(person, key="k").outcome is Outcome.RESTRICTED

    notes = [pretix.get(account)["notes"], *(pretix.get(order)["comment"] for order in orders)]
    assert [note.split("\n").count(MARK) for note in notes] == [1, 1, 1, 1]
    assert connector.is_restricted(person)
    assert _strangers(pretix, doomed) == strangers

    pretix.patch(orders[1], {"comment": ""})
    assert not connector.is_restricted(person)

    connector.unrestrict(person, key="k")
    after = [pretix.get(account)["notes"], *(pretix.get(order)["comment"] for order in orders)]
    assert after == before


def _strangers(pretix: Server, planted: Planted) -> dict[str, bytes]:
    """What belongs to other people, as pretix's own API writes it."""
    at = f"/events/{planted.event}"
    paths = [
        *(f"{at}/orders/{planted.orders[which]}/" for which in ("family", "namesake")),
        *(
            f"{at}/orderpositions/{planted.tickets[which]}/"
            for which in ("companion", "family-companion", "family", "namesake")
        ),
        f"{at}/orders/{planted.orders['foreign']}/?include=email&include=phone"
        "&include=invoice_address&include=comment&include=payments&include=secret",
        f"/customers/?email=k.{planted.event[5:]}@other.example",
    ]
    return {path: pretix.raw(path) for path in paths}


# Another server


class Hostile(Double):
    """Answers every list with what it was told to."""

    prefix = "/api/v1/organizers/venue"
    page: Callable[[Call], object]

    @route("GET", "/customers/")
    def customers(self, call: Call) -> Reply:
        return Reply(200, type(self).page(call))


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    with Hostile(keep_exchanges=True) as running:
        yield running


def _ask(hostile: Hostile, page: Callable[[Call], object]) -> None:
    Hostile.page = staticmethod(page)
    url = hostile.url.removesuffix(Hostile.prefix)
    connector = Pretix({"url": url, "token": "t", "organizer": "venue"})
    list(connector.find(somebody("kari@post.example")))


def test_a_search_waits_when_it_asks_too_much(hostile: Hostile) -> None:
    hostile.fail_next(429, times=2, on="/customers/", headers={"Retry-After": "0"})

    with pytest.raises(Refused, match="404"):
        _ask(hostile, lambda call: {"results": [], "next": None})


@pytest.mark.parametrize(("times", "wish"), [(3, "0"), (1, "61")])
def test_a_search_gives_up_when_the_wait_is_long(hostile: Hostile, times: int, wish: str) -> None:
    hostile.fail_next(429, times=times, on="/customers/", headers={"Retry-After": wish})

    with pytest.raises(Unavailable, match="429"):
        _ask(hostile, lambda call: {"results": [], "next": None})


def test_a_next_link_says_only_which_page(hostile: Hostile) -> None:
    elsewhere = "http://192.0.2.1/steal/?page=2&email=other@post.example"

    with pytest.raises(Refused, match="404"):
        _ask(
            hostile,
            lambda call: {"results": [], "next": elsewhere if call.one("page") == "1" else None},
        )

    asked = [exchange.call for exchange in hostile.exchanges if "customers" in exchange.call.path]
    assert [call.one("page") for call in asked] == ["1", "2"]
    assert {call.one("email") for call in asked} == {"kari@post.example"}


@pytest.mark.parametrize("link", ["/?page=1", "/?page=x", "/", "http://[", ""])
def test_pages_without_end_or_number_are_refused(hostile: Hostile, link: str) -> None:
    with pytest.raises(Refused):
        _ask(hostile, lambda call: {"results": [], "next": link})


@pytest.mark.parametrize(
    "answer",
    [[], {}, {"next": None, "results": 3}, {"next": None, "results": [{"identifier": "Secret"}]}],
)
def test_another_shape_is_refused_without_quoting_it(hostile: Hostile, answer: object) -> None:
    with pytest.raises(Refused) as refusal:
        _ask(hostile, lambda call: answer)

    assert "Secret" not in str(refusal.value)
