"""OpenDSR 2.0 towards a processor: what is asked, what is believed, and what is not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from adapters.outbound.opendsr.certificate import NotTheProcessor
from adapters.outbound.opendsr.messages import Accepts, Identity, Placed, identities, request_id
from adapters.outbound.opendsr.processor import Processor, shown
from adapters.outbound.webhooks.guard import AddressRefused, Guard
from domain.vocabulary import IdentifierKind
from services.ports import Garbled, Identifier, NotSetUp, Refused, Unavailable
from tests.support.authority import Authority, Issued
from tests.support.opendsr import HOST, TOKEN, OpenDsrProcessor

KARI = "kari.testesen@person.example"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def issued(authority: Authority) -> Issued:
    return authority.issue(HOST)


@pytest.fixture
def double(issued: Issued, tmp_path: Path) -> Iterator[OpenDsrProcessor]:
    with OpenDsrProcessor(issued, tmp_path).running() as running:
        running.people[KARI] = [{"id": "a-1", "kind": "profile", "city": "Gjøvik"}]
        yield running


def processor(double: OpenDsrProcessor, authority: Authority, **changed: str) -> Processor:
    options = {"url": double.url, "domain": HOST, "token": TOKEN, "ca": authority.pem, **changed}
    guard = Guard([f"{HOST}:{double.port}"], lambda *_: ["127.0.0.1"])
    return Processor(options, guard, lambda: datetime.now(UTC))


@pytest.fixture
def asked(double: OpenDsrProcessor, authority: Authority) -> Processor:
    return processor(double, authority)


def placed(kind: str = "access", request: UUID | None = None) -> Placed:
    return Placed.model_validate(
        {
            "subject_request_id": request or request_id(uuid4()),
            "subject_request_type": kind,
            "submitted_time": "2026-11-23T12:00:00Z",
            "subject_identities": [
                Identity(identity_type="email", identity_value=KARI, identity_format="raw")
            ],
            "status_callback_urls": [],
        }
    )


def test_a_request_is_placed_followed_and_its_results_fetched(
    asked: Processor, double: OpenDsrProcessor
) -> None:
    wish = placed()

    asked.place(wish)
    assert asked.progress(wish.subject_request_id).request_status == "pending"
    double.work()
    done = asked.progress(wish.subject_request_id)

    assert (done.request_status, done.results_count) == ("completed", 1)
    assert done.results_url is not None
    assert asked.results(done.results_url) == double.people[KARI]
    said = json.loads(next(body for method, _, body in double.asked if method == "POST"))
    assert (said["regulation"], said["api_version"]) == ("gdpr", "2.0")


def test_an_erasure_erases_and_an_access_request_after_it_finds_nothing(
    asked: Processor, double: OpenDsrProcessor
) -> None:
    asked.place(placed("erasure"))
    double.work()
    again = placed()
    asked.place(again)
    double.work()

    assert asked.progress(again.subject_request_id).results_count == 0


def test_a_reply_that_is_lost_places_no_second_request(
    asked: Processor, double: OpenDsrProcessor
) -> None:
    wish = placed()
    double.loses_replies = 1

    with pytest.raises(Unavailable):
        asked.place(wish)
    asked.place(wish)

    assert len(double.requests) == 1


def test_a_pending_request_is_taken_back_and_a_finished_one_is_not(
    asked: Processor, double: OpenDsrProcessor
) -> None:
    pending, finished = placed(), placed()
    asked.place(pending)
    assert asked.cancel(pending.subject_request_id)
    asked.place(finished)
    double.work()

    assert asked.progress(pending.subject_request_id).request_status == "cancelled"
    assert not asked.cancel(finished.subject_request_id)


def test_what_another_key_signed_is_not_believed(
    asked: Processor, double: OpenDsrProcessor, authority: Authority
) -> None:
    asked.discover()
    double.signs_with = authority.issue(HOST)

    with pytest.raises(Garbled, match="signature-wrong"):
        asked.place(placed())


def test_the_certificate_of_another_domain_is_not_believed(
    double: OpenDsrProcessor, authority: Authority
) -> None:
    double.certificate = authority.issue("other.example").certificate

    with pytest.raises(Garbled, match="certificate-not-theirs"):
        processor(double, authority).discover()
    with pytest.raises(Garbled, match="certificate-not-theirs"):
        processor(double, authority, domain="other-still.example").discover()


def test_a_certificate_that_nobody_vouches_for_is_not_believed(
    double: OpenDsrProcessor, authority: Authority
) -> None:
    double.certificate = Authority().issue(HOST).certificate

    with pytest.raises(Garbled, match="certificate-not-theirs"):
        processor(double, authority).discover()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/discovery", {"api_version": "1.0"}),
        ("/discovery", {"supported_identities": "email"}),
        ("/requests", {"subject_request_id": str(uuid4())}),
        ("/requests", {"encoded_request": None}),
        ("/requests/{id}", {"request_status": "perhaps"}),
        ("/requests/{id}", {"subject_request_id": str(uuid4())}),
        ("/requests/{id}", {"results_count": -1}),
    ],
)
def test_an_answer_that_makes_no_sense_is_garbled(
    asked: Processor, double: OpenDsrProcessor, path: str, said: dict[str, object]
) -> None:
    double.says[path] = said
    wish = placed()

    def ask() -> None:
        asked.discover()
        asked.place(wish)
        asked.progress(wish.subject_request_id)

    with pytest.raises(Garbled) as garbled:
        ask()

    assert KARI not in str(garbled.value)


@pytest.mark.parametrize(
    "address", ["https://169.254.169.254/x", "http://processor.example/x", "https://intranet/x"]
)
def test_no_address_that_it_names_leads_inside(
    asked: Processor, double: OpenDsrProcessor, address: str
) -> None:
    double.says["/discovery"] = {"processor_certificate": address}

    with pytest.raises(AddressRefused):
        asked.results(address)
    with pytest.raises(AddressRefused):
        asked.discover()


def test_a_wrong_token_is_for_a_person(double: OpenDsrProcessor, authority: Authority) -> None:
    with pytest.raises(Refused, match="401"):
        processor(double, authority, token="another").place(placed())


def test_it_needs_an_address_and_a_domain(double: OpenDsrProcessor, authority: Authority) -> None:
    with pytest.raises(NotSetUp, match="domain"):
        processor(double, authority, domain=" ")


def test_a_callback_is_believed_when_it_is_signed(
    asked: Processor, double: OpenDsrProcessor, authority: Authority
) -> None:
    body = b'{"subject_request_id": "x"}'
    headers = {name.lower(): value for name, value in double.signed(body).items()}

    asked.verify(headers, body)

    for wrong in (
        {**headers, "x-opendsr-processor-domain": "other.example"},
        {**headers, "x-opendsr-signature": "é"},
        {},
    ):
        with pytest.raises(NotTheProcessor):
            asked.verify(wrong, body)
    with pytest.raises(NotTheProcessor):
        asked.verify(headers, body + b" ")


def test_only_what_was_proven_is_told_and_as_little_of_it_as_is_taken() -> None:
    known = [
        Identifier(IdentifierKind.EMAIL, f" {KARI.upper()} ", verified=True),
        Identifier(IdentifierKind.EMAIL, "someone.else@person.example"),
        Identifier(IdentifierKind.NAME, "Kari Testesen", verified=True),
        Identifier(IdentifierKind.CUSTOMER_NUMBER, "K-1", verified=True),
    ]
    raw = Accepts(identity_type="email", identity_format="raw")
    hashed = Accepts(identity_type="email", identity_format="sha256")

    (told,) = identities(known, [raw, hashed])
    assert told.identity_value == hashlib.sha256(KARI.encode()).hexdigest()
    assert [one.identity_value for one in identities(known, [raw])] == [KARI]
    assert list(identities(known, [])) == []


def test_a_request_has_the_same_id_each_time_and_of_the_version_that_is_wanted() -> None:
    instruction = uuid4()

    assert request_id(instruction) == request_id(instruction)
    assert request_id(instruction).version == 4
    assert request_id(uuid4()) != request_id(instruction)


@pytest.mark.parametrize(
    ("results", "records"),
    [
        ([], []),
        ([{"a": 1}], [{"a": 1}]),
        ({"records": [{"a": 1}]}, [{"a": 1}]),
        ({"a": 1}, [{"a": 1}]),
        ("zip", None),
        ([1], None),
        ({"records": "x"}, None),
    ],
)
def test_records_are_read_where_they_are_some(results: object, records: object) -> None:
    assert shown(results) == records
