"""Mailchimp is found in every audience and shop, and erased for good (GK-17, AK-14, AK-22)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import pytest
import urllib3
from openapi_core.exceptions import OpenAPIError

from adapters.demo.doubles.mailchimp import KEY, MailchimpDouble, fingerprint_of
from adapters.outbound.connectors import Misconfigured, build
from adapters.outbound.connectors.mailchimp import CONNECTIONS, Mailchimp
from domain.vocabulary import IdentifierKind, Match, Outcome
from services.ports import Person, Record, Refused, Treatment, Unavailable
from tests.support.contracts import contract, hold
from tests.support.people import NOBODY, somebody

VENDOR = "https://server.api.mailchimp.com/3.0"
KARI = "Kari@post.example"
STRANGER = "ola@post.example"
SYNTHETIC_NUMBER = "01817499100"


@pytest.fixture
def double() -> Iterator[MailchimpDouble]:
    with MailchimpDouble(keep_exchanges=True) as running:
        running.add_audience("news", "Newsletter", FNAME="Fornavn", LNAME="Etternavn")
        running.add_audience("members", "Members")
        running.add_audience("empty", "Nobody yet")
        running.add_store("shop", "Shop", list_id="news")
        yield running


@pytest.fixture
def mailchimp(double: MailchimpDouble) -> Mailchimp:
    return Mailchimp({"url": double.url, "key": KEY})


@pytest.fixture
def kari_everywhere(double: MailchimpDouble) -> MailchimpDouble:
    """Kari in two audiences and a shop, beside a stranger with the same sorts of data."""
    for email, number in ((KARI, "k"), (STRANGER, "o")):
        fields = {"FNAME": "Kari", "LNAME": "Vik", "CITY": "Bergen"}
        hashed = double.add_member("news", email, merge_fields=fields, interests={"jazz": True})
        double.add_member("members", email, status="archived")
        double.tags["news", hashed] = [
            {"id": 1, "name": "Concerts", "date_added": "2026-01-02T09:00:00+00:00"}
        ]
        double.notes["news", hashed] = [
            {"id": 1, "note": f"Called, {SYNTHETIC_NUMBER}", "created_by": "Per Ås"}
        ]
        double.activity["news", hashed] = [
            {"activity_type": "open", "created_at_timestamp": "2026-01-03T10:00:00+00:00"}
        ]
        double.events["news", hashed] = [{"name": "signed_in", "properties": {"from": "app"}}]
        double.goals["news", hashed] = [{"goal_id": 1, "event": "visit", "data": "/programme"}]
        double.add_customer("shop", f"c/{number}", email, first_name="Kari", orders_count=1)
        double.add_order(
            "shop",
            f"order {number}",
            f"c/{number}",
            order_total=450.0,
            financial_status="paid",
            processed_at_foreign="2026-03-31T22:30:00+00:00",
        )
        double.add_cart("shop", f"cart-{number}", f"c/{number}")
    double.add_interests("news", "Genres", jazz="Jazz", rock="Rock")
    return double


def erase_all(mailchimp: Mailchimp, person: Person, records: list[Record]) -> list[Outcome]:
    return [
        mailchimp.erase(
            person, Treatment(key=record.key, kind=record.kind), key=f"case:{record.key}"
        ).outcome
        for record in records
    ]


def test_it_is_built_by_its_name_and_says_what_it_needs() -> None:
    assert isinstance(build("mailchimp", {"key": KEY}), Mailchimp)
    with pytest.raises(Misconfigured, match="'key'"):
        build("mailchimp", {})
    with pytest.raises(Misconfigured, match="data centre"):
        build("mailchimp", {"key": "secret-evil.example/#"})


def test_an_account_without_any_audience_is_a_question_to_a_person_and_not_nothing_found() -> None:
    """The profile says that newsletter data is there; an empty account is likelier another one."""
    with MailchimpDouble() as another:
        configuration = {"url": another.url, "key": KEY}
        with pytest.raises(Refused, match="no audience at all: is the key this account's"):
            list(Mailchimp(configuration).find(somebody(KARI)))
        with pytest.raises(Refused, match="no audience at all"):
            Mailchimp(configuration).suppress(somebody(KARI), key="case:suppress")

        new = Mailchimp({**configuration, "no_audiences": "yes"})
        assert list(new.find(somebody(KARI))) == []


def test_a_person_without_identifiers_is_found_nowhere_and_costs_no_call(
    mailchimp: Mailchimp, double: MailchimpDouble
) -> None:
    assert list(mailchimp.find(NOBODY)) == []
    assert double.calls == 0


def test_a_member_is_found_in_every_audience_whatever_the_status(
    mailchimp: Mailchimp, kari_everywhere: MailchimpDouble
) -> None:
    kari_everywhere.add_member("empty", KARI, status="cleaned")

    members = [r for r in mailchimp.find(somebody("kari@post.example")) if r.kind == "member"]

    assert [(r.fields["audience"], r.fields["status"]) for r in members] == [
        ("Newsletter", "subscribed"),
        ("Members", "archived"),
        ("Nobody yet", "cleaned"),
    ]
    assert [sorted(r.flags) for r in members] == [["consent_given"], [], ["suppressed"]]
    assert {(r.match, r.matched_by) for r in members} == {
        (Match.VERIFIED_IDENTIFIER, IdentifierKind.EMAIL)
    }


def test_the_copy_says_everything_that_is_kept_beside_a_member(
    mailchimp: Mailchimp, kari_everywhere: MailchimpDouble
) -> None:
    record = next(r for r in mailchimp.find(somebody(KARI)) if r.kind == "member")

    assert record.fields["profile"] == {"Fornavn": "Kari", "Etternavn": "Vik", "CITY": "Bergen"}
    assert record.fields["interests"] == ["Genres: Jazz"]
    assert record.fields["tags"] == ["Concerts"]
    assert record.fields["events"] == [{"name": "signed_in", "properties": {"from": "app"}}]
    assert record.fields["goals"] == [{"event": "visit", "data": "/programme"}]
    assert record.fields["activity"] == [
        {"activity_type": "open", "created_at_timestamp": "2026-01-03T10:00:00+00:00"}
    ]
    assert "consent_given" in record.anchors


def test_a_note_names_neither_its_author_nor_a_national_number(
    mailchimp: Mailchimp, kari_everywhere: MailchimpDouble
) -> None:
    """E-10."""
    record = next(r for r in mailchimp.find(somebody(KARI)) if r.kind == "member")

    assert "Per Ås" not in str(record.fields)
    assert SYNTHETIC_NUMBER not in str(record.fields)
    assert "018174*****" in str(record.fields["notes"])
    assert record.masked == ("notes",)


def test_shop_data_is_found_through_the_customer_and_comes_first(
    mailchimp: Mailchimp, kari_everywhere: MailchimpDouble
) -> None:
    records = list(mailchimp.find(somebody(KARI)))

    assert [r.kind for r in records] == [
        "shop_order",
        "shop_cart",
        "shop_customer",
        "member",
        "member",
    ]
    order = records[0]
    assert order.match is Match.LINKED_RECORD
    assert order.flags == {"paid"}
    # Half past ten in the evening in UTC is the next day where the ticket was sold.
    assert str(order.anchors["last_purchase"]) == "2026-04-01"


def test_unproven_addresses_and_namesakes_match_weakly(
    mailchimp: Mailchimp, kari_everywhere: MailchimpDouble
) -> None:
    found = {(r.kind, r.match) for r in mailchimp.find(somebody(unproven=(KARI,), name="Kari Vik"))}

    assert found == {
        ("shop_order", Match.UNVERIFIED_IDENTIFIER),
        ("shop_cart", Match.UNVERIFIED_IDENTIFIER),
        ("shop_customer", Match.UNVERIFIED_IDENTIFIER),
        ("member", Match.UNVERIFIED_IDENTIFIER),
        ("member", Match.SAME_NAME),
    }


def test_a_namesakes_national_number_is_masked_until_the_match_is_confirmed(
    mailchimp: Mailchimp, double: MailchimpDouble
) -> None:
    number = {"FNAME": "Kari", "LNAME": "Vik", "PNR": SYNTHETIC_NUMBER}
    double.add_member("news", STRANGER, merge_fields=number)

    (record,) = mailchimp.find(somebody("kari@post.example", name="Vik, Kari"))

    assert record.fields["profile"]["PNR"] == "018174*****"  # type: ignore[index]
    assert record.masked == ("profile",)


@pytest.mark.parametrize(
    "email", ["o'brien+test@post.example", "kåre.ødegård@post.example", "a/b?c#d@post.example"]
)
def test_special_characters_find_and_erase_exactly_their_owner(
    mailchimp: Mailchimp, double: MailchimpDouble, email: str
) -> None:
    double.add_member("news", email)
    double.add_customer("shop", email, email)
    double.add_member("news", "obrien@post.example")
    person = somebody(email)

    records = list(mailchimp.find(person))

    assert [r.kind for r in records] == ["shop_customer", "member"]
    assert erase_all(mailchimp, person, records) == [Outcome.ERASED] * 2
    assert list(mailchimp.find(person)) == []
    assert list(double.members) == [("news", fingerprint_of("obrien@post.example"))]


def test_many_pages_are_read_to_the_end(mailchimp: Mailchimp, double: MailchimpDouble) -> None:
    for number in range(1100):
        double.add_audience(f"list-{number:04}", f"List {number}")
        double.add_cart("shop", f"other-{number:04}", "somebody-else")
    double.add_member("list-1099", KARI)
    double.activity["list-1099", fingerprint_of(KARI)] = [
        {"activity_type": "open", "campaign_id": str(number)} for number in range(1500)
    ]
    double.add_customer("shop", "kari", KARI)
    double.add_cart("shop", "last", "kari")

    records = list(mailchimp.find(somebody(KARI)))

    assert [r.kind for r in records] == ["shop_cart", "shop_customer", "member"]
    assert len(records[2].fields["activity"]) == 1500  # type: ignore[arg-type]


def test_erasure_leaves_nothing_of_the_person_and_all_of_the_stranger(
    mailchimp: Mailchimp, kari_everywhere: MailchimpDouble
) -> None:
    stranger = somebody(STRANGER)
    before = list(mailchimp.find(stranger))
    person = somebody(KARI)
    records = list(mailchimp.find(person))

    assert erase_all(mailchimp, person, records) == [Outcome.ERASED] * 5

    assert list(mailchimp.find(person)) == []
    assert list(mailchimp.find(stranger)) == before


def test_erasing_twice_with_the_same_key_changes_nothing_more(
    mailchimp: Mailchimp, kari_everywhere: MailchimpDouble
) -> None:
    person = somebody(KARI)
    records = list(mailchimp.find(person))
    erase_all(mailchimp, person, records)
    state = deepcopy((kari_everywhere.members, kari_everywhere.orders, kari_everywhere.forgotten))

    assert erase_all(mailchimp, person, records) == [Outcome.NOT_FOUND] * 5

    assert (
        kari_everywhere.members,
        kari_everywhere.orders,
        kari_everywhere.forgotten,
    ) == state


def test_a_half_done_erasure_is_continued(
    mailchimp: Mailchimp, kari_everywhere: MailchimpDouble
) -> None:
    person = somebody(KARI)
    records = list(mailchimp.find(person))
    kari_everywhere.fail_next(503, times=100, on="POST ")

    with pytest.raises(Unavailable, match="503"):
        erase_all(mailchimp, person, records)
    kari_everywhere.heal()
    remaining = list(mailchimp.find(person))

    assert [r.kind for r in remaining] == ["member", "member"]
    erase_all(mailchimp, person, remaining)
    assert list(mailchimp.find(person)) == []


def test_the_fingerprint_that_mailchimp_keeps_is_named_as_a_residual(
    mailchimp: Mailchimp, double: MailchimpDouble
) -> None:
    double.add_member("news", KARI)
    (record,) = mailchimp.find(somebody(KARI))

    result = mailchimp.erase(somebody(KARI), Treatment(record.key, record.kind), key="k")

    assert [(r.what, r.why) for r in result.residuals] == [
        ("address-fingerprint", "vendor-blocks-reimport")
    ]
    assert "news" not in result.detail


def test_a_member_that_may_not_be_removed_goes_to_a_person(
    mailchimp: Mailchimp, double: MailchimpDouble
) -> None:
    double.add_member("news", KARI)
    (record,) = mailchimp.find(somebody(KARI))
    double.fail_next(405, on="delete-permanent", headers={"Allow": "GET, PUT"})

    with pytest.raises(Refused, match="not allowed"):
        mailchimp.erase(somebody(KARI), Treatment(record.key, record.kind), key="k")


@pytest.mark.parametrize(
    "treatment",
    [
        Treatment("news/x", "member", anonymise=True),
        Treatment("news", "member"),
        Treatment("news/x", "campaign"),
    ],
)
def test_what_it_cannot_do_is_refused_before_any_call(
    mailchimp: Mailchimp, double: MailchimpDouble, treatment: Treatment
) -> None:
    with pytest.raises(Refused):
        mailchimp.erase(somebody(KARI), treatment, key="k")
    assert double.calls == 0


# Suppression


def test_an_objection_unsubscribes_in_every_audience_and_survives_an_import(
    mailchimp: Mailchimp, double: MailchimpDouble
) -> None:
    """AK-14, AK-22: archived and pending members would come back with the next import."""
    for list_id, status in (("news", "subscribed"), ("members", "archived"), ("empty", "pending")):
        double.add_member(list_id, KARI, status=status)
    double.add_member("news", STRANGER)

    result = mailchimp.suppress(somebody(KARI), key="k")

    assert result.outcome is Outcome.SUPPRESSED
    statuses = {
        list_id: member["status"]
        for (list_id, hashed), member in double.members.items()
        if hashed == fingerprint_of(KARI)
    }
    assert statuses == dict.fromkeys(("news", "members", "empty"), "unsubscribed")
    assert double.members["news", fingerprint_of(STRANGER)]["status"] == "subscribed"
    assert mailchimp.suppress(somebody(KARI), key="k") == result


def test_an_unproven_address_may_be_unsubscribed_too(
    mailchimp: Mailchimp, double: MailchimpDouble
) -> None:
    """An objection to marketing waits for no identity check (Art. 21(3))."""
    double.add_member("news", KARI)

    assert mailchimp.suppress(somebody(unproven=(KARI,)), key="k").outcome is Outcome.SUPPRESSED


def test_nobody_to_unsubscribe_is_said_and_no_address_is_added(
    mailchimp: Mailchimp, double: MailchimpDouble
) -> None:
    assert mailchimp.suppress(somebody(KARI), key="k").outcome is Outcome.NOT_FOUND
    assert double.members == {}


def test_the_controller_may_hold_absent_addresses_against_the_next_import(
    double: MailchimpDouble,
) -> None:
    mailchimp = Mailchimp({"url": double.url, "key": KEY, "hold_absent": "yes"})
    double.forgotten.add(("members", fingerprint_of(KARI)))

    assert mailchimp.suppress(somebody(KARI), key="k").outcome is Outcome.SUPPRESSED

    assert {list_id: m["status"] for (list_id, _), m in double.members.items()} == {
        "news": "unsubscribed",
        "empty": "unsubscribed",
    }


def test_a_text_message_subscription_ends_with_the_newsletter(
    mailchimp: Mailchimp, double: MailchimpDouble
) -> None:
    double.add_member("news", KARI, status="unsubscribed", sms_subscription_status="subscribed")

    mailchimp.suppress(somebody(KARI), key="k")

    member = double.members["news", fingerprint_of(KARI)]
    assert member["sms_subscription_status"] == "unsubscribed"


def test_an_unsubscription_that_does_not_hold_is_not_believed(
    mailchimp: Mailchimp, double: MailchimpDouble
) -> None:
    double.add_member("news", KARI)
    double.fail_next(200, on="PATCH", body=b"{}", media_type="application/json")

    with pytest.raises(Refused, match="still subscribed"):
        mailchimp.suppress(somebody(KARI), key="k")


# What goes wrong


def test_too_many_connections_mean_later(mailchimp: Mailchimp, double: MailchimpDouble) -> None:
    double.fail_next(429)
    with pytest.raises(Unavailable) as caught:
        list(mailchimp.find(somebody(KARI)))
    assert caught.value.retry_after is None


def test_a_server_error_and_a_lost_connection_mean_later(
    mailchimp: Mailchimp, double: MailchimpDouble
) -> None:
    double.fail_next(500)
    with pytest.raises(Unavailable, match="500"):
        list(mailchimp.find(somebody(KARI)))
    double.drop_next()
    with pytest.raises(Unavailable):
        list(mailchimp.find(somebody(KARI)))


def test_a_timeout_means_later(double: MailchimpDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    mailchimp = Mailchimp({"url": double.url, "key": KEY})
    monkeypatch.setattr(mailchimp._http._pool, "timeout", urllib3.Timeout(total=0.1))
    double.delay = 0.5

    with pytest.raises(Unavailable, match="ReadTimeoutError"):
        list(mailchimp.find(somebody(KARI)))


def test_a_bare_403_is_throttling_and_a_problem_403_is_a_missing_right(
    mailchimp: Mailchimp, double: MailchimpDouble
) -> None:
    double.fail_next(403, body=b"<html>Access Denied</html>")
    with pytest.raises(Unavailable, match="throttled"):
        list(mailchimp.find(somebody(KARI)))
    double.fail_next(403, body=b"{}", media_type="application/problem+json; charset=utf-8")
    with pytest.raises(Refused, match="403"):
        list(mailchimp.find(somebody(KARI)))


def test_a_wrong_key_goes_to_a_person(double: MailchimpDouble) -> None:
    with pytest.raises(Refused, match="401"):
        list(Mailchimp({"url": double.url, "key": "wrong-us6"}).find(somebody(KARI)))


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b"{}",
        b'{"stores": "none"}',
        b'{"stores": [{"name": "x"}]}',
        b'{"stores": [{"id": "x", "name": "' + b"x" * 30_000 + b'"}]}',
    ],
)
def test_a_wrong_shape_goes_to_a_person_and_quotes_nothing(
    mailchimp: Mailchimp, double: MailchimpDouble, body: bytes
) -> None:
    double.fail_next(200, on="GET /ecommerce/stores", body=body, media_type="application/json")

    with pytest.raises(Refused) as caught:
        list(mailchimp.find(somebody(KARI)))
    assert "xxx" not in str(caught.value)


def test_an_answer_about_somebody_else_is_not_believed(
    mailchimp: Mailchimp, double: MailchimpDouble
) -> None:
    double.add_member("news", KARI)
    double.members["news", fingerprint_of(KARI)]["email_address"] = STRANGER

    with pytest.raises(Refused, match="another"):
        list(mailchimp.find(somebody(KARI)))


def test_a_list_without_end_is_left(mailchimp: Mailchimp, double: MailchimpDouble) -> None:
    endless = b'{"lists": [{"id": "news", "name": "x"}]}'
    double.fail_next(200, 50, on="GET /lists", body=endless, media_type="application/json")

    with pytest.raises(Refused, match="never ends"):
        list(mailchimp.find(somebody(KARI)))


def test_an_account_never_sees_more_connections_than_it_allows(
    kari_everywhere: MailchimpDouble,
) -> None:
    """Two connectors of one account share its places."""
    both = [Mailchimp({"url": kari_everywhere.url, "key": KEY}) for _ in range(2)]
    kari_everywhere.delay = 0.005

    with ThreadPoolExecutor(24) as pool:
        found = list(pool.map(lambda n: len(list(both[n % 2].find(somebody(KARI)))), range(24)))

    assert found == [5] * 24
    assert 1 < kari_everywhere.busiest <= CONNECTIONS


def test_nobodys_address_is_in_a_path_or_a_log(
    mailchimp: Mailchimp,
    kari_everywhere: MailchimpDouble,
    capsys: pytest.CaptureFixture[str],
) -> None:
    person = somebody(KARI)
    erase_all(mailchimp, person, list(mailchimp.find(person)))

    paths = {exchange.call.path for exchange in kari_everywhere.exchanges}
    assert not [path for path in paths if "kari" in path.lower()]
    written = capsys.readouterr()
    assert "kari" not in (written.out + written.err).lower()
    assert fingerprint_of(KARI) not in written.out + written.err


# The vendor's contract


def test_connector_and_double_keep_the_vendors_contract(
    mailchimp: Mailchimp, kari_everywhere: MailchimpDouble
) -> None:
    vendor = contract("mailchimp-marketing-3.0.55-trimmed.openapi.json")
    person = somebody(KARI, name="Kari Vik")
    mailchimp.suppress(person, key="k")
    records = [r for r in mailchimp.find(person) if r.match.is_strong]
    erase_all(mailchimp, person, records)
    erase_all(mailchimp, person, records)
    # The trimmed contract leaves interests out.
    held = [
        exchange
        for exchange in kari_everywhere.exchanges
        if "interest-categories" not in exchange.call.path
    ]
    for exchange in held:
        hold(vendor, exchange, base=VENDOR)

    seen = {(exchange.call.method, exchange.reply.status) for exchange in held}
    assert seen >= {
        ("GET", 200),
        ("GET", 404),
        ("PATCH", 405),
        ("PUT", 200),
        ("POST", 204),
        ("POST", 404),
        ("DELETE", 204),
        ("DELETE", 404),
    }


@pytest.mark.parametrize("mistake", [{"status": "weird"}, {"vip": "perhaps"}])
def test_the_contract_notices_a_double_that_drifts(
    mailchimp: Mailchimp, double: MailchimpDouble, mistake: dict[str, object]
) -> None:
    vendor = contract("mailchimp-marketing-3.0.55-trimmed.openapi.json")
    double.add_member("news", KARI)
    double.members["news", fingerprint_of(KARI)] |= mistake
    http = urllib3.PoolManager(headers=urllib3.make_headers(basic_auth=f"any:{KEY}"))
    http.request("GET", f"{double.url}/lists/news/members/{fingerprint_of(KARI)}")

    with pytest.raises(OpenAPIError):
        hold(vendor, double.exchanges[-1], base=VENDOR)
